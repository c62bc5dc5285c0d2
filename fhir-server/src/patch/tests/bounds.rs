//! What one patch may take.

use super::*;

const BASIC: &str = r#"{"resourceType":"Basic","id":"b","a":["0123456789012345678901234567890123456789"]}"#;

#[test]
fn more_than_a_thousand_operations_are_refused() {
    let many = |one: &str, count: usize| vec![one; count].join(",");
    let test = r#"{"op":"test","path":"/id","value":"b"}"#;
    assert!(of(PatchForm::Json, BASIC, &format!("[{}]", many(test, 1000))).is_ok());
    let (code, message) = refused(of(PatchForm::Json, BASIC, &format!("[{}]", many(test, 1001))));
    assert_eq!(code, ErrorCode::TooLarge);
    assert!(message.contains("1001 operations"), "{message}");
    let delete = part("delete", "Basic.subject");
    let all = vec![delete.as_str(); 1001];
    assert_eq!(refused(patched(&operations(&all), BASIC)).0, ErrorCode::TooLarge);
    let xml = format!("<diff>{}</diff>", "<remove sel='f:Basic/f:id'/>".repeat(1001));
    let basic = r#"{"resourceType":"Basic","id":"b"}"#;
    assert_eq!(refused(of(PatchForm::Xml, basic, &xml)).0, ErrorCode::TooLarge);
}

#[test]
fn copies_that_double_the_document_are_refused() {
    let copy = r#"{"op":"copy","from":"/a","path":"/a/-"}"#;
    let patch = format!("[{}]", vec![copy; 60].join(","));
    let (code, message) = refused(of(PatchForm::Json, BASIC, &patch));
    assert_eq!(code, ErrorCode::TooLarge);
    assert!(
        message.contains("send several") || message.contains("deeper"),
        "{message}"
    );
    let sideways: Vec<String> = (0..40)
        .map(|i| format!(r#"{{"op":"add","path":"/b","value":[]}},{{"op":"copy","from":"/a","path":"/b/-"}},{{"op":"copy","from":"/a","path":"/b/-"}},{{"op":"move","from":"/b","path":"/c{i}"}},{{"op":"copy","from":"/c{i}","path":"/a/-"}}"#))
        .collect();
    let (code, _) = refused(of(PatchForm::Json, BASIC, &format!("[{}]", sideways.join(","))));
    assert_eq!(code, ErrorCode::TooLarge);
}

#[test]
fn values_that_nest_too_deep_are_refused() {
    let depth = Settings::default().depth;
    let deep = format!("{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let patch = format!(r#"[{{"op":"add","path":"/x","value":{deep}}}]"#);
    assert_eq!(refused(of(PatchForm::Json, BASIC, &patch)).0, ErrorCode::TooLarge);
    let half = format!("{}{}", "[".repeat(depth / 2), "]".repeat(depth / 2));
    let nest = format!(
        r#"[{{"op":"add","path":"/x","value":{half}}},{{"op":"copy","from":"/x","path":"{}"}}]"#,
        "/x".to_owned() + &"/0".repeat(depth / 2 - 1) + "/0"
    );
    assert_eq!(refused(of(PatchForm::Json, BASIC, &nest)).0, ErrorCode::TooLarge);
    let merge = format!(r#"{{"x":{}1{}}}"#, "{\"a\":".repeat(depth), "}".repeat(depth));
    assert_eq!(
        refused(of(PatchForm::Merge, BASIC, &merge)).0,
        ErrorCode::TooLarge
    );
}

#[test]
fn paths_that_never_end_are_ended() {
    let basic = r#"{"resourceType":"Basic","id":"b"}"#;
    let path = "repeat(iif(true, $this)).combine(1)".to_owned() + &".select($this.combine($this))".repeat(40);
    let (code, message) = refused(patched(&operations(&[&part("delete", &path)]), basic));
    assert_eq!(code, ErrorCode::Unprocessable);
    assert!(
        message.contains("steps") || message.contains("items") || message.contains("bytes"),
        "{message}"
    );
    let long = format!("<diff><remove sel='{}'/></diff>", "f:a/".repeat(100) + "f:a");
    assert!(refused(of(PatchForm::Xml, basic, &long)).1.contains("steps"));
}

#[test]
fn large_objects_are_merged_in_reasonable_time() {
    let members: Vec<String> = (0..200_000).map(|i| format!("\"n{i}\":{i}")).collect();
    let patch = format!("{{\"x\":{{{}}}}}", members.join(","));
    assert!(of(PatchForm::Merge, BASIC, &patch).is_ok());
}
