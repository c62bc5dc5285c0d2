//! Opening, closing, locking, backup, restore, migration.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::context::Millis;
use crate::error::ErrorCode;
use crate::store::{
    Aspect, HistoryQuery, HistoryScope, IndexRow, IndexValue, ParameterNumber, Passage, SearchQuery, Section,
    backup, migrate, restore,
};

struct Fixed(i64);
impl Clock for Fixed {
    fn now(&self) -> Millis {
        Millis(self.0)
    }
}

async fn patients(store: &Arc<dyn Store>) -> u64 {
    let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
    snapshot
        .search_total(&SearchQuery::new(None, Filter::All, 1), 1_000_000)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart_and_time_goes_on() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&url(&path), &options(Arc::new(Fixed(1_764_000_000_000)))).unwrap();
    let secret = store.secret();
    store.commit(TenantId::DEFAULT, put("a", "1")).await.unwrap();
    store.commit(TenantId(3), put("a", "1")).await.unwrap();
    store.close().await;
    drop(store);
    // An hour before: the clock was put back while the server was down.
    let store = open(&url(&path), &options(Arc::new(Fixed(1_763_996_400_000)))).unwrap();
    assert_eq!(store.secret(), secret);
    let before = read(&store, "a").await.unwrap();
    store.commit(TenantId::DEFAULT, put("a", "2")).await.unwrap();
    let after = read(&store, "a").await.unwrap();
    assert_eq!((before.version, after.version), (1, 2));
    assert!(after.stamp > before.stamp && after.last_updated >= before.last_updated);
    let other = TempDir::new().unwrap();
    assert_ne!(opened(&other.path().join("a.db")).secret(), secret);
}

#[tokio::test]
async fn a_dropped_store_has_let_go_and_lost_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    for n in 0..5 {
        let store = opened(&path);
        assert_eq!(patients(&store).await, n);
        store
            .commit(TenantId::DEFAULT, put(&format!("p{n}"), "1"))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_second_server_on_the_file_is_refused_until_the_first_closes() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = opened(&path);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
    for name in [
        path.clone(),
        folder.path().join("link/a.db"),
        folder.path().join("./a.db"),
    ] {
        let refused = open(&url(&name), &StoreOptions::default()).err().unwrap();
        assert_eq!(refused.code, ErrorCode::Unavailable);
        assert!(
            refused
                .to_string()
                .contains(&format!("process {}", std::process::id())),
            "{refused}"
        );
        assert_eq!(migrate(&url(&name)).unwrap_err().code, ErrorCode::Unavailable);
    }
    store.close().await;
    opened(&path);
}

#[tokio::test]
async fn after_closing_everything_is_refused_and_nothing_hangs() {
    let folder = TempDir::new().unwrap();
    let store = opened(&folder.path().join("a.db"));
    let early = store.snapshot(TenantId::DEFAULT).await.unwrap();
    early.high_water_mark().await.unwrap();
    store.close().await;
    store.close().await;
    assert!(store.commit(TenantId::DEFAULT, put("a", "1")).await.is_err());
    assert!(store.ready().await.is_err());
    let late = store.snapshot(TenantId::DEFAULT).await.unwrap();
    assert!(late.read(&patient("a"), &Filter::All).await.is_err());
    assert!(early.read(&patient("a"), &Filter::All).await.unwrap().is_none());
}

#[test]
fn a_file_of_something_else_or_of_a_later_release_is_left_alone() {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let folder = TempDir::new().unwrap();
    let other = folder.path().join("other.db");
    let mut conn = SqliteConnection::establish(other.to_str().unwrap()).unwrap();
    conn.batch_execute("CREATE TABLE recipe (name TEXT)").unwrap();
    drop(conn);
    let before = std::fs::read(&other).unwrap();
    assert_eq!(
        open(&url(&other), &StoreOptions::default()).err().unwrap().code,
        ErrorCode::Value
    );
    assert_eq!(migrate(&url(&other)).unwrap_err().code, ErrorCode::Value);
    assert_eq!(
        backup(&url(&other), &folder.path().join("b")).unwrap_err().code,
        ErrorCode::Value
    );
    assert!(std::fs::read(&other).unwrap() == before, "not a byte changed");

    let text = folder.path().join("text.db");
    std::fs::write(&text, "This is a letter and not a database.".repeat(300)).unwrap();
    assert!(open(&url(&text), &StoreOptions::default()).is_err());

    let later = folder.path().join("later.db");
    let steps = diesel::migration::MigrationSource::<diesel::sqlite::Sqlite>::migrations(
        &crate::store::sqlite::start::MIGRATIONS,
    );
    assert_eq!(migrate(&url(&later)).unwrap(), steps.unwrap().len());
    assert_eq!(migrate(&url(&later)).unwrap(), 0);
    let mut conn = SqliteConnection::establish(later.to_str().unwrap()).unwrap();
    conn.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000000')")
        .unwrap();
    drop(conn);
    let refused = open(&url(&later), &StoreOptions::default()).err().unwrap();
    assert!(refused.to_string().contains("later release"), "{refused}");
}

