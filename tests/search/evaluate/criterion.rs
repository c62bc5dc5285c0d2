//! Whether a resource passes a criterion: chains, `_has` and `_list` to their end, and there the values of the parameter
//! (<https://hl7.org/fhir/R4/search.html#chaining>).

use fhir_model::definitions::{SearchParamType as Type, SearchParameter, search_parameter};

use super::{Found, World, amount, date, parameter, place, reference, text, token, uri};
use crate::front::NOW;
use crate::query::{Criterion, Link, Sought};

impl World {
    /// Whether the resource at that place passes.
    pub(crate) fn passes(&self, at: usize, criterion: &Criterion) -> bool {
        self.passes_links(at, &criterion.links, criterion)
    }

    fn passes_links(&self, at: usize, links: &[Link], criterion: &Criterion) -> bool {
        let held = &self.held[at];
        let Some((link, rest)) = links.split_first() else {
            return self.passes_end(at, criterion);
        };
        match link {
            Link::Forward { code, target } => {
                let Some(parameter) = parameter(&held.kind, code) else {
                    return false;
                };
                let may_be = |kind: &str| match target {
                    Some(target) => target == kind,
                    None => parameter.target.contains(&kind),
                };
                let values = self.values(parameter, at);
                let leads_on = |(kind, id): (String, String)| {
                    may_be(&kind)
                        && self
                            .find(&kind, &id)
                            .is_some_and(|next| self.passes_links(next, rest, criterion))
                };
                let leads_inside = |found: &Found| {
                    reference::inside(found)
                        .and_then(|id| held.inside(id))
                        .is_some_and(|world| {
                            may_be(&world.held[0].kind) && world.passes_links(0, rest, criterion)
                        })
                };
                values
                    .iter()
                    .any(|found| reference::target(found).is_some_and(leads_on) || leads_inside(found))
            }
            Link::Back { kind, code } => {
                let parameter = parameter(kind, code).expect("a parameter that is known");
                (0..self.held.len()).any(|from| {
                    self.held[from].kind == *kind
                        && self.refers(parameter, from, &held.kind, &held.id)
                        && self.passes_links(from, rest, criterion)
                })
            }
        }
    }

    /// The place of a resource.
    pub(crate) fn find(&self, kind: &str, id: &str) -> Option<usize> {
        self.held
            .iter()
            .position(|held| held.kind == kind && held.id == id)
    }

    /// Whether a resource refers to that one by a parameter.
    pub(crate) fn refers(
        &self,
        parameter: &'static SearchParameter,
        from: usize,
        kind: &str,
        id: &str,
    ) -> bool {
        let values = self.values(parameter, from);
        let is_it = |(to_kind, to_id): (String, String)| to_kind == kind && to_id == id;
        values.iter().filter_map(reference::target).any(is_it)
    }

    fn passes_end(&self, at: usize, criterion: &Criterion) -> bool {
        let held = &self.held[at];
        let modifier = criterion.modifier.as_deref();
        let any =
            |test: &dyn Fn(&Sought) -> bool| criterion.values.iter().any(test) != (modifier == Some("not"));
        match (criterion.code.as_str(), criterion.values.first()) {
            ("_id" | "_lastUpdated", Some(Sought::Missing(missing))) => !missing,
            ("_id", _) => any(&|sought| matches!(sought, Sought::Text(id) if *id == held.id)),
            ("_lastUpdated", _) => any(&|sought| date::passes((held.changed, held.changed), sought, NOW)),
            ("_list", _) => any(&|sought| match sought {
                Sought::Text(list) => self.find("List", list).is_some_and(|list| {
                    let item = parameter("List", "item").expect("List.item");
                    self.refers(item, list, &held.kind, &held.id)
                }),
                _ => false,
            }),
            _ => {
                let Some(parameter) = parameter(&held.kind, &criterion.code) else {
                    return false;
                };
                let values = self.values(parameter, at);
                if let Some(Sought::Missing(missing)) = criterion.values.first() {
                    return *missing != values.iter().any(|found| is_value(parameter.type_, found));
                }
                any(&|sought| {
                    values
                        .iter()
                        .any(|found| matches(parameter, found, modifier, sought))
                })
            }
        }
    }
}

/// Whether an element says anything to a parameter of that type.
fn is_value(kind: Type, found: &Found) -> bool {
    match kind {
        Type::String => !text::texts(found).is_empty(),
        Type::Date => date::span_of(found).is_some(),
        Type::Number | Type::Quantity => amount::of(found).is_some(),
        Type::Special => place::of(found).is_some(),
        _ => true,
    }
}

/// Whether a value is one that is looked for.
fn matches(
    parameter: &'static SearchParameter,
    found: &Found,
    modifier: Option<&str>,
    sought: &Sought,
) -> bool {
    if let Sought::Parts(parts) = sought {
        let each = parameter.components.iter().zip(&found.parts).zip(parts);
        return parts.len() == found.parts.len()
            && each.into_iter().all(|((component, values), sought)| {
                let definition =
                    search_parameter(component.definition).expect("the parameter of a component");
                values
                    .iter()
                    .any(|value| matches(definition, value, None, sought))
            });
    }
    match parameter.type_ {
        Type::String => text::matches(found, modifier, sought),
        Type::Token => token::matches(found, modifier, sought),
        Type::Date => date::span_of(found).is_some_and(|span| date::passes(span, sought, NOW)),
        Type::Number | Type::Quantity => amount::matches(found, sought),
        Type::Reference => reference::matches(found, modifier, sought),
        Type::Uri => uri::matches(found, modifier, sought),
        Type::Special => place::matches(found, sought),
        Type::Composite => false,
    }
}
