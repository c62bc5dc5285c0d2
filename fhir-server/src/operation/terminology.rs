//! What the operations of the terminology service have in common (<https://hl7.org/fhir/R4/terminology-service.html>): each
//! is a definition, and a function of `fhir_validate::terminology::operation` that answers from what the tenant knows.
//!
//! Invariant: what cannot be told from what is held is refused, never guessed.

use std::sync::Arc;

use fhir_model::{
    CodeableConcept, DateTime, OperationDefinition, OperationDefinitionParameter, OperationOutcomeIssue,
    Parameters, ParametersParameter, Resource, json,
};
use fhir_validate::terminology::operation::Request;
use fhir_validate::terminology::{Cause, Refusal};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::validate::stored;
use super::{Call, Done, Operation, parameter};
use crate::engine::Session;
use crate::error::{Detail, Error, ErrorCode, Issue, Result, Severity};
use crate::interaction::{Payload, Response};

/// Answers from a library, or says why not.
pub(super) type Ask = fn(&Request<'_>, &Parameters) -> std::result::Result<Resource, Refusal>;

/// An operation of the terminology service.
pub(super) struct TerminologyOperation {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    /// The type that it is on; its URL begins with it.
    pub(super) resource: &'static str,
    /// The parameter that the resource is, where it is called on one; without it, it is on the type alone.
    pub(super) subject: Option<&'static str>,
    pub(super) words: &'static str,
    pub(super) parameters: fn() -> Vec<OperationDefinitionParameter>,
    /// Values of arguments, to try it with.
    pub(super) examples: &'static [(&'static str, &'static str)],
    pub(super) ask: Ask,
}

impl Operation for TerminologyOperation {
    fn code(&self) -> &'static str {
        self.code
    }

    fn definition(&self) -> OperationDefinition {
        let url = match self.code {
            "batch-validate-code" => None,
            code => Some(format!(
                "http://hl7.org/fhir/OperationDefinition/{}-{code}",
                self.resource
            )),
        };
        OperationDefinition {
            url: url.map(Into::into).unwrap_or_default(),
            name: self.name.into(),
            status: "active".into(),
            kind: "operation".into(),
            description: self.words.into(),
            affects_state: false.into(),
            resource: vec![self.resource.into()],
            system: false.into(),
            type_: true.into(),
            instance: self.subject.is_some().into(),
            parameter: (self.parameters)(),
            ..OperationDefinition::default()
        }
    }

    fn example(&self, parameter: &str) -> Option<&'static str> {
        let found = self.examples.iter().find(|(name, _)| *name == parameter);
        found.map(|(_, value)| *value)
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        async move {
            let parameters = self.parameters_of(session, call).await?;
            let library = Arc::clone(session.known().await?.library());
            let now = session.now().to_instant().parse::<DateTime>();
            let now = now.map_err(|error| Error::internal(error.to_string()))?;
            let language = call.request.accept_language.clone();
            let ask = self.ask;
            let answer = session.apart(move || {
                let request = Request {
                    library,
                    now,
                    accept_language: language.as_deref(),
                };
                ask(&request, &parameters).map(|resource| json::to_vec(&resource))
            });
            match answer.await? {
                Ok(json) => Ok(Done::Answer(Response::new(200, Payload::Json(json)))),
                Err(refusal) => Err(refused(&refusal)),
            }
        }
        .boxed()
    }
}

impl TerminologyOperation {
    /// The arguments, and the resource that the call is on as one of them.
    async fn parameters_of(&self, session: &Session, call: &Call<'_>) -> Result<Parameters> {
        let mut parameter = call.arguments.given().to_vec();
        if let (Some(key), Some(subject)) = (&call.key, self.subject) {
            let twice = |p: &&ParametersParameter| matches!(p.name.as_str(), Some(name) if name == "url" || name == "system" || name == subject);
            // The system of a code to be checked in a value set is not what the call is on.
            let is_subject = |name: &str| name != "system" || self.resource == "CodeSystem";
            if let Some(named) = parameter
                .iter()
                .filter(twice)
                .find_map(|p| p.name.as_str().filter(|name| is_subject(name)))
            {
                let text = format!(
                    "The call is on {key}: leave {named} out, or call it on {}.",
                    self.resource
                );
                return Err(Error::new(ErrorCode::Invalid, text).at(named));
            }
            parameter.push(ParametersParameter {
                name: subject.into(),
                resource: Some(stored(session, key).await?),
                ..ParametersParameter::default()
            });
        }
        Ok(Parameters {
            parameter,
            ..Parameters::default()
        })
    }
}