#[test]
fn the_schema_goes_up_and_down_and_up_again() {
    use diesel::{Connection, SqliteConnection};
    use diesel_migrations::MigrationHarness;
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    for _ in 0..2 {
        conn.run_pending_migrations(crate::store::sqlite::start::MIGRATIONS)
            .unwrap();
        conn.revert_all_migrations(crate::store::sqlite::start::MIGRATIONS)
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_under_writes_is_a_whole_database_of_one_moment() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = opened(&path);
    for n in 0..200 {
        store
            .commit(TenantId::DEFAULT, put(&format!("before{n}"), "1"))
            .await
            .unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (store, stop) = (store.clone(), stop.clone());
        async move {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                // Two resources in one commit: a backup holds both or none.
                let mut commit = put(&format!("x{n}"), "1");
                commit.writes.extend(put(&format!("y{n}"), "1").writes);
                store.commit(TenantId::DEFAULT, commit).await.unwrap();
                n += 1;
            }
            n
        }
    });
    let copies: Vec<_> = (0..3)
        .map(|n| folder.path().join(format!("copy{n}.db")))
        .collect();
    for copy in &copies {
        let (from, to) = (url(&path), copy.clone());
        tokio::task::spawn_blocking(move || backup(&from, &to))
            .await
            .unwrap()
            .unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    let written = writer.await.unwrap();
    assert!(written > 0);
    assert_eq!(
        backup(&url(&path), &copies[0]).unwrap_err().code,
        ErrorCode::Value,
        "never over a file"
    );
    for (n, copy) in copies.iter().enumerate() {
        let target = folder.path().join(format!("restored{n}.db"));
        restore(copy, &url(&target), false).unwrap();
        assert_eq!(
            restore(copy, &url(&target), false).unwrap_err().code,
            ErrorCode::Value
        );
        let restored = opened(&target);
        assert_eq!(restored.secret(), store.secret());
        let count = patients(&restored).await;
        assert!(
            count >= 200 && count % 2 == 0 && count <= 200 + 2 * written,
            "{count}"
        );
        let snapshot = restored.snapshot(TenantId::DEFAULT).await.unwrap();
        let history = HistoryQuery::new(HistoryScope::System, 1, Filter::All);
        assert_eq!(snapshot.history_total(&history, 1_000_000).await.unwrap(), count);
        assert_eq!(
            restore(copy, &url(&target), true).unwrap_err().code,
            ErrorCode::Unavailable,
            "in use"
        );
    }
}

#[tokio::test]
async fn a_damaged_backup_is_not_restored() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = opened(&path);
    for n in 0..300 {
        store
            .commit(TenantId::DEFAULT, put(&format!("p{n}"), &n.to_string()))
            .await
            .unwrap();
    }
    let copy = folder.path().join("copy.db");
    backup(&url(&path), &copy).unwrap();
    let mut bytes = std::fs::read(&copy).unwrap();
    let third = bytes.len() / 3;
    bytes[third..2 * third].fill(0xa5);
    std::fs::write(&copy, bytes).unwrap();
    store.close().await;
    let refused = restore(&copy, &url(&path), true).unwrap_err();
    assert!(
        matches!(refused.code, ErrorCode::Value | ErrorCode::Unavailable),
        "{refused}"
    );
    assert_eq!(patients(&opened(&path)).await, 300, "the database is as it was");
}

#[test]
fn database_urls_are_read_strictly() {
    for (text, path) in [
        ("sqlite:a.db", "a.db"),
        ("sqlite:///x/a.db", "/x/a.db"),
        ("sqlite:/x/a b.db", "/x/a b.db"),
    ] {
        assert_eq!(text.parse::<DatabaseUrl>().unwrap(), url(Path::new(path)));
    }
    for text in ["", "a.db", "sqlite:", "sqlite::memory:", "mysql://x", "sqlite://"] {
        assert!(text.parse::<DatabaseUrl>().is_err(), "{text}");
    }
    let postgres: DatabaseUrl = "postgres://u:secret@h/d".parse().unwrap();
    assert!(!format!("{postgres:?}").contains("secret"));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = opened(&path);
    store.commit(TenantId::DEFAULT, put("a", "1")).await.unwrap();
    backup(&url(&path), &folder.path().join("copy.db")).unwrap();
    restore(
        &folder.path().join("copy.db"),
        &url(&folder.path().join("restored.db")),
        false,
    )
    .unwrap();
    let mut seen = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        if !file.file_name().to_string_lossy().ends_with("-lock") {
            assert_eq!(
                file.metadata().unwrap().permissions().mode() & 0o077,
                0,
                "{:?}",
                file.file_name()
            );
            seen += 1;
        }
    }
    assert!(seen >= 5, "database, its log and index, backup, restored: {seen}");
}

