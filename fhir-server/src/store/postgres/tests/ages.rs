//! Databases of every earlier schema, with data in them, brought up to date: whatever dies on the way, nothing of what was stored changes
//!

use super::{cluster, opened};
use crate::store::conformance::history_to_migrate;
use crate::store::postgres::migrate::{STEPS, Step};
use crate::store::{DatabaseUrl, migrate};

/// Many resources, each with a version that was followed; and, once there are dates, as many of those.
const MANY: &str = "INSERT INTO resource SELECT r.tenant, 1000000 + g, 1000000 + g, r.version, r.stamp_at, r.type, r.bucket, r.change, \
    r.encoding, r.stamp_form, convert_to('many-' || g, 'UTF8'), r.body \
    FROM (SELECT * FROM resource WHERE change < 2 LIMIT 1) r, generate_series(1, {rows}) g; \
    INSERT INTO history SELECT h.tenant, 1000000 + g, 1000000 + g, 1, 2000000 + g, h.stamp_at, h.type, h.bucket, h.change, \
    h.encoding, h.stamp_form, h.body FROM (SELECT * FROM history LIMIT 1) h, generate_series(1, {rows}) g";
const MANY_DATES: &str = "INSERT INTO span SELECT 1, 1000000 + g, 0, 1000000000000 + g * 97, 1000000000000 + g, 1 + g % 40, 0 \
    FROM generate_series(1, {rows}) g";

/// With the columns that every schema has had.
const TABLES: [(&str, &str); 4] = [
    ("resource", "*"),
    ("history", "*"),
    ("claim", "tenant, kind, key, expires, payload"),
    ("server", "*"),
];

/// A database, by its URL.
struct Aged(DatabaseUrl, String);

impl Aged {
    /// Of the newest schema, with data in it and a copy of that.
    async fn filled() -> Option<Aged> {
        let database = cluster::fresh()?;
        let DatabaseUrl::Postgres(url) = database.clone() else {
            panic!("{database:?}")
        };
        let store = opened(&database);
        history_to_migrate(store.as_ref()).await.unwrap();
        store.close().await;
        let aged = Aged(database, url);
        for (table, columns) in TABLES {
            aged.execute(format!(
                "CREATE TABLE kept_{table} AS SELECT {columns} FROM {table}"
            ));
        }
        aged.execute("CREATE TABLE kept_epoch AS TABLE epoch".into());
        Some(aged)
    }

    fn execute(&self, sql: String) {
        cluster::execute(&self.1, sql);
    }

    /// Fails where a row is there that was not, or was there and is not.
    fn unchanged(&self, when: &str) {
        for (table, columns) in TABLES {
            let now = format!("SELECT {columns} FROM {table}");
            let differs = format!(
                "DO $$ BEGIN IF EXISTS (TABLE kept_{table} EXCEPT {now}) OR EXISTS ({now} EXCEPT TABLE kept_{table}) \
                 OR NOT EXISTS (TABLE {table}) THEN RAISE EXCEPTION '{when}: {table} has changed'; END IF; END $$"
            );
            self.execute(differs);
        }
    }

    fn epochs_are_those_of_before(&self) {
        let epochs = "SELECT tenant, type, stamp FROM";
        self.execute(format!(
            "DO $$ BEGIN IF EXISTS ({epochs} kept_epoch EXCEPT {epochs} epoch) THEN RAISE EXCEPTION 'epochs'; END IF; END $$"
        ));
    }

    /// Back to that many steps.
    fn down(&self, left: usize) {
        for Step { version, down, .. } in STEPS.iter().skip(left).rev() {
            self.execute(format!(
                "{down}; DELETE FROM schema_step WHERE version = '{version}'"
            ));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_of_any_age_is_brought_up_to_date_whatever_dies_on_the_way() {
    for (age, step) in STEPS.iter().enumerate().skip(1) {
        let Some(aged) = Aged::filled().await else { return };
        aged.down(age);
        let statements: Vec<&str> = step.up.split_inclusive(";\n").collect();
        for count in 1..=statements.len() {
            let begun: String = statements.iter().take(count).copied().collect();
            // The connection ends without a COMMIT, as that of a process that dies does.
            aged.execute(format!("BEGIN; {begun}"));
            aged.unchanged(&format!("step {age}, after {count} statements"));
        }
        for _ in 0..2 {
            assert_eq!(migrate(&aged.0).unwrap(), STEPS.len() - age);
            aged.unchanged(&format!("from {age}, up"));
            aged.epochs_are_those_of_before();
            aged.down(age);
            aged.unchanged(&format!("from {age}, down"));
        }
        // And serves.
        let store = opened(&aged.0);
        assert!(
            super::read(&store, "p7")
                .await
                .is_some_and(|version| version.version == 2)
        );
        store.close().await;
    }
}

#[test]
fn a_first_step_that_dies_after_any_of_its_statements_is_taken_again() {
    let statements: Vec<&str> = STEPS[0].up.split_inclusive(";\n").collect();
    assert!(statements.len() > 5);
    for count in 1..=statements.len() {
        let Some(database) = cluster::fresh() else { return };
        let DatabaseUrl::Postgres(url) = &database else {
            panic!("{database:?}")
        };
        let begun: String = statements.iter().take(count).copied().collect();
        cluster::execute(url, format!("BEGIN; {begun}"));
        assert_eq!(
            migrate(&database).unwrap(),
            STEPS.len(),
            "after {count} statements"
        );
    }
}

/// A million rows of each kind at full length, so that how long each step takes and so holds its locks is printed; a thousand otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_database_is_brought_up_to_date_and_nothing_in_it_changes() {
    let rows = match std::env::var_os("FHIR_TEST_LONG") {
        Some(_) => "1000000",
        None => "1000",
    };
    let Some(aged) = Aged::filled().await else { return };
    aged.down(1);
    aged.execute(MANY.replace("{rows}", rows));
    let content = |table: &str| {
        format!("SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) AS content FROM {table} t")
    };
    for table in ["resource", "history"] {
        aged.execute(format!("CREATE TABLE content_{table} AS {}", content(table)));
    }
    aged.execute("ANALYZE".into());
    for (number, Step { version, up, .. }) in STEPS.iter().enumerate().skip(1) {
        let begun = std::time::Instant::now();
        aged.execute(format!(
            "BEGIN; {up}; INSERT INTO schema_step (version) VALUES ('{version}'); COMMIT"
        ));
        println!("{rows} rows, step {version}: {} ms", begun.elapsed().as_millis());
        if number == 1 {
            aged.execute(MANY_DATES.replace("{rows}", rows));
        }
    }
    for table in ["resource", "history"] {
        let (now, before) = (content(table), format!("SELECT content FROM content_{table}"));
        aged.execute(format!(
            "DO $$ BEGIN IF ({now}) IS DISTINCT FROM ({before}) THEN RAISE EXCEPTION '{table} has changed'; END IF; END $$"
        ));
    }
    assert_eq!(migrate(&aged.0).unwrap(), 0);
}
