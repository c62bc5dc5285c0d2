//! The RESTful interactions (<https://hl7.org/fhir/R4/http.html>), free of HTTP: one file each, all of one shape,
//! `async fn run(session, request) -> Result<Response>`.
//!
//! Bundles and operations call interactions on the same session; never HTTP, never the store.

mod audit;
mod batch;
pub mod binary;
mod bundle;
mod capabilities;
mod conditional;
mod create;
mod delete;
mod dispatch;
mod emergency;
mod entry;
mod history;
pub(crate) mod operation;
mod outcome;
mod page;
mod patch;
mod present;
mod query;
mod read;
mod replay;
pub(crate) mod search;
mod subset;
mod terminology_capabilities;
mod transaction;
pub(crate) mod update;
pub(crate) mod uri;
mod vread;

#[cfg(test)]
mod tests;
#[cfg(test)]
#[cfg(feature = "postgres")]
#[expect(clippy::duplicate_mod, reason = "as above")]
#[path = "tests/mod.rs"]
mod tests_on_postgres;
#[cfg(test)]
#[cfg(feature = "sqlite")]
#[expect(clippy::duplicate_mod, reason = "the same tests, on the other back end")]
#[path = "tests/mod.rs"]
mod tests_on_sqlite;

pub use crate::patch::PatchForm;
pub use dispatch::dispatch;
pub use outcome::operation_outcome;
pub(crate) use outcome::outcome_of_findings;
pub(crate) use update::conditions;

use crate::context::Millis;
use crate::error::{Error, Issue, Result};
use crate::store::{Key, ResourceType, is_id};

/// The interactions, by the specification's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the specification's names")]
#[non_exhaustive]
pub enum Interaction {
    Read,
    Vread,
    Create,
    Update,
    Patch,
    Delete,
    HistoryInstance,
    HistoryType,
    HistorySystem,
    SearchType,
    SearchSystem,
    Batch,
    Transaction,
    Capabilities,
    /// One beside those above: which, its code tells.
    Operation,
}

/// What an interaction is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// One resource.
    Instance,
    /// A type.
    Type,
    /// The whole server.
    System,
}

impl Interaction {
    /// Every interaction that the server offers; operations are listed by themselves.
    pub const ALL: &'static [Interaction] = &[
        Self::Read,
        Self::Vread,
        Self::Create,
        Self::Update,
        Self::Patch,
        Self::Delete,
        Self::HistoryInstance,
        Self::HistoryType,
        Self::HistorySystem,
        Self::SearchType,
        Self::SearchSystem,
        Self::Batch,
        Self::Transaction,
        Self::Capabilities,
    ];

    /// What it is about; an operation says that by itself.
    pub const fn level(self) -> Level {
        match self {
            Self::Read | Self::Vread | Self::Update | Self::Patch | Self::Delete | Self::HistoryInstance => {
                Level::Instance
            }
            Self::Create | Self::HistoryType | Self::SearchType => Level::Type,
            Self::HistorySystem
            | Self::SearchSystem
            | Self::Batch
            | Self::Transaction
            | Self::Capabilities
            | Self::Operation => Level::System,
        }
    }

    /// The code in `http://hl7.org/fhir/restful-interaction`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Vread => "vread",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::HistoryInstance => "history-instance",
            Self::HistoryType => "history-type",
            Self::HistorySystem => "history-system",
            Self::SearchType => "search-type",
            Self::SearchSystem => "search-system",
            Self::Batch => "batch",
            Self::Transaction => "transaction",
            Self::Capabilities => "capabilities",
            Self::Operation => "operation",
        }
    }
}

/// A format that a body comes in or goes out in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `application/fhir+json`
    #[default]
    Json,
    /// `application/fhir+xml`
    Xml,
}

/// A body as received, inflated and within the limits.
#[derive(Clone, Debug)]
pub enum RequestBody {
    /// FHIR in JSON or XML.
    Fhir(Format, bytes::Bytes),
    /// A patch in a form that is not FHIR.
    Patch(PatchForm, bytes::Bytes),
    /// The content of a Binary in its own media type.
    Native {
        /// its media type
        content_type: String,
        /// its bytes
        content: bytes::Bytes,
        /// `X-Security-Context`: the reference that governs access to it
        security_context: Option<String>,
    },
}

/// `Prefer: return=…` (<https://hl7.org/fhir/R4/http.html#ops>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the specification's names")]
pub enum PreferReturn {
    Minimal,
    Representation,
    OperationOutcome,
}

/// `_summary` (<https://hl7.org/fhir/R4/search.html#summary>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the specification's names")]
pub enum Summary {
    True,
    Text,
    Data,
    Count,
    False,
}

/// `If-None-Match`, `If-Match`: entity tags as sent in the header, already parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`
    Any,
    /// version ids of `W/"…"` tags
    Versions(Vec<String>),
}

/// What a write that is sent again is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayKey {
    /// `Idempotency-Key`: the same key with another body is a mistake.
    Key(String),
    /// `X-Request-ID`: the same id with another body is another request.
    RequestId(String),
}

