//! The authorization matrix (S-040, S-041, S-047, S-054): records of every type of the CapabilityStatement, of three patients in each of two
//! organisations, asked for by every route and operation, as everybody who may not and as who may.
//!
//! Each record holds a canary. No answer, in its body or a header, holds one of a record that its caller may not see; nothing that a caller
//! may not change has changed; and who may is answered with the record, so that refusing everything does not pass.
//! `FHIR_TEST_LONG=1` asks about all types.

mod callers;
mod cells;
mod records;

use callers::{Caller, ISSUER};
use cells::{Cell, Told};
use records::{PATIENTS, Record, TENANTS, canaries};
use serde_json::Value;

use super::*;
use crate::config::{IssuerConfig, TenantConfig};
use crate::engine::Check;
use crate::policy::Chain;
use crate::search::compartment;
use crate::store::{DatabaseUrl, ResourceType, Store, StoreOptions, open};
use crate::token::testing::jwks;

/// What cannot be told who may, and why.
const EXCEPTIONS: [(&str, &str); 1] = [(
    "AuditEvent",
    "it is made from the audit trail when it is read, and nobody writes it",
)];

/// Types that a short run asks about.
const SHORT: [&str; 8] = [
    "AuditEvent",
    "Binary",
    "Consent",
    "DocumentReference",
    "Observation",
    "Patient",
    "Task",
    "ValueSet",
];

fn config(folder: &std::path::Path) -> Config {
    let mut config = Config::default();
    config.listen.public_base_url = Some(callers::base(0));
    config.validation.level = Check::Off;
    config.throttle.bad_tokens = None;
    // `$meta` of all that there is takes long where nearly everything has a tag of its own.
    config.deadlines.request = std::time::Duration::from_secs(600);
    let keys = folder.join("jwks.json");
    config.tokens.issuers.push(IssuerConfig::new(ISSUER, keys));
    config.tenants = vec![TenantConfig::new("beta", TENANTS[1].1)];
    config
}

async fn over(store: Arc<dyn Store>, config: Config, policy: impl Policy + 'static) -> FhirServer {
    let builder = FhirServer::builder().config(config).store(store).policy(policy);
    builder.clock(Arc::new(Fixed)).build().await.unwrap()
}

/// The server under all rules, and one over the same data under none, to prepare it with.
async fn servers() -> (tempfile::TempDir, FhirServer, FhirServer) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("jwks.json"), jwks().to_string()).unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("matrix.sqlite"));
    let store = open(&url, &StoreOptions::default()).unwrap();
    let mut without_rules = config(folder.path());
    without_rules.audit.enabled = false;
    without_rules.interactions.update_as_create = Some(true);
    let without_rules = over(store.clone(), without_rules, PermitAll).await;
    let bound = over(store, config(folder.path()), Chain::standard()).await;
    (folder, bound, without_rules)
}

/// The types that the server says it has.
async fn types<S>(app: &S) -> Vec<ResourceType>
where
    S: Service<actix_http::Request, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    let capabilities = send_to(app, get("/fhir/metadata")).await.json();
    let resources = capabilities["rest"][0]["resource"].as_array().unwrap();
    let named = |r: &Value| ResourceType::from_name(r["type"].as_str().unwrap()).unwrap();
    let mut types: Vec<ResourceType> = resources.iter().map(named).collect();
    assert!(types.len() > 140, "{}", types.len());
    // Who looks after a patient is asked of the patient's record, so that it is deleted last.
    types.sort_by_key(|t| (t.name() == "Patient", t.name()));
    types
}

fn is_long() -> bool {
    std::env::var_os("FHIR_TEST_LONG").is_some()
}

/// The types of this run: all, or some of them.
fn chosen(types: Vec<ResourceType>) -> Vec<ResourceType> {
    if is_long() {
        return types;
    }
    types.into_iter().filter(|t| SHORT.contains(&t.name())).collect()
}

struct Matrix<'m, B, O> {
    bound: &'m B,
    open: &'m O,
    asked: usize,
    shown: usize,
    problems: Vec<String>,
}

