//! `xtask tidy`: the rules of the house that the compiler and clippy do not check.
//!
//! Invariant: a rule that is broken is named with its file and line.

use std::fs;
use std::path::Path;

use crate::{Context, Result};

/// Longer files say why in their header, on a line with [`SIZE_REASON`].
const MAX_LINES: usize = 500;
const SIZE_REASON: &str = "Size:";

/// Folders that hold no hand-written Rust.
const SKIPPED: [&str; 2] = ["target", "generated"];

/// What must not be in code, and what to do instead.
const FORBIDDEN: [(&str, &str); 5] = [
    (concat!("todo", "!("), "write it, or leave it out"),
    (concat!("unimplemented", "!("), "write it, or leave it out"),
    (concat!("#[", "ignore"), "mend the test, or drop it"),
    (concat!("#[", "allow("), "use #[expect(…, reason = \"…\")]"),
    (concat!("#![", "allow("), "use #![expect(…, reason = \"…\")]"),
];

/// Crates that only some files of the libraries may know.
const LAYERS: [(&str, &[&str]); 2] = [
    (
        concat!("act", "ix"),
        &[
            "fhir-server/src/http/",
            "fhir-server/src/server.rs",
            "fhir-server/src/main.rs",
        ],
    ),
    (concat!("die", "sel"), &["fhir-server/src/store/"]),
];

/// Checks every hand-written Rust file of the workspace.
///
/// # Errors
/// A file cannot be read; or rules are broken, each on a line.
pub fn check(root: &Path) -> Result<()> {
    let mut broken = Vec::new();
    walk(root, "", &mut broken)?;
    broken.sort();
    if broken.is_empty() {
        Ok(())
    } else {
        Err(broken.join("\n"))
    }
}

fn walk(root: &Path, folder: &str, broken: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(root.join(folder)).context(folder)? {
        let entry = entry.context(folder)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}{name}");
        if entry.file_type().context(&path)?.is_dir() {
            if !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                walk(root, &format!("{path}/"), broken)?;
            }
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).context(&path)?;
            broken.extend(faults(&path, &text));
        }
    }
    Ok(())
}

/// What is wrong with one file; `path` is relative to the workspace, with `/`.
fn faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !text.starts_with("//!") {
        faults.push(format!("{path}:1: opens without `//!`: say what the file is for"));
    }
    let lines = text.lines().count();
    let mut header = text.lines().take_while(|line| line.starts_with("//!"));
    if lines > MAX_LINES && !header.any(|line| line.contains(SIZE_REASON)) {
        faults.push(format!(
            "{path}:{lines}: more than {MAX_LINES} lines: split it, or say why in the header (`{SIZE_REASON} …`)"
        ));
    }
    let code = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"));
    for (index, line) in code {
        let at = index + 1;
        for (needle, cure) in FORBIDDEN.iter().filter(|(needle, _)| line.contains(needle)) {
            faults.push(format!("{path}:{at}: `{needle}`: {cure}"));
        }
        for (name, homes) in LAYERS
            .iter()
            .filter(|(name, homes)| is_outside(path, line, name, homes))
        {
            faults.push(format!("{path}:{at}: only {} may know {name}", homes.join(", ")));
        }
    }
    faults
}

/// Whether a line of a library's source names a crate outside the layer that owns it.
fn is_outside(path: &str, line: &str, name: &str, homes: &[&str]) -> bool {
    let is_library = path.starts_with("fhir-") && path.contains("/src/");
    is_library && line.contains(name) && !homes.iter().any(|home| path.starts_with(home))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        faults(path, text).len()
    }

    #[test]
    fn a_file_needs_a_header() {
        assert_eq!(count("a/src/b.rs", "//! Job.\nfn f() {}\n"), 0);
        assert_eq!(count("a/src/b.rs", "fn f() {}\n"), 1);
    }

    #[test]
    fn a_long_file_needs_a_reason() {
        let body = "\nfn f() {}".repeat(MAX_LINES);
        assert_eq!(count("a/src/b.rs", &format!("//! Job.{body}")), 1);
        assert_eq!(
            count(
                "a/src/b.rs",
                &format!("//! Job.\n//!\n//! Size: one table.{body}")
            ),
            0
        );
    }

    #[test]
    fn unfinished_and_silenced_code_is_found_but_not_in_comments() {
        for (needle, _) in FORBIDDEN {
            assert_eq!(
                count("a/src/b.rs", &format!("//! Job.\n    {needle}\n")),
                1,
                "{needle}"
            );
            assert_eq!(
                count("a/src/b.rs", &format!("//! Job.\n    // {needle}\n")),
                0,
                "{needle}"
            );
        }
    }

    #[test]
    fn a_layer_is_known_only_at_home() {
        for (name, homes) in LAYERS {
            let text = format!("//! Job.\nuse {name}::x;\n");
            assert_eq!(count("fhir-server/src/engine/mod.rs", &text), 1);
            assert_eq!(count("fhir-model/src/lib.rs", &text), 1);
            assert_eq!(count("examples/embed/src/main.rs", &text), 0);
            for home in homes {
                let file = if home.ends_with(".rs") {
                    (*home).to_owned()
                } else {
                    format!("{home}x.rs")
                };
                assert_eq!(count(&file, &text), 0, "{file}");
            }
        }
    }
}
