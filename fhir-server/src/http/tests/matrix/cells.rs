//! What is asked, from the table of routes and the definitions of operations.
//!
//! Invariant: a route or an operation without a row here fails the test.

use serde_json::{Value, json};

use super::records::{PATIENTS, Record, TENANTS};
use crate::http::routes::{BodyKind, Route};
use crate::interaction::Level;
use crate::interaction::uri::with_query;
use crate::operation::{Offered, Operations};
use crate::search::compartment;
use crate::store::ResourceType;

/// What who may is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The record.
    Record,
    /// That it is done.
    Done,
    /// Something, be it that the question makes no sense.
    Something,
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) method: String,
    /// Below the base.
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<(&'static str, String)>,
    pub(super) told: Told,
    /// Whether the URL names the record and nothing else, so that it must be refused to who may not.
    pub(super) named: bool,
}

impl Cell {
    fn new(route: &Route, url: String, told: Told) -> Cell {
        Cell {
            method: route.method.to_string(),
            url,
            headers: Vec::new(),
            body: None,
            told,
            named: false,
        }
    }
    fn with_body(mut self, kind: &'static str, body: &Value) -> Cell {
        self.body = Some((kind, body.to_string()));
        self
    }
    fn with_form(mut self, form: String) -> Cell {
        self.body = Some(("application/x-www-form-urlencoded", form));
        self
    }
    fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Cell {
        self.headers.push((name, value.into()));
        self
    }
    fn named(mut self) -> Cell {
        self.named = true;
        self
    }
}

const FHIR: &str = "application/fhir+json";
const PATCH: &str = "application/json-patch+json";

/// The requests of a route about a record; `language` is what a write puts into it.
pub(super) fn of_route(route: &Route, record: Record, language: &str) -> Vec<Cell> {
    use Told::{Done, Record as Shown, Something};
    let (name, id) = (record.resource_type.name(), record.id());
    let content = record.body(language);
    let cell = |url: String, told: Told| Cell::new(route, url, told);
    let patch = json!([{"op": "replace", "path": "/language", "value": language}]);
    // What does not speak of the record is asked for once.
    let once = |cells: Vec<Cell>| if name == "Patient" { cells } else { Vec::new() };
    match (route.method.as_str(), route.path) {
        ("GET", "/") => vec![cell(format!("?_type={name}&_id={id}"), Shown)],
        ("POST", "/") => bundles(record, &content)
            .into_iter()
            .map(|(body, told)| cell(String::new(), told).with_body(FHIR, &body))
            .collect(),
        ("GET", "/metadata") => once(vec![cell("/metadata".into(), Done)]),
        ("GET", "/_history") => once(vec![cell("/_history?_count=1000".into(), Done)]),
        ("POST", "/_search") => {
            vec![cell("/_search".into(), Shown).with_form(format!("_type={name}&_id={id}"))]
        }
        ("GET" | "POST", "/{op}") => once(operations(route, record, Level::System)),
        ("GET", "/{type}") => [
            (format!("_id={id}"), Shown),
            (
                format!("_tag=urn:matrix%7C{}&_include=*&_total=accurate", record.tag()),
                Shown,
            ),
            (format!("_id={id}&_summary=count"), Done),
            (format!("_id={id}&_format=xml&_sort=-_lastUpdated"), Shown),
        ]
        .into_iter()
        .map(|(query, told)| cell(format!("/{name}?{query}"), told))
        .collect(),
        ("POST", "/{type}") => {
            let mut new = content.clone();
            new.as_object_mut().unwrap().remove("id");
            let create = cell(format!("/{name}"), Done).with_body(FHIR, &new);
            let conditional = create.clone().with_header("If-None-Exist", format!("_id={id}"));
            vec![create, conditional]
        }
        ("PUT", "/{type}") => vec![cell(format!("/{name}?_id={id}"), Done).with_body(FHIR, &content)],
        ("PATCH", "/{type}") => vec![cell(format!("/{name}?_id={id}"), Done).with_body(PATCH, &patch)],
        ("DELETE", "/{type}") => vec![cell(format!("/{name}?_id={id}"), Done)],
        ("POST", "/{type}/_search") => {
            vec![cell(format!("/{name}/_search"), Shown).with_form(format!("_id={id}"))]
        }
        ("GET", "/{type}/_history") => vec![cell(format!("/{name}/_history?_count=1000"), Shown)],
        ("GET" | "POST", "/{type}/{op}") => operations(route, record, Level::Type),
        ("GET", "/{type}/{id}") => {
            let read = cell(format!("/{name}/{id}"), Shown).named();
            let mut head = read.clone();
            head.method = "HEAD".into();
            head.told = Done;
            let mut native = read.clone().with_header("Accept", "text/plain");
            native.told = if name == "Binary" { Shown } else { Something };
            let cached = Cell {
                told: Done,
                ..read.clone().with_header("If-None-Match", "W/\"2\"")
            };
            let mut xml = read.clone();
            xml.url.push_str("?_format=xml&_summary=data");
            vec![read, head, native, cached, xml]
        }
        ("PUT", "/{type}/{id}") => {
            let put = cell(format!("/{name}/{id}"), Shown).with_body(FHIR, &content);
            vec![put.with_header("Prefer", "return=representation").named()]
        }
        ("PATCH", "/{type}/{id}") => {
            let patched = cell(format!("/{name}/{id}"), Shown).with_body(PATCH, &patch);
            vec![patched.with_header("Prefer", "return=representation").named()]
        }
        ("DELETE", "/{type}/{id}") => vec![cell(format!("/{name}/{id}"), Done).named()],
        ("GET" | "POST", "/{type}/{id}/{op}") => operations(route, record, Level::Instance),
        ("GET", "/{type}/{id}/_history") => vec![cell(format!("/{name}/{id}/_history"), Shown).named()],
        ("GET", "/{type}/{id}/_history/{vid}") => {
            vec![cell(format!("/{name}/{id}/_history/1"), Shown).named()]
        }
        ("GET", "/{type}/{id}/{member}") => vec![cell(
            format!("/Patient/{}/{name}", PATIENTS[record.patient]),
            member(record),
        )],
        ("POST", "/{type}/{id}/{member}/_search") => {
            let url = format!("/Patient/{}/{name}/_search", PATIENTS[record.patient]);
            vec![cell(url, member(record)).with_form(format!("_id={id}"))]
        }
        _ => panic!("the authorization matrix has no row for {route:?}: add one in matrix/cells.rs"),
    }
}

