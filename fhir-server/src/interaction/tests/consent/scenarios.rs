//! The scenarios of the design by their numbers: what is stored, who asks for what, and the exact answer. What waits for another feature
//! stands in [`PENDING`].

use serde_json::{Value, json};

use super::*;

const SNOMED: &str = "http://snomed.info/sct";
const HIV: &str = "86406008";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";
const ODS: &str = "https://fhir.nhs.uk/Id/ods-organization-code";

/// Scenarios that wait: their number, for what, and an operation or type whose route says that it is there.
const PENDING: &[(u32, &str, &str)] = &[
    (20, "bulk export (the search is CON-20 here)", "export"),
    (45, "bulk export", "export"),
    (46, "delivery of subscriptions", "status"),
    (72, "measures", "evaluate-measure"),
];

/// A server with two patients, two doctors and two organisations. DrA cares for both patients, DrB for none.
struct World(TestServer);

impl World {
    fn new(resources: &[Value]) -> World {
        let open = TestServer::new();
        let org = |id: &str, ods: &str| {
            json!({"resourceType": "Organization", "id": id, "name": id, "identifier": [{"system": ODS, "value": ods}]})
        };
        let doctor = |id: &str| {
            json!({"resourceType": "Practitioner", "id": id, "name": [{"family": id}],
                "identifier": [{"system": "https://fhir.hl7.org.uk/Id/gmc-number", "value": format!("G-{id}")}]})
        };
        let team = |patient: &str| {
            json!({"resourceType": "CareTeam", "id": format!("team-{patient}"), "status": "active",
                "subject": {"reference": format!("Patient/{patient}")},
                "participant": [{"member": {"reference": "Practitioner/dr-a"}}, {"member": {"reference": "Practitioner/dr-c"}}]})
        };
        let base = [
            org("org-x", "X01"),
            org("org-y", "Y02"),
            doctor("dr-a"),
            doctor("dr-b"),
            doctor("dr-c"),
            patient("p1"),
            patient("p2"),
            team("p1"),
            team("p2"),
        ];
        let world = World(open);
        for resource in base.iter().chain(resources) {
            world.put(resource);
        }
        world
    }

    fn put(&self, resource: &Value) {
        let name = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        self.0.put(&name, &resource.to_string()).unwrap();
    }

    fn ruled(&self) -> TestServer {
        self.0.under(chain())
    }

    /// 200, or the status of the refusal.
    fn status(&self, who: &Principal, url: &str) -> u16 {
        status(self.ruled().get_as(who, url))
    }

    /// The ids that a search finds, in alphabetical order.
    fn ids(&self, who: &Principal, url: &str) -> Vec<String> {
        ids(&self.ruled().get_as(who, url).unwrap())
    }

    /// The ids of some resources that the caller reads.
    fn seen(&self, who: &Principal, names: &[&str]) -> Vec<String> {
        let ruled = self.ruled();
        let seen = names.iter().filter(|name| ruled.get_as(who, name).is_ok());
        seen.map(|name| (*name).to_owned()).collect()
    }
}

fn status(answer: Result<Response, Error>) -> u16 {
    answer.map_or_else(|error| error.code.facts().status, |response| response.status)
}

fn ids(response: &Response) -> Vec<String> {
    let bundle = json(response);
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let resources = entries.iter().filter(|e| e["search"]["mode"] != "outcome");
    let mut ids: Vec<String> = resources
        .filter_map(|e| e["resource"]["id"].as_str().map(str::to_owned))
        .collect();
    ids.sort();
    ids
}

fn patient(id: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "name": [{"family": "Hale"}], "birthDate": "1960-01-01",
        "identifier": [{"system": NHS_NUMBER, "value": format!("999{id}")}],
        "address": [{"postalCode": "ZZ99 1AA"}], "telecom": [{"system": "phone", "value": "01632960001"}],
        "generalPractitioner": [{"reference": "Organization/org-y"}]})
}

fn of(patient: &str) -> Value {
    json!({"reference": format!("Patient/{patient}")})
}

fn coded(code: &str) -> Value {
    json!({"coding": [{"system": "http://other.example", "code": "x"}, {"system": SNOMED, "code": code}]})
}

fn condition(id: &str, patient: &str, code: &str) -> Value {
    json!({"resourceType": "Condition", "id": id, "subject": of(patient), "code": coded(code), "recordedDate": "2020-01-01"})
}

fn observation(id: &str, patient: &str, code: &str) -> Value {
    json!({"resourceType": "Observation", "id": id, "status": "final", "subject": of(patient), "code": coded(code),
        "effectiveDateTime": "2020-01-01"})
}

