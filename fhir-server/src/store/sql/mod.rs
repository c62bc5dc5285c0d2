//! The SQL that the back ends share: statements as diesel query fragments of our own, generic over the back end.
//!
//! Invariant: no value ever enters the text of a statement: text is `&'static str`, values are binds.
//! Invariant: every statement names the tenant.

mod filter;
mod id;
mod list;
mod read;
mod row;
mod statement;
mod write;

pub(crate) use list::Lists;
pub(crate) use read::{claim, greatest_stamp, read, vread};
pub(crate) use row::{DELETED, VersionRow, VersionSql, form_number, version_number, version_of};
pub(crate) use statement::{Bind, Statement};
pub(crate) use write::{
    CurrentRow, Row, RowKey, claimed, current, delete_expired, insert, insert_claim, keep, replace,
    sweep_claims, visible,
};
