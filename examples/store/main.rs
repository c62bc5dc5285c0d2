//! A back end of your own: it keeps everything in memory, passes the suite that every back end has to pass, and serves FHIR.
//!
//! A database of your own is the same three parts: `View` reads a moment of a tenant, `Data` holds conditions and does writes, and
//! `MemoryStore` makes one step of a commit. Only what the contract says of a loss of power cannot be had in memory.
//!
//! ```sh
//! cargo run -p examples --bin store
//! curl -H 'Content-Type: application/fhir+json' -d '{"resourceType":"Patient"}' http://127.0.0.1:8080/fhir/Patient
//! ```

mod data;
mod view;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use fhir_server::FhirServer;
use fhir_server::config::Config;
use fhir_server::context::{Clock, SystemClock, TenantId};
use fhir_server::error::{Error, ErrorCode, Result};
use fhir_server::policy::PermitAll;
use fhir_server::store::{Commit, Outcome, Refusal, ResourceType, Snapshot, Store, Write};
use futures_util::future::BoxFuture;

use crate::data::{Data, Refused};
use crate::view::{View, at_once};

/// Everything of all tenants.
#[derive(Default)]
struct State {
    tenants: HashMap<TenantId, Arc<Data>>,
    full_text: bool,
}

/// A store in memory.
struct MemoryStore {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    secret: [u8; 32],
}

impl MemoryStore {
    fn new(clock: Arc<dyn Clock>) -> Result<Self> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(Error::internal)?;
        Ok(MemoryStore {
            state: Mutex::default(),
            clock,
            secret,
        })
    }

    /// Whoever held it before and failed has changed nothing: a commit ends with one assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn committed(&self, tenant: TenantId, commit: Commit) -> std::result::Result<Vec<Outcome>, Refusal> {
        if let Some(refusal) = commit.misplaced() {
            return Err(refusal);
        }
        let mut state = self.state();
        if commit.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            let busy = Error::new(ErrorCode::Unavailable, "The server is busy; try again later.");
            return Err(Refusal::Failed(busy));
        }
        let now = self.clock.now();
        let mut data = state
            .tenants
            .get(&tenant)
            .map_or_else(Data::default, |data| Data::clone(data));
        for (index, expect) in commit.expects.iter().enumerate() {
            let held = data.check(expect, now);
            held.map_err(|current| Refusal::Expectation { index, current })?;
        }
        let mut full_text = state.full_text;
        let mut outcomes = Vec::new();
        for (index, write) in commit.writes.into_iter().enumerate() {
            if let Write::FullText(kept) = &write {
                full_text = *kept;
            }
            let outcome = data
                .write(write, &outcomes, now)
                .map_err(|refused| match refused {
                    Refused::Conflict => Refusal::Write { index },
                    Refused::Unknown => {
                        let text = "This store does not know a write of this release.";
                        Refusal::Failed(Error::new(ErrorCode::NotSupported, text))
                    }
                })?;
            outcomes.push(outcome);
        }
        state.tenants.insert(tenant, Arc::new(data));
        if full_text && !state.full_text {
            let all = state.tenants.values_mut();
            all.for_each(|data| Arc::make_mut(data).indexed_to = Some(0));
        }
        state.full_text = full_text;
        Ok(outcomes)
    }
}

