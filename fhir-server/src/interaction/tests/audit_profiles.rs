//! Every kind of event is valid against profiles of our own (`audit/profiles/`) that state the shapes of IHE's Basic Audit Log Patterns
//! (<https://profiles.ihe.net/ITI/BALP/>), and those refuse what is not of that shape.

use std::collections::BTreeMap;

use fhir_validate::Validator;
use serde_json::json as of;

use super::audits::{OBSERVATION, audited, events, gist};
use super::*;
use crate::audit::StrangerCount;
use crate::context::PrincipalKind;
use crate::interaction::Interaction;

const URL: &str = "urn:fhir-server:audit:";

fn validator() -> Validator {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/audit/profiles");
    let mut builder = Validator::builder();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        builder = builder.definition(serde_json::from_str(&text).unwrap());
    }
    builder.build()
}

/// The profile that an event of that kind is held against.
fn profile(event: &Value) -> String {
    let code = event["subtype"][0]["code"].as_str().unwrap();
    let name = match code {
        "110122" => return format!("{URL}sign-in"),
        _ if event["outcome"] != "0" => return format!("{URL}refused"),
        "read" | "vread" => "read",
        "search-type" | "search-system" => "query",
        "create" => "create",
        "update" | "patch" => "update",
        "delete" => "delete",
        _ => return format!("{URL}execute"),
    };
    match gist(event).contains("Patient/") {
        true => format!("{URL}patient-{name}"),
        false => format!("{URL}{name}"),
    }
}

/// The errors of an event against a profile.
fn errors(validator: &Validator, event: &Value, profile: &str) -> Vec<String> {
    let resource = fhir_model::json::from_slice(event.to_string().as_bytes()).unwrap();
    let findings = validator.validate_against(&resource, &[profile.to_owned()]);
    let errors = findings
        .iter()
        .filter(|f| f.severity == fhir_validate::Severity::Error);
    errors
        .map(|f| format!("{}: {}", f.expression, f.message))
        .collect()
}

struct Caller<'s>(&'s TestServer);

impl Caller<'_> {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        let mut context = self.0.context().with_purpose("TREAT");
        context.address = Some([192, 0, 2, 7].into());
        context.principal = Principal::new("dr-a", PrincipalKind::Clinician)
            .with_client("ward-app")
            .with_organisation("RXX")
            .with_role("R8000");
        self.0.send_in(self.0.engine.session(context), request)
    }
}