fn member(record: Record) -> Told {
    let centre = ResourceType::from_name("Patient").unwrap();
    match compartment::members(centre).contains(&record.resource_type) {
        true => Told::Record,
        false => Told::Something,
    }
}

/// Bundles of requests about a record.
fn bundles(record: Record, content: &Value) -> Vec<(Value, Told)> {
    let url = format!("{}/{}", record.resource_type.name(), record.id());
    let entry = |method: &str| json!({"request": {"method": method, "url": url}});
    let bundle =
        |kind: &str, entries: Vec<Value>| json!({"resourceType": "Bundle", "type": kind, "entry": entries});
    let mut put = entry("PUT");
    put["resource"] = content.clone();
    let mut search = entry("GET");
    search["request"]["url"] = json!(format!("{}?_id={}", record.resource_type.name(), record.id()));
    vec![
        (
            bundle("batch", vec![entry("GET"), search.clone(), put.clone()]),
            Told::Record,
        ),
        (bundle("transaction", vec![entry("GET"), search]), Told::Record),
        (bundle("transaction", vec![put, entry("GET")]), Told::Record),
    ]
}

/// The requests of the operations that a route can ask for.
fn operations(route: &Route, record: Record, level: Level) -> Vec<Cell> {
    let (name, id) = (record.resource_type.name(), record.id());
    let on = (level != Level::System).then_some(name);
    let place = match level {
        Level::System => String::new(),
        Level::Type => format!("/{name}"),
        Level::Instance => format!("/{name}/{id}"),
    };
    let all = Operations::builtin();
    let get = route.body == BodyKind::None;
    let offered = all
        .all()
        .filter(|offered| offered.runs_on(level, on) && !(get && offered.affects_state()))
        // What it says is in no way about what is stored, and takes long to say.
        .filter(|offered| offered.operation.code() != "openapi" || level == Level::System && get);
    offered
        .map(|offered| {
            let (arguments, told) = arguments(offered, record, level);
            let url = format!("{place}/${}", offered.operation.code());
            // Search parameters stand in the URL whatever the method.
            let (in_url, in_body): (Vec<_>, Vec<_>) = arguments
                .into_iter()
                .partition(|(_, kind, _)| get || kind.is_empty());
            let pairs: Vec<_> = in_url.into_iter().map(|(name, _, value)| (name, value)).collect();
            let url = with_query(url, &pairs);
            let body = (!get).then(|| (FHIR, parameters(&in_body).to_string()));
            let mut cell = Cell::new(route, url, told);
            cell.body = body;
            // What can be said of codes alone is said whatever is stored.
            cell.named = level == Level::Instance && told != Told::Something;
            cell
        })
        .collect()
}

