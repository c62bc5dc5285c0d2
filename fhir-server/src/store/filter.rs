//! [`Filter`]: which rows a query may see, as a tree that each back end turns into SQL with binds.

use super::{Criterion, Key, ParameterNumber, ResourceType};
use crate::context::Millis;

/// A predicate over current resources.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// Every row.
    All,
    /// No row.
    None,
    /// Rows that all of them let through.
    And(Vec<Filter>),
    /// Rows that any of them lets through.
    Or(Vec<Filter>),
    /// Rows that it does not let through.
    Not(Box<Filter>),
    /// Resources of these types.
    Types(Vec<ResourceType>),
    /// Resources with one of these ids, of whatever type.
    Ids(Vec<String>),
    /// One resource.
    Resource(Key),
    /// Last updated at or after the first and at or before the second.
    LastUpdated {
        /// first millisecond
        from: Option<Millis>,
        /// last millisecond
        to: Option<Millis>,
    },
    /// Resources with a value that passes.
    Has(Criterion),
    /// Resources with one group of a composite in which each of the parts passes.
    Group(Vec<Criterion>),
    /// Resources that refer, by one of the parameters, to a current resource of the type that the filter lets through (a chain).
    RefersTo {
        /// reference parameters
        parameters: Vec<ParameterNumber>,
        /// the type at the other end
        resource_type: ResourceType,
        /// what it must be
        filter: Box<Filter>,
    },
    /// Resources that a current resource of the type, which the filter lets through, refers to by the parameter (`_has`, `_list`).
    ReferredToBy {
        /// the type that refers
        resource_type: ResourceType,
        /// reference parameter of it
        parameter: ParameterNumber,
        /// what it must be
        filter: Box<Filter>,
    },
    /// Resources that name, by one of the parameters, the canonical URL of a current resource of the type that the filter lets through.
    RefersByUrl {
        /// reference parameters
        parameters: Vec<ParameterNumber>,
        /// what canonical URLs of the type are found by
        urls: Vec<ParameterNumber>,
        /// the type at the other end
        resource_type: ResourceType,
        /// what it must be
        filter: Box<Filter>,
    },
    /// Resources whose canonical URL a current resource of the type, which the filter lets through, names by the parameter.
    ReferredToByUrl {
        /// the type that refers
        resource_type: ResourceType,
        /// reference parameter of it
        parameter: ParameterNumber,
        /// what canonical URLs of the resources here are found by
        urls: Vec<ParameterNumber>,
        /// what it must be
        filter: Box<Filter>,
    },
}

impl Filter {
    /// Both, with what is trivially true or false taken out.
    pub fn and(self, other: Filter) -> Filter {
        match (self, other) {
            (Filter::None, _) | (_, Filter::None) => Filter::None,
            (Filter::All, f) | (f, Filter::All) => f,
            (Filter::And(mut a), f) => {
                a.push(f);
                Filter::And(a)
            }
            (a, b) => Filter::And(vec![a, b]),
        }
    }
}
