//! What a request reads from: a tenant as it was at one moment. Searches are answered by looking at every resource (`store::scan`); a
//! database of your own answers them from its indexes.

use std::sync::Arc;

use fhir_server::context::{Clock, Millis};
use fhir_server::error::Result;
use fhir_server::store::{
    AuditQuery, AuditRow, AuditSeal, ContainedQuery, ErasureQuery, Filter, Found, HistoryQuery, HistoryScope,
    IndexValue, Key, LinkQuery, Marks, ParameterNumber, ResourceType, SearchQuery, Snapshot, Version, scan,
};
use futures_util::future::{BoxFuture, FutureExt, ready};

use crate::data::Data;

/// A tenant at one moment.
pub(crate) struct View {
    pub(crate) data: Arc<Data>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// An answer that nobody has to wait for.
pub(crate) fn at_once<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    ready(value).boxed()
}

fn at_most(count: usize, limit: u64) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX).min(limit)
}

impl View {
    /// What the query lists, whatever the page.
    fn searched(&self, query: &SearchQuery) -> Vec<Found> {
        let model = self.data.model();
        let found = model.search_without(query.resource_type, &query.filter, &query.sort, &query.absent);
        let unchanged = found
            .into_iter()
            .filter(|(item, _)| query.mark.is_none_or(|mark| item.stamp <= mark));
        let found = unchanged
            .filter_map(|(item, cursor)| Some(Found::new(self.data.live(&item.key)?.clone(), cursor)));
        found.collect()
    }

    /// The versions that the query lists, newest first, whatever the page.
    fn historic(&self, query: &HistoryQuery) -> Vec<Version> {
        let in_scope = |key: &Key| match &query.scope {
            HistoryScope::Instance(one) => key == one,
            HistoryScope::Type(of) => key.resource_type == *of,
            HistoryScope::System => true,
        };
        let keys = self.data.resources.keys().filter(|key| in_scope(key));
        let mut all = Vec::new();
        for resource in keys.filter_map(|key| self.data.visible(key, &query.filter)) {
            let ends = resource.versions.iter().skip(1).map(|next| next.last_updated);
            let ends = ends.chain([Millis(i64::MAX)]);
            let listed = resource.versions.iter().zip(ends).filter(|(version, end)| {
                let from = version.last_updated;
                query.since.is_none_or(|since| from >= since)
                    && query.at.is_none_or(|(first, last)| from <= last && *end > first)
            });
            all.extend(listed.map(|(version, _)| version.clone()));
        }
        all.sort_by_key(|version| std::cmp::Reverse(version.stamp));
        all
    }

    fn told<'a>(&'a self, query: &'a AuditQuery) -> impl DoubleEndedIterator<Item = &'a AuditRow> {
        let rows = self.data.trail.iter().map(Arc::as_ref);
        rows.filter(|row| query.tests.iter().all(|test| test.holds(row)))
    }
}