/// A server whose trail has an event of every kind.
fn lived_in() -> TestServer {
    let server = TestServer::with(audited);
    let caller = Caller(&server);
    let put = |id: &str| {
        let body = format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#);
        with_body(request("PUT", &format!("Patient/{id}")), &body)
    };
    let post = |path: &str, body: &str| with_body(request("POST", path), body);
    let organisation = r#"{"resourceType":"Organization","id":"o","name":"Ward"}"#;
    let patch = r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},
        {"name":"path","valueString":"Observation.status"},{"name":"value","valueCode":"amended"}]}]}"#;
    let bundle = |kind: &str| {
        let entry = of!({ "request": { "method": "GET", "url": "Patient/a?_elements=name" } });
        let create = of!({ "request": { "method": "POST", "url": "Observation" },
            "resource": serde_json::from_str::<Value>(OBSERVATION).unwrap() });
        let bundle = of!({ "resourceType": "Bundle", "type": kind, "entry": [entry, create] });
        with_body(Request::new(Interaction::Transaction, BASE), &bundle.to_string())
    };
    let mut with_provenance = put("a");
    with_provenance.provenance =
        Some(r#"{"resourceType":"Provenance","agent":[{"who":{"display":"Dr A"}}]}"#.into());
    let mut conditional = post("Observation", OBSERVATION);
    conditional.if_none_exist = Some("code:text=none".into());
    let done = [
        put("a"),
        put("b"),
        with_body(request("PUT", "Organization/o"), organisation),
        post("Organization", &organisation.replace(r#""id":"o","#, "")),
        post("Observation", OBSERVATION),
        conditional,
        with_provenance,
        request("GET", "Observation/id-2"),
        request("GET", "Patient/a?_elements=name"),
        request("GET", "Organization/o"),
        request("GET", "Observation/id-2/_history/1"),
        request("GET", "Observation/id-2/_history"),
        request("GET", "Observation/_history"),
        request("GET", "_history?_count=1"),
        request("GET", "Organization"),
        request("GET", "Patient"),
        request("GET", "Observation?subject=Patient/a&code:text=pulse"),
        request("GET", "Patient/a/Observation?code:text=pulse"),
        request("GET", "?_type=Organization"),
        with_body(request("PATCH", "Observation/id-2"), patch),
        request("GET", "Patient/a/$everything"),
        request("GET", "Observation/id-2/$meta"),
        bundle("transaction"),
        bundle("batch"),
        request("DELETE", "Observation/id-2"),
        request("DELETE", "Organization/o"),
        request("GET", "AuditEvent?patient=a"),
    ];
    for request in &done {
        if let Err(error) = caller.send(request) {
            panic!("{request:?}: {error}");
        }
    }
    for request in [
        request("GET", "Observation/id-2"),
        request("GET", "Patient/nobody"),
        request("GET", "Patient?birthdate=yesterday"),
        request("DELETE", "AuditEvent/1"),
        post("Observation", "{"),
        with_body(request("PATCH", "Patient/none"), patch),
        request("GET", "Patient/none/$everything"),
        request("GET", "Patient/none/_history"),
        with_body(Request::new(Interaction::Transaction, BASE), "{"),
    ] {
        caller.send(&request).unwrap_err();
    }
    let count = StrangerCount {
        from: Some("192.0.2.1".into()),
        minute: 1_795_426_200_000,
        no_token: 3,
        bad_token: 10_000,
        too_many: 0,
    };
    let others = StrangerCount {
        from: None,
        ..count.clone()
    };
    let tenant = server.context().tenant;
    block_on(server.engine.tell(tenant, [count.entry(), others.entry()])).unwrap();
    server
}

#[test]
fn every_kind_of_event_is_valid_against_the_profile_of_its_kind() {
    let (server, validator) = (lived_in(), validator());
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for event in events(&server) {
        let profile = profile(&event);
        let wrong = errors(&validator, &event, &profile);
        assert!(wrong.is_empty(), "{profile}: {wrong:#?}\n{event:#}");
        let outcome = event["outcome"].as_str().unwrap();
        let code = event["subtype"][0]["code"].as_str().unwrap();
        *kinds.entry(format!("{outcome} {code}")).or_default() += 1;
    }
    for interaction in Interaction::ALL
        .iter()
        .filter(|i| **i != Interaction::Capabilities)
    {
        let kind = format!("0 {}", interaction.code());
        assert!(kinds.contains_key(&kind), "no event of {kind}: {kinds:?}");
    }
    for kind in [
        "0 operation",
        "4 110122",
        "4 read",
        "4 create",
        "4 patch",
        "4 operation",
        "4 delete",
        "4 transaction",
    ] {
        assert!(kinds.contains_key(kind), "no event of {kind}: {kinds:?}");
    }
}

#[test]
fn the_profiles_refuse_what_is_not_of_their_shape() {
    let (server, validator) = (lived_in(), validator());
    let all = events(&server);
    let of_kind = |wanted: &str| {
        all.iter()
            .find(|event| profile(event) == format!("{URL}{wanted}"))
            .unwrap()
    };
    let refused = |kind: &str, what: &str, change: &dyn Fn(&mut Value)| {
        let mut event = of_kind(kind).clone();
        change(&mut event);
        let wrong = errors(&validator, &event, &format!("{URL}{kind}"));
        assert!(!wrong.is_empty(), "{kind} with {what} is taken: {event:#}");
    };
    for kind in [
        "read",
        "query",
        "create",
        "update",
        "delete",
        "patient-read",
        "patient-query",
        "patient-create",
        "patient-update",
        "patient-delete",
        "execute",
        "refused",
    ] {
        refused(kind, "another type", &|event| {
            event["type"]["code"] = "110114".into()
        });
        refused(kind, "another interaction", &|event| {
            event["subtype"][0]["code"] = "capabilities".into()
        });
        refused(kind, "no network of the client", &|event| {
            event["agent"][0].as_object_mut().unwrap().remove("network");
        });
        refused(kind, "no user", &|event| {
            event["agent"].as_array_mut().unwrap().remove(2);
        });
        refused(kind, "no request id", &|event| {
            event["entity"].as_array_mut().unwrap().pop();
        });
    }
    for kind in ["read", "query", "create", "update", "delete"] {
        refused(kind, "another outcome", &|event| event["outcome"] = "4".into());
        refused(kind, "another action", &|event| {
            let other = if event["action"] == "C" { "R" } else { "C" };
            event["action"] = other.into();
        });
        refused(kind, "client and server in each other's roles", &|event| {
            let agents = event["agent"].as_array_mut().unwrap();
            let first = agents[0]["type"].take();
            agents[0]["type"] = agents[1]["type"].take();
            agents[1]["type"] = first;
            agents[0].as_object_mut().unwrap().remove("network");
        });
        refused(kind, "nothing that it was about", &|event| {
            let entities = event["entity"].as_array_mut().unwrap();
            entities.retain(|entity| entity["type"]["code"] != "2");
        });
        refused(&format!("patient-{kind}"), "no patient", &|event| {
            let entities = event["entity"].as_array_mut().unwrap();
            entities.retain(|entity| entity["type"]["code"] != "1");
        });
    }
    refused("sign-in", "no count", &|event| {
        event["entity"][0].as_object_mut().unwrap().remove("detail");
    });
    refused("sign-in", "success", &|event| event["outcome"] = "0".into());
}

#[test]
fn what_was_asked_for_is_kept_to_the_letter() {
    let server = lived_in();
    let asked: Vec<String> = events(&server)
        .iter()
        .flat_map(|event| event["entity"].as_array().unwrap().clone())
        .filter_map(|entity| {
            use base64::Engine as _;
            let text = base64::engine::general_purpose::STANDARD
                .decode(entity["query"].as_str()?)
                .unwrap();
            Some(String::from_utf8(text).unwrap())
        })
        .collect();
    for expected in [
        "Observation?subject=Patient/a&code:text=pulse",
        "Patient/a/Observation?code:text=pulse",
        "Patient?_elements=name",
        "Observation?code:text=none",
        "Organization",
        "?_type=Organization",
    ] {
        assert!(asked.iter().any(|one| one == expected), "{expected} in {asked:?}");
    }
}
