//! `Consent/$check`: would somebody be shown some data of a patient, and which provision of a Consent decides it.
//!
//! FHIR defines no such operation; the definition is the server's own. It is for patients, about themselves, and for those who answer for
//! the confidentiality of records.

use fhir_model::{AnyValue, OperationDefinition, ParametersParameter};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Call, Done, Operation, answer, parameter};
use crate::context::{Context, Principal, PrincipalKind};
use crate::engine::{Checked, Session, Shown, Subject};
use crate::error::{Error, ErrorCode, Result};
use crate::search::extract::local_reference;
use crate::store::{Key, ResourceType};

/// `$check`
pub(super) struct Check;

impl Operation for Check {
    fn code(&self) -> &'static str {
        "check"
    }

    fn definition(&self) -> OperationDefinition {
        OperationDefinition {
            name: "Check".into(),
            status: "active".into(),
            kind: "operation".into(),
            description: "Whether somebody would be shown data of a patient, which provision of a Consent decides it, and that \
                          in one sentence."
                .into(),
            affects_state: false.into(),
            resource: vec!["Consent".into()],
            system: false.into(),
            type_: true.into(),
            instance: false.into(),
            parameter: vec![
                parameter("patient", "in", (1, "1"), "string", "Whose data, such as Patient/1."),
                parameter("actor", "in", (1, "1"), "string", "Who would see it, such as Practitioner/1."),
                parameter("organization", "in", (0, "1"), "string", "The ODS code of the organisation on whose behalf."),
                parameter("role", "in", (0, "*"), "string", "A role in which the actor would ask."),
                parameter("purpose", "in", (0, "1"), "code", "What for: a purpose of use. Default: what the actor usually asks for."),
                parameter("resource", "in", (0, "1"), "string", "Which resource, such as Condition/1. Default: the Patient."),
                parameter("type", "in", (0, "1"), "code", "Or which type of data."),
                parameter("decision", "out", (1, "1"), "code", "permit, deny or partly."),
                parameter("consent", "out", (0, "1"), "string", "The Consent that decides."),
                parameter("provision", "out", (0, "1"), "string", "The place of the provision in it."),
                parameter("sentence", "out", (1, "1"), "string", "The same in words."),
            ],
            ..OperationDefinition::default()
        }
    }

    fn example(&self, parameter: &str) -> Option<&'static str> {
        match parameter {
            "patient" => Some("Patient/pat-siobhan-murphy"),
            "actor" => Some("Practitioner/prac-helen-ashworth"),
            "type" => Some("Condition"),
            _ => None,
        }
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        async move {
            let patient = named(call, "patient")?;
            let patient = patient.filter(|key| key.resource_type.name() == "Patient");
            let patient = patient.ok_or_else(|| wrong("patient", "a reference such as Patient/1"))?;
            let asking = &session.context().principal;
            if asking.kind == PrincipalKind::Patient && asking.patient.as_ref() != Some(&patient.id) {
                let text = "You may ask about your own record only.";
                return Err(Error::new(ErrorCode::Forbidden, text));
            }
            let subject = subject(call, &patient)?;
            let actor = actor(session, call, &patient)?;
            let checked = session.check_for(&actor, &patient.id, &subject).await?;
            Ok(Done::Answer(answer(told(&checked))))
        }
        .boxed()
    }
}

fn wrong(name: &str, expected: &str) -> Error {
    let text = format!("The argument `{name}` must be {expected}.");
    Error::new(ErrorCode::Value, text).at(format!("http.{name}"))
}

fn named(call: &Call<'_>, name: &str) -> Result<Option<Key>> {
    let Some(text) = call.arguments.text(name) else {
        return Ok(None);
    };
    let key = local_reference(&text, &[]);
    key.map(Some)
        .ok_or_else(|| wrong(name, "a reference such as Condition/1"))
}

