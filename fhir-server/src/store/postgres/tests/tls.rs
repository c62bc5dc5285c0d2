//! TLS, and several hosts in a URL.

use super::cluster::Cluster;
use super::{put, read};
use crate::context::TenantId;
use crate::store::{DatabaseUrl, Store, StoreOptions, open};

fn cluster() -> Option<Cluster> {
    let cluster = Cluster::start();
    match &cluster {
        Some(cluster) if cluster.folder.join("ca.pem").exists() => {}
        Some(_) => println!("SKIPPED (needs openssl)"),
        None => println!("SKIPPED (needs PostgreSQL)"),
    }
    cluster.filter(|cluster| cluster.folder.join("ca.pem").exists())
}

fn opened(url: String) -> crate::error::Result<std::sync::Arc<dyn Store>> {
    open(&DatabaseUrl::Postgres(url), &StoreOptions::default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_proves_its_name_is_used_over_tls_and_no_other() {
    let Some(cluster) = cluster() else { return };
    let root = cluster
        .folder
        .join("ca.pem")
        .display()
        .to_string()
        .replace('/', "%2F");
    let named = cluster.url.replace("127.0.0.1", "localhost");
    let store = opened(format!("{named}?sslmode=verify-full&sslrootcert={root}")).unwrap();
    store.commit(TenantId::DEFAULT, put("a", "x")).await.unwrap();
    assert!(read(&store, "a").await.is_some());
    let encrypted = "DO $$ BEGIN IF (SELECT NOT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
                     WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()) THEN \
                     RAISE EXCEPTION 'a connection is in the clear'; END IF; END $$";
    super::cluster::execute(&cluster.url, encrypted.to_owned());
    // The certificate is for `localhost` alone, and this machine's authorities do not vouch for it.
    for url in [
        format!("{}?sslmode=verify-full&sslrootcert={root}", cluster.url),
        format!("{named}?sslmode=require"),
    ] {
        let error = opened(url).err().unwrap();
        assert!(matches!(error.code.facts().status, 400 | 503), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_hosts_the_one_that_takes_writes_is_used() {
    let Some(cluster) = cluster() else { return };
    let DatabaseUrl::Postgres(url) = cluster.fresh() else {
        panic!("no PostgreSQL")
    };
    let store = opened(url.replace("@127.0.0.1:", "@127.0.0.1:1,127.0.0.1:")).unwrap();
    store.commit(TenantId::DEFAULT, put("a", "x")).await.unwrap();
    assert!(read(&store, "a").await.is_some());
    // A server that takes no writes is none.
    super::cluster::execute(
        &cluster.url,
        "ALTER SYSTEM SET default_transaction_read_only = on".into(),
    );
    super::cluster::execute(&cluster.url, "SELECT pg_reload_conf()".into());
    store.close().await;
    let refused = (0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        opened(url.clone()).is_err_and(|error| error.code.facts().status == 503)
    });
    assert!(refused, "a server that takes no writes was used");
}
