//! The questionnaire layer: answers against the questionnaire that they answer
//! (<https://hl7.org/fhir/R4/questionnaireresponse.html>).

mod answer;
mod enable;
mod items;
mod limits;

use std::collections::HashMap;

use fhir_model::reflect::{Complex, Node};
use fhir_model::{Extension, Questionnaire, QuestionnaireItem, QuestionnaireResponse, Resource};

use crate::finding::Severity;
use crate::layer::Layer;
use crate::place::nodes_of;
use crate::run::{Report, Run, Scope};

/// What checking a response needs.
struct Form<'a> {
    scope: &'a Scope<'a>,
    response: &'a QuestionnaireResponse,
    /// Every item of the questionnaire, at any depth.
    by_link_id: HashMap<&'a str, &'a QuestionnaireItem>,
    /// What a missing answer is: only advice while the form is being filled in.
    missing: Severity,
}

pub(crate) fn check<'a>(run: &mut Run, scope: &Scope<'a>, value: &'a dyn Complex) {
    let Some(response) = value.as_any().downcast_ref::<QuestionnaireResponse>() else {
        return;
    };
    let Some(canonical) = response.questionnaire.as_str() else {
        return;
    };
    match find(scope, response, canonical) {
        Some(Resource::Questionnaire(questionnaire)) => against(run, scope, response, questionnaire),
        Some(other) => {
            let message = format!("{canonical} is a {}, not a Questionnaire", other.type_name());
            run.report_in("questionnaire", Report::error(Layer::Questionnaire, message));
        }
        None => {
            if let Some(kind) = scope.inner.kind_of(canonical) {
                let message = format!("{canonical} is a {kind}, not a Questionnaire");
                return run.report_in("questionnaire", Report::error(Layer::Questionnaire, message));
            }
            let message = format!(
                "the questionnaire {canonical} is not known here, so the answers were not checked against it"
            );
            run.report_in("questionnaire", Report::warning(Layer::Questionnaire, message));
        }
    }
}

fn find<'a>(scope: &Scope<'a>, response: &'a QuestionnaireResponse, canonical: &str) -> Option<&'a Resource> {
    if let Some(id) = canonical.strip_prefix('#') {
        return response
            .contained
            .iter()
            .find(|r| crate::place::text_of(r.as_complex(), "id") == Some(id));
    }
    let in_bundle = || scope.bundle.and_then(|b| b.resource(canonical, scope.full_url));
    scope.inner.canonicals.get(canonical).or_else(in_bundle)
}

fn against(
    run: &mut Run,
    scope: &Scope<'_>,
    response: &QuestionnaireResponse,
    questionnaire: &Questionnaire,
) {
    let mut by_link_id = HashMap::new();
    collect(&questionnaire.item, &mut by_link_id, 0);
    let is_unfinished = matches!(response.status.as_str(), Some("in-progress" | "stopped"));
    let missing = if is_unfinished {
        Severity::Warning
    } else {
        Severity::Error
    };
    let form = Form {
        scope,
        response,
        by_link_id,
        missing,
    };
    items::check(run, &form, &questionnaire.item, &response.item);
}

fn collect<'a>(
    items: &'a [QuestionnaireItem],
    by_link_id: &mut HashMap<&'a str, &'a QuestionnaireItem>,
    depth: usize,
) {
    for item in items.iter().filter(|_| depth < 64) {
        if let Some(id) = item.link_id.as_str() {
            by_link_id.entry(id).or_insert(item);
        }
        collect(&item.item, by_link_id, depth + 1);
    }
}

/// The values of the extensions with one of these urls.
fn values<'x>(extensions: &'x [Extension], urls: &'x [&str]) -> impl Iterator<Item = Node<'x>> {
    let fitting = extensions
        .iter()
        .filter(|x| x.url.as_deref().is_some_and(|u| urls.contains(&u)));
    fitting.filter_map(|x| nodes_of(x, "value")?.next())
}

/// The text of a primitive value.
fn text_of(value: Node<'_>) -> Option<String> {
    match value {
        Node::Primitive(_, primitive) => primitive.text().map(std::borrow::Cow::into_owned),
        Node::Complex(_) => None,
    }
}

/// An error about the place.
fn error(message: impl Into<String>) -> Report {
    Report::error(Layer::Questionnaire, message)
}
