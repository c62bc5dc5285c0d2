//! [`Settings`]: how the engine and the interactions behave where the specification leaves a choice, and their limits.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::Strictness;
use crate::search::Limits;

/// How the engine and the interactions behave where the specification leaves a choice, and their limits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Whether PUT to an id never used before creates it. Default: no.
    pub update_as_create: bool,
    /// Whether that also holds where a policy hides resources. Whoever may do so can find out which ids are taken. Default: no.
    pub client_ids: bool,
    /// Resources on a page where the client names no `_count`. Default: 50.
    pub page_default: usize,
    /// Resources on a page at most. Default: 1,000.
    pub page_max: usize,
    /// Matches that are counted for `Bundle.total`; with more there is no total. Default: 10,000.
    pub total_max: u64,
    /// The same where nothing but the total is asked for (`_summary=count`). Default: 1,000,000.
    pub count_max: u64,
    /// Entries in a batch or transaction at most. Default: 5,000.
    pub bundle_entries: usize,
    /// Searches and histories in a batch or transaction at most. Default: 100.
    pub bundle_searches: usize,
    /// Resources that one conditional delete may delete; where more match, none is. Default: 1.
    pub conditional_delete_max: usize,
    /// Conditional references in a transaction at most. Default: 1,000.
    pub bundle_conditional_references: usize,
    /// Whether parameters that are not known are refused where the client says nothing of it. Default: no.
    pub strict_handling: bool,
    /// Bytes of a body of FHIR in JSON or XML. Default: 16 MiB.
    pub body_bytes: usize,
    /// Bytes of the content of a Binary, in whatever form it comes. Default: 16 MiB.
    pub binary_bytes: usize,
    /// Levels of objects, arrays or elements within each other in a body. Default: 64.
    pub depth: usize,
    /// How much one search may ask for.
    pub search: Limits,
    /// What is asked of a resource when it is written.
    pub validation: Strictness,
    /// The zone of dates and times without one. Default: Europe/London.
    pub zone: TimeZone,
    /// The addresses of this server besides the one that a request comes to, without a slash at the end: a reference
    /// below one of them is found as one to a resource of this server. Default: none.
    pub bases: Vec<String>,
    /// How long a write is known again that is sent again; zero: never. Default: a day.
    pub replay: Duration,
    /// Bytes of one caller's later writes that are so remembered, until a write is forgotten before that. Default: 16 MiB.
    pub replay_bytes: u64,
    /// What the audit trail is told. Default of an embedded engine: nothing.
    pub audit: AuditSettings,
    /// Where access tokens come from; `None` where none are taken.
    pub tokens: Option<TokenSource>,
    /// The systems of the error codes in `OperationOutcome.issue.details`.
    pub outcome: OutcomeSystems,
    /// The name of the software in the CapabilityStatement. Default: this crate's.
    pub software_name: String,
    /// Its version.
    pub software_version: String,
}

/// What the audit trail is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditSettings {
    /// Whether there is an audit trail. `AuditEvent` is then read from it, and from nowhere else.
    pub enabled: bool,
    /// Whether reads that succeed are told too.
    pub reads: bool,
}

/// Where access tokens come from, as the CapabilityStatement tells it: URLs, or paths on the host of the FHIR base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenSource {
    /// Where users are asked.
    pub authorize: Option<String>,
    /// Where tokens are given.
    pub token: Option<String>,
    /// Where it is asked whether a token is good.
    pub introspect: Option<String>,
    /// Where tokens are taken back.
    pub revoke: Option<String>,
}

/// The systems of the error codes in `OperationOutcome.issue.details`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutcomeSystems {
    /// Of the codes of national APIs.
    pub spine: String,
    /// Of those codes that the first does not have.
    pub api: String,
    /// Before the id of a kind of failure, the address of its place in the error catalogue; `None` where no pages are served.
    pub pages: Option<String>,
}

impl Default for OutcomeSystems {
    fn default() -> Self {
        OutcomeSystems {
            spine: "https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode".into(),
            api: "https://fhir.nhs.uk/CodeSystem/NHSD-API-ErrorOrWarningCode".into(),
            pages: None,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            update_as_create: false,
            client_ids: false,
            page_default: 50,
            page_max: 1000,
            total_max: 10_000,
            count_max: 1_000_000,
            bundle_entries: 5000,
            bundle_searches: 100,
            conditional_delete_max: 1,
            strict_handling: false,
            bundle_conditional_references: 1000,
            body_bytes: 16 << 20,
            binary_bytes: 16 << 20,
            depth: 64,
            search: Limits::default(),
            validation: Strictness::default(),
            zone: TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC),
            bases: Vec::new(),
            replay: Duration::from_secs(86_400),
            replay_bytes: 16 << 20,
            audit: AuditSettings::default(),
            tokens: None,
            outcome: OutcomeSystems::default(),
            software_name: env!("CARGO_PKG_NAME").into(),
            software_version: env!("CARGO_PKG_VERSION").into(),
        }
    }
}
