//! [`Expression`]: the language of `_filter` (<https://hl7.org/fhir/R4/search_filter.html>).
//!
//! `and` and `or` have no precedence: they are taken from left to right. Values are never case sensitive, and commas in them are
//! commas. As R4 has no parameter whose value is another search, `link[test].code` asks that the resource at the link passes the test too.

mod compare;
mod operator;
mod parse;

pub(super) use compare::{compare, does_not_compare};
pub(super) use operator::Operator;

use super::chain::{self, Leaf};
use super::name::Link;
use super::{Problem, Scope, any_of, not};
use crate::store::{Filter, ResourceType};

/// One expression.
#[derive(Debug, PartialEq)]
pub(super) enum Expression {
    Comparison(Comparison),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
}

/// `path operator value`.
#[derive(Debug, PartialEq)]
pub(super) struct Comparison {
    pub(super) steps: Vec<Step>,
    pub(super) code: String,
    pub(super) operator: Operator,
    pub(super) value: String,
}

/// A link before the code that is compared.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// `code.`, `code:Type.` or `code[test].`
    Forward {
        code: String,
        resource_type: Option<String>,
        only: Option<Expression>,
    },
    /// `_has:Type:code:`
    Back { resource_type: String, code: String },
}

/// The filter of an expression.
pub(super) fn filter(
    scope: &Scope<'_>,
    types: &[ResourceType],
    expression: &Expression,
) -> std::result::Result<Filter, Problem> {
    match expression {
        Expression::Not(inner) => Ok(not(filter(scope, types, inner)?)),
        Expression::And(all) => {
            let mut joined = Filter::All;
            for one in all {
                joined = joined.and(filter(scope, types, one)?);
            }
            Ok(joined)
        }
        Expression::Or(any) => {
            let any = any.iter().map(|one| filter(scope, types, one));
            Ok(any_of(any.collect::<std::result::Result<_, _>>()?))
        }
        Expression::Comparison(comparison) => {
            let links: Vec<Link<'_>> = comparison.steps.iter().map(Step::link).collect();
            scope.check_links(&links, "_filter")?;
            let leaf = Leaf::Operator {
                code: &comparison.code,
                operator: comparison.operator,
                value: &comparison.value,
            };
            chain::filter(scope, types, &links, &leaf)
        }
    }
}

impl Step {
    fn link(&self) -> Link<'_> {
        match self {
            Step::Forward {
                code,
                resource_type,
                only,
            } => Link::Forward {
                code,
                resource_type: resource_type.as_deref(),
                only: only.as_ref(),
            },
            Step::Back { resource_type, code } => Link::Back { resource_type, code },
        }
    }
}
