//! What a library holds, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fhir_model::{ConceptMap, Resource};

use super::super::packed;
use super::{CodeSystemEntry, CodeSystemSource, Library};

impl Library {
    /// URL and versions of each code system that is held with its codes, whole or in part, in the order of the URLs.
    pub fn code_systems(&self) -> BTreeMap<String, BTreeSet<Option<String>>> {
        let mut found = self
            .base
            .as_ref()
            .map(|base| base.code_systems())
            .unwrap_or_default();
        for (url, entries) in &self.read().code_systems {
            let mut held = entries.iter().filter(|e| e.has_codes()).peekable();
            if held.peek().is_some() {
                let versions = found.entry(url.clone()).or_default();
                versions.extend(held.map(|e| e.version.clone()));
            }
        }
        found
    }

    /// What [`Library::resource`] gives, where it is of that type.
    pub fn resource_of(&self, kind: &str, of: &str) -> Option<Resource> {
        self.resource(of).filter(|resource| resource.type_name() == kind)
    }

    /// Type, URL and version of each CodeSystem, ValueSet and ConceptMap that is held as a resource.
    pub fn canonicals(&self) -> Vec<(&'static str, String, Option<String>)> {
        let mut found = self
            .base
            .as_ref()
            .map(|base| base.canonicals())
            .unwrap_or_default();
        let held = self.read();
        for (url, entries) in &held.code_systems {
            let entries = entries
                .iter()
                .filter(|e| !matches!(e.source, CodeSystemSource::Release));
            found.extend(entries.map(|e| ("CodeSystem", url.clone(), e.version.clone())));
        }
        for (url, entries) in &held.value_sets {
            found.extend(
                entries
                    .iter()
                    .map(|e| ("ValueSet", url.clone(), e.version.clone())),
            );
        }
        let of_r4: &[Arc<ConceptMap>] = if self.concept_maps_of_r4 {
            packed::concept_maps()
        } else {
            &[]
        };
        found.extend(held.concept_maps.iter().chain(of_r4).filter_map(|map| {
            let url = map.url.as_str()?.to_owned();
            Some(("ConceptMap", url, map.version.as_str().map(str::to_owned)))
        }));
        found
    }
}

impl CodeSystemEntry {
    /// Whether it is known by more than its name.
    fn has_codes(&self) -> bool {
        match &self.source {
            CodeSystemSource::Resource(resource) => resource.content != "not-present",
            CodeSystemSource::Release => true,
            CodeSystemSource::Packed(file, line) => !file.has(&line.range, b"\"content\":\"not-present\""),
        }
    }
}