fn labelled(mut resource: Value, system: &str, code: &str) -> Value {
    resource["meta"] = json!({"security": [{"system": system, "code": code}]});
    resource
}

/// A Consent of p1: its policy rule, and its provision.
fn consent(rule: &str, provision: Value) -> Value {
    json!({"resourceType": "Consent", "id": "c1", "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": ACT_CODE, "code": "INFA"}]}],
        "patient": of("p1"),
        "policyRule": {"coding": [{"system": ACT_CODE, "code": rule}]},
        "provision": provision})
}

fn with(mut resource: Value, path: &str, value: Value) -> Value {
    *resource.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
    resource
}

fn identified(system: &str, value: &str) -> Value {
    json!([{"role": {"text": "x"}, "reference": {"identifier": {"system": system, "value": value}}}])
}

fn named(reference: &str) -> Value {
    json!([{"role": {"text": "x"}, "reference": {"reference": reference}}])
}

fn dr_a() -> Principal {
    clinician("dr-a", "X01")
}
fn dr_b() -> Principal {
    clinician("dr-b", "X01")
}
fn dr_c() -> Principal {
    clinician("dr-c", "X01")
}
fn research() -> Principal {
    client("res-c", "Y02", "HRESCH")
}

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
    let world = World::new(&[condition("a", "p1", "1"), consent("OPTIN", json!({"provision": [denied]}))]);
    assert_eq!(world.status(&dr_a(), "Condition/a"), 404);
    assert_eq!(world.status(&clinician("dr-a", "Y02"), "Condition/a"), 200);
    let but = json!({"type": "deny", "actor": identified(ODS, "X01"),
        "provision": [{"type": "permit", "actor": named("Practitioner/dr-c")}]});
    let world = World::new(&[condition("a", "p1", "1"), consent("OPTIN", json!({"provision": [but]}))]);
    assert_eq!(world.status(&dr_a(), "Condition/a"), 404);
    assert_eq!(world.status(&dr_c(), "Condition/a"), 200);
}

#[test]
fn con_9_without_a_root_type_the_policy_rule_decides() {
    for (rule, treatment, other) in [("OPTOUT", 404, 404), ("OPTIN", 200, 200), ("hipaa-auth", 200, 404)] {
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
        ["Encounter/e9", "MedicationRequest/m", "DiagnosticReport/r", "Observation/o", "Observation/free"]
    );
    assert_eq!(
        seen(deny("dependents", "DiagnosticReport/r")),
        ["Encounter/e9", "MedicationRequest/m", "Composition/d", "Observation/free"]
    );
}

