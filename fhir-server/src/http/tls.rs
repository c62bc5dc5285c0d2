//! TLS on the main listener: certificates that are read again when their files change, and clients' certificates.
//!
//! Invariant: TLS 1.2 or later; where an authority for clients is configured, nobody without its certificate gets as far as HTTP.
//! Invariant: files that cannot be read, or do not fit together, leave what was read before in force.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use actix_web::rt::net::TcpStream;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::link::Link;
use crate::config::TlsConfig;
use crate::error::{Error, ErrorCode, Result};
use crate::secret_file;

/// How often the files are looked at, at most.
const LOOK: Duration = Duration::from_secs(2);

/// Takes connections under TLS.
pub(super) struct Tls {
    config: TlsConfig,
    patience: Duration,
    now: Mutex<Read>,
}

/// What was read, from which states of the files, and when that was looked at last.
struct Read {
    acceptor: TlsAcceptor,
    changed: Vec<Option<SystemTime>>,
    looked: Instant,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// One cannot be read, or they do not fit together.
    pub(super) fn open(config: &TlsConfig, patience: Duration) -> Result<Tls> {
        let read = Read {
            acceptor: acceptor(config)?,
            changed: changed(config),
            looked: Instant::now(),
        };
        Ok(Tls {
            config: config.clone(),
            patience,
            now: Mutex::new(read),
        })
    }

    /// Shakes hands.
    pub(super) async fn accept(&self, socket: TcpStream) -> std::io::Result<Link> {
        let handshake = self.current().accept(socket);
        match timeout(self.patience, handshake).await {
            Ok(Ok(stream)) => Ok(Link::Tls(Box::new(stream))),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a client did not get through the handshake of TLS");
                Err(error)
            }
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        }
    }

    fn current(&self) -> TlsAcceptor {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.looked.elapsed() < LOOK {
            return now.acceptor.clone();
        }
        now.looked = Instant::now();
        let found = changed(&self.config);
        if found != now.changed {
            match acceptor(&self.config) {
                Ok(acceptor) => {
                    tracing::info!("the certificate was read again");
                    now.acceptor = acceptor;
                    now.changed = found;
                }
                Err(error) => tracing::error!(%error, "the new certificate is not used"),
            }
        }
        now.acceptor.clone()
    }
}

/// When each file changed last.
fn changed(config: &TlsConfig) -> Vec<Option<SystemTime>> {
    let files = [
        Some(&config.certificate),
        Some(&config.key),
        config.client_ca.as_ref(),
        config.client_crl.as_ref(),
    ];
    let modified = |path: &std::path::PathBuf| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    files.into_iter().flatten().map(modified).collect()
}

fn acceptor(config: &TlsConfig) -> Result<TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?;
    let builder = match &config.client_ca {
        Some(path) => builder.with_client_cert_verifier(clients(config, path, provider)?),
        None => builder.with_no_client_auth(),
    };
    let chain = certificates(&config.certificate)?;
    let text = secret_file::read_secret(&config.key)?;
    let key =
        PrivateKeyDer::from_pem_slice(&text).map_err(|cause| unusable(&config.key, "private key", &cause))?;
    let mut server = builder
        .with_single_cert(chain, key)
        .map_err(|cause| unusable(&config.certificate, "certificate of the key", &cause))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}

fn clients(
    config: &TlsConfig,
    authorities: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authorities)? {
        roots
            .add(certificate)
            .map_err(|cause| unusable(authorities, "authority's certificate", &cause))?;
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    if let Some(path) = &config.client_crl {
        let text = secret_file::read_public(path)?;
        let lists = CertificateRevocationListDer::pem_slice_iter(&text)
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|cause| unusable(path, "list of certificates taken back", &cause))?;
        builder = builder.with_crls(lists).only_check_end_entity_revocation();
    }
    builder
        .build()
        .map_err(|cause| unusable(authorities, "authority for clients", &cause))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let text = secret_file::read_public(path)?;
    let all = CertificateDer::pem_slice_iter(&text)
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|cause| unusable(path, "certificate", &cause))?;
    match all.is_empty() {
        true => Err(unusable(path, "certificate", &"there is none")),
        false => Ok(all),
    }
}

fn unusable(path: &Path, what: &str, cause: &dyn std::fmt::Display) -> Error {
    let text = format!(
        "{} holds no {what} in PEM that can be used: {cause}.",
        path.display()
    );
    Error::new(ErrorCode::Invalid, text)
}

#[cfg(test)]
mod tests;
