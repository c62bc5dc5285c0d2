//! Makes connections: the hosts of the URL in turn, TLS where it is asked for, a bound on the time of each attempt.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel_async::AsyncPgConnection;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use tokio_postgres::tls::{MakeTlsConnect, NoTls, TlsConnect};
use tokio_postgres::{CancelToken, Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::link::Link;
use super::url::{Target, Trust};
use crate::error::{Error, ErrorCode, Result};

/// How long one host may take to be ready for statements.
const PATIENCE: Duration = Duration::from_secs(1);

/// Makes connections to one database.
pub(super) struct Connector {
    hosts: Vec<Config>,
    tls: Option<MakeRustlsConnect>,
    /// The host that answered last: the first to be asked.
    last_good: AtomicUsize,
}

impl Connector {
    /// A connector to the hosts of the URL.
    pub(super) fn new(target: Target) -> Result<Self> {
        Ok(Connector {
            hosts: target.hosts,
            tls: target.tls.as_ref().map(tls).transpose()?,
            last_good: AtomicUsize::new(0),
        })
    }

    /// A connection to the first host that takes writes.
    pub(super) async fn connect(&self) -> Result<Link> {
        let first = self.last_good.load(Ordering::Relaxed);
        let mut why = String::from("no host is named");
        for n in 0..self.hosts.len() {
            let index = (first + n) % self.hosts.len();
            let Some(config) = self.hosts.get(index) else {
                continue;
            };
            why = match timeout(PATIENCE, self.to_host(config)).await {
                Ok(Ok(link)) => {
                    self.last_good.store(index, Ordering::Relaxed);
                    return Ok(link);
                }
                Ok(Err(why)) => why,
                Err(_) => format!("no answer within {PATIENCE:?}"),
            };
        }
        let what = "The database cannot be reached; nothing was changed. Try again later.";
        Err(Error::new(ErrorCode::Unavailable, what).with_cause(why))
    }

    async fn to_host(&self, config: &Config) -> std::result::Result<Link, String> {
        match &self.tls {
            Some(tls) => established(config, tls.clone()).await,
            None => established(config, NoTls).await,
        }
    }

    /// Asks the database to end the statement that runs on a connection.
    pub(super) async fn cancel(&self, token: CancelToken) {
        let cancelled = async {
            match &self.tls {
                Some(tls) => token.cancel_query(tls.clone()).await,
                None => token.cancel_query(NoTls).await,
            }
        };
        match timeout(PATIENCE, cancelled).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a statement could not be cancelled"),
            Err(_) => tracing::debug!("a statement could not be cancelled in time"),
        }
    }
}

async fn established<T>(config: &Config, tls: T) -> std::result::Result<Link, String>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = config.connect(tls).await.map_err(|e| text(&e))?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = text(&error), "a connection to the database ended");
        }
    });
    let conn = AsyncPgConnection::try_from(client)
        .await
        .map_err(|e| e.to_string())?;
    Ok(Link::new(conn, driver))
}

/// The error with its source, which says more.
fn text(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn tls(trust: &Trust) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .with_root_certificates(roots(trust)?)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn roots(trust: &Trust) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    match trust {
        Trust::System => {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "a certificate of this machine cannot be read");
            }
            store.add_parsable_certificates(found.certs);
        }
        Trust::File(path) => {
            let unusable = |cause: String| {
                let what = format!(
                    "{} (`sslrootcert`) holds no certificates in PEM form.",
                    path.display()
                );
                Error::new(ErrorCode::Value, what).with_cause(cause)
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|e| unusable(e.to_string()))? {
                let certificate = certificate.map_err(|e| unusable(e.to_string()))?;
                store.add(certificate).map_err(|e| unusable(e.to_string()))?;
            }
        }
    }
    if store.is_empty() {
        let what = "No certificate authority is known that could vouch for the database; name one with `sslrootcert`.";
        return Err(Error::new(ErrorCode::Value, what));
    }
    Ok(store)
}