impl Store for MemoryStore {
    fn snapshot(&self, tenant: TenantId) -> BoxFuture<'_, Result<Box<dyn Snapshot>>> {
        let data = self.state().tenants.get(&tenant).cloned().unwrap_or_default();
        let clock = self.clock.clone();
        at_once(Ok(Box::new(View { data, clock }) as Box<dyn Snapshot>))
    }

    fn commit(
        &self,
        tenant: TenantId,
        commit: Commit,
    ) -> BoxFuture<'_, std::result::Result<Vec<Outcome>, Refusal>> {
        at_once(self.committed(tenant, commit))
    }

    fn unindexed(&self) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>>> {
        let state = self.state();
        let tenants = state.tenants.iter();
        at_once(Ok(tenants
            .filter_map(|(tenant, data)| Some((*tenant, data.indexed_to?)))
            .collect()))
    }

    fn audited(&self) -> BoxFuture<'_, Result<Vec<TenantId>>> {
        let state = self.state();
        let told = state.tenants.iter().filter(|(_, data)| !data.trail.is_empty());
        at_once(Ok(told.map(|(tenant, _)| *tenant).collect()))
    }

    fn full_text(&self) -> BoxFuture<'_, Result<bool>> {
        at_once(Ok(self.state().full_text))
    }

    fn defining(&self, of: ResourceType) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>>> {
        let state = self.state();
        let epochs = state
            .tenants
            .iter()
            .map(|(tenant, data)| (*tenant, data.epochs.of(of)));
        at_once(Ok(epochs.filter(|(_, epoch)| *epoch != 0).collect()))
    }

    fn ready(&self) -> BoxFuture<'_, Result<()>> {
        at_once(Ok(()))
    }

    fn secret(&self) -> [u8; 32] {
        self.secret
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        at_once(())
    }
}

async fn server() -> Result<FhirServer> {
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock))?);
    let mut config = Config::default();
    config.sandbox.enabled = true;
    let builder = FhirServer::builder().config(config).store(store);
    builder.policy(PermitAll).build().await
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    fhir_server::server::run(async {
        let running = server().await?.listen()?;
        println!("http://127.0.0.1:8080/fhir");
        running.until(std::future::pending()).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::App;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use fhir_server::store::conformance;

    #[actix_web::test]
    async fn the_store_does_what_every_back_end_must() {
        let ran = conformance::run(|clock| {
            let store = MemoryStore::new(clock);
            std::future::ready(store.map(|store| Arc::new(store) as Arc<dyn Store>))
        });
        assert_eq!(ran.await, Ok(()));
    }

    #[actix_web::test]
    async fn a_server_on_it_writes_finds_and_tells() {
        let server = server().await.unwrap();
        let app = init_service(App::new().configure(|app| server.configure(app))).await;
        let send = |request: TestRequest| {
            let json = ("Content-Type", "application/fhir+json");
            let request = request.insert_header(("Host", "localhost")).insert_header(json);
            call_service(&app, request.to_request())
        };
        let put = |path: &str, body: &'static str| send(TestRequest::put().uri(path).set_payload(body));

        let amira = r#"{"resourceType":"Patient","id":"a","name":[{"family":"Khan"}]}"#;
        assert_eq!(put("/fhir/Patient/a", amira).await.status(), 201);
        assert_eq!(put("/fhir/Patient/a", amira).await.status(), 200);
        let renamed = r#"{"resourceType":"Patient","id":"a","name":[{"family":"Shah"}]}"#;
        let stale = TestRequest::put().uri("/fhir/Patient/a").set_payload(renamed);
        assert_eq!(
            send(stale.insert_header(("If-Match", "W/\"7\""))).await.status(),
            412
        );
        let encounter = r#"{"resourceType":"Encounter","id":"e","status":"finished",
            "class":{"code":"AMB"},"subject":{"reference":"Patient/a"}}"#;
        assert_eq!(put("/fhir/Encounter/e", encounter).await.status(), 201);

        for (question, total) in [
            ("Encounter?subject:Patient.family=khan", 1),
            ("Encounter?subject:Patient.family=shah", 0),
            ("Patient?_has:Encounter:subject:status=finished", 1),
            ("AuditEvent?entity=Encounter/e", 1),
        ] {
            let answer = send(TestRequest::get().uri(&format!("/fhir/{question}"))).await;
            assert_eq!(answer.status(), 200, "{question}");
            let body = read_body(answer).await;
            let text = str::from_utf8(&body).unwrap();
            assert!(text.contains(&format!("\"total\":{total}")), "{question}: {text}");
        }
    }
}
