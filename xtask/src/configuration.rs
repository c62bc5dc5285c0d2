//! `docs/configuration.md`, from the doc comments of `fhir-server/src/config/` and of `serve`: the code is the reference.
//!
//! Invariant: each field that can be configured stands in it, as its comment says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::{Context, Result};

const FILE: &str = "docs/configuration.md";

/// One field of a struct.
#[derive(Debug)]
struct Field {
    name: String,
    kind: String,
    words: String,
}

/// A struct or an enumeration, with its words.
#[derive(Debug, Default)]
struct Item {
    words: String,
    fields: Vec<Field>,
    /// of an enumeration: its values and their words
    values: Vec<(String, String)>,
}

/// Writes the reference.
///
/// # Errors
/// A file cannot be read or written.
pub fn write(root: &Path) -> Result<()> {
    fs::write(root.join(FILE), document(root)?).context(FILE)
}

/// Compares the reference with what it would be.
///
/// # Errors
/// It differs.
pub fn check(root: &Path) -> Result<()> {
    let found = fs::read_to_string(root.join(FILE)).context(FILE)?;
    match found == document(root)? {
        true => Ok(()),
        false => Err(format!(
            "{FILE} is not what the code says: run `cargo xtask configuration`"
        )),
    }
}

fn document(root: &Path) -> Result<String> {
    let folder = root.join("fhir-server/src");
    let mut items = BTreeMap::new();
    for entry in fs::read_dir(folder.join("config")).context("config")? {
        read(&entry.context("config")?.path(), &mut items)?;
    }
    read(&folder.join("search/criteria/limits.rs"), &mut items)?;
    let mut out = String::from(
        "# Configuration\n\nWritten by `cargo xtask configuration` from the code; change the comments there.\n\n\
         `fhir-server serve --config FILE` reads a file in JSON: an object with the sections below as members, each with its own. \
         Whatever is left out has its default, and a key that is not known is refused. What the command line says goes before the \
         file, and an option goes before its environment variable.\n\n",
    );
    let config = items.get("Config").ok_or("no struct Config")?;
    for field in &config.fields {
        section(&items, field, &field.name, &mut out);
    }
    options(&folder.join("cli"), &mut out)?;
    Ok(out)
}

/// The items of a file.
fn read(file: &Path, items: &mut BTreeMap<String, Item>) -> Result<()> {
    let text = fs::read_to_string(file).context(file.display())?;
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let (mut words, mut open): (Vec<&str>, Option<(String, bool)>) = (Vec::new(), None);
    for line in code.lines() {
        let trimmed = line.trim();
        if let Some(said) = trimmed.strip_prefix("///") {
            words.push(said.trim());
            continue;
        }
        if trimmed.starts_with("#[") {
            continue;
        }
        if let Some((name, is_struct)) = opened(line) {
            let item = Item {
                words: words.join(" "),
                ..Item::default()
            };
            items.insert(name.clone(), item);
            open = Some((name, is_struct));
        } else if line == "}" {
            open = None;
        } else if let Some((name, is_struct)) = &open
            && let Some(item) = items.get_mut(name)
        {
            member(item, trimmed, *is_struct, &words.join(" "));
        }
        words.clear();
    }
    Ok(())
}

fn opened(line: &str) -> Option<(String, bool)> {
    let rest = line.strip_prefix("pub ")?.strip_suffix(" {")?;
    let (kind, name) = rest.split_once(' ')?;
    matches!(kind, "struct" | "enum").then(|| (name.to_owned(), kind == "struct"))
}

