//! patch: its forms, its conditions, and its place in batches and transactions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::interaction::{Interaction, PatchForm, PreferReturn};
use crate::policy::{Access, Decision};

const OBSERVATION: &str = r#"{"status":"final","resourceType":"Observation","id":"o","code":{"text":"caf\u00e9"},"valueQuantity":{"unit":"kg","value":1.50}}"#;

pub(super) fn server() -> TestServer {
    let server = TestServer::new();
    server.put("Observation/o", OBSERVATION).unwrap();
    server
}

fn patch_with(form: PatchForm, body: &str) -> Request {
    let mut patch = request("PATCH", "Observation/o");
    patch.body = Some(RequestBody::Patch(form, body.to_owned().into()));
    patch
}

pub(super) fn replace(path: &str, value: &str) -> Request {
    patch_with(
        PatchForm::Json,
        &format!(r#"[{{"op":"replace","path":"{path}","value":{value}}}]"#),
    )
}

fn parameters(kind: &str, path: &str, more: &str) -> String {
    format!(
        r#"{{"resourceType":"Parameters","parameter":[{{"name":"operation","part":[{{"name":"type","valueCode":"{kind}"}},
        {{"name":"path","valueString":"{path}"}}{more}]}}]}}"#
    )
}

const AMENDED: &str = r#",{"name":"value","valueCode":"amended"}"#;

