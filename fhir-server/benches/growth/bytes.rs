//! The bytes that a resource takes in the database: its body, its keys, and the rows that it is found by.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use fhir_server::store::DatabaseUrl;

#[derive(QueryableByName)]
struct Part {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

const SQLITE: &str = "SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name";
const POSTGRES: &str = "SELECT relname::text AS name, pg_relation_size(oid) AS bytes FROM pg_class \
                        WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace \
                        UNION ALL SELECT relname::text, pg_table_size(oid) - pg_relation_size(oid) FROM pg_class \
                        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";

fn alone<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

/// Brings a database that nobody serves to rest.
pub(crate) fn settle(url: &DatabaseUrl) {
    match url {
        DatabaseUrl::Sqlite(file) => {
            let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
            sql_query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(&mut connection)
                .unwrap();
        }
        DatabaseUrl::Postgres(url) => alone(async {
            let mut connection = AsyncPgConnection::establish(url).await.unwrap();
            connection.batch_execute("VACUUM ANALYZE").await.unwrap();
        }),
        other => panic!("{other:?}"),
    }
}

/// Prints what a resource takes.
pub(crate) fn tell(url: &DatabaseUrl, resources: u64) {
    let parts: Vec<Part> = match url {
        DatabaseUrl::Sqlite(file) => {
            let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
            sql_query(SQLITE).load(&mut connection).unwrap()
        }
        DatabaseUrl::Postgres(url) => alone(async {
            let mut connection = AsyncPgConnection::establish(url).await.unwrap();
            diesel_async::RunQueryDsl::load(sql_query(POSTGRES), &mut connection)
                .await
                .unwrap()
        }),
        other => panic!("{other:?}"),
    };
    let sum = |is: &dyn Fn(&str) -> bool| -> u64 {
        let bytes = parts.iter().filter(|part| is(&part.name)).map(|part| part.bytes);
        u64::try_from(bytes.sum::<i64>()).unwrap() / resources
    };
    let rows = |name: &str| {
        ["label", "span", "place", "term"]
            .iter()
            .any(|table| name.trim_start_matches("sqlite_autoindex_").starts_with(table))
    };
    let (body, found_by, all) = (sum(&|name| name == "resource"), sum(&rows), sum(&|_| true));
    println!(
        "bytes a resource: {body} body, {found_by} what it is found by, {} keys and the rest, {all} in all",
        all - body - found_by
    );
}
