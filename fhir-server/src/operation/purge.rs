//! `$purge`: all that there is of a patient goes for good: the resource, what is theirs, earlier versions, and what was deleted. The audit
//! trail keeps that it was there, and that it was purged. An operation of the next release of FHIR, as its text stands
//! (<https://build.fhir.org/patient-operation-purge.html>).
//!
//! Invariant: an operator alone asks for it, with a scope of its own; whatever may hide data from others hides nothing from this.

use fhir_model::OperationDefinition;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Call, Done, Operation, parameter};
use crate::engine::Session;
use crate::error::{Error, ErrorCode, Issue, Result, Severity};
use crate::interaction::{Payload, Response, conditions, operation_outcome};

/// Its code.
pub(crate) const CODE: &str = "purge";
/// The scope that it takes.
pub(crate) const SCOPE: &str = "operator/purge";

/// `$purge`
pub(super) struct Purge;

impl Operation for Purge {
    fn code(&self) -> &'static str {
        CODE
    }

    fn definition(&self) -> OperationDefinition {
        OperationDefinition {
            url: "http://hl7.org/fhir/OperationDefinition/Patient-purge".into(),
            name: "Purge".into(),
            status: "active".into(),
            kind: "operation".into(),
            description: "Takes away for good the patient and all that is theirs alone, earlier versions and deleted resources included. What \
                          is another patient's too stays, and so does the audit trail. It is for those who operate the server: a program \
                          that acts for no user, with the scope `operator/purge`."
                .into(),
            affects_state: true.into(),
            resource: vec!["Patient".into()],
            system: false.into(),
            type_: false.into(),
            instance: true.into(),
            parameter: vec![parameter(
                "return",
                "out",
                (1, "1"),
                "OperationOutcome",
                "How much was taken away, and what stays.",
            )],
            ..OperationDefinition::default()
        }
    }

    fn scope(&self) -> Option<&'static str> {
        Some(SCOPE)
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        async move {
            check(session)?;
            if call.entry.is_some() {
                let text = "$purge cannot be undone, so that it cannot be part of a transaction: send it alone.";
                return Err(Error::new(ErrorCode::NotSupported, text));
            }
            let patient = call.the_key()?;
            let purged = session.purge_patient(patient, &conditions(call.request)).await?;
            let told = |text: String| Issue::new(text).with_severity(Severity::Information);
            let mut issues = vec![told(format!(
                "{patient} and all that was theirs alone are gone for good: {} resources with {} versions.",
                purged.resources, purged.versions
            ))];
            if !purged.shared.is_empty() {
                let names: Vec<String> = purged.shared.iter().map(ToString::to_string).collect();
                let more = if purged.more { ", and more" } else { "" };
                issues.push(told(format!(
                    "What is another patient's too stays: {}{more}. Take the reference out of it where it must not be there.",
                    names.join(", ")
                )));
            }
            let outcome = operation_outcome(None, &issues, &session.settings().outcome, None);
            Ok(Done::Answer(Response::new(200, Payload::Json(outcome))))
        }
        .boxed()
    }
}

fn check(session: &Session) -> Result<()> {
    if session.context().principal.operates(SCOPE) {
        return Ok(());
    }
    Err(Error::new(ErrorCode::Forbidden, refusal()))
}

/// What everybody else is told.
pub(crate) fn refusal() -> String {
    format!(
        "$purge is for those who operate the server: a program that acts for no user, with the scope {SCOPE}. DELETE takes a resource out \
         of sight."
    )
}
