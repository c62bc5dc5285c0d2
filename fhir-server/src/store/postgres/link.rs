//! [`Link`]: one connection to the database.
//!
//! Statements are awaited one after the other, or several at once: then they go out together and the database works on
//! them in order. A link that is let go of in the middle of a statement is not used again: see `pool`.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::pg::Pg;
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::query_dsl::CompatibleType;
use diesel::result::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tokio::task::JoinHandle;
use tokio_postgres::CancelToken;

use crate::store::sql::Statement;

/// How many statements of different text stay prepared on one connection.
const MOST_SHAPES: usize = 256;

/// One connection.
pub(super) struct Link {
    conn: AsyncPgConnection,
    /// Carries the bytes; ends with the connection.
    driver: JoinHandle<()>,
    cancel: CancelToken,
    shapes: Mutex<HashSet<u64>>,
}

impl Link {
    /// A link over a connection whose bytes that task carries.
    pub(super) fn new(conn: AsyncPgConnection, driver: JoinHandle<()>) -> Self {
        Link {
            cancel: conn.cancel_token(),
            conn,
            driver,
            shapes: Mutex::default(),
        }
    }

    /// Whether the database, or the network, has ended it.
    pub(super) fn is_closed(&self) -> bool {
        self.driver.is_finished()
    }

    /// What ends its running statement.
    pub(super) fn cancel_token(&self) -> CancelToken {
        self.cancel.clone()
    }

    /// Runs text without values; several statements are possible.
    pub(super) async fn batch(&self, sql: &str) -> QueryResult<()> {
        (&mut &self.conn).batch_execute(sql).await
    }

    /// Runs a statement that gives no rows; how many it changed.
    pub(super) async fn run(&self, mut statement: Statement<'_>) -> QueryResult<usize> {
        self.admit(&mut statement);
        statement.execute(&mut &self.conn).await
    }

    /// The rows of a statement.
    pub(super) async fn rows<ST, S, U>(&self, mut statement: Statement<'_, ST>) -> QueryResult<Vec<U>>
    where
        ST: CompatibleType<U, Pg, SqlType = S> + 'static,
        S: 'static,
        U: FromSqlRow<S, Pg> + Send + 'static,
        Pg: QueryMetadata<ST>,
    {
        self.admit(&mut statement);
        statement.load(&mut &self.conn).await
    }

    /// The first row of a statement.
    pub(super) async fn first<ST, S, U>(&self, statement: Statement<'_, ST>) -> QueryResult<Option<U>>
    where
        ST: CompatibleType<U, Pg, SqlType = S> + 'static,
        S: 'static,
        U: FromSqlRow<S, Pg> + Send + 'static,
        Pg: QueryMetadata<ST>,
    {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// The rows of a statement that is PostgreSQL's alone and of one text.
    pub(super) async fn rows_of<Q, S, U>(&self, query: Q) -> QueryResult<Vec<U>>
    where
        Q: Query + QueryFragment<Pg> + QueryId + Send,
        Q::SqlType: CompatibleType<U, Pg, SqlType = S>,
        S: 'static,
        U: FromSqlRow<S, Pg> + Send + 'static,
        Pg: QueryMetadata<Q::SqlType>,
    {
        query.load(&mut &self.conn).await
    }

    /// Runs a statement that is PostgreSQL's alone, of one text, and gives no rows.
    pub(super) async fn run_of<Q>(&self, query: Q) -> QueryResult<usize>
    where
        Q: QueryFragment<Pg> + QueryId + Send,
    {
        diesel_async::AsyncConnectionCore::execute_returning_count(&mut &self.conn, query).await
    }

    /// diesel keeps every reusable statement prepared for good, so only so many different ones may be reusable.
    fn admit<ST>(&self, statement: &mut Statement<'_, ST>) {
        let shape = statement.shape();
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        if !shapes.contains(&shape) {
            if shapes.len() < MOST_SHAPES {
                shapes.insert(shape);
            } else {
                statement.once();
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The socket closes at once, whatever still comes.
        self.driver.abort();
    }
}
