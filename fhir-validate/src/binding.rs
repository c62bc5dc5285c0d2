//! The binding layer: codes exist, and come from the value sets that elements are bound to
//! (<https://hl7.org/fhir/R4/terminologies.html#strength>).
//!
//! Invariant: what cannot be checked, for want of a code system, is never an error.

use fhir_model::primitive::Scalar;
use fhir_model::reflect::{Complex, Node};

use crate::finding::Severity;
use crate::format::quoted;
use crate::layer::Layer;
use crate::place::{complexes, text_of};
use crate::program::{Binding, Strength};
use crate::run::{Report, Run, Scope};
use crate::terminology::{CodeQuery, Known, Membership, NotMember};

/// What asking about the codes of one value gave.
enum Answer {
    Member,
    /// None is a member; why the last is not.
    NotMember {
        code: String,
        reason: NotMember,
        near: Option<String>,
    },
    Unchecked(String),
    /// There is no code at all.
    NoCode,
}

/// Checks a value against the bindings of its element.
pub(crate) fn check<'a>(run: &mut Run, scope: &Scope<'a>, bindings: &[Binding], value: Node<'a>) {
    for binding in bindings {
        if binding.strength == Strength::Preferred || !is_in_use(scope, binding) {
            continue;
        }
        let Some(answer) = ask(scope, &binding.value_set, value) else {
            continue;
        };
        report(run, binding, answer, value);
    }
}

fn report(run: &mut Run, binding: &Binding, answer: Answer, value: Node<'_>) {
    let url = &binding.value_set;
    let is_required = matches!(binding.strength, Strength::Required | Strength::Maximum);
    let severity = if is_required {
        Severity::Error
    } else {
        Severity::Warning
    };
    let made = match answer {
        Answer::Member => return,
        Answer::NotMember { code, reason, near } => {
            let message = format!(
                "{} is not in the value set {url}{}{}",
                quoted(&code),
                why(reason),
                did_you_mean(near.as_deref())
            );
            Report::error(Layer::Binding, message).of(severity).near(near)
        }
        Answer::Unchecked(reason) => {
            let message = format!("the code could not be checked against the value set {url}: {reason}");
            Report::information(Layer::Binding, message)
        }
        // A code that is not there is none of the value set's, whatever an extension says of it.
        Answer::NoCode if is_required || matches!(value, Node::Complex(_)) => {
            let message = format!(
                "there is no code; one from the value set {url} is {}",
                if is_required { "required" } else { "expected" }
            );
            Report::error(Layer::Binding, message).of(severity)
        }
        Answer::NoCode => return,
    };
    run.report(made.rule(url.as_str()));
}

fn why(reason: NotMember) -> &'static str {
    match reason {
        NotMember::UnknownCode => ": its code system does not have that code",
        NotMember::UnknownInValueSet => "",
        NotMember::WrongSystem => ": the value set takes no codes of that system",
        NotMember::WrongCase => ": upper and lower case are wrong",
        NotMember::Abstract => ": the code only groups others",
    }
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean {near:?}?"))
        .unwrap_or_default()
}

/// Whether an additional binding applies to this resource.
fn is_in_use(scope: &Scope<'_>, binding: &Binding) -> bool {
    binding.usage.is_empty()
        || binding.usage.iter().any(|(context, code)| {
            let contexts = complexes(scope.resource, "useContext");
            let mut fitting =
                contexts.filter(|c| complexes(*c, "code").any(|k| text_of(k, "code") == Some(context)));
            fitting.any(|c| {
                complexes(c, "value")
                    .flat_map(|v| complexes(v, "coding"))
                    .any(|k| text_of(k, "code") == Some(code))
            })
        })
}

/// Whether one of the codes of a value is in the value set, as far as is known.
pub(crate) fn is_member(scope: &Scope<'_>, value_set: &str, value: Node<'_>) -> bool {
    matches!(ask(scope, value_set, value), Some(Answer::Member))
}

