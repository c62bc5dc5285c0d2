//! What a resource can be found by, as rows: terms that many share, and what each resource has of them.
//!
//! Measured with SQLite: see `benches/store.rs`.

mod draft;
mod term;
mod write;

pub(crate) use draft::{ContainedKey, ContainedRows, Draft, Rows};
#[cfg(feature = "postgres")]
pub(crate) use draft::{Label, Place, Span};
pub(super) use term::{BOUND, REFERENCE, kind};
pub(crate) use term::{Term, TermKey, class};
#[cfg(feature = "postgres")]
pub(crate) use write::greatest_term_of;
#[cfg(feature = "sqlite")]
pub(crate) use write::{bury, clear, greatest_term, labels, places, spans, term};
#[cfg(feature = "sqlite")]
pub(crate) use write::{
    delete_label, delete_place, delete_span, insert_label, insert_place, insert_span, insert_term,
};
pub(crate) use write::{indexed_to, unindexed};
