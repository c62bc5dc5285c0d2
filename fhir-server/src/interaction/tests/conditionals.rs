//! Conditional create, update and delete, and conditional references.

use serde_json::json;

use super::record::record;
use super::*;

const NEW: &str = r#"{"resourceType":"Patient","identifier":[{"system":"urn:nhs","value":"999"}]}"#;

fn create_if(server: &TestServer, body: &str, condition: &str) -> Result<Response, Error> {
    let mut create = with_body(request("POST", "Patient"), body);
    create.if_none_exist = Some(condition.to_owned());
    server.send(&create)
}

#[test]
fn a_conditional_create_creates_once() {
    let server = record();
    let first = create_if(&server, NEW, "identifier=urn:nhs|999").unwrap();
    let again = create_if(&server, NEW, "identifier=urn:nhs%7C999").unwrap();
    let other = create_if(&server, NEW, "Patient?identifier=urn:nhs|999").unwrap();
    assert_eq!((first.status, again.status, other.status), (201, 200, 200));
    assert_eq!(
        (&first.location, &first.location),
        (&again.location, &other.location)
    );
    assert_eq!(json(&again)["id"], json(&first)["id"]);
    assert_eq!(told(create_if(&server, NEW, "name:missing=false")).0, 412);
}

#[test]
fn a_condition_must_be_understood_whole() {
    let server = record();
    let before = server.versions();
    for condition in [
        "nmae=x",
        "identifier=",
        "",
        "identifier=urn:nhs|1&_count=1",
        "_text=x",
        "identifier=%zz",
        "Group?identifier=1",
        "name:not=x",
    ] {
        assert_eq!(told(create_if(&server, NEW, condition)).0, 400, "{condition}");
    }
    for url in ["Patient?nmae=x", "Patient?identifier=", "Patient"] {
        assert_eq!(told(server.put(url, NEW)).0, 400, "{url}");
        assert_eq!(told(server.delete(url)).0, 400, "{url}");
    }
    assert_eq!(server.versions(), before);
}

