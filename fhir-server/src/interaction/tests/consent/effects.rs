//! The scenarios of the design by their numbers: that what is decided holds in every way of asking. What waits for another feature stands in
//! [`PENDING`].

use serde_json::{Value, json};

use super::setting::*;
use super::*;
use crate::interaction::Level;

/// Scenarios that wait: their number, for what, and an operation, with its type, whose route says that it is there.
pub(super) const PENDING: &[(u32, &str, &str, &str)] = &[
    (20, "bulk export (the search is CON-20 here)", "export", "Patient"),
    (22, "measures", "evaluate-measure", "Measure"),
    (
        44,
        "documents ($everything and $lastn are CON-44 here)",
        "document",
        "Composition",
    ),
    (44, "summaries of a patient", "summary", "Patient"),
    (44, "statistics of observations", "stats", "Observation"),
    (45, "bulk export", "export", "Group"),
    (46, "delivery of subscriptions", "status", "Subscription"),
    (72, "measures", "evaluate-measure", "Measure"),
];

#[test]
fn con_28_29_and_43_a_consent_is_in_force_at_once() {
    let world = World::new(&[
        condition("a", "p1", "1"),
        condition("b", "p1", "1"),
        consent("OPTIN", json!({})),
    ]);
    let ruled = world.ruled();
    let first = ruled.get_as(&dr_a(), "Condition?_count=1").unwrap();
    let next = json(&first)["link"]
        .as_array()
        .unwrap()
        .iter()
        .find(|l| l["relation"] == "next")
        .unwrap()["url"]
        .as_str()
        .unwrap()
        .trim_start_matches(BASE)
        .trim_start_matches('/')
        .to_owned();
    world.put(&consent("OPTOUT", json!({})));
    assert_eq!(ids(&ruled.get_as(&dr_a(), &next).unwrap()), [] as [&str; 0]);
    assert_eq!(status(ruled.get_as(&dr_a(), "Condition/a")), 404);
    assert_eq!(status(ruled.get_as(&dr_a(), "Condition/a/_history/1")), 404);
    world.0.delete("Consent/c1").unwrap();
    assert_eq!(status(ruled.get_as(&dr_a(), "Condition/a")), 200);
}

#[test]
fn con_30_and_31_totals_and_pages_count_what_is_seen() {
    let denied = json!({"type": "deny", "code": [{"coding": [{"system": SNOMED, "code": HIV}]}]});
    let mut all = vec![consent("OPTIN", json!({"provision": [denied]}))];
    all.extend((0..10).map(|i| condition(&format!("k{i}"), "p1", if i % 3 == 0 { "1" } else { HIV })));
    let world = World::new(&all);
    let ruled = world.ruled();
    for url in [
        "Condition?patient=p1&_summary=count",
        "Condition?patient=p1&_total=accurate",
        "Condition?patient=p1&_total=estimate",
    ] {
        assert_eq!(json(&ruled.get_as(&dr_a(), url).unwrap())["total"], 4, "{url}");
    }
    let mut url = "Condition?patient=p1&_count=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = ruled.get_as(&dr_a(), &url).unwrap();
        pages.push(ids(&page).len());
        let page = json(&page);
        let links = page["link"].as_array().unwrap();
        match links.iter().find(|l| l["relation"] == "next") {
            Some(next) => {
                url = next["url"]
                    .as_str()
                    .unwrap()
                    .trim_start_matches(BASE)
                    .trim_start_matches('/')
                    .to_owned()
            }
            None => break,
        }
    }
    assert_eq!(pages, [2, 2]);
}

