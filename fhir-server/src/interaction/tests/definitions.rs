//! Definitions that are stored take effect at once: for operations, searches and validation, for their tenant, on every process.

use serde_json::json;

use super::*;
use crate::context::TenantId;

fn tree(codes: &[&str]) -> String {
    let concepts: Vec<Value> = codes.iter().map(|code| json!({"code": code})).collect();
    json!({"resourceType": "CodeSystem", "id": "tree", "url": "http://example.org/tree", "status": "active",
        "content": "complete", "concept": concepts})
    .to_string()
}

const ALL: &str = r#"{"resourceType":"ValueSet","id":"all","url":"http://example.org/vs/all","status":"active",
    "compose":{"include":[{"system":"http://example.org/tree"}]}}"#;
const PROFILE: &str = r#"{"resourceType":"StructureDefinition","id":"born","url":"http://example.org/born","name":"Born","status":"active",
    "kind":"resource","abstract":false,"type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient",
    "derivation":"constraint","differential":{"element":[{"id":"Patient.birthDate","path":"Patient.birthDate","min":1}]}}"#;

fn expanded(server: &TestServer, session: Session) -> Result<Vec<String>, Error> {
    let asked = request("GET", "ValueSet/$expand?url=http://example.org/vs/all");
    let answer = json(&server.send_in(session, &asked)?);
    let contains = answer["expansion"]["contains"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    Ok(contains
        .iter()
        .map(|c| c["code"].as_str().unwrap().to_owned())
        .collect())
}

#[test]
fn what_is_written_changed_and_deleted_takes_effect_with_the_next_request() {
    let server = TestServer::new();
    let now = || expanded(&server, server.session());
    assert_eq!(now().unwrap_err().code, ErrorCode::NotFound);
    server.put("ValueSet/all", ALL).unwrap();
    assert_eq!(now().unwrap_err().code, ErrorCode::NotFound);
    server.put("CodeSystem/tree", &tree(&["a", "b"])).unwrap();
    assert_eq!(now().unwrap(), ["a", "b"]);
    server.put("CodeSystem/tree", &tree(&["a", "b", "c"])).unwrap();
    assert_eq!(now().unwrap(), ["a", "b", "c"]);
    let found = server.json("CodeSystem/$lookup?system=http://example.org/tree&code=c");
    assert_eq!(found["resourceType"], "Parameters");
    server.delete("CodeSystem/tree").unwrap();
    assert_eq!(now().unwrap_err().code, ErrorCode::NotFound);
    server.put("CodeSystem/tree", &tree(&["d"])).unwrap();
    assert_eq!(now().unwrap(), ["d"]);
    let by_id = server.json("ValueSet/all/$expand");
    assert_eq!(by_id["expansion"]["total"], 1);
}

#[test]
fn of_two_with_one_url_the_newer_counts_and_the_older_comes_back_when_that_goes() {
    let server = TestServer::new();
    let now = || expanded(&server, server.session()).unwrap();
    server.put("ValueSet/all", ALL).unwrap();
    server.put("CodeSystem/tree", &tree(&["old"])).unwrap();
    server
        .put(
            "CodeSystem/other",
            &tree(&["new"]).replace(r#""id":"tree""#, r#""id":"other""#),
        )
        .unwrap();
    assert_eq!(now(), ["new"]);
    server.delete("CodeSystem/other").unwrap();
    assert_eq!(now(), ["old"]);
}

#[test]
fn another_process_sees_it_and_another_tenant_does_not() {
    let server = TestServer::new();
    let elsewhere = TestServer {
        clock: server.clock.clone(),
        store: server.store.clone(),
        engine: Engine::new(server.store.clone(), Arc::new(PermitAll), Settings::default()),
    };
    server.put("CodeSystem/tree", &tree(&["a"])).unwrap();
    server.put("ValueSet/all", ALL).unwrap();
    assert_eq!(expanded(&elsewhere, elsewhere.session()).unwrap(), ["a"]);
    server.put("CodeSystem/tree", &tree(&["b"])).unwrap();
    assert_eq!(expanded(&elsewhere, elsewhere.session()).unwrap(), ["b"]);
    let mut context = server.context();
    context.tenant = TenantId(7);
    let other = expanded(&server, server.engine.session(context));
    assert_eq!(other.unwrap_err().code, ErrorCode::NotFound);
}

#[test]
fn searches_know_what_is_stored_also_by_its_id_and_within_a_batch() {
    let server = TestServer::new();
    let seen = |id: &str, code: &str| {
        let text = json!({"resourceType": "Observation", "id": id, "status": "final", "code": {"coding":
            [{"system": "http://example.org/tree", "code": code}]}});
        server
            .put(&format!("Observation/{id}"), &text.to_string())
            .unwrap();
    };
    seen("1", "a");
    seen("2", "x");
    server
        .put(
            "ValueSet/all",
            &ALL.replace(r#""url":"http://example.org/vs/all","#, ""),
        )
        .unwrap();
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"request": {"method": "GET", "url": "Observation?code:in=ValueSet/all"}},
        {"request": {"method": "PUT", "url": "CodeSystem/tree"}, "resource": serde_json::from_str::<Value>(&tree(&["a"])).unwrap()}]});
    let answer = json(&server.bundle(&batch).unwrap());
    assert_eq!(answer["entry"][0]["resource"]["total"], 1, "{answer}");
    for by in ["ValueSet/all", "http://localhost/fhir/ValueSet/all"] {
        let found = server.json(&format!("Observation?code:not-in={by}"));
        assert_eq!(found["entry"][0]["resource"]["id"], "2", "{by}");
    }
    server.delete("ValueSet/all").unwrap();
    assert_eq!(told(server.get("Observation?code:in=ValueSet/all")).0, 400);
}

