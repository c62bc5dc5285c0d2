//! The schema: steps up, down and up again, by several processes at once, and not on what is not ours.

use super::cluster;
use crate::store::postgres::migrate::STEPS;
use crate::store::{DatabaseUrl, StoreOptions, backup, migrate, open, restore, schema_version};

fn url(database: &DatabaseUrl) -> &str {
    match database {
        DatabaseUrl::Postgres(url) => url,
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_processes_that_start_at_once_one_takes_each_step() {
    let Some(database) = cluster::fresh() else { return };
    let steps: Vec<usize> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| migrate(&database).unwrap()))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(steps.iter().sum::<usize>(), STEPS.len(), "{steps:?}");
    assert_eq!(migrate(&database).unwrap(), 0);
}

#[test]
fn every_step_goes_down_and_up_again() {
    let Some(database) = cluster::fresh() else { return };
    for _ in 0..2 {
        assert_eq!(migrate(&database).unwrap(), STEPS.len());
        for step in STEPS.iter().rev() {
            cluster::execute(url(&database), step.down.to_owned());
        }
        cluster::execute(url(&database), "DELETE FROM schema_step".into());
    }
}

#[test]
fn every_step_of_the_folder_is_taken_in_its_order() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
    let mut there: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.split('_').next().unwrap().replace('-', ""))
        .collect();
    there.sort();
    let taken: Vec<_> = STEPS.iter().map(|step| step.version).collect();
    assert_eq!(there, taken);
}

#[test]
fn a_database_of_a_later_release_is_refused_untouched() {
    let Some(database) = cluster::fresh() else { return };
    migrate(&database).unwrap();
    cluster::execute(
        url(&database),
        "INSERT INTO schema_step (version) VALUES ('29990101000001')".into(),
    );
    for result in [
        migrate(&database).map(|_| ()),
        open(&database, &StoreOptions::default()).map(|_| ()),
    ] {
        let error = result.unwrap_err().to_string();
        assert!(error.contains("later release"), "{error}");
    }
}

#[test]
fn every_table_and_index_begins_with_the_tenant_and_there_are_no_sequences() {
    let Some(database) = cluster::fresh() else { return };
    migrate(&database).unwrap();
    // What belongs to no tenant: the server's secret, the nodes, the steps.
    let check = "DO $$ DECLARE bad text; BEGIN \
        SELECT string_agg(c.relname, ', ') INTO bad FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
        JOIN pg_class t ON t.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0] \
        WHERE t.relnamespace = current_schema()::regnamespace AND a.attname <> 'tenant' \
        AND t.relname NOT IN ('server', 'node', 'schema_step'); \
        IF bad IS NOT NULL THEN RAISE EXCEPTION 'without the tenant: %', bad; END IF; \
        SELECT string_agg(c.relname, ', ') INTO bad FROM pg_class c \
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'S'; \
        IF bad IS NOT NULL THEN RAISE EXCEPTION 'sequences: %', bad; END IF; END $$";
    cluster::execute(url(&database), check.into());
}

#[test]
fn backup_and_restore_name_the_tools_that_do_it() {
    let database: DatabaseUrl = "postgres://ann:secret@db/x".parse().unwrap();
    let file = std::path::Path::new("/nowhere/x");
    let backup = backup(&database, file).unwrap_err().to_string();
    let restore = restore(file, &database, false).unwrap_err().to_string();
    assert!(
        backup.contains("pg_dump") && restore.contains("pg_restore"),
        "{backup} {restore}"
    );
    assert_eq!(schema_version(&database).unwrap(), STEPS.last().unwrap().version);
}
