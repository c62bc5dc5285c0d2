//! Whether a row holds a content already.

use super::row::form_number;
use super::write::{CurrentRow, Row};
use crate::store::encoding;

/// Whether the row holds just that content. A body that does not unpack is not the same as any.
pub(crate) fn same_content(current: CurrentRow, row: &Row) -> bool {
    let (.., encoding, stamp_at, stamp_form, body) = current;
    let Some(body) = body else { return false };
    if stamp_at != i64::from(row.stamp_at) || stamp_form != form_number(row.stamp_form) {
        return false;
    }
    if encoding == row.packed.encoding && body == row.packed.bytes {
        return true;
    }
    // Another encoding, level or release of the compressor packs equal content to other bytes.
    let len = encoding::unpacked_len(encoding, &body);
    if len.is_none() || len != encoding::unpacked_len(row.packed.encoding, &row.packed.bytes) {
        return false;
    }
    let there = encoding::unpack(encoding, body);
    let here = encoding::unpack(row.packed.encoding, row.packed.bytes.clone());
    matches!((there, here), (Ok(there), Ok(here)) if there == here)
}
