//! The format layer: primitive values are of their type's form where the Rust type alone does not ensure it
//! (<https://hl7.org/fhir/R4/datatypes.html#primitive>).
//!
//! Dates, times, numbers and booleans are checked when they are read; here are the kinds of strings, and `positiveInt`.

use fhir_model::primitive::Scalar;
use fhir_model::reflect::{PrimitiveNode, PrimitiveType};

use crate::layer::Layer;
use crate::run::{Report, Run};
use crate::validator::Inner;

/// The most characters that a string may have.
const MAX_STRING: usize = 1024 * 1024;

pub(crate) fn check(run: &mut Run, inner: &Inner, kind: PrimitiveType, value: &dyn PrimitiveNode) {
    let problem = match value.scalar() {
        Some(Scalar::String(text)) => text_problem(kind, text),
        Some(Scalar::Unsigned(0)) if kind == PrimitiveType::PositiveInt => Some("a whole number from 1"),
        _ => None,
    };
    if let Some(expected) = problem {
        let text = value.text().unwrap_or_default();
        let message = format!(
            "{} is not a valid {}: expected {expected}",
            quoted(&text),
            kind.name()
        );
        run.report(Report::error(Layer::Format, message));
    }
    if kind == PrimitiveType::Xhtml && value.extras().is_some() {
        let message =
            "the text of a narrative has no id and no extensions beside it (_div): give the id to its div";
        run.report(Report::error(Layer::Format, message));
    }
    if inner.is_full()
        && matches!(kind, PrimitiveType::Uri | PrimitiveType::Url)
        && let Some(Scalar::String(text)) = value.scalar()
        && let Some(wanted) = urn_problem(text)
    {
        let message = format!("{} is not {wanted}", quoted(text));
        run.report(Report::error(Layer::Format, message));
    }
    if kind == PrimitiveType::Markdown
        && inner.options.refuse_html_in_markdown
        && let Some(Scalar::String(text)) = value.scalar()
        && let Some(tag) = html_tag(text)
    {
        let message = format!(
            "the markdown has what looks like an HTML tag at {}; escape it",
            quoted(tag)
        );
        run.report(Report::error(Layer::Format, message));
    }
}

/// The first thing in a markdown text that looks like a tag.
fn html_tag(text: &str) -> Option<&str> {
    let starts = text.match_indices('<').map(|(index, _)| index);
    starts.filter_map(|index| text.get(index..)).find(|rest| {
        let name = rest.get(1..).unwrap_or_default();
        let name = name.strip_prefix('/').unwrap_or(name);
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && !is_autolink(name)
    })
}

/// `<http://…>` and `<a@b.c>` are links in markdown.
fn is_autolink(rest: &str) -> bool {
    let inside = rest.split(['>', ' ']).next().unwrap_or_default();
    inside.contains("://") || inside.contains('@') || inside.starts_with("mailto:")
}

/// What was expected, where the text is not of that type's form.
pub(crate) fn text_problem(kind: PrimitiveType, text: &str) -> Option<&'static str> {
    use PrimitiveType as P;
    let (good, expected) = match kind {
        P::Id => (is_id(text), "1 to 64 of the characters A-Z a-z 0-9 - ."),
        P::Code => (
            is_code(text),
            "text without white space at its ends, and single spaces within",
        ),
        P::Oid => (
            is_oid(text),
            "urn:oid: and numbers with dots between, the first of them 0, 1 or 2",
        ),
        P::Uuid => (is_uuid(text), "urn:uuid: and a UUID in lower case"),
        P::Uri | P::Url | P::Canonical => (is_uri(text), "text without white space, not empty"),
        P::Base64Binary => (
            is_base64(text),
            "base64: groups of four of A-Z a-z 0-9 + / with = at the end to fill up",
        ),
        P::String | P::Markdown => return string_problem(text),
        _ => return None,
    };
    (!good).then_some(expected)
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// `[^\s]+(\s[^\s]+)*`
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.split(char::is_whitespace).all(|word| !word.is_empty())
}

fn is_uri(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn is_oid(text: &str) -> bool {
    let Some((first, rest)) = text.strip_prefix("urn:oid:").and_then(|oid| oid.split_once('.')) else {
        return false;
    };
    let number = |part: &str| {
        part == "0"
            || (part.bytes().all(|b| b.is_ascii_digit()) && !part.starts_with('0') && !part.is_empty())
    };
    matches!(first, "0" | "1" | "2") && rest.split('.').all(number)
}

/// What a URI that says so is not: a UUID, or an OID.
fn urn_problem(text: &str) -> Option<&'static str> {
    if text.starts_with("urn:uuid:") && !is_uuid(text) {
        return Some("a UUID in lower case");
    }
    let is_wrong = text.starts_with("urn:oid:") && !is_oid(text);
    is_wrong.then_some(
        "an OID: numbers with dots between, none with zeros before it, the first of them 0, 1 or 2",
    )
}

fn is_uuid(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("urn:uuid:") else {
        return false;
    };
    let groups = uuid.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12])
        && uuid
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

/// Groups of four with white space between them anywhere; `=` only to fill the last group.
fn is_base64(text: &str) -> bool {
    let (mut count, mut filled) = (0usize, 0usize);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if filled == 0 => count += 1,
            b'=' => {
                filled += 1;
                count += 1;
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => return false,
        }
    }
    count > 0 && count.is_multiple_of(4) && filled <= 2
}

fn string_problem(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("some content: leave the element out where there is none");
    }
    if text
        .bytes()
        .any(|b| b < 0x20 && !matches!(b, b'\t' | b'\r' | b'\n'))
    {
        return Some("no control characters but tab, carriage return and line feed");
    }
    // Counting characters of a short text is never needed: it has at least as many bytes.
    if text.len() > MAX_STRING && text.chars().count() > MAX_STRING {
        return Some("at most 1,048,576 characters");
    }
    None
}

/// A value for a message: in quotes, at most 60 characters of it.
pub(crate) fn quoted(value: &str) -> String {
    let mut short: String = value.chars().take(60).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    format!("{short:?}")
}
