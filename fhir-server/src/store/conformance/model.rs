//! The plainest way to answer a [`Filter`]: look at every row of every resource. What the back ends are held against, and what the
//! store in memory answers with.

use std::cmp::Ordering;

use crate::context::Millis;
use crate::store::number::ordered;
use crate::store::{
    Criterion, Cursor, Filter, Index, IndexRow, IndexValue, Key, ParameterNumber, Place, ResourceType,
    SORTED_BYTES, Sort, SortKey, SystemTest, Test, UnitTest, ValueKind, id,
};

/// A resource that is not deleted.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Type and id.
    pub(crate) key: Key,
    /// The stamp of its current version.
    pub(crate) stamp: i64,
    /// When that was written.
    pub(crate) last_updated: Millis,
    /// Its rows.
    pub(crate) index: Index,
}

/// Everything current.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model(pub(crate) Vec<Item>);

impl Model {
    /// Whether the filter lets the resource through.
    pub(crate) fn admits(&self, filter: &Filter, item: &Item) -> bool {
        match filter {
            Filter::And(all) => all.iter().all(|f| self.admits(f, item)),
            Filter::Or(any) => any.iter().any(|f| self.admits(f, item)),
            Filter::Not(not) => !self.admits(not, item),
            Filter::Has(criterion) => item.index.rows().iter().any(|row| passes(criterion, row)),
            Filter::Group(parts) => in_one_group(parts, &item.index),
            Filter::RefersTo {
                parameters,
                resource_type,
                filter,
            } => self.0.iter().any(|target| {
                target.key.resource_type == *resource_type
                    && refers(item, parameters, &target.key)
                    && self.admits(filter, target)
            }),
            Filter::ReferredToBy {
                resource_type,
                parameter,
                filter,
            } => self.0.iter().any(|source| {
                source.key.resource_type == *resource_type
                    && refers(source, &[*parameter], &item.key)
                    && self.admits(filter, source)
            }),
            Filter::RefersByUrl {
                parameters,
                urls,
                resource_type,
                filter,
            } => self.0.iter().any(|target| {
                target.key.resource_type == *resource_type
                    && shares(item, parameters, target, urls)
                    && self.admits(filter, target)
            }),
            Filter::ReferredToByUrl {
                resource_type,
                parameter,
                urls,
                filter,
            } => self.0.iter().any(|source| {
                source.key.resource_type == *resource_type
                    && shares(source, &[*parameter], item, urls)
                    && self.admits(filter, source)
            }),
            plain => plain.admits(&item.key, item.last_updated),
        }
    }

    /// The resources that the filter lets through, in order.
    pub(crate) fn search(
        &self,
        resource_type: Option<ResourceType>,
        filter: &Filter,
        sort: &[Sort],
    ) -> Vec<(&Item, Cursor)> {
        let of_type = |item: &&Item| resource_type.is_none_or(|t| t == item.key.resource_type);
        let found = self.0.iter().filter(of_type);
        let mut found: Vec<(&Item, Cursor)> = found
            .filter(|item| self.admits(filter, item))
            .map(|item| (item, cursor(item, sort)))
            .collect();
        found.sort_by(|a, b| compare(&a.1, &b.1, sort));
        found
    }
}

/// Whether one of the parameters of a resource names that one.
pub(crate) fn refers(item: &Item, parameters: &[ParameterNumber], to: &Key) -> bool {
    item.index.rows().iter().any(|row| {
        parameters.contains(&row.parameter)
            && matches!(&row.value, IndexValue::Reference { resource_type, id, .. }
                if *resource_type == to.resource_type && *id == to.id)
    })
}

/// Whether a resource has a text, code, uri or reference for one of its parameters that the other has for one of its own.
pub(crate) fn shares(
    one: &Item,
    parameters: &[ParameterNumber],
    other: &Item,
    others: &[ParameterNumber],
) -> bool {
    let of = |item: &Item, parameters: &[ParameterNumber]| -> Vec<IndexValue> {
        let rows = item
            .index
            .rows()
            .iter()
            .filter(|row| parameters.contains(&row.parameter));
        rows.filter(|row| is_term(&row.value))
            .map(|row| row.value.clone())
            .collect()
    };
    let there = of(other, others);
    of(one, parameters).iter().any(|value| there.contains(value))
}

fn is_term(value: &IndexValue) -> bool {
    matches!(
        kind_of(value),
        ValueKind::String | ValueKind::Token | ValueKind::Uri | ValueKind::Reference
    )
}

fn in_one_group(parts: &[Criterion], index: &Index) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return true;
    };
    let rows = index.rows();
    rows.iter().any(|row| {
        passes(first, row)
            && rest.iter().all(|part| {
                rows.iter()
                    .any(|other| other.group == row.group && passes(part, other))
            })
    })
}

fn passes(criterion: &Criterion, row: &IndexRow) -> bool {
    row.parameter == criterion.parameter && value_passes(&criterion.test, &row.value)
}

