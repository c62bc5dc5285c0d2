//! The scenarios of the design by their numbers: that what is hidden is told by no parameter, link, operation or error.

use serde_json::{Value, json};

use super::setting::*;
use super::*;

/// Conditions with that code are denied to all.
fn hiv_denied() -> Value {
    let denied = json!({"type": "deny", "code": [{"coding": [{"system": SNOMED, "code": HIV}]}]});
    consent("OPTIN", json!({"provision": [denied]}))
}

fn onset(mut condition: Value, date: &str) -> Value {
    condition["onsetDateTime"] = json!(date);
    condition
}

/// An answer of JSON, a resource or not.
fn value(response: &Response) -> Value {
    match &response.payload {
        Payload::PlainJson(json) => serde_json::from_slice(json).unwrap(),
        _ => json(response),
    }
}

/// Three conditions of a patient, of which the one in the middle is hidden.
fn three() -> World {
    World::new(&[
        onset(condition("a", "p1", "1"), "2020-01-01"),
        onset(condition("h", "p1", HIV), "2021-01-01"),
        onset(condition("z", "p1", "2"), "2022-01-01"),
        hiv_denied(),
    ])
}

#[test]
fn con_32_an_order_is_that_of_what_is_seen() {
    let world = three();
    let ruled = world.ruled();
    let order = |url: &str| -> Vec<String> {
        let bundle = json(&ruled.get_as(&dr_a(), url).unwrap());
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .map(|e| e["resource"]["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(order("Condition?_sort=onset-date"), ["a", "z"]);
    assert_eq!(order("Condition?_sort=-onset-date"), ["z", "a"]);
    let restricted = World::new(&[labelled(patient("p1"), CONFIDENTIALITY, "R")]);
    let ruled = restricted.ruled();
    // By an element that is masked, the patient stands with those who have none.
    let bundle = json(
        &ruled
            .get_as(&dr_a(), "Patient?_sort=address-postalcode&_id=p1,p2")
            .unwrap(),
    );
    assert_eq!(bundle["entry"][0]["resource"]["id"], "p2");
    assert_eq!(bundle["entry"][1]["resource"]["id"], "p1");
}

#[test]
fn con_33_chains_do_not_match_through_what_is_hidden() {
    let encounter = |id: &str, patient: &str| {
        json!({"resourceType": "Encounter", "id": id, "status": "planned", "class": {"system": ACT_CODE, "code": "AMB"},
            "subject": of(patient)})
    };
    let diagnosed = |mut encounter: Value, condition: &str| {
        encounter["reasonReference"] = json!([{"reference": format!("Condition/{condition}")}]);
        encounter
    };
    let world = World::new(&[
        labelled(patient("p1"), CONFIDENTIALITY, "R"),
        diagnosed(encounter("e1", "p1"), "h"),
        diagnosed(encounter("e2", "p2"), "o"),
        condition("h", "p1", HIV),
        condition("o", "p2", HIV),
        hiv_denied(),
    ]);
    assert_eq!(
        world.ids(&dr_a(), "Encounter?subject:Patient.address-postalcode=ZZ99%201AA"),
        ["e2"]
    );
    assert_eq!(
        world.ids(&dr_a(), "Encounter?subject:Patient.family=Hale"),
        ["e1", "e2"]
    );
    let reason = format!("Encounter?reason-reference:Condition.code={HIV}");
    assert_eq!(world.ids(&dr_a(), &reason), ["e2"]);
}

#[test]
fn con_36_what_is_added_is_what_may_be_seen() {
    let mut encounter = json!({"resourceType": "Encounter", "id": "e", "status": "planned", "class": {"system": ACT_CODE, "code": "AMB"},
        "subject": of("p1")});
    encounter["reasonReference"] = json!([{"reference": "Condition/h"}, {"reference": "Condition/a"}]);
    let world = World::new(&[
        condition("h", "p1", HIV),
        condition("a", "p1", "1"),
        encounter,
        hiv_denied(),
    ]);
    assert_eq!(
        world.ids(&dr_a(), "Encounter?_include=Encounter:reason-reference"),
        ["a", "e"]
    );
    assert_eq!(
        world.ids(&dr_a(), "Patient?_id=p1&_revinclude=Condition:patient"),
        ["a", "p1"]
    );
    assert_eq!(
        world.ids(
            &dr_a(),
            "Patient?_id=p1&_revinclude=Encounter:patient&_include:iterate=Encounter:reason-reference"
        ),
        ["a", "e", "p1"]
    );
}

#[test]
fn con_39_words_filters_and_negations_see_what_is_seen() {
    let world = three();
    for (url, found) in [
        ("Condition?code:not=1", &["z"][..]),
        ("Condition?code:missing=false", &["a", "z"]),
        ("Condition?onset-date:missing=true", &[]),
        ("Condition?_filter=onset-date gt 2020-06-01", &["z"]),
        ("Condition?_filter=not (onset-date lt 2020-06-01)", &["z"]),
        ("Condition?code:text=x", &[]),
    ] {
        assert_eq!(world.ids(&dr_a(), &url.replace(' ', "%20")), found, "{url}");
    }
    let restricted = World::new(&[labelled(patient("p1"), CONFIDENTIALITY, "R")]);
    for (url, found) in [
        ("Patient?_id=p1,p2&address-postalcode:missing=true", &["p1"][..]),
        ("Patient?_id=p1,p2&address-postalcode:missing=false", &["p2"]),
        ("Patient?_id=p1,p2&address:contains=1AA", &["p2"]),
    ] {
        assert_eq!(restricted.ids(&dr_a(), url), found, "{url}");
    }
}

#[test]
fn con_40_lists_and_groups_are_filtered() {
    let list = |members: &[&str]| {
        let entries: Vec<Value> = members
            .iter()
            .map(|m| json!({"item": {"reference": m}}))
            .collect();
        json!({"resourceType": "List", "id": "l", "status": "current", "mode": "working", "subject": of("p1"), "entry": entries})
    };
    let world = three();
    world.put(&list(&["Condition/a", "Condition/h"]));
    assert_eq!(world.ids(&dr_a(), "Condition?_list=l"), ["a"]);
    let group = json!({"resourceType": "Group", "id": "g", "type": "person", "actual": true,
        "member": [{"entity": of("p1")}, {"entity": of("p2")}]});
    world.put(&group);
    world.put(&consent("OPTOUT", json!({})));
    // A group with a member whose record is hidden is hidden itself.
    assert_eq!(world.ids(&dr_a(), "Group?member=Patient/p2"), [] as [&str; 0]);
    assert_eq!(world.ids(&dr_a(), "Condition?_list=l"), [] as [&str; 0]);
}

#[test]
fn con_44_operations_on_the_record_give_what_is_seen() {
    let world = three();
    world.put(&observation("o1", "p1", "1"));
    world.put(&observation("o2", "p1", HIV));
    let everything = world.ids(&dr_a(), "Patient/p1/$everything?_type=Condition,Observation");
    assert_eq!(everything, ["a", "o1", "z"]);
    assert_eq!(
        world.ids(&dr_a(), "Observation/$lastn?patient=p1&code=1,86406008"),
        ["o1"]
    );
    assert_eq!(world.status(&dr_b(), "Patient/p1/$everything"), 404);
}

#[test]
fn con_47_graphql_sees_no_more() {
    let world = three();
    let query = "{ConditionList{id} Patient(id:\"p1\"){id ConditionList(_reference: patient){id}}}";
    let encoded: String = query.bytes().map(|b| format!("%{b:02X}")).collect();
    let told = value(
        &world
            .ruled()
            .get_as(&dr_a(), &format!("$graphql?query={encoded}"))
            .unwrap(),
    );
    let ids = |list: &Value| -> Vec<String> {
        let all = list.as_array().unwrap().iter();
        let mut ids: Vec<String> = all.map(|r| r["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&told["data"]["ConditionList"]), ["a", "z"], "{told}");
    assert_eq!(
        ids(&told["data"]["Patient"]["ConditionList"]),
        ["a", "z"],
        "{told}"
    );
}

#[test]
fn con_50_and_57_a_reference_to_what_is_hidden_tells_nothing() {
    let world = three();
    let ruled = world.ruled();
    let referring = |id: &str| {
        let mut encounter = json!({"resourceType": "Encounter", "status": "planned", "class": {"system": ACT_CODE, "code": "AMB"},
            "subject": of("p1")});
        encounter["reasonReference"] = json!([{"reference": format!("Condition/{id}")}]);
        with_body(request("POST", "Encounter"), &encounter.to_string())
    };
    let (hidden, missing) = (
        ruled.send_as(&dr_a(), &referring("h")).unwrap(),
        ruled.send_as(&dr_a(), &referring("x")).unwrap(),
    );
    assert_eq!((hidden.status, missing.status), (201, 201));
    let refused = |url: &str| {
        let error = ruled.get_as(&dr_a(), url).unwrap_err();
        format!("{:?} {:?}", error.code, error.issues)
    };
    for (hidden, missing) in [
        ("Condition/h", "Condition/x"),
        ("Condition/h/_history", "Condition/x/_history"),
        ("Condition/h/_history/1", "Condition/x/_history/1"),
        ("Condition/h/$validate", "Condition/x/$validate"),
        ("Condition/h/$meta", "Condition/x/$meta"),
    ] {
        assert_eq!(
            refused(hidden).replace("Condition/h", "Condition/x"),
            refused(missing),
            "{hidden}"
        );
    }
}

#[test]
fn con_55_a_patch_tests_what_is_seen() {
    let world = World::new(&[labelled(patient("p1"), CONFIDENTIALITY, "R")]);
    let ruled = world.ruled();
    let answer = |postcode: &str| {
        let patch = json!([{"op": "test", "path": "/address/0/postalCode", "value": postcode}]);
        let mut sent = request("PATCH", "Patient/p1");
        sent.body = Some(RequestBody::Patch(
            crate::interaction::PatchForm::Json,
            patch.to_string().into_bytes().into(),
        ));
        let error = ruled.send_as(&dr_a(), &sent).unwrap_err();
        format!("{:?} {:?}", error.code, error.issues)
    };
    // Right or wrong, the answer is the same.
    assert_eq!(answer("ZZ99 1AA"), answer("ZZ99 9ZZ"));
}

#[test]
fn con_70_a_consent_is_seen_by_whom_it_is_about_and_by_who_looks_after_her() {
    let world = World::new(&[consent("OPTIN", json!({})), condition("a", "p1", "1")]);
    for (who, seen) in [
        (patient_herself("p1"), 200),
        (patient_herself("p2"), 404),
        (dr_a(), 200),
        (dr_b(), 404),
    ] {
        assert_eq!(world.status(&who, "Consent/c1"), seen, "{}", who.name);
    }
    world.put(&consent("OPTOUT", json!({})));
    assert_eq!(world.status(&research(), "Consent/c1"), 404);
    assert_eq!(world.status(&patient_herself("p1"), "Consent/c1"), 200);
    // One that is sealed is not there for others.
    let sealed = labelled(consent("OPTIN", json!({})), CONFIDENTIALITY, "V");
    world.put(&sealed);
    assert_eq!(world.status(&dr_a(), "Consent/c1"), 404);
    assert_eq!(world.status(&patient_herself("p1"), "Consent/c1"), 200);
}

#[test]
fn con_70_a_sealed_consent_is_in_force_and_told_of_to_nobody_from_whom_it_is_hidden() {
    let denies = json!({"type": "deny", "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Condition"}]});
    let sealed = labelled(
        consent("OPTIN", json!({"provision": [denies]})),
        CONFIDENTIALITY,
        "V",
    );
    let open = with(consent("OPTIN", json!({})), "/id", json!("c2"));
    let world = World::new(&[
        condition("a", "p1", "1"),
        condition("b", "p2", "1"),
        labelled(observation("locked", "p1", "1"), CONFIDENTIALITY, "V"),
        labelled(condition("withheld", "p1", "1"), ACT_CODE, "PHY"),
        sealed,
        open,
    ]);
    assert_eq!(
        world.status(&dr_a(), "Condition/a"),
        404,
        "it is enforced all the same"
    );
    assert_eq!(world.status(&dr_a(), "Condition/b"), 200);
    // To who looks after her it is as if it had never been.
    let ruled = world.ruled();
    let refused = |url: &str| {
        let error = ruled.get_as(&dr_a(), url).unwrap_err();
        format!("{:?} {:?}", error.code, error.issues)
    };
    for (hidden, never) in [
        ("Consent/c1", "Consent/c9"),
        ("Consent/c1/_history", "Consent/c9/_history"),
        ("Consent/c1/_history/1", "Consent/c9/_history/1"),
    ] {
        assert_eq!(refused(hidden).replace("c1", "c9"), refused(never), "{hidden}");
    }
    assert_eq!(world.ids(&dr_a(), "Consent?patient=Patient/p1"), ["c2"]);
    let counted = json(
        &ruled
            .get_as(&dr_a(), "Consent?patient=Patient/p1&_summary=count")
            .unwrap(),
    );
    assert_eq!(counted["total"], 1);

    // Nor does `$check` tell of it, or of data that is sealed from who asks.
    let guardian = clinician("dr-b", "Y02").with_role("information-governance");
    let trusted = guardian.clone().with_role("very-restricted-access");
    let ask = |who: &Principal, about: &str| {
        let arguments = format!("patient=Patient/p1&actor=Practitioner/dr-a&{about}");
        super::templates::check(&ruled, who, &arguments)
            .map_err(|error| format!("{:?} {:?}", error.code, error.issues))
    };
    let none = ask(&guardian, "resource=Observation/none").unwrap_err();
    for about in ["resource=Observation/locked", "type=Observation"] {
        assert_eq!(ask(&guardian, about).unwrap_err(), none, "{about}");
        assert_eq!(ask(&trusted, about).unwrap()["decision"], "deny", "{about}");
    }
    let herself = patient_herself("p1");
    let withheld = ask(&herself, "resource=Condition/withheld").unwrap_err();
    assert_eq!(withheld, none);
    assert_eq!(
        ask(&guardian, "resource=Condition/withheld").unwrap()["decision"],
        "deny"
    );
    let told = ask(&guardian, "resource=Condition/a").unwrap();
    assert_eq!((&told["decision"], told.get("consent")), (&json!("deny"), None));
    assert_eq!(told.get("provision"), None);
    let sentence = told["sentence"].as_str().unwrap();
    assert!(
        sentence.contains("not shown to you") && !sentence.contains("c1"),
        "{sentence}"
    );
    for who in [herself, trusted] {
        let told = ask(&who, "resource=Condition/a").unwrap();
        assert_eq!(
            (&told["consent"], &told["provision"]),
            (&json!("Consent/c1"), &json!("Consent.provision.provision[0]")),
            "{}",
            who.name
        );
    }
}

#[test]
fn con_73_what_the_server_offers_does_not_depend_on_what_is_stored() {
    let (empty, full) = (World::new(&[]), three());
    let told = |world: &World, url: &str| {
        let mut told = value(&world.ruled().get_as(&dr_a(), url).unwrap());
        for varies in ["date", "id", "meta"] {
            told.as_object_mut().unwrap().remove(varies);
        }
        told
    };
    for url in ["metadata", "$openapi", "Condition/$openapi"] {
        assert_eq!(told(&empty, url), told(&full, url), "{url}");
    }
}

#[test]
fn con_77_an_answer_is_no_other_callers() {
    let world = three();
    let ruled = world.ruled();
    let url = "Condition?_sort=onset-date";
    for _ in 0..2 {
        assert_eq!(ids(&ruled.get_as(&dr_a(), url).unwrap()), ["a", "z"]);
        assert_eq!(ids(&ruled.get_as(&dr_b(), url).unwrap()), [] as [&str; 0]);
        assert_eq!(
            ids(&ruled.get_as(&patient_herself("p1"), url).unwrap()),
            ["a", "h", "z"]
        );
    }
    // A link of one caller shows another what the other may see.
    let first = json(
        &ruled
            .get_as(&patient_herself("p1"), "Condition?_count=1")
            .unwrap(),
    );
    let links = first["link"].as_array().unwrap();
    let next = links.iter().find(|l| l["relation"] == "next").unwrap()["url"]
        .as_str()
        .unwrap();
    let next = next.trim_start_matches(BASE).trim_start_matches('/');
    match ruled.get_as(&dr_b(), next) {
        Ok(page) => assert_eq!(ids(&page), [] as [&str; 0]),
        Err(error) => assert_eq!(error.code.facts().status, 400),
    }
}

#[test]
fn con_71_content_is_seen_by_who_sees_what_it_belongs_to() {
    let binary = |id: &str, context: Option<&str>| {
        let mut binary =
            json!({"resourceType": "Binary", "id": id, "contentType": "text/plain", "data": "eA=="});
        if let Some(context) = context {
            binary["securityContext"] = json!({"reference": context});
        }
        binary
    };
    let document = |id: &str, patient: &str, binary: &str| {
        json!({"resourceType": "DocumentReference", "id": id, "status": "current", "subject": of(patient),
            "content": [{"attachment": {"url": format!("Binary/{binary}")}}]})
    };
    let secret = labelled(document("secret", "p1", "of-secret"), CONFIDENTIALITY, "R");
    let world = World::new(&[
        binary("of-patient", Some("Patient/p1")),
        document("d", "p1", "carried"),
        binary("carried", None),
        binary("of-document", Some("DocumentReference/d")),
        binary("of-secret", None),
        secret,
        binary("of-secret-context", Some("DocumentReference/secret")),
        binary("of-nothing", None),
        binary("of-elsewhere", Some("DocumentReference/none")),
    ]);
    let all = [
        "DocumentReference/d",
        "Binary/of-patient",
        "Binary/carried",
        "Binary/of-document",
        "DocumentReference/secret",
        "Binary/of-secret",
        "Binary/of-secret-context",
        "Binary/of-nothing",
        "Binary/of-elsewhere",
    ];
    let seen = |who: &Principal| world.seen(who, &all);
    // DrB has nothing to do with p1, and DrA sees no document that is restricted, nor its content.
    assert_eq!(seen(&dr_a()), all[..4]);
    assert_eq!(seen(&dr_b()), [] as [&str; 0]);
    assert_eq!(seen(&patient_herself("p1")), all[..7]);
    assert_eq!(seen(&patient_herself("p2")), [] as [&str; 0]);
    assert_eq!(seen(&dr_a().with_role("restricted-access")), all[..7]);
    for who in [dr_a(), dr_b()] {
        for name in ["Binary/of-secret", "Binary/of-secret-context"] {
            for url in [
                name.to_owned(),
                format!("{name}/_history"),
                format!("{name}/_history/1"),
            ] {
                assert_eq!(world.status(&who, &url), 404, "{} {url}", who.name);
            }
        }
    }
    // Whoever carries it as well opens nothing by that, and closes it to none but those who see the other alone.
    world.put(&document("other", "p2", "of-secret"));
    assert_eq!(world.status(&patient_herself("p2"), "Binary/of-secret"), 404);
    assert_eq!(world.status(&dr_a(), "Binary/of-secret"), 404);
    world.put(&consent("OPTOUT", json!({})));
    assert_eq!(seen(&dr_a()), [] as [&str; 0]);
    assert_eq!(world.status(&patient_herself("p1"), "Binary/carried"), 200);
}
