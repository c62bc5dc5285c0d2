//! From a unit to what is to be done: one or several steps, each one transaction with its entry in the ledger.

use bytes::Bytes;
use fhir_model::reflect::Slot;
use fhir_model::{Bundle, BundleEntry, BundleEntryRequest, Primitive, Resource, Str, json, xml};
use fhir_server::error::{Error, ErrorCode, Issue, Result};
use fhir_server::interaction::{Format, Interaction, PreferReturn, Request, RequestBody};
use fhir_server::store::{ResourceType, is_id};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};

use crate::cli::input::{self, Unit};

/// What references may be relative to; they stay relative, so it shows nowhere.
const BASE: &str = "http://localhost/fhir";

/// One transaction.
pub(super) struct Step {
    /// The key of its entry in the ledger.
    pub(super) key: [u8; 32],
    pub(super) request: Request,
    /// How many resources it writes.
    pub(super) resources: u64,
    /// What it writes by name, so that two writes of one resource keep their order.
    pub(super) targets: Vec<String>,
    /// The entry of the batch or collection that it is.
    pub(super) entry: Option<usize>,
}

/// What has to be known of a resource before it is read in full.
#[derive(Deserialize)]
struct Glance {
    #[serde(rename = "resourceType")]
    resource_type: String,
    id: Option<serde_json::Value>,
    #[serde(rename = "type")]
    kind: Option<serde_json::Value>,
    #[serde(default)]
    entry: Vec<EntryGlance>,
}

#[derive(Deserialize)]
struct EntryGlance {
    resource: Option<IgnoredAny>,
    request: Option<RequestGlance>,
}

#[derive(Deserialize)]
struct RequestGlance {
    url: Option<serde_json::Value>,
}

/// What is to be done for a unit, in order.
///
/// A transaction, and a collection, are one step; a batch is one for each entry, as each stands alone; anything else is a
/// resource that is kept as it is.
pub(super) fn steps(unit: &Unit, max_bytes: usize) -> Result<Vec<Step>> {
    let key: [u8; 32] = Sha256::digest(&unit.text).into();
    let text = match unit.format {
        Format::Json => unit.text.clone(),
        Format::Xml => {
            let options = input::read_options(max_bytes);
            let read = xml::read(&unit.text, &options).map_err(unreadable)?;
            json::to_vec(&read.value).into()
        }
    };
    let glance = match serde_json::from_slice::<Glance>(&text) {
        Ok(glance) => glance,
        Err(error) => return Err(no_resource(&text, max_bytes, &error)),
    };
    let kind = glance.kind.as_ref().and_then(|kind| kind.as_str());
    match (glance.resource_type.as_str(), kind) {
        ("Bundle", Some("transaction")) => Ok(vec![transaction(text, key, &glance)]),
        ("Bundle", Some("batch")) => batch(&text, key, max_bytes),
        ("Bundle", Some("collection")) => collection(&text, key, max_bytes),
        _ => Ok(vec![single(text, key, &glance)?]),
    }
}

fn request(interaction: Interaction, text: Bytes) -> Request {
    let mut request = Request::new(interaction, BASE);
    request.prefer_return = Some(PreferReturn::Minimal);
    request.body = Some(RequestBody::Fhir(Format::Json, text));
    request
}

fn transaction(text: Bytes, key: [u8; 32], glance: &Glance) -> Step {
    let resources = glance.entry.iter().filter(|e| e.resource.is_some()).count();
    let urls = glance
        .entry
        .iter()
        .filter_map(|e| e.request.as_ref()?.url.as_ref()?.as_str());
    Step {
        key,
        request: request(Interaction::Transaction, text),
        resources: u64::try_from(resources).unwrap_or(u64::MAX),
        targets: urls.filter(|url| url.contains('/')).map(str::to_owned).collect(),
        entry: None,
    }
}

fn single(text: Bytes, key: [u8; 32], glance: &Glance) -> Result<Step> {
    let name = &glance.resource_type;
    let Some(resource_type) = ResourceType::from_name(name) else {
        let text = format!("{name:?} is no resource type of R4.");
        return Err(Error::new(ErrorCode::Structure, text).at("resourceType"));
    };
    let id = match &glance.id {
        None => None,
        Some(serde_json::Value::String(id)) if is_id(id) => Some(id.clone()),
        Some(other) => {
            let text = format!("{other} is no id: 1 to 64 letters, digits, `-` and `.`.");
            return Err(Error::new(ErrorCode::Structure, text).at(format!("{name}.id")));
        }
    };
    let interaction = match id {
        Some(_) => Interaction::Update,
        None => Interaction::Create,
    };
    let mut request = request(interaction, text);
    request.resource_type = Some(resource_type);
    let targets = id.iter().map(|id| format!("{name}/{id}")).collect();
    request.id = id;
    Ok(Step {
        key,
        request,
        resources: 1,
        targets,
        entry: None,
    })
}

