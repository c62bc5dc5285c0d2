//! Operations: what they are called on, with what, and what they do.

use std::future::ready as at_once;

use fhir_model::{OperationDefinition, OperationDefinitionParameter};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;

use super::*;
use crate::interaction::Interaction;
use crate::operation::{Call, Done, Operation, Operations, answer};
use crate::policy::{Access, Decision};

const PATIENT_WITH_TAGS: &str = r#"{"active":true,"resourceType":"Patient","id":"p","meta":{"tag":[{"system":"a:s","code":"x","display":"caf\u00e9"}],"profile":["http://example.org/one"]}}"#;

fn server() -> TestServer {
    let server = TestServer::new();
    server.put("Patient/p", PATIENT_WITH_TAGS).unwrap();
    server
}

fn meta_of(meta: Value) -> String {
    json!({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}).to_string()
}

fn returned(response: &Response) -> Value {
    let parameters = json(response);
    assert_eq!(parameters["resourceType"], "Parameters");
    assert_eq!(parameters["parameter"][0]["name"], "return");
    parameters["parameter"][0]["valueMeta"].clone()
}

#[test]
fn meta_is_given_as_it_is_stored() {
    let server = server();
    let answer = server.get("Patient/p/$meta").unwrap();
    assert!(text(&answer).contains(r#""display":"caf\u00e9""#));
    let meta = returned(&answer);
    assert_eq!(
        (&meta["versionId"], &meta["tag"][0]["code"]),
        (&json!("1"), &json!("x"))
    );
    let posted = server
        .post("Patient/p/$meta", r#"{"resourceType":"Parameters"}"#)
        .unwrap();
    assert_eq!(returned(&posted), meta);
    assert_eq!(
        returned(&server.send(&request("POST", "Patient/p/$meta")).unwrap()),
        meta
    );
    assert_eq!(told(server.get("Patient/none/$meta")).0, 404);
    server.delete("Patient/p").unwrap();
    assert_eq!(told(server.get("Patient/p/$meta")).0, 410);
}

#[test]
fn meta_add_adds_what_is_not_there_and_leaves_the_rest() {
    let server = server();
    let add = meta_of(json!({
        "tag": [{"system": "a:s", "code": "x", "display": "other"}, {"system": "a:s", "code": "y"}],
        "security": [{"code": "R"}],
        "profile": ["http://example.org/one", "http://example.org/two"]
    }));
    let answer = server.post("Patient/p/$meta-add", &add).unwrap();
    let meta = returned(&answer);
    assert_eq!(
        meta["tag"],
        json!([{"system": "a:s", "code": "x", "display": "café"}, {"system": "a:s", "code": "y"}])
    );
    assert_eq!(meta["security"], json!([{"code": "R"}]));
    assert_eq!(
        meta["profile"],
        json!(["http://example.org/one", "http://example.org/two"])
    );
    assert_eq!((&meta["versionId"], answer.version), (&json!("2"), Some(2)));
    let read = text(&server.get("Patient/p").unwrap());
    assert!(
        read.starts_with(r#"{"active":true,"resourceType":"Patient","id":"p","meta":{"#),
        "{read}"
    );
    assert!(read.contains(r"caf\u00e9"));
    let again = server.post("Patient/p/$meta-add", &add).unwrap();
    assert_eq!((again.version, server.versions()), (Some(2), 2));
}

#[test]
fn meta_add_makes_a_meta_where_there_is_none() {
    let server = TestServer::new();
    server
        .put("Patient/p", r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    let add = meta_of(json!({"tag": [{"code": "y"}]}));
    assert_eq!(
        returned(&server.post("Patient/p/$meta-add", &add).unwrap())["tag"],
        json!([{"code": "y"}])
    );
    server.post("Patient/p/$meta-delete", &add).unwrap();
    assert_eq!(server.json("Patient/p")["meta"].as_object().unwrap().len(), 2);
}

#[test]
fn meta_delete_takes_off_by_system_and_code() {
    let server = server();
    let delete = meta_of(json!({"tag": [{"system": "a:s", "code": "x"}, {"code": "x"}]}));
    let meta = returned(&server.post("Patient/p/$meta-delete", &delete).unwrap());
    assert_eq!((meta.get("tag"), &meta["versionId"]), (None, &json!("2")));
    assert_eq!(meta["profile"], json!(["http://example.org/one"]));
    let again = server.post("Patient/p/$meta-delete", &delete).unwrap();
    assert_eq!(again.version, Some(2));
}

#[test]
fn what_changes_something_needs_post_and_honours_conditions() {
    let server = server();
    assert_eq!(told(server.get("Patient/p/$meta-add")).0, 405);
    let mut add = with_body(
        request("POST", "Patient/p/$meta-add"),
        &meta_of(json!({"tag": [{"code": "y"}]})),
    );
    add.if_match = versions(&["7"]);
    assert_eq!(told(server.send(&add)).0, 412);
    let odd = server.post("Patient/p/$meta-add", &meta_of(json!({"source": "a:b"})));
    assert_eq!(
        told(odd),
        (400, "invalid", "Parameters.parameter[0].valueMeta.source".into())
    );
    assert_eq!(server.versions(), 1);
}

#[test]
fn arguments_are_checked_by_the_definition() {
    let server = server();
    let add = |body: Value| told(server.post("Patient/p/$meta-add", &body.to_string()));
    let parameters = |list: Value| json!({"resourceType": "Parameters", "parameter": list});
    let meta = json!({"name": "meta", "valueMeta": {"tag": [{"code": "y"}]}});
    for (body, expected) in [
        (
            parameters(json!([{"name": "tag", "valueString": "x"}])),
            (400, "invalid", "Parameters.parameter[0]"),
        ),
        (
            parameters(json!([meta, meta])),
            (400, "invalid", "Parameters.parameter"),
        ),
        (
            parameters(json!([{"name": "meta", "valueString": "x"}])),
            (400, "invalid", "Parameters.parameter[0]"),
        ),
        (
            parameters(
                json!([{"name": "meta", "valueMeta": {"tag": [{"code": "y"}]}, "part": [{"name": "x", "valueString": "y"}]}]),
            ),
            (400, "structure", "Parameters.parameter[0]"),
        ),
        (
            json!({"resourceType": "Parameters"}),
            (400, "required", "Parameters.parameter"),
        ),
        (
            json!({"resourceType": "Basic", "code": {"text": "x"}}),
            (400, "invalid", "Basic"),
        ),
    ] {
        let (status, issue, place) = add(body.clone());
        // Whether a parameter with a value and parts is refused is for the reader or the definition to say.
        assert_eq!(status, expected.0, "{body}");
        if expected.1 != "structure" {
            assert_eq!((issue, place.as_str()), (expected.1, expected.2), "{body}");
        }
    }
    assert_eq!(
        told(server.get("Patient/p/$meta?depth=3")),
        (400, "invalid", "http.depth".into())
    );
    assert_eq!(told(server.get("Patient/p/$meta-add?meta=x")).0, 405);
    let mut add = request("POST", "Patient/p/$meta-add?meta=x");
    assert_eq!(told(server.send(&add)), (400, "value", "http.meta".into()));
    add.query.clear();
    assert_eq!(
        told(server.send(&add)),
        (400, "required", "Parameters.parameter".into())
    );
    assert_eq!(server.versions(), 1);
}

#[test]
fn an_operation_that_is_not_offered_there_says_so() {
    let server = server();
    for (url, words) in [
        ("$diff", "does not run on the whole server"),
        ("Patient/$diff", "does not run on the type Patient"),
        ("Patient/p/$merge", "offers no operation `$merge`"),
    ] {
        let error = server.get(url).unwrap_err();
        assert_eq!(error.code, ErrorCode::NotSupported);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn diff_is_a_patch_that_leads_from_one_version_to_the_other() {
    let server = server();
    assert_eq!(told(server.get("Patient/p/$diff")).0, 404);
    server
        .put(
            "Patient/p",
            r#"{"resourceType":"Patient","id":"p","active":false,"gender":"male"}"#,
        )
        .unwrap();
    server
        .put(
            "Patient/p",
            r#"{"resourceType":"Patient","id":"p","active":false}"#,
        )
        .unwrap();
    let last = server.json("Patient/p/$diff");
    assert_eq!(last["parameter"].as_array().unwrap().len(), 1);
    assert_eq!(last["parameter"][0]["part"][1]["valueString"], "Patient.gender");
    let back = text(&server.get("Patient/p/$diff?fromVersion=3&toVersion=1").unwrap());
    server
        .send(&with_body(request("PATCH", "Patient/p"), &back))
        .unwrap();
    let (mut first, mut now) = (server.json("Patient/p/_history/1"), server.json("Patient/p"));
    for resource in [&mut first, &mut now] {
        let meta = resource["meta"].as_object_mut().unwrap();
        meta.remove("versionId");
        meta.remove("lastUpdated");
    }
    assert_eq!(first, now);
    let body = r#"{"resourceType":"Parameters","parameter":[{"name":"fromVersion","valueString":"4"},{"name":"toVersion","valueString":"1"}]}"#;
    assert_eq!(
        json(&server.post("Patient/p/$diff", body).unwrap()),
        json!({"resourceType": "Parameters"})
    );
    assert_eq!(told(server.get("Patient/p/$diff?fromVersion=9")).0, 404);
    assert_eq!(
        told(server.get("Patient/p/$diff?fromVersion=x")),
        (400, "value", "http.fromVersion".into())
    );
    server.delete("Patient/p").unwrap();
    assert_eq!(told(server.get("Patient/p/$diff")).0, 410);
}

#[test]
fn bundles_call_operations_too() {
    for kind in ["batch", "transaction"] {
        let server = server();
        let add: Value = serde_json::from_str(&meta_of(json!({"tag": [{"code": "y"}]}))).unwrap();
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": [
            {"request": {"method": "GET", "url": "Patient/p/$meta"}},
            {"resource": add, "request": {"method": "POST", "url": "Patient/p/$meta-add"}},
            {"request": {"method": "GET", "url": "Patient/p/$diff"}},
        ]});
        let answer = json(&server.bundle(&bundle).unwrap());
        for (index, entry) in answer["entry"].as_array().unwrap().iter().enumerate() {
            assert_eq!(entry["response"]["status"], "200 OK", "{kind} {index} {entry}");
            assert_eq!(entry["resource"]["resourceType"], "Parameters");
        }
        assert_eq!(
            answer["entry"][0]["resource"]["parameter"][0]["valueMeta"]["versionId"],
            "2"
        );
        assert_eq!(server.versions(), 2);
    }
    let server = server();
    let add: Value = serde_json::from_str(&meta_of(json!({"tag": [{"code": "y"}]}))).unwrap();
    let twice = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": add, "request": {"method": "POST", "url": "Patient/p/$meta-add"}},
        {"request": {"method": "DELETE", "url": "Patient/p"}},
    ]});
    assert_eq!(told(server.bundle(&twice)).0, 400);
    let unknown = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "GET", "url": "Patient/p/$nothing"}},
        {"request": {"method": "DELETE", "url": "Patient/p"}},
    ]});
    assert_eq!(
        told(server.bundle(&unknown)),
        (501, "not-supported", "Bundle.entry[0].request.url".into())
    );
    assert_eq!(server.versions(), 1);
}

