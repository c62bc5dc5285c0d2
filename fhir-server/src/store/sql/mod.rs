//! The SQL that the back ends share: statements as diesel query fragments of our own, generic over the back end.
//!
//! Invariant: no value ever enters the text of a statement: text is `&'static str`, values are binds.
//! Invariant: every statement names the tenant.

pub(crate) mod audit;
mod choice;
mod contained;
mod dialect;
mod edge;
mod empty;
mod epoch;
mod filter;
mod index;
mod link;
mod list;
mod passage;
pub(crate) mod purge;
mod read;
mod row;
mod same;
mod search;
mod sort;
mod statement;
mod write;

pub(crate) use choice::{Choice, FEW, Way};
pub(crate) use contained::{ContainedRow, contained, contained_of};
pub(crate) use dialect::Dialect;
pub(crate) use edge::{Edge, Reach};
pub(crate) use empty::{empty, resources};
pub(crate) use epoch::{
    EpochRow, defining, epochs, epochs_of, marks, marks_of, note, set_emptied, set_epoch, set_epochs,
    set_note,
};
pub(crate) use index::{
    ContainedKey, ContainedRows, Draft, Rows, Term, TermKey, class, indexed_to, unindexed,
};
#[cfg(feature = "postgres")]
pub(crate) use index::{Label, Place, Span, greatest_term_of};
#[cfg(feature = "sqlite")]
pub(crate) use index::{
    bury, clear, delete_label, delete_place, delete_span, greatest_term, insert_label, insert_place,
    insert_span, insert_term, labels, places, spans, term,
};
pub(crate) use list::Lists;
#[cfg(feature = "postgres")]
pub(crate) use passage::tsvector;
pub(crate) use passage::{PassageKey, full_text, keep_full_text};
#[cfg(feature = "sqlite")]
pub(crate) use passage::{delete_contained, delete_passage, insert_contained, insert_passage, passages};
pub(crate) use read::{claim, newest, read, vread};
pub(crate) use row::{DELETED, VersionRow, VersionSql, version_number, version_of};
#[cfg(feature = "postgres")]
pub(crate) use row::{change_number, form_number};
pub(crate) use same::same_content;
pub(crate) use search::{SortedRow, found, found_sorted, in_order_of_changes};
pub(crate) use statement::{Bind, Statement};
#[cfg(feature = "sqlite")]
pub(crate) use write::claimed;
pub(crate) use write::{
    CurrentRow, Row, RowKey, current, delete_expired, forget_older, insert, insert_claim, keep, replace,
    same_ids, sweep_claims, visible,
};
