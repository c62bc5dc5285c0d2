//! Whether an item is enabled, by the answers to others (<https://hl7.org/fhir/R4/questionnaire.html#enablewhen>).

use std::cmp::Ordering;

use fhir_model::path::Expression;
use fhir_model::reflect::Node;
use fhir_model::{QuestionnaireItem, QuestionnaireItemEnableWhen, QuestionnaireResponseItem};

use super::{Form, answer, values};
use crate::compare::{self, QuantityOrder};
use crate::place::{nodes_of, text_of};

/// Extensions that hold a condition in FHIRPath: a string, or an Expression.
const EXPRESSIONS: [&str; 2] = [
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression",
    "http://phr.kanta.fi/StructureDefinition/fiphr-ext-questionnaire-enablewhen",
];

/// Whether an item is enabled; `None` where that cannot be told.
pub(super) fn is_enabled(form: &Form<'_>, item: &QuestionnaireItem) -> Option<bool> {
    if let Some(value) = values(&item.extension, &EXPRESSIONS).next() {
        return by_expression(form, value);
    }
    if item.enable_when.is_empty() {
        return Some(true);
    }
    let mut results = item.enable_when.iter().map(|condition| holds(form, condition));
    if item.enable_behavior == "all" {
        results.try_fold(true, |all, one| Some(all && one?))
    } else {
        results.try_fold(false, |any, one| Some(any || one?))
    }
}

fn by_expression(form: &Form<'_>, value: Node<'_>) -> Option<bool> {
    let source = match value {
        Node::Complex(expression) => {
            let language = text_of(expression, "language");
            text_of(expression, "expression")
                .filter(|_| language.is_none_or(|l| l == "text/fhirpath"))?
                .to_owned()
        }
        Node::Primitive(..) => super::text_of(value)?,
    };
    let expression = Expression::compile(&source).ok()?;
    let environment = fhir_model::path::Environment::new().with_limits(form.scope.inner.path_limits.clone());
    expression.is_true(form.response, &environment).ok()
}

/// Whether one condition holds: for any of the answers to the question that it names.
fn holds(form: &Form<'_>, condition: &QuestionnaireItemEnableWhen) -> Option<bool> {
    let question = condition.question.as_str()?;
    let mut answers = Vec::new();
    find(&form.response.item, question, &mut answers, 0);
    let wanted = nodes_of(condition, "answer")?.next()?;
    match condition.operator.as_str()? {
        "exists" => Some((super::text_of(wanted).as_deref() == Some("true")) != answers.is_empty()),
        "=" => Some(
            answers
                .iter()
                .any(|a| answer::same(wanted, *a) || order(*a, wanted) == Some(Ordering::Equal)),
        ),
        "!=" => Some(answers.iter().any(|a| !answer::same(wanted, *a))),
        ">" => Some(
            answers
                .iter()
                .any(|a| order(*a, wanted) == Some(Ordering::Greater)),
        ),
        "<" => Some(answers.iter().any(|a| order(*a, wanted) == Some(Ordering::Less))),
        ">=" => Some(
            answers
                .iter()
                .any(|a| matches!(order(*a, wanted), Some(Ordering::Greater | Ordering::Equal))),
        ),
        "<=" => Some(
            answers
                .iter()
                .any(|a| matches!(order(*a, wanted), Some(Ordering::Less | Ordering::Equal))),
        ),
        _ => None,
    }
}

fn find<'r>(items: &'r [QuestionnaireResponseItem], id: &str, answers: &mut Vec<Node<'r>>, depth: usize) {
    for item in items.iter().filter(|_| depth < 64) {
        if item.link_id == id {
            answers.extend(item.answer.iter().filter_map(|a| nodes_of(a, "value")?.next()));
        }
        find(&item.item, id, answers, depth + 1);
        for answer in &item.answer {
            find(&answer.item, id, answers, depth + 1);
        }
    }
}

fn order(value: Node<'_>, limit: Node<'_>) -> Option<Ordering> {
    match (value, limit) {
        (Node::Primitive(_, primitive), Node::Primitive(..)) => {
            compare::scalar(primitive.scalar()?, &super::text_of(limit)?)
        }
        (Node::Complex(have), Node::Complex(limit)) if have.type_info().name == "Quantity" => {
            let number = compare::decimal_of(limit)?.as_str();
            match compare::quantities(
                have,
                Some(number),
                text_of(limit, "system"),
                text_of(limit, "code"),
            ) {
                QuantityOrder::Is(order) => Some(order),
                _ => None,
            }
        }
        _ => None,
    }
}
