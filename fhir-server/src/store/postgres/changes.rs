//! [`Changes`]: rows of several resources that are added or taken away, as statements on all of them at once.
//!
//! Invariant: the statements may run in any order: what goes is named by what only it has.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::arrays::{Arrays, Column};
use crate::context::TenantId;
use crate::store::sql::{self, ContainedKey, PassageKey, Rows};

/// Rows of several resources.
#[derive(Default)]
pub(super) struct Changes {
    labels: Vec<(i64, sql::Label)>,
    spans: Vec<(i64, sql::Span)>,
    places: Vec<(i64, sql::Place)>,
    passages: Vec<(i64, PassageKey, Option<Arc<str>>)>,
    contained: Vec<(i64, i64, Option<ContainedKey>)>,
}

impl Changes {
    /// Those of a resource that are in the one and not in the other.
    pub(super) fn add(&mut self, resource: i64, one: &Rows, other: &Rows) {
        fn but<T: Copy + Ord>(resource: i64, one: &BTreeSet<T>, other: &BTreeSet<T>) -> Vec<(i64, T)> {
            one.difference(other).map(|row| (resource, *row)).collect()
        }
        self.labels.extend(but(resource, &one.labels, &other.labels));
        self.spans.extend(but(resource, &one.spans, &other.spans));
        self.places.extend(but(resource, &one.places, &other.places));
        let passages = one.passages.iter();
        let passages = passages.filter(|(key, _)| !other.passages.contains_key(*key));
        self.passages
            .extend(passages.map(|(key, words)| (resource, *key, words.clone())));
    }

    /// What a resource contains.
    pub(super) fn add_contained(&mut self, container: i64, rows: &Rows) {
        for contained in &rows.contained {
            let (key, rows) = contained.content.clone().unzip();
            self.contained.push((container, contained.surrogate, key));
            if let Some(rows) = rows {
                self.add(contained.surrogate, &rows, &Rows::default());
            }
        }
    }

    fn surrogates(&self) -> Column {
        Column::Big(
            self.contained
                .iter()
                .map(|(_, surrogate, _)| *surrogate)
                .collect(),
        )
    }

    fn passage_columns(&self, tenant: TenantId) -> [Column; 5] {
        let all = || self.passages.iter();
        [
            Column::One(tenant.0),
            Column::Big(all().map(|(resource, ..)| *resource).collect()),
            Column::Small(all().map(|(_, (section, ..), _)| *section).collect()),
            Column::Int(all().map(|(_, (_, part, _), _)| *part).collect()),
            Column::Bytes(all().map(|(_, (.., digest), _)| digest.to_vec()).collect()),
        ]
    }

    fn insert_passages(&self, tenant: TenantId, statements: &mut Vec<Arrays>) {
        if self.passages.is_empty() {
            return;
        }
        let words = self.passages.iter();
        let words = words.map(|(.., words)| words.as_deref().map(sql::tsvector).unwrap_or_default());
        let mut columns = Vec::from(self.passage_columns(tenant));
        columns.push(Column::Texts(words.collect()));
        let sql = "INSERT INTO passage (tenant, resource, section, part, digest, words) SELECT ?, a.resource, a.section, a.part,\
                   \x20a.digest, CAST(a.words AS tsvector) FROM unnest(?, ?, ?, ?, ?) AS a (resource, section, part, digest, words)";
        statements.push(Arrays::new(sql, columns));
    }

    fn insert_contained(&self, tenant: TenantId, statements: &mut Vec<Arrays>) {
        let mut rows: Vec<(i64, i64, &ContainedKey)> = Vec::new();
        for (container, surrogate, key) in &self.contained {
            rows.extend(key.as_ref().map(|key| (*container, *surrogate, key)));
        }
        if rows.is_empty() {
            return;
        }
        let all = || rows.iter();
        let columns = [
            Column::One(tenant.0),
            Column::Big(all().map(|(_, surrogate, _)| *surrogate).collect()),
            Column::Big(all().map(|(container, ..)| *container).collect()),
            Column::Small(all().map(|(.., key)| key.resource_type).collect()),
            Column::Bytes(all().map(|(.., key)| key.id.clone()).collect()),
            Column::Bytes(all().map(|(.., key)| key.fragment.clone()).collect()),
        ];
        let sql = "INSERT INTO contained (tenant, surrogate, container, type, id, fragment) SELECT ?, a.surrogate, a.container,\
                   \x20a.type, a.id, a.fragment FROM unnest(?, ?, ?, ?, ?) AS a (surrogate, container, type, id, fragment)";
        statements.push(Arrays::new(sql, columns));
    }

    /// What is contained goes with all of its rows, whatever they are.
    fn delete_contained(&self, tenant: TenantId, statements: &mut Vec<Arrays>) {
        if self.contained.is_empty() {
            return;
        }
        for sql in [
            "DELETE FROM label WHERE tenant = ? AND resource = ANY(?)",
            "DELETE FROM span WHERE tenant = ? AND resource = ANY(?)",
            "DELETE FROM place WHERE tenant = ? AND resource = ANY(?)",
            "DELETE FROM contained WHERE tenant = ? AND surrogate = ANY(?)",
        ] {
            statements.push(Arrays::new(sql, [Column::One(tenant.0), self.surrogates()]));
        }
    }