/// A database of the schema before rows: what is in it is found after `reindex`, and it is known until then that it is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_release_wrote_is_found_after_a_reindex() {
    use crate::store::{
        Criterion, IndexRow, IndexValue, ParameterNumber, SearchQuery, SystemTest, Test, reindex,
    };
    use diesel::{Connection, SqliteConnection};
    use diesel_migrations::MigrationHarness;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = opened(&path);
    for id in ["a", "b"] {
        store.commit(TenantId::DEFAULT, put(id, id)).await.unwrap();
    }
    store.close().await;
    drop(store);
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    while conn.applied_migrations().unwrap().len() > 1 {
        conn.revert_last_migration(crate::store::sqlite::start::MIGRATIONS)
            .unwrap();
    }
    drop(conn);

    let store = opened(&path);
    assert_eq!(store.unindexed().await.unwrap(), [(TenantId::DEFAULT, 0)]);
    let parameter = ParameterNumber(8);
    let code = |body: &StoredBody| String::from_utf8_lossy(&body.json[31..32]).into_owned();
    let extract = |_: TenantId, body: &StoredBody, _: ResourceType| {
        let value = IndexValue::Token {
            system: None,
            code: code(body),
        };
        let row = IndexRow {
            parameter,
            group: 0,
            value,
        };
        Ok(Index::new(vec![row]))
    };
    let told = std::sync::atomic::AtomicU64::new(0);
    let progress = |done| told.store(done, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(reindex(store.as_ref(), &extract, &progress).await.unwrap(), 2);
    assert_eq!(told.into_inner(), 2);
    assert_eq!(store.unindexed().await.unwrap(), []);
    let test = Test::Token {
        system: SystemTest::Any,
        code: Some(vec!["b".into()]),
    };
    let query = SearchQuery::new(None, Filter::Has(Criterion { parameter, test }), 5);
    let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
    let found = snapshot.search(&query).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].version.key.id, "b");
    drop(snapshot);
    store.close().await;
}

/// What the files of a database hold, its log included.
fn holds(path: &Path, text: &str) -> bool {
    let log = path.with_extension("db-wal");
    [path, log.as_path()].iter().any(|file| {
        let bytes = std::fs::read(file).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[tokio::test]
async fn what_is_purged_is_in_none_of_the_files() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = opened(&path);
    let name = |text: &str| IndexRow {
        parameter: ParameterNumber::new(1, Aspect::Value),
        group: 0,
        value: IndexValue::String {
            folded: text.to_lowercase(),
            exact: text.to_owned(),
        },
    };
    let write = |id: &str, texts: [&str; 2]| Write::Update {
        key: patient(id),
        body: body(texts[0]),
        create: true,
        index: Index::new(vec![name(texts[0])]).with_passages(vec![Passage::new(
            Section::Rest,
            0,
            texts[1].to_owned(),
        )]),
    };
    let texts = [["Zanyname", "zanyword of it"], ["Kindname", "kindword of it"]];
    for written in [
        write("a", texts[0]),
        write("b", texts[1]),
        write("a", ["Zanyone", "zanywords of it"]),
    ] {
        store
            .commit(TenantId(1), Commit::new(vec![], vec![written]))
            .await
            .unwrap();
    }
    for kept in ["zanyname", "zanyword", "kindname", "kindword"] {
        assert!(holds(&path, kept), "{kept} before");
    }
    let purge = Write::Purge {
        key: patient("a"),
        earlier: Index::new(vec![name(texts[0][0])]),
    };
    store
        .commit(TenantId(1), Commit::new(vec![], vec![purge]))
        .await
        .unwrap();
    for gone in ["zanyname", "Zanyname", "zanyone", "Zanyone", "zanyword"] {
        assert!(!holds(&path, gone), "{gone} after");
    }
    for kept in ["kindname", "Kindname", "kindword"] {
        assert!(holds(&path, kept), "{kept} after");
    }
    store.close().await;
}
