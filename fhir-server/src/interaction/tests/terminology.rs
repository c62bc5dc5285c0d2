//! The operations of the terminology service, and searches by value sets and hierarchies.

use serde_json::json;

use super::*;

const TREE: &str = r#"{"resourceType":"CodeSystem","id":"tree","url":"http://example.org/tree","status":"active","content":"complete",
    "hierarchyMeaning":"is-a","caseSensitive":true,"concept":[{"code":"animal","display":"Animal","concept":[
    {"code":"dog","display":"Dog","designation":[{"language":"de","value":"Hund"}]},{"code":"cat","display":"Cat"}]},{"code":"rock"}]}"#;
const PETS: &str = r#"{"resourceType":"ValueSet","id":"pets","url":"http://example.org/vs/pets","status":"active",
    "compose":{"include":[{"system":"http://example.org/tree","filter":[{"property":"concept","op":"descendent-of","value":"animal"}]}]}}"#;

/// The value of a parameter of an answer.
fn parameter<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let all = answer["parameter"].as_array().unwrap();
    let found = all.iter().find(|p| p["name"] == name);
    let members = found.and_then(Value::as_object).into_iter().flatten();
    members
        .into_iter()
        .find(|(m, _)| m.starts_with("value"))
        .map_or(&Value::Null, |(_, v)| v)
}

fn codes(answer: &Value) -> Vec<&str> {
    let contains = answer["expansion"]["contains"].as_array();
    contains
        .into_iter()
        .flatten()
        .map(|c| c["code"].as_str().unwrap())
        .collect()
}

fn parameters(given: Value) -> String {
    json!({"resourceType": "Parameters", "parameter": given}).to_string()
}