    fn delete_passages(&self, tenant: TenantId, statements: &mut Vec<Arrays>) {
        if self.passages.is_empty() {
            return;
        }
        let sql = "DELETE FROM passage l USING (SELECT ? AS tenant, a.* FROM unnest(?, ?, ?, ?)\
                   \x20AS a (resource, section, part, digest)) d WHERE l.tenant = d.tenant AND l.resource = d.resource\
                   \x20AND l.section = d.section AND l.part = d.part AND l.digest = d.digest";
        statements.push(Arrays::new(sql, self.passage_columns(tenant)));
    }

    fn label_columns(&self, tenant: TenantId) -> [Column; 5] {
        let all = || self.labels.iter();
        [
            Column::One(tenant.0),
            Column::Big(all().map(|(resource, _)| *resource).collect()),
            Column::Int(all().map(|(_, (parameter, ..))| *parameter).collect()),
            Column::Big(all().map(|(_, (_, term, _))| *term).collect()),
            Column::Int(all().map(|(_, (.., part))| *part).collect()),
        ]
    }

    fn span_columns(&self, tenant: TenantId) -> [Column; 7] {
        let all = || self.spans.iter();
        [
            Column::One(tenant.0),
            Column::Big(all().map(|(resource, _)| *resource).collect()),
            Column::Int(all().map(|(_, (parameter, ..))| *parameter).collect()),
            Column::Big(all().map(|(_, (_, unit, ..))| *unit).collect()),
            Column::Big(all().map(|(_, (_, _, last, ..))| *last).collect()),
            Column::Big(all().map(|(_, (_, _, _, first, _))| *first).collect()),
            Column::Int(all().map(|(_, (.., part))| *part).collect()),
        ]
    }

    fn place_columns(&self, tenant: TenantId) -> [Column; 7] {
        let all = || self.places.iter();
        let axis = |axis: usize| {
            let bits = all().map(move |(_, (.., point))| point.get(axis).copied().unwrap_or_default());
            Column::Real(bits.map(f64::from_bits).collect())
        };
        [
            Column::One(tenant.0),
            Column::Big(all().map(|(resource, _)| *resource).collect()),
            Column::Int(all().map(|(_, (parameter, ..))| *parameter).collect()),
            axis(0),
            axis(1),
            axis(2),
            Column::Int(all().map(|(_, (_, part, _))| *part).collect()),
        ]
    }

    /// Appends the statements that add them.
    pub(super) fn insert(&self, tenant: TenantId, statements: &mut Vec<Arrays>) {
        self.insert_passages(tenant, statements);
        self.insert_contained(tenant, statements);
        if !self.labels.is_empty() {
            let sql = "INSERT INTO label (tenant, resource, parameter, term, part) SELECT ?, a.resource, a.parameter, a.term,\
                       \x20a.part FROM unnest(?, ?, ?, ?) AS a (resource, parameter, term, part)";
            statements.push(Arrays::new(sql, self.label_columns(tenant)));
        }
        if !self.spans.is_empty() {
            let sql = "INSERT INTO span (tenant, resource, parameter, unit, last, first, part) SELECT ?, a.resource,\
                       \x20a.parameter, a.unit, a.last, a.first, a.part FROM unnest(?, ?, ?, ?, ?, ?)\
                       \x20AS a (resource, parameter, unit, last, first, part)";
            statements.push(Arrays::new(sql, self.span_columns(tenant)));
        }
        if !self.places.is_empty() {
            let sql = "INSERT INTO place (tenant, resource, parameter, x, y, z, part) SELECT ?, a.resource, a.parameter, a.x,\
                       \x20a.y, a.z, a.part FROM unnest(?, ?, ?, ?, ?, ?) AS a (resource, parameter, x, y, z, part)";
            statements.push(Arrays::new(sql, self.place_columns(tenant)));
        }
    }

    /// Appends the statements that take them away.
    pub(super) fn delete(&self, tenant: TenantId, statements: &mut Vec<Arrays>) {
        self.delete_passages(tenant, statements);
        self.delete_contained(tenant, statements);
        if !self.labels.is_empty() {
            let sql = "DELETE FROM label l USING (SELECT ? AS tenant, a.* FROM unnest(?, ?, ?, ?)\
                       \x20AS a (resource, parameter, term, part)) d WHERE l.tenant = d.tenant AND l.resource = d.resource\
                       \x20AND l.parameter = d.parameter AND l.term = d.term AND l.part = d.part";
            statements.push(Arrays::new(sql, self.label_columns(tenant)));
        }
        if !self.spans.is_empty() {
            let sql = "DELETE FROM span l USING (SELECT ? AS tenant, a.* FROM unnest(?, ?, ?, ?, ?, ?)\
                       \x20AS a (resource, parameter, unit, last, first, part)) d WHERE l.tenant = d.tenant\
                       \x20AND l.resource = d.resource AND l.parameter = d.parameter AND l.unit = d.unit AND l.last = d.last\
                       \x20AND l.first = d.first AND l.part = d.part";
            statements.push(Arrays::new(sql, self.span_columns(tenant)));
        }
        if !self.places.is_empty() {
            let sql = "DELETE FROM place l USING (SELECT ? AS tenant, a.* FROM unnest(?, ?, ?, ?, ?, ?)\
                       \x20AS a (resource, parameter, x, y, z, part)) d WHERE l.tenant = d.tenant\
                       \x20AND l.resource = d.resource AND l.parameter = d.parameter AND l.x = d.x AND l.y = d.y AND l.z = d.z\
                       \x20AND l.part = d.part";
            statements.push(Arrays::new(sql, self.place_columns(tenant)));
        }
    }
}
