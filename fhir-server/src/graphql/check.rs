//! Checks a query against R4's definitions before any data is read: names of fields, selections where there must be some and only there.

use async_graphql_parser::types::{Field, Selection, SelectionSet};
use fhir_model::Resource;
use fhir_model::reflect::TypeInfo;
use fhir_model::type_info;

use super::query::{Query, wrong};
use super::select::{self, Child, ChildKind};
use crate::error::Result;

/// Values within values at most.
pub(super) const MAX_DEPTH: usize = 32;
/// Fields looked at in one check at most, fragments counted each time they are used.
const MAX_FIELDS: usize = 5_000;

/// What a selection is on.
#[derive(Clone, Copy)]
enum On {
    System,
    Type(&'static TypeInfo),
    AnyResource,
    Connection(&'static TypeInfo),
    Edge(&'static TypeInfo),
}

/// Checks a whole query; `root` is the type that it begins at, `None` the server.
pub(super) fn check(query: &Query, root: Option<&str>) -> Result<()> {
    let on = root.and_then(type_info).map_or(On::System, On::Type);
    let mut checker = Checker { query, fields: 0 };
    checker.selections(query.selections(), on, 0)
}

struct Checker<'q> {
    query: &'q Query,
    fields: usize,
}

impl Checker<'_> {
    fn selections(&mut self, set: &SelectionSet, on: On, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(wrong(format!(
                "The query nests deeper than {MAX_DEPTH}; ask for less at once."
            )));
        }
        for item in &set.items {
            self.fields += 1;
            if self.fields > MAX_FIELDS {
                return Err(wrong(format!(
                    "The query has more than {MAX_FIELDS} fields; ask for less at once."
                )));
            }
            match &item.node {
                Selection::Field(field) => self.field(&field.node, on, depth)?,
                Selection::InlineFragment(inline) => {
                    let named = inline
                        .node
                        .type_condition
                        .as_ref()
                        .map(|t| t.node.on.node.as_str());
                    let set = &inline.node.selection_set.node;
                    self.fragment(set, named, on, depth)?;
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.query.fragment(&spread.node.fragment_name)?;
                    let named = fragment.type_condition.node.on.node.as_str();
                    self.fragment(&fragment.selection_set.node, Some(named), on, depth)?;
                }
            }
        }
        Ok(())
    }

    /// A fragment on another type than the value's is never used, but must be right for its own.
    fn fragment(&mut self, set: &SelectionSet, named: Option<&str>, on: On, depth: usize) -> Result<()> {
        let on = match (named, on) {
            (None, on) => on,
            (Some(_), On::Connection(_) | On::Edge(_) | On::System) => on,
            (Some("Resource" | "DomainResource"), On::AnyResource) => On::AnyResource,
            (Some(name), On::Type(info)) if select::types(info).contains(&name) => on,
            (Some(name), _) => match type_info(name) {
                Some(info) => On::Type(info),
                None => return Err(wrong(format!("R4 has no type {name:?} for a fragment to be on."))),
            },
        };
        self.selections(set, on, depth + 1)
    }

    fn field(&mut self, field: &Field, on: On, depth: usize) -> Result<()> {
        let name = field.name.node.as_str();
        let below = match on {
            On::System => self.below(select::system_child(name), name, "the server")?,
            On::Type(info) => self.below(select::child(info, name), name, info.name)?,
            On::AnyResource => {
                let found = Resource::TYPES
                    .iter()
                    .filter_map(|t| select::child(type_info(t)?, name))
                    .next();
                self.below(found, name, "any resource")?
            }
            On::Connection(info) => match name {
                "edges" => Some(On::Edge(info)),
                "count" | "offset" | "pagesize" | "first" | "previous" | "next" | "last" => None,
                _ => return Err(unknown(name, "a connection")),
            },
            On::Edge(info) => match name {
                "resource" => Some(On::Type(info)),
                "mode" | "score" => None,
                _ => return Err(unknown(name, "an edge")),
            },
        };
        let set = &field.selection_set.node;
        match (below, set.items.is_empty()) {
            (None, true) => Ok(()),
            (Some(on), false) => self.selections(set, on, depth + 1),
            (None, false) => Err(wrong(format!(
                "{name} is a plain value: leave out the selection after it."
            ))),
            (Some(_), true) => Err(wrong(format!(
                "{name} has elements: say which, as in {name} {{ id }}."
            ))),
        }
    }

    fn below(&self, child: Option<Child>, name: &str, of: &str) -> Result<Option<On>> {
        let of_type = |resource_type| select::info_of(resource_type).map(On::Type);
        match child {
            None => Err(unknown(name, of)),
            Some(Child::TypeName) => Ok(None),
            Some(Child::Element { kind, .. }) => Ok(match kind {
                ChildKind::Primitive => None,
                ChildKind::Complex(info) => Some(On::Type(info)),
                ChildKind::Resource => Some(On::AnyResource),
            }),
            Some(Child::Extras { .. }) => Ok(type_info("Element")
                .or_else(|| type_info("Extension"))
                .map(On::Type)),
            Some(Child::Target) => Ok(Some(On::AnyResource)),
            Some(Child::Read(t) | Child::List(t)) => Ok(of_type(t)),
            Some(Child::Connection(t)) => Ok(select::info_of(t).map(On::Connection)),
        }
    }
}

fn unknown(name: &str, of: &str) -> crate::error::Error {
    wrong(format!("There is no field {name:?} on {of}."))
}
