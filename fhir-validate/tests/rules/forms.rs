//! Forms: what enables an item, and what a Questionnaire itself may be.

use serde_json::{Value, json};

use super::answers::{answered, unanswered, with_status};
use super::{Case, hold};

#[test]
fn items_are_asked_where_they_are_enabled() {
    let form = |operator: &str, key: &str, value: Value, required: bool| {
        json!([{"linkId": "1", "type": "integer"}, {"linkId": "2", "type": "string", "required": required,
            "enableWhen": [{"question": "1", "operator": operator, key: value}]}])
    };
    let one = |n: i64| json!([{"linkId": "1", "answer": [{"valueInteger": n}]}]);
    let both = |n: i64| json!([{"linkId": "1", "answer": [{"valueInteger": n}]}, {"linkId": "2", "answer": [{"valueString": "s"}]}]);
    let mut cases: Vec<Case> = Vec::new();
    for (operator, below, same, above) in [
        ("=", false, true, false),
        ("!=", true, false, true),
        (">", false, false, true),
        ("<", true, false, false),
        (">=", false, true, true),
        ("<=", true, true, false),
    ] {
        for (n, enabled) in [(4, below), (5, same), (6, above)] {
            let needed = answered(form(operator, "answerInteger", json!(5), true), one(n));
            cases.push((
                operator,
                needed,
                if enabled { "QuestionnaireResponse" } else { "" },
            ));
            let given = answered(form(operator, "answerInteger", json!(5), true), both(n));
            cases.push((
                operator,
                given,
                if enabled {
                    ""
                } else {
                    "QuestionnaireResponse.item[1]"
                },
            ));
        }
    }
    let exists = |is: bool| form("exists", "answerBoolean", json!(is), true);
    cases.push(("exists", answered(exists(true), one(1)), "QuestionnaireResponse"));
    cases.push(("exists, and does not", unanswered(exists(true)), ""));
    cases.push(("exists not", answered(exists(false), one(1)), ""));
    cases.push((
        "exists not, and does not",
        unanswered(exists(false)),
        "QuestionnaireResponse",
    ));
    let two = |behaviour: &str| {
        json!([{"linkId": "1", "type": "integer"}, {"linkId": "2", "type": "string", "required": true, "enableBehavior": behaviour,
            "enableWhen": [{"question": "1", "operator": ">", "answerInteger": 3}, {"question": "1", "operator": "<", "answerInteger": 6}]}])
    };
    cases.push((
        "all of two",
        answered(two("all"), one(4)),
        "QuestionnaireResponse",
    ));
    cases.push(("not all of two", answered(two("all"), one(7)), ""));
    cases.push((
        "any of two",
        answered(two("any"), one(7)),
        "QuestionnaireResponse",
    ));
    cases.push((
        "in progress",
        with_status("in-progress", exists(true), one(1)),
        "",
    ));
    let group = json!([{"linkId": "1", "type": "integer"}, {"linkId": "g", "type": "group", "enableWhen": [{"question": "1", "operator": "=", "answerInteger": 1}],
        "item": [{"linkId": "2", "type": "string", "required": true}]}]);
    cases.push(("below a disabled group", answered(group.clone(), one(2)), ""));
    cases.push(("required below", answered(json!([{"linkId": "g", "type": "group", "required": true, "item": [{"linkId": "2", "type": "string", "required": true}]}]),
        json!([{"linkId": "g"}])), "QuestionnaireResponse.item[0]"));
    hold(cases);
}

#[test]
fn questionnaires_are_forms_that_can_be_filled_in() {
    let form = |items: Value| json!({"resourceType": "Questionnaire", "status": "active", "item": items});
    let when = json!([{"question": "9", "operator": "exists", "answerInteger": 1}]);
    let once = json!({"question": "1", "operator": "exists", "answerBoolean": true});
    let behaviour = json!([once, once, once]);
    hold(vec![
        (
            "the same linkId",
            form(
                json!([{"linkId": "1", "type": "string"}, {"linkId": "2", "type": "group", "item": [{"linkId": "1", "type": "string"}]}]),
            ),
            "Questionnaire",
        ),
        (
            "items of a display",
            form(
                json!([{"linkId": "1", "type": "display", "text": "t", "item": [{"linkId": "2", "type": "string"}]}]),
            ),
            "Questionnaire.item[0]",
        ),
        (
            "a required display",
            form(json!([{"linkId": "1", "type": "display", "text": "t", "required": true}])),
            "Questionnaire.item[0]",
        ),
        (
            "options of a date",
            form(json!([{"linkId": "1", "type": "boolean", "answerOption": [{"valueDate": "2026"}]}])),
            "Questionnaire.item[0]",
        ),
        (
            "options and a value set",
            form(
                json!([{"linkId": "1", "type": "choice", "answerValueSet": "http://a.example/vs", "answerOption": [{"valueDate": "2026"}]}]),
            ),
            "Questionnaire.item[0]",
        ),
        (
            "a length of a number",
            form(json!([{"linkId": "1", "type": "date", "maxLength": 3}])),
            "Questionnaire.item[0]",
        ),
        (
            "exists without a boolean",
            form(
                json!([{"linkId": "1", "type": "string"}, {"linkId": "2", "type": "string", "enableWhen": when}]),
            ),
            "Questionnaire.item[1].enableWhen[0]",
        ),
        (
            "no behaviour",
            form(
                json!([{"linkId": "1", "type": "string"}, {"linkId": "2", "type": "string", "enableWhen": behaviour}]),
            ),
            "Questionnaire.item[1]",
        ),
        (
            "two initial values",
            form(
                json!([{"linkId": "1", "type": "string", "initial": [{"valueString": "a"}, {"valueString": "b"}]}]),
            ),
            "Questionnaire.item[0]",
        ),
        (
            "an initial group",
            form(
                json!([{"linkId": "1", "type": "group", "item": [{"linkId": "2", "type": "string"}], "initial": [{"valueString": "a"}]}]),
            ),
            "Questionnaire.item[0]",
        ),
        (
            "good",
            form(
                json!([{"linkId": "1", "type": "choice", "answerOption": [{"valueInteger": 3}], "repeats": true}]),
            ),
            "",
        ),
    ]);
}
