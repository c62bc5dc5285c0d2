//! `_explain`: who is told how a search is answered, and what.

use super::*;
use crate::context::PrincipalKind;
use crate::scopes::Scopes;

fn session_of(server: &TestServer, principal: Principal) -> Session {
    let mut context = server.context();
    context.principal = principal;
    server.engine.session(context)
}

fn explain_as(server: &TestServer, principal: Principal, url: &str) -> Result<Response, Error> {
    server.send_in(session_of(server, principal), &request("GET", url))
}

fn operator() -> Principal {
    Principal::system("explain")
}

/// The values of a parameter of the answer, and of its parts.
fn values(answer: &Value, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for parameter in answer["parameter"].as_array().unwrap() {
        let parts = parameter["part"].as_array().cloned().unwrap_or_default();
        for one in std::iter::once(parameter.clone()).chain(parts) {
            if one["name"] == name {
                found.extend(one["valueString"].as_str().map(str::to_owned));
            }
        }
    }
    found
}

#[test]
fn a_search_is_explained_to_an_operator() {
    let server = TestServer::new();
    for n in 0..30 {
        let birth = format!("19{:02}-01-05", 50 + n);
        let patient =
            format!(r#"{{"resourceType":"Patient","id":"p{n}","birthDate":"{birth}","gender":"male"}}"#);
        server.put(&format!("Patient/p{n}"), &patient).unwrap();
    }
    let url = "Patient?gender=male&birthdate=ge1960&birthdate=lt1962&_explain=true";
    let answer = json(&explain_as(&server, operator(), url).unwrap());
    assert_eq!(answer["resourceType"], "Parameters");
    let understood = values(&answer, "understood").join("");
    assert!(
        understood.contains("Patient.gender") && understood.contains("Patient.birthdate"),
        "{understood}"
    );
    assert!(
        values(&answer, "query").join("").contains("birthdate=lt1962"),
        "{answer:#}"
    );
    assert_eq!(values(&answer, "drivenBy").len(), 1);
    if !module_path!().contains("tests_on") {
        return;
    }
    // The dates were put together, and give fewer than the gender does.
    assert!(
        values(&answer, "filter")
            .iter()
            .any(|part| part.contains("Every")),
        "{answer:#}"
    );
    assert!(values(&answer, "plan").join("\n").contains("span"), "{answer:#}");
    assert!(
        values(&answer, "sql")
            .iter()
            .all(|sql| sql.contains('?') && !sql.contains("male"))
    );
    let looked: u64 = values(&answer, "lookedAt")
        .iter()
        .map(|n| n.parse::<u64>().unwrap())
        .sum();
    assert!(looked > 0, "{answer:#}");
    // Afterwards the connection answers as before.
    assert_eq!(
        server.json("Patient?birthdate=ge1960&birthdate=lt1962")["total"],
        2
    );
}

#[test]
fn nobody_who_is_no_operator_is_told_how_a_search_is_answered() {
    let server = TestServer::new();
    let url = "Patient?gender=male&_explain=true";
    let all = || Scopes::read("system/*.cruds user/*.cruds patient/*.cruds operator/explain");
    let refused = [
        Principal::sandbox_clinician(),
        Principal::sandbox_clinician().with_scopes(all()),
        Principal::new("a", PrincipalKind::Patient)
            .with_scopes(all())
            .with_patient("p1"),
        Principal::new("a", PrincipalKind::RelatedPerson).with_scopes(all()),
        Principal::anonymous(),
        Principal::new("a", PrincipalKind::Client),
        Principal::new("a", PrincipalKind::Client).with_scopes(Scopes::read("system/*.cruds")),
    ];
    for principal in refused {
        let answer = told(explain_as(&server, principal.clone(), url));
        assert_eq!(
            answer,
            (403, "forbidden", "http._explain".to_owned()),
            "{principal:?}"
        );
    }
    let program = Principal::new("a", PrincipalKind::Client).with_scopes(all());
    explain_as(&server, program, url).unwrap();
    // What is not asked for is no matter.
    assert_eq!(server.json("Patient?_explain=false")["resourceType"], "Bundle");
    assert_eq!(
        told(explain_as(&server, operator(), "Patient?_explain=yes")).0,
        400
    );
}