fn parameters(arguments: &[Argument]) -> Value {
    let sent = arguments.iter().map(|(name, kind, value)| match *kind {
        "resource" | "valueMeta" => {
            json!({"name": name, *kind: serde_json::from_str::<Value>(value).unwrap()})
        }
        kind => json!({"name": name, kind: value}),
    });
    let sent: Vec<Value> = sent.collect();
    match sent.is_empty() {
        true => json!({"resourceType": "Parameters"}),
        false => json!({"resourceType": "Parameters", "parameter": sent}),
    }
}

/// Name, how it is sent in Parameters (nothing: as a search parameter), and value.
type Argument = (String, &'static str, String);

/// What an operation is asked about the record with, and what who may is answered.
fn arguments(offered: &Offered, record: Record, level: Level) -> (Vec<Argument>, Told) {
    let patient = format!("Patient/{}", PATIENTS[record.patient]);
    let one = |name: &str, kind: &'static str, value: String| vec![(name.to_owned(), kind, value)];
    let tag = json!({"tag": [{"system": "urn:matrix", "code": "another"}]}).to_string();
    match (offered.operation.code(), level) {
        ("batch-validate-code", _) => (Vec::new(), Told::Something),
        ("expand" | "lookup" | "subsumes" | "translate" | "validate-code", _) => {
            let inputs = offered.definition.parameter.iter();
            let inputs = inputs.filter(|p| p.use_.as_str() == Some("in"));
            let named = inputs.filter_map(|p| p.name.as_str());
            let tried = named.filter_map(|name| {
                let kind = if matches!(name, "url" | "system") {
                    "valueUri"
                } else {
                    "valueCode"
                };
                Some((name.to_owned(), kind, offered.operation.example(name)?.to_owned()))
            });
            (tried.collect(), Told::Something)
        }
        ("check", _) => {
            let mut asked = one("patient", "valueString", patient);
            asked.extend(one("actor", "valueString", "Practitioner/dr-a".into()));
            (asked, Told::Done)
        }
        ("diff", _) => (
            [
                one("fromVersion", "valueString", "1".into()),
                one("toVersion", "valueString", "2".into()),
            ]
            .concat(),
            Told::Record,
        ),
        ("everything", _) => (Vec::new(), Told::Record),
        ("graphql", Level::Instance) => (
            one("query", "valueString", "{ id language }".into()),
            Told::Record,
        ),
        ("graphql", _) => {
            let (name, id) = (record.resource_type.name(), record.id());
            let query =
                format!("{{ {name}(id: \"{id}\") {{ language }} {name}List(_id: \"{id}\") {{ language }} }}");
            (one("query", "valueString", query), Told::Record)
        }
        ("lastn", _) => (one("patient", "", patient), Told::Record),
        ("meta", Level::Instance) => (Vec::new(), Told::Record),
        ("meta", _) => (Vec::new(), Told::Something),
        ("meta-add" | "meta-delete", _) => (one("meta", "valueMeta", tag), Told::Record),
        // An operator alone does it: who may read the record may not.
        ("purge", _) => (Vec::new(), Told::Something),
        ("openapi", _) => (Vec::new(), Told::Something),
        ("status", _) => (Vec::new(), Told::Something),
        ("validate", Level::Instance) => (Vec::new(), Told::Done),
        ("validate", _) => (
            one(
                "resource",
                "resource",
                json!({"resourceType": record.resource_type.name()}).to_string(),
            ),
            Told::Something,
        ),
        (code, _) => {
            panic!("the authorization matrix has no row for the operation {code}: add one in matrix/cells.rs")
        }
    }
}

/// The path of the base of the record's organisation.
pub(super) fn base(record: Record) -> &'static str {
    TENANTS[record.tenant].0
}