/// A transaction of one entry for each entry, in the order of the methods.
fn batch(text: &[u8], key: [u8; 32], max_bytes: usize) -> Result<Vec<Step>> {
    let entries = read_bundle(text, max_bytes)?.entry;
    let mut order: Vec<(usize, BundleEntry)> = entries.into_iter().enumerate().collect();
    order.sort_by_key(|(_, entry)| rank(entry));
    let steps = order.into_iter().map(|(index, entry)| {
        let key = Sha256::new()
            .chain_update(key)
            .chain_update(index.to_string())
            .finalize();
        Step {
            entry: Some(index),
            ..of_entries(vec![entry], key.into())
        }
    });
    Ok(steps.collect())
}

fn rank(entry: &BundleEntry) -> usize {
    let method = entry.request.as_ref().and_then(|r| r.method.as_str());
    let order = ["DELETE", "POST", "PUT"];
    order
        .iter()
        .position(|&m| Some(m) == method)
        .unwrap_or(order.len())
}

/// One transaction that puts what has an id and posts what has none.
fn collection(text: &[u8], key: [u8; 32], max_bytes: usize) -> Result<Vec<Step>> {
    let mut entries = read_bundle(text, max_bytes)?.entry;
    for (index, entry) in entries.iter_mut().enumerate() {
        let Some(resource) = &entry.resource else {
            let text = "An entry of a collection without a resource cannot be loaded.";
            return Err(Error::new(ErrorCode::Invalid, text).at(format!("Bundle.entry[{index}]")));
        };
        let name = resource.type_name();
        let (method, url) = match id_of(resource) {
            Some(id) => ("PUT", format!("{name}/{id}")),
            None => ("POST", name.to_owned()),
        };
        entry.request = Some(Box::new(BundleEntryRequest {
            method: method.into(),
            url: Primitive::<Str>::from(url.as_str()),
            ..BundleEntryRequest::default()
        }));
        entry.search = None;
        entry.response = None;
    }
    Ok(vec![of_entries(entries, key)])
}

fn id_of(resource: &Resource) -> Option<String> {
    let resource = resource.as_complex();
    let (index, _) = resource.type_info().field("id")?;
    match resource.slot(index) {
        Slot::Primitive(id) => id.text().map(|id| id.into_owned()),
        _ => None,
    }
}

fn of_entries(entries: Vec<BundleEntry>, key: [u8; 32]) -> Step {
    let resources = entries.iter().filter(|e| e.resource.is_some()).count();
    let urls = entries.iter().filter_map(|e| e.request.as_ref()?.url.as_str());
    let targets = urls.filter(|url| url.contains('/')).map(str::to_owned).collect();
    let bundle = Bundle {
        type_: "transaction".into(),
        entry: entries,
        ..Bundle::default()
    };
    Step {
        key,
        request: request(
            Interaction::Transaction,
            json::to_vec(&Resource::from(bundle)).into(),
        ),
        resources: u64::try_from(resources).unwrap_or(u64::MAX),
        targets,
        entry: None,
    }
}

fn read_bundle(text: &[u8], max_bytes: usize) -> Result<Bundle> {
    let read = json::read(text, &input::read_options(max_bytes)).map_err(unreadable)?;
    let bundle = read.value.get::<Bundle>().cloned();
    bundle.ok_or_else(|| Error::new(ErrorCode::Structure, "This is no Bundle."))
}

/// What is wrong with a text that does not even look like a resource, in the reader's words.
fn no_resource(text: &[u8], max_bytes: usize, error: &serde_json::Error) -> Error {
    match json::read(text, &input::read_options(max_bytes)) {
        Err(error) => unreadable(error),
        Ok(_) => Error::new(ErrorCode::Structure, format!("This is no resource: {error}")),
    }
}

fn unreadable(error: fhir_model::read::ReadError) -> Error {
    let issues = error.issues.into_iter().map(|issue| {
        let mut told = Issue::new(issue.message);
        told.expression = (!issue.path.is_empty()).then_some(issue.path);
        told.position = Some((issue.line, issue.column));
        told
    });
    Error {
        code: ErrorCode::Structure,
        issues: issues.collect(),
        cause: None,
    }
}