#[test]
fn con_15_data_of_a_time_and_data_of_no_time() {
    let denied = json!({"type": "deny", "dataPeriod": {"start": "2010", "end": "2012"}});
    let dated = |id: &str, date: &str| with(observation(id, "p1", "1"), "/effectiveDateTime", json!(date));
    let mut undated = observation("never", "p1", "1");
    undated.as_object_mut().unwrap().remove("effectiveDateTime");
    let recorded = with(condition("recorded", "p1", "1"), "/recordedDate", json!("2011-05-05"));
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
    let mut sees_all = research().with_role("restricted-access").with_role("very-restricted-access");
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
    let world = World::new(&[prescription("b", "1"), profiled, class("https://example.org/StructureDefinition/special")]);
    assert_eq!(world.ids(&dr_a(), "MedicationRequest"), ["b"]);
    let typed = json!({"type": "deny", "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "MedicationRequest"}]});
    let world = World::new(&[prescription("b", "1"), condition("b", "p1", "1"), consent("OPTIN", json!({"provision": [typed]}))]);
    assert_eq!(world.seen(&dr_a(), &["MedicationRequest/b", "Condition/b"]), ["Condition/b"]);
}

#[test]
fn con_20_and_21_research() {
    let group = json!({"resourceType": "Group", "id": "g", "type": "person", "actual": true,
        "member": [{"entity": of("p1")}, {"entity": of("p2")}]});
    let denied = json!({"type": "deny", "purpose": [{"system": ACT_REASON, "code": "HRESCH"}]});
    let yes = with(with(consent("OPTIN", json!({})), "/id", json!("c2")), "/patient", of("p2"));
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
    let mut yes = with(consent("OPTOUT", json!({"provision": [project]})), "/id", json!("c2"));
    yes["scope"]["coding"][0]["code"] = json!("research");
    let world = World::new(&[condition("a", "p1", "1"), opt_out, yes]);
    assert_eq!(world.status(&research(), "Condition/a"), 200);
    assert_eq!(world.status(&client("other", "X01", "HRESCH"), "Condition/a"), 404);
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
    assert_eq!(denied(identified("https://fhir.hl7.org.uk/Id/gmc-number", "G-dr-a")), [404, 200, 404]);
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
    assert_eq!(world.seen(&dr_a(), &["Condition/a", "Condition/b"]), ["Condition/b"]);
}

#[test]
fn con_27_what_is_not_understood_is_denied() {
    let mut unknown = consent("OPTIN", json!({}));
    unknown["modifierExtension"] = json!([{"url": "https://example.org/unless", "valueBoolean": true}]);
    let nowhere = json!({"type": "deny", "data": [{"meaning": "instance", "reference": {"display": "that visit"}}]});
    let mut scope = consent("OPTIN", json!({}));
    scope["scope"] = json!({"text": "sharing"});
    for consent in [unknown, consent("OPTIN", json!({"provision": [nowhere]})), scope] {
        let world = World::new(&[condition("a", "p1", "1"), condition("b", "p2", "1"), consent.clone()]);
        assert_eq!(world.ids(&dr_a(), "Condition"), ["b"], "{consent}");
    }
}

#[test]
fn con_28_29_and_43_a_consent_is_in_force_at_once() {
    let world = World::new(&[condition("a", "p1", "1"), condition("b", "p1", "1"), consent("OPTIN", json!({}))]);
    let ruled = world.ruled();
    let first = ruled.get_as(&dr_a(), "Condition?_count=1").unwrap();
    let next = json(&first)["link"].as_array().unwrap().iter().find(|l| l["relation"] == "next").unwrap()["url"]
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
    for url in ["Condition?patient=p1&_summary=count", "Condition?patient=p1&_total=accurate", "Condition?patient=p1&_total=estimate"] {
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
            Some(next) => url = next["url"].as_str().unwrap().trim_start_matches(BASE).trim_start_matches('/').to_owned(),
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
    assert_eq!(world.ids(&dr_a(), &format!("Patient?_has:Condition:patient:code={HIV}")), ["p2"]);
    for bound in ["gt0", "gt41", "gt42", "lt100", "42"] {
        let url = format!("Patient?_has:Observation:patient:value-quantity={bound}");
        assert_eq!(world.ids(&dr_a(), &url), [] as [&str; 0], "{bound}");
    }
}

#[test]
fn con_41_42_and_53_histories_and_deletions() {
    let world = World::new(&[labelled(observation("o", "p1", "1"), CONFIDENTIALITY, "N"), observation("gone", "p1", "1")]);
    world.put(&labelled(observation("o", "p1", "1"), CONFIDENTIALITY, "R"));
    world.0.delete("Observation/gone").unwrap();
    for url in ["Observation/o", "Observation/o/_history", "Observation/o/_history/1", "Observation/gone"] {
        assert_eq!(world.status(&dr_a(), url), 404, "{url}");
    }
    let cleared = dr_a().with_role("restricted-access");
    assert_eq!(world.status(&cleared, "Observation/o/_history/1"), 200);
    let history = json(&world.ruled().get_as(&dr_a(), "Observation/_history").unwrap());
    assert_eq!(history["total"], 0);
}

#[test]
fn con_48_a_batch_answers_each_and_a_transaction_nothing() {
    let world = World::new(&[condition("a", "p1", "1"), condition("b", "p2", "1"), consent("OPTOUT", json!({}))]);
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
    let put = |id: &str, patient: &str| {
        json!({"resource": condition(id, patient, "2"), "request": {"method": "PUT", "url": format!("Condition/{id}")}})
    };
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
    let free = with_body(request("PUT", "Condition/free"), &identified("free", "p1").to_string());
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
    assert_eq!(found("Organization?_has:Patient:general-practitioner:_id=p1"), [] as [&str; 0]);
    assert_eq!(found("Patient?_id=p1&_include=Patient:general-practitioner"), ["p1"]);
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
    let names = ["Condition/a", "Condition/theirs", "Condition/sensitive", "Condition/withheld"];
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
fn con_76_what_cannot_be_decided_is_denied() {
    let world = World::new(&[condition("a", "p1", "1")]);
    let no_purpose = Principal::new("app", PrincipalKind::Client).with_organisation("X01");
    assert_eq!(world.status(&no_purpose, "Condition/a"), 403);
    assert_eq!(world.status(&client("app", "X01", "CURIOSITY"), "Condition/a"), 403);
    assert_eq!(world.status(&Principal::anonymous(), "Condition/a"), 403);
}

#[test]
fn what_waits_for_a_feature_waits_no_longer_than_that() {
    let offered = crate::operation::Operations::builtin();
    for (number, feature, operation) in PENDING {
        assert!(offered.find(operation).is_none(), "CON-{number} waits for {feature}, which is there");
    }
}