#[test]
fn a_profile_that_is_stored_is_asked_by_validate() {
    let server = TestServer::new();
    let check = || {
        let answer = server
            .post("Patient/$validate?profile=http://example.org/born", PATIENT)
            .unwrap();
        json(&answer)["issue"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|i| i["severity"] == "error")
            .count()
    };
    server.put("StructureDefinition/born", PROFILE).unwrap();
    assert_eq!(check(), 1);
    server
        .put(
            "StructureDefinition/born",
            &PROFILE.replace(r#""min":1"#, r#""max":"0""#),
        )
        .unwrap();
    assert_eq!(check(), 0);
}

#[test]
fn answers_are_held_against_a_form_that_is_stored_as_it_is_now() {
    let server = TestServer::new();
    let form = |kind: &str| {
        json!({"resourceType": "Questionnaire", "id": "f", "url": "http://example.org/form", "status": "active",
            "item": [{"linkId": "1", "type": kind}]})
        .to_string()
    };
    let answers = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "http://example.org/form",
        "item": [{"linkId": "1", "answer": [{"valueString": "s"}]}]})
    .to_string();
    let now = || {
        let told = server.post("QuestionnaireResponse/$validate", &answers).unwrap();
        json(&told).to_string()
    };
    assert!(now().contains("is not known here"));
    server.put("Questionnaire/f", &form("integer")).unwrap();
    assert!(now().contains("the item takes integer"));
    server.put("Questionnaire/f", &form("string")).unwrap();
    assert!(!now().contains("the item takes") && !now().contains("is not known here"));
    server.delete("Questionnaire/f").unwrap();
    assert!(now().contains("is not known here"));
}

#[test]
fn a_definition_that_cannot_be_asked_is_told_of_with_its_place() {
    let server = TestServer::new();
    let mut profile: Value = PROFILE.parse().unwrap();
    profile["differential"]["element"][0]["constraint"] =
        json!([{"key": "a-1", "severity": "error", "human": "h", "expression": "birthDate >"}]);
    let place = "StructureDefinition.differential.element[0].constraint[0].expression";
    let told = server
        .post("StructureDefinition/$validate", &profile.to_string())
        .unwrap();
    let told = json(&told).to_string();
    assert!(told.contains(place) && told.contains("cannot be asked"), "{told}");
    profile["baseDefinition"] = json!("http://hl7.org/fhir/StructureDefinition/None");
    let told = json(
        &server
            .post("StructureDefinition/$validate", &profile.to_string())
            .unwrap(),
    )
    .to_string();
    assert!(told.contains("is not known here"), "{told}");
}

