//! [`Statement`]: SQL text with its binds, printed by diesel for any back end that knows the few types we bind.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Binary, Double, HasSqlType, Integer, Nullable, SmallInt, Text};

/// A value of a statement.
#[derive(Clone, Debug)]
pub(crate) enum Bind<'a> {
    /// 64 bits
    Big(i64),
    /// 64 bits or NULL
    MaybeBig(Option<i64>),
    /// 32 bits
    Int(i32),
    /// 16 bits
    Small(i16),
    /// a number with a point
    Real(f64),
    /// bytes
    Bytes(&'a [u8]),
    /// bytes made for the statement
    Owned(Vec<u8>),
    /// bytes or NULL
    MaybeBytes(Option<&'a [u8]>),
    /// text
    Text(&'a str),
}

/// The names that a text leaves open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    /// what `#` stands for
    pub(crate) resource: &'static str,
    /// what `@` stands for
    pub(crate) row: &'static str,
}

impl Names {
    /// That one for `#`.
    pub(crate) fn resource(resource: &'static str) -> Self {
        Names { resource, row: "" }
    }

    /// And that one for `@`.
    pub(crate) fn row(self, row: &'static str) -> Self {
        Names { row, ..self }
    }
}

#[derive(Clone, Debug)]
enum Part<'a> {
    Sql(&'static str),
    Bind(Bind<'a>),
}

/// A statement whose rows have the SQL type `ST`.
#[derive(Debug)]
pub(crate) struct Statement<'a, ST = ()> {
    parts: Vec<Part<'a>>,
    binds: usize,
    reuse: bool,
    balanced: bool,
    row: PhantomData<fn() -> ST>,
}

impl<'a, ST> Statement<'a, ST> {
    /// A statement that begins with that text, in which each `?` stands for the next of the binds.
    pub(crate) fn new(sql: &'static str, binds: impl IntoIterator<Item = Bind<'a>>) -> Self {
        let mut statement = Statement {
            parts: Vec::new(),
            binds: 0,
            reuse: true,
            balanced: true,
            row: PhantomData,
        };
        statement.push(sql, binds);
        statement
    }

    /// Appends text and the binds for its question marks.
    pub(crate) fn push(&mut self, sql: &'static str, binds: impl IntoIterator<Item = Bind<'a>>) {
        let mut binds = binds.into_iter();
        let mut pieces = sql.split('?');
        self.parts.extend(pieces.next().map(Part::Sql));
        for piece in pieces {
            match binds.next() {
                Some(bind) => {
                    self.parts.push(Part::Bind(bind));
                    self.binds += 1;
                }
                None => self.balanced = false,
            }
            self.parts.push(Part::Sql(piece));
        }
        self.balanced &= binds.next().is_none();
    }

    /// The same, with the names for `#` and `@` in the text.
    pub(crate) fn push_as(
        &mut self,
        sql: &'static str,
        names: Names,
        binds: impl IntoIterator<Item = Bind<'a>>,
    ) {
        let mut binds = binds.into_iter();
        let mut rest = sql;
        while let Some(at) = rest.find(['#', '@', '?']) {
            let (before, after) = rest.split_at(at);
            self.parts.push(Part::Sql(before));
            match after.as_bytes().first() {
                Some(b'#') => self.parts.push(Part::Sql(names.resource)),
                Some(b'@') => self.parts.push(Part::Sql(names.row)),
                _ => match binds.next() {
                    Some(bind) => {
                        self.parts.push(Part::Bind(bind));
                        self.binds += 1;
                    }
                    None => self.balanced = false,
                },
            }
            rest = after.get(1..).unwrap_or_default();
        }
        self.parts.push(Part::Sql(rest));
        self.balanced &= binds.next().is_none();
    }

    /// Says that it is not worth keeping prepared.
    pub(crate) fn once(&mut self) {
        self.reuse = false;
    }

    /// How many binds it has.
    pub(crate) fn binds(&self) -> usize {
        self.binds
    }

    /// Its text; a question mark stands for a value.
    pub(crate) fn text(&self) -> String {
        let texts = self.parts.iter().map(|part| match part {
            Part::Sql(sql) => *sql,
            Part::Bind(_) => "?",
        });
        texts.collect()
    }

    /// Asks how SQLite would go about it: id, parent, a number without meaning, what it does.
    #[cfg(feature = "sqlite")]
    pub(crate) fn explained(&self) -> Statement<'a, (BigInt, BigInt, BigInt, Text)> {
        self.after("EXPLAIN QUERY PLAN ")
    }

    /// The same after a text that makes its rows others; not worth keeping prepared.
    pub(crate) fn after<S>(&self, text: &'static str) -> Statement<'a, S> {
        let mut parts = self.parts.clone();
        parts.insert(0, Part::Sql(text));
        Statement {
            parts,
            binds: self.binds,
            reuse: false,
            balanced: self.balanced,
            row: PhantomData,
        }
    }

    /// Equal for statements of equal text, and hardly ever for others.
    pub(crate) fn shape(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for part in &self.parts {
            match part {
                Part::Sql(sql) => sql.hash(&mut hasher),
                Part::Bind(_) => 0u8.hash(&mut hasher),
            }
        }
        hasher.finish()
    }
}

impl<DB, ST> QueryFragment<DB> for Statement<'_, ST>
where
    DB: Backend
        + HasSqlType<BigInt>
        + HasSqlType<SmallInt>
        + HasSqlType<Integer>
        + HasSqlType<Double>
        + HasSqlType<Binary>
        + HasSqlType<Text>
        + HasSqlType<Nullable<BigInt>>
        + HasSqlType<Nullable<Binary>>,
    i64: ToSql<BigInt, DB>,
    i16: ToSql<SmallInt, DB>,
    i32: ToSql<Integer, DB>,
    f64: ToSql<Double, DB>,
    [u8]: ToSql<Binary, DB>,
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !self.balanced {
            return Err(Error::QueryBuilderError(
                "question marks and binds differ in number".into(),
            ));
        }
        if !self.reuse {
            out.unsafe_to_cache_prepared();
        }
        for part in &self.parts {
            match part {
                Part::Sql(sql) => out.push_sql(sql),
                Part::Bind(Bind::Big(v)) => out.push_bind_param::<BigInt, _>(v)?,
                Part::Bind(Bind::MaybeBig(v)) => out.push_bind_param::<Nullable<BigInt>, _>(v)?,
                Part::Bind(Bind::Int(v)) => out.push_bind_param::<Integer, _>(v)?,
                Part::Bind(Bind::Real(v)) => out.push_bind_param::<Double, _>(v)?,
                Part::Bind(Bind::Small(v)) => out.push_bind_param::<SmallInt, _>(v)?,
                Part::Bind(Bind::Bytes(v)) => out.push_bind_param::<Binary, [u8]>(v)?,
                Part::Bind(Bind::Owned(v)) => out.push_bind_param::<Binary, [u8]>(v)?,
                Part::Bind(Bind::MaybeBytes(v)) => out.push_bind_param::<Nullable<Binary>, _>(v)?,
                Part::Bind(Bind::Text(v)) => out.push_bind_param::<Text, str>(v)?,
            }
        }
        Ok(())
    }
}

impl<ST> QueryId for Statement<'_, ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Statement<'_, ST> {
    type SqlType = ST;
}

impl<ST, Conn> diesel::RunQueryDsl<Conn> for Statement<'_, ST> {}
