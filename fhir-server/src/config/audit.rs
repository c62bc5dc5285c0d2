//! `audit`: what the audit trail is told.

use std::path::PathBuf;

use serde::Deserialize;

/// What the audit trail is told, and where its heads go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AuditConfig {
    /// Whether there is an audit trail: a row for each interaction, in the database. `AuditEvent` is then read from it and cannot be
    /// written. Default: yes.
    pub enabled: bool,
    /// Whether reads and searches that succeed are told too, before they are answered. Without them writes and all that was refused
    /// are told, and nobody can say who has seen a record. Default: yes.
    pub reads: bool,
    /// A file to which the head of each new seal is appended, a line each: tenant, number, head, time. Keep it where who can change the
    /// database cannot change it; `fhir-server audit verify --heads FILE` reads it. Default: none.
    pub heads: Option<PathBuf>,
}

impl Default for AuditConfig {
    fn default() -> Self {
        AuditConfig {
            enabled: true,
            reads: true,
            heads: None,
        }
    }
}
