//! GraphQL over FHIR data (<https://hl7.org/fhir/R4/graphql.html>): a query picks elements of a resource, follows its references and
//! searches for others, in one request.
//!
//! Reads only. What is asked for is checked against R4's definitions before the data is looked at, so a wrong field name is an error
//! whether or not there is a value.
//!
//! Invariant: every resource comes through [`Records`], which is a session's door: what its caller may not see is not there.
//! Invariant: depth, fragments, values written and records asked for are bounded.

mod argument;
mod check;
mod evaluate;
mod filter;
mod output;
mod query;
mod records;
mod select;

use fhir_model::Resource;
use futures_util::future::BoxFuture;

use crate::error::Result;
use crate::store::ResourceType;
pub(crate) use query::Query;

/// Where resources come from.
pub(crate) trait Records: Sync {
    /// The resource that a relative reference names; `None` where there is none to be seen.
    fn read<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Resource>>>;
    /// The resources of that type that match.
    fn search<'a>(
        &'a self,
        resource_type: ResourceType,
        parameters: Vec<(String, String)>,
    ) -> BoxFuture<'a, Result<Page>>;
}

/// A page of matches, as a connection shows it.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// What matched, in order.
    pub(crate) matches: Vec<Resource>,
    /// How many match in all, where that is counted.
    pub(crate) total: Option<u64>,
    /// How many a page has.
    pub(crate) size: usize,
    /// Names of the pages around it, to ask for by `_cursor`.
    pub(crate) next: Option<String>,
}

/// Where a query begins.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    /// At the server: fields are reads and searches.
    System,
    /// At a resource: fields are its elements, reads and searches of what refers to it.
    Resource(&'a Resource),
}

/// Evaluates a query: the JSON text of `data`.
///
/// # Errors
/// A field or argument that there is not, a broken reference that is not optional, several values where `@singleton` wants one, or too
/// much of anything.
pub(crate) async fn evaluate(query: &Query, start: Start<'_>, records: &dyn Records) -> Result<String> {
    let root = match start {
        Start::System => None,
        Start::Resource(resource) => Some(resource.type_name()),
    };
    check::check(query, root)?;
    evaluate::Evaluator::new(query, records).run(start).await
}

#[cfg(test)]
mod tests;
