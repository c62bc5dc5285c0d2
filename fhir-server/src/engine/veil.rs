//! Masks of the policy: on what leaves, and in what a query looks at.
//!
//! Invariant: a masked element is absent: no part of a filter, no order and no link sees it.
//! Invariant: the label that a resource has now decides for all its versions.

use std::collections::HashSet;

use super::Session;
use crate::error::Result;
use crate::policy::Mask;
use crate::store::{Filter, Key, ParameterNumber, ResourceType, SearchQuery, Sort, SortKey, Version};

/// The version without what is masked, where its own content says whether that is the case.
pub(super) fn masked(mut version: Version, masks: &[Mask]) -> Result<Version> {
    mask(&mut version, masks)?;
    Ok(version)
}

/// The same in place.
pub(super) fn mask(version: &mut Version, masks: &[Mask]) -> Result<()> {
    for one in masks
        .iter()
        .filter(|m| m.resource_type() == version.key.resource_type)
    {
        let Some(body) = &version.body else {
            return Ok(());
        };
        if one.goes_by_labels() && !may_have_labels(&body.json) {
            continue;
        }
        if one.covers(&crate::policy::content(body)?) {
            version.body = Some(one.apply(body)?);
            version.masked = true;
        }
    }
    Ok(())
}

/// Whether a search of the text for labels is worth reading it.
fn may_have_labels(json: &[u8]) -> bool {
    let word = b"\"security\"";
    json.windows(word.len()).any(|window| window == word)
}

/// What in an order counts as missing.
pub(super) fn absent(sort: &[Sort], masks: &[Mask]) -> Vec<(usize, Filter)> {
    let mut absent = Vec::new();
    for (place, one) in sort.iter().enumerate() {
        let parameters = match &one.key {
            SortKey::Parameter { parameter, .. } => std::slice::from_ref(parameter),
            SortKey::AnyParameter { parameters, .. } => parameters.as_ref(),
            SortKey::LastUpdated | SortKey::Id => continue,
        };
        let hiding = masks
            .iter()
            .filter(|mask| parameters.iter().any(|one| mask.hides(*one)));
        absent.extend(hiding.map(|mask| (place, mask.rows())));
    }
    absent
}

/// A filter on values of a parameter, which are absent where a mask covers the resource.
pub(super) fn veil(filter: Filter, parameters: &[ParameterNumber], masks: &[Mask]) -> Filter {
    let hiding = masks
        .iter()
        .filter(|mask| parameters.iter().any(|parameter| mask.hides(*parameter)));
    hiding.fold(filter, |filter, mask| filter.and(mask.rows().not()))
}

/// The parameters that no mask hides, and the others.
pub(super) fn split(
    parameters: Vec<ParameterNumber>,
    masks: &[Mask],
) -> (Vec<ParameterNumber>, Vec<ParameterNumber>) {
    parameters
        .into_iter()
        .partition(|parameter| !masks.iter().any(|mask| mask.hides(*parameter)))
}

impl Session {
    /// Old versions without what is masked now.
    pub(super) async fn mask_history(
        &self,
        mut versions: Vec<Version>,
        masks: &[Mask],
    ) -> Result<Vec<Version>> {
        for one in masks {
            let of_type = versions
                .iter()
                .filter(|v| v.key.resource_type == one.resource_type());
            let keys: Vec<Key> = of_type.map(|v| v.key.clone()).collect();
            let covered = self.covered_of_all(one, &keys).await?;
            for version in &mut versions {
                if let (true, Some(body)) = (covered.contains(&version.key), &version.body) {
                    version.body = Some(one.apply(body)?);
                    version.masked = true;
                }
            }
        }
        Ok(versions)
    }

    /// Those of the resources that the mask covers now.
    pub(super) async fn covered(&self, mask: &Mask, keys: &[Key]) -> Result<HashSet<Key>> {
        self.live(mask.resource_type(), keys, mask.rows()).await
    }

    /// Those of the resources that the mask covers now, or covered when they were deleted.
    async fn covered_of_all(&self, mask: &Mask, keys: &[Key]) -> Result<HashSet<Key>> {
        let mut covered = self.covered(mask, keys).await?;
        let live = self.live(mask.resource_type(), keys, Filter::All).await?;
        let deleted: HashSet<&Key> = keys
            .iter()
            .filter(|key| key.resource_type == mask.resource_type() && !live.contains(key))
            .collect();
        let snapshot = self.snapshot().await?;
        let rows = mask.rows();
        for key in deleted {
            if snapshot.read(key, &rows).await?.is_some() {
                covered.insert(key.clone());
            }
        }
        Ok(covered)
    }

    /// Those of the resources of a type that are not deleted and that the filter finds.
    pub(super) async fn live(&self, of: ResourceType, keys: &[Key], filter: Filter) -> Result<HashSet<Key>> {
        let ids: HashSet<&Key> = keys.iter().filter(|key| key.resource_type == of).collect();
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let most = ids.len();
        let ids = ids.into_iter().map(|key| key.id.clone()).collect();
        let query = SearchQuery::new(Some(of), Filter::Ids(ids).and(filter), most);
        let snapshot = self.snapshot().await?;
        let found = snapshot.search(&query).await?;
        Ok(found.into_iter().map(|found| found.version.key).collect())
    }

    /// The masks of what a search of a type shows.
    pub(super) fn masks_of(&self, resource_type: ResourceType) -> Vec<Mask> {
        self.permitted(crate::interaction::Interaction::SearchType, Some(resource_type))
            .map(|permitted| permitted.masks.clone())
            .unwrap_or_default()
    }
}