impl<B, O> Matrix<'_, B, O>
where
    B: Service<actix_http::Request, Response = ServiceResponse<BoxBody>, Error = Error>,
    O: Service<actix_http::Request, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    /// Writes, under no rules.
    async fn put(&self, tenant: usize, body: &Value) {
        let (name, id) = (
            body["resourceType"].as_str().unwrap(),
            body["id"].as_str().unwrap(),
        );
        let url = format!("{}/{name}/{id}", TENANTS[tenant].0);
        let token = Caller::Allowed.token(Record {
            tenant,
            patient: 0,
            resource_type: ResourceType::from_name("Patient").unwrap(),
        });
        let put = with_json("PUT", &url, &body.to_string()).insert_header(("Authorization", token.unwrap()));
        let answer = send_to(self.open, put).await;
        assert!(answer.checked() < 300, "{url}: {}", answer.text());
    }

    async fn prepare(&self, types: &[ResourceType]) {
        for tenant in 0..TENANTS.len() {
            for body in records::surroundings() {
                self.put(tenant, &body).await;
            }
            for &resource_type in types {
                for patient in 0..PATIENTS.len() {
                    let record = Record {
                        tenant,
                        patient,
                        resource_type,
                    };
                    for version in ["1", "2"] {
                        let language = format!("{}{version}", record.canary());
                        self.put(tenant, &record.body(&language)).await;
                    }
                }
            }
        }
    }

    /// Asks everything about a record, as everybody.
    async fn ask(&mut self, record: Record) {
        for caller in Caller::ALL {
            let token = caller.token(record);
            let language = match caller.may() {
                true => format!("{}3", record.canary()),
                false => "intruder".to_owned(),
            };
            let before = self.stored(record).await;
            for route in crate::http::routes::ROUTES {
                for cell in cells::of_route(route, record, &language) {
                    self.one(record, caller, token.as_deref(), &cell).await;
                }
            }
            if caller.is_denied(record) {
                assert_eq!(self.stored(record).await, before, "{caller:?} {record:?}");
            }
        }
    }

    async fn one(&mut self, record: Record, caller: Caller, token: Option<&str>, cell: &Cell) {
        let mut request = request(&cell.method, &format!("{}{}", cells::base(record), cell.url));
        if let Some(token) = token {
            request = request.insert_header(("Authorization", token.to_owned()));
        }
        for (name, value) in &cell.headers {
            request = request.insert_header((*name, value.clone()));
        }
        if let Some((kind, body)) = &cell.body {
            request = request
                .insert_header(("Content-Type", *kind))
                .set_payload(body.clone());
        }
        let answer = send_to(self.bound, request).await;
        self.asked += 1;
        let headers = answer
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value:?}\n"));
        let whole = headers.collect::<String>() + &String::from_utf8_lossy(&answer.body);
        let mut problem = leak(record, caller, &whole);
        if caller.is_denied(record) {
            problem = problem.or(refused(&answer, cell));
        } else if caller == Caller::Allowed || (caller == Caller::Herself && is_hers(record)) {
            let shows = canaries(&whole).contains(&record.own());
            problem = problem.or(answered(record, caller, cell, &answer, shows));
            self.shown += usize::from(shows);
        }
        if !caller.is_denied(record) && !matches!(cell.method.as_str(), "GET" | "HEAD") && answer.status < 300
        {
            let language = format!("{}2", record.canary());
            self.put(record.tenant, &record.body(&language)).await;
        }
        if let Some(problem) = problem {
            self.problems.push(format!(
                "{problem}: {caller:?} {record:?} {} {} {:?}\n    {} {:.400}",
                cell.method,
                cell.url,
                cell.body,
                answer.status,
                String::from_utf8_lossy(&answer.body)
            ));
        }
    }

    /// The record as it is stored.
    async fn stored(&self, record: Record) -> Value {
        let url = format!(
            "{}/{}/{}",
            cells::base(record),
            record.resource_type.name(),
            record.id()
        );
        let token = Caller::Allowed.token(record).unwrap();
        let read = send_to(self.open, get(&url).insert_header(("Authorization", token))).await;
        assert_eq!(read.checked(), 200, "{record:?}");
        read.json()
    }
}

