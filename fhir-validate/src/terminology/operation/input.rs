//! Reads the parameters of a request (<https://hl7.org/fhir/R4/parameters.html>).

use fhir_model::{
    AnyValue, CodeSystem, CodeableConcept, Coding, Parameters, ParametersParameter, Resource, ValueSet,
};

use crate::terminology::canonical;
use crate::terminology::compose::Versions;
use crate::terminology::extension;
use crate::terminology::issue::{Cause, Issue, Refusal};
use crate::terminology::language::Languages;

/// The parameters of a request, and behind them those of the batch that it is part of.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    own: &'a [ParametersParameter],
    shared: &'a [ParametersParameter],
}

impl<'a> Input<'a> {
    pub(super) fn new(parameters: &'a Parameters) -> Self {
        Input {
            own: &parameters.parameter,
            shared: &[],
        }
    }

    /// The same, with the parameters of the whole batch where a name is not given.
    pub(super) fn within(self, batch: &'a Parameters) -> Self {
        Input {
            shared: &batch.parameter,
            ..self
        }
    }

    fn find(&self, name: &str) -> Option<&'a ParametersParameter> {
        let named = |list: &'a [ParametersParameter]| list.iter().find(|p| p.name == *name);
        named(self.own).or_else(|| named(self.shared))
    }

    /// All of that name.
    pub(super) fn all(&self, name: &'a str) -> impl Iterator<Item = &'a ParametersParameter> + use<'a> {
        let all = self.own.iter().chain(self.shared);
        all.filter(move |p| p.name == *name)
    }

    fn value(&self, name: &str) -> Option<&'a AnyValue> {
        self.find(name)?.value.as_ref()
    }

    /// The text of a parameter that is written as one.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.value(name).and_then(extension::text)
    }

    /// The text of a parameter without which the operation cannot be done.
    pub(super) fn required(&self, name: &str) -> Result<&'a str, Refusal> {
        self.text(name)
            .ok_or_else(|| Refusal::invalid(format!("the parameter '{name}' is missing")))
    }

    /// The texts of all of that name.
    pub(super) fn texts(&self, name: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.all(name).filter_map(|p| extension::text(p.value.as_ref()?))
    }

    /// A boolean; its text is taken too.
    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match value {
            AnyValue::Boolean(yes) => Ok(yes.value),
            other => match extension::text(other) {
                Some("true") => Ok(Some(true)),
                Some("false") => Ok(Some(false)),
                _ => Err(Refusal::invalid(format!(
                    "the parameter '{name}' takes true or false"
                ))),
            },
        }
    }

    /// A whole number that is not negative; its text is taken too.
    pub(super) fn count(&self, name: &str) -> Result<Option<usize>, Refusal> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let number = match value {
            AnyValue::Integer(n) => n.value.and_then(|n| usize::try_from(n).ok()),
            AnyValue::PositiveInt(n) | AnyValue::UnsignedInt(n) => {
                n.value.and_then(|n| usize::try_from(n).ok())
            }
            other => extension::text(other).and_then(|t| t.parse().ok()),
        };
        let refusal = || Refusal::invalid(format!("the parameter '{name}' takes a whole number from 0"));
        number.map(Some).ok_or_else(refusal)
    }

    pub(super) fn coding(&self, name: &str) -> Option<&'a Coding> {
        match self.value(name)? {
            AnyValue::Coding(coding) => Some(coding),
            _ => None,
        }
    }

    pub(super) fn codeable_concept(&self, name: &str) -> Option<&'a CodeableConcept> {
        match self.value(name)? {
            AnyValue::CodeableConcept(concept) => Some(concept),
            _ => None,
        }
    }

    /// The resources of all parameters of that name.
    pub(super) fn resources(&self, name: &'a str) -> impl Iterator<Item = &'a Resource> + use<'a> {
        self.all(name).filter_map(|p| p.resource.as_ref())
    }

    pub(super) fn value_set(&self, name: &'a str) -> Option<&'a ValueSet> {
        self.resources(name).find_map(Resource::get)
    }

    pub(super) fn code_system(&self, name: &'a str) -> Option<&'a CodeSystem> {
        self.resources(name).find_map(Resource::get)
    }

    /// The languages that displays are asked for in: the parameter's, else the header's.
    pub(super) fn languages(&self, header: Option<&str>) -> Result<Languages, Refusal> {
        let Some(text) = self.text("displayLanguage").or(header) else {
            return Ok(Languages::default());
        };
        Languages::parse(text).map_err(|_| {
            let text = format!("Invalid displayLanguage: '{text}'");
            let issue = Issue::error("processing", "invalid-display", "INVALID_DISPLAY_NAME", text);
            Refusal::new(Cause::Invalid, issue)
        })
    }

    /// The versions that the request asks for.
    pub(super) fn versions(&self) -> Versions {
        let pairs = |name: &'a str| {
            let texts = self.texts(name).map(canonical::split);
            texts
                .filter_map(|(url, version)| Some((url.to_owned(), version?.to_owned())))
                .collect()
        };
        Versions {
            default: pairs("system-version"),
            force: pairs("force-system-version"),
            check: pairs("check-system-version"),
            value_set: pairs("default-valueset-version"),
            supplements: self.texts("useSupplement").map(str::to_owned).collect(),
        }
    }
}
