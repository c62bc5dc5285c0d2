//! The five ready-made consents, as they stand in the sandbox: what each opens and closes, and `$check`, which says why.

use serde_json::{Value, json};

use super::setting::status;
use super::*;
use crate::interaction::Interaction;

const BUNDLES: [&str; 5] = [
    include_str!("../../../../sandbox/1-organisations.json"),
    include_str!("../../../../sandbox/2-patients.json"),
    include_str!("../../../../sandbox/3-records.json"),
    include_str!("../../../../sandbox/4-bookings.json"),
    include_str!("../../../../sandbox/5-consents.json"),
];

/// The sandbox, in which everyone may claim a relationship.
fn sandbox() -> TestServer {
    let open = TestServer::new();
    for bundle in BUNDLES {
        let request = Request::new(Interaction::Transaction, BASE);
        open.send(&with_body(request, bundle)).unwrap();
    }
    open.under(Chain::sandbox())
}

fn asks(server: &TestServer, who: &Principal, url: &str) -> u16 {
    let context = server
        .context_of(who)
        .with_claimed_relationship("she is in my clinic");
    status(server.send_in(server.engine.session(context), &request("GET", url)))
}

fn of(ods: &str) -> Principal {
    Principal::new("dr", PrincipalKind::Clinician).with_organisation(ods)
}

#[test]
fn the_five_templates_do_what_they_say() {
    let server = sandbox();
    let proxy = Principal::new("amira", PrincipalKind::RelatedPerson)
        .with_fhir_user(key("RelatedPerson/rel-amira-khan-mother-of-zayn"))
        .with_patient("pat-zayn-khan");
    let no_proxy = Principal::new("other", PrincipalKind::RelatedPerson)
        .with_fhir_user(key("RelatedPerson/rel-carol-hughes-ward"))
        .with_patient("pat-margaret-hughes");
    let study = client("study", "X9904", "HRESCH");
    let table = [
        // Shares all.
        (of("X9901"), "Condition/cond-amira-diabetes", 200),
        (
            client("other", "X9901", "HRESCH"),
            "Condition/cond-amira-diabetes",
            200,
        ),
        // All but one practice.
        (of("A99991"), "Condition/cond-tomasz-ankle-fracture", 200),
        (of("A99992"), "Condition/cond-tomasz-ankle-fracture", 404),
        // Mental health is hidden, but for the trust that treats it.
        (of("A99992"), "Condition/cond-siobhan-depression", 404),
        (of("A99992"), "Condition/cond-siobhan-hypothyroidism", 200),
        (of("X9902"), "Condition/cond-siobhan-depression", 200),
        // One study, and no other research.
        (study.clone(), "Condition/cond-li-wei-copd", 200),
        (
            client("other", "X9901", "HRESCH"),
            "Condition/cond-li-wei-copd",
            404,
        ),
        (of("X9901"), "Condition/cond-li-wei-copd", 200),
        (study, "Condition/cond-tomasz-ankle-fracture", 200),
        // A mother for her child.
        (proxy.clone(), "Condition/cond-zayn-asthma", 200),
        (proxy, "Condition/cond-amira-diabetes", 404),
        (no_proxy, "Condition/cond-zayn-asthma", 404),
        // One visit and what belongs to it.
        (of("A99991"), "Encounter/enc-chloe-2026-private-visit", 404),
        (of("A99991"), "Encounter/enc-chloe-2026-diabetes-clinic", 200),
    ];
    for (who, url, expected) in table {
        assert_eq!(
            asks(&server, &who, url),
            expected,
            "{} {:?} {url}",
            who.name,
            who.organisation
        );
    }
}

#[test]
fn the_caller_without_a_token_looks_after_everyone_in_the_sandbox() {
    let server = sandbox();
    let who = Principal::sandbox_clinician();
    for url in [
        "Patient/pat-sean-obrien",
        "Condition/cond-zayn-asthma",
        "Organization/org-elm-bank-surgery",
    ] {
        assert_eq!(status(server.get_as(&who, url)), 200, "{url}");
    }
    let all = json(&server.get_as(&who, "?_summary=count").unwrap());
    assert!(all["total"].as_u64().unwrap() > 250, "{}", all["total"]);
    let aisha = json(&server.get_as(&who, "Patient/pat-aisha-rahman").unwrap());
    assert_eq!(
        (&aisha["address"], &aisha["telecom"]),
        (&Value::Null, &Value::Null)
    );
}

/// What `$check` tells, by the names of its parameters.
pub(super) fn check(server: &TestServer, who: &Principal, arguments: &str) -> Result<Value, Error> {
    server
        .get_as(who, &format!("Consent/$check?{arguments}"))
        .map(|response| {
            let parameters = json(&response);
            let pairs = parameters["parameter"].as_array().unwrap().iter().map(|p| {
                let value = p
                    .get("valueString")
                    .or(p.get("valueCode"))
                    .cloned()
                    .unwrap_or_default();
                (p["name"].as_str().unwrap().to_owned(), value)
            });
            Value::Object(pairs.collect())
        })
}

#[test]
fn check_says_which_provision_decides() {
    let server = sandbox();
    let guardian = of("X9901").with_role("information-governance");
    let about = "patient=Patient/pat-siobhan-murphy&actor=Practitioner/prac-tracey-boyle&resource=Condition/cond-siobhan-depression";
    assert_eq!(
        check(&server, &guardian, about).unwrap(),
        json!({
            "decision": "deny",
            "consent": "Consent/consent-siobhan-hide-mental-health",
            "provision": "Consent.provision.provision[1]",
            "sentence": "The data is not shown: Consent/consent-siobhan-hide-mental-health denies it in \
                         Consent.provision.provision[1]."
        })
    );
    let shared = "patient=Patient/pat-amira-khan&actor=Organization/org-brackenfold-trust&purpose=HRESCH&type=Condition";
    let told = check(&server, &guardian, shared).unwrap();
    assert_eq!(
        (&told["decision"], &told["provision"]),
        (&json!("permit"), &json!("Consent.provision"))
    );
    let herself = patient_herself("pat-siobhan-murphy");
    assert_eq!(check(&server, &herself, about).unwrap()["decision"], "deny");
    let others = check(&server, &herself, shared).unwrap_err();
    assert_eq!(others.code, ErrorCode::Forbidden);
    let anyone = check(&server, &of("X9901"), about).unwrap_err();
    assert_eq!(anyone.code, ErrorCode::Forbidden);
    let nothing =
        "patient=Patient/pat-siobhan-murphy&actor=Practitioner/prac-tracey-boyle&resource=Condition/none";
    assert_eq!(
        check(&server, &guardian, nothing).unwrap_err().code,
        ErrorCode::NotFound
    );
}

#[test]
fn who_writes_a_consent_is_told_what_is_enforced_more_strictly() {
    let server = TestServer::new();
    let consent = json!({"resourceType": "Consent", "id": "c", "status": "active", "scope": {"text": "sharing"},
        "category": [{"text": "x"}], "patient": {"reference": "Patient/p"},
        "policyRule": {"text": "as agreed"},
        "provision": {"provision": [{"type": "deny", "code": [{"text": "that illness"}]}]}});
    let response = server.put("Consent/c", &consent.to_string()).unwrap();
    let places: Vec<_> = response
        .issues
        .iter()
        .filter_map(|issue| issue.expression.as_deref())
        .collect();
    assert_eq!(
        places,
        [
            "Consent.scope",
            "Consent.provision.provision[0].code[0]",
            "Consent.policyRule"
        ]
    );
}
