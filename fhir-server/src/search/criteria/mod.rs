//! Criteria: parameters of a query as a [`Filter`] (<https://hl7.org/fhir/R4/search.html>).
//!
//! Values with commas between are ORed, repeated parameters ANDed. A parameter that the server does not know is told apart from a
//! value that cannot be read, since the first may be left aside and the second never.
//!
//! Invariant: no query makes this module recurse, or its filter grow, beyond the limits.

mod chain;
mod escape;
mod expression;
mod facet;
mod limits;
mod modifier;
mod name;
mod own;
mod phrase;
#[cfg(test)]
mod tests;
mod value;

pub use limits::Limits;
pub(crate) use own::list;

use std::cell::Cell;

use jiff::tz::TimeZone;

use self::chain::Leaf;
use self::facet::Facet;
use self::name::{Link, Name};
use super::registry::{Parameter, Registry};
use super::terminology::Terminology;
use crate::context::Millis;
use crate::error::{Error, ErrorCode, Result};
use crate::store::{Filter, ResourceType};
use crate::suggest;

/// What a query is read against.
pub(crate) struct Scope<'s> {
    /// The parameters there are.
    pub(crate) registry: &'s Registry,
    /// The codes there are.
    pub(crate) terminology: &'s dyn Terminology,
    /// How much may be asked for.
    pub(crate) limits: &'s Limits,
    /// The zone of dates without one.
    pub(crate) zone: &'s TimeZone,
    /// The time of the request, for `ap`.
    pub(crate) now: Millis,
    /// The addresses of this server, without a slash at the end: references below them are to its own resources.
    pub(crate) bases: &'s [String],
    /// The comparisons so far.
    pub(crate) spent: Cell<usize>,
}

/// Why a parameter is no filter.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The server does not know it or does not offer it: why, as a sentence.
    Unknown(String),
    /// It is malformed, or asks for too much.
    Refused(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem::Refused(error)
    }
}

/// The filter of one parameter, its name and value as sent, for resources of those types; without types, for those of any.
pub(crate) fn filter(
    scope: &Scope<'_>,
    types: &[ResourceType],
    name: &str,
    value: &str,
) -> std::result::Result<Filter, Problem> {
    if let Some(own) = own::filter(scope, types, name, value) {
        return own;
    }
    let parts = Name::read(scope, name)?;
    let leaf = Leaf::Value {
        code: parts.code,
        modifier: parts.modifier,
        value,
    };
    chain::filter(scope, types, &parts.links, &leaf)
}

/// Refuses a query of more parameters than the limit.
pub(crate) fn check_number(scope: &Scope<'_>, parameters: usize) -> Result<()> {
    let limit = scope.limits.parameters;
    match parameters <= limit {
        true => Ok(()),
        false => {
            let text = format!(
                "The query has {parameters} parameters; the limit is {limit}: search in several steps."
            );
            Err(Error::new(ErrorCode::TooCostly, text).at("http"))
        }
    }
}

impl<'s> Scope<'s> {
    /// The parameter of that code: of a type, or one that every type has.
    fn parameter(
        &self,
        resource_type: Option<ResourceType>,
        code: &str,
    ) -> std::result::Result<&'s Parameter, Problem> {
        self.registry.find(resource_type, code).ok_or_else(|| {
            let why = self.registry.why_not(resource_type, code);
            Problem::Unknown(why.unwrap_or_else(|| unknown(resource_type, code)))
        })
    }

    /// Refuses more links than the limits allow.
    fn check_links(&self, links: &[Link<'_>], name: &str) -> Result<()> {
        let back = links.iter().filter(|l| matches!(l, Link::Back { .. })).count();
        let forward = links.len() - back;
        let (what, limit) = if forward > self.limits.chain {
            ("links in its chain", self.limits.chain)
        } else if back > self.limits.has {
            ("_has within each other", self.limits.has)
        } else {
            return Ok(());
        };
        let short: String = name.chars().take(80).collect();
        Err(too_costly(
            &short,
            format!("The parameter {short:?} has more than {limit} {what}: search in several steps."),
        ))
    }

    /// Counts comparisons; refuses those beyond the limit.
    fn spend(&self, comparisons: usize, code: &str) -> Result<()> {
        let spent = self.spent.get().saturating_add(comparisons);
        self.spent.set(spent);
        match spent <= self.limits.comparisons {
            true => Ok(()),
            false => Err(too_costly(
                code,
                format!(
                    "The query needs more than {} comparisons: ask for fewer values, and name the type where a chain leads to \
                     many, as in subject:Patient.name.",
                    self.limits.comparisons
                ),
            )),
        }
    }
}

/// The error of what asks for too much.
fn too_costly(code: &str, text: String) -> Error {
    Error::new(ErrorCode::TooCostly, text).at(format!("http.{code}"))
}

fn unknown(resource_type: Option<ResourceType>, code: &str) -> String {
    let short: String = code.chars().take(60).collect();
    match resource_type {
        Some(t) => {
            let known = Registry::r4().of(t).map(|parameter| &*parameter.code);
            let hint = suggest::nearest(code.split([':', '.']).next().unwrap_or_default(), known)
                .map_or_else(String::new, |meant| format!(" Did you mean `{meant}`?"));
            format!(
                "The search parameter {short:?} is not known for {}.{hint}",
                t.name()
            )
        }
        None => format!("The search parameter {short:?} is not one that all resource types have."),
    }
}

/// What any of them lets through.
fn any_of(mut filters: Vec<Filter>) -> Filter {
    filters.retain(|f| *f != Filter::None);
    match filters.len() {
        0 => Filter::None,
        1 => filters.remove(0),
        _ if filters.contains(&Filter::All) => Filter::All,
        _ => Filter::Or(filters),
    }
}

/// What it does not let through.
fn not(filter: Filter) -> Filter {
    match filter {
        Filter::All => Filter::None,
        Filter::None => Filter::All,
        Filter::Not(inner) => *inner,
        other => Filter::Not(Box::new(other)),
    }
}
