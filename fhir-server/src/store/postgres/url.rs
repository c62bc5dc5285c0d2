//! `postgres://…` URLs: hosts, user, database, and how the connection is guarded.
//!
//! The form is that of libpq (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>), several hosts
//! included, with one difference: TLS always proves the server's name, and is left out only for a loopback address or a
//! socket, or where `sslmode=disable` says so. A mode that may fall back to clear text is refused.
//!
//! Invariant: nothing of the URL is in an error but the names of its options: it may hold a password.

use std::path::PathBuf;
use std::str::FromStr;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::error::{Error, ErrorCode, Result};

/// What a URL says.
#[derive(Debug)]
pub(super) struct Target {
    /// One for each host, in order, each for a server that takes writes.
    pub(super) hosts: Vec<Config>,
    /// Whether the connection is TLS, and whom it trusts.
    pub(super) tls: Option<Trust>,
}

/// Who vouches for the server's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Those that this machine trusts.
    System,
    /// The certificates in that PEM file.
    File(PathBuf),
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        let (plain, guard) = take_guard(url)?;
        let config = Config::from_str(&plain).map_err(|e| unreadable(&e))?;
        let hosts = single_hosts(&config)?;
        let tls = guard.trust(hosts.iter().all(is_local))?;
        let mode = if tls.is_some() {
            SslMode::Require
        } else {
            SslMode::Disable
        };
        let hosts = hosts.into_iter().map(|mut host| {
            host.ssl_mode(mode);
            host
        });
        Ok(Target {
            hosts: hosts.collect(),
            tls,
        })
    }
}

/// The options about TLS, which are ours to read.
#[derive(Debug, Default)]
struct Guard {
    mode: Option<String>,
    root: Option<String>,
}

impl Guard {
    fn trust(self, is_local: bool) -> Result<Option<Trust>> {
        let trust = match self.root.as_deref() {
            None | Some("system") => Trust::System,
            Some(path) => Trust::File(path.into()),
        };
        match self.mode.as_deref() {
            Some("disable") => Ok(None),
            Some("require" | "verify-ca" | "verify-full") => Ok(Some(trust)),
            None if self.root.is_some() || !is_local => Ok(Some(trust)),
            None => Ok(None),
            Some(_) => Err(Error::new(
                ErrorCode::Value,
                "`sslmode` of the database URL is `verify-full` (TLS that proves the server's name), or `disable` (no TLS).",
            )),
        }
    }
}

/// The URL without the options about TLS, and those.
fn take_guard(url: &str) -> Result<(String, Guard)> {
    let mut guard = Guard::default();
    let Some((base, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), guard));
    };
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", value)) => guard.mode = Some(decoded(value)?),
            Some(("sslrootcert", value)) => guard.root = Some(decoded(value)?),
            _ => kept.push(pair),
        }
    }
    match kept.is_empty() {
        true => Ok((base.to_owned(), guard)),
        false => Ok((format!("{base}?{}", kept.join("&")), guard)),
    }
}

fn decoded(text: &str) -> Result<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        let value = digit()
            .zip(digit())
            .and_then(|(a, b)| u8::try_from(a * 16 + b).ok());
        out.push(value.ok_or_else(|| option_is_wrong("sslrootcert"))?);
    }
    String::from_utf8(out).map_err(|_| option_is_wrong("sslrootcert"))
}

fn option_is_wrong(name: &str) -> Error {
    Error::new(
        ErrorCode::Value,
        format!("`{name}` of the database URL cannot be read."),
    )
}

fn unreadable(error: &tokio_postgres::Error) -> Error {
    let why = std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"));
    Error::new(
        ErrorCode::Value,
        format!(
            "The database URL cannot be read{why}. Its form is postgres://USER:PASSWORD@HOST:PORT/DATABASE."
        ),
    )
}