#[test]
fn a_definition_that_cannot_be_used_keeps_nothing_else_from_being_used() {
    let server = TestServer::new();
    let circle = |id: &str, other: &str| {
        json!({"resourceType": "ValueSet", "id": id, "url": format!("http://example.org/vs/{id}"), "status": "active",
            "compose": {"include": [{"valueSet": [format!("http://example.org/vs/{other}")]}]}})
        .to_string()
    };
    server.put("ValueSet/x", &circle("x", "y")).unwrap();
    server.put("ValueSet/y", &circle("y", "x")).unwrap();
    server
        .put(
            "StructureDefinition/born",
            &PROFILE.replace("StructureDefinition/Patient", "StructureDefinition/None"),
        )
        .unwrap();
    server.put("ValueSet/all", ALL).unwrap();
    server.put("CodeSystem/tree", &tree(&["a"])).unwrap();
    assert_eq!(
        told(server.get("ValueSet/$expand?url=http://example.org/vs/x")).0,
        422
    );
    assert_eq!(expanded(&server, server.session()).unwrap(), ["a"]);
    assert_eq!(server.post("Patient/$validate", PATIENT).unwrap().status, 200);
}

#[test]
fn what_is_built_in_is_found_by_its_url_and_read_by_its_id() {
    let server = TestServer::new();
    for url in [
        "StructureDefinition?url=http://hl7.org/fhir/StructureDefinition/Patient",
        "StructureDefinition?url=https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient",
        "ValueSet?url=http://hl7.org/fhir/ValueSet/administrative-gender&version=4.0.1",
        "CodeSystem?url=http://terminology.hl7.org/CodeSystem/v3-RoleCode",
        "ConceptMap?url=http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v3",
        "SearchParameter?url=http://hl7.org/fhir/SearchParameter/individual-birthdate",
        "OperationDefinition?url=http://hl7.org/fhir/OperationDefinition/Resource-validate&version=4.0.1",
    ] {
        let bundle = server.json(url);
        let (found, total) = (&bundle["entry"][0]["resource"], &bundle["total"]);
        assert_eq!(total, 1, "{url}");
        assert_eq!(found["meta"]["tag"][0]["code"], "urn:fhir-server:built-in");
        assert!(url.contains(found["url"].as_str().unwrap()), "{url}");
        let (of, id) = (
            found["resourceType"].as_str().unwrap(),
            found["id"].as_str().unwrap(),
        );
        let resource = fhir_model::json::from_slice(found.to_string().as_bytes());
        assert!(resource.is_ok(), "{url}: {:?}", resource.err());
        assert_eq!(&server.json(&format!("{of}/{id}")), found);
        let refused = told(server.put(&format!("{of}/{id}"), &found.to_string()));
        assert_eq!(refused.0, 405, "{url}");
    }
    let expanded = server.json("ValueSet?url=http://hl7.org/fhir/ValueSet/administrative-gender");
    let id = expanded["entry"][0]["resource"]["id"].as_str().unwrap();
    assert_eq!(
        server.json(&format!("ValueSet/{id}/$expand"))["expansion"]["total"],
        4
    );
}

#[test]
fn what_is_built_in_is_in_no_other_search_and_gives_way_to_a_definition_of_ones_own() {
    let server = TestServer::new();
    let url = "http://hl7.org/fhir/ValueSet/administrative-gender";
    for query in [
        "ValueSet",
        "ValueSet?status=active",
        "ValueSet?url:below=http://hl7.org/fhir",
        "ValueSet?url=http://none",
        "SearchParameter",
        "SearchParameter?code=birthdate",
        "SearchParameter?url=http://hl7.org/fhir/OperationDefinition/Resource-validate",
        "SearchParameter?url=http://hl7.org/fhir/SearchParameter/individual-birthdate&version=5.0.0",
        "OperationDefinition?code=validate",
    ] {
        assert_eq!(server.json(query)["total"], 0, "{query}");
    }
    assert_eq!(
        server.json(&format!("ValueSet?url={url}&status=active"))["total"],
        0
    );
    assert_eq!(
        server.json(&format!("Patient?_id=built-in-{}", "0".repeat(24)))["total"],
        0
    );
    assert_eq!(
        told(server.get(&format!("ValueSet/built-in-{}", "0".repeat(24)))).0,
        404
    );
    let own = json!({"resourceType": "ValueSet", "id": "own", "url": url, "status": "draft",
        "compose": {"include": [{"system": "http://hl7.org/fhir/administrative-gender", "concept": [{"code": "other"}]}]}});
    server.put("ValueSet/own", &own.to_string()).unwrap();
    let found = server.json(&format!("ValueSet?url={url}"));
    assert_eq!(
        (&found["total"], &found["entry"][0]["resource"]["id"]),
        (&json!(1), &json!("own"))
    );
    assert_eq!(
        server.json(&format!("ValueSet/$expand?url={url}"))["expansion"]["total"],
        1
    );
}
