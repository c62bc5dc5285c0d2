//! The development authority over HTTP: S-032 to S-039, and what SMART App Launch asks of a server.

mod backend;
mod conformance;
mod contexts;
mod discovery;
mod launches;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;
use crate::authority::Person;
use crate::config::AppConfig;
use crate::context::Millis;
use crate::store::{Key, ResourceType};
use crate::token::testing::{P384, RSA, jwks};

/// The base as the tests reach it.
const BASE: &str = "http://localhost:8080/fhir";
const CALLBACK: &str = "https://app.example/callback?x=1";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const NOW: i64 = 1_795_426_200;

fn key(reference: &str) -> Key {
    let (name, id) = reference.split_once('/').unwrap();
    Key {
        resource_type: ResourceType::from_name(name).unwrap(),
        id: id.into(),
    }
}

fn people() -> Vec<Person> {
    let mut doctor = Person::new(key("Practitioner/dr"), "Dr <b>A</b>");
    doctor.organisation = Some("A99991".into());
    doctor.roles = vec!["62247001".into()];
    let mut patients = Vec::new();
    for id in ["p1", "p2"] {
        let mut patient = Person::new(key(&format!("Patient/{id}")), id);
        patient.patient = Some(id.into());
        patients.push(patient);
    }
    let mut proxy = Person::new(key("RelatedPerson/r1"), "R");
    proxy.patient = Some("p1".into());
    patients.extend([doctor, proxy]);
    patients
}

fn apps(keys: &std::path::Path) -> Vec<AppConfig> {
    let mut public = AppConfig::new("app", vec![CALLBACK.into()]);
    public.launch_uri = Some("https://app.example/launch".into());
    let other = AppConfig::new("other", vec!["https://other.example/cb".into()]);
    let mut service = AppConfig::new("service", vec![CALLBACK.into()]);
    service.keys_file = Some(keys.to_owned());
    service.scopes =
        Some("system/*.rs system/Observation.cruds user/*.rs launch/patient offline_access".into());
    service.organisation = Some("X9901".into());
    service.purposes = vec!["TREAT".into()];
    vec![public, other, service]
}

/// A sandbox with an authority; `Patient/p1` and `p2` are there.
async fn sandbox_with(change: impl Fn(&mut Config), clock: Arc<dyn Clock>) -> FhirServer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, jwks().to_string()).unwrap();
    let mut config = sandbox();
    config.authority.enabled = true;
    config.authority.apps = apps(&path);
    config.listen.allowed_origins = vec!["https://app.example".into()];
    change(&mut config);
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let server = FhirServer::builder()
        .config(config)
        .store(store)
        .policy(PermitAll)
        .people(people())
        .clock(clock)
        .build()
        .await
        .unwrap();
    for id in ["p1", "p2"] {
        let body = PATIENT.replace("p1", id);
        let put = with_json("PUT", &format!("/fhir/Patient/{id}"), &body);
        assert_eq!(send(&server, put).await.checked(), 201);
    }
    server
}

async fn authority() -> FhirServer {
    sandbox_with(|_| {}, Arc::new(Fixed)).await
}

/// A clock that a test moves.
struct Moved(std::sync::atomic::AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Millis {
        Millis(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

impl Moved {
    fn new() -> Arc<Moved> {
        Arc::new(Moved(std::sync::atomic::AtomicI64::new(NOW * 1000)))
    }
    fn by(&self, seconds: i64) {
        self.0
            .fetch_add(seconds * 1000, std::sync::atomic::Ordering::SeqCst);
    }
}

/// Sends to the whole server, the authority with it.
async fn ask(server: &FhirServer, request: TestRequest) -> Answer {
    let app = init_service(App::new().configure(|app| {
        server.configure(app);
        server.configure_authority(app);
    }))
    .await;
    send_to(&app, request).await
}

fn encode(pairs: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|b| match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(b).to_string()
                }
                _ => format!("%{b:02X}"),
            })
            .collect()
    };
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", escape(value)))
        .collect();
    pairs.join("&")
}

fn form(path: &str, pairs: &[(&str, &str)]) -> TestRequest {
    request("POST", path)
        .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
        .set_payload(encode(pairs))
}

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// The parameters of a good authorization request, some of them changed; an empty value leaves one out.
fn asking<'a>(challenge: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        (
            "scope",
            "launch/patient patient/*.rs openid fhirUser offline_access",
        ),
        ("state", "s&1"),
        ("aud", BASE),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
        ("person", "p1"),
    ];
    for (name, value) in changes {
        all.retain(|(own, _)| own != name);
        all.push((name, value));
    }
    all.retain(|(_, value)| !value.is_empty());
    all
}

/// Where the browser is sent.
async fn authorized(server: &FhirServer, pairs: &[(&str, &str)]) -> String {
    let answer = ask(server, get(&format!("/auth/authorize?{}", encode(pairs)))).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
    Some(value.replace("%26", "&").replace("%20", " "))
}

async fn code_for(server: &FhirServer, changes: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let url = authorized(server, &asking(&challenge, changes)).await;
    parameter(&url, "code").unwrap_or_else(|| panic!("{url}"))
}

/// The parameters that turn a code into tokens, some of them changed.
fn exchange<'a>(code: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("code", code),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in changes {
        all.retain(|(own, _)| own != name);
        all.push((name, value));
    }
    all.retain(|(_, value)| !value.is_empty());
    all
}

async fn token(server: &FhirServer, pairs: &[(&str, &str)]) -> Answer {
    let answer = ask(server, form("/auth/token", pairs)).await;
    for (name, value) in [
        ("cache-control", "no-store"),
        ("pragma", "no-cache"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(answer.header(name), value);
    }
    answer
}

/// The whole way: a code, and the tokens for it.
async fn tokens(server: &FhirServer, changes: &[(&str, &str)]) -> Value {
    let code = code_for(server, changes).await;
    let answer = token(server, &exchange(&code, &[])).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The status of a read with a token.
async fn reads(server: &FhirServer, tokens: &Value, path: &str) -> u16 {
    let token = tokens["access_token"].as_str().unwrap();
    let request = get(&format!("/fhir/{path}")).insert_header(("Authorization", format!("Bearer {token}")));
    ask(server, request).await.checked()
}

/// It is refused with that error.
#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str, name: &str) {
    assert_eq!(
        (answer.status, answer.json()["error"].as_str().unwrap()),
        (status, error),
        "{name}: {}",
        answer.text()
    );
}

/// The claims of a token.
fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
