//! The scenarios of the design by their numbers: what a Consent, a relationship or a role decides.

use serde_json::{Value, json};

use super::setting::*;
use super::*;

#[test]
fn con_1_and_2_treatment_needs_a_relationship() {
    let world = World::new(&[condition("a", "p1", "1")]);
    assert_eq!(world.status(&dr_a(), "Condition/a"), 200);
    assert_eq!(world.status(&dr_b(), "Condition/a"), 404);
}

#[test]
fn con_3_a_denial_of_everything_leaves_the_patient_her_record() {
    let world = World::new(&[condition("a", "p1", "1"), consent("OPTOUT", json!({}))]);
    assert_eq!(world.status(&dr_a(), "Condition/a"), 404);
    assert_eq!(world.status(&patient_herself("p1"), "Condition/a"), 200);
    assert_eq!(world.status(&patient_herself("p2"), "Condition/a"), 404);
}

#[test]
fn con_4_to_6_only_what_is_active_and_in_force_counts() {
    for (end, seen) in [("2026-11-22", 404), ("2026-11-24", 200)] {
        let provision = json!({"period": {"end": end}});
        let world = World::new(&[condition("a", "p1", "1"), consent("OPTIN", provision)]);
        assert_eq!(world.status(&research(), "Condition/a"), seen, "{end}");
    }
    for (start, seen) in [("2026-11-24", 200), ("2026-11-22", 404)] {
        let provision = json!({"period": {"start": start}});
        let world = World::new(&[condition("a", "p1", "1"), consent("OPTOUT", provision)]);
        assert_eq!(world.status(&dr_a(), "Condition/a"), seen, "{start}");
    }
    for status in ["draft", "proposed", "rejected", "inactive", "entered-in-error"] {
        let ignored = with(consent("OPTOUT", json!({})), "/status", json!(status));
        let world = World::new(&[condition("a", "p1", "1"), ignored]);
        assert_eq!(world.status(&dr_a(), "Condition/a"), 200, "{status}");
    }
}

#[test]
fn con_7_and_8_exceptions_nest() {
    let denied = json!({"type": "deny", "actor": identified(ODS, "X01")});
    let world = World::new(&[
        condition("a", "p1", "1"),
        consent("OPTIN", json!({"provision": [denied]})),
    ]);
    assert_eq!(world.status(&dr_a(), "Condition/a"), 404);
    assert_eq!(world.status(&clinician("dr-a", "Y02"), "Condition/a"), 200);
    let but = json!({"type": "deny", "actor": identified(ODS, "X01"),
        "provision": [{"type": "permit", "actor": named("Practitioner/dr-c")}]});
    let world = World::new(&[
        condition("a", "p1", "1"),
        consent("OPTIN", json!({"provision": [but]})),
    ]);
    assert_eq!(world.status(&dr_a(), "Condition/a"), 404);
    assert_eq!(world.status(&dr_c(), "Condition/a"), 200);
}

#[test]
fn con_9_without_a_root_type_the_policy_rule_decides() {
    for (rule, treatment, other) in [
        ("OPTOUT", 404, 404),
        ("OPTIN", 200, 200),
        ("hipaa-auth", 200, 404),
    ] {
        let world = World::new(&[condition("a", "p1", "1"), consent(rule, json!({}))]);
        assert_eq!(world.status(&dr_a(), "Condition/a"), treatment, "{rule}");
        assert_eq!(world.status(&research(), "Condition/a"), other, "{rule}");
    }
}

#[test]
fn con_10_of_two_consents_the_denial_counts() {
    let denies = with(consent("OPTOUT", json!({})), "/id", json!("c2"));
    let world = World::new(&[condition("a", "p1", "1"), consent("OPTIN", json!({})), denies]);
    assert_eq!(world.status(&dr_a(), "Condition/a"), 404);
}

