//! Answers: their types, and the options that they are chosen from.

use fhir_model::reflect::{Complex, Node};
use fhir_model::{QuestionnaireItem, QuestionnaireResponseItemAnswer, Resource};

use super::{Form, error, limits, values};
use crate::format::quoted;
use crate::place::{Step, nodes_of, text_of};
use crate::program::{Binding, Strength};
use crate::run::Run;

const EXCLUSIVE: [&str; 1] = ["http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive"];

/// Checks one answer.
pub(super) fn check(
    run: &mut Run,
    form: &Form<'_>,
    item: &QuestionnaireItem,
    answer: &QuestionnaireResponseItemAnswer,
) {
    let Some(value) = nodes_of(answer, "value").and_then(|mut n| n.next()) else {
        if answer.extension.is_empty() {
            run.report(error("the answer has no value"));
        }
        return;
    };
    let Some((index, field)) = answer.type_info().field("value") else {
        return;
    };
    run.within(Step::to(answer, index, field, 0), |run| {
        let kind = item.type_.as_str().unwrap_or_default();
        let allowed = types(item, kind);
        if !allowed.is_empty() && !allowed.contains(&value.type_name()) {
            let message = format!(
                "the answer is a {}; the item takes {}",
                value.type_name(),
                allowed.join(" or ")
            );
            return run.report(error(message));
        }
        limits::check(run, item, value);
        if kind == "reference" {
            reference(run, item, value);
        }
    });
    let is_primitive = matches!(value, Node::Primitive(..));
    if is_primitive {
        run.within(Step::to(answer, index, field, 0), |run| {
            chosen(run, form, item, value)
        });
    } else {
        chosen(run, form, item, value);
    }
}

/// The types that answers to an item may have; none for types that are not known.
fn types(item: &QuestionnaireItem, kind: &str) -> Vec<&'static str> {
    let options = || {
        let mut all: Vec<&'static str> = item
            .answer_option
            .iter()
            .filter_map(|o| nodes_of(o, "value")?.next())
            .map(Node::type_name)
            .collect();
        all.sort_unstable();
        all.dedup();
        // Without options, or with a value set of them, nothing says which types they are.
        all
    };
    match kind {
        "boolean" => vec!["boolean"],
        "decimal" => vec!["decimal"],
        "integer" => vec!["integer"],
        "date" => vec!["date"],
        "dateTime" => vec!["dateTime"],
        "time" => vec!["time"],
        "string" | "text" => vec!["string"],
        "url" => vec!["uri"],
        "attachment" => vec!["Attachment"],
        "reference" => vec!["Reference"],
        "quantity" => vec!["Quantity"],
        "choice" => options(),
        "open-choice" => {
            let mut all = options();
            if !all.is_empty() {
                all.push("string");
            }
            all
        }
        _ => Vec::new(),
    }
}

/// Checks that an answer is one of the options, or in the value set of options.
fn chosen(run: &mut Run, form: &Form<'_>, item: &QuestionnaireItem, value: Node<'_>) {
    let is_open_text = item.type_ == "open-choice" && value.type_name() == "string";
    if is_open_text {
        return;
    }
    if let Some(url) = item.answer_value_set.as_str()
        && value.type_name() == "Coding"
        && !url.starts_with('#')
    {
        let binding = Binding {
            strength: Strength::Required,
            value_set: url.to_owned(),
            usage: Vec::new(),
            any: false,
        };
        crate::binding::check(run, form.scope, &[binding], value);
    }
    let options: Vec<Node<'_>> = item
        .answer_option
        .iter()
        .filter_map(|o| nodes_of(o, "value")?.next())
        .collect();
    if !options.is_empty() && !options.iter().any(|option| same(*option, value)) {
        run.report(error(format!(
            "{} is none of the options of the item",
            shown(value)
        )));
    }
}

/// Whether an option is the answer: codes by system and code, all else by its text.
pub(super) fn same(option: Node<'_>, value: Node<'_>) -> bool {
    match (option, value) {
        (Node::Complex(a), Node::Complex(b)) if a.type_info() == b.type_info() => match a.type_info().name {
            "Coding" => {
                text_of(a, "code") == text_of(b, "code")
                    && (text_of(a, "system") == text_of(b, "system") || text_of(a, "system").is_none())
            }
            "Reference" => text_of(a, "reference") == text_of(b, "reference"),
            _ => fhir_model::reflect::equal(a, b),
        },
        (Node::Primitive(..), Node::Primitive(..)) => super::text_of(option) == super::text_of(value),
        _ => false,
    }
}

fn shown(value: Node<'_>) -> String {
    match value {
        Node::Complex(coding) => quoted(&format!(
            "{}|{}",
            text_of(coding, "system").unwrap_or_default(),
            text_of(coding, "code").unwrap_or_default()
        )),
        Node::Primitive(..) => quoted(&super::text_of(value).unwrap_or_default()),
    }
}

/// Checks the answers of a question together: an exclusive option stands alone.
pub(super) fn options(run: &mut Run, item: &QuestionnaireItem, answers: &[QuestionnaireResponseItemAnswer]) {
    if answers.len() < 2 {
        return;
    }
    let exclusive = item
        .answer_option
        .iter()
        .filter(|o| values(&o.extension, &EXCLUSIVE).any(|v| super::text_of(v).as_deref() == Some("true")));
    let exclusive: Vec<Node<'_>> = exclusive.filter_map(|o| nodes_of(o, "value")?.next()).collect();
    for (index, answer) in answers.iter().enumerate() {
        let Some(value) = nodes_of(answer, "value").and_then(|mut n| n.next()) else {
            continue;
        };
        if exclusive.iter().any(|option| same(*option, value)) {
            run.within(Step::named("answer", Some(index)), |run| {
                run.report(error(format!(
                    "{} excludes all other options, and others are chosen too",
                    shown(value)
                )));
            });
        }
    }
}

const RESOURCE: [&str; 1] = ["http://hl7.org/fhir/StructureDefinition/questionnaire-referenceResource"];

/// Checks the type of what a reference points to.
fn reference(run: &mut Run, item: &QuestionnaireItem, value: Node<'_>) {
    let Node::Complex(complex) = value else { return };
    let Some(reference) =
        text_of(complex, "reference").filter(|r| !r.starts_with('#') && !r.starts_with("urn:"))
    else {
        return;
    };
    let path = reference.split("/_history/").next().unwrap_or(reference);
    let named = path.rsplit('/').nth(1).unwrap_or_default();
    let allowed: Vec<String> = values(&item.extension, &RESOURCE)
        .filter_map(super::text_of)
        .collect();
    let looks_like_type =
        named.starts_with(|c: char| c.is_ascii_uppercase()) && named.bytes().all(|b| b.is_ascii_alphabetic());
    if looks_like_type && Resource::TYPES.binary_search(&named).is_err() {
        run.report(error(format!(
            "the reference {reference:?} names the type {named:?}, which FHIR does not have"
        )));
    } else if !allowed.is_empty() && looks_like_type && !allowed.iter().any(|a| a == named) {
        run.report(error(format!(
            "the reference {reference:?} points to a {named}; allowed are {}",
            allowed.join(", ")
        )));
    }
}