/// Asks about the codes of a value; `None` for a value that has none by its type, and without terminology.
fn ask(scope: &Scope<'_>, value_set: &str, value: Node<'_>) -> Option<Answer> {
    let terminology = scope.inner.terminology.as_deref()?;
    let one = |query: &CodeQuery<'_>| match terminology.validate_code(value_set, query) {
        Membership::Member { .. } => Answer::Member,
        Membership::NotMember { reason, near } => Answer::NotMember {
            code: query.code.to_owned(),
            reason,
            near,
        },
        Membership::Unchecked { reason } => Answer::Unchecked(reason),
    };
    match value {
        Node::Primitive(_, primitive) => {
            let Some(Scalar::String(code)) = primitive.scalar() else {
                return Some(Answer::NoCode);
            };
            Some(one(&CodeQuery {
                system: None,
                version: None,
                code,
                display: None,
            }))
        }
        Node::Complex(complex) => match complex.type_info().name {
            "CodeableConcept" => Some(best(
                complexes(complex, "coding").filter_map(query_of).map(|q| one(&q)),
            )),
            "Coding" => Some(query_of(complex).map_or(Answer::NoCode, |q| one(&q))),
            _ if complex.type_info().name == "Quantity" || complex.type_info().base == "Quantity" => {
                Some(query_of(complex).map_or(Answer::NoCode, |q| one(&q)))
            }
            _ => None,
        },
    }
}

/// One member is enough; what could not be checked may be one.
fn best(answers: impl Iterator<Item = Answer>) -> Answer {
    let mut result = Answer::NoCode;
    for answer in answers {
        match (&result, &answer) {
            (_, Answer::Member) => return Answer::Member,
            (Answer::Unchecked(_), _) => {}
            _ => result = answer,
        }
    }
    result
}

fn query_of(coding: &dyn Complex) -> Option<CodeQuery<'_>> {
    Some(CodeQuery {
        // No system is not the same as one to infer.
        system: Some(text_of(coding, "system").unwrap_or_default()),
        version: text_of(coding, "version"),
        code: text_of(coding, "code")?,
        display: text_of(coding, "display"),
    })
}

/// Checks that a Coding's code exists in its own system, with its display.
pub(crate) fn coding<'a>(run: &mut Run, scope: &Scope<'a>, value: &'a dyn Complex) {
    let (Some(terminology), Some(query)) = (scope.inner.terminology.as_deref(), query_of(value)) else {
        return;
    };
    let severity = scope.inner.options.unknown_codes;
    if query.system == Some("") {
        return;
    }
    match terminology.look_up(&query) {
        Known::Yes {
            display,
            display_is_right: false,
        } => {
            let right = display
                .as_deref()
                .map(|d| format!("; its display is {d:?}"))
                .unwrap_or_default();
            let message = format!(
                "{} is not a display of the code {}{right}",
                quoted(query.display.unwrap_or_default()),
                quoted(query.code)
            );
            run.report_in(
                "display",
                Report::error(Layer::Binding, message).of(severity).near(display),
            );
        }
        Known::No { near } => {
            let message = format!(
                "the code system {} does not have the code {}{}",
                query.system.unwrap_or_default(),
                quoted(query.code),
                did_you_mean(near.as_deref())
            );
            run.report_in(
                "code",
                Report::error(Layer::Binding, message).of(severity).near(near),
            );
        }
        Known::Yes { .. } | Known::Unchecked { .. } => {}
    }
}

/// Whether a code, Coding or CodeableConcept of an expression is in a value set; `None` where that is not known.
pub(crate) fn member_of(
    terminology: &dyn crate::terminology::Terminology,
    value_set: &str,
    coded: &fhir_model::path::Value<'_>,
) -> Option<bool> {
    let one = |query: &CodeQuery<'_>| match terminology.validate_code(value_set, query) {
        Membership::Member { .. } => Some(true),
        Membership::NotMember { .. } => Some(false),
        Membership::Unchecked { .. } => None,
    };
    match coded.node() {
        Some(Node::Complex(complex)) if complex.type_info().name == "CodeableConcept" => {
            let answers: Vec<Option<bool>> = complexes(complex, "coding")
                .filter_map(query_of)
                .map(|q| one(&q))
                .collect();
            if answers.contains(&Some(true)) {
                Some(true)
            } else if answers.contains(&None) {
                None
            } else {
                Some(false)
            }
        }
        Some(Node::Complex(complex)) => one(&query_of(complex)?),
        _ => one(&CodeQuery {
            system: None,
            version: None,
            code: coded.as_str()?,
            display: None,
        }),
    }
}
