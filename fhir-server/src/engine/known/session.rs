//! What is known to a session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::{Known, TYPES};
use crate::engine::Session;
use crate::error::{Error, Result};
use crate::search::{Concept, Terminology};
use crate::store::ResourceType;

/// What is known to a session: nothing, until it is asked; after a commit it is asked anew.
#[derive(Debug, Default)]
pub(in crate::engine) struct KnownHere {
    known: OnceLock<Arc<Known>>,
    /// Whether a search asked before there was anything.
    missed: Missed,
}

/// Stands for what is known until it is there; who asks it is noted, fails, and is asked once more.
#[derive(Debug, Default)]
struct Missed(AtomicBool);

impl Missed {
    fn note<T>(&self) -> Result<T> {
        self.0.store(true, Ordering::Relaxed);
        Err(Error::internal("terminology was asked before it was there"))
    }
}

impl Terminology for Missed {
    fn members(&self, _: &str, _: usize) -> Result<Vec<Concept>> {
        self.note()
    }

    fn below(&self, _: &str, _: &str, _: usize) -> Result<Vec<Concept>> {
        self.note()
    }

    fn above(&self, _: &str, _: &str, _: usize) -> Result<Vec<Concept>> {
        self.note()
    }
}

impl Session {
    /// What is known for the tenant, in the view that all reads of the request share.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn known(&self) -> Result<Arc<Known>> {
        if let Some(known) = self.here.known.get() {
            return Ok(Arc::clone(known));
        }
        let (epochs, snapshot) = (self.epochs().await?, self.snapshot().await?);
        let (engine, tenant) = (&self.engine, self.sees());
        // What was made of later definitions is of no use to a view of earlier ones.
        let is_earlier = |of: &[i64]| {
            let now = TYPES.iter().filter_map(|name| ResourceType::from_name(name));
            now.zip(of).all(|(of_type, before)| *before <= epochs.of(of_type))
        };
        let before = engine.knowledge.known.newest(tenant);
        // Nor is what a tenant held that was emptied since.
        let before = before.filter(|(of, _)| is_earlier(of) && of.last() == Some(&epochs.emptied()));
        let before = before.map(|(_, known)| known);
        let make = || Known::of_tenant(snapshot, engine.below(), before);
        let own = engine.knowledge.known.get(tenant, &epochs, make);
        let known = own.await?.unwrap_or_else(|| engine.below());
        Ok(Arc::clone(self.here.known.get_or_init(|| known)))
    }

    /// The codes that there are. Until what is known is there, what asks fails, and [`Session::learn`] tells so.
    pub(crate) fn terminology(&self) -> &dyn Terminology {
        match (&self.engine.terminology, self.here.known.get()) {
            (Some(own), _) => own.as_ref(),
            (None, Some(known)) => known.as_ref(),
            (None, None) => &self.here.missed,
        }
    }

    /// Whether something failed for want of what is known by now: then it is to be done again.
    pub(crate) async fn learn(&self) -> Result<bool> {
        let missed = self.here.missed.0.swap(false, Ordering::Relaxed);
        if missed {
            self.known().await?;
        }
        Ok(missed)
    }
}
