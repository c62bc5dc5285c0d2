//! `_contained` and `_containedType` (<https://hl7.org/fhir/R4/search.html#contained>): resources of a type that others contain, as their
//! containers or by themselves.
//!
//! Invariant: what is contained is seen by whom its container is found by, and by nobody else.

use std::collections::{HashMap, HashSet};

use fhir_model::json;
use fhir_model::reflect::{Complex, Node, Nodes};

use crate::engine::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::Request;
use crate::interaction::query::{Reader, malformed};
use crate::store::{ContainedQuery, Filter, Found, Key, ResourceType, SearchQuery, Sort, SortKey, Version};

/// What of contained resources is asked for.
#[derive(Clone, Debug)]
pub(super) struct Inside {
    /// Their type.
    resource_type: ResourceType,
    /// Resources that nobody contains are asked for too.
    both: bool,
    /// They stand by themselves in the answer, not their containers.
    pub(super) alone: bool,
    /// What they must be.
    filter: Filter,
}

/// What stands in an answer for one match of a search.
pub(super) enum Entry {
    /// The resource that was found.
    Whole,
    /// What it contains under that id.
    Part(String),
}

impl Inside {
    /// Reads `_contained` and `_containedType`; `None` where contained resources are not asked for. `special` is a search that is more than
    /// that of a type.
    pub(super) fn read(reader: &mut Reader<'_>, request: &Request, special: bool) -> Result<Option<Inside>> {
        let both = match reader.one("_contained")? {
            None | Some("false") => None,
            Some("true") => Some(false),
            Some("both") => Some(true),
            Some(other) => return Err(malformed("_contained", other, "true, false or both")),
        };
        let alone = match reader.one("_containedType")? {
            None | Some("container") => false,
            Some("contained") => true,
            Some(other) => return Err(malformed("_containedType", other, "container or contained")),
        };
        let Some(both) = both else {
            return Ok(None);
        };
        match request.resource_type {
            Some(resource_type) if !special => Ok(Some(Inside {
                resource_type,
                both,
                alone,
                filter: Filter::All,
            })),
            _ => Err(refused(
                "Contained resources are searched for by type alone, as in Medication?_contained=true: name one, and search neither \
                 a compartment nor everything.",
            )),
        }
    }

    /// The filter of the containers, and of the resources of the type themselves where both are asked for.
    pub(super) fn of(&mut self, criteria: Filter, sort: &[Sort]) -> Result<Filter> {
        if asks_outside(&criteria) {
            return Err(refused(
                "_lastUpdated, _has, _list, _text and _content ask for what no contained resource has: leave them out, or _contained.",
            ));
        }
        let own = |sort: &Sort| matches!(sort.key, SortKey::LastUpdated | SortKey::Id);
        if !sort.iter().all(own) {
            return Err(refused(
                "With _contained, what is found is of several types: sort by _lastUpdated or _id alone.",
            ));
        }
        self.filter = criteria.clone();
        let contains = Filter::Contains {
            resource_type: self.resource_type,
            filter: Box::new(criteria.clone()),
        };
        Ok(match self.both {
            true => Filter::Or(vec![
                Filter::Types(vec![self.resource_type]).and(criteria),
                contains,
            ]),
            false => contains,
        })
    }

    /// What stands for those matches, in their order, `count` at most, without the first `skip` of the first; and where there is more, the
    /// place of the match that it is of, and how much of that was shown.
    pub(super) async fn entries(
        &self,
        session: &Session,
        matches: &[Found],
        count: usize,
        skip: usize,
    ) -> Result<(Vec<(usize, Entry)>, Option<(usize, usize)>)> {
        if matches.is_empty() {
            return Ok((Vec::new(), None));
        }
        let keys: Vec<Key> = matches.iter().map(|found| found.version.key.clone()).collect();
        let (keys, mut inside, is_cut) = self.inside(session, keys, count, skip).await?;
        let direct = self.direct(session, &keys).await?;
        let mut entries = Vec::new();
        let mut shown = 0;
        for (place, key) in keys.iter().enumerate() {
            let is_match = direct.contains(&key.id) && key.resource_type == self.resource_type;
            let own = is_match.then_some(Entry::Whole);
            let ids = inside.remove(&place).unwrap_or_default();
            let of_this = own.into_iter().chain(ids.into_iter().map(Entry::Part));
            shown = if place == 0 { skip } else { 0 };
            for entry in of_this.skip(shown) {
                if entries.len() == count {
                    return Ok((entries, Some((place, shown))));
                }
                entries.push((place, entry));
                shown += 1;
            }
        }
        let rest = match keys.len() {
            all if all < matches.len() => Some((all, 0)),
            _ if is_cut && !entries.is_empty() => Some((0, shown)),
            _ => None,
        };
        Ok((entries, rest))
    }

