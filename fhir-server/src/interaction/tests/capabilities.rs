//! capabilities.

use fhir_model::{CapabilityStatement, Resource};

use super::*;
use crate::interaction::{Interaction, Level};
use crate::search::registry::{Parameter, Registry};
use crate::store::ResourceType;

#[test]
fn the_statement_is_valid_and_names_every_type() {
    let statement = text(&TestServer::new().get("metadata").unwrap());
    let resource = fhir_model::json::from_str(&statement).unwrap();
    assert_eq!(fhir_validate::Validator::new().validate(&resource), []);
    let statement: &CapabilityStatement = resource.get().unwrap();
    let types: Vec<&str> = statement.rest[0]
        .resource
        .iter()
        .filter_map(|r| r.type_.as_str())
        .collect();
    assert_eq!(types, Resource::TYPES);
    assert_eq!(statement.fhir_version.as_str(), Some("4.0.1"));
    assert_eq!(
        statement.implementation.as_ref().unwrap().url.as_str(),
        Some(BASE)
    );
}

#[test]
fn it_claims_the_interactions_that_are_offered_and_no_other() {
    let statement = TestServer::new().json("metadata");
    let rest = &statement["rest"][0];
    let codes = |list: &Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|i| i["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        codes(&rest["interaction"]),
        ["history-system", "search-system", "batch", "transaction"]
    );
    let of_types: Vec<&str> = Interaction::ALL
        .iter()
        .filter(|i| i.level() != Level::System)
        .map(|i| i.code())
        .collect();
    assert_eq!(codes(&rest["resource"][0]["interaction"]), of_types);
    assert!(of_types.contains(&"patch"));
    assert_eq!(statement["patchFormat"].as_array().unwrap().len(), 5);
    for claim in ["conditionalCreate", "conditionalUpdate"] {
        assert_eq!(rest["resource"][0][claim], true);
    }
    assert_eq!(rest["resource"][0]["conditionalDelete"], "single");
    assert_eq!(rest["resource"][0]["versioning"], "versioned");
}

#[test]
fn it_says_whether_an_update_may_create() {
    let claim =
        |server: TestServer| server.json("metadata")["rest"][0]["resource"][0]["updateCreate"].clone();
    assert_eq!(claim(TestServer::new()), true);
    assert_eq!(claim(TestServer::with(|_| {})), false);
}

/// A value of that type of parameter; of a composite, with a value for each part.
fn value(parameter: &Parameter) -> String {
    let parts: Vec<&str> = parameter
        .components
        .iter()
        .map(|part| of_kind(part.kind.code()))
        .collect();
    match parts.is_empty() {
        true => of_kind(parameter.kind.code()).to_owned(),
        false => parts.join("$"),
    }
}

fn of_kind(kind: &str) -> &'static str {
    match kind {
        "date" => "2026",
        "number" | "quantity" => "1",
        "uri" => "http://a.example/b",
        "special" => "1|1",
        _ => "a",
    }
}

#[test]
fn every_search_parameter_that_it_claims_works() {
    let server = TestServer::new();
    let statement = server.json("metadata");
    let rest = &statement["rest"][0];
    let common = rest["searchParam"].as_array().unwrap().clone();
    assert!(common.iter().any(|p| p["name"] == "_profile"));
    let types = rest["resource"].as_array().unwrap();
    let mut tried = 0;
    // Every tenth type, that of observations among them.
    for resource in types
        .iter()
        .filter(|r| r["type"] == "Observation")
        .chain(types.iter().step_by(10))
    {
        let of_type = resource["type"].as_str().unwrap();
        let own = resource["searchParam"].as_array().unwrap().iter();
        for claimed in own.chain(&common) {
            let code = claimed["name"].as_str().unwrap();
            let parameter = Registry::r4()
                .find(ResourceType::from_name(of_type), code)
                .unwrap();
            let mut search = request("GET", &format!("{of_type}?{code}={}", value(parameter)));
            search.strict_handling = Some(true);
            let answer = server
                .send(&search)
                .unwrap_or_else(|e| panic!("{of_type}?{code}: {e}"));
            assert_eq!(answer.status, 200, "{of_type}?{code}");
            tried += 1;
        }
    }
    assert!(tried > 250, "{tried}");
}

#[test]
fn every_include_that_it_claims_works() {
    let server = TestServer::new();
    let statement = server.json("metadata");
    let types = statement["rest"][0]["resource"].as_array().unwrap();
    let patient = types.iter().find(|r| r["type"] == "Patient").unwrap();
    let list = |name: &str| -> Vec<String> {
        let all = patient[name].as_array().unwrap();
        all.iter().map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        list("searchInclude"),
        [
            "Patient:general-practitioner",
            "Patient:link",
            "Patient:organization"
        ]
    );
    let reverse = list("searchRevInclude");
    assert!(reverse.iter().any(|v| v == "Observation:patient") && reverse.len() > 50);
    for (name, values) in [("_include", list("searchInclude")), ("_revinclude", reverse)] {
        for value in values {
            assert_eq!(
                server.get(&format!("Patient?{name}={value}")).unwrap().status,
                200,
                "{value}"
            );
        }
    }
}

#[test]
fn mode_decides_what_is_given() {
    let server = TestServer::new();
    assert_eq!(server.get("metadata?mode=full").unwrap().status, 200);
    assert_eq!(server.get("metadata?mode=normative").unwrap().status, 200);
    let terminology = server.json("metadata?mode=terminology");
    assert_eq!(terminology["resourceType"], "TerminologyCapabilities");
    assert_eq!(
        told(server.get("metadata?mode=all")),
        (400, "value", "http.mode".into())
    );
    assert_eq!(
        server.json("metadata?_elements=software")["software"]["name"],
        "fhir-server"
    );
}