fn value_passes(test: &Test, value: &IndexValue) -> bool {
    match (test, value) {
        (Test::Every(all), value) => all.iter().all(|test| value_passes(test, value)),
        (Test::Exists(kind), value) => kind_of(value) == *kind,
        (Test::NoneOf(tests), value) => is_term(value) && !tests.iter().any(|test| value_passes(test, value)),
        (Test::StartsWith(start), IndexValue::String { folded, .. }) => folded.starts_with(start.as_str()),
        (Test::EndsWith(end), IndexValue::String { folded, .. }) => folded.ends_with(end.as_str()),
        (Test::Contains(part), IndexValue::String { folded, .. }) => folded.contains(part.as_str()),
        (Test::Folded(text), IndexValue::String { folded, .. }) => folded == text,
        (Test::Exact(text), IndexValue::String { exact, .. }) => exact == text,
        (Test::Token { system, code }, IndexValue::Token { system: of, code: is }) => {
            let from = match system {
                SystemTest::Any => true,
                SystemTest::Absent => of.is_none(),
                SystemTest::Is(system) => of.as_ref() == Some(system),
            };
            from && code.as_ref().is_none_or(|spellings| spellings.contains(is))
        }
        (
            Test::Reference { types, id, version },
            IndexValue::Reference {
                resource_type,
                id: of,
                version: names,
            },
        ) => {
            (types.is_empty() || types.contains(resource_type))
                && id == of
                && (version.is_none() || version == names)
        }
        (Test::ReferenceType(types), IndexValue::Reference { resource_type, .. }) => {
            types.contains(resource_type)
        }
        (Test::Uri { uri, version }, IndexValue::Uri { uri: is, version: of }) => {
            uri == is && (version.is_none() || version == of)
        }
        (Test::UriBelow(root), IndexValue::Uri { uri, .. }) => is_below(uri, root),
        (Test::UriAbove(roots), IndexValue::Uri { uri, .. }) => roots.contains(uri),
        (Test::Date(compare, a, b), IndexValue::Date { first, last }) => {
            compare.passes((a, b), (first, last))
        }
        (Test::Number(compare, a, b), IndexValue::Number { low, high }) => {
            compare.passes((a, b), (low, high))
        }
        (
            Test::Quantity(compare, a, b, test),
            IndexValue::Quantity {
                low,
                high,
                system,
                code,
                unit,
            },
        ) => {
            let measured = match test {
                UnitTest::Any => true,
                UnitTest::Coded { system: s, code: c } => {
                    system.as_ref() == Some(s) && code.as_ref() == Some(c)
                }
                UnitTest::Named(name) => code.as_ref() == Some(name) || unit.as_ref() == Some(name),
            };
            measured && compare.passes((a, b), (low, high))
        }
        (
            Test::Near {
                point: [x, y, z],
                chord2,
            },
            IndexValue::Position { point: [px, py, pz] },
        ) => (px - x) * (px - x) + (py - y) * (py - y) + (pz - z) * (pz - z) <= *chord2,
        _ => false,
    }
}

fn is_below(uri: &str, root: &str) -> bool {
    const SEPARATORS: [char; 5] = ['/', ':', '#', '?', '.'];
    uri.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(SEPARATORS) || root.ends_with(SEPARATORS))
}

fn kind_of(value: &IndexValue) -> ValueKind {
    match value {
        IndexValue::String { .. } => ValueKind::String,
        IndexValue::Token { .. } => ValueKind::Token,
        IndexValue::Reference { .. } => ValueKind::Reference,
        IndexValue::Uri { .. } => ValueKind::Uri,
        IndexValue::Date { .. } => ValueKind::Date,
        IndexValue::Number { .. } => ValueKind::Number,
        IndexValue::Quantity { .. } => ValueKind::Quantity,
        IndexValue::Position { .. } => ValueKind::Position,
    }
}

/// The place of a resource in an order.
pub(crate) fn cursor(item: &Item, sort: &[Sort]) -> Cursor {
    let by = |parameters: &[ParameterNumber], kind: ValueKind, descending: bool| {
        let rows = item.index.rows().iter();
        let places = rows
            .filter(|row| parameters.contains(&row.parameter) && kind_of(&row.value) == kind)
            .filter_map(|row| place(&row.value, descending));
        let best = if descending { places.max() } else { places.min() };
        best.unwrap_or(Place::Missing)
    };
    let values = sort.iter().map(|sort| match &sort.key {
        SortKey::LastUpdated => Place::Number(item.stamp),
        SortKey::Id => Place::Bytes(id::pack(&item.key.id)),
        SortKey::Parameter { parameter, kind } => by(&[*parameter], *kind, sort.descending),
        SortKey::AnyParameter { parameters, kind } => by(parameters, *kind, sort.descending),
    });
    Cursor {
        values: values.collect(),
        stamp: item.stamp,
    }
}

fn place(value: &IndexValue, descending: bool) -> Option<Place> {
    let end = |first: i64, last: i64| Place::Number(if descending { last } else { first });
    let text = |bytes: &[u8]| Place::Bytes(bytes.get(..SORTED_BYTES).unwrap_or(bytes).to_vec());
    Some(match value {
        IndexValue::String { folded, .. } => text(folded.as_bytes()),
        IndexValue::Token { code, .. } => text(code.as_bytes()),
        IndexValue::Uri { uri, .. } => text(uri.as_bytes()),
        IndexValue::Reference { id, .. } => text(&id::pack(id)),
        IndexValue::Date { first, last } => end(*first, *last),
        IndexValue::Number { low, high } | IndexValue::Quantity { low, high, .. } => {
            end(ordered(*low), ordered(*high))
        }
        IndexValue::Position { .. } => return None,
    })
}

/// Which place is before which.
pub(crate) fn compare(a: &Cursor, b: &Cursor, sort: &[Sort]) -> Ordering {
    let values = a.values.iter().zip(&b.values).zip(sort);
    let by_values = values.map(|((a, b), sort)| match (a, b) {
        (Place::Missing, Place::Missing) => Ordering::Equal,
        (Place::Missing, _) => Ordering::Greater,
        (_, Place::Missing) => Ordering::Less,
        _ if sort.descending => b.cmp(a),
        _ => a.cmp(b),
    });
    by_values
        .fold(Ordering::Equal, Ordering::then)
        .then(b.stamp.cmp(&a.stamp))
}
