//! What a reference says in words (`Reference.display`) of a patient's record that the caller does not see is absent for the caller
//! (<https://hl7.org/fhir/R4/references.html>).
//!
//! Invariant: what leaves, and what a patch works on, is as if those words had never been written; what the caller writes leaves them where
//! they were.
//! Invariant: whether the words are seen depends on what the caller sees alone: beside a reference to nothing they go as beside one to what
//! is hidden.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use super::Session;
use super::spoken::{Spoken, insert, spoken, without};
use crate::error::Result;
use crate::search::compartment::members;
use crate::search::extract::local_reference;
use crate::store::{Filter, Key, ResourceType, StoredBody, Version};

/// Resources that are looked for at once.
const AT_ONCE: usize = 500;

/// The types of a patient's record.
static RECORD: LazyLock<HashSet<ResourceType>> = LazyLock::new(|| {
    let patient = ResourceType::from_name("Patient");
    let members = patient.map(members).unwrap_or_default();
    members.into_iter().chain(patient).collect()
});

impl Session {
    /// Takes the words out of the versions.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn hush<'v>(
        &self,
        versions: impl IntoIterator<Item = &'v mut Version> + Send,
    ) -> Result<()> {
        let mut saying: Vec<(&mut StoredBody, Vec<(Spoken, Key)>)> = Vec::new();
        for body in versions.into_iter().filter_map(|version| version.body.as_mut()) {
            let said = self.said(body, Spoken::says);
            if !said.is_empty() {
                saying.push((body, said));
            }
        }
        let keys = saying
            .iter()
            .flat_map(|(_, said)| said.iter().map(|(_, key)| key.clone()))
            .collect();
        let unseen = self.unseen(keys).await?;
        for (body, said) in saying {
            let said = said.into_iter().filter(|(_, key)| unseen.contains(key));
            let cuts: Vec<_> = said.flat_map(|(spoken, _)| spoken.cuts).collect();
            if !cuts.is_empty() {
                without(body, cuts);
            }
        }
        Ok(())
    }

    /// New content of the resource, with the words that the caller did not see beside references which are still there. What the caller
    /// saw, sent back, is what is stored: it makes no version.
    ///
    /// # Errors
    /// As [`Session::hush`].
    pub(super) async fn rejoin(&self, key: &Key, body: &StoredBody) -> Result<StoredBody> {
        let mut silent = self.said(body, |spoken| !spoken.says());
        silent.retain(|(_, key)| self.findable(key.resource_type) != Filter::All);
        if silent.is_empty() {
            return Ok(body.clone());
        }
        let stored = self.snapshot().await?.read(key, &Filter::All).await?;
        let Some(before) = stored.and_then(|version| version.body) else {
            return Ok(body.clone());
        };
        let said = self.said(&before, Spoken::says);
        let unseen = self
            .unseen(said.iter().map(|(_, key)| key.clone()).collect())
            .await?;
        let unheard: Vec<_> = said.iter().filter(|(_, key)| unseen.contains(key)).collect();
        let mut seen = before.clone();
        let cuts = unheard.iter().flat_map(|(spoken, _)| spoken.cuts.clone());
        without(&mut seen, cuts.collect());
        if seen == *body {
            return Ok(before);
        }
        let words: HashMap<&str, &[u8]> = unheard
            .iter()
            .filter_map(|(spoken, _)| {
                Some((
                    spoken.reference.as_str(),
                    before.json.get(spoken.display.clone()?)?,
                ))
            })
            .collect();
        let mut body = body.clone();
        // From the end, so that the places before stay where they are.
        for (spoken, _) in silent.iter().rev() {
            if let Some(words) = words.get(spoken.reference.as_str()) {
                insert(&mut body, spoken.end, words);
            }
        }
        Ok(body)
    }

    /// Those of the references that are chosen and lead to a patient's record, in the order of their places.
    fn said(&self, body: &StoredBody, choose: impl Fn(&Spoken) -> bool) -> Vec<(Spoken, Key)> {
        let chosen = spoken(&body.json).into_iter().filter(choose);
        let mut said: Vec<(Spoken, Key)> = chosen
            .filter_map(|spoken| {
                let key = local_reference(&spoken.reference, self.bases())?;
                RECORD.contains(&key.resource_type).then_some((spoken, key))
            })
            .collect();
        said.sort_by_key(|(spoken, _)| spoken.end);
        said
    }

    /// Those that the caller does not find.
    async fn unseen(&self, keys: HashSet<Key>) -> Result<HashSet<Key>> {
        let mut of_types: BTreeMap<ResourceType, Vec<Key>> = BTreeMap::new();
        for key in keys {
            of_types.entry(key.resource_type).or_default().push(key);
        }
        let mut unseen = HashSet::new();
        for (resource_type, keys) in of_types {
            let mut found = HashSet::new();
            match self.findable(resource_type) {
                Filter::All => continue,
                Filter::None => {}
                filter => {
                    for some in keys.chunks(AT_ONCE) {
                        found.extend(self.live(resource_type, some, filter.clone()).await?);
                    }
                }
            }
            unseen.extend(keys.into_iter().filter(|key| !found.contains(key)));
        }
        Ok(unseen)
    }
}
