//! Statements that fetch the rows of many keys at once: one statement, whatever their number.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, SmallInt, Text};

use crate::context::TenantId;
use crate::store::sql::RowKey;

/// The current rows of keys, as [`HeadRow`]s.
#[derive(Debug)]
pub(super) struct Heads<'a> {
    tenant: i64,
    types: Vec<i16>,
    ids: Vec<&'a [u8]>,
}

/// The types of [`HeadRow`].
pub(super) type HeadSql = (
    SmallInt,
    Binary,
    BigInt,
    BigInt,
    BigInt,
    SmallInt,
    SmallInt,
    BigInt,
    SmallInt,
    Nullable<BigInt>,
    Nullable<Binary>,
);
/// type, id, surrogate, version, stamp, change, encoding, stamp_at, stamp_form, the body's length, how it begins.
pub(super) type HeadRow = (
    i16,
    Vec<u8>,
    i64,
    i64,
    i64,
    i16,
    i16,
    i64,
    i16,
    Option<i64>,
    Option<Vec<u8>>,
);

impl<'a> Heads<'a> {
    /// Of those keys.
    pub(super) fn new(tenant: TenantId, keys: impl IntoIterator<Item = &'a RowKey>) -> Self {
        let (types, ids) = keys
            .into_iter()
            .map(|key| (key.resource_type, key.id.as_slice()))
            .unzip();
        Heads {
            tenant: tenant.0,
            types,
            ids,
        }
    }
}

impl QueryFragment<Pg> for Heads<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // The beginning of a packed body tells its size unpacked: 18 bytes are the longest header of a zstd frame.
        out.push_sql(
            "SELECT r.type, r.id, r.surrogate, r.version, r.stamp, r.change, r.encoding, r.stamp_at, r.stamp_form,\
             \x20octet_length(r.body)::bigint, substring(r.body FROM 1 FOR 18) FROM unnest(",
        );
        out.push_bind_param::<Array<SmallInt>, _>(&self.types)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Binary>, _>(&self.ids)?;
        out.push_sql(") AS k (type, id) JOIN resource r ON r.tenant = ");
        out.push_bind_param::<BigInt, _>(&self.tenant)?;
        out.push_sql(" AND r.type = k.type AND r.id = k.id");
        Ok(())
    }
}

impl QueryId for Heads<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Heads<'_> {
    type SqlType = HeadSql;
}

/// The claims that stand, of those asked for: kind, key, when they run out.
#[derive(Debug)]
pub(super) struct Claims<'a> {
    tenant: i64,
    kinds: Vec<&'a str>,
    keys: Vec<&'a [u8]>,
}

impl<'a> Claims<'a> {
    /// Of those kinds and keys.
    pub(super) fn new(tenant: TenantId, claims: impl IntoIterator<Item = (&'a str, &'a [u8; 32])>) -> Self {
        let (kinds, keys) = claims
            .into_iter()
            .map(|(kind, key)| (kind, key.as_slice()))
            .unzip();
        Claims {
            tenant: tenant.0,
            kinds,
            keys,
        }
    }
}

impl QueryFragment<Pg> for Claims<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT c.kind, c.key, c.expires FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.kinds)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Binary>, _>(&self.keys)?;
        out.push_sql(") AS k (kind, key) JOIN claim c ON c.tenant = ");
        out.push_bind_param::<BigInt, _>(&self.tenant)?;
        out.push_sql(" AND c.kind = k.kind COLLATE \"C\" AND c.key = k.key");
        Ok(())
    }
}

impl QueryId for Claims<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Claims<'_> {
    type SqlType = (Text, Binary, Nullable<BigInt>);
}
