//! `validation`: how strictly what is written is held against R4 and profiles.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::refused;
use crate::engine::{Check, OnBreach, Rules, Strictness};
use crate::error::Result;
use crate::store::ResourceType;

/// Where the profiles of UK Core stand: one of them may be named without it.
const UK_CORE: &str = "https://fhir.hl7.org.uk/StructureDefinition/";

/// How strictly what is written is held against R4 and profiles.
///
/// What cannot be read as FHIR at all (an element that R4 does not have, a number where a date belongs) is refused with 400
/// whatever stands here.
///
/// ```
/// let config: fhir_server::config::ValidationConfig = serde_json::from_value(serde_json::json!({
///     "types": {
///         "Patient": {"profiles": ["UKCore-Patient"]},
///         "Basic": {"level": "off"}
///     }
/// })).unwrap();
/// assert!(!config.strict);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ValidationConfig {
    /// What is asked of a type that `types` does not name. `off`: nothing beyond what reading asks. `base`: that the
    /// resource has the shape of R4 (else 400) and keeps R4's rules: required bindings, invariants, targets of
    /// references (else 422); what profiles ask is told in warnings. `profile`: the profiles too. Default: `base`.
    pub level: Check,
    /// What follows from a breach of what the level asks: `refuse`, or `warn`: the resource is recorded. Default:
    /// `refuse`.
    pub breach: OnBreach,
    /// What is a warning otherwise is refused: codes that their system does not have, extensions that are not known,
    /// NHS numbers with a wrong check digit, narratives with more than FHIR allows in them. Default: no.
    pub strict: bool,
    /// What is asked of a type, by its name. Default: nothing that the values above do not ask.
    pub types: BTreeMap<String, TypeValidation>,
    /// Resources with a larger text are validated apart from the threads that answer, so that no other request waits for them.
    /// Bytes. Default: 32 KiB.
    pub inline_bytes: usize,
}

/// What is asked of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TypeValidation {
    /// As `validation.level`. Default: `profile` where `profiles` names any, else as for all types.
    pub level: Option<Check>,
    /// As `validation.breach`. Default: as for all types.
    pub breach: Option<OnBreach>,
    /// Profiles that each resource of the type is held against, whether it names them or not, by canonical URL; those of
    /// UK Core also by name, such as `UKCore-Patient`. The CapabilityStatement tells them. Default: none.
    pub profiles: Vec<String>,
}

impl Default for ValidationConfig {
    fn default() -> Self {
        ValidationConfig {
            level: Check::Base,
            breach: OnBreach::Refuse,
            strict: false,
            types: BTreeMap::new(),
            inline_bytes: 32 << 10,
        }
    }
}

impl ValidationConfig {
    pub(super) fn check(&self) -> Result<()> {
        for (name, rules) in &self.types {
            if ResourceType::from_name(name).is_none() {
                return Err(refused(format!(
                    "validation.types names {name:?}, which is no resource type of R4."
                )));
            }
            if let Some(odd) = rules
                .profiles
                .iter()
                .find(|p| p.trim().is_empty() || p.contains(char::is_whitespace))
            {
                return Err(refused(format!(
                    "validation.types.{name}.profiles has {odd:?}, which is neither a canonical URL nor a name of UK Core."
                )));
            }
        }
        Ok(())
    }

    /// What the engine follows.
    pub(crate) fn strictness(&self) -> Strictness {
        let all = Rules {
            level: self.level,
            breach: self.breach,
            profiles: Vec::new(),
        };
        let of_type = |(name, own): (&String, &TypeValidation)| {
            let claims = own.profiles.iter().map(|p| canonical(p));
            let level = match own.level {
                Some(level) => level,
                None if own.profiles.is_empty() => self.level,
                None => Check::Profile,
            };
            let rules = Rules {
                level,
                breach: own.breach.unwrap_or(self.breach),
                profiles: claims.collect(),
            };
            Some((ResourceType::from_name(name)?, rules))
        };
        Strictness {
            all,
            types: self.types.iter().filter_map(of_type).collect(),
            strict: self.strict,
            inline_bytes: self.inline_bytes,
        }
    }
}

/// A name without a scheme is one of UK Core.
fn canonical(name: &str) -> String {
    match name.contains(':') {
        true => name.to_owned(),
        false => format!("{UK_CORE}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ValidationConfig {
        serde_json::from_str(text).unwrap()
    }

    fn of(config: &ValidationConfig, name: &str) -> Rules {
        config
            .strictness()
            .of(ResourceType::from_name(name).unwrap())
            .clone()
    }

    #[test]
    fn a_type_with_profiles_is_held_against_them() {
        let config = read(
            r#"{"types":{"Patient":{"profiles":["UKCore-Patient","http://example.org/p"]},"Basic":{"level":"off"}}}"#,
        );
        config.check().unwrap();
        let patient = of(&config, "Patient");
        assert_eq!(patient.level, Check::Profile);
        assert_eq!(
            patient.profiles,
            [
                "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient",
                "http://example.org/p"
            ]
        );
        assert_eq!(of(&config, "Basic").level, Check::Off);
        assert_eq!(of(&config, "Observation").level, Check::Base);
        let warns =
            read(r#"{"breach":"warn","types":{"Patient":{"level":"base","profiles":["UKCore-Patient"]}}}"#);
        assert_eq!(of(&warns, "Patient").level, Check::Base);
        assert_eq!(of(&warns, "Patient").breach, OnBreach::Warn);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let error = |text: &str| read(text).check().unwrap_err().to_string();
        assert!(error(r#"{"types":{"Patent":{}}}"#).contains("Patent"));
        assert!(error(r#"{"types":{"Patient":{"profiles":[" "]}}}"#).contains("types.Patient.profiles"));
        assert!(serde_json::from_str::<ValidationConfig>(r#"{"level":"some"}"#).is_err());
    }
}
