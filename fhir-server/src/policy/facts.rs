//! [`Facts`]: what the rules of a policy have to know of stored resources, and [`Records`]: where they look it up.
//!
//! Invariant: facts and the queries of a request are of one view of the data; after a commit they are gathered anew.

use std::any::Any;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::error::Result;
use crate::store::{Filter, ResourceType, Version};

/// What the rules have gathered for one request.
#[derive(Clone, Default)]
pub struct Facts {
    known: Vec<Arc<dyn Any + Send + Sync>>,
    unchanged: Vec<(ResourceType, i64)>,
}

static NONE: Facts = Facts {
    known: Vec::new(),
    unchanged: Vec::new(),
};

impl Facts {
    /// Nothing is known.
    pub fn none() -> &'static Facts {
        &NONE
    }

    /// What is known of that kind.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.known.iter().find_map(|one| one.downcast_ref())
    }

    /// Adds what is known.
    pub fn insert<T: Any + Send + Sync>(&mut self, fact: T) {
        self.known.push(Arc::new(fact));
    }

    /// Decisions hold only while the newest change of a resource of that type is the one with that stamp: a write that is
    /// decided by them is refused where it is not any more.
    pub fn hold_while(&mut self, resource_type: ResourceType, newest: i64) {
        self.unchanged.push((resource_type, newest));
    }

    /// The types whose newest change must still be that one when a write commits.
    pub(crate) fn unchanged(&self) -> &[(ResourceType, i64)] {
        &self.unchanged
    }
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Facts({})", self.known.len())
    }
}

/// Where a policy looks up what is stored, whatever the caller may see.
pub trait Records: Send + Sync {
    /// Current resources of a type that the filter lets through, the newest change first, at most `limit`.
    fn find(
        &self,
        resource_type: ResourceType,
        filter: Filter,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Version>>>;
    /// The stamp of the newest change of a resource of that type; 0 where there is none.
    fn newest(&self, resource_type: ResourceType) -> BoxFuture<'_, Result<i64>>;
}