#[test]
fn con_11_a_particular_resource_is_more_specific_than_a_class() {
    let class = json!({"type": "deny", "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]});
    let one = json!({"type": "permit", "data": [{"meaning": "instance", "reference": {"reference": "Observation/a"}}]});
    let world = World::new(&[
        observation("a", "p1", "1"),
        observation("b", "p1", "1"),
        condition("c", "p1", "1"),
        consent("OPTIN", json!({"provision": [class]})),
        with(consent("OPTIN", json!({"provision": [one]})), "/id", json!("c2")),
    ]);
    let all = ["Observation/a", "Observation/b", "Condition/c"];
    assert_eq!(world.seen(&dr_a(), &all), ["Observation/a", "Condition/c"]);
}

#[test]
fn con_12_to_14_what_is_linked_to_a_resource() {
    let deny = |meaning: &str, reference: &str| {
        let data = json!([{"meaning": meaning, "reference": {"reference": reference}}]);
        consent("OPTIN", json!({"provision": [{"type": "deny", "data": data}]}))
    };
    let encounter = json!({"resourceType": "Encounter", "id": "e9", "status": "finished",
        "class": {"system": ACT_CODE, "code": "AMB"}, "subject": of("p1")});
    let prescription = json!({"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
        "medicationCodeableConcept": {"text": "x"}, "subject": of("p1"), "encounter": {"reference": "Encounter/e9"}});
    let composition = json!({"resourceType": "Composition", "id": "d", "status": "final", "type": {"text": "x"},
        "subject": of("p1"), "date": "2020-01-01", "author": [{"reference": "Practitioner/dr-b"}], "title": "x",
        "section": [{"title": "y", "entry": [{"reference": "Encounter/e9"}]}]});
    let report = json!({"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "x"},
        "subject": of("p1"), "result": [{"reference": "Observation/o"}]});
    let all = [
        encounter,
        prescription,
        composition,
        report,
        observation("o", "p1", "1"),
        observation("free", "p1", "1"),
    ];
    let names = [
        "Encounter/e9",
        "MedicationRequest/m",
        "Composition/d",
        "DiagnosticReport/r",
        "Observation/o",
        "Observation/free",
    ];
    let seen = |consent: Value| {
        let world = World::new(&all);
        world.put(&consent);
        world.seen(&dr_a(), &names)
    };
    assert_eq!(
        seen(deny("related", "Encounter/e9")),
        ["DiagnosticReport/r", "Observation/o", "Observation/free"]
    );
    assert_eq!(
        seen(deny("authoredby", "Practitioner/dr-b")),
        [
            "Encounter/e9",
            "MedicationRequest/m",
            "DiagnosticReport/r",
            "Observation/o",
            "Observation/free"
        ]
    );
    assert_eq!(
        seen(deny("dependents", "DiagnosticReport/r")),
        [
            "Encounter/e9",
            "MedicationRequest/m",
            "Composition/d",
            "Observation/free"
        ]
    );
}

#[test]
fn con_15_data_of_a_time_and_data_of_no_time() {
    let denied = json!({"type": "deny", "dataPeriod": {"start": "2010", "end": "2012"}});
    let dated = |id: &str, date: &str| with(observation(id, "p1", "1"), "/effectiveDateTime", json!(date));
    let mut undated = observation("never", "p1", "1");
    undated.as_object_mut().unwrap().remove("effectiveDateTime");
    let recorded = with(
        condition("recorded", "p1", "1"),
        "/recordedDate",
        json!("2011-05-05"),
    );
    let world = World::new(&[
        dated("before", "2009-12-31"),
        dated("edge", "2012-12-31T23:30:00Z"),
        dated("year", "2010"),
        dated("after", "2013-01-01"),
        recorded,
        undated,
        consent("OPTIN", json!({"provision": [denied]})),
    ]);
    assert_eq!(world.ids(&dr_a(), "Observation?patient=p1"), ["after", "before"]);
    assert_eq!(world.status(&dr_a(), "Condition/recorded"), 404);
}

#[test]
fn con_16_and_17_labels() {
    let permit = json!({"type": "permit", "purpose": [{"system": ACT_REASON, "code": "HRESCH"}],
        "securityLabel": [{"system": CONFIDENTIALITY, "code": "R"}]});
    let mut sees_all = research()
        .with_role("restricted-access")
        .with_role("very-restricted-access");
    sees_all.name = "res".into();
    let world = World::new(&[
        labelled(observation("n", "p1", "1"), CONFIDENTIALITY, "N"),
        labelled(observation("r", "p1", "1"), CONFIDENTIALITY, "R"),
        labelled(observation("v", "p1", "1"), CONFIDENTIALITY, "V"),
        consent("OPTOUT", json!({"provision": [permit]})),
    ]);
    assert_eq!(world.ids(&sees_all, "Observation"), ["n", "r"]);
    let denied = json!({"type": "deny", "securityLabel": [{"system": ACT_CODE, "code": "SUD"}]});
    let world = World::new(&[
        labelled(observation("child", "p1", "1"), ACT_CODE, "OPIOIDUD"),
        labelled(observation("itself", "p1", "1"), ACT_CODE, "SUD"),
        labelled(observation("other", "p1", "1"), ACT_CODE, "SDV"),
        consent("OPTIN", json!({"provision": [denied]})),
    ]);
    assert_eq!(world.ids(&dr_a(), "Observation"), ["other"]);
}

#[test]
fn con_18_and_19_codes_wherever_they_are_and_classes() {
    let denied = json!({"type": "deny", "code": [{"coding": [{"system": SNOMED, "code": HIV}]}]});
    let prescription = |id: &str, reason: &str| {
        json!({"resourceType": "MedicationRequest", "id": id, "status": "active", "intent": "order",
            "medicationCodeableConcept": {"text": "x"}, "subject": of("p1"), "reasonCode": [coded(reason)]})
    };
    let world = World::new(&[
        condition("a", "p1", HIV),
        condition("b", "p1", "1"),
        observation("a", "p1", HIV),
        prescription("a", HIV),
        prescription("b", "1"),
        condition("theirs", "p2", HIV),
        consent("OPTIN", json!({"provision": [denied]})),
    ]);
    assert_eq!(world.ids(&dr_a(), "Condition"), ["b", "theirs"]);
    assert_eq!(world.ids(&dr_a(), "Observation"), [] as [&str; 0]);
    assert_eq!(world.ids(&dr_a(), "MedicationRequest"), ["b"]);
    let class = |code: &str| {
        let class = json!([{"system": "urn:ietf:rfc:3986", "code": code}]);
        consent("OPTIN", json!({"provision": [{"type": "deny", "class": class}]}))
    };
    let mut profiled = prescription("p", "1");
    profiled["meta"] = json!({"profile": ["https://example.org/StructureDefinition/special"]});
    let world = World::new(&[
        prescription("b", "1"),
        profiled,
        class("https://example.org/StructureDefinition/special"),
    ]);
    assert_eq!(world.ids(&dr_a(), "MedicationRequest"), ["b"]);
    let typed = json!({"type": "deny", "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "MedicationRequest"}]});
    let world = World::new(&[
        prescription("b", "1"),
        condition("b", "p1", "1"),
        consent("OPTIN", json!({"provision": [typed]})),
    ]);
    assert_eq!(
        world.seen(&dr_a(), &["MedicationRequest/b", "Condition/b"]),
        ["Condition/b"]
    );
}

#[test]
fn con_20_and_21_research() {
    let group = json!({"resourceType": "Group", "id": "g", "type": "person", "actual": true,
        "member": [{"entity": of("p1")}, {"entity": of("p2")}]});
    let denied = json!({"type": "deny", "purpose": [{"system": ACT_REASON, "code": "HRESCH"}]});
    let yes = with(
        with(consent("OPTIN", json!({})), "/id", json!("c2")),
        "/patient",
        of("p2"),
    );
    let world = World::new(&[
        condition("a", "p1", "1"),
        condition("b", "p2", "1"),
        group,
        consent("OPTIN", json!({"provision": [denied]})),
        yes,
    ]);
    assert_eq!(world.ids(&research(), "Condition"), ["b"]);
    assert_eq!(world.ids(&research(), "Patient"), ["p2"]);
    assert_eq!(world.ids(&research(), "Group"), [] as [&str; 0]);
    assert_eq!(world.status(&dr_a(), "Condition/a"), 200);
    // The national opt-out, and one project that the patient has said yes to.
    let opt_out = with(
        consent("OPTIN", json!({})),
        "/category/0/coding/0",
        json!({"system": "https://fhir.nhs.uk/CodeSystem/consent-category", "code": "national-data-opt-out"}),
    );
    let project = json!({"type": "permit", "actor": identified(ODS, "Y02"),
        "purpose": [{"system": ACT_REASON, "code": "HRESCH"}]});
    let mut yes = with(
        consent("OPTOUT", json!({"provision": [project]})),
        "/id",
        json!("c2"),
    );
    yes["scope"]["coding"][0]["code"] = json!("research");
    let world = World::new(&[condition("a", "p1", "1"), opt_out, yes]);
    assert_eq!(world.status(&research(), "Condition/a"), 200);
    assert_eq!(
        world.status(&client("other", "X01", "HRESCH"), "Condition/a"),
        404
    );
    assert_eq!(world.status(&dr_a(), "Condition/a"), 200);
}

#[test]
fn con_23_to_25_actors_by_identifier_by_team_and_by_role() {
    let denied = |actor: Value| {
        let world = World::new(&[
            condition("a", "p1", "1"),
            json!({"resourceType": "CareTeam", "id": "ward", "status": "active", "participant": [
                {"member": {"reference": "Practitioner/dr-a"}, "period": {"end": "2026-11-22"}},
                {"member": {"reference": "Practitioner/dr-c"}}]}),
            consent("OPTIN", json!({"provision": [{"type": "deny", "actor": actor}]})),
        ]);
        let nurse = dr_a().with_role("nurse");
        [dr_a(), dr_c(), nurse].map(|who| world.status(&who, "Condition/a"))
    };
    assert_eq!(
        denied(identified("https://fhir.hl7.org.uk/Id/gmc-number", "G-dr-a")),
        [404, 200, 404]
    );
    assert_eq!(denied(identified(ODS, "X01")), [404, 404, 404]);
    assert_eq!(denied(identified(ODS, "Y02")), [200, 200, 200]);
    assert_eq!(denied(named("CareTeam/ward")), [200, 404, 200]);
    let role = json!([{"role": {"coding": [{"system": "urn:roles", "code": "nurse"}]},
        "reference": {"display": "any nurse"}}]);
    assert_eq!(denied(role), [200, 200, 404]);
}

#[test]
fn con_26_other_spellings_of_systems_and_patients_by_number() {
    let mut consent = consent("OPTOUT", json!({}));
    consent["scope"]["coding"][0]["system"] = json!("https://terminology.hl7.org/CodeSystem/consentscope");
    consent["patient"] = json!({"identifier": {"system": NHS_NUMBER, "value": "999p1"}});
    let world = World::new(&[condition("a", "p1", "1"), condition("b", "p2", "1"), consent]);
    assert_eq!(
        world.seen(&dr_a(), &["Condition/a", "Condition/b"]),
        ["Condition/b"]
    );
}

#[test]
fn con_27_what_is_not_understood_is_denied() {
    let mut unknown = consent("OPTIN", json!({}));
    unknown["modifierExtension"] = json!([{"url": "https://example.org/unless", "valueBoolean": true}]);
    let nowhere =
        json!({"type": "deny", "data": [{"meaning": "instance", "reference": {"display": "that visit"}}]});
    let mut scope = consent("OPTIN", json!({}));
    scope["scope"] = json!({"text": "sharing"});
    for consent in [unknown, consent("OPTIN", json!({"provision": [nowhere]})), scope] {
        let world = World::new(&[
            condition("a", "p1", "1"),
            condition("b", "p2", "1"),
            consent.clone(),
        ]);
        assert_eq!(world.ids(&dr_a(), "Condition"), ["b"], "{consent}");
    }
}