fn member(item: &mut Item, line: &str, is_struct: bool, words: &str) {
    let line = line.trim_end_matches(',');
    match is_struct {
        true => {
            let field = line.strip_prefix("pub ").and_then(|field| field.split_once(": "));
            item.fields.extend(field.map(|(name, kind)| Field {
                name: name.to_owned(),
                kind: kind.to_owned(),
                words: words.to_owned(),
            }));
        }
        false if line.chars().all(|c| c.is_ascii_alphanumeric()) && !line.is_empty() => {
            item.values.push((kebab(line), words.to_owned()));
        }
        false => {}
    }
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// A field that is a struct, and what is in it.
fn section(items: &BTreeMap<String, Item>, field: &Field, path: &str, out: &mut String) {
    let Some(item) = items
        .get(inner(&field.kind))
        .filter(|item| !item.fields.is_empty())
    else {
        return;
    };
    let deep = "#".repeat(path.matches('.').count().min(2) + 2);
    let words = if field.words.is_empty() {
        &item.words
    } else {
        &field.words
    };
    let _ = writeln!(out, "{deep} `{path}`\n\n{}\n", plain(words));
    let _ = writeln!(out, "| key | value | |\n|---|---|---|");
    let mut nested = Vec::new();
    for one in &item.fields {
        let of = items.get(inner(&one.kind));
        let kind = match of {
            Some(of) if !of.values.is_empty() => {
                let values: Vec<String> = of
                    .values
                    .iter()
                    .map(|(value, _)| format!("`\"{value}\"`"))
                    .collect();
                values.join(", ")
            }
            Some(_) => {
                nested.push(one);
                format!("{}: see below", told(&one.kind))
            }
            None => told(&one.kind),
        };
        let _ = writeln!(
            out,
            "| `{}` | {kind} | {} |",
            one.name,
            plain(&one.words).replace('|', "\\|")
        );
    }
    out.push('\n');
    for one in nested {
        section(items, one, &format!("{path}.{}", one.name), out);
    }
}

/// The innermost type.
fn inner(kind: &str) -> &str {
    let last = kind.rsplit(['<', ',']).next().unwrap_or(kind);
    last.trim().trim_end_matches('>')
}

/// A type in words.
fn told(kind: &str) -> String {
    if let Some(of) = kind.strip_prefix("Option<") {
        return told(of.trim_end_matches('>'));
    }
    if kind.starts_with("Vec<") {
        return format!("list of {}", told(inner(kind)));
    }
    if kind.contains("Map<") {
        return "object by name".into();
    }
    match kind.rsplit("::").next().unwrap_or(kind) {
        "bool" => "`true` or `false`".into(),
        "usize" | "u64" | "u32" | "u16" | "i64" | "NonZeroU32" => "number".into(),
        "Duration" => "duration".into(),
        "SocketAddr" => "address:port".into(),
        "PathBuf" => "path".into(),
        "String" => "text".into(),
        "f64" => "number".into(),
        _ => "object".into(),
    }
}

/// The words without links of rustdoc.
fn plain(words: &str) -> String {
    words.replace("[`", "`").replace("`]", "`")
}

/// The options of `serve`, and their environment variables.
fn options(folder: &Path, out: &mut String) -> Result<()> {
    out.push_str("## Options of `serve`\n\n| option | environment | |\n|---|---|---|\n");
    for file in ["serve.rs", "validation.rs"] {
        let text = fs::read_to_string(folder.join(file)).context(file)?;
        let (mut words, mut attribute) = (Vec::new(), String::new());
        for line in text.lines().map(str::trim) {
            if let Some(said) = line.strip_prefix("///") {
                words.push(said.trim().to_owned());
            } else if line.starts_with("#[arg") || (!attribute.is_empty() && !attribute.ends_with(")]")) {
                attribute.push_str(line);
            } else if let Some((name, _)) = line.split_once(": ").filter(|_| attribute.contains("long")) {
                let name = name.trim_start_matches("pub(super) ").replace('_', "-");
                let env = attribute
                    .split("env = \"")
                    .nth(1)
                    .and_then(|rest| rest.split('"').next());
                let env = env.map(|env| format!("`{env}`")).unwrap_or_default();
                let _ = writeln!(
                    out,
                    "| `--{name}` | {env} | {} |",
                    plain(&words.join(" ")).replace('|', "\\|")
                );
                (words, attribute) = (Vec::new(), String::new());
            } else if !line.starts_with("#[") {
                (words, attribute) = (Vec::new(), String::new());
            }
        }
    }
    Ok(())
}
