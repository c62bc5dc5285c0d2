//! The form of `tests/cases/*.json`: a topic's resources and its cases.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::answer::Expect;

/// One file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Topic {
    /// The file's name, without `.json`.
    #[serde(skip)]
    pub(crate) name: String,
    /// The configuration of the server, where it is not the default.
    #[serde(default)]
    pub(crate) config: Option<Value>,
    /// That of a server which is started on the same database once the resources are written, and is asked the cases.
    #[serde(default)]
    pub(crate) then: Option<Value>,
    /// In order of writing: the first is last updated at the start of the clock, each further one a minute later.
    /// A resource may come again, as its next version, and `{"delete": "Type/id"}` deletes one.
    pub(crate) resources: Vec<Value>,
    /// What is asked.
    pub(crate) cases: Vec<Case>,
}

/// One question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Unique in its topic.
    pub(crate) id: String,
    /// Page and section of R4.
    pub(crate) spec: String,
    /// The rule, in our words.
    pub(crate) sentence: String,
    /// Parameter type and prefix or modifier, such as `date ge`.
    #[serde(default)]
    pub(crate) covers: Option<String>,
    /// Below the FHIR base, `GET` where no method comes first. `{base}` is the base. What a URL may not hold is escaped.
    pub(crate) query: String,
    /// What a POST sends as a form.
    #[serde(default)]
    pub(crate) form: Option<String>,
    /// The header.
    #[serde(default)]
    pub(crate) prefer: Option<String>,
    /// Other headers, by name. With a body and no `Content-Type` it is FHIR's JSON.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// What is sent: a text as it is, all else as JSON. What it writes, the cases after it find.
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// What must come back.
    pub(crate) expect: Expect,
}

impl Case {
    /// Method and URL below the base, as the file has them.
    pub(crate) fn request(&self) -> (&str, &str) {
        let plain = ("GET", self.query.as_str());
        self.query.split_once(' ').map_or(plain, |(method, path)| {
            if method.bytes().all(|b| b.is_ascii_uppercase()) {
                (method, path)
            } else {
                plain
            }
        })
    }

    /// For people.
    pub(crate) fn request_line(&self) -> String {
        let (method, path) = self.request();
        let form = self
            .form
            .as_ref()
            .map_or(String::new(), |form| format!(" with {form}"));
        let prefer = self
            .prefer
            .as_ref()
            .map_or(String::new(), |p| format!(" (Prefer: {p})"));
        format!("{method} {path}{form}{prefer}")
    }
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cases"))
}

impl Topic {
    /// All files, by name.
    pub(crate) fn all() -> Vec<Topic> {
        let files = std::fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut topics: Vec<Topic> = files
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .filter(|path| !path.ends_with("known.json"))
            .map(|path| {
                let text = std::fs::read_to_string(&path).unwrap();
                let topic: Topic =
                    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                Topic { name, ..topic }
            })
            .collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        topics
    }

    /// `topic/case`
    pub(crate) fn name_of(&self, case: &Case) -> String {
        format!("{}/{}", self.name, case.id)
    }
}

/// Cases known to fail, with the reason: by `topic/case`. The list may only shrink.
#[derive(Deserialize)]
pub(crate) struct Known(BTreeMap<String, String>);

impl Known {
    pub(crate) fn read() -> Known {
        let text = std::fs::read_to_string(folder().join("known.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
    pub(crate) fn reason(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
