//! A connection that is cut at COMMIT: the caller is never told `Ok` of what may not be there, nor that nothing was changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{cluster, opened, put, read};
use crate::context::TenantId;
use crate::store::{DatabaseUrl, Refusal};

const PASS: u8 = 0;
const CUT_BEFORE: u8 = 1;
const CUT_AFTER: u8 = 2;

/// A way to the database that can be cut when the next COMMIT goes through it, before or after the database has it.
async fn proxy(target: String) -> (u16, Arc<AtomicU8>) {
    let cut = Arc::new(AtomicU8::new(PASS));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let shared = cut.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (cut, target) = (shared.clone(), target.clone());
            tokio::spawn(async move {
                let server = TcpStream::connect(target).await.unwrap();
                carry(client, server, cut).await;
            });
        }
    });
    (port, cut)
}

/// Carries bytes both ways until an end closes or the way is cut.
async fn carry(client: TcpStream, server: TcpStream, cut: Arc<AtomicU8>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move {
        // Either end may close.
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
    });
    let mut bytes = vec![0; 64 << 10];
    while let Ok(n) = from_client.read(&mut bytes).await {
        let is_commit = bytes[..n].windows(7).any(|w| w == b"COMMIT\0");
        let cut = if is_commit {
            cut.swap(PASS, Ordering::SeqCst)
        } else {
            PASS
        };
        if cut != PASS {
            // Nothing more comes back.
            back.abort();
        }
        if n == 0 || cut == CUT_BEFORE || to_server.write_all(&bytes[..n]).await.is_err() {
            break;
        }
        if cut == CUT_AFTER {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            break;
        }
    }
    back.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_outcome_is_not_known_is_told_as_that() {
    let Some(DatabaseUrl::Postgres(url)) = cluster::fresh() else {
        return;
    };
    let (head, rest) = url.split_once('@').unwrap();
    let (address, tail) = rest.split_once('/').unwrap();
    let (port, cut) = proxy(address.to_owned()).await;
    let direct = opened(&DatabaseUrl::Postgres(url.clone()));
    let through = opened(&DatabaseUrl::Postgres(format!("{head}@127.0.0.1:{port}/{tail}")));
    for round in 0..6 {
        let how = if round % 2 == 0 { CUT_BEFORE } else { CUT_AFTER };
        let id = format!("p{round}");
        through.commit(TenantId::DEFAULT, put("warm", &id)).await.unwrap();
        cut.store(how, Ordering::SeqCst);
        let answer = through.commit(TenantId::DEFAULT, put(&id, "x")).await;
        let Err(Refusal::Failed(error)) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(error.code.facts().status, 504);
        assert!(error.to_string().contains("not known"), "{error}");
        // A later write has to wait for the transaction in doubt, so now its fate is decided.
        through.commit(TenantId::DEFAULT, put("next", &id)).await.unwrap();
        assert_eq!(
            read(&direct, &id).await.is_some(),
            how == CUT_AFTER,
            "round {round}"
        );
        assert_eq!(
            read(&through, &id).await.map(|v| v.version),
            (how == CUT_AFTER).then_some(1),
            "never twice"
        );
    }
}
