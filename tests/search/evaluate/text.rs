//! Strings (<https://hl7.org/fhir/R4/search.html#string>): without regard to case, marks and spacing from the beginning of a part.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::Found;
use crate::query::Sought;

/// The texts of a value: those of all parts of a name or an address.
pub(crate) fn texts(found: &Found) -> Vec<String> {
    let members: &[&str] = match found.kind.as_str() {
        "HumanName" => &["text", "family", "given", "prefix", "suffix"],
        "Address" => &[
            "text",
            "line",
            "city",
            "district",
            "state",
            "postalCode",
            "country",
        ],
        _ => return found.value.as_str().map(str::to_owned).into_iter().collect(),
    };
    let of = |member: &&str| match &found.value[*member] {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    let items = members.iter().flat_map(of);
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// Without case, marks, differences of spacing and characters that nobody sees.
pub(crate) fn plain(text: &str) -> String {
    const UNSEEN: [char; 17] = [
        '\u{AD}', '\u{200B}', '\u{200C}', '\u{200D}', '\u{200E}', '\u{200F}', '\u{202A}', '\u{202B}',
        '\u{202C}', '\u{202D}', '\u{202E}', '\u{2060}', '\u{2061}', '\u{2062}', '\u{2063}', '\u{2064}',
        '\u{FEFF}',
    ];
    let bare = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c) && !UNSEEN.contains(c));
    // By way of capitals, in which `ß` is `SS`, and `ς` and `σ` are the same; `ẞ` is one already, and small first.
    let capitals = bare.flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    let folded = capitals.flat_map(char::to_lowercase);
    let marked: String = folded.filter(|c| !is_combining_mark(*c)).collect();
    marked.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn matches(found: &Found, modifier: Option<&str>, sought: &Sought) -> bool {
    let Sought::Text(sought) = sought else {
        return false;
    };
    texts(found).iter().any(|text| match modifier {
        Some("exact") => text == sought,
        Some("contains") => plain(text).contains(&plain(sought)),
        _ => plain(text).starts_with(&plain(sought)),
    })
}
