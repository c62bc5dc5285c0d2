//! What whoever writes a Consent is told of how it will be enforced.

use fhir_model::{Consent, Resource};
use jiff::tz::TimeZone;

use super::read;
use crate::error::{Issue, Severity};
use crate::search::belongs::patient_type;
use crate::store::Key;

/// Warnings on a Consent that is active: what is enforced more strictly than it is meant, and what is not enforced at all.
pub(crate) fn review(key: &Key, resource: &Resource, zone: &TimeZone) -> Vec<Issue> {
    let Some(consent) = resource
        .get::<Consent>()
        .filter(|c| c.status.as_str() == Some("active"))
    else {
        return Vec::new();
    };
    let Some(directive) = read::directive(key, consent, zone) else {
        return Vec::new();
    };
    let warn = |text: String, at: &str| Issue::new(text).at(at).with_severity(Severity::Warning);
    let mut issues = Vec::new();
    if directive.patient.is_none() && directive.patient_identifier.is_none() && patient_type().is_some() {
        let text =
            "The Consent names no patient of this server, by reference or identifier, and is not enforced.";
        issues.push(warn(text.into(), "Consent.patient"));
    }
    for doubt in directive.doubts {
        issues.push(warn(
            format!(
                "This Consent is enforced more strictly than it may be meant: {}.",
                doubt.why
            ),
            &doubt.at,
        ));
    }
    issues
}
