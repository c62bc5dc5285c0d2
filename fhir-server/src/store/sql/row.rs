//! Rows of versions, and what becomes of them.

use diesel::sql_types::{BigInt, Binary, Nullable, SmallInt};

use crate::error::{Error, Result};
use crate::store::encoding::{self, Corrupt};
use crate::store::stamp;
use crate::store::{Change, Key, ResourceType, StampForm, StoredBody, Version, id};

/// The columns of [`VersionRow`] in the table of current versions, with alias `r`.
pub(crate) const VERSION_COLUMNS: &str =
    "SELECT r.type, r.id, r.version, r.stamp, r.change, r.encoding, r.stamp_at, r.stamp_form, r.body";

/// Their types.
pub(crate) type VersionSql = (
    SmallInt,
    Binary,
    BigInt,
    BigInt,
    SmallInt,
    SmallInt,
    BigInt,
    SmallInt,
    Nullable<Binary>,
);

/// A version as it lies in its row: type, id, version, stamp, change, encoding, stamp_at, stamp_form, body.
pub(crate) type VersionRow = (i16, Vec<u8>, i64, i64, i16, i16, i64, i16, Option<Vec<u8>>);

/// The number that stands for a change.
pub(crate) fn change_number(change: Change) -> i16 {
    match change {
        Change::Create => 0,
        Change::Update => 1,
        Change::Delete => DELETED,
    }
}

/// The number that stands for a deletion.
pub(crate) const DELETED: i16 = 2;

fn change_of(number: i16) -> Option<Change> {
    match number {
        0 => Some(Change::Create),
        1 => Some(Change::Update),
        DELETED => Some(Change::Delete),
        _ => None,
    }
}

/// The number that stands for a stamp form.
pub(crate) fn form_number(form: StampForm) -> i16 {
    match form {
        StampForm::Member => 0,
        StampForm::Inside => 1,
    }
}

fn form_of(number: i16) -> Option<StampForm> {
    match number {
        0 => Some(StampForm::Member),
        1 => Some(StampForm::Inside),
        _ => None,
    }
}

/// The version number in the row.
pub(crate) fn version_number(row: &VersionRow) -> i64 {
    row.2
}

/// The version that the row holds.
pub(crate) fn version_of(row: VersionRow) -> Result<Version> {
    read_row(row).map_err(Error::internal)
}

fn read_row(row: VersionRow) -> std::result::Result<Version, Corrupt> {
    let (number, id, version, stamp, change, encoding, stamp_at, form, body) = row;
    let resource_type = ResourceType::from_number(number).ok_or(Corrupt)?;
    let key = Key {
        resource_type,
        id: id::unpack(id).ok_or(Corrupt)?,
    };
    let change = change_of(change).ok_or(Corrupt)?;
    let body = match body {
        None => None,
        Some(bytes) => Some(StoredBody {
            json: encoding::unpack(encoding, bytes)?,
            stamp_at: u32::try_from(stamp_at).map_err(|_| Corrupt)?,
            stamp_form: form_of(form).ok_or(Corrupt)?,
        }),
    };
    if body.is_none() != (change == Change::Delete) {
        return Err(Corrupt);
    }
    Ok(Version::new(
        key,
        version,
        change,
        stamp,
        stamp::time_of(stamp),
        body,
    ))
}
