//! Filters over other resources: chains (<https://hl7.org/fhir/R4/search.html#chaining>) and `_has`
//! (<https://hl7.org/fhir/R4/search.html#has>), down to the comparison at their end.

use fhir_model::definitions::SearchParamType;

use super::expression::{Expression, Operator};
use super::facet::Facet;
use super::modifier::Modifier;
use super::name::Link;
use super::{Problem, Scope, any_of, expression, own, value};
use crate::error::{Error, ErrorCode};
use crate::search::registry::Parameter;
use crate::store::{Filter, ParameterNumber, ResourceType};

type Outcome = std::result::Result<Filter, Problem>;

/// The comparison at the end of a name.
pub(super) enum Leaf<'n> {
    /// As parameters compare.
    Value {
        code: &'n str,
        modifier: Option<&'n str>,
        value: &'n str,
    },
    /// As `_filter` compares.
    Operator {
        code: &'n str,
        operator: Operator,
        value: &'n str,
    },
}

/// The filter of a comparison at the end of links, for resources of those types; without types, for those of any.
pub(super) fn filter(
    scope: &Scope<'_>,
    types: &[ResourceType],
    links: &[Link<'_>],
    leaf: &Leaf<'_>,
) -> Outcome {
    match types {
        [] => of_one(scope, None, links, leaf),
        [only] => of_one(scope, Some(*only), links, leaf),
        several => {
            let mut each = Vec::with_capacity(several.len());
            for &resource_type in several {
                each.push((resource_type, of_one(scope, Some(resource_type), links, leaf)?));
            }
            Ok(match each.split_first() {
                Some(((_, first), rest)) if rest.iter().all(|(_, f)| f == first) => first.clone(),
                _ => any_of(
                    each.into_iter()
                        .map(|(t, f)| Filter::Types(vec![t]).and(f))
                        .collect(),
                ),
            })
        }
    }
}

fn of_one(
    scope: &Scope<'_>,
    resource_type: Option<ResourceType>,
    links: &[Link<'_>],
    leaf: &Leaf<'_>,
) -> Outcome {
    match links.split_first() {
        None => comparison(scope, resource_type, leaf),
        Some((
            Link::Forward {
                code,
                resource_type: target,
                only,
            },
            rest,
        )) => {
            let parameter = reference(scope, resource_type, code)?;
            let targets = targets(parameter, *target)?;
            forward(scope, parameter, &targets, *only, rest, leaf)
        }
        Some((
            Link::Back {
                resource_type: from,
                code,
            },
            rest,
        )) => {
            let from = named_type(from, code)?;
            let parameter = reference(scope, Some(from), code)?;
            if let Some(here) = resource_type.filter(|t| !may_refer_to(parameter, *t)) {
                let text = format!(
                    "{code} of {} never refers to {}: it refers to {}.",
                    from.name(),
                    here.name(),
                    Facet::of(parameter).target_names()
                );
                return Err(refused(code, text));
            }
            let filter = of_one(scope, Some(from), rest, leaf)?;
            Ok(backward(scope, resource_type, (from, parameter), filter))
        }
    }
}

/// Resources of a type, or of any, that a resource which passes refers to.
fn backward(
    scope: &Scope<'_>,
    here: Option<ResourceType>,
    (from, parameter): (ResourceType, &Parameter),
    filter: Filter,
) -> Filter {
    let mut urls: Vec<ParameterNumber> = Vec::new();
    if parameter.may_be_canonical() {
        let types = match (here, parameter.targets.is_empty()) {
            (Some(here), _) => vec![here],
            (None, true) => ResourceType::all().collect(),
            (None, false) => parameter.targets.clone(),
        };
        urls = types.into_iter().flat_map(|t| scope.registry.urls(t)).collect();
    }
    let by_id = Filter::ReferredToBy {
        resource_type: from,
        parameter: parameter.number,
        filter: Box::new(filter.clone()),
    };
    match urls.is_empty() {
        true => by_id,
        false => any_of(vec![
            by_id,
            Filter::ReferredToByUrl {
                resource_type: from,
                parameter: parameter.number,
                urls,
                filter: Box::new(filter),
            },
        ]),
    }
}

/// Resources that refer to one of the targets that passes. What only some of the target types know is asked of those alone.
fn forward(
    scope: &Scope<'_>,
    parameter: &Parameter,
    targets: &[ResourceType],
    only: Option<&Expression>,
    rest: &[Link<'_>],
    leaf: &Leaf<'_>,
) -> Outcome {
    let mut any = Vec::new();
    let mut refused = None;
    let mut unknown = None;
    let by_url = parameter.may_be_canonical();
    for &target in targets {
        let passes = of_one(scope, Some(target), rest, leaf).and_then(|filter| match only {
            Some(test) => Ok(filter.and(expression::filter(scope, &[target], test)?)),
            None => Ok(filter),
        });
        match passes {
            Ok(filter) => {
                let urls: Vec<_> = scope.registry.urls(target).filter(|_| by_url).collect();
                if !urls.is_empty() {
                    any.push(Filter::RefersByUrl {
                        parameters: vec![parameter.number],
                        urls,
                        resource_type: target,
                        filter: Box::new(filter.clone()),
                    });
                }
                any.push(Filter::RefersTo {
                    parameters: vec![parameter.number],
                    resource_type: target,
                    filter: Box::new(filter),
                });
            }
            Err(Problem::Refused(error)) if error.code == ErrorCode::TooCostly => return Err(error.into()),
            Err(Problem::Refused(error)) => refused = refused.or(Some(error)),
            Err(Problem::Unknown(why)) => unknown = unknown.or(Some(why)),
        }
    }
    match (any.is_empty(), refused, unknown) {
        (false, ..) => Ok(any_of(any)),
        (true, Some(error), _) => Err(error.into()),
        (true, None, Some(why)) => Err(Problem::Unknown(why)),
        (true, None, None) => Ok(Filter::None),
    }
}

fn comparison(scope: &Scope<'_>, resource_type: Option<ResourceType>, leaf: &Leaf<'_>) -> Outcome {
    match leaf {
        Leaf::Value {
            code,
            modifier,
            value,
        } => {
            if let Some(special) = own::everywhere(scope, code, *modifier, value) {
                return special;
            }
            let facet = Facet::of(offered(scope.parameter(resource_type, code)?)?);
            let modifier = modifier.map(|m| Modifier::of(&facet, m)).transpose()?;
            Ok(value::filter(scope, &facet, modifier, value)?)
        }
        Leaf::Operator {
            code,
            operator,
            value,
        } => {
            if let Some(special) = own::compared(scope, code, *operator, value) {
                return special;
            }
            let facet = Facet::of(offered(scope.parameter(resource_type, code)?)?);
            Ok(expression::compare(scope, &facet, *operator, value)?)
        }
    }
}

/// A parameter that no row is made for is not offered.
fn offered(parameter: &Parameter) -> std::result::Result<&Parameter, Problem> {
    match parameter.is_indexed() {
        true => Ok(parameter),
        false => Err(Problem::Unknown(format!(
            "The search parameter {} is not offered here.",
            parameter.code
        ))),
    }
}

/// The parameter of that code, through which a chain may go.
fn reference<'s>(
    scope: &Scope<'s>,
    resource_type: Option<ResourceType>,
    code: &str,
) -> std::result::Result<&'s Parameter, Problem> {
    let parameter = scope.parameter(resource_type, code)?;
    if parameter.kind != SearchParamType::Reference {
        let text = format!(
            "A chain cannot go through {code}: it is of type {} and refers to nothing.",
            parameter.kind.code()
        );
        return Err(refused(code, text));
    }
    Ok(parameter)
}

/// The types at the other end of a link.
fn targets(parameter: &Parameter, named: Option<&str>) -> std::result::Result<Vec<ResourceType>, Problem> {
    let code = &parameter.code;
    let Some(name) = named else {
        return Ok(match parameter.targets.is_empty() {
            true => ResourceType::all().collect(),
            false => parameter.targets.clone(),
        });
    };
    let named = named_type(name, code)?;
    match may_refer_to(parameter, named) {
        true => Ok(vec![named]),
        false => {
            let text = format!(
                "The parameter {code} never refers to {name}: it refers to {}.",
                Facet::of(parameter).target_names()
            );
            Err(refused(code, text))
        }
    }
}

fn may_refer_to(parameter: &Parameter, resource_type: ResourceType) -> bool {
    parameter.targets.is_empty() || parameter.targets.contains(&resource_type)
}

fn named_type(name: &str, code: &str) -> std::result::Result<ResourceType, Problem> {
    ResourceType::from_name(name).ok_or_else(|| {
        let short: String = name.chars().take(60).collect();
        refused(
            code,
            format!("{short:?} is no resource type of R4: write one such as Patient."),
        )
    })
}

fn refused(code: &str, text: String) -> Problem {
    let short: String = code.chars().take(60).collect();
    Problem::Refused(Error::new(ErrorCode::Value, text).at(format!("http.{short}")))
}
