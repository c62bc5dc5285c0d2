//! A JSON tree for comparing: objects without order, numbers as text.

use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, PartialEq, Eq, Clone)]
pub(crate) enum Tree {
    Object(BTreeMap<String, Tree>),
    Array(Vec<Tree>),
    String(String),
    /// Number, boolean or null, as written.
    Word(String),
}

impl Tree {
    pub(crate) fn parse(json: &[u8]) -> Tree {
        let compacted = fhir_model::json::compact(json);
        let text = std::str::from_utf8(&compacted).unwrap();
        let mut rest = text;
        let tree = value(&mut rest);
        assert_eq!(rest, "", "text after the value");
        tree
    }

    /// The first place where the two differ.
    pub(crate) fn difference(&self, other: &Tree) -> Option<String> {
        match (self, other) {
            (Tree::Object(a), Tree::Object(b)) => {
                let keys = a.keys().chain(b.keys());
                keys.filter(|k| a.get(*k) != b.get(*k))
                    .map(|k| match (a.get(k), b.get(k)) {
                        (Some(x), Some(y)) => format!("{k}.{}", x.difference(y).unwrap_or_default()),
                        (x, _) => format!("{k} only on the {}", if x.is_some() { "left" } else { "right" }),
                    })
                    .next()
            }
            (Tree::Array(a), Tree::Array(b)) if a.len() == b.len() => {
                let differing = a.iter().zip(b).enumerate().find(|(_, (x, y))| x != y);
                differing.map(|(i, (x, y))| format!("[{i}]{}", x.difference(y).unwrap_or_default()))
            }
            _ if self == other => None,
            _ => Some(format!(": {self:?} != {other:?}")),
        }
    }
}

fn value(rest: &mut &str) -> Tree {
    match rest.as_bytes()[0] {
        b'{' => {
            let mut map = BTreeMap::new();
            items(rest, '}', |rest| {
                let key = string(rest);
                *rest = rest.strip_prefix(':').unwrap();
                assert!(map.insert(key, value(rest)).is_none(), "duplicate key");
            });
            Tree::Object(map)
        }
        b'[' => {
            let mut list = Vec::new();
            items(rest, ']', |rest| list.push(value(rest)));
            Tree::Array(list)
        }
        b'"' => Tree::String(string(rest)),
        _ => {
            let end = rest.find([',', ']', '}']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            *rest = after;
            Tree::Word(word.to_owned())
        }
    }
}

fn items(rest: &mut &str, close: char, mut each: impl FnMut(&mut &str)) {
    *rest = &rest[1..];
    while !rest.starts_with(close) {
        each(rest);
        *rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    *rest = &rest[1..];
}

fn string(rest: &mut &str) -> String {
    let mut escaped = false;
    let end = 1 + rest[1..]
        .find(|c| {
            let done = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            done
        })
        .unwrap();
    let (literal, after) = rest.split_at(end + 1);
    *rest = after;
    serde_json::from_str(literal).unwrap()
}

/// A folder of the shared data beside the project; says aloud when it is absent.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(folder);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED (needs ../shared/data/{folder})");
    None
}

/// The files of a folder of the shared data, sorted, with that ending.
pub(crate) fn shared_files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let Some(path) = shared(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.retain(|f| f.to_string_lossy().ends_with(ending));
    files.sort();
    files
}
