//! `errors`: how errors are coded (<https://hl7.org/fhir/R4/operationoutcome.html>).

use serde::Deserialize;

/// How errors are coded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ErrorsConfig {
    /// The system of the NHS error codes in `issue.details.coding`. National APIs write this URL in several ways; set
    /// the one that your clients know. Default: `https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode`.
    pub code_system: String,
    /// The system of those codes that the first does not have, such as `TOO_MANY_REQUESTS`. Default:
    /// `https://fhir.nhs.uk/CodeSystem/NHSD-API-ErrorOrWarningCode`.
    pub api_code_system: String,
    /// Where the pages of the error catalogue are, which each error names: a path or URL before the id of the kind of
    /// failure. Empty: errors name no page. Default: `/docs/errors#`, which the server serves itself.
    pub pages: String,
}

impl Default for ErrorsConfig {
    fn default() -> Self {
        ErrorsConfig {
            code_system: "https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode".into(),
            api_code_system: "https://fhir.nhs.uk/CodeSystem/NHSD-API-ErrorOrWarningCode".into(),
            pages: "/docs/errors#".into(),
        }
    }
}
