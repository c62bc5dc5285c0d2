//! [`extract`]: the index rows of a resource, by the expressions of its type's search parameters
//! (<https://hl7.org/fhir/R4/search.html#ptypes>). One file a type of parameter says which rows a value makes.
//!
//! Invariant: rows follow from the resource, the parameters, the zone and the server's addresses alone; the store is never asked.
//! `resolve()` tells types by the look of references.
//! Invariant: all of a resource's values are in its rows, or the resource is refused.

mod date;
mod number;
mod quantity;
mod reference;
mod rows;
mod special;
mod string;
mod token;
mod uri;

use fhir_model::Resource;
use fhir_model::definitions::SearchParamType;
use fhir_model::path::{self, ByReferenceType, Environment, Limits, Value};
use fhir_model::reflect::Node;
use jiff::tz::TimeZone;

use super::registry::{Parameter, Registry, Use};
use crate::error::{self, Error, ErrorCode};
use crate::store::{Index, ResourceType};
use rows::{MAX_ROWS, Rows, TooMany};

/// What the rows of a resource depend on besides the resource.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'s> {
    /// The zone of dates and times without one.
    pub zone: &'s TimeZone,
    /// The addresses of this server, without a slash at the end: references below them are to resources of its own.
    pub bases: &'s [String],
}

/// The rows of a resource by R4's search parameters.
///
/// # Errors
/// [`ErrorCode::TooCostly`] for a resource with more than 200,000 values that are indexed.
pub fn index(resource: &Resource, around: &Surroundings<'_>) -> error::Result<Index> {
    extract(Registry::r4(), resource, around)
}

/// The rows of a resource.
///
/// # Errors
/// [`ErrorCode::TooCostly`] for a resource with more values than are indexed, with the parameter and the limit;
/// [`ErrorCode::Unprocessable`] where an expression cannot be evaluated on it.
pub(crate) fn extract(
    registry: &Registry,
    resource: &Resource,
    around: &Surroundings<'_>,
) -> error::Result<Index> {
    let Some(resource_type) = ResourceType::from_name(resource.type_name()) else {
        return Err(Error::internal(format!("no type {}", resource.type_name())));
    };
    let plan = registry.plan(resource_type)?;
    let environment = environment(resource);
    let mut rows = Rows::new(around);
    for source in &plan.sources {
        let of_source = |fault| refusal(resource_type, source.uses.first().map(|u| &*u.parameter), fault);
        let values = source.expression.evaluate(resource, &environment);
        let values = values.map_err(|error| of_source(error.into()))?;
        if values.is_empty() {
            continue;
        }
        for used in &source.uses {
            rows.imply(source.system);
            rows_of(used, &values, resource, &environment, &mut rows)
                .map_err(|fault| refusal(resource_type, Some(&used.parameter), fault))?;
        }
    }
    Ok(Index::new(rows.into_rows()))
}

/// Why there are no rows.
enum Fault {
    /// The expression does not fit the resource, or takes too much work.
    Path(path::Error),
    /// There would be more rows than are kept.
    TooMany,
}

impl From<path::Error> for Fault {
    fn from(error: path::Error) -> Self {
        Fault::Path(error)
    }
}
impl From<TooMany> for Fault {
    fn from(TooMany: TooMany) -> Self {
        Fault::TooMany
    }
}

fn environment(resource: &Resource) -> Environment<'_> {
    // As many values as there may be rows; an evaluation takes some ten steps for each.
    let limits = Limits {
        steps: 20_000_000,
        items: MAX_ROWS + 1,
        ..Limits::default()
    };
    Environment::new()
        // The parts of composites speak of `%resource`, and are evaluated on less.
        .with_resource(Node::Complex(resource.as_complex()))
        .with_resolver(&ByReferenceType)
        .with_filtering_as()
        .with_limits(limits)
}

/// Appends the rows of a parameter's values.
fn rows_of<'a>(
    used: &'a Use,
    values: &[Value<'a>],
    resource: &Resource,
    environment: &'a Environment<'a>,
    rows: &mut Rows<'_>,
) -> Result<(), Fault> {
    rows.begin(used.parameter.number, 0);
    if used.parameter.kind != SearchParamType::Composite {
        let is_wanted = |value: &&Value<'_>| match used.parameter.kind {
            SearchParamType::Reference => reference::is_wanted(value, used, resource),
            _ => true,
        };
        for value in values.iter().filter(is_wanted) {
            rows_of_value(used.parameter.kind, value, rows)?;
            if used.names {
                uri::versioned(value, resource, rows)?;
            }
        }
        return Ok(());
    }
    for (group, value) in (1..).zip(values) {
        let before = rows.len();
        for part in &used.parts {
            let start = rows.len();
            rows.begin(part.number, group);
            for branch in &part.branches {
                rows.imply(branch.system);
                for found in &branch
                    .expression
                    .evaluate(path::Collection::from(value.clone()), environment)?
                {
                    rows_of_value(part.kind, found, rows)?;
                }
            }
            // A group matches by all of its parts: where one has no value, none of it can be found.
            if rows.len() == start {
                rows.truncate(before);
                break;
            }
        }
    }
    Ok(())
}

fn rows_of_value(kind: SearchParamType, value: &Value<'_>, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    match kind {
        SearchParamType::Number => number::rows(value, rows),
        SearchParamType::Date => date::rows(value, rows),
        SearchParamType::String => string::rows(value, rows),
        SearchParamType::Token => token::rows(value, rows),
        SearchParamType::Reference => reference::rows(value, rows),
        SearchParamType::Quantity => quantity::rows(value, rows),
        SearchParamType::Uri => uri::rows(value, rows),
        SearchParamType::Special => special::rows(value, rows),
        // A composite of composites there is not.
        SearchParamType::Composite => Ok(()),
    }
}

fn refusal(resource_type: ResourceType, parameter: Option<&Parameter>, fault: Fault) -> Error {
    let (code, expression) = parameter.map_or(("", ""), |p| {
        (&*p.code, p.expression.as_deref().unwrap_or_default())
    });
    let name = resource_type.name();
    match fault {
        Fault::TooMany | Fault::Path(path::Error::Limit { .. }) => Error::new(
            ErrorCode::TooCostly,
            format!(
                "This {name} has more than {MAX_ROWS} values that can be searched for, those of the search parameter `{code}` among \
                 them: split it into several resources."
            ),
        ),
        Fault::Path(error) => Error::new(
            ErrorCode::Unprocessable,
            format!(
                "The expression `{expression}` of the search parameter `{code}` cannot be evaluated on this {name}: {error}."
            ),
        ),
    }
}

#[cfg(test)]
mod tests;
