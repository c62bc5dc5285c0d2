//! Handshakes (S-088), with certificates that openssl makes.

use std::io::{Read as _, Write as _};
use std::process::Command;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::*;
use crate::config::Config;
use crate::engine::memory::MemoryStore;
use crate::policy::PermitAll;
use crate::server::FhirServer;

/// A folder with an authority and certificates of it; `None` where this machine has no openssl.
fn authority() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"set -e; umask 077
        ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
            -keyout $1.key -out $1.pem -addext basicConstraints=critical,CA:TRUE 2>/dev/null; }
        leaf() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout $1.key -out $1.csr 2>/dev/null
            printf "subjectAltName=DNS:localhost\nextendedKeyUsage=$3\n" >$1.ext
            openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days ${4:-2} -extfile $1.ext -out $1.pem 2>/dev/null; }
        ca root; ca other
        leaf server root serverAuth; leaf renewed root serverAuth; leaf client root clientAuth
        leaf stranger other clientAuth; leaf wrong root serverAuth"#;
    let made = Command::new("sh")
        .args(["-c", script])
        .current_dir(folder.path())
        .status();
    made.is_ok_and(|status| status.success()).then_some(folder)
}

fn config(folder: &Path, with_clients: bool) -> TlsConfig {
    let mut config = TlsConfig::new(folder.join("server.pem"), folder.join("server.key"));
    config.client_ca = with_clients.then(|| folder.join("root.pem"));
    config
}

/// Runs a server, and answers with what the client saw.
fn served<T: Send + 'static>(
    tls: TlsConfig,
    client: impl FnOnce(std::net::SocketAddr) -> T + Send + 'static,
) -> T {
    actix_web::rt::System::new().block_on(async move {
        let mut config = Config::default();
        config.sandbox.enabled = true;
        config.listen.bind = ([127, 0, 0, 1], 0).into();
        config.listen.tls = Some(tls);
        config.shutdown.drain = Duration::ZERO;
        let store = Arc::new(MemoryStore::new(Arc::new(crate::context::SystemClock)));
        let builder = FhirServer::builder()
            .config(config)
            .store(store)
            .policy(PermitAll);
        let running = builder.build().await.unwrap().listen().unwrap();
        let address = running.address;
        let (seen, wanted) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            seen.send(client(address))
                .map_err(|_| "the server ended")
                .unwrap()
        });
        let (done, end) = tokio::sync::oneshot::channel();
        let answer = actix_web::rt::spawn(async move {
            let answer = wanted.await.unwrap();
            done.send(()).unwrap();
            answer
        });
        running
            .until(async move {
                end.await.unwrap();
                crate::server::Ending::Prompt
            })
            .await
            .unwrap();
        answer.await.unwrap()
    })
}

/// What a client with that certificate reads, and the name of the certificate that the server showed.
fn ask(
    address: std::net::SocketAddr,
    folder: &Path,
    identity: Option<&str>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> std::io::Result<(String, Vec<u8>)> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(folder.join("root.pem")).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        Some(name) => {
            let chain = vec![CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).unwrap()];
            let key = PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, std::net::TcpStream::connect(address)?);
    let host = format!("localhost:{}", address.port());
    write!(
        stream,
        "GET /fhir/metadata HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let shown = stream
        .conn
        .peer_certificates()
        .and_then(|chain| chain.first())
        .map(|der| der.to_vec());
    Ok((answer, shown.unwrap_or_default()))
}

#[test]
fn s_088_tls_is_answered_in_both_versions_with_hsts_and_no_other() {
    let Some(folder) = authority() else {
        println!("SKIPPED (needs openssl)");
        return;
    };
    let path = folder.path().to_owned();
    served(config(folder.path(), false), move |address| {
        for versions in [&[&rustls::version::TLS13][..], &[&rustls::version::TLS12]] {
            let (answer, _) = ask(address, &path, None, versions).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
            let head = answer.to_ascii_lowercase();
            assert!(head.contains("strict-transport-security: max-age="), "{head}");
            assert!(answer.contains("https://localhost"), "the base is https");
        }
        let mut plain = std::net::TcpStream::connect(address).unwrap();
        plain
            .write_all(b"GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        let _ = plain.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP"), "nothing is answered in the clear");
    });
}

#[test]
fn s_088_a_client_without_a_certificate_of_the_authority_gets_nothing() {
    let Some(folder) = authority() else {
        println!("SKIPPED (needs openssl)");
        return;
    };
    let path = folder.path().to_owned();
    served(config(folder.path(), true), move |address| {
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let good = ask(address, &path, Some("client"), &versions).unwrap();
        assert!(good.0.starts_with("HTTP/1.1 200 OK"));
        for identity in [None, Some("stranger"), Some("wrong")] {
            let seen = ask(address, &path, identity, &versions);
            assert!(seen.is_err(), "{identity:?}");
        }
    });
}

#[test]
fn s_088_a_new_certificate_is_shown_without_a_restart_and_a_bad_one_is_not() {
    let Some(folder) = authority() else {
        println!("SKIPPED (needs openssl)");
        return;
    };
    let path = folder.path().to_owned();
    let tls = config(folder.path(), false);
    served(tls, move |address| {
        let shown = || ask(address, &path, None, &[&rustls::version::TLS13]).unwrap().1;
        let first = shown();
        let copy = |from: &str, to: &str| std::fs::copy(path.join(from), path.join(to)).unwrap();
        // A certificate without its key: what was there stays.
        copy("renewed.pem", "server.pem");
        std::thread::sleep(LOOK * 2);
        assert_eq!(shown(), first);
        copy("renewed.key", "server.key");
        std::thread::sleep(LOOK * 2);
        let renewed = CertificateDer::from_pem_file(path.join("renewed.pem")).unwrap();
        assert_eq!(shown(), renewed.to_vec());
        assert_ne!(first, renewed.to_vec());
    });
}