/// One request, of a client or of an entry in a Bundle.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// What is asked.
    pub interaction: Interaction,
    /// The type in the URL.
    pub resource_type: Option<ResourceType>,
    /// The id in the URL, of a valid form.
    pub id: Option<String>,
    /// The resource in the URL in whose compartment is searched.
    pub compartment: Option<Key>,
    /// The version id in the URL, as sent.
    pub version: Option<String>,
    /// The code of the operation in the URL, without its `$`.
    pub operation: Option<String>,
    /// Whether the method promises to change nothing: GET or HEAD.
    pub safe: bool,
    /// Query parameters in order, decoded, `_format` and `_pretty` taken out.
    pub query: Vec<(String, String)>,
    /// `If-Match`
    pub if_match: Option<EntityTags>,
    /// `If-None-Match`
    pub if_none_match: Option<EntityTags>,
    /// `If-Modified-Since`
    pub if_modified_since: Option<Millis>,
    /// `If-None-Exist`, as sent
    pub if_none_exist: Option<String>,
    /// `Prefer: return=…`
    pub prefer_return: Option<PreferReturn>,
    /// `Prefer: handling=strict`
    pub strict_handling: Option<bool>,
    /// `Accept-Language`, as sent
    pub accept_language: Option<String>,
    /// What a write that is sent again is known by.
    pub replay: Option<ReplayKey>,
    /// `X-Provenance`, as sent
    pub provenance: Option<String>,
    /// The body.
    pub body: Option<RequestBody>,
    /// The FHIR base as the client sees it, without a slash at the end, for links and locations.
    pub base: String,
}

impl Request {
    /// A request without conditions, query or body.
    pub fn new(interaction: Interaction, base: impl Into<String>) -> Self {
        Request {
            interaction,
            resource_type: None,
            id: None,
            compartment: None,
            version: None,
            operation: None,
            safe: false,
            query: Vec::new(),
            if_match: None,
            if_none_match: None,
            if_modified_since: None,
            if_none_exist: None,
            prefer_return: None,
            strict_handling: None,
            accept_language: None,
            replay: None,
            provenance: None,
            body: None,
            base: base.into(),
        }
    }
}

impl Request {
    /// The type in the URL.
    pub(crate) fn the_type(&self) -> Result<ResourceType> {
        self.resource_type
            .ok_or_else(|| Error::internal("an interaction on a type without one"))
    }

    /// Type and id in the URL.
    pub(crate) fn key(&self) -> Result<Key> {
        let id = self
            .id
            .clone()
            .ok_or_else(|| Error::internal("an interaction on a resource without an id"))?;
        Ok(Key {
            resource_type: self.the_type()?,
            id,
        })
    }

    /// The ids of the patients that it names by itself: whose compartment it is about, or that it asks for.
    pub(crate) fn patients(&self) -> Vec<String> {
        let is_patient = |key: &Key| key.resource_type.name() == "Patient";
        let mut ids: Vec<String> = [self.compartment.clone(), self.key().ok()]
            .into_iter()
            .flatten()
            .filter(is_patient)
            .map(|key| key.id)
            .collect();
        for (name, value) in &self.query {
            let bare = matches!(name.as_str(), "patient" | "patient:Patient" | "subject:Patient");
            if !bare && name != "subject" {
                continue;
            }
            for one in value.split(',') {
                let id = match one.strip_prefix("Patient/") {
                    Some(id) => id,
                    None if bare => one,
                    None => continue,
                };
                if is_id(id) {
                    ids.push(id.to_owned());
                }
            }
        }
        ids.sort();
        ids.dedup();
        ids
    }
}

/// What an interaction answers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response {
    /// HTTP status: 200, 201, 204, 304 and so on; errors are `Err`.
    pub status: u16,
    /// The version for `ETag: W/"…"`.
    pub version: Option<i64>,
    /// Whether elements were taken out of the content for the caller, which the entity tag then says too.
    pub masked: bool,
    /// For `Last-Modified`.
    pub last_modified: Option<Millis>,
    /// For `Location`, relative to the base, such as `Patient/1/_history/2`.
    pub location: Option<String>,
    /// The content.
    pub payload: Payload,
    /// Warnings and hints that go into an OperationOutcome where the answer has room for one.
    pub issues: Vec<Issue>,
}

/// The content of an answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Payload {
    /// Nothing.
    None,
    /// FHIR JSON text, ready to send.
    Json(Vec<u8>),
    /// JSON text that is not FHIR: the answer of a GraphQL query.
    PlainJson(Vec<u8>),
    /// The issues of the response as an OperationOutcome.
    Outcome,
}

impl Response {
    /// `W/"3"`; of a view from which something was taken out another one.
    pub(crate) fn entity_tag(&self) -> Option<String> {
        self.version.map(|version| entry::etag(version, self.masked))
    }

    /// An answer with that status and content.
    pub fn new(status: u16, payload: Payload) -> Self {
        Response {
            status,
            version: None,
            masked: false,
            last_modified: None,
            location: None,
            payload,
            issues: Vec::new(),
        }
    }
}