fn subject(call: &Call<'_>, patient: &Key) -> Result<Subject> {
    match (named(call, "resource")?, call.arguments.text("type")) {
        (None, None) => Ok(Subject::Resource(patient.clone())),
        (Some(key), None) => Ok(Subject::Resource(key)),
        (None, Some(name)) => ResourceType::from_name(&name)
            .map(Subject::Type)
            .ok_or_else(|| wrong("type", "a resource type of R4, such as Condition")),
        (Some(_), Some(_)) => {
            let text = "Name either a `resource` or a `type`, not both.";
            Err(Error::new(ErrorCode::Value, text).at("http.type"))
        }
    }
}

/// The actor as a caller.
fn actor(session: &Session, call: &Call<'_>, patient: &Key) -> Result<Context> {
    let key = named(call, "actor")?.ok_or_else(|| wrong("actor", "a reference such as Practitioner/1"))?;
    let kind = match key.resource_type.name() {
        "Practitioner" | "PractitionerRole" => PrincipalKind::Clinician,
        "Patient" => PrincipalKind::Patient,
        "RelatedPerson" => PrincipalKind::RelatedPerson,
        "Organization" | "Device" => PrincipalKind::Client,
        _ => {
            return Err(wrong(
                "actor",
                "somebody who can ask: a Practitioner, a RelatedPerson, an Organization",
            ));
        }
    };
    let mut principal = Principal::new(key.to_string(), kind).with_fhir_user(key.clone());
    if kind == PrincipalKind::Patient {
        principal = principal.with_patient(key.id);
    } else if kind == PrincipalKind::RelatedPerson {
        principal = principal.with_patient(patient.id.clone());
    }
    if let Some(code) = call.arguments.text("organization") {
        principal = principal.with_organisation(code);
    }
    for role in call.arguments.texts("role") {
        principal = principal.with_role(role);
    }
    let asking = session.context();
    let mut context = Context::new(principal, asking.request_id.clone());
    context.tenant = asking.tenant;
    context.clock = asking.clock.clone();
    context.deadline = asking.deadline;
    context.purpose = call.arguments.text("purpose");
    Ok(context)
}

fn told(checked: &Checked) -> Vec<ParametersParameter> {
    let decision = match checked.shown {
        Shown::All => "permit",
        Shown::Some => "partly",
        Shown::None => "deny",
    };
    let parameter = |name: &str, value: AnyValue| ParametersParameter {
        name: name.into(),
        value: Some(value),
        ..ParametersParameter::default()
    };
    let text = |text: String| AnyValue::String(text.into());
    let mut told = vec![parameter("decision", AnyValue::Code(decision.into()))];
    if let Some(saying) = &checked.saying {
        told.push(parameter("consent", text(saying.consent.to_string())));
        told.push(parameter("provision", text(saying.at.clone())));
    }
    told.push(parameter("sentence", text(sentence(checked))));
    told
}

fn sentence(checked: &Checked) -> String {
    let by = checked.saying.as_ref().map(|saying| {
        let says = if saying.denies { "denies" } else { "permits" };
        (saying, format!("{} {says} it in {}", saying.consent, saying.at))
    });
    match (checked.shown, by) {
        (Shown::All, Some((saying, by))) if !saying.denies => format!("The data is shown: {by}."),
        (Shown::All, _) => "The data is shown: no Consent denies it, and the purpose needs none, or one permits it that is not shown to you."
            .to_owned(),
        (Shown::None, Some((saying, by))) if saying.denies => format!("The data is not shown: {by}."),
        (Shown::None, Some((_, by))) => format!(
            "The data is not shown although {by}: there is no legitimate relationship, or a label restricts it."
        ),
        (Shown::None, None) => "The data is not shown: no Consent that is shown to you speaks of it, and there is no legitimate \
                                relationship, a label restricts it, the purpose needs a Consent, or one denies it that is not shown \
                                to you."
            .to_owned(),
        (Shown::Some, Some((_, by))) => format!("Some of the data is shown, and some is not: {by}."),
        (Shown::Some, None) => {
            "Some of the data is shown; what is not, a label, a missing relationship or a Consent that is not shown to you keeps \
             back."
                .to_owned()
        }
    }
}
