//! Prefixes of numbers, quantities and dates (<https://hl7.org/fhir/R4/search.html#prefix>).

use crate::store::Compare;

/// The nine prefixes.
const PREFIXES: [(&str, Compare); 9] = [
    ("eq", Compare::Eq),
    ("ne", Compare::Ne),
    ("gt", Compare::Gt),
    ("lt", Compare::Lt),
    ("ge", Compare::Ge),
    ("le", Compare::Le),
    ("sa", Compare::Sa),
    ("eb", Compare::Eb),
    ("ap", Compare::Ap),
];

/// The comparison and the rest of the value. Without a prefix it is `eq`.
pub(super) fn split(value: &str) -> (Compare, &str) {
    let found = PREFIXES
        .iter()
        .find_map(|(prefix, compare)| Some((*compare, value.strip_prefix(prefix)?)));
    found.unwrap_or((Compare::Eq, value))
}

/// What is expected before the value, for errors.
pub(super) const EXPECTED: &str = "after an optional prefix eq, ne, gt, lt, ge, le, sa, eb or ap";
