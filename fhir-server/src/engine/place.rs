//! Places of errors inside a Bundle.

use crate::error::Error;

/// The same error, its places told as those of that entry of the Bundle.
pub(crate) fn in_entry(mut error: Error, entry: usize) -> Error {
    for issue in &mut error.issues {
        issue.expression = Some(match issue.expression.take() {
            Some(within) if within.starts_with("Bundle.entry[") => within,
            Some(header) if header.starts_with("http.") => {
                format!("Bundle.entry[{entry}].request.{}", element(&header))
            }
            _ => format!("Bundle.entry[{entry}]"),
        });
    }
    error
}

/// The element of `Bundle.entry.request` that stands for a header; a parameter stands in its `url`.
fn element(header: &str) -> &'static str {
    match header {
        "http.if-match" => "ifMatch",
        "http.if-none-match" => "ifNoneMatch",
        "http.if-none-exist" => "ifNoneExist",
        "http.if-modified-since" => "ifModifiedSince",
        _ => "url",
    }
}
