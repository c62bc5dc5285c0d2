//! From the path below the FHIR base to clean, decoded segments.
//!
//! Invariant: no segment is empty, `.`, `..`, or holds a control character.

use actix_web::dev::{Path, Url};

use crate::error::{Error, ErrorCode, Result};
use crate::interaction::uri;

/// The path under which the server is mounted and what stands below it, both as sent. actix decodes paths leniently, so
/// of what it matched only the number of segments counts.
pub(crate) fn below_mount<'p>(sent: &'p str, matched: &Path<Url>) -> (&'p str, &'p str) {
    let mounted = matched.as_str().len().saturating_sub(matched.unprocessed().len());
    let segments = matched
        .as_str()
        .bytes()
        .take(mounted)
        .filter(|b| *b == b'/')
        .count();
    let end = sent
        .match_indices('/')
        .nth(segments)
        .map_or(sent.len(), |(at, _)| at);
    sent.split_at(end)
}

/// The segments of a path; one slash at the end is taken as none.
pub(crate) fn segments(path: &str) -> Result<Vec<String>> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path
        .strip_suffix('/')
        .filter(|rest| !rest.is_empty())
        .unwrap_or(path);
    if path.is_empty() {
        return Ok(Vec::new());
    }
    path.split('/').map(segment).collect()
}

fn segment(raw: &str) -> Result<String> {
    let text = uri::decode(raw, false).ok_or_else(|| {
        bad("The path holds a percent escape that is not UTF-8 text; write `%25` for a percent sign.")
    })?;
    match text.as_str() {
        "" => Err(Error::new(
            ErrorCode::NotFound,
            "The path holds two slashes in a row; no resource is there.",
        )),
        "." | ".." => Err(bad("The path holds `.` or `..`; write the path as it is meant.")),
        t if t.chars().any(char::is_control) => Err(bad("The path holds a control character.")),
        _ => Ok(text),
    }
}

fn bad(diagnostics: &str) -> Error {
    Error::new(ErrorCode::Value, diagnostics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_split_and_decoded() {
        assert_eq!(segments("/Patient/1").unwrap(), ["Patient", "1"]);
        assert_eq!(segments("/Patient/").unwrap(), ["Patient"]);
        assert_eq!(segments("/P%61tient/a%2Fb").unwrap(), ["Patient", "a/b"]);
        assert!(segments("").unwrap().is_empty());
        assert!(segments("/").unwrap().is_empty());
    }

    #[test]
    fn tricks_are_refused() {
        for (path, code) in [
            ("/Patient//1", ErrorCode::NotFound),
            ("//", ErrorCode::NotFound),
            ("/Patient/../metadata", ErrorCode::Value),
            ("/Patient/%2e%2e", ErrorCode::Value),
            ("/./Patient", ErrorCode::Value),
            ("/Patient/a%00b", ErrorCode::Value),
            ("/Patient/%0d%0aSet-Cookie:x", ErrorCode::Value),
            ("/Patient/%zz", ErrorCode::Value),
            ("/Patient/%ff", ErrorCode::Value),
            ("/Patient/%", ErrorCode::Value),
        ] {
            match segments(path) {
                Err(error) => assert_eq!(error.code, code, "{path}"),
                Ok(s) => panic!("{path} gave {s:?}"),
            }
        }
    }
}