/// Whether the patient's own token, of the patient's level, reaches the record.
fn is_hers(record: Record) -> bool {
    let centre = ResourceType::from_name("Patient").unwrap();
    compartment::members(centre).contains(&record.resource_type)
}

/// What an answer holds that its caller may not see.
fn leak(record: Record, caller: Caller, whole: &str) -> Option<String> {
    let mut canaries = canaries(whole).into_iter();
    let foreign = canaries.find(|canary| !caller.may_see(record, *canary))?;
    Some(format!("a canary of {foreign:?}"))
}

/// Who may not is refused what names the record, and finds nothing by what does not.
fn refused(answer: &Answer, cell: &Cell) -> Option<String> {
    // A DELETE of what is not there is done, so that of what is hidden is too.
    let is_silent = cell.method == "DELETE" && answer.status == 204;
    let refusals = [401, 403, 404, 405, 406, 415];
    if cell.named && !is_silent && (!refusals.contains(&answer.status) || answer.headers.contains_key("etag"))
    {
        return Some("not refused".into());
    }
    if answer.status >= 500 && answer.status != 501 {
        return Some("a fault".into());
    }
    let found = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let is_counted = found["type"] == "searchset" && found["total"].as_i64().is_some_and(|total| total != 0);
    (cell.url.contains("_id=") && is_counted).then(|| "counted".into())
}

/// Who may is answered.
fn answered(record: Record, caller: Caller, cell: &Cell, answer: &Answer, shows: bool) -> Option<String> {
    let name = record.resource_type.name();
    let reads = matches!(cell.method.as_str(), "GET" | "HEAD");
    if EXCEPTIONS.iter().any(|(exception, _)| *exception == name) || (!reads && caller != Caller::Allowed) {
        return None;
    }
    let done = answer.status < 300 || answer.status == 304;
    match cell.told {
        Told::Record => (!done || !shows).then(|| "not answered".into()),
        Told::Done => (!done).then(|| "not done".into()),
        Told::Something => None,
    }
}

/// Asks about all records of an organisation.
async fn ask_about(tenant: usize) {
    let (_folder, bound, open) = servers().await;
    let bound = init_service(App::new().configure(|app| bound.configure(app))).await;
    let open = init_service(App::new().configure(|app| open.configure(app))).await;
    let types = chosen(types(&bound).await);
    let mut matrix = Matrix {
        bound: &bound,
        open: &open,
        asked: 0,
        shown: 0,
        problems: Vec::new(),
    };
    matrix.prepare(&types).await;
    let started = std::time::Instant::now();
    for (place, &resource_type) in types.iter().enumerate() {
        for patient in 0..PATIENTS.len() {
            if is_long() || patient == place % PATIENTS.len() {
                let record = Record {
                    tenant,
                    patient,
                    resource_type,
                };
                matrix.ask(record).await;
            }
        }
    }
    println!(
        "{} requests about {} types, {} of them answered with the record, in {:?}",
        matrix.asked,
        types.len(),
        matrix.shown,
        started.elapsed()
    );
    let problems = matrix.problems.iter().take(20);
    assert!(
        matrix.problems.is_empty(),
        "{} problems, of which the first are\n{}",
        matrix.problems.len(),
        problems.map(String::as_str).collect::<Vec<_>>().join("\n")
    );
    let (asked, shown) = if is_long() { (50_000, 10_000) } else { (1_000, 200) };
    assert!(matrix.asked >= asked && matrix.shown >= shown);
}

#[actix_web::test]
async fn s_040_nobody_is_answered_with_what_is_hidden_from_them_in_one_organisation() {
    ask_about(0).await;
}

#[actix_web::test]
async fn s_040_nobody_is_answered_with_what_is_hidden_from_them_in_the_other() {
    ask_about(1).await;
}
