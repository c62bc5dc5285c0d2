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

/// Without case, marks and differences of spacing.
pub(crate) fn plain(text: &str) -> String {
    let bare: String = text.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    let lower = bare.to_lowercase().replace('ß', "ss");
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
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
