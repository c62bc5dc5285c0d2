//! [`Arrays`]: statements on many rows at once, of one fixed text each, whatever the number of rows.
//!
//! A statement of one text is prepared once, and `unnest` takes rows as columns: see the measurements of `tenant`.

use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};
use diesel::sql_types::{Array, BigInt, Binary, Double, Integer, Nullable, SmallInt, Text};

/// A value of a statement: a column of rows, or one number.
#[derive(Debug)]
pub(super) enum Column {
    /// One number.
    One(i64),
    /// 64 bits
    Big(Vec<i64>),
    /// 32 bits
    Int(Vec<i32>),
    /// 16 bits
    Small(Vec<i16>),
    /// numbers with a point
    Real(Vec<f64>),
    /// bytes
    Bytes(Vec<Vec<u8>>),
    /// bytes or NULL
    MaybeBytes(Vec<Option<Vec<u8>>>),
    /// text
    Texts(Vec<String>),
}

/// A statement in which each `?` stands for the next column.
#[derive(Debug)]
pub(super) struct Arrays<ST = ()> {
    sql: &'static str,
    columns: Vec<Column>,
    row: PhantomData<fn() -> ST>,
}

impl<ST> Arrays<ST> {
    /// That text with those columns.
    pub(super) fn new(sql: &'static str, columns: impl Into<Vec<Column>>) -> Self {
        Arrays {
            sql,
            columns: columns.into(),
            row: PhantomData,
        }
    }
}

impl<ST> QueryFragment<Pg> for Arrays<ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut columns = self.columns.iter();
        let mut pieces = self.sql.split('?');
        out.push_sql(pieces.next().unwrap_or_default());
        for piece in pieces {
            match columns.next() {
                Some(Column::One(v)) => out.push_bind_param::<BigInt, _>(v)?,
                Some(Column::Big(v)) => out.push_bind_param::<Array<BigInt>, _>(v)?,
                Some(Column::Int(v)) => out.push_bind_param::<Array<Integer>, _>(v)?,
                Some(Column::Small(v)) => out.push_bind_param::<Array<SmallInt>, _>(v)?,
                Some(Column::Real(v)) => out.push_bind_param::<Array<Double>, _>(v)?,
                Some(Column::Bytes(v)) => out.push_bind_param::<Array<Binary>, _>(v)?,
                Some(Column::MaybeBytes(v)) => out.push_bind_param::<Array<Nullable<Binary>>, _>(v)?,
                Some(Column::Texts(v)) => out.push_bind_param::<Array<Text>, _>(v)?,
                None => return Err(Error::QueryBuilderError("too few columns".into())),
            }
            out.push_sql(piece);
        }
        Ok(())
    }
}

impl<ST> QueryId for Arrays<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Arrays<ST> {
    type SqlType = ST;
}
