//! [`Head`]: what a decision needs to know of a current version, without its body.

use super::fetch::HeadRow;
use crate::store::encoding;
use crate::store::sql::{self, Row, RowKey};

/// A current version.
#[derive(Clone, Debug)]
pub(super) struct Head<'j> {
    /// The resource's surrogate.
    pub(super) surrogate: i64,
    /// The version.
    pub(super) version: i64,
    /// Its stamp.
    pub(super) stamp: i64,
    /// The number of what made it.
    pub(super) change: i16,
    /// Its content.
    pub(super) content: Content<'j>,
}

/// The content of a version.
#[derive(Clone, Debug)]
pub(super) enum Content<'j> {
    /// A deletion has none.
    None,
    /// In the database: where the stamp goes and what is around it there, and the body's size unpacked, where known.
    Stored {
        /// offset
        stamp_at: i64,
        /// number
        stamp_form: i16,
        /// bytes
        unpacked: Option<usize>,
    },
    /// Of a commit decided before in the same transaction.
    Decided(&'j Row),
}

impl<'j> Head<'j> {
    /// The head in a row, and whose it is.
    pub(super) fn of_row(row: HeadRow) -> (RowKey, Self) {
        let (
            resource_type,
            id,
            surrogate,
            version,
            stamp,
            change,
            encoding,
            stamp_at,
            stamp_form,
            len,
            start,
        ) = row;
        let content = match (len, start) {
            (Some(len), Some(start)) => Content::Stored {
                stamp_at,
                stamp_form,
                unpacked: encoding::len_by_start(encoding, len, &start),
            },
            _ => Content::None,
        };
        let head = Head {
            surrogate,
            version,
            stamp,
            change,
            content,
        };
        (RowKey { resource_type, id }, head)
    }

    /// Of a resource that is made with that content.
    pub(super) fn first(stamp: i64, row: &'j Row) -> Self {
        Head {
            surrogate: stamp,
            version: 1,
            stamp,
            change: 0,
            content: Content::Decided(row),
        }
    }

    /// Whether its content is that of the row; `None` where only the body tells.
    pub(super) fn compare(&self, row: &Row) -> Option<bool> {
        match &self.content {
            Content::None => Some(false),
            Content::Decided(decided) => Some(
                decided.packed == row.packed
                    && decided.stamp_at == row.stamp_at
                    && decided.stamp_form == row.stamp_form,
            ),
            Content::Stored {
                stamp_at,
                stamp_form,
                unpacked,
            } => {
                let is_alike = *stamp_at == i64::from(row.stamp_at)
                    && *stamp_form == sql::form_number(row.stamp_form)
                    && unpacked.is_some()
                    && *unpacked == encoding::unpacked_len(row.packed.encoding, &row.packed.bytes);
                (!is_alike).then_some(false)
            }
        }
    }
}
