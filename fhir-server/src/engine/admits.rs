//! What a filter says of a resource that is not stored yet.
//!
//! Invariant: what a filter cannot tell without the index, it does not let through, also where it stands behind a `Not`.

use crate::context::Millis;
use crate::store::scan;
use crate::store::{Filter, Index, Key};

impl Filter {
    /// Whether it certainly lets through a resource of that key, changed at that time, of which no rows and no links are known yet.
    pub(crate) fn admits(&self, key: &Key, last_updated: Millis) -> bool {
        self.tells(key, last_updated) == Some(true)
    }

    /// The same of one with those rows, for a filter that is no combination of others and asks for no links.
    pub(crate) fn admits_rows(&self, key: &Key, last_updated: Millis, index: &Index) -> bool {
        match self {
            Filter::Has(criterion) => index.rows().iter().any(|row| scan::passes(criterion, row)),
            Filter::Any(test) => index
                .rows()
                .iter()
                .any(|row| scan::value_passes(test, &row.value)),
            Filter::Group(parts) => scan::in_one_group(parts, index),
            other => other.admits(key, last_updated),
        }
    }

    /// Whether it lets the resource through; `None` where only its rows or links could tell.
    fn tells(&self, key: &Key, last_updated: Millis) -> Option<bool> {
        let tells = |f: &Filter| f.tells(key, last_updated);
        match self {
            Filter::All => Some(true),
            Filter::None => Some(false),
            Filter::And(all) => {
                let all: Vec<_> = all.iter().map(tells).collect();
                if all.contains(&Some(false)) {
                    Some(false)
                } else {
                    all.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
                }
            }
            Filter::Or(any) => {
                let any: Vec<_> = any.iter().map(tells).collect();
                if any.contains(&Some(true)) {
                    Some(true)
                } else {
                    any.into_iter().collect::<Option<Vec<_>>>().map(|_| false)
                }
            }
            Filter::Not(not) => tells(not).map(|lets| !lets),
            Filter::Types(types) => Some(types.contains(&key.resource_type)),
            Filter::Ids(ids) => Some(ids.contains(&key.id)),
            Filter::Resource(one) => Some(one == key),
            Filter::LastUpdated { from, to } => {
                let in_time =
                    from.is_none_or(|from| from <= last_updated) && to.is_none_or(|to| last_updated <= to);
                Some(in_time)
            }
            Filter::Has(_)
            | Filter::Any(_)
            | Filter::Group(_)
            | Filter::Words { .. }
            | Filter::Contains { .. }
            | Filter::RefersInside { .. }
            | Filter::RefersTo { .. }
            | Filter::ReferredToBy { .. }
            | Filter::RefersByUrl { .. }
            | Filter::ReferredToByUrl { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Criterion, ParameterNumber, ResourceType, Test, ValueKind};

    #[test]
    fn what_cannot_be_told_is_not_let_through_behind_a_not_either() {
        let key = Key {
            resource_type: ResourceType::from_name("Patient").unwrap(),
            id: "1".into(),
        };
        let open = || {
            Filter::Has(Criterion {
                parameter: ParameterNumber(8),
                test: Test::Exists(ValueKind::Token),
            })
        };
        let not = |f: Filter| Filter::Not(Box::new(f));
        let admits = |f: Filter| f.admits(&key, Millis(0));
        assert!(!admits(open()) && !admits(not(open())) && !admits(not(not(open()))));
        assert!(!admits(Filter::And(vec![Filter::All, not(open())])));
        assert!(!admits(not(Filter::Or(vec![Filter::None, open()]))));
        assert!(admits(Filter::Or(vec![open(), Filter::All])));
        assert!(admits(not(Filter::And(vec![open(), Filter::None]))));
        assert!(admits(not(Filter::None)) && !admits(not(Filter::All)));
        assert!(admits(Filter::And(Vec::new())) && !admits(Filter::Or(Vec::new())));
    }
}