#[test]
fn a_conditional_update_follows_from_the_number_of_matches() {
    let server = record();
    let created = server.put("Patient?identifier=urn:nhs|999", NEW).unwrap();
    assert_eq!(created.status, 201);
    let id = json(&created)["id"].as_str().unwrap().to_owned();
    let with = |id: &str, more: &str| {
        format!(
            r#"{{"resourceType":"Patient","id":"{id}","identifier":[{{"system":"urn:nhs","value":"999"}}]{more}}}"#
        )
    };
    let updated = server
        .put("Patient?identifier=urn:nhs|999", &with(&id, r#","active":true"#))
        .unwrap();
    assert_eq!((updated.status, updated.version), (200, Some(2)));
    let without_id = NEW.replace("\"identifier\"", "\"active\":false,\"identifier\"");
    let updated = server.put("Patient?identifier=urn:nhs|999", &without_id).unwrap();
    assert_eq!((updated.status, updated.version), (200, Some(3)));
    assert_eq!(json(&updated)["id"], id);
    assert_eq!(
        told(server.put("Patient?identifier=urn:nhs|999", &with("other", ""))).0,
        400
    );
    assert_eq!(told(server.put("Patient?name:missing=false", NEW)).0, 412);
    let named = server
        .put("Patient?identifier=urn:nhs|888", &with("chosen", ""))
        .unwrap();
    assert_eq!((named.status, json(&named)["id"].as_str()), (201, Some("chosen")));
    assert_eq!(
        told(server.put("Patient?identifier=urn:nhs|777", &with("ann", ""))).0,
        409
    );
}

#[test]
fn a_conditional_delete_deletes_one_or_as_many_as_configured() {
    let server = record();
    assert_eq!(
        server.delete("Patient?identifier=urn:nhs|000").unwrap().status,
        204
    );
    assert_eq!(
        server.delete("Patient?identifier=urn:nhs|111").unwrap().status,
        204
    );
    assert_eq!(told(server.get("Patient/ann")).0, 410);
    assert_eq!(told(server.delete("Observation?status=final")).0, 412);
    let server = TestServer::with(|settings| {
        settings.update_as_create = true;
        settings.conditional_delete_max = 3;
    });
    super::record::fill(&server);
    assert_eq!(server.delete("Observation?status=final").unwrap().status, 204);
    assert_eq!(server.json("Observation")["total"], 0);
}

#[test]
fn a_transaction_resolves_its_conditions_and_conditional_references() {
    let server = record();
    let patient: Value = serde_json::from_str(NEW).unwrap();
    let entry = |method: &str, url: &str, more: Value, resource: Value| {
        let mut request = json!({"method": method, "url": url});
        request
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"fullUrl": format!("urn:uuid:{method}-{url}").replace(['?', '|', '=', ':'], "-").replacen("urn-uuid-", "urn:uuid:", 1),
            "request": request, "resource": resource})
    };
    let about = |reference: &str| json!({"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": reference}});
    let mut existing = entry(
        "POST",
        "Patient",
        json!({"ifNoneExist": "identifier=urn:nhs|111"}),
        patient.clone(),
    );
    existing["fullUrl"] = json!("urn:uuid:a");
    let mut fresh = entry(
        "POST",
        "Patient",
        json!({"ifNoneExist": "identifier=urn:nhs|999"}),
        patient.clone(),
    );
    fresh["fullUrl"] = json!("urn:uuid:b");
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        existing, fresh,
        entry("PUT", "Patient?identifier=urn:nhs|222", json!({}), json!({"resourceType": "Patient", "gender": "other"})),
        {"request": {"method": "DELETE", "url": "List?_id=mine"}},
        {"request": {"method": "DELETE", "url": "List?_id=none"}},
        entry("POST", "Basic", json!({}), about("urn:uuid:a")),
        {"request": {"method": "POST", "url": "Basic"}, "resource": about("urn:uuid:b")},
        {"request": {"method": "POST", "url": "Basic"}, "resource": about("Patient?identifier=urn:nhs|222")},
    ]});
    let answer = json(&server.bundle(&bundle).unwrap());
    let statuses: Vec<&str> = answer["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["response"]["status"].as_str().unwrap()[..3])
        .collect();
    assert_eq!(statuses, ["200", "201", "200", "204", "204", "201", "201", "201"]);
    let subject = |place: usize| {
        let location = answer["entry"][place]["response"]["location"].as_str().unwrap();
        let at = location.split("/_history").next().unwrap().to_owned();
        let key: Vec<&str> = at.rsplit('/').take(2).collect();
        server.json(&format!("{}/{}", key[1], key[0]))["subject"]["reference"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(subject(5), "Patient/ann");
    assert!(subject(6).starts_with("Patient/id-"));
    assert_eq!(subject(7), "Patient/bob");
    assert_eq!(server.json("Patient/bob")["gender"], "other");
}

#[test]
fn a_transaction_fails_whole_where_a_condition_does() {
    let server = record();
    let before = server.versions();
    let basic = |reference: &str| {
        json!({"request": {"method": "POST", "url": "Basic"},
        "resource": {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": reference}}})
    };
    let create = json!({"request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:nhs|999"},
        "resource": {"resourceType": "Patient"}});
    for (entries, status) in [
        (
            json!([basic("Patient/x"), basic("Patient?identifier=urn:nhs|000")]),
            412,
        ),
        (json!([basic("Patient?name:missing=false")]), 412),
        (json!([basic("Patient?nmae=x")]), 400),
        (json!([create, create]), 400),
        (
            json!([{"request": {"method": "DELETE", "url": "Patient?name:missing=false"}}]),
            412,
        ),
    ] {
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
        assert_eq!(told(server.bundle(&bundle)).0, status, "{bundle}");
    }
    assert_eq!(server.versions(), before);
}

#[test]
fn of_many_that_create_on_the_same_condition_at_once_one_does() {
    let server = TestServer::new();
    for round in 0..5 {
        let condition = format!("identifier=urn:race|{round}");
        let body = format!(
            r#"{{"resourceType":"Patient","identifier":[{{"system":"urn:race","value":"{round}"}}]}}"#
        );
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let one = || {
                create_if(&server, &body, &condition)
                    .unwrap_or_else(|e| panic!("{e}"))
                    .status
            };
            let clients: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|s| **s == 201).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 7, "{statuses:?}");
        assert_eq!(server.json(&format!("Patient?{condition}"))["total"], 1);
    }
}
