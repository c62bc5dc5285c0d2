//! Answers: their types and their limits.

use serde_json::{Value, json};

use super::hold;

/// An answer to a form of one item, or two.
pub(super) fn answered(items: Value, answers: Value) -> Value {
    with_status("completed", items, answers)
}

pub(super) fn with_status(status: &str, items: Value, answers: Value) -> Value {
    json!({"resourceType": "QuestionnaireResponse", "status": status, "questionnaire": "#q", "item": answers,
        "contained": [{"resourceType": "Questionnaire", "id": "q", "status": "active", "item": items}]})
}

/// The same, and nothing is answered.
pub(super) fn unanswered(items: Value) -> Value {
    let mut response = answered(items, json!([]));
    response.as_object_mut().unwrap().remove("item");
    response
}

fn item(kind: &str, more: Value) -> Value {
    let mut item = json!([{"linkId": "1", "type": kind}]);
    item[0]
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    item
}

fn answer(value: Value) -> Value {
    json!([{"linkId": "1", "answer": [value]}])
}

#[test]
fn answers_have_the_type_of_their_item() {
    let plain = || json!({});
    let good: [(&'static str, Value); 12] = [
        ("boolean", json!({"valueBoolean": true})),
        ("decimal", json!({"valueDecimal": 1.5})),
        ("integer", json!({"valueInteger": 1})),
        ("date", json!({"valueDate": "2026-01"})),
        ("dateTime", json!({"valueDateTime": "2026-01-01T00:00:00Z"})),
        ("time", json!({"valueTime": "10:00:00"})),
        ("string", json!({"valueString": "s"})),
        ("text", json!({"valueString": "s"})),
        ("url", json!({"valueUri": "http://a.example"})),
        ("quantity", json!({"valueQuantity": {"value": 1}})),
        ("attachment", json!({"valueAttachment": {"title": "t"}})),
        ("reference", json!({"valueReference": {"display": "d"}})),
    ];
    let mut cases = Vec::new();
    for (kind, value) in &good {
        cases.push((*kind, answered(item(kind, plain()), answer(value.clone())), ""));
    }
    cases.push((
        "a string for a number",
        answered(item("integer", plain()), answer(json!({"valueString": "1"}))),
        "QuestionnaireResponse.item[0].answer[0].value.ofType(string)",
    ));
    cases.push((
        "an integer for a decimal",
        answered(item("decimal", plain()), answer(json!({"valueInteger": 1}))),
        "QuestionnaireResponse.item[0].answer[0].value.ofType(integer)",
    ));
    cases.push((
        "a display that is answered",
        answered(
            item("display", json!({"text": "t"})),
            answer(json!({"valueString": "1"})),
        ),
        "QuestionnaireResponse.item[0]",
    ));
    cases.push((
        "a group that is answered",
        answered(
            item("group", json!({"item": [{"linkId": "2", "type": "string"}]})),
            answer(json!({"valueString": "1"})),
        ),
        "QuestionnaireResponse.item[0]",
    ));
    cases.push((
        "two answers",
        answered(
            item("string", plain()),
            json!([{"linkId": "1", "answer": [{"valueString": "a"}, {"valueString": "b"}]}]),
        ),
        "QuestionnaireResponse.item[0]",
    ));
    cases.push((
        "two that may be",
        answered(
            item("string", json!({"repeats": true})),
            json!([{"linkId": "1", "answer": [{"valueString": "a"}, {"valueString": "b"}]}]),
        ),
        "",
    ));
    cases.push((
        "an unknown item",
        answered(
            item("string", plain()),
            json!([{"linkId": "9", "answer": [{"valueString": "a"}]}]),
        ),
        "QuestionnaireResponse.item[0]",
    ));
    hold(cases);
}

#[test]
fn answers_keep_the_limits_of_their_item() {
    let limit = |name: &str, key: &str, value: Value| json!({"extension": [{"url": format!("http://hl7.org/fhir/StructureDefinition/{name}"), key: value}]});
    let options = |value: Value| json!({"answerOption": [value]});
    let at = "QuestionnaireResponse.item[0].answer[0].value.ofType";
    let of = |kind: &str| -> &'static str { Box::leak(format!("{at}({kind})").into_boxed_str()) };
    let coding = |code: &str| json!({"valueCoding": {"system": "http://a.example/cs", "code": code}});
    hold(vec![
        (
            "short enough",
            answered(
                item("string", json!({"maxLength": 3})),
                answer(json!({"valueString": "äöü"})),
            ),
            "",
        ),
        (
            "too long",
            answered(
                item("string", json!({"maxLength": 3})),
                answer(json!({"valueString": "abcd"})),
            ),
            of("string"),
        ),
        (
            "too small",
            answered(
                item("integer", limit("minValue", "valueInteger", json!(3))),
                answer(json!({"valueInteger": 2})),
            ),
            of("integer"),
        ),
        (
            "small enough",
            answered(
                item("integer", limit("minValue", "valueInteger", json!(3))),
                answer(json!({"valueInteger": 3})),
            ),
            "",
        ),
        (
            "too great",
            answered(
                item("decimal", limit("maxValue", "valueDecimal", json!(3.5))),
                answer(json!({"valueDecimal": 3.51})),
            ),
            of("decimal"),
        ),
        (
            "too late",
            answered(
                item("date", limit("maxValue", "valueDate", json!("2026-01-31"))),
                answer(json!({"valueDate": "2026-02-01"})),
            ),
            of("date"),
        ),
        (
            "too many places",
            answered(
                item("decimal", limit("maxDecimalPlaces", "valueInteger", json!(1))),
                answer(json!({"valueDecimal": 3.51})),
            ),
            of("decimal"),
        ),
        (
            "of the form",
            answered(
                item("string", limit("regex", "valueString", json!("[0-9]{3}"))),
                answer(json!({"valueString": "123"})),
            ),
            "",
        ),
        (
            "of another form",
            answered(
                item("string", limit("regex", "valueString", json!("[0-9]{3}"))),
                answer(json!({"valueString": "1234"})),
            ),
            of("string"),
        ),
        (
            "too short",
            answered(
                item("string", limit("minLength", "valueInteger", json!(3))),
                answer(json!({"valueString": "ab"})),
            ),
            of("string"),
        ),
        (
            "too large",
            answered(
                item("attachment", limit("maxSize", "valueDecimal", json!(1))),
                answer(json!({"valueAttachment": {"size": 2}})),
            ),
            of("Attachment"),
        ),
        (
            "a media type of the family, with a parameter",
            answered(
                item("attachment", limit("mimeType", "valueCode", json!("text/*"))),
                answer(json!({"valueAttachment": {"contentType": "text/plain; charset=utf-8"}})),
            ),
            "",
        ),
        (
            "a media type of another family",
            answered(
                item("attachment", limit("mimeType", "valueCode", json!("text/*"))),
                answer(json!({"valueAttachment": {"contentType": "image/png"}})),
            ),
            of("Attachment"),
        ),
        (
            "an option",
            answered(item("choice", options(coding("a"))), answer(coding("a"))),
            "",
        ),
        (
            "no option",
            answered(item("choice", options(coding("a"))), answer(coding("b"))),
            "QuestionnaireResponse.item[0].answer[0]",
        ),
        (
            "an integer option",
            answered(
                item("choice", options(json!({"valueInteger": 1}))),
                answer(json!({"valueInteger": 1})),
            ),
            "",
        ),
        (
            "no integer option",
            answered(
                item("choice", options(json!({"valueInteger": 1}))),
                answer(json!({"valueInteger": 2})),
            ),
            of("integer"),
        ),
        (
            "no date option",
            answered(
                item("choice", options(json!({"valueDate": "2026"}))),
                answer(json!({"valueDate": "2025"})),
            ),
            of("date"),
        ),
        (
            "a string option",
            answered(
                item("choice", options(json!({"valueString": "a"}))),
                answer(json!({"valueString": "a"})),
            ),
            "",
        ),
        (
            "free text",
            answered(
                item("open-choice", options(coding("a"))),
                answer(json!({"valueString": "else"})),
            ),
            "",
        ),
        (
            "free text of a choice",
            answered(
                item("choice", options(coding("a"))),
                answer(json!({"valueString": "else"})),
            ),
            of("string"),
        ),
        (
            "an open code of none",
            answered(item("open-choice", options(coding("a"))), answer(coding("b"))),
            "QuestionnaireResponse.item[0].answer[0]",
        ),
        (
            "of the value set",
            answered(
                item(
                    "choice",
                    json!({"answerValueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"}),
                ),
                answer(
                    json!({"valueCoding": {"system": "http://hl7.org/fhir/administrative-gender", "code": "male"}}),
                ),
            ),
            "",
        ),
        (
            "not of the value set",
            answered(
                item(
                    "choice",
                    json!({"answerValueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"}),
                ),
                answer(
                    json!({"valueCoding": {"system": "http://hl7.org/fhir/administrative-gender", "code": "m"}}),
                ),
            ),
            "QuestionnaireResponse.item[0].answer[0]",
        ),
    ]);
}