fn resource(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_built_in_value_set_is_expanded_by_its_url() {
    let server = TestServer::new();
    let gender = "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender";
    let all = server.json(gender);
    assert_eq!(codes(&all), ["male", "female", "other", "unknown"]);
    assert_eq!(all["expansion"]["timestamp"], "2026-11-23T09:30:00.000Z");
    let page = server.json(&format!("{gender}&offset=1&count=2"));
    assert_eq!(codes(&page), ["female", "other"]);
    assert_eq!(
        (&page["expansion"]["total"], &page["expansion"]["offset"]),
        (&json!(4), &json!(1))
    );
    assert_eq!(page["expansion"]["identifier"], all["expansion"]["identifier"]);
    assert_eq!(codes(&server.json(&format!("{gender}&filter=fem"))), ["female"]);
    let counted = server.json(&format!("{gender}&count=0"));
    assert_eq!(
        (codes(&counted).len(), &counted["expansion"]["total"]),
        (0, &json!(4))
    );
}

#[test]
fn a_value_set_that_comes_with_the_request_is_expanded() {
    let server = TestServer::new();
    let own = parameters(json!([
        {"name": "valueSet", "resource": resource(PETS)},
        {"name": "tx-resource", "resource": resource(TREE)}
    ]));
    assert_eq!(
        codes(&json(&server.post("ValueSet/$expand", &own).unwrap())),
        ["dog", "cat"]
    );
    let alone = r#"{"resourceType":"ValueSet","status":"active","compose":{"include":[{"system":"http://hl7.org/fhir/administrative-gender"}]}}"#;
    let answer = server.post("ValueSet/$expand", alone).unwrap();
    assert_eq!(codes(&json(&answer)).len(), 4);
}

#[test]
fn what_is_not_held_is_refused_and_never_guessed() {
    let server = TestServer::new();
    assert_eq!(
        told(server.get("ValueSet/$expand?url=http://example.org/vs/none")),
        (404, "not-found", String::new())
    );
    for (url, text) in [
        (
            "CodeSystem/$lookup?system=http://snomed.info/sct&code=73211009",
            "http://snomed.info/sct",
        ),
        (
            "CodeSystem/$lookup?system=http://loinc.org&code=718-7",
            "http://loinc.org",
        ),
        (
            "CodeSystem/$lookup?system=https://dmd.nhs.uk&code=1",
            "https://dmd.nhs.uk",
        ),
        (
            "CodeSystem/$subsumes?system=http://snomed.info/sct&codeA=1&codeB=2",
            "http://snomed.info/sct",
        ),
        (
            "ValueSet/$expand?url=http://snomed.info/sct?fhir_vs",
            "http://snomed.info/sct",
        ),
    ] {
        let found = issues(server.get(url));
        assert!(found[0].1.contains(text), "{url}: {found:?}");
    }
    let checked = server.json(
        "ValueSet/$validate-code?url=http://snomed.info/sct?fhir_vs&system=http://snomed.info/sct&code=73211009",
    );
    assert_eq!(parameter(&checked, "result"), false);
    assert_eq!(parameter(&checked, "x-unknown-system"), "http://snomed.info/sct");
}

#[test]
fn a_refusal_has_the_codes_of_the_terminology_ecosystem_beside_the_servers_own() {
    let server = TestServer::new();
    let error = server
        .get("ValueSet/$expand?url=http://example.org/vs/none")
        .unwrap_err();
    let told = outcome::of_error(&error, &crate::engine::OutcomeSystems::default());
    let valid = fhir_model::json::from_slice(&told).unwrap();
    assert_eq!(fhir_validate::Validator::new().validate(&valid), []);
    let issue = &serde_json::from_slice::<Value>(&told).unwrap()["issue"][0];
    assert_eq!(issue["code"], "not-found");
    assert_eq!(issue["details"]["coding"][0]["code"], "not-found");
    assert_eq!(issue["details"]["coding"][1]["code"], "RESOURCE_NOT_FOUND");
    assert_eq!(issue["details"]["text"], issue["diagnostics"]);
    assert_eq!(
        issue["extension"][0]["valueString"],
        "Unable_to_resolve_value_Set_"
    );
}

#[test]
fn arguments_that_are_not_known_or_contradict_each_other_are_refused() {
    let server = TestServer::new();
    let expand = "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender";
    assert_eq!(
        told(server.get(&format!("{expand}&context=Patient.gender"))).0,
        400
    );
    assert_eq!(told(server.get(&format!("{expand}&count=-1"))).0, 400);
    assert_eq!(
        told(server.get(&format!("{expand}&count=many"))),
        (400, "value", "http.count".into())
    );
    assert_eq!(told(server.get("ValueSet/$expand")).0, 400);
    server.put("ValueSet/pets", PETS).unwrap();
    assert_eq!(
        told(server.get("ValueSet/pets/$expand?url=http://example.org/vs/pets")),
        (400, "invalid", "url".into())
    );
    assert_eq!(told(server.get("ValueSet/none/$expand")).0, 404);
    assert_eq!(told(server.get("CodeSystem/pets/$lookup?code=dog")).0, 501);
}

#[test]
fn large_expansions_are_listed_by_pages_only() {
    let server = TestServer::new();
    let concepts: Vec<Value> = (0..10_001).map(|i| json!({"code": format!("c{i}")})).collect();
    let system = json!({"resourceType": "CodeSystem", "url": "http://example.org/large", "status": "active",
        "content": "complete", "concept": concepts});
    let all = json!({"resourceType": "ValueSet", "status": "active",
        "compose": {"include": [{"system": "http://example.org/large"}]}});
    let ask = |more: Value| {
        let mut given = vec![
            json!({"name": "valueSet", "resource": all}),
            json!({"name": "tx-resource", "resource": system}),
        ];
        given.extend(more.as_array().unwrap().clone());
        server.post("ValueSet/$expand", &parameters(given.into()))
    };
    assert_eq!(ask(json!([])).unwrap_err().code, ErrorCode::TooCostly);
    assert_eq!(
        ask(json!([{"name": "count", "valueInteger": 20000}]))
            .unwrap_err()
            .code,
        ErrorCode::TooCostly
    );
    let last =
        ask(json!([{"name": "count", "valueInteger": 20000}, {"name": "offset", "valueInteger": 9999}]));
    assert_eq!(codes(&json(&last.unwrap())), ["c9999", "c10000"]);
}

#[test]
fn codes_are_validated_looked_up_compared_and_translated() {
    let server = TestServer::new();
    let gender = "http://hl7.org/fhir/administrative-gender";
    let is_in = |code: &str| {
        let url = format!(
            "ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/administrative-gender&system={gender}&code={code}"
        );
        parameter(&server.json(&url), "result").clone()
    };
    assert_eq!((is_in("female"), is_in("femail")), (json!(true), json!(false)));
    let known = server.json(&format!(
        "CodeSystem/$validate-code?url={gender}&code=female&display=Male"
    ));
    assert_eq!(parameter(&known, "result"), false);
    let found = server.json(&format!("CodeSystem/$lookup?system={gender}&code=female"));
    assert_eq!(parameter(&found, "display"), "Female");
    assert_eq!(
        told(server.get(&format!("CodeSystem/$lookup?system={gender}&code=femail"))).0,
        404
    );
    let roles = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";
    let outcome = |a: &str, b: &str| {
        let url = format!("CodeSystem/$subsumes?system={roles}&codeA={a}&codeB={b}");
        parameter(&server.json(&url), "outcome")
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(outcome("FAMMEMB", "MTH"), "subsumes");
    assert_eq!(outcome("MTH", "FAMMEMB"), "subsumed-by");
    assert_eq!(outcome("MTH", "MTH"), "equivalent");
    assert_eq!(outcome("MTH", "FTH"), "not-subsumed");
    let map = "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v3";
    let translated = server.json(&format!(
        "ConceptMap/$translate?url={map}&system={gender}&code=female"
    ));
    assert_eq!(parameter(&translated, "result"), true);
    let matched = translated["parameter"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["name"] == "match");
    assert_eq!(matched.unwrap()["part"][1]["valueCoding"]["code"], "F");
}

#[test]
fn displays_come_in_the_language_of_the_header() {
    let server = TestServer::new();
    let url = "CodeSystem/$lookup";
    let mut asked = with_body(
        request("POST", url),
        &parameters(json!([
            {"name": "system", "valueUri": "http://example.org/tree"},
            {"name": "code", "valueCode": "dog"},
            {"name": "tx-resource", "resource": resource(TREE)}
        ])),
    );
    asked.accept_language = Some("de".into());
    assert_eq!(parameter(&json(&server.send(&asked).unwrap()), "display"), "Hund");
}

#[test]
fn what_the_server_holds_is_told() {
    let server = TestServer::new();
    let told = server.json("metadata?mode=terminology");
    let resource = fhir_model::json::from_slice(told.to_string().as_bytes()).unwrap();
    let found = fhir_validate::Validator::builder().build().validate(&resource);
    let wrong: Vec<_> = found
        .iter()
        .filter(|f| f.severity == fhir_validate::Severity::Error)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let systems = told["codeSystem"].as_array().unwrap();
    assert!(
        systems
            .iter()
            .any(|s| s["uri"] == "http://hl7.org/fhir/administrative-gender")
    );
    assert!(!systems.iter().any(|s| s["uri"] == "http://snomed.info/sct"));
    assert!(
        told["expansion"]["parameter"]
            .as_array()
            .unwrap()
            .iter()
            .any(|p| p["name"] == "filter")
    );
}

#[test]
fn searches_know_the_built_in_value_sets_and_hierarchies() {
    let server = TestServer::new();
    for (id, code) in [("m", "MTH"), ("f", "FTH"), ("n", "NBOR")] {
        let text = json!({"resourceType": "RelatedPerson", "id": id, "patient": {"reference": "Patient/p"}, "relationship":
            [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": code}]}]});
        server
            .put(&format!("RelatedPerson/{id}"), &text.to_string())
            .unwrap();
    }
    let found = |query: &str| {
        let bundle = server.json(&format!("RelatedPerson?_sort=_id&{query}"));
        let entries = bundle["entry"].as_array().into_iter().flatten();
        entries
            .map(|e| e["resource"]["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let role = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";
    assert_eq!(found(&format!("relationship:below={role}|PRN")), ["f", "m"]);
    assert_eq!(found(&format!("relationship:above={role}|MTH")), ["m"]);
    assert_eq!(
        found("relationship:in=http://hl7.org/fhir/ValueSet/relatedperson-relationshiptype"),
        ["f", "m", "n"]
    );
    let unknown = told(server.get("RelatedPerson?relationship:in=http://example.org/none"));
    assert_eq!(unknown, (400, "value", "http.relationship".into()));
    let posted = server.bundle(&json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"request": {"method": "GET", "url": format!("RelatedPerson?relationship:below={role}|PRN")}}]}));
    assert_eq!(json(&posted.unwrap())["entry"][0]["resource"]["total"], 2);
}
