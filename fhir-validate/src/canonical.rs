//! Conformance resources other than structure definitions, found by their canonical url.

use std::collections::HashMap;
use std::sync::Arc;

use fhir_model::Resource;
use fhir_model::read::ReadOptions;
use serde_json::Value;

/// Resources by url; of several versions the last that was added comes first.
#[derive(Clone, Default)]
pub(crate) struct Canonicals {
    by_url: HashMap<String, Vec<(String, Arc<Resource>)>>,
    /// The resource type of each url, also of those that others hold.
    kinds: HashMap<String, String>,
}

impl Canonicals {
    /// Adds a resource that has a url; elements that R4 does not have are left out of it.
    pub(crate) fn add(&mut self, value: Value) {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let Some(url) = text("url") else { return };
        if let Some(kind) = text("resourceType") {
            self.kinds.insert(url.clone(), kind);
        }
        // Code systems and value sets are the terminology's.
        if matches!(
            text("resourceType").as_deref(),
            Some("CodeSystem" | "ValueSet" | "SearchParameter" | "OperationDefinition")
        ) {
            return;
        }
        let version = text("version").unwrap_or_default();
        if let Ok(read) = fhir_model::json::read(value.to_string().as_bytes(), &ReadOptions::lenient()) {
            self.by_url
                .entry(url)
                .or_default()
                .insert(0, (version, Arc::new(read.value)));
        }
    }

    /// Adds a resource under a url.
    pub(crate) fn share(&mut self, url: &str, version: Option<&str>, resource: Arc<Resource>) {
        self.note(url, resource.type_name());
        let all = self.by_url.entry(url.to_owned()).or_default();
        all.insert(0, (version.unwrap_or_default().to_owned(), resource));
    }

    /// Notes that somebody holds a resource of that url and type.
    pub(crate) fn note(&mut self, url: &str, kind: &str) {
        self.kinds.insert(url.to_owned(), kind.to_owned());
    }

    /// The type of the resource of a canonical, whoever holds it.
    pub(crate) fn kind(&self, canonical: &str) -> Option<&str> {
        self.kinds
            .get(canonical.split('|').next().unwrap_or(canonical))
            .map(String::as_str)
    }

    /// The resource of a canonical.
    pub(crate) fn get(&self, canonical: &str) -> Option<&Resource> {
        let (url, version) = canonical
            .split_once('|')
            .map_or((canonical, None), |(u, v)| (u, Some(v)));
        let all = self.by_url.get(url)?;
        all.iter()
            .find(|(known, _)| version.is_none_or(|v| v == known))
            .map(|(_, resource)| &**resource)
    }
}