#[test]
fn con_34_and_35_what_is_hidden_is_no_oracle() {
    let denied = json!({"type": "deny", "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]});
    let mut value = observation("o", "p1", "1");
    value["valueQuantity"] = json!({"value": 42, "unit": "mg"});
    let secret = json!({"type": "deny", "code": [{"coding": [{"system": SNOMED, "code": HIV}]}]});
    let world = World::new(&[
        value,
        condition("h", "p1", HIV),
        condition("h2", "p2", HIV),
        consent("OPTIN", json!({"provision": [denied, secret]})),
    ]);
    assert_eq!(
        world.ids(&dr_a(), &format!("Patient?_has:Condition:patient:code={HIV}")),
        ["p2"]
    );
    for bound in ["gt0", "gt41", "gt42", "lt100", "42"] {
        let url = format!("Patient?_has:Observation:patient:value-quantity={bound}");
        assert_eq!(world.ids(&dr_a(), &url), [] as [&str; 0], "{bound}");
    }
}

#[test]
fn con_41_42_and_53_histories_and_deletions() {
    let world = World::new(&[
        labelled(observation("o", "p1", "1"), CONFIDENTIALITY, "N"),
        observation("gone", "p1", "1"),
        labelled(observation("hidden", "p1", "1"), CONFIDENTIALITY, "R"),
    ]);
    world.put(&labelled(observation("o", "p1", "1"), CONFIDENTIALITY, "R"));
    world.0.delete("Observation/gone").unwrap();
    world.0.delete("Observation/hidden").unwrap();
    for url in [
        "Observation/o",
        "Observation/o/_history",
        "Observation/o/_history/1",
        "Observation/hidden",
        "Observation/hidden/_history",
        "Observation/hidden/_history/1",
    ] {
        assert_eq!(world.status(&dr_a(), url), 404, "{url}");
    }
    assert_eq!(world.status(&dr_a(), "Observation/gone"), 410);
    assert_eq!(world.status(&dr_a(), "Observation/gone/_history/1"), 200);
    let cleared = dr_a().with_role("restricted-access");
    assert_eq!(world.status(&cleared, "Observation/o/_history/1"), 200);
    let history = json(&world.ruled().get_as(&dr_a(), "Observation/_history").unwrap());
    assert_eq!(history["total"], 2);
    let seen = history["entry"].as_array().unwrap();
    assert!(
        seen.iter()
            .all(|e| e["fullUrl"].as_str().unwrap().ends_with("/gone")),
        "{history}"
    );
    // A consent that takes the record away takes away what was deleted before, too.
    world.put(&consent("OPTOUT", json!({})));
    assert_eq!(world.status(&dr_a(), "Observation/gone"), 404);
    let history = json(&world.ruled().get_as(&dr_a(), "Observation/_history").unwrap());
    assert_eq!(history["total"], 0);
}

#[test]
fn a_restricted_patient_who_was_deleted_has_no_whereabouts_in_old_versions() {
    let mut restricted = labelled(patient("p1"), CONFIDENTIALITY, "R");
    restricted["address"] = json!([{"postalCode": "ZZ99 4QQ"}]);
    let world = World::new(&[restricted]);
    world.0.delete("Patient/p1").unwrap();
    let program = client("client-t", "X01", "TREAT");
    for url in ["Patient/p1/_history/1", "Patient/p1/_history", "Patient/_history"] {
        let answer = json(&world.ruled().get_as(&program, url).unwrap()).to_string();
        assert!(
            answer.contains("Hale") && !answer.contains("4QQ"),
            "{url}: {answer}"
        );
    }
}

#[test]
fn con_48_a_batch_answers_each_and_a_transaction_nothing() {
    let world = World::new(&[
        condition("a", "p1", "1"),
        condition("b", "p2", "1"),
        consent("OPTOUT", json!({})),
    ]);
    let ruled = world.ruled();
    let bundle = |kind: &str, entries: Value| {
        let request = Request::new(crate::interaction::Interaction::Transaction, BASE);
        let body = json!({"resourceType": "Bundle", "type": kind, "entry": entries});
        ruled.send_as(&dr_a(), &with_body(request, &body.to_string()))
    };
    let get = |url: &str| json!({"request": {"method": "GET", "url": url}});
    let answer = json(&bundle("batch", json!([get("Condition/a"), get("Condition/b")])).unwrap());
    let status = |i: usize| answer["entry"][i]["response"]["status"].as_str().unwrap()[..3].to_owned();
    assert_eq!((status(0), status(1)), ("404".to_owned(), "200".to_owned()));
    let put = |id: &str, patient: &str| json!({"resource": condition(id, patient, "2"), "request": {"method": "PUT", "url": format!("Condition/{id}")}});
    let before = world.0.versions();
    let refused = bundle("transaction", json!([put("b", "p2"), put("a", "p1")])).unwrap_err();
    assert_eq!(refused.code.facts().status, 404);
    assert_eq!(world.0.versions(), before);
}

#[test]
fn con_49_conditions_do_not_match_what_is_hidden() {
    let identified = |id: &str, patient: &str| {
        let mut condition = condition(id, patient, "1");
        condition["identifier"] = json!([{"system": "urn:x", "value": "1"}]);
        condition
    };
    let world = World::new(&[identified("a", "p1"), consent("OPTOUT", json!({}))]);
    let ruled = world.ruled();
    let mut create = with_body(request("POST", "Condition"), &identified("new", "p2").to_string());
    create.if_none_exist = Some("identifier=urn:x|1".into());
    assert_eq!(ruled.send_as(&dr_a(), &create).unwrap().status, 201);
    // Now one is seen, and matches; of the hidden one nothing tells.
    assert_eq!(ruled.send_as(&dr_a(), &create).unwrap().status, 200);
    let put = with_body(request("PUT", "Condition/a"), &identified("a", "p1").to_string());
    assert_eq!(status(ruled.send_as(&dr_a(), &put)), 404);
    let free = with_body(
        request("PUT", "Condition/free"),
        &identified("free", "p1").to_string(),
    );
    assert_eq!(status(ruled.send_as(&dr_a(), &free)), 404);
}

#[test]
fn con_58_to_60_restricted_patients_have_no_whereabouts() {
    let restricted = labelled(patient("p1"), CONFIDENTIALITY, "R");
    let world = World::new(&[restricted, observation("o", "p1", "1")]);
    let ruled = world.ruled();
    let seen = json(&ruled.get_as(&dr_a(), "Patient/p1").unwrap());
    for element in ["address", "telecom", "generalPractitioner"] {
        assert_eq!(seen[element], Value::Null, "{element}");
    }
    assert_eq!(seen["name"][0]["family"], "Hale");
    assert_eq!(seen["meta"]["tag"][0]["code"], "SUBSETTED");
    let found = |url: &str| world.ids(&dr_a(), url);
    assert_eq!(found("Patient?address-postalcode=ZZ99 1AA"), ["p2"]);
    assert_eq!(found("Patient?general-practitioner=Organization/org-y"), ["p2"]);
    assert_eq!(found("Patient?family=Hale&birthdate=1960-01-01"), ["p1", "p2"]);
    assert_eq!(found("Patient?address:missing=true"), ["p1"]);
    assert_eq!(found("Observation?patient.phone=01632960001"), [] as [&str; 0]);
    assert_eq!(
        found("Organization?_has:Patient:general-practitioner:_id=p1"),
        [] as [&str; 0]
    );
    assert_eq!(
        found("Patient?_id=p1&_include=Patient:general-practitioner"),
        ["p1"]
    );
    let cleared = dr_a().with_role("restricted-access");
    assert!(json(&ruled.get_as(&cleared, "Patient/p1").unwrap())["address"].is_array());
}

#[test]
fn con_54_a_masked_view_is_not_put_back() {
    let world = World::new(&[labelled(patient("p1"), CONFIDENTIALITY, "R")]);
    let ruled = world.ruled();
    let seen = text(&ruled.get_as(&dr_a(), "Patient/p1").unwrap());
    let mut put = with_body(request("PUT", "Patient/p1"), &seen);
    assert_eq!(status(ruled.send_as(&dr_a(), &put)), 412);
    put.if_match = versions(&["2"]);
    assert_eq!(status(ruled.send_as(&dr_a(), &put)), 412);
    let cleared = dr_a().with_role("restricted-access");
    assert!(json(&ruled.get_as(&cleared, "Patient/p1").unwrap())["address"].is_array());
    assert_eq!(ruled.send_as(&cleared, &put).unwrap().status, 200);
}

#[test]
fn con_52_masked_views_have_entity_tags_of_their_own() {
    let world = World::new(&[
        labelled(patient("p1"), CONFIDENTIALITY, "R"),
        consent("OPTIN", json!({})),
    ]);
    let ruled = world.ruled();
    let cleared = dr_a().with_role("restricted-access");
    let tag = |who: &Principal| ruled.get_as(who, "Patient/p1").unwrap().entity_tag().unwrap();
    assert_eq!(
        (tag(&cleared), tag(&dr_a())),
        ("W/\"2\"".to_owned(), "W/\"2-masked\"".to_owned())
    );
    let mut again = request("GET", "Patient/p1");
    again.if_none_match = versions(&["2"]);
    assert_eq!(ruled.send_as(&dr_a(), &again).unwrap().status, 200);
    again.if_none_match = versions(&["2-masked"]);
    assert_eq!(ruled.send_as(&dr_a(), &again).unwrap().status, 304);
    assert_eq!(status(ruled.send_as(&dr_b(), &again)), 404);
}

#[test]
fn con_63_a_claimed_relationship_opens_with_a_reason() {
    let world = World::new(&[condition("a", "p1", "1")]);
    let ruled = world.ruled();
    let asks = |reason: &str| {
        let context = ruled.context_of(&dr_b()).with_claimed_relationship(reason);
        status(ruled.send_in(ruled.engine.session(context), &request("GET", "Condition/a")))
    };
    assert_eq!((asks("she is in my clinic"), asks("  ")), (200, 404));
}

#[test]
fn con_64_a_relationship_ends() {
    let encounter = |end: &str| {
        json!({"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"system": ACT_CODE, "code": "AMB"},
            "subject": of("p1"), "participant": [{"individual": {"reference": "Practitioner/dr-b"}}],
            "period": {"start": "2020-01-01", "end": end}})
    };
    for (end, seen) in [("2026-11-01", 200), ("2026-10-01", 404)] {
        let world = World::new(&[condition("a", "p1", "1"), encounter(end)]);
        assert_eq!(world.status(&dr_b(), "Condition/a"), seen, "{end}");
    }
    let world = World::new(&[condition("a", "p1", "1")]);
    let team = |period: Value| {
        json!({"resourceType": "CareTeam", "id": "team-p1", "status": "active", "subject": of("p1"),
            "participant": [{"member": {"reference": "Practitioner/dr-a"}, "period": period}]})
    };
    world.put(&team(json!({"end": "2026-11-22"})));
    assert_eq!(world.status(&dr_a(), "Condition/a"), 404);
    world.put(&team(json!({"start": "2026-11-22"})));
    assert_eq!(world.status(&dr_a(), "Condition/a"), 200);
}

#[test]
fn con_66_and_67_proxies_and_patients() {
    let related = json!({"resourceType": "RelatedPerson", "id": "mum", "patient": of("p1")});
    let proxy = |end: &str| {
        let permit = json!({"type": "permit", "actor": named("RelatedPerson/mum"), "period": {"end": end}});
        consent("OPTOUT", json!({"provision": [permit]}))
    };
    let mum = Principal::new("mum", PrincipalKind::RelatedPerson)
        .with_fhir_user(key("RelatedPerson/mum"))
        .with_patient("p1");
    let all = [
        condition("a", "p1", "1"),
        condition("theirs", "p2", "1"),
        labelled(condition("sensitive", "p1", "1"), ACT_CODE, "SDV"),
        labelled(condition("withheld", "p1", "1"), ACT_CODE, "PHY"),
        related,
    ];
    let names = [
        "Condition/a",
        "Condition/theirs",
        "Condition/sensitive",
        "Condition/withheld",
    ];
    for (end, seen) in [("2030-01-01", &["Condition/a"][..]), ("2026-01-01", &[])] {
        let world = World::new(&all);
        world.put(&proxy(end));
        assert_eq!(world.seen(&mum, &names), seen, "{end}");
    }
    let world = World::new(&all);
    assert_eq!(world.seen(&mum, &names), [] as [&str; 0]);
    let herself = world.seen(&patient_herself("p1"), &names);
    assert_eq!(herself, ["Condition/a", "Condition/sensitive"]);
}

#[test]
fn con_58_and_66_who_acts_for_a_restricted_patient_is_told_neither_where_she_is_nor_what_is_sealed() {
    let mum = Principal::new("mum", PrincipalKind::RelatedPerson)
        .with_fhir_user(key("RelatedPerson/mum"))
        .with_patient("p1");
    let permit = json!({"type": "permit", "actor": named("RelatedPerson/mum")});
    let world = World::new(&[
        json!({"resourceType": "RelatedPerson", "id": "mum", "patient": of("p1")}),
        labelled(patient("p1"), CONFIDENTIALITY, "R"),
        condition("a", "p1", "1"),
        labelled(condition("sealed", "p1", "1"), CONFIDENTIALITY, "R"),
        labelled(condition("locked", "p1", "1"), CONFIDENTIALITY, "V"),
        consent("OPTOUT", json!({"provision": [permit]})),
    ]);
    let ruled = world.ruled();
    let seen = json(&ruled.get_as(&mum, "Patient/p1").unwrap());
    for element in ["address", "telecom", "generalPractitioner"] {
        assert_eq!(seen[element], Value::Null, "{element}");
    }
    assert_eq!(seen["name"][0]["family"], "Hale");
    let none = [] as [&str; 0];
    assert_eq!(world.ids(&mum, "Patient?address-postalcode=ZZ99 1AA"), none);
    let names = ["Condition/a", "Condition/sealed", "Condition/locked"];
    assert_eq!(world.seen(&mum, &names), ["Condition/a"]);
    // It is hers, whatever is written on it.
    let herself = patient_herself("p1");
    assert_eq!(world.seen(&herself, &names), names);
    assert!(json(&ruled.get_as(&herself, "Patient/p1").unwrap())["address"].is_array());
}

#[test]
fn con_76_what_cannot_be_decided_is_denied() {
    let world = World::new(&[condition("a", "p1", "1")]);
    let no_purpose = Principal::new("app", PrincipalKind::Client).with_organisation("X01");
    assert_eq!(world.status(&no_purpose, "Condition/a"), 403);
    assert_eq!(
        world.status(&client("app", "X01", "CURIOSITY"), "Condition/a"),
        403
    );
    assert_eq!(world.status(&Principal::anonymous(), "Condition/a"), 403);
}

#[test]
fn what_waits_for_a_feature_waits_no_longer_than_that() {
    let offered = crate::operation::Operations::builtin();
    let levels = [Level::System, Level::Type, Level::Instance];
    for (number, feature, operation, of) in PENDING {
        let is_there = |level| offered.find_on(operation, level, Some(of)).is_some();
        assert!(
            !levels.into_iter().any(is_there),
            "CON-{number} waits for {feature}, which is there"
        );
    }
}