/// The resource as it is read, but for its stamp.
fn stored(server: &TestServer) -> String {
    let body = text(&server.get("Observation/o").unwrap());
    let (before, rest) = body.split_once(r#""meta":{"#).unwrap();
    let (_, after) = rest.split_once("},").unwrap();
    format!("{before}{after}")
}

#[test]
fn every_form_changes_what_it_names_and_leaves_the_rest_byte_for_byte() {
    let fhirpath = parameters("replace", "Observation.status", AMENDED);
    let xml = format!(
        r#"<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>{}</parameter></Parameters>"#,
        [
            ("type", "Code", "replace"),
            ("path", "String", "Observation.status"),
            ("value", "Code", "amended")
        ]
        .map(|(name, kind, value)| format!(
            r#"<part><name value="{name}"/><value{kind} value="{value}"/></part>"#
        ))
        .concat()
    );
    let fhir = |format, body: &str| {
        let mut patch = request("PATCH", "Observation/o");
        patch.body = Some(RequestBody::Fhir(format, body.to_owned().into()));
        patch
    };
    for patch in [
        replace("/status", "\"amended\""),
        patch_with(PatchForm::Merge, r#"{"status":"amended"}"#),
        patch_with(
            PatchForm::Xml,
            r#"<diff xmlns="http://hl7.org/fhir"><replace sel="Observation/status/@value">amended</replace></diff>"#,
        ),
        fhir(Format::Json, &fhirpath),
        fhir(Format::Xml, &xml),
    ] {
        let server = server();
        let answer = server.send(&patch).unwrap();
        assert_eq!((answer.status, answer.version), (200, Some(2)));
        assert_eq!(answer.location.as_deref(), Some("Observation/o/_history/2"));
        assert_eq!(json(&answer)["status"], "amended");
        assert_eq!(stored(&server), OBSERVATION.replace("final", "amended"));
    }
}

#[test]
fn a_patch_that_changes_nothing_makes_no_version() {
    let server = server();
    let answer = server.send(&replace("/status", "\"final\"")).unwrap();
    assert_eq!((answer.status, answer.version), (200, Some(1)));
    assert_eq!(server.versions(), 1);
}

#[test]
fn prefer_decides_what_a_patch_gives_back() {
    let server = server();
    let mut patch = replace("/status", "\"amended\"");
    patch.prefer_return = Some(PreferReturn::Minimal);
    let answer = server.send(&patch).unwrap();
    assert!(matches!(answer.payload, Payload::None) && answer.version == Some(2));
}

#[test]
fn conditions_are_checked_before_the_patch_is_looked_at() {
    let server = server();
    server.send(&replace("/status", "\"amended\"")).unwrap();
    let mut patch = replace("/nope", "1");
    patch.if_match = versions(&["1"]);
    assert_eq!(
        told(server.send(&patch)),
        (412, "conflict", "http.if-match".into())
    );
    let mut patch = replace("/status", "\"corrected\"");
    patch.if_match = versions(&["1", "2"]);
    assert_eq!(server.send(&patch).unwrap().version, Some(3));
    patch.if_match = Some(EntityTags::Any);
    assert_eq!(server.send(&patch).unwrap().version, Some(3));
    patch.if_none_match = Some(EntityTags::Any);
    assert_eq!(told(server.send(&patch)).0, 412);
}

#[test]
fn what_does_not_exist_or_was_deleted_cannot_be_patched() {
    let server = TestServer::new();
    let patch = replace("/status", "\"amended\"");
    assert_eq!(told(server.send(&patch)).0, 404);
    server.put("Observation/o", OBSERVATION).unwrap();
    server.delete("Observation/o").unwrap();
    assert_eq!(told(server.send(&patch)), (410, "deleted", String::new()));
    assert_eq!(server.versions(), 2);
}

#[test]
fn type_id_and_version_stay() {
    let server = server();
    for (patch, place) in [
        (replace("/id", "\"x\""), "Observation.id"),
        (patch_with(PatchForm::Merge, r#"{"id":null}"#), "Observation.id"),
        (replace("/meta/versionId", "\"7\""), "Observation.meta.versionId"),
        (
            replace("", r#"{"resourceType":"Patient","id":"o"}"#),
            "Observation.resourceType",
        ),
    ] {
        assert_eq!(told(server.send(&patch)), (422, "invariant", place.into()));
    }
    let meta = server
        .send(&patch_with(
            PatchForm::Json,
            r#"[{"op":"replace","path":"/meta","value":{"source":"a:b"}}]"#,
        ))
        .unwrap();
    assert_eq!(json(&meta)["meta"]["versionId"], "2");
    assert_eq!(json(&meta)["meta"]["source"], "a:b");
    let test = r#"[{"op":"test","path":"/meta/versionId","value":"2"},{"op":"remove","path":"/meta"}]"#;
    let answer = server.send(&patch_with(PatchForm::Json, test)).unwrap();
    assert_eq!(answer.version, Some(3));
    assert_eq!(json(&answer)["meta"].as_object().unwrap().len(), 2);
}

#[test]
fn the_result_is_read_strictly_and_validated() {
    let server = server();
    for (patch, told_) in [
        (replace("/code", "[]"), (400, "structure", "Observation.code")),
        (
            patch_with(PatchForm::Merge, r#"{"nickname":"x"}"#),
            (400, "structure", "Observation.nickname"),
        ),
        (
            patch_with(PatchForm::Json, r#"[{"op":"remove","path":"/status"}]"#),
            (400, "structure", "Observation.status"),
        ),
        (replace("", "7"), (400, "structure", "")),
    ] {
        let (status, issue, place) = told(server.send(&patch));
        assert_eq!((status, issue, place.as_str()), told_);
    }
    assert_eq!(server.versions(), 1);
}

#[test]
fn a_body_that_is_no_patch_says_what_is_taken() {
    let server = server();
    let whole = with_body(request("PATCH", "Observation/o"), OBSERVATION);
    let messages = issues(server.send(&whole));
    assert!(messages[0].1.contains("application/merge-patch+json") && messages[0].1.contains("use PUT"));
    assert_eq!(
        told(server.send(&request("PATCH", "Observation/o"))),
        (400, "required", String::new())
    );
    let put = {
        let mut put = request("PUT", "Observation/o");
        put.body = Some(RequestBody::Patch(PatchForm::Json, "[]".into()));
        put
    };
    assert_eq!(told(server.send(&put)).0, 415);
}

fn binary(content_type: &str, patch: &str) -> Value {
    json!({"resourceType": "Binary", "contentType": content_type, "data": STANDARD.encode(patch)})
}

fn entry_of(resource: Value) -> Value {
    json!({"resource": resource, "request": {"method": "PATCH", "url": "Observation/o"}})
}

fn bundle(kind: &str, entries: Value) -> Value {
    json!({"resourceType": "Bundle", "type": kind, "entry": entries})
}

#[test]
fn bundles_carry_patches_as_binaries_and_as_parameters() {
    let json_patch = r#"[{"op":"replace","path":"/status","value":"amended"}]"#;
    let xml_patch = r#"<diff xmlns="http://hl7.org/fhir"><replace sel="Observation/status/@value">amended</replace></diff>"#;
    let fhirpath: Value =
        serde_json::from_str(&parameters("replace", "Observation.status", AMENDED)).unwrap();
    for kind in ["batch", "transaction"] {
        for resource in [
            binary("application/json-patch+json; charset=utf-8", json_patch),
            binary("application/merge-patch+json", r#"{"status":"amended"}"#),
            binary("Application/XML-Patch+xml", xml_patch),
            fhirpath.clone(),
        ] {
            let server = server();
            let answer = server.bundle(&bundle(kind, json!([entry_of(resource)]))).unwrap();
            let answer = json(&answer);
            assert_eq!(answer["entry"][0]["response"]["status"], "200 OK", "{answer}");
            assert_eq!(answer["entry"][0]["response"]["etag"], "W/\"2\"");
            assert_eq!(stored(&server), OBSERVATION.replace("final", "amended"), "{kind}");
        }
    }
}

#[test]
fn a_patch_in_a_bundle_that_cannot_be_done_names_its_entry() {
    let cases = [
        (
            entry_of(binary("application/json", "[]")),
            415,
            "Bundle.entry[0].resource.contentType",
        ),
        (
            entry_of(json!({"resourceType": "Basic", "code": {"text": "x"}})),
            400,
            "Bundle.entry[0].resource",
        ),
        (
            json!({"request": {"method": "PATCH", "url": "Observation/o"}}),
            400,
            "Bundle.entry[0].resource",
        ),
        (
            entry_of(binary(
                "application/json-patch+json",
                r#"[{"op":"remove","path":"/x"}]"#,
            )),
            422,
            "Bundle.entry[0]",
        ),
    ];
    for (entry, status, place) in cases {
        let server = server();
        let (found, _, at) = told(server.bundle(&bundle("transaction", json!([entry.clone()]))));
        assert_eq!((found, at.as_str()), (status, place));
        let answer = json(&server.bundle(&bundle("batch", json!([entry]))).unwrap());
        let response = &answer["entry"][0]["response"];
        assert!(
            response["status"]
                .as_str()
                .unwrap()
                .starts_with(&status.to_string())
        );
        assert_eq!(response["outcome"]["issue"][0]["expression"][0], place);
        assert_eq!(server.versions(), 1);
    }
}

#[test]
fn a_patch_in_a_transaction_refers_to_what_the_others_create() {
    let server = server();
    let urn = "urn:uuid:00000000-0000-4000-8000-00000000000a";
    let value = format!(
        r#",{{"name":"name","valueString":"subject"}},{{"name":"value","valueReference":{{"reference":"{urn}"}}}}"#
    );
    let patch: Value = serde_json::from_str(&parameters("add", "Observation", &value)).unwrap();
    let entries = json!([
        entry_of(patch),
        {"fullUrl": urn, "resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}},
        {"request": {"method": "GET", "url": "Observation/o"}}
    ]);
    let answer = json(&server.bundle(&bundle("transaction", entries)).unwrap());
    let reference = &server.json("Observation/o")["subject"]["reference"];
    assert!(reference.as_str().unwrap().starts_with("Patient/id-"), "{answer}");
    assert_eq!(answer["entry"][2]["resource"]["subject"]["reference"], *reference);
}

#[test]
fn a_transaction_with_a_stale_patch_writes_nothing() {
    let server = server();
    let mut entry = entry_of(binary("application/merge-patch+json", r#"{"status":"amended"}"#));
    entry["request"]["ifMatch"] = json!("W/\"7\"");
    let post =
        json!({"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}});
    let result = server.bundle(&bundle("transaction", json!([post, entry])));
    assert_eq!(
        told(result),
        (412, "conflict", "Bundle.entry[1].request.ifMatch".into())
    );
    assert_eq!(server.versions(), 1);
}

/// Permits all but that interaction.
struct Without(Interaction);

impl Policy for Without {
    fn decide(&self, _: &Context, access: &Access<'_>) -> Result<Decision, Error> {
        match access.interaction == self.0 {
            true => Ok(Decision::Deny { reason: "No.".into() }),
            false => Ok(Decision::permit(Filter::All)),
        }
    }
}

#[test]
fn who_may_not_patch_or_not_read_cannot_patch() {
    for denied in [Interaction::Patch, Interaction::Read] {
        let open = server();
        let policy = Arc::new(Without(denied));
        let server = TestServer::over(
            open.store.clone(),
            open.clock.clone(),
            Settings::default(),
            policy,
        );
        let patch = replace("/status", "\"amended\"");
        assert_eq!(told(server.send(&patch)).0, 403);
        let parameters: Value =
            serde_json::from_str(&parameters("replace", "Observation.status", AMENDED)).unwrap();
        let entries = json!([entry_of(parameters)]);
        assert_eq!(
            told(server.bundle(&bundle("transaction", entries.clone()))).0,
            403
        );
        let answer = json(&server.bundle(&bundle("batch", entries)).unwrap());
        assert_eq!(answer["entry"][0]["response"]["status"], "403 Forbidden");
        assert_eq!(open.versions(), 1);
    }
}
