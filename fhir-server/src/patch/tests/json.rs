//! JSON Patch and JSON Merge Patch.

use super::*;

const OBSERVATION: &str = r#"{"resourceType":"Observation","id":"o","valueQuantity":{"unit":"kg","value":1.50},"status":"final","note":[{"text":"caf\u00e9"},{"text":"b"}]}"#;

#[test]
fn what_a_json_patch_does_not_name_stays_byte_for_byte() {
    let patch = r#"[{"op":"test","path":"/valueQuantity/value","value":15e-1},
        {"op":"replace","path":"/status","value":"amended"},{"op":"add","path":"/note/-","value":{"text":"c"}},
        {"op":"copy","from":"/note/1","path":"/note/0"},{"op":"move","from":"/note/3","path":"/note/0"},
        {"op":"remove","path":"/note/3"},{"op":"add","path":"/x~1y~0z","value":2.0}]"#;
    assert_eq!(
        of(PatchForm::Json, OBSERVATION, patch).unwrap(),
        r#"{"resourceType":"Observation","id":"o","valueQuantity":{"unit":"kg","value":1.50},"status":"amended","note":[{"text":"c"},{"text":"b"},{"text":"caf\u00e9"}],"x/y~z":2.0}"#
    );
    assert_eq!(of(PatchForm::Json, OBSERVATION, "[]").unwrap(), OBSERVATION);
}

#[test]
fn a_json_patch_that_is_malformed_is_400_and_names_operation_and_cure() {
    for (patch, words) in [
        (r#"{"status":"final"}"#, "application/merge-patch+json"),
        (r#"[1]"#, "Operation 0: each is an object"),
        (r#"[{"op":"remove"}]"#, "Operation 0: the member path is missing"),
        (r#"[{"op":"add","path":"/a"}]"#, "the member value is missing"),
        (r#"[{"op":"move","path":"/a"}]"#, "the member from is missing"),
        (r#"[{"op":"drop","path":"/a"}]"#, "not \"drop\""),
        (r#"[{"op":7,"path":"/a"}]"#, "op is a string; this is a number"),
        (r#"[{"op":"remove","path":"a"}]"#, "begins with a slash"),
        (r#"[{"op":"remove","path":"/a~2"}]"#, "tilde"),
        (r#"[{"op":"move","from":"/a","path":"/a/b"}]"#, "into itself"),
        (
            r#"[{"op":"remove","op":"add","path":"/a","value":1}]"#,
            "\"op\" twice",
        ),
        ("[", "The patch cannot be read"),
    ] {
        let (code, message) = refused(of(PatchForm::Json, OBSERVATION, patch));
        assert_eq!(code, ErrorCode::Structure, "{patch}");
        assert!(message.contains(words), "{patch}: {message}");
    }
}

#[test]
fn a_json_patch_that_does_not_fit_is_422_and_names_operation_and_place() {
    for (operation, words) in [
        (r#"{"op":"remove","path":"/nope"}"#, "no member \"nope\" at \"\""),
        (
            r#"{"op":"replace","path":"/note/2/text","value":"x"}"#,
            "\"2\" is no index of the array at \"/note\", which has 0 to 1",
        ),
        (
            r#"{"op":"replace","path":"/note/-","value":"x"}"#,
            "\"-\" is no index",
        ),
        (r#"{"op":"add","path":"/note/3","value":"x"}"#, "takes 0 to 2"),
        (
            r#"{"op":"add","path":"/note/01","value":"x"}"#,
            "\"01\" is no index",
        ),
        (
            r#"{"op":"add","path":"/status/x","value":"x"}"#,
            "\"/status\" is a string, which has nothing inside",
        ),
        (
            r#"{"op":"copy","from":"/nope","path":"/note/0"}"#,
            "from: there is no member",
        ),
        (
            r#"{"op":"test","path":"/status","value":"x"}"#,
            "there is \"final\", and \"x\" was expected",
        ),
        (r#"{"op":"remove","path":""}"#, "delete it with DELETE"),
    ] {
        let patch = format!(r#"[{{"op":"test","path":"/id","value":"o"}},{operation}]"#);
        let (code, message) = refused(of(PatchForm::Json, OBSERVATION, &patch));
        assert_eq!(code, ErrorCode::Unprocessable, "{operation}");
        assert!(
            message.starts_with("Operation 1 (") && message.contains(words),
            "{message}"
        );
    }
}

#[test]
fn a_merge_patch_merges_objects_and_replaces_all_else() {
    let patch = r#"{"status":"amended","valueQuantity":{"unit":null,"code":"kg"},"note":[{"text":"x"}],
        "nope":null,"code":{"text":"y","coding":null}}"#;
    assert_eq!(
        of(PatchForm::Merge, OBSERVATION, patch).unwrap(),
        r#"{"resourceType":"Observation","id":"o","valueQuantity":{"value":1.50,"code":"kg"},"status":"amended","note":[{"text":"x"}],"code":{"text":"y"}}"#
    );
    for (patch, words) in [("[]", "application/json-patch+json"), ("7", "this is a number")] {
        let (code, message) = refused(of(PatchForm::Merge, OBSERVATION, patch));
        assert_eq!(code, ErrorCode::Structure);
        assert!(message.contains(words), "{message}");
    }
}

/// RFC 7396, appendix A.
#[test]
fn the_examples_of_the_merge_patch_specification_hold() {
    for (before, patch, after) in [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"a":null}"#, r#"{}"#),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":{"b":"d","c":null}}"#,
            r#"{"a":{"b":"d"}}"#,
        ),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        (r#"{}"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
    ] {
        assert_eq!(
            of(PatchForm::Merge, before, patch).unwrap(),
            after,
            "{before} {patch}"
        );
    }
}
