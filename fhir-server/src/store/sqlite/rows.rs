//! The rows of one resource: what it has, and making them what they shall be.

use diesel::QueryResult;

use super::link::Link;
use super::terms::Terms;
use crate::context::TenantId;
use crate::store::sql::{self, ContainedRows, Draft, PassageKey, Rows};

/// The rows that a resource has.
pub(super) fn of(link: &mut Link, tenant: TenantId, resource: i64) -> QueryResult<Rows> {
    let labels: Vec<(i32, i64, i32)> = link.rows(sql::labels(tenant, resource))?;
    let spans: Vec<(i32, i64, i64, i64, i32)> = link.rows(sql::spans(tenant, resource))?;
    let places: Vec<(i32, i32, f64, f64, f64)> = link.rows(sql::places(tenant, resource))?;
    let places = places.into_iter();
    let passages = passages(link, tenant, resource)?;
    let contained: Vec<i64> = link.rows(sql::contained(tenant, resource))?;
    let contained = contained.into_iter().map(|surrogate| ContainedRows {
        surrogate,
        content: None,
    });
    Ok(Rows {
        labels: labels.into_iter().collect(),
        spans: spans.into_iter().collect(),
        places: places
            .map(|(parameter, part, x, y, z)| (parameter, part, [x, y, z].map(f64::to_bits)))
            .collect(),
        passages: passages.into_iter().map(|key| (key, None)).collect(),
        contained: contained.collect(),
    })
}

fn passages(link: &mut Link, tenant: TenantId, resource: i64) -> QueryResult<Vec<PassageKey>> {
    let rows: Vec<(i16, i32, Vec<u8>)> = link.rows(sql::passages(tenant, resource))?;
    let key = |(section, part, digest): (i16, i32, Vec<u8>)| {
        // A digest of another size is none of ours: it differs from all.
        (section, part, digest.try_into().unwrap_or_default())
    };
    Ok(rows.into_iter().map(key).collect())
}

/// Whose rows are written, and with what.
pub(super) struct Writer<'w> {
    /// The connection.
    pub(super) link: &'w mut Link,
    /// The numbers of terms.
    pub(super) terms: &'w mut Terms,
    /// The tenant.
    pub(super) tenant: TenantId,
    /// Makes surrogates.
    pub(super) surrogates: &'w mut dyn FnMut() -> i64,
}

impl Writer<'_> {
    /// Writes what is new and takes away what is no more; what stays is not touched.
    pub(super) fn change(&mut self, resource: i64, before: &Rows, draft: &Draft) -> QueryResult<()> {
        let tenant = self.tenant;
        let terms = draft.terms().iter();
        let numbers = terms.map(|term| self.terms.number(self.link, tenant, term));
        let numbers = numbers.collect::<QueryResult<Vec<i64>>>()?;
        let after = draft.rows(&numbers);
        for label in before.labels.difference(&after.labels) {
            self.link.run(sql::delete_label(tenant, resource, label))?;
        }
        for span in before.spans.difference(&after.spans) {
            self.link.run(sql::delete_span(tenant, resource, span))?;
        }
        for place in before.places.difference(&after.places) {
            self.link.run(sql::delete_place(tenant, resource, place))?;
        }
        for label in after.labels.difference(&before.labels) {
            self.link.run(sql::insert_label(tenant, resource, label))?;
        }
        for span in after.spans.difference(&before.spans) {
            self.link.run(sql::insert_span(tenant, resource, span))?;
        }
        for place in after.places.difference(&before.places) {
            self.link.run(sql::insert_place(tenant, resource, place))?;
        }
        self.change_passages(resource, before, &after)?;
        self.drop_contained(before)?;
        for (key, draft) in draft.contained() {
            let surrogate = (self.surrogates)();
            self.link
                .run(sql::insert_contained(tenant, (resource, surrogate), key))?;
            self.change(surrogate, &Rows::default(), draft)?;
        }
        Ok(())
    }

    fn change_passages(&mut self, resource: i64, before: &Rows, after: &Rows) -> QueryResult<()> {
        let is_gone = |key: &&PassageKey| !after.passages.contains_key(*key);
        for key in before.passages.keys().filter(is_gone) {
            for statement in sql::delete_passage(self.tenant, resource, *key) {
                self.link.run(statement)?;
            }
        }
        for (key, words) in &after.passages {
            let Some(words) = words.as_deref().filter(|_| !before.passages.contains_key(key)) else {
                continue;
            };
            for statement in sql::insert_passage(self.tenant, resource, *key, words) {
                self.link.run(statement)?;
            }
        }
        Ok(())
    }

    fn drop_contained(&mut self, before: &Rows) -> QueryResult<()> {
        for contained in &before.contained {
            for statement in sql::clear(self.tenant, contained.surrogate) {
                self.link.run(statement)?;
            }
            let gone = sql::delete_contained(self.tenant, contained.surrogate);
            self.link.run(gone)?;
        }
        Ok(())
    }

    /// Takes away what was kept of a resource when it was deleted.
    pub(super) fn unearth(&mut self, resource: i64) -> QueryResult<()> {
        for statement in sql::clear(self.tenant, -resource) {
            self.link.run(statement)?;
        }
        Ok(())
    }

    /// Takes the rows of a resource out of sight: its words and what it contains are gone, the others are kept to judge by.
    pub(super) fn bury(&mut self, resource: i64) -> QueryResult<()> {
        for statement in sql::bury(self.tenant, resource) {
            self.link.run(statement)?;
        }
        let mut before = Rows::default();
        let passages = passages(self.link, self.tenant, resource)?;
        before.passages = passages.into_iter().map(|key| (key, None)).collect();
        let contained: Vec<i64> = self.link.rows(sql::contained(self.tenant, resource))?;
        before.contained = contained
            .into_iter()
            .map(|surrogate| ContainedRows {
                surrogate,
                content: None,
            })
            .collect();
        self.change_passages(resource, &before, &Rows::default())?;
        self.drop_contained(&before)
    }
}
