//! The difference of two resources, and that it leads from one to the other.

use fhir_model::json;

use super::*;
use crate::patch::diff;

/// The difference, once it is clear that it leads there and that nothing differs afterwards.
fn between(before: &str, after: &str) -> String {
    let (a, b) = (json::from_str(before).unwrap(), json::from_str(after).unwrap());
    let patch = diff(&a, &b).unwrap();
    // It must be a Parameters resource that the server itself would read.
    json::from_slice(&patch).unwrap();
    let applied = patched(&Patch::FhirPath(patch.clone().into()), before).unwrap();
    let found = json::from_str(&applied).unwrap();
    assert_eq!(found, b, "{applied}");
    String::from_utf8(patch).unwrap()
}

fn patient(members: &str) -> String {
    format!(r#"{{"resourceType":"Patient","id":"p"{members}}}"#)
}

#[test]
fn every_difference_leads_from_one_to_the_other() {
    let all = [
        "",
        r#","birthDate":"1990-01-01""#,
        r#","birthDate":"1990-01-01","_birthDate":{"extension":[{"url":"a:b","valueDecimal":1.50}]}"#,
        r#","birthDate":"1990-01-01","_birthDate":{"extension":[{"url":"a:b","valueDecimal":1.5}]}"#,
        r#","_birthDate":{"id":"x"}"#,
        r#","deceasedBoolean":false"#,
        r#","deceasedDateTime":"2020-01-01""#,
        r#","name":[{"given":["A","B","C"]},{"family":"X"}]"#,
        r#","name":[{"given":["C","A"],"_given":[{"id":"c"},null]},{"family":"Y"},{"text":"z"}]"#,
        r#","name":[{"text":"z"},{"given":["B"]}]"#,
        r#","contained":[{"resourceType":"Basic","id":"b","code":{"text":"x"}}]"#,
        r#","contained":[{"resourceType":"Basic","id":"c","code":{"text":"x"}},{"resourceType":"Basic","id":"b","code":{"text":"y"}}]"#,
        r#","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"}"#,
        r#","text":{"status":"additional","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">b</div>"}"#,
        r#","extension":[{"url":"a:b","extension":[{"url":"c","valueInteger":7},{"url":"d","valueBoolean":true}]}]"#,
        r#","extension":[{"url":"a:c","valueString":"x"},{"url":"a:b","extension":[{"url":"d","valueBoolean":false}]}]"#,
        r#","contact":[{"id":"1","gender":"male"},{"id":"2","gender":"female","name":{"text":"n"}}]"#,
        r#","contact":[{"id":"2","gender":"other"},{"id":"3","gender":"male"}]"#,
        r#","meta":{"tag":[{"code":"a"}],"profile":["http://example.org/p"]},"multipleBirthInteger":2"#,
    ];
    for before in all {
        for after in all {
            let same = before == after;
            let patch = between(&patient(before), &patient(after));
            assert_eq!(
                patch == r#"{"resourceType":"Parameters"}"#,
                same,
                "{before} {after}"
            );
        }
    }
}

#[test]
fn items_with_ids_are_followed_wherever_they_go() {
    let before = patient(r#","contact":[{"id":"1","gender":"male"},{"id":"2","gender":"female"}]"#);
    let after = patient(r#","contact":[{"id":"2","gender":"other"},{"id":"1","gender":"male"}]"#);
    let patch = between(&before, &after);
    assert!(
        patch.contains("\"move\"") && patch.contains("Patient.contact[0].gender"),
        "{patch}"
    );
    assert!(!patch.contains("\"delete\""));
}

#[test]
fn more_differences_than_a_patch_may_have_are_refused() {
    let given = |prefix: &str| {
        let names: Vec<String> = (0..1001).map(|i| format!("\"{prefix}{i}\"")).collect();
        json::from_str(&patient(&format!(
            r#","name":[{{"given":[{}]}}]"#,
            names.join(",")
        )))
        .unwrap()
    };
    assert!(diff(&given("a"), &given("b")).is_err());
}