/// A configuration for each host, so that one that does not answer keeps nobody from asking the next.
fn single_hosts(all: &Config) -> Result<Vec<Config>> {
    let (hosts, ports) = (all.get_hosts(), all.get_ports());
    if hosts.is_empty() {
        return Err(Error::new(ErrorCode::Value, "The database URL names no host."));
    }
    let addresses = all.get_hostaddrs();
    let host = |(n, host): (usize, &Host)| {
        let mut one = without_host(all);
        match host {
            Host::Tcp(name) => one.host(name),
            #[cfg(unix)]
            Host::Unix(path) => one.host_path(path),
        };
        if let Some(address) = addresses.get(n) {
            one.hostaddr(*address);
        }
        one.port(ports.get(n).or(ports.first()).copied().unwrap_or(5432));
        one
    };
    Ok(hosts.iter().enumerate().map(host).collect())
}

fn without_host(all: &Config) -> Config {
    let mut one = Config::new();
    one.application_name(all.get_application_name().unwrap_or("fhir-server"))
        .keepalives(all.get_keepalives())
        .keepalives_idle(all.get_keepalives_idle())
        .channel_binding(all.get_channel_binding())
        .ssl_negotiation(all.get_ssl_negotiation())
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    if let Some(user) = all.get_user() {
        one.user(user);
    }
    if let Some(password) = all.get_password() {
        one.password(password);
    }
    if let Some(name) = all.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = all.get_options() {
        one.options(options);
    }
    if let Some(timeout) = all.get_tcp_user_timeout() {
        one.tcp_user_timeout(*timeout);
    }
    one
}

fn is_local(config: &Config) -> bool {
    if let Some(address) = config.get_hostaddrs().first() {
        return address.is_loopback();
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Target> {
        url.parse()
    }

    #[test]
    fn every_host_is_asked_by_itself_for_a_server_that_takes_writes() {
        let target = read("postgres://ann:pw@db1:6001,db2:6002/fhir?sslmode=disable").unwrap();
        let seen: Vec<_> = target
            .hosts
            .iter()
            .map(|c| (c.get_hosts().to_vec(), c.get_ports().to_vec()))
            .collect();
        assert_eq!(
            seen,
            [
                (vec![Host::Tcp("db1".into())], vec![6001]),
                (vec![Host::Tcp("db2".into())], vec![6002])
            ]
        );
        for host in &target.hosts {
            assert_eq!(host.get_user(), Some("ann"));
            assert_eq!(host.get_dbname(), Some("fhir"));
            assert_eq!(host.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
            assert_eq!(host.get_ssl_mode(), SslMode::Disable);
        }
        let one_port = read("postgres://db1,db2/fhir?sslmode=disable").unwrap();
        assert!(one_port.hosts.iter().all(|c| c.get_ports() == [5432]));
    }

    #[test]
    fn only_loopback_goes_without_tls_unless_told_to() {
        for (url, wanted) in [
            ("postgres://localhost/fhir", None),
            ("postgres://127.0.0.1:5433/fhir", None),
            ("postgres://%2Frun%2Fpostgresql/fhir", None),
            ("postgres://db.example/fhir", Some(Trust::System)),
            ("postgres://localhost,db.example/fhir", Some(Trust::System)),
            ("postgres://db.example/fhir?sslmode=disable", None),
            (
                "postgres://db.example/fhir?sslmode=verify-full",
                Some(Trust::System),
            ),
            (
                "postgres://localhost/fhir?sslmode=require&sslrootcert=%2Fca.pem",
                Some(Trust::File("/ca.pem".into())),
            ),
        ] {
            let target = read(url).unwrap();
            assert_eq!(target.tls, wanted, "{url}");
            let mode = wanted.map_or(SslMode::Disable, |_| SslMode::Require);
            assert!(target.hosts.iter().all(|c| c.get_ssl_mode() == mode), "{url}");
        }
        for mode in ["prefer", "allow", "", "Disable"] {
            assert!(read(&format!("postgres://h/d?sslmode={mode}")).is_err(), "{mode}");
        }
    }

    #[test]
    fn an_error_names_the_option_and_never_the_password() {
        for url in [
            "postgres://ann:secret@h/d?colour=red",
            "postgres://ann:secret@h:port/d",
            "postgres://ann:secret@h/d?sslmode=prefer",
            "postgres://ann:secret@h/d?sslrootcert=%zz",
            "postgres://ann:secret@/d",
        ] {
            let error = read(url).unwrap_err();
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
        let unknown = read("postgres://h/d?colour=red").unwrap_err().to_string();
        assert!(unknown.contains("colour"), "{unknown}");
    }
}
