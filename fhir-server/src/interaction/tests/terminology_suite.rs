//! The terminology suite (`../shared/data/suites/terminology-dev`) through the interactions: each definition of a suite comes
//! with the request, and answers and refusals are compared as they leave the server.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::*;

#[path = "../../../../fhir-validate/tests/terminology/template.rs"]
mod template;

fn parsed(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
    template::unquote(&mut value);
    value
}

/// In the form of R4: what no release has is left out; `None` where that cannot be read either.
fn in_r4(value: &Value) -> Option<Value> {
    let options = fhir_model::read::ReadOptions::lenient();
    let read = fhir_model::json::read(value.to_string().as_bytes(), &options).ok()?;
    serde_json::from_str(&fhir_model::json::to_string(&read.value)).ok()
}

/// An outcome without the codes that the server adds of its own.
fn without_own_codes(answer: &mut Value) {
    for issue in answer
        .get_mut("issue")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let codings = issue.pointer_mut("/details/coding").and_then(Value::as_array_mut);
        codings
            .unwrap()
            .retain(|c| !c["system"].as_str().unwrap().contains("nhs.uk"));
    }
}

fn run(server: &TestServer, folder: &Path, setup: &[Value], test: &Value) -> Result<(), String> {
    let url = match test["operation"].as_str().unwrap() {
        "expand" => "ValueSet/$expand",
        "validate-code" => "ValueSet/$validate-code",
        "cs-validate-code" => "CodeSystem/$validate-code",
        "lookup" => "CodeSystem/$lookup",
        "batch-validate" => "ValueSet/$batch-validate-code",
        other => panic!("the operation {other} is not known"),
    };
    let mut parameters = in_r4(&parsed(&folder.join(test["request"].as_str().unwrap()))).unwrap();
    let given = parameters["parameter"].as_array_mut().unwrap();
    given.extend(
        setup
            .iter()
            .map(|resource| json!({"name": "tx-resource", "resource": resource})),
    );
    let mut asked = with_body(request("POST", url), &parameters.to_string());
    asked.accept_language = test["Accept-Language"].as_str().map(str::to_owned);
    let (answer, is_refusal) = match server.send(&asked) {
        Ok(answer) => (json(&answer), false),
        Err(error) => {
            assert!((400..500).contains(&error.code.facts().status), "{error}");
            let told = outcome::of_error(&error, &crate::engine::OutcomeSystems::default());
            (serde_json::from_slice(&told).unwrap(), true)
        }
    };
    let expects_refusal = test["http-code"]
        .as_str()
        .is_some_and(|code| code.starts_with('4'));
    if is_refusal != expects_refusal {
        return Err(format!("refused: {is_refusal}; {answer}"));
    }
    let flat = &test["response:flat"];
    let file = if flat.is_string() { flat } else { &test["response"] };
    let mut found = answer;
    without_own_codes(&mut found);
    template::restore(&mut found);
    template::compare(&parsed(&folder.join(file.as_str().unwrap())), &found, "")
}

#[test]
fn the_terminology_suite_passes_through_the_interactions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/suites/terminology-dev");
    if !folder.exists() {
        println!("SKIPPED (needs ../shared/data/suites/terminology-dev)");
        return;
    }
    let server = TestServer::new();
    let (mut passed, mut wrong) = (0, Vec::new());
    for suite in parsed(&folder.join("test-cases.json"))["suites"]
        .as_array()
        .unwrap()
    {
        let files = suite["setup"].as_array().unwrap().iter();
        let setup: Vec<Value> = files
            .map(|file| in_r4(&parsed(&folder.join(file.as_str().unwrap()))).unwrap())
            .collect();
        for test in suite["tests"].as_array().unwrap() {
            match run(&server, &folder, &setup, test) {
                Ok(()) => passed += 1,
                Err(how) => wrong.push(format!("{}: {how}", test["name"].as_str().unwrap())),
            }
        }
    }
    println!("{passed} cases pass");
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(passed, 205);
}