/// Permits everything but one operation.
struct Without(&'static str);

impl Policy for Without {
    fn decide(&self, _: &Context, access: &Access<'_>) -> Result<Decision, Error> {
        assert_eq!(
            access.operation.is_some(),
            access.interaction == Interaction::Operation
        );
        match access.operation == Some(self.0) {
            true => Ok(Decision::Deny { reason: "No.".into() }),
            false => Ok(Decision::permit(Filter::All)),
        }
    }
}

#[test]
fn each_operation_is_decided_by_its_code() {
    for (denied, meta, add) in [("meta", 403, 200), ("meta-add", 200, 403)] {
        let open = server();
        let policy = Arc::new(Without(denied));
        let server = TestServer::over(
            open.store.clone(),
            open.clock.clone(),
            Settings::default(),
            policy,
        );
        let status =
            |result: Result<Response, Error>| result.map_or_else(|e| e.code.facts().status, |r| r.status);
        assert_eq!(status(server.get("Patient/p/$meta")), meta);
        let body = meta_of(json!({"tag": [{"code": "y"}]}));
        assert_eq!(status(server.post("Patient/p/$meta-add", &body)), add);
    }
}

#[test]
fn the_capability_statement_lists_the_operations_where_they_run() {
    let rest = TestServer::new().json("metadata")["rest"][0].clone();
    assert_eq!(rest["operation"][0]["name"], "graphql");
    assert_eq!(rest["operation"][1]["name"], "meta");
    let documented = usize::from(cfg!(feature = "docs"));
    assert_eq!(rest["operation"].as_array().unwrap().len(), 2 + documented);
    let operations = rest["resource"][0]["operation"].as_array().unwrap();
    let names: Vec<&str> = operations.iter().map(|o| o["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "diff",
            "graphql",
            "meta",
            "meta-add",
            "meta-delete",
            "openapi",
            "validate"
        ]
    );
    assert_eq!(
        operations[2]["definition"],
        "http://hl7.org/fhir/OperationDefinition/Resource-meta"
    );
}

/// An operation of an embedder: says what it was given.
struct Echo;

impl Operation for Echo {
    fn code(&self) -> &'static str {
        "echo"
    }
    fn definition(&self) -> OperationDefinition {
        let parameter = |name: &str, max: &str, kind: &str| OperationDefinitionParameter {
            name: name.into(),
            use_: "in".into(),
            min: 0.into(),
            max: max.into(),
            type_: kind.into(),
            ..OperationDefinitionParameter::default()
        };
        OperationDefinition {
            system: true.into(),
            type_: true.into(),
            instance: false.into(),
            resource: vec!["Patient".into()],
            affects_state: false.into(),
            parameter: vec![
                parameter("text", "*", "string"),
                parameter("count", "1", "integer"),
                parameter("flag", "1", "boolean"),
                parameter("resource", "1", "Patient"),
            ],
            ..OperationDefinition::default()
        }
    }
    fn run<'c>(&'c self, _: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done, Error>> {
        let given = ["text", "count", "flag", "resource"]
            .iter()
            .flat_map(|name| call.arguments.all(name));
        at_once(Ok(Done::Answer(answer(given.cloned().collect())))).boxed()
    }
}

