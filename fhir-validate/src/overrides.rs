//! Invariants that are not evaluated as R4 4.0.1 wrote them, or that say nothing as it wrote them: each with its reason.
//!
//! `docs/validation.md` shows [`EXCEPTIONS`] as a table, and a test holds the two together.
//!
//! Invariant: an exception is of one expression, as it is written: a profile's own invariant of the same key is not meant.

use crate::layer::Layer;

/// An invariant of R4 that is treated in a way of its own.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Exception {
    /// Its key.
    pub key: &'static str,
    /// The element that it stands on.
    pub on: &'static str,
    /// As R4 wrote it.
    pub written: &'static str,
    /// What is done.
    pub treatment: Treatment,
    /// Why.
    pub reason: &'static str,
}

/// What is done about an invariant that cannot be taken as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Another layer checks it, at less cost and with a clearer message.
    Elsewhere(Layer),
    /// It fails on right data as written, so that another expression is evaluated.
    Corrected(&'static str),
    /// It fails on all data as written, and what it means is not clear enough to write it anew: it is not asked.
    NotAsked,
    /// It holds on all data as written: it is asked, and never found broken.
    NeverFires,
}

const CONSENT: &str =
    "the expression looks for the system 'something', which no code of a consent's scope has";

/// A rule on consents that is about codes of a system that there is not.
const fn of_consent(key: &'static str, written: &'static str) -> Exception {
    Exception {
        key,
        on: "Consent",
        written,
        treatment: Treatment::NeverFires,
        reason: CONSENT,
    }
}

/// All of them.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        key: "ele-1",
        on: "Element",
        written: "hasValue() or (children().count() > id.count())",
        treatment: Treatment::Elsewhere(Layer::Structure),
        reason: "the walk over the elements sees it at no cost",
    },
    Exception {
        key: "ext-1",
        on: "Extension",
        written: "extension.exists() != value.exists()",
        treatment: Treatment::Elsewhere(Layer::Structure),
        reason: "the walk over the elements sees it at no cost",
    },
    Exception {
        key: "que-7",
        on: "Questionnaire.item.enableWhen",
        written: "operator = 'exists' implies (answer is Boolean)",
        treatment: Treatment::Corrected("operator = 'exists' implies (answer is boolean)"),
        reason: "`Boolean` is the type of FHIRPath's own literals; the answer is an element, of the type `boolean`",
    },
    Exception {
        key: "que-13",
        on: "Questionnaire.item",
        written: "repeats=true or initial.count() <= 1",
        treatment: Treatment::Corrected("repeats.where($this).exists() or initial.count() <= 1"),
        reason: "where `repeats` is left out, which means no, the expression is neither true nor false for several initial values",
    },
    Exception {
        key: "tim-9",
        on: "Timing.repeat",
        written: "offset.empty() or (when.exists() and ((when in ('C' | 'CM' | 'CD' | 'CV')).not()))",
        treatment: Treatment::Corrected(
            "offset.empty() or (when.exists() and when.all(($this in ('C' | 'CM' | 'CD' | 'CV')).not()))",
        ),
        reason: "HL7 tracker FHIR-35990: `in` takes one item on its left, and a Timing may have several `when`",
    },
    Exception {
        key: "inv-1",
        on: "Extension",
        written: "substanceExposureRisk.exists() and code.empty()",
        treatment: Treatment::NotAsked,
        reason: "an Extension has neither element, so that the extension could never be used",
    },
    Exception {
        key: "eld-11",
        on: "ElementDefinition",
        written: "binding.empty() or type.code.empty() or type.select((code = 'code') or (code = 'Coding') or (code='CodeableConcept') or (code = 'Quantity') or (code = 'string') or (code = 'uri')).exists()",
        treatment: Treatment::NeverFires,
        reason: "`select` gives true or false for each type, and either exists",
    },
    of_consent(
        "ppc-2",
        "patient.exists() or scope.coding.where(system='something' and code='patient-privacy').exists().not()",
    ),
    of_consent(
        "ppc-3",
        "patient.exists() or scope.coding.where(system='something' and code='research').exists().not()",
    ),
    of_consent(
        "ppc-4",
        "patient.exists() or scope.coding.where(system='something' and code='adr').exists().not()",
    ),
    of_consent(
        "ppc-5",
        "patient.exists() or scope.coding.where(system='something' and code='treatment').exists().not()",
    ),
];

/// What is done about an invariant, where it is one of the exceptions.
pub(crate) fn treatment(key: &str, expression: &str) -> Option<Treatment> {
    // The two of all elements are written with slight differences over the releases.
    let is_same = |exception: &&Exception| match exception.treatment {
        Treatment::Elsewhere(_) => expression.contains("hasValue()") || expression.contains("value.exists()"),
        _ => expression == exception.written,
    };
    let mut of_key = EXCEPTIONS.iter().filter(|exception| exception.key == key);
    of_key.find(is_same).map(|exception| exception.treatment)
}

#[cfg(test)]
mod tests;