impl Snapshot for View {
    fn read<'a>(&'a self, key: &'a Key, filter: &'a Filter) -> BoxFuture<'a, Result<Option<Version>>> {
        let seen = self.data.visible(key, filter);
        at_once(Ok(seen.and_then(|resource| resource.versions.last().cloned())))
    }

    fn vread<'a>(
        &'a self,
        key: &'a Key,
        version: i64,
        filter: &'a Filter,
    ) -> BoxFuture<'a, Result<Option<Version>>> {
        let versions = self
            .data
            .visible(key, filter)
            .map(|resource| resource.versions.iter());
        let mut versions = versions.into_iter().flatten();
        at_once(Ok(versions.find(|one| one.version == version).cloned()))
    }

    fn history<'a>(&'a self, query: &'a HistoryQuery) -> BoxFuture<'a, Result<Vec<Version>>> {
        let mut all = self.historic(query);
        all.retain(|version| query.before.is_none_or(|before| version.stamp < before));
        all.truncate(query.count);
        at_once(Ok(all))
    }

    fn history_total<'a>(&'a self, query: &'a HistoryQuery, limit: u64) -> BoxFuture<'a, Result<u64>> {
        at_once(Ok(at_most(self.historic(query).len(), limit)))
    }

    fn search<'a>(&'a self, query: &'a SearchQuery) -> BoxFuture<'a, Result<Vec<Found>>> {
        at_once(query.check().map(|()| {
            let mut all = self.searched(query);
            if let Some(after) = &query.after {
                all.retain(|found| scan::compare(&found.cursor, after, &query.sort).is_gt());
            }
            all.truncate(query.count);
            all
        }))
    }

    fn search_total<'a>(&'a self, query: &'a SearchQuery, limit: u64) -> BoxFuture<'a, Result<u64>> {
        at_once(Ok(at_most(self.searched(query).len(), limit)))
    }

    fn linked<'a>(&'a self, query: &'a LinkQuery) -> BoxFuture<'a, Result<Vec<Version>>> {
        let model = self.data.model();
        let found = model.linked_by(query).take(query.count);
        let found = found.filter_map(|item| self.data.live(&item.key).cloned());
        at_once(Ok(found.collect()))
    }

    fn contained<'a>(&'a self, query: &'a ContainedQuery) -> BoxFuture<'a, Result<Vec<(usize, String)>>> {
        let model = self.data.model();
        let mut found = Vec::new();
        for (place, key) in query.containers.iter().enumerate() {
            let container = model.0.iter().find(|item| item.key == *key);
            if let Some(container) = container.filter(|item| model.admits(&query.visible, item)) {
                let inside = model.contained(query.resource_type, &query.filter, container);
                found.extend(inside.into_iter().map(|id| (place, id)));
            }
        }
        found.truncate(query.count);
        at_once(Ok(found))
    }

    fn marks(&self) -> BoxFuture<'_, Result<Marks>> {
        at_once(Ok(Marks::new(self.data.newest, self.data.epochs)))
    }

    fn note(&self, of: ResourceType) -> BoxFuture<'_, Result<Option<Vec<u8>>>> {
        at_once(Ok(self.data.notes.get(&of).cloned()))
    }

    fn claim<'a>(&'a self, kind: &'static str, key: &'a [u8; 32]) -> BoxFuture<'a, Result<Option<Vec<u8>>>> {
        let claim = self.data.claim(kind, key, self.clock.now());
        at_once(Ok(claim.map(|claim| claim.payload.clone())))
    }

    fn referred<'a>(
        &'a self,
        from: &'a [Key],
        parameters: &'a [ParameterNumber],
        to: ResourceType,
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        let resources = from.iter().filter_map(|key| self.data.resources.get(key));
        let rows = resources.flat_map(|resource| resource.index.rows());
        let named = rows
            .filter(|row| parameters.contains(&row.parameter))
            .filter_map(|row| match &row.value {
                IndexValue::Reference {
                    resource_type, id, ..
                } if *resource_type == to => Some(id.clone()),
                _ => None,
            });
        let mut ids: Vec<String> = named.collect();
        ids.sort();
        ids.dedup();
        at_once(Ok(ids))
    }

    fn erasable<'a>(&'a self, query: &'a ErasureQuery) -> BoxFuture<'a, Result<Vec<Key>>> {
        let resources = self.data.resources.iter();
        let found = resources.filter(|(_, resource)| {
            let current = resource.versions.last();
            current.is_some_and(|version| query.finds(version, &resource.index))
        });
        at_once(Ok(found.map(|(key, _)| key.clone()).take(query.count).collect()))
    }

    fn audit<'a>(&'a self, query: &'a AuditQuery) -> BoxFuture<'a, Result<Vec<AuditRow>>> {
        let rows = self.told(query);
        let mut rows: Vec<AuditRow> = match query.oldest_first {
            true => rows.take(query.count).cloned().collect(),
            false => rows.rev().take(query.count).cloned().collect(),
        };
        rows.iter_mut().for_each(|row| row.entry.patients.clear());
        at_once(Ok(rows))
    }

    fn audit_total<'a>(&'a self, query: &'a AuditQuery) -> BoxFuture<'a, Result<u64>> {
        let count = self.told(query).take(query.count).count();
        at_once(Ok(at_most(count, u64::MAX)))
    }

    fn audit_patients(&self, first: i64, last: i64) -> BoxFuture<'_, Result<Vec<(i64, String)>>> {
        let trail = self.data.trail.iter();
        let rows = trail.filter(|row| (first..=last).contains(&row.stamp));
        let all = rows.flat_map(|row| row.entry.patients.iter().map(|id| (row.stamp, id.clone())));
        let mut all: Vec<(i64, String)> = all.collect();
        all.sort();
        at_once(Ok(all))
    }

    fn audit_seals(&self, from: Option<i64>, count: usize) -> BoxFuture<'_, Result<Vec<AuditSeal>>> {
        let seals = self.data.seals.iter();
        at_once(Ok(match from {
            Some(from) => {
                let following = seals.filter(|seal| seal.number >= from);
                following.take(count).cloned().collect()
            }
            None => seals.last().cloned().into_iter().collect(),
        }))
    }
}
