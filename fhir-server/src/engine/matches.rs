//! [`Matches`]: what the search of a conditional interaction found (<https://hl7.org/fhir/R4/http.html#ccreate>).
//!
//! Invariant: a commit that follows from a search holds only where, inside its transaction, the same search finds the same. So of two
//! that race, the second sees what the first did.
//! Invariant: the search is the caller's: what they may not find neither matches nor shows.

use super::conditions::Reason;
use super::write::Staged;
use super::{Session, Ticket};
use crate::error::Result;
use crate::interaction::Interaction;
use crate::search::registry::search_parameter;
use crate::store::{Expect, Filter, Key, ResourceType, SearchQuery};

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Matches {
    /// At most as many as were asked for.
    pub(crate) keys: Vec<Key>,
    resource_type: ResourceType,
    filter: Filter,
    /// Of the search parameters that it was read against.
    epoch: i64,
}

impl Matches {
    /// Whether both were the same search.
    pub(crate) fn same_search(&self, other: &Matches) -> bool {
        self.resource_type == other.resource_type && self.filter == other.filter
    }
}

impl Session {
    /// The current resources of the type that match and that the caller may find; at most `limit`.
    ///
    /// # Errors
    /// The policy denies the search, writes are staged, or the store failed.
    pub(crate) async fn matches(
        &self,
        resource_type: ResourceType,
        filter: Filter,
        limit: usize,
    ) -> Result<Matches> {
        self.nothing_staged()?;
        let seen = self.permit(Interaction::SearchType, Some(resource_type))?;
        let filter = self.guard(filter).and(seen);
        let query = SearchQuery::new(Some(resource_type), filter.clone(), limit);
        let epochs = self.epochs().await?;
        let epoch = search_parameter().map_or(0, |of| epochs.of(of));
        let found = self.snapshot().await?.search(&query).await?;
        Ok(Matches {
            keys: found.into_iter().map(|found| found.version.key).collect(),
            resource_type,
            filter,
            epoch,
        })
    }

    /// Makes the commit depend on the same matches: with a staged write, or by itself. Where they are others by then, the commit fails
    /// with [`Conflict`](crate::error::ErrorCode::Conflict).
    pub(crate) fn expect(&mut self, matches: &Matches, ticket: Option<Ticket>, entry: Option<usize>) {
        let expect = Expect::Matches {
            resource_type: matches.resource_type,
            filter: matches.filter.clone(),
            ids: matches.keys.iter().map(|key| key.id.clone()).collect(),
        };
        let expect = (expect, Reason::Matches);
        match ticket.and_then(|ticket| self.staged.get_mut(ticket.place())) {
            Some(staged) => {
                staged.expects.push(expect);
                staged.epochs.push(matches.epoch);
            }
            None => {
                let mut condition = Staged::condition(expect, entry);
                condition.epochs.push(matches.epoch);
                self.staged.push(condition);
            }
        }
    }
}
