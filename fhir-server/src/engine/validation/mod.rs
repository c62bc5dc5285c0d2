//! Validation of what is written (<https://hl7.org/fhir/R4/validation.html>), told in the terms of the request: what breaks
//! the shape of R4 is 400, what breaks a rule 422, all else a warning.
//!
//! Invariant: nothing is parsed or compiled for a request; what R4 and UK Core ask is compiled once a process.

mod strictness;
mod verdict;

pub use strictness::{Check, OnBreach, Rules, Strictness};
pub(crate) use verdict::{kind, words};

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use fhir_model::{Binary, Resource};
use fhir_validate::{Finding, Layer, Options, Severity, Validator};

use super::{Draft, Engine, Known, Part, Session, Settings};
use crate::error::{Error, ErrorCode, Issue, Result};
use crate::store::ResourceType;

/// Layers whose findings are warnings where no profile is enforced, and the one that refuses nothing that the others let pass:
/// where nobody reads what they say they are left out.
const ONLY_TOLD: [Layer; 7] = [
    Layer::Profile,
    Layer::Extension,
    Layer::Narrative,
    Layer::Questionnaire,
    Layer::Conformance,
    Layer::Identifier,
    Layer::JsonSchema,
];

/// What an engine makes of what all tenants know. What is compiled is shared with it.
#[derive(Default)]
pub(super) struct Validators {
    /// What can refuse a resource where no profile is enforced.
    base: OnceLock<Validator>,
}

impl Engine {
    fn base_validator(&self) -> &Validator {
        self.validators.base.get_or_init(|| {
            let all = self.below().validator().extend();
            ONLY_TOLD
                .into_iter()
                .fold(all, fhir_validate::Builder::without)
                .build()
        })
    }

    /// Unpacks the definitions on a thread of its own, so that neither the start nor the first write waits for it.
    pub(crate) fn prepare_validation(&self) {
        let (below, settings) = (self.with_releases.clone(), Arc::clone(&self.settings));
        let prepare = move || {
            let below = below.unwrap_or_else(Known::built_in);
            let known = below.validator();
            let asked = &settings.validation;
            let profiles = asked
                .types
                .values()
                .chain([&asked.all])
                .flat_map(|rules| &rules.profiles);
            for url in profiles.filter(|url| known.type_of(url).is_none()) {
                tracing::warn!(
                    url,
                    "a profile is to be enforced that is not built in; until it is stored, writes of its type are refused"
                );
            }
        };
        let spawned = std::thread::Builder::new()
            .name("definitions".into())
            .spawn(prepare);
        if let Err(error) = spawned {
            tracing::warn!(%error, "the definitions are unpacked with the first write");
        }
    }
}

/// What is told otherwise is an error.
pub(super) fn strict() -> Options {
    let mut options = Options::default();
    options.unknown_codes = Severity::Error;
    options.unknown_extensions = Severity::Error;
    options.nhs_numbers = Severity::Error;
    options
}

impl Session {
    /// Holds what is to be written against what is asked of its type; gives what the caller may be told besides.
    ///
    /// # Errors
    /// It breaks what is asked: 400 where its shape is wrong, 422 where it breaks a rule.
    pub(super) async fn validate_draft(&self, draft: &Draft<'_>) -> Result<Vec<Issue>> {
        let (settings, part) = (self.settings(), &draft.part);
        check_binary(settings, part)?;
        let root = part.resource.type_name();
        let asked = &settings.validation;
        let rules = ResourceType::from_name(root).map_or(&asked.all, |kind| asked.of(kind));
        let nothing_follows = rules.breach == OnBreach::Warn && !draft.explains;
        if rules.level == Check::Off || nothing_follows {
            return Ok(Vec::new());
        }
        let is_told = draft.explains || asked.strict || rules.level == Check::Profile;
        let known = match is_told {
            true => Some(self.known().await?),
            false => None,
        };
        let validator = match &known {
            Some(known) if asked.strict => known.strict_validator(),
            Some(known) => known.validator(),
            None => self.engine.base_validator(),
        };
        let profiles = if is_told { rules.profiles.as_slice() } else { &[] };
        let size = part.span.span.len();
        let findings = self.findings(validator, part.resource, size, profiles).await?;
        let verdict = verdict::weigh(findings, rules, asked.strict, root, &part.path);
        match verdict.refusal {
            Some(refusal) => Err(refusal),
            None => Ok(verdict.issues),
        }
    }

    /// What a validator finds in a resource whose text has that size. Where it is large another thread looks, and where
    /// many small ones follow each other, others have their turn in between.
    pub(crate) async fn findings(
        &self,
        validator: &Validator,
        resource: &Resource,
        size: usize,
        profiles: &[String],
    ) -> Result<Vec<Finding>> {
        let inline = self.settings().validation.inline_bytes;
        if size > inline {
            let (validator, resource, profiles) = (validator.clone(), resource.clone(), profiles.to_vec());
            let work = move || validator.validate_against(&resource, &profiles);
            return self.apart(work).await;
        }
        if self.validated.fetch_add(size, Ordering::Relaxed) + size > inline {
            self.validated.store(0, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
        Ok(validator.validate_against(resource, profiles))
    }
}

/// The content of a Binary has a limit of its own, in whatever form it comes.
fn check_binary(settings: &Settings, part: &Part<'_>) -> Result<()> {
    let data = part
        .resource
        .get::<Binary>()
        .and_then(|b| b.data.as_str())
        .unwrap_or_default();
    // Four characters of base64 carry three bytes; white space between them makes the count no smaller.
    if data.len() / 4 * 3 <= settings.binary_bytes {
        return Ok(());
    }
    let limit = settings.binary_bytes;
    let text = format!("The content of a Binary may have at most {limit} bytes.");
    Err(Error::new(ErrorCode::TooLarge, text).at(format!("{}.data", part.path)))
}
