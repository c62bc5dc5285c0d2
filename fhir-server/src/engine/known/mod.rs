//! [`Known`]: the definitions that the server goes by for a tenant: profiles, code systems, value sets, concept maps, forms. What is built
//! in is shared by all; what a tenant has stored lies over it (`own.rs`).
//!
//! What is known is the tenant's, not the caller's: what a definition means does not depend on who may read it.

mod built_in;
mod own;
mod session;

pub(super) use built_in::check_writable;
pub(super) use session::KnownHere;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use fhir_validate::Validator;
use fhir_validate::terminology::{Cause, Library, Refusal};

use own::Own;

use crate::error::{Error, ErrorCode, Result};
use crate::search::{Concept, Terminology};

/// The types of the definitions that are known.
pub(super) const TYPES: [&str; 5] = [
    "CodeSystem",
    "ConceptMap",
    "Questionnaire",
    "StructureDefinition",
    "ValueSet",
];

/// The definitions that are known.
#[derive(Debug)]
pub(crate) struct Known {
    library: Arc<Library>,
    /// Made when it is first asked for.
    validator: OnceLock<Validator>,
    /// The same, for those who take what is told for errors.
    strict: OnceLock<Validator>,
    /// What lies below, and what was stored; what is built in has neither.
    own: Option<(Arc<Known>, Own)>,
    /// What is built in, by its id.
    ids: OnceLock<HashMap<String, built_in::Canonical>>,
}

impl Known {
    /// What is built in: R4, HL7's terminology and UK Core; made when it is first asked for.
    pub(crate) fn built_in() -> Arc<Known> {
        static BUILT_IN: OnceLock<Arc<Known>> = OnceLock::new();
        Arc::clone(BUILT_IN.get_or_init(|| Arc::new(Known::over_library(Library::built_in()))))
    }

    /// The same over another library, such as one with releases of terminologies.
    pub(crate) fn over_library(below: Arc<Library>) -> Known {
        let library = Arc::new(Library::over(below));
        let builder = Validator::builder().library(Arc::clone(&library));
        Known {
            validator: OnceLock::from(builder.uk_core().build()),
            strict: OnceLock::new(),
            library,
            own: None,
            ids: OnceLock::new(),
        }
    }

    /// Code systems, value sets and concept maps.
    pub(crate) fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// What validates with all that is known.
    pub(crate) fn validator(&self) -> &Validator {
        self.validator.get_or_init(|| match &self.own {
            Some((below, own)) => own.extend(below.validator(), &self.library),
            None => Validator::builder().library(Arc::clone(&self.library)).build(),
        })
    }

    /// The same, and what is told otherwise is an error: unknown codes and extensions, wrong check digits.
    pub(crate) fn strict_validator(&self) -> &Validator {
        let make = || {
            self.validator()
                .extend()
                .options(super::validation::strict())
                .build()
        };
        self.strict.get_or_init(make)
    }

    /// The canonical of what is stored under that reference, such as `ValueSet/1`.
    fn canonical_of(&self, reference: &str) -> Option<String> {
        let (_, own) = self.own.as_ref()?;
        own.canonical_of(reference)
    }
}

impl Terminology for Known {
    fn members(&self, value_set: &str, limit: usize) -> Result<Vec<Concept>> {
        let stored = self.canonical_of(value_set);
        let value_set = stored.as_deref().unwrap_or(value_set);
        let found = self.library.members(value_set, limit);
        let concept = |(system, code)| Concept {
            system: Some(system),
            code,
        };
        let found = found.map_err(|refusal| refused(&refusal))?;
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
