//! [`Own`]: the definitions that a tenant has stored, read once each: where one changes, what changed is read, and all else
//! taken over.
//!
//! Invariant: what is stored never keeps the server from answering: what cannot be used is left out, and the log told.

use std::collections::HashMap;
use std::sync::Arc;

use fhir_model::{Resource, json};
use fhir_validate::Validator;
use fhir_validate::terminology::Library;

use super::super::knowledge::definitions;
use super::{Known, TYPES};
use crate::error::{Error, Result};
use crate::store::{Change, Filter, HistoryQuery, HistoryScope, Key, ResourceType, Snapshot, Version};

/// Definitions of a tenant that take effect at most.
const MOST: usize = 20_000;
/// Bytes of their text at most.
const MOST_BYTES: usize = 512 << 20;
/// Versions that are read at once.
const BATCH: usize = 200;

/// The definitions that a tenant has stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    parts: HashMap<Key, Part>,
    /// The bytes of all their texts.
    bytes: usize,
    /// The stamp of the newest change that was looked at.
    seen: i64,
}

/// One definition.
#[derive(Clone, Debug)]
struct Part {
    url: String,
    version: Option<String>,
    stamp: i64,
    bytes: usize,
    held: Held,
}

/// What is kept of a definition.
#[derive(Clone, Debug)]
enum Held {
    /// The text of a StructureDefinition, which is compiled when it is first asked for.
    Structure(Arc<str>),
    /// A form, as answers are held against it.
    Form(Arc<Resource>),
    /// The library has it.
    Terminology,
}

impl Own {
    /// The canonical of what is stored under that reference, such as `ValueSet/1`.
    pub(super) fn canonical_of(&self, reference: &str) -> Option<String> {
        let (of, id) = reference.split_once('/')?;
        let key = Key {
            resource_type: ResourceType::from_name(of)?,
            id: id.to_owned(),
        };
        let part = self.parts.get(&key)?;
        Some(match &part.version {
            Some(version) => format!("{}|{version}", part.url),
            None => part.url.clone(),
        })
    }

    /// What validates with these too.
    pub(super) fn extend(&self, below: &Validator, library: &Arc<Library>) -> Validator {
        let mut parts: Vec<(&Key, &Part)> = self.parts.iter().collect();
        // Of two with one url and version the newer counts.
        parts.sort_by_key(|(_, part)| part.stamp);
        let builder = below.extend().library(Arc::clone(library));
        let add = |builder: fhir_validate::Builder, (key, part): (&Key, &Part)| match &part.held {
            Held::Structure(text) => builder.structure(&part.url, part.version.as_deref(), Arc::clone(text)),
            Held::Form(form) => builder.resource(&part.url, part.version.as_deref(), Arc::clone(form)),
            Held::Terminology => builder.held(&part.url, key.resource_type.name()),
        };
        parts.into_iter().fold(builder, add).build()
    }

    /// Takes a version in, in the place of the one before; says whether that could be done without the others.
    fn take(&mut self, library: &Library, version: Version) -> Result<bool> {
        self.seen = self.seen.max(version.stamp);
        if let Some(before) = self.parts.remove(&version.key) {
            library.remove(&before.url, before.version.as_deref());
            self.bytes = self.bytes.saturating_sub(before.bytes);
            let same = |(key, part): (&Key, &Part)| {
                key.resource_type == version.key.resource_type
                    && (&part.url, &part.version) == (&before.url, &before.version)
            };
            if self.parts.iter().any(same) {
                return Ok(false);
            }
        }
        let body = version.body.filter(|_| version.change != Change::Delete);
        let Some(body) = body else { return Ok(true) };
        if self.parts.len() >= MOST || self.bytes.saturating_add(body.json.len()) > MOST_BYTES {
            tracing::warn!(
                definition = %version.key,
                "the tenant has more definitions than take effect at once: this one is left out"
            );
            return Ok(true);
        }
        let part = match part(library, &version.key, version.stamp, &body.json) {
            Ok(Some(part)) => part,
            Ok(None) => return Ok(true),
            Err(error) => {
                tracing::warn!(definition = %version.key, %error, "a definition cannot be used");
                return Ok(true);
            }
        };
        self.bytes = self.bytes.saturating_add(part.bytes);
        self.parts.insert(version.key, part);
        Ok(true)
    }
}

