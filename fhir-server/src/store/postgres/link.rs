//! [`Link`]: one connection to the database.
//!
//! Statements are awaited one after the other, or several at once: then they go out together and the database works on
//! them in order. A link that is let go of in the middle of a statement is not used again: see `pool`.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::pg::Pg;
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::query_dsl::CompatibleType;
use diesel::result::QueryResult;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tokio::task::JoinHandle;
use tokio_postgres::CancelToken;

use crate::store::Asked;
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
    /// What is asked, while it is noted.
    noted: Mutex<Option<Vec<Asked>>>,
}

impl Link {
    /// A link over a connection whose bytes that task carries.
    pub(super) fn new(conn: AsyncPgConnection, driver: JoinHandle<()>) -> Self {
        Link {
            cancel: conn.cancel_token(),
            conn,
            driver,
            shapes: Mutex::default(),
            noted: Mutex::default(),
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
        if self.is_noting() {
            return self.noting(statement).await;
        }
        self.admit(&mut statement);
        statement.load(&mut &self.conn).await
    }

    /// From now on notes what is asked for rows.
    pub(super) fn note(&self) {
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// What was noted; nothing more is.
    pub(super) fn noted(&self) -> Vec<Asked> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner).take();
        noted.unwrap_or_default()
    }

    fn is_noting(&self) -> bool {
        self.noted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// The statement runs twice, the first time for its plan.
    async fn noting<ST, S, U>(&self, statement: Statement<'_, ST>) -> QueryResult<Vec<U>>
    where
        ST: CompatibleType<U, Pg, SqlType = S> + 'static,
        S: 'static,
        U: FromSqlRow<S, Pg> + Send + 'static,
        Pg: QueryMetadata<ST>,
    {
        let sql = statement.text();
        let explained = statement.after::<Text>("EXPLAIN (ANALYZE, BUFFERS) ");
        let plan: Vec<String> = explained.load(&mut &self.conn).await?;
        let start = Instant::now();
        let rows: Vec<U> = statement.load(&mut &self.conn).await?;
        let asked = Asked {
            sql,
            looked_at: scanned(&plan),
            plan,
            rows: rows.len(),
            took: start.elapsed(),
        };
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get_or_insert_default().push(asked);
        Ok(rows)
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

/// The rows that the scans of a plan gave, and those that they left out.
fn scanned(plan: &[String]) -> u64 {
    let number = |text: &str, after: &str| -> Option<u64> {
        let rest = text.rsplit_once(after)?.1;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let (mut sum, mut loops) = (0_u64, 0);
    for line in plan {
        if line.contains(" Scan ") && line.contains("(actual ") {
            loops = number(line, " loops=").unwrap_or_default();
            let rows = number(line, " rows=").unwrap_or_default();
            sum = sum.saturating_add(rows.saturating_mul(loops));
        } else if line.contains("(actual ") {
            loops = 0;
        } else if let Some(removed) = number(line, "Rows Removed by Filter: ") {
            sum = sum.saturating_add(removed.saturating_mul(loops));
        }
    }
    sum
}

impl Drop for Link {
    fn drop(&mut self) {
        // The socket closes at once, whatever still comes.
        self.driver.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_scans_count_as_often_as_the_scan_ran() {
        let plan = [
            "Nested Loop  (cost=0.5..9.1 rows=4 width=8) (actual time=0.1..0.2 rows=3 loops=1)",
            "  ->  Index Scan using label_of_term on label l  (cost=0.3..8.3 rows=1 width=8) (actual time=0.01..0.02 rows=3 loops=2)",
            "        Index Cond: (tenant = 1)",
            "        Rows Removed by Filter: 5",
            "  ->  Index Only Scan using resource_key on resource r  (cost=0.3..8.3 rows=1 width=8) (never executed)",
            "Planning Time: 0.2 ms",
        ];
        assert_eq!(scanned(&plan.map(str::to_owned)), 16);
    }
}
