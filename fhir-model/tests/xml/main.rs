//! FHIR XML: the official examples both ways, the rules of the format, hostile documents, mutations.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod canonical;
mod hostile;
mod mutations;
mod official;
mod rules;
#[path = "../support/mod.rs"]
mod support;
mod writing;
