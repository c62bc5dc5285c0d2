//! Disks that are full and files that cannot grow. Each test runs itself again in a child process with the fault set up
//! around it, because the faults are those of a process or of a mount.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::error::ErrorCode;
use crate::store::{Refusal, SearchQuery};

/// Names the folder to the child.
const FOLDER: &str = "FHIR_SERVER_FAULT_FOLDER";

/// In the child: the folder. In the parent: `None`, after the child has passed; `run` is a shell's text that ends by
/// running `"$@"`, with the folder in `$FHIR_SERVER_FAULT_FOLDER`.
fn in_child(test: &str, run: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return Some(folder.into());
    }
    let folder = TempDir::new().unwrap();
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    let output = Command::new("sh")
        .args(["-c", run, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("1 passed"), "the child ran no test: {text}");
    None
}

fn works(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .output()
        .is_ok_and(|o| o.status.success())
}

fn code(result: Result<Vec<crate::store::Outcome>, Refusal>) -> Option<ErrorCode> {
    match result {
        Ok(_) => None,
        Err(Refusal::Failed(error)) => Some(error.code),
        Err(other) => panic!("{other:?}"),
    }
}

/// Text that does not compress below half.
fn noise(mut state: u64, len: usize) -> String {
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + (state >> 60) as u8)
    };
    (0..len).map(next).collect()
}

async fn count(store: &Arc<dyn Store>) -> usize {
    let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
    let query = SearchQuery::new(None, Filter::All, 1);
    usize::try_from(snapshot.search_total(&query, 1_000_000).await.unwrap()).unwrap()
}

/// Writes until one is refused; its code.
async fn write_until_refused(store: &Arc<dyn Store>, acknowledged: &mut Vec<String>) -> ErrorCode {
    for n in 0..20_000 {
        let id = format!("p{}-{n}", acknowledged.len());
        match code(store.commit(TenantId::DEFAULT, put(&id, &noise(n, 3_000))).await) {
            None => acknowledged.push(id),
            Some(code) => return code,
        }
    }
    panic!("nothing was refused");
}

async fn all_there(store: &Arc<dyn Store>, acknowledged: &[String]) {
    for id in acknowledged {
        assert_eq!(read(store, id).await.map(|v| v.version), Some(1), "{id}");
    }
    assert_eq!(count(store).await, acknowledged.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_answers_reads_and_recovers_without_a_restart() {
    const MOUNT: &str = r#"unshare -rm sh -c 'mount -t tmpfs -o size=3m tmpfs "$FHIR_SERVER_FAULT_FOLDER" && exec "$@"' sh "$@""#;
    if std::env::var_os(FOLDER).is_none()
        && !works("unshare", &["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
    {
        println!("SKIPPED (needs the right to mount a tmpfs in a namespace of its own)");
        return;
    }
    let test = "a_full_disk_refuses_writes_answers_reads_and_recovers_without_a_restart";
    let Some(folder) = in_child(test, MOUNT) else {
        return;
    };
    let path = folder.join("a.db");
    let store = opened(&path);
    let mut acknowledged = Vec::new();
    for round in 0..20 {
        let filler = folder.join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        while file.write_all(&[7; 4_096]).is_ok() {}
        drop(file);
        assert_eq!(
            write_until_refused(&store, &mut acknowledged).await,
            ErrorCode::StorageFull,
            "round {round}"
        );
        let again = store.commit(TenantId::DEFAULT, put("again", "1")).await;
        assert!(matches!(code(again), None | Some(ErrorCode::StorageFull)));
        if read(&store, "again").await.is_some() {
            acknowledged.push("again".into());
        }
        all_there(&store, &acknowledged).await;
        std::fs::remove_file(&filler).unwrap();
        store.ready().await.unwrap();
        let id = format!("after{round}");
        assert_eq!(
            code(store.commit(TenantId::DEFAULT, put(&id, "1")).await),
            None,
            "round {round}"
        );
        acknowledged.push(id);
        all_there(&store, &acknowledged).await;
        // Room for the next round.
        if round % 5 == 4 {
            for id in acknowledged.drain(..) {
                let delete = crate::store::Write::Delete { key: patient(&id) };
                drop(
                    store
                        .commit(TenantId::DEFAULT, Commit::new(vec![], vec![delete]))
                        .await,
                );
            }
        }
        println!("round {round}: {} acknowledged", acknowledged.len());
    }
    store.close().await;
    drop(store);
    all_there(&opened(&path), &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_io_error_at_any_write_stops_writes_until_the_database_has_proved_itself() {
    const IGNORE: &str = r#"trap '' XFSZ; exec "$@""#;
    let limit = |bytes: &str| {
        let pid = format!("--pid={}", std::process::id());
        works("prlimit", &[&pid, &format!("--fsize={bytes}:")])
    };
    if std::env::var_os(FOLDER).is_none() && !works("prlimit", &["--version"]) {
        println!("SKIPPED (needs prlimit)");
        return;
    }
    let test = "an_io_error_at_any_write_stops_writes_until_the_database_has_proved_itself";
    let Some(folder) = in_child(test, IGNORE) else {
        return;
    };
    let path = folder.join("a.db");
    let store = opened(&path);
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for round in 0..40u64 {
        let wal = std::fs::metadata(folder.join("a.db-wal")).map_or(0, |m| m.len());
        let size = wal.max(std::fs::metadata(&path).unwrap().len());
        assert!(limit(&(size + round * 1_300).to_string()));
        let first = write_until_refused(&store, &mut acknowledged).await;
        assert_eq!(first, ErrorCode::Unavailable, "round {round}");
        // The log could be carried over and cut short, so there may be room again. Now there is none at all.
        assert!(limit("4096"));
        for n in 0..3 {
            let result = store.commit(TenantId::DEFAULT, put("never", "1")).await;
            assert_eq!(
                code(result),
                Some(ErrorCode::Unavailable),
                "round {round}, commit {n}"
            );
            assert!(store.ready().await.is_err());
        }
        all_there(&store, &acknowledged).await;
        assert!(limit("unlimited"));
        let id = format!("after{round}");
        while code(store.commit(TenantId::DEFAULT, put(&id, "1")).await).is_some() {
            refused += 1;
            assert!(refused < 4_000, "it never recovered");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        acknowledged.push(id);
        store.ready().await.unwrap();
        all_there(&store, &acknowledged).await;
    }
    store.close().await;
    drop(store);
    all_there(&opened(&path), &acknowledged).await;
    println!("{} acknowledged, none lost", acknowledged.len());
}