/// A refusal of the terminology in the terms of the server, with the codes of the terminology ecosystem.
pub(crate) fn refused(refusal: &Refusal) -> Error {
    let code = match refusal.cause {
        Cause::Invalid => ErrorCode::Invalid,
        Cause::NotFound => ErrorCode::NotFound,
        Cause::Unprocessable => ErrorCode::Unprocessable,
        Cause::TooCostly => ErrorCode::TooCostly,
    };
    Error {
        code,
        issues: refusal.outcome.issue.iter().map(issue).collect(),
        cause: None,
    }
}

fn issue(stated: &OperationOutcomeIssue) -> Issue {
    let details: Option<&CodeableConcept> = stated.details.as_deref();
    let coding = details.and_then(|d| d.coding.first());
    let coding = coding.and_then(|c| Some((c.system.as_str()?.to_owned(), c.code.as_str()?.to_owned())));
    let message_id = stated.extension.first().and_then(|x| match x.value.as_ref()? {
        fhir_model::AnyValue::String(text) => text.as_str().map(str::to_owned),
        _ => None,
    });
    Issue {
        diagnostics: details
            .and_then(|d| d.text.as_str())
            .unwrap_or_default()
            .to_owned(),
        expression: stated
            .expression
            .first()
            .and_then(|e| e.as_str())
            .map(str::to_owned),
        position: None,
        kind: None,
        severity: match stated.severity.as_str() {
            Some("warning") => Severity::Warning,
            Some("information") => Severity::Information,
            _ => Severity::Error,
        },
        detail: Some(Box::new(Detail {
            issue: stated.code.as_str().unwrap_or("processing").to_owned(),
            coding,
            message_id,
        })),
    }
}

/// An argument that may be left out.
pub(super) fn input(name: &str, kind: &str, words: &str) -> OperationDefinitionParameter {
    parameter(name, "in", (0, "1"), kind, words)
}

/// An argument that may come several times.
pub(super) fn inputs(name: &str, kind: &str, words: &str) -> OperationDefinitionParameter {
    parameter(name, "in", (0, "*"), kind, words)
}

/// What the answer has.
pub(super) fn output(name: &str, kind: &str, words: &str) -> OperationDefinitionParameter {
    parameter(name, "out", (0, "1"), kind, words)
}

/// Resources that come with the request.
pub(super) fn own_resources() -> OperationDefinitionParameter {
    let words = "A CodeSystem, ValueSet or ConceptMap that counts as held for this request alone.";
    inputs("tx-resource", "Resource", words)
}

/// The language of displays.
pub(super) fn display_language() -> OperationDefinitionParameter {
    let words =
        "The language that displays are wanted in, as in the header Accept-Language, before which it goes.";
    input("displayLanguage", "code", words)
}

/// Which value set is meant.
pub(super) fn value_set() -> Vec<OperationDefinitionParameter> {
    let url = "The canonical URL of the value set, with `|version` or without.";
    vec![
        input("url", "uri", url),
        input("valueSet", "ValueSet", "The value set itself."),
        input("valueSetVersion", "string", "The version of the value set."),
    ]
}

/// Which versions of code systems and value sets are meant.
pub(super) fn versions() -> Vec<OperationDefinitionParameter> {
    vec![
        inputs(
            "system-version",
            "canonical",
            "The version of a code system where the value set names none: `system|version`.",
        ),
        inputs(
            "check-system-version",
            "canonical",
            "The version that a code system must have, else the answer is an error: `system|version`.",
        ),
        inputs(
            "force-system-version",
            "canonical",
            "The version of a code system, whatever the value set says: `system|version`.",
        ),
        inputs(
            "default-valueset-version",
            "canonical",
            "The version of a value set that is referred to without one: `url|version`.",
        ),
        inputs(
            "useSupplement",
            "canonical",
            "A CodeSystem supplement to be used.",
        ),
    ]
}
