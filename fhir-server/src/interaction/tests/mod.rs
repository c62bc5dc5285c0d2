//! The interactions from request to response, over each back end, with a fixed clock and fixed ids.

mod audit_counts;
mod audit_profiles;
mod audit_views;
mod audits;
mod batches;
mod binaries;
mod capabilities;
mod chains;
mod compartments;
mod conditionals;
mod consent;
mod counted;
mod definitions;
mod entries;
mod examples;
mod explains;
mod hidden;
mod histories;
mod hostile;
mod includes;
mod mutations;
mod operations;
mod page_links;
mod pages;
mod parameters;
mod patches;
mod policies;
mod provenances;
mod purges;
mod races;
mod reads;
mod record;
mod records;
mod replays;
mod searches;
mod sorts;
mod strictness;
mod terminology;
mod terminology_suite;
mod transactions;
mod validations;
mod views;
mod writes;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use serde_json::Value;

use super::{EntityTags, Format, Payload, Request, RequestBody, Response, dispatch, entry, outcome};
use crate::context::{Clock, Context, Millis, Principal};
use crate::engine::memory::MemoryStore;
use crate::engine::{Check, Engine, IdSource, Session, Settings};
use crate::error::{Error, ErrorCode};
use crate::policy::{PermitAll, Policy};
use crate::store::{Filter, HistoryQuery, HistoryScope, Store};

/// Stands still until it is moved.
pub(super) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::Relaxed))
    }
}

/// `id-1`, `id-2` and so on.
#[derive(Default)]
pub(super) struct CountedIds(AtomicUsize);

impl IdSource for CountedIds {
    fn new_id(&self) -> String {
        format!("id-{}", self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// A server without HTTP.
pub(super) struct TestServer {
    pub(super) clock: Arc<TestClock>,
    pub(super) store: Arc<dyn Store>,
    pub(super) engine: Engine,
}

pub(super) const BASE: &str = "http://localhost/fhir";

impl TestServer {
    /// Updates may create; everybody may do everything; it is half past nine on 23 November 2026.
    pub(super) fn new() -> Self {
        TestServer::with(|settings| settings.update_as_create = true)
    }

    /// The same, and what is written is held against nothing beyond what reading asks.
    pub(super) fn lenient() -> Self {
        TestServer::with(|settings| {
            settings.update_as_create = true;
            settings.validation.all.level = Check::Off;
        })
    }

    pub(super) fn with(set: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        set(&mut settings);
        TestServer::with_policy(settings, Arc::new(PermitAll))
    }

    pub(super) fn with_policy(settings: Settings, policy: Arc<dyn Policy>) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(1_795_426_200_000)));
        TestServer::over(fresh(clock.clone()), clock, settings, policy)
    }

    pub(super) fn over(
        store: Arc<dyn Store>,
        clock: Arc<TestClock>,
        settings: Settings,
        policy: Arc<dyn Policy>,
    ) -> Self {
        let engine = Engine::new(store.clone(), policy, settings).with_ids(Arc::new(CountedIds::default()));
        TestServer { clock, store, engine }
    }

    /// How many versions of resources there are in all.
    pub(super) fn versions(&self) -> u64 {
        block_on(async {
            let everything = HistoryQuery::new(HistoryScope::System, 0, Filter::All);
            let snapshot = self.store.snapshot(self.context().tenant).await.unwrap();
            snapshot.history_total(&everything, u64::MAX).await.unwrap()
        })
    }

