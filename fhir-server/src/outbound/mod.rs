//! The one way in which this server asks another for something: GET over https, of origins that the configuration allows, for what the
//! configuration names. Nothing that a client sends leads here.
//!
//! Invariant: no redirect is followed; the address that is connected to is checked after it was resolved, and is never a private one; an
//! answer is bounded in time and size.

mod address;
mod answer;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub(crate) use address::Url;
pub(crate) use answer::Fetched;

use crate::error::{Error, ErrorCode, Result};

/// How long a whole exchange may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of an answer at most, its head included.
const MOST: u64 = 256 * 1024;

/// Asks other servers.
pub(crate) struct Outbound {
    /// Origins that may be asked, such as `https://as.example`.
    allowed: Vec<String>,
    tls: TlsConnector,
    /// Whether plain http to this machine is allowed too: in tests alone.
    on_loopback: bool,
}

impl Outbound {
    /// May ask those origins.
    ///
    /// # Errors
    /// This machine knows no certificate authorities.
    pub(crate) fn open(allowed: &[String]) -> Result<Outbound> {
        let mut roots = RootCertStore::empty();
        if !allowed.is_empty() {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                let text = "outbound.allow names servers, and this machine knows no certificate authority that could vouch for them.";
                return Err(Error::new(ErrorCode::Invalid, text));
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Outbound {
            allowed: allowed.to_vec(),
            tls: TlsConnector::from(Arc::new(config)),
            on_loopback: false,
        })
    }

    /// May ask this machine, over plain http.
    #[cfg(test)]
    pub(crate) fn on_loopback() -> Outbound {
        let mut outbound = Outbound::open(&[]).unwrap_or_else(|error| unreachable!("{error}"));
        outbound.on_loopback = true;
        outbound
    }

    /// The parts of a URL that may be asked.
    ///
    /// # Errors
    /// It is no https URL, or its origin is not allowed.
    pub(crate) fn check(&self, url: &str) -> Result<Url> {
        let refused = |why: &str| Error::new(ErrorCode::Invalid, format!("`{url}` cannot be fetched: {why}"));
        let parts = Url::read(url)
            .ok_or_else(|| refused("it must be an https URL without user, query or fragment."))?;
        if self.on_loopback {
            return Ok(parts);
        }
        if !parts.tls {
            return Err(refused("only https is spoken."));
        }
        match self.allowed.iter().any(|origin| *origin == parts.origin()) {
            true => Ok(parts),
            false => Err(refused(&format!(
                "outbound.allow does not name `{}`.",
                parts.origin()
            ))),
        }
    }

    /// What is at that URL.
    ///
    /// # Errors
    /// It may not be asked, does not answer in time, or answers with anything but 200 and a body of a sane size.
    pub(crate) async fn get(&self, url: &str) -> Result<Fetched> {
        let parts = self.check(url)?;
        let failed = |why: String| {
            Error::new(
                ErrorCode::Unavailable,
                format!("`{url}` cannot be fetched: {why}"),
            )
        };
        match timeout(PATIENCE, self.exchange(&parts)).await {
            Ok(Ok(fetched)) => Ok(fetched),
            Ok(Err(why)) => Err(failed(why)),
            Err(_) => Err(failed(format!("it took longer than {} s.", PATIENCE.as_secs()))),
        }
    }

    async fn exchange(&self, url: &Url) -> std::result::Result<Fetched, String> {
        let address = self.resolve(url).await?;
        let stream = TcpStream::connect(address).await.map_err(|e| e.to_string())?;
        if !url.tls {
            return ask(stream, url).await;
        }
        let name = ServerName::try_from(url.host.clone()).map_err(|e| e.to_string())?;
        let stream = self.tls.connect(name, stream).await.map_err(|e| e.to_string())?;
        ask(stream, url).await
    }

    /// The address to connect to; where one of several is private, none of them is good.
    async fn resolve(&self, url: &Url) -> std::result::Result<SocketAddr, String> {
        let found = tokio::net::lookup_host((url.bare_host(), url.port)).await;
        let found: Vec<SocketAddr> = found.map_err(|e| e.to_string())?.collect();
        let good = |address: &SocketAddr| {
            address::is_public(address.ip()) || (self.on_loopback && address.ip().is_loopback())
        };
        match found.first() {
            Some(first) if found.iter().all(good) => Ok(*first),
            Some(_) => Err("its name leads to a private address.".into()),
            None => Err("its name leads nowhere.".into()),
        }
    }
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    url: &Url,
) -> std::result::Result<Fetched, String> {
    let head = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nUser-Agent: fhir-server\r\nConnection: close\r\n\r\n",
        url.path,
        url.authority()
    );
    stream
        .write_all(head.as_bytes())
        .await
        .map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    let read = stream.take(MOST + 1).read_to_end(&mut bytes).await;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MOST {
        return Err("its answer is longer than 256 KiB.".into());
    }
    // Some end TLS without saying so; what came must then be whole by its own account.
    match answer::read(&bytes) {
        Ok(fetched) => Ok(fetched),
        Err(why) => Err(read
            .err()
            .map_or(why.to_owned(), |cause| format!("{why} ({cause})"))),
    }
}
