//! A server in this process, a topic's resources in it, its clock standing still while cases are asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::body::to_bytes;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, dev::Service};
use fhir_server::config::Config;
use fhir_server::context::{Clock, Millis};
use fhir_server::engine::Check;
use fhir_server::policy::PermitAll;
use fhir_server::store::{DatabaseUrl, StoreOptions, open};
use fhir_server::{FhirServer, store::Store};
use serde_json::Value;

use crate::answer::Answer;
use crate::table::{Case, Topic};

/// The FHIR base as the cases know it.
pub(crate) const BASE: &str = "http://localhost:8080/fhir";

/// 2026-11-23T09:00:00Z: the first resource is written.
const START: i64 = 1_795_424_400_000;
/// 2026-11-26T12:00:00Z: the cases are asked.
const ASKED: i64 = 1_795_694_400_000;
/// Between two resources.
const MINUTE: i64 = 60_000;
/// More pages than any case has.
const PAGES: usize = 40;

/// Stands still until it is moved.
struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::Relaxed))
    }
}

/// A server that holds a topic's resources.
pub(crate) struct Server(FhirServer);

impl Server {
    /// Writes the topic's resources into an empty database.
    pub(crate) async fn with(topic: &Topic, database: &DatabaseUrl) -> Server {
        let clock = Arc::new(Set(AtomicI64::new(START)));
        let mut options = StoreOptions::default();
        options.clock = clock.clone();
        let store: Arc<dyn Store> = open(database, &options).unwrap();
        let server = Server::over(store.clone(), topic.config.as_ref(), &clock).await;
        for (resource, time) in topic.resources.iter().zip((START..).step_by(60_000)) {
            clock.0.store(time, Ordering::Relaxed);
            let answer = server.write(resource).await;
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error}: {resource}", topic.name));
            assert!(
                answer.status < 300,
                "{}: {} {} for {resource}",
                topic.name,
                answer.status,
                answer.body
            );
        }
        let last = START + MINUTE * i64::try_from(topic.resources.len()).unwrap();
        assert!(last < ASKED, "{} has too many resources", topic.name);
        clock.0.store(ASKED, Ordering::Relaxed);
        match &topic.then {
            Some(then) => Server::over(store, Some(then), &clock).await,
            None => server,
        }
    }

    async fn over(store: Arc<dyn Store>, config: Option<&Value>, clock: &Arc<Set>) -> Server {
        let config = config.cloned().map(serde_json::from_value::<Config>);
        let mut config = config.transpose().unwrap().unwrap_or_default();
        config.sandbox.enabled = true;
        // The cases speak of AuditEvent as of any type.
        config.audit.enabled = false;
        // A case has what its search is about, and not all that R4 asks of a resource besides.
        config.validation.level = Check::Off;
        let builder = FhirServer::builder()
            .config(config)
            .store(store)
            .policy(PermitAll);
        Server(builder.clock(clock.clone()).build().await.unwrap())
    }

    async fn write(&self, resource: &Value) -> Result<Answer, String> {
        if let Some(name) = resource["delete"].as_str() {
            return self.send(request("DELETE", &format!("/fhir/{name}"))).await;
        }
        let part = |name: &str| resource[name].as_str().unwrap_or_default();
        let path = format!("/fhir/{}/{}", part("resourceType"), part("id"));
        let request = request("PUT", &path)
            .insert_header(("Content-Type", "application/fhir+json"))
            .set_payload(resource.to_string());
        self.send(request).await
    }

    /// The answer to a case; all pages of it where the case wants them.
    pub(crate) async fn pages(&self, case: &Case) -> Result<Vec<Answer>, String> {
        let (method, path) = case.request();
        let slash = if path.starts_with('?') || path.is_empty() {
            ""
        } else {
            "/"
        };
        let path = escaped(&path.replace("{base}", BASE));
        let mut first = request(method, &format!("/fhir{slash}{path}"));
        if let Some(prefer) = &case.prefer {
            first = first.insert_header(("Prefer", prefer.as_str()));
        }
        if let Some(form) = &case.form {
            first = first
                .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
                .set_payload(escaped(&form.replace("{base}", BASE)));
        }
        for (name, value) in &case.headers {
            first = first.insert_header((name.as_str(), value.as_str()));
        }
        if let Some(body) = &case.body {
            if !case.headers.contains_key("Content-Type") {
                first = first.insert_header(("Content-Type", "application/fhir+json"));
            }
            first = first.set_payload(body.as_str().map_or(body.to_string(), str::to_owned));
        }
        let mut pages = vec![self.send(first).await?];
        while case.expect.wants_pages() {
            let Some(next) = pages.last().and_then(|page| page.link("next")) else {
                break;
            };
            if pages.len() == PAGES {
                return Err("the pages do not end".into());
            }
            let path = next
                .strip_prefix("http://localhost:8080")
                .ok_or("the next link leads elsewhere")?;
            let page = self.send(request("GET", path)).await?;
            if page.status != 200 {
                return Err(format!("a next page answers {}: {}", page.status, page.body));
            }
            pages.push(page);
        }
        Ok(pages)
    }

    async fn send(&self, request: TestRequest) -> Result<Answer, String> {
        let app = init_service(App::new().configure(|app| self.0.configure(app))).await;
        let answer = app
            .call(request.to_request())
            .await
            .map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("?").to_owned()));
        let headers = headers.collect();
        let body = to_bytes(answer.into_body())
            .await
            .map_err(|_| "the body broke off")?;
        let body = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body).map_err(|error| format!("{status}: {error}"))?,
        };
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}

fn request(method: &str, path: &str) -> TestRequest {
    TestRequest::default()
        .method(method.parse().unwrap())
        .uri(path)
        .insert_header(("Host", "localhost:8080"))
}

/// With what a URL may not hold escaped, escapes left as they are.
fn escaped(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#' => {
                out.push_str(&format!("%{byte:02X}"));
            }
            byte if byte.is_ascii_graphic() => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
