//! Items: which belong where, how often, and which must be answered.

use fhir_model::{QuestionnaireItem, QuestionnaireResponseItem};

use super::{Form, answer, enable, error};
use crate::place::Step;
use crate::run::Run;

/// Checks the items of one level against those that the questionnaire has there.
pub(super) fn check(
    run: &mut Run,
    form: &Form<'_>,
    wanted: &[QuestionnaireItem],
    given: &[QuestionnaireResponseItem],
) {
    let mut highest = 0;
    for (index, item) in given.iter().enumerate() {
        run.within(Step::named("item", Some(index)), |run| {
            let Some(id) = item.link_id.as_str() else { return };
            match wanted.iter().position(|w| w.link_id == id) {
                Some(position) if position < highest => run.report(error(format!("the item {id:?} is out of order: the questionnaire has it before others that are given before it"))),
                Some(position) => highest = position,
                None => run.report(misplaced(form, id)),
            }
        });
    }
    for item in wanted {
        let mine: Vec<(usize, &QuestionnaireResponseItem)> = given
            .iter()
            .enumerate()
            .filter(|(_, g)| g.link_id.as_str().is_some() && g.link_id.as_str() == item.link_id.as_str())
            .collect();
        if enable::is_enabled(form, item) == Some(false) {
            not_enabled(run, &mine);
        } else {
            one(run, form, item, &mine);
        }
    }
}

fn misplaced(form: &Form<'_>, id: &str) -> crate::run::Report {
    if form.by_link_id.contains_key(id) {
        error(format!("the item {id:?} belongs elsewhere in the questionnaire"))
    } else {
        let near = crate::terminology::nearest(id, form.by_link_id.keys().copied());
        let hint = near
            .as_ref()
            .map(|n| format!("; did you mean {n:?}?"))
            .unwrap_or_default();
        error(format!("the questionnaire has no item {id:?}{hint}")).near(near)
    }
}

fn not_enabled(run: &mut Run, given: &[(usize, &QuestionnaireResponseItem)]) {
    for (index, item) in given {
        if has_answer(item, 0) {
            run.within(Step::named("item", Some(*index)), |run| {
                run.report(error(
                    "the item has an answer, though by its conditions it is not enabled",
                ));
            });
        }
    }
}

fn has_answer(item: &QuestionnaireResponseItem, depth: usize) -> bool {
    depth < 64 && (!item.answer.is_empty() || item.item.iter().any(|i| has_answer(i, depth + 1)))
}

/// Checks all that is given for one item of the questionnaire.
fn one(
    run: &mut Run,
    form: &Form<'_>,
    item: &QuestionnaireItem,
    given: &[(usize, &QuestionnaireResponseItem)],
) {
    let id = item.link_id.as_str().unwrap_or_default();
    let kind = item.type_.as_str().unwrap_or_default();
    let is_required = item.required.value == Some(true);
    if given.is_empty() {
        if is_required && kind != "display" {
            run.report(error(format!("the item {id:?} is required, and there is none")).of(form.missing));
        }
        return;
    }
    let repeats = item.repeats.value == Some(true);
    for (occurrence, (index, response)) in given.iter().enumerate() {
        run.within(Step::named("item", Some(*index)), |run| {
            if occurrence > 0 && !(repeats && kind == "group") {
                run.report(error(format!("the item {id:?} may be given once only")));
            }
            match kind {
                "group" => group(run, form, item, response),
                "display" => display(run, response),
                _ => question(run, form, item, response),
            }
        });
    }
}

fn group(run: &mut Run, form: &Form<'_>, item: &QuestionnaireItem, response: &QuestionnaireResponseItem) {
    if !response.answer.is_empty() {
        run.report(error("a group has items and no answers"));
    }
    check(run, form, &item.item, &response.item);
}

fn display(run: &mut Run, response: &QuestionnaireResponseItem) {
    if !response.answer.is_empty() || !response.item.is_empty() {
        run.report(error(
            "an item that only displays text has no answers and no items",
        ));
    }
}

fn question(run: &mut Run, form: &Form<'_>, item: &QuestionnaireItem, response: &QuestionnaireResponseItem) {
    let id = item.link_id.as_str().unwrap_or_default();
    if !response.item.is_empty() {
        run.report(error(
            "the items below a question belong to its answers (answer.item)",
        ));
    }
    let answers = &response.answer;
    if answers.is_empty() && item.required.value == Some(true) {
        run.report(error(format!("the item {id:?} is required, and it has no answer")).of(form.missing));
    }
    if answers.len() > 1 && item.repeats.value != Some(true) {
        run.report(error(format!(
            "the item {id:?} takes one answer; it has {}",
            answers.len()
        )));
    }
    super::limits::occurrences(run, item, answers.len(), form.missing);
    answer::options(run, item, answers);
    for (index, given) in answers.iter().enumerate() {
        run.within(Step::named("answer", Some(index)), |run| {
            answer::check(run, form, item, given);
            check(run, form, &item.item, &given.item);
        });
    }
}
