//! [`Known`]: the definitions that the server goes by: profiles, code systems, value sets, concept maps.
//!
//! Known is a tenant's, not a caller's: what a definition means does not depend on who may read it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use fhir_validate::Validator;
use fhir_validate::terminology::{Cause, Library, Refusal};

use super::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::search::{Concept, Terminology};

/// The definitions that are known.
#[derive(Debug)]
pub(crate) struct Known {
    library: Arc<Library>,
    validator: Validator,
}

impl Known {
    /// What is built in: R4, HL7's terminology and UK Core; made when it is first asked for.
    fn built_in() -> Arc<Known> {
        static BUILT_IN: OnceLock<Arc<Known>> = OnceLock::new();
        let made = || {
            let library = Arc::new(Library::over(Library::built_in()));
            Arc::new(Known {
                validator: Validator::builder()
                    .library(Arc::clone(&library))
                    .uk_core()
                    .build(),
                library,
            })
        };
        Arc::clone(BUILT_IN.get_or_init(made))
    }

    /// Code systems, value sets and concept maps.
    pub(crate) fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// What validates with all that is known.
    pub(crate) fn validator(&self) -> &Validator {
        &self.validator
    }
}

impl Terminology for Known {
    fn members(&self, value_set: &str, limit: usize) -> Result<Vec<Concept>> {
        let found = self
            .library
            .members(value_set, limit)
            .map_err(|refusal| refused(&refusal))?;
        let concept = |(system, code)| Concept {
            system: Some(system),
            code,
        };
        Ok(found.into_iter().map(concept).collect())
    }

    fn below(&self, system: &str, code: &str, limit: usize) -> Result<Vec<Concept>> {
        of_system(system, self.library.below(system, code, limit))
    }

    fn above(&self, system: &str, code: &str, limit: usize) -> Result<Vec<Concept>> {
        of_system(system, self.library.above(system, code, limit))
    }
}

fn of_system(system: &str, codes: std::result::Result<Vec<String>, Refusal>) -> Result<Vec<Concept>> {
    let url = system.split('|').next().unwrap_or(system);
    let concept = |code| Concept {
        system: Some(url.to_owned()),
        code,
    };
    let codes = codes.map_err(|refusal| refused(&refusal))?;
    Ok(codes.into_iter().map(concept).collect())
}

/// Why a search cannot be done.
fn refused(refusal: &Refusal) -> Error {
    let issue = refusal.outcome.issue.first();
    let text = issue
        .and_then(|i| i.details.as_ref()?.text.as_str())
        .unwrap_or_default();
    match refusal.cause {
        Cause::TooCostly => Error::new(
            ErrorCode::TooCostly,
            format!("{text}: name the codes themselves, or ask for fewer."),
        ),
        _ => {
            let cure = "store the definition, or name the codes themselves with commas between";
            Error::new(ErrorCode::Value, format!("{text}: {cure}."))
        }
    }
}

/// What is built in, for questions that no tenant asks.
pub(super) struct BuiltIn;

impl Terminology for BuiltIn {
    fn members(&self, value_set: &str, limit: usize) -> Result<Vec<Concept>> {
        Known::built_in().members(value_set, limit)
    }

    fn below(&self, system: &str, code: &str, limit: usize) -> Result<Vec<Concept>> {
        Known::built_in().below(system, code, limit)
    }

    fn above(&self, system: &str, code: &str, limit: usize) -> Result<Vec<Concept>> {
        Known::built_in().above(system, code, limit)
    }
}

/// What is known to a session: nothing, until it is asked.
#[derive(Debug, Default)]
pub(super) struct KnownHere {
    known: OnceLock<Arc<Known>>,
    /// Whether a search asked before there was anything.
    missed: Missed,
}

/// Stands for the knowledge until it is there; who asks it is noted, fails, and is asked once more.
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
    /// What is known for the tenant.
    pub(crate) async fn known(&self) -> Result<Arc<Known>> {
        if let Some(known) = self.here.known.get() {
            return Ok(Arc::clone(known));
        }
        let known = Known::built_in();
        Ok(Arc::clone(self.here.known.get_or_init(|| known)))
    }

    /// The codes that there are. Until the knowledge is there, what asks fails, and [`Session::learn`] tells so.
    pub(crate) fn terminology(&self) -> &dyn Terminology {
        match (&self.engine.terminology, self.here.known.get()) {
            (Some(own), _) => own.as_ref(),
            (None, Some(known)) => known.as_ref(),
            (None, None) => &self.here.missed,
        }
    }

    /// Whether something failed for want of knowledge that is there now: then it is to be done again.
    pub(crate) async fn learn(&self) -> Result<bool> {
        let missed = self.here.missed.0.swap(false, Ordering::Relaxed);
        if missed {
            self.known().await?;
        }
        Ok(missed)
    }
}
