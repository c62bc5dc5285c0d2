//! Invariants that are not evaluated as R4 4.0.1 wrote them: those that fail on right data as written, and those that
//! another layer checks with a clearer message.

/// An invariant that another layer checks: its key, and the layer.
const ELSEWHERE: [(&str, &str); 2] = [
    // Every element has a value or children: the walk sees it at no cost.
    ("ele-1", "hasValue() or (children().count() > id.count())"),
    // An extension has a value or extensions, not both.
    ("ext-1", "extension.exists() != value.exists()"),
];

/// An invariant as it should be.
struct Correction {
    key: &'static str,
    /// As R4 wrote it; a profile's own invariant of the same key is not meant.
    written: &'static str,
    corrected: &'static str,
}

const CORRECTIONS: [Correction; 2] = [
    // `Boolean` is the System type; the answer is an element, of the FHIR type `boolean`.
    Correction {
        key: "que-7",
        written: "operator = 'exists' implies (answer is Boolean)",
        corrected: "operator = 'exists' implies (answer is boolean)",
    },
    // HL7 tracker FHIR-35990: `in` takes one item on its left, and a Timing may have several `when`.
    Correction {
        key: "tim-9",
        written: "offset.empty() or (when.exists() and ((when in ('C' | 'CM' | 'CD' | 'CV')).not()))",
        corrected: "offset.empty() or (when.exists() and when.all(($this in ('C' | 'CM' | 'CD' | 'CV')).not()))",
    },
];

/// Whether another layer checks the invariant.
pub(crate) fn is_elsewhere(key: &str, expression: &str) -> bool {
    // The two are written with slight differences over the releases.
    ELSEWHERE.iter().any(|(known, _)| *known == key)
        && (expression.contains("hasValue()") || expression.contains("value.exists()"))
}

/// The expression to evaluate instead.
pub(crate) fn corrected(key: &str, expression: &str) -> Option<&'static str> {
    CORRECTIONS
        .iter()
        .find(|c| c.key == key && c.written == expression)
        .map(|c| c.corrected)
}