    /// The ids of what the first of those containers contain: of so many that few enough are fetched, of one at least; whether some of that
    /// one were not.
    async fn inside(
        &self,
        session: &Session,
        mut keys: Vec<Key>,
        count: usize,
        skip: usize,
    ) -> Result<(Vec<Key>, HashMap<usize, Vec<String>>, bool)> {
        let most = session
            .settings()
            .page_max
            .max(count)
            .saturating_add(skip)
            .saturating_add(1);
        loop {
            let mut query = ContainedQuery::new(keys.clone(), self.resource_type, self.filter.clone(), most);
            query.visible = Filter::All;
            let rows = session.contained(query).await?;
            let is_cut = rows.len() >= most;
            if is_cut && keys.len() > 1 {
                keys.truncate(keys.len() / 2);
                continue;
            }
            let mut inside: HashMap<usize, Vec<String>> = HashMap::new();
            for (place, id) in rows {
                let ids = inside.entry(place).or_default();
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            return Ok((keys, inside, is_cut));
        }
    }

    /// The ids of those that are matches themselves.
    async fn direct(&self, session: &Session, keys: &[Key]) -> Result<HashSet<String>> {
        let of_type = keys.iter().filter(|key| key.resource_type == self.resource_type);
        let ids: Vec<String> = of_type.map(|key| key.id.clone()).collect();
        if !self.both || ids.is_empty() {
            return Ok(HashSet::new());
        }
        let count = ids.len();
        let filter = self.filter.clone().and(Filter::Ids(ids));
        let found = session
            .search(SearchQuery::new(Some(self.resource_type), filter, count))
            .await?;
        Ok(found.into_iter().map(|found| found.version.key.id).collect())
    }
}

/// What a version contains under that id, as JSON.
pub(super) fn part(version: &Version, id: &str) -> Result<Option<Vec<u8>>> {
    let Some(body) = &version.body else {
        return Ok(None);
    };
    let container = json::from_slice(&body.json).map_err(Error::internal)?;
    let root = container.as_complex();
    let Some((field, _)) = root.type_info().field("contained") else {
        return Ok(None);
    };
    let parts = Nodes::of(root, field).filter_map(|node| match node {
        Node::Complex(inner) => Some(inner),
        Node::Primitive(..) => None,
    });
    let mut named = parts.filter(|inner| id_of(*inner).is_some_and(|own| own == id));
    Ok(named.next().map(json::to_vec_of))
}

fn id_of(complex: &dyn Complex) -> Option<String> {
    let (field, _) = complex.type_info().field("id")?;
    match Nodes::of(complex, field).next()? {
        Node::Primitive(_, value) => Some(value.text()?.into_owned()),
        Node::Complex(_) => None,
    }
}

/// Whether it asks for what only a resource of its own has.
fn asks_outside(filter: &Filter) -> bool {
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().any(asks_outside),
        Filter::Not(inner) => asks_outside(inner),
        Filter::LastUpdated { .. }
        | Filter::Resource(_)
        | Filter::Words { .. }
        | Filter::ReferredToBy { .. }
        | Filter::ReferredToByUrl { .. } => true,
        _ => false,
    }
}

fn refused(text: &str) -> Error {
    Error::new(ErrorCode::Value, text).at("http._contained")
}