/// Adds a definition to the library, or gives it as what a validator takes; `None` where nothing could refer to it.
fn part(library: &Library, key: &Key, stamp: i64, text: &[u8]) -> Result<Option<Part>> {
    let unusable = |error: String| Error::internal(error);
    let mut resource: Resource = json::from_slice(text).map_err(|e| unusable(e.to_string()))?;
    // A search names a value set without a URL by its id.
    if let Resource::ValueSet(value_set) = &mut resource
        && value_set.url.as_str().is_none()
    {
        value_set.url = key.to_string().as_str().into();
    }
    let owned = |p: &fhir_model::Primitive<fhir_model::Str>| p.as_str().map(str::to_owned);
    let (url, version) = match &resource {
        Resource::CodeSystem(r) => (owned(&r.url), owned(&r.version)),
        Resource::ConceptMap(r) => (owned(&r.url), owned(&r.version)),
        Resource::Questionnaire(r) => (owned(&r.url), owned(&r.version)),
        Resource::StructureDefinition(r) => (owned(&r.url), owned(&r.version)),
        Resource::ValueSet(r) => (owned(&r.url), owned(&r.version)),
        _ => (None, None),
    };
    let Some(url) = url else { return Ok(None) };
    let held = match &resource {
        Resource::StructureDefinition(_) => Held::Structure(String::from_utf8_lossy(text).into()),
        Resource::Questionnaire(_) => Held::Form(Arc::new(resource)),
        _ => {
            library.add(resource).map_err(|e| unusable(e.to_string()))?;
            Held::Terminology
        }
    };
    Ok(Some(Part {
        url,
        version,
        stamp,
        bytes: text.len(),
        held,
    }))
}

impl Known {
    /// What is known to a tenant in that view, over what lies below; `before` is what was known earlier.
    pub(super) async fn of_tenant(
        snapshot: Arc<dyn Snapshot>,
        below: Arc<Known>,
        before: Option<Arc<Known>>,
    ) -> Result<Known> {
        if let Some(before) = before
            && let Some((_, own)) = &before.own
        {
            let (library, own) = (before.library.copy(), own.clone());
            let changed = changed(snapshot.as_ref(), own.seen).await?;
            if let Some(known) = taken(library, own, below.clone(), changed).await? {
                return Ok(known);
            }
        }
        let library = Library::over(Arc::clone(&below.library));
        let all = all(snapshot.as_ref()).await?;
        let known = taken(library, Own::default(), below, all).await?;
        known
            .ok_or_else(|| Error::internal("definitions that are read for the first time replace each other"))
    }
}

/// Takes versions in, in the order of their stamps, on a thread that may take its time; `None` where all has to be read again.
async fn taken(
    library: Library,
    mut own: Own,
    below: Arc<Known>,
    mut versions: Vec<Version>,
) -> Result<Option<Known>> {
    let work = move || {
        versions.sort_by_key(|version| version.stamp);
        for version in versions {
            if !own.take(&library, version)? {
                return Ok(None);
            }
        }
        Ok(Some(Known {
            library: Arc::new(library),
            validator: std::sync::OnceLock::new(),
            strict: std::sync::OnceLock::new(),
            own: Some((below, own)),
            ids: std::sync::OnceLock::new(),
        }))
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

fn types() -> impl Iterator<Item = ResourceType> {
    TYPES.iter().filter_map(|name| ResourceType::from_name(name))
}

/// The newest version of each definition that changed after that stamp.
async fn changed(snapshot: &dyn Snapshot, seen: i64) -> Result<Vec<Version>> {
    let mut found: HashMap<Key, Version> = HashMap::new();
    for of in types() {
        let mut query = HistoryQuery::new(HistoryScope::Type(of), BATCH, Filter::All);
        loop {
            let page = snapshot.history(&query).await?;
            let is_last = page.len() < BATCH || page.last().is_none_or(|last| last.stamp <= seen);
            query.before = page.last().map(|last| last.stamp);
            for version in page.into_iter().filter(|version| version.stamp > seen) {
                found.entry(version.key.clone()).or_insert(version);
            }
            if is_last {
                break;
            }
        }
    }
    Ok(found.into_values().collect())
}

/// The current version of each definition, as far as so many take effect.
async fn all(snapshot: &dyn Snapshot) -> Result<Vec<Version>> {
    let mut all = Vec::new();
    for of in types() {
        let left = MOST.saturating_sub(all.len());
        all.extend(definitions(snapshot, of, left).await?);
    }
    Ok(all)
}
