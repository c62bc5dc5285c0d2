//! capabilities.

use fhir_model::{CapabilityStatement, Resource};

use super::*;
use crate::interaction::{Interaction, Level};

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
    assert!(!of_types.contains(&"patch"));
    for claim in ["conditionalCreate", "conditionalUpdate"] {
        assert_eq!(rest["resource"][0][claim], true);
    }
    assert_eq!(rest["resource"][0]["conditionalDelete"], "single");
    assert_eq!(rest["resource"][0]["versioning"], "versioned");
    assert_eq!(rest.get("operation"), None);
}

#[test]
fn it_says_whether_an_update_may_create() {
    let claim =
        |server: TestServer| server.json("metadata")["rest"][0]["resource"][0]["updateCreate"].clone();
    assert_eq!(claim(TestServer::new()), true);
    assert_eq!(claim(TestServer::with(|_| {})), false);
}

#[test]
fn every_search_parameter_that_it_claims_works() {
    let server = TestServer::new();
    let statement = server.json("metadata");
    let claimed = statement["rest"][0]["resource"][0]["searchParam"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(claimed.len(), 2);
    for parameter in claimed {
        let value = if parameter["type"] == "date" { "2026" } else { "a" };
        let mut search = request(
            "GET",
            &format!("Patient?{}={value}", parameter["name"].as_str().unwrap()),
        );
        search.strict_handling = Some(true);
        assert_eq!(server.send(&search).unwrap().status, 200, "{parameter}");
    }
}

#[test]
fn mode_decides_what_is_given() {
    let server = TestServer::new();
    assert_eq!(server.get("metadata?mode=full").unwrap().status, 200);
    assert_eq!(server.get("metadata?mode=normative").unwrap().status, 200);
    assert_eq!(
        told(server.get("metadata?mode=terminology")),
        (501, "not-supported", "http.mode".into())
    );
    assert_eq!(
        told(server.get("metadata?mode=all")),
        (400, "value", "http.mode".into())
    );
    assert_eq!(
        server.json("metadata?_elements=software")["software"]["name"],
        "fhir-server"
    );
}