#[test]
fn an_operation_of_an_embedder_is_offered_where_its_definition_says() {
    let mut server = server();
    server.engine = server
        .engine
        .clone()
        .with_operations(Operations::builtin().with(Arc::new(Echo)));
    let echo = server.json("$echo?text=a&text=b&count=7&flag=true");
    assert_eq!(
        echo["parameter"],
        json!([{"name": "text", "valueString": "a"}, {"name": "text", "valueString": "b"},
            {"name": "count", "valueInteger": 7}, {"name": "flag", "valueBoolean": true}])
    );
    for (url, status, place) in [
        ("$echo?count=x", 400, "http.count"),
        ("$echo?count=1&count=2", 400, "Parameters.parameter"),
        ("$echo?flag=yes", 400, "http.flag"),
        ("$echo?resource=x", 400, "http.resource"),
        ("Patient/p/$echo", 501, "http.url"),
        ("Observation/$echo", 501, "http.url"),
    ] {
        let (found, _, at) = told(server.get(url));
        assert_eq!((found, at.as_str()), (status, place), "{url}");
    }
    let patient = server.post("Patient/$echo", PATIENT_WITH_TAGS).unwrap();
    assert_eq!(json(&patient)["parameter"][0]["resource"]["id"], "p");
    assert_eq!(
        told(server.post("Patient/$echo", r#"{"resourceType":"Basic","code":{"text":"x"}}"#)).0,
        400
    );
    let rest = server.json("metadata")["rest"][0].clone();
    assert_eq!(rest["operation"][0]["name"], "echo");
}

#[test]
fn meta_of_a_type_or_of_the_server_is_what_is_in_use() {
    let server = TestServer::new();
    let basic = |meta: &str| format!(r#"{{"resourceType":"Basic",{meta}"code":{{"text":"x"}}}}"#);
    let used = |url: &str| server.json(url)["parameter"][0]["valueMeta"].clone();
    assert_eq!(server.json("Basic/$meta"), json!({"resourceType": "Parameters"}));
    for meta in [
        r#""meta":{"tag":[{"system":"urn:t","code":"A","display":"Big a"}]},"#,
        r#""meta":{"tag":[{"system":"urn:t","code":"a"},{"code":"free"}],"profile":["http://a.example/p"]},"#,
        r#""meta":{"tag":[{"system":"urn:t","code":"A"}]},"#,
        "",
    ] {
        server.post("Basic", &basic(meta)).unwrap();
    }
    server
        .post(
            "Patient",
            r#"{"resourceType":"Patient","meta":{"security":[{"system":"urn:s","code":"R"}]}}"#,
        )
        .unwrap();
    let of_type = used("Basic/$meta");
    assert_eq!(of_type["profile"], json!(["http://a.example/p"]));
    let tags = of_type["tag"].as_array().unwrap();
    assert!(
        tags.contains(&json!({"code": "free"})) && tags.len() >= 2,
        "{of_type}"
    );
    assert!(of_type.get("security").is_none());
    let of_server = used("$meta");
    assert_eq!(of_server["security"], json!([{"system": "urn:s", "code": "R"}]));
    assert_eq!(of_server["tag"], of_type["tag"]);
}