    pub(super) fn pass_seconds(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    pub(super) fn context(&self) -> Context {
        let mut context = Context::new(Principal::sandbox_clinician(), "request-1");
        context.clock = self.clock.clone();
        context
    }

    pub(super) fn session(&self) -> Session {
        self.engine.session(self.context())
    }

    pub(super) fn send(&self, request: &Request) -> Result<Response, Error> {
        self.send_in(self.session(), request)
    }

    pub(super) fn send_in(&self, mut session: Session, request: &Request) -> Result<Response, Error> {
        block_on(dispatch(&mut session, request))
    }

    pub(super) fn get(&self, url: &str) -> Result<Response, Error> {
        self.send(&request("GET", url))
    }

    /// The JSON that a GET gives.
    pub(super) fn json(&self, url: &str) -> Value {
        json(&self.get(url).unwrap())
    }

    pub(super) fn post(&self, url: &str, body: &str) -> Result<Response, Error> {
        self.send(&with_body(request("POST", url), body))
    }

    pub(super) fn put(&self, url: &str, body: &str) -> Result<Response, Error> {
        self.send(&with_body(request("PUT", url), body))
    }

    pub(super) fn delete(&self, url: &str) -> Result<Response, Error> {
        self.send(&request("DELETE", url))
    }

    /// Sends a Bundle to the base.
    pub(super) fn bundle(&self, bundle: &Value) -> Result<Response, Error> {
        let request = Request::new(super::Interaction::Transaction, BASE);
        self.send(&with_body(request, &bundle.to_string()))
    }
}

/// A fresh database: in memory, or in another back end's where this file is compiled as `tests_on_…`.
pub(super) fn fresh(clock: Arc<TestClock>) -> Arc<dyn Store> {
    if module_path!().contains("tests_on_sqlite") {
        sqlite(clock)
    } else if module_path!().contains("tests_on_postgres") {
        postgres(clock)
    } else {
        Arc::new(MemoryStore::new(clock))
    }
}

/// Where there is no PostgreSQL, that is said, and the test runs in memory once more.
#[cfg(feature = "postgres")]
fn postgres(clock: Arc<TestClock>) -> Arc<dyn Store> {
    let Some(url) = crate::store::postgres_for_tests() else {
        return Arc::new(MemoryStore::new(clock));
    };
    let options = crate::store::StoreOptions {
        clock,
        ..crate::store::StoreOptions::default()
    };
    crate::store::open(&url, &options).unwrap()
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: Arc<TestClock>) -> Arc<dyn Store> {
    unreachable!("these tests are compiled for PostgreSQL only with the feature")
}

#[cfg(feature = "sqlite")]
fn sqlite(clock: Arc<TestClock>) -> Arc<dyn Store> {
    thread_local! {
        /// A test has a thread of its own, and the folder goes with it.
        static FOLDER: tempfile::TempDir = tempfile::TempDir::new().unwrap();
    }
    static DATABASES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("{}.db", DATABASES.fetch_add(1, Ordering::Relaxed));
    let url = crate::store::DatabaseUrl::Sqlite(FOLDER.with(|folder| folder.path().join(name)));
    let options = crate::store::StoreOptions {
        clock,
        ..crate::store::StoreOptions::default()
    };
    crate::store::open(&url, &options).unwrap()
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: Arc<TestClock>) -> Arc<dyn Store> {
    unreachable!("these tests are compiled for SQLite only with the feature")
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// A request by its method and URL, as in an entry of a Bundle.
pub(super) fn request(method: &str, url: &str) -> Request {
    entry::request_of(method, url, BASE).unwrap()
}

pub(super) fn with_body(mut request: Request, body: &str) -> Request {
    request.body = Some(RequestBody::Fhir(Format::Json, body.to_owned().into()));
    request
}

pub(super) fn versions(tags: &[&str]) -> Option<EntityTags> {
    Some(EntityTags::Versions(tags.iter().map(|&t| t.to_owned()).collect()))
}

pub(super) fn text(response: &Response) -> String {
    match &response.payload {
        Payload::Json(json) => String::from_utf8(json.clone()).unwrap(),
        other => panic!("no content: {other:?}"),
    }
}

pub(super) fn json(response: &Response) -> Value {
    serde_json::from_str(&text(response)).unwrap()
}

/// Status, issue code and the first expression of an error.
pub(super) fn told(result: Result<Response, Error>) -> (u16, &'static str, String) {
    let error = result.unwrap_err();
    assert!(!error.issues.is_empty());
    assert!(error.issues.iter().all(|i| !i.diagnostics.is_empty()));
    let facts = error.code.facts();
    let place = error
        .issues
        .first()
        .and_then(|i| i.expression.clone())
        .unwrap_or_default();
    (facts.status, facts.issue, place)
}

/// All places and messages of an error, for reading.
pub(super) fn issues(result: Result<Response, Error>) -> Vec<(String, String)> {
    let issues = result.unwrap_err().issues;
    issues
        .into_iter()
        .map(|i| (i.expression.unwrap_or_default(), i.diagnostics))
        .collect()
}

pub(super) const PATIENT: &str = r#"{"resourceType":"Patient","name":[{"family":"Hale","given":["Ann"]}]}"#;

#[test]
fn every_error_code_makes_a_valid_outcome() {
    for code in ErrorCode::ALL {
        let error = Error::new(*code, "Why.").at("Patient.name[0]");
        let json = outcome::of_error(&error, &crate::engine::OutcomeSystems::default());
        let outcome = fhir_model::json::from_slice(&json).unwrap();
        assert_eq!(fhir_validate::Validator::new().validate(&outcome), []);
    }
}
