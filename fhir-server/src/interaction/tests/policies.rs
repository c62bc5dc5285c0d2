//! Policy in force: what it hides does not exist, what it denies is refused.

use super::*;
use crate::interaction::Interaction;
use crate::policy::{Access, Chain, Decision};
use crate::store::{Filter, Key, ResourceType};

/// Hides one patient, and denies histories of the server.
struct Hides;

impl Policy for Hides {
    fn decide(&self, _: &Context, access: &Access<'_>) -> crate::error::Result<Decision> {
        if access.interaction == Interaction::HistorySystem {
            return Ok(Decision::deny("No histories of everything."));
        }
        let hidden = Key {
            resource_type: ResourceType::from_name("Patient").unwrap(),
            id: "hidden".into(),
        };
        Ok(Decision::permit(Filter::Not(Box::new(Filter::Resource(hidden)))))
    }
}

/// A rule that cannot decide.
struct Broken;

impl Policy for Broken {
    fn decide(&self, _: &Context, _: &Access<'_>) -> crate::error::Result<Decision> {
        Err(Error::internal("the rules cannot be read"))
    }
}

fn patient(id: &str) -> String {
    format!(r#"{{"resourceType":"Patient","id":"{id}","active":true}}"#)
}

/// The same data, with and without the hidden patient, seen under the policy.
fn servers() -> [TestServer; 2] {
    [&["hidden", "seen"][..], &["seen"]].map(|ids| {
        let open = TestServer::new();
        for id in ids {
            open.put(&format!("Patient/{id}"), &patient(id)).unwrap();
            open.put(&format!("Patient/{id}"), &patient(id).replace("true", "false"))
                .unwrap();
        }
        let settings = Settings {
            update_as_create: true,
            ..Settings::default()
        };
        TestServer::over(open.store.clone(), open.clock.clone(), settings, Arc::new(Hides))
    })
}

/// The whole answer as text, error or not.
fn answer(result: Result<Response, Error>) -> String {
    match result {
        Ok(response) => format!("{response:?}"),
        Err(error) => format!("{:?} {:?}", error.code, error.issues),
    }
}

#[test]
fn every_answer_is_as_if_the_hidden_did_not_exist() {
    let [with, without] = servers();
    let gets = [
        "Patient/hidden",
        "Patient/hidden/_history/1",
        "Patient/hidden/_history/2",
        "Patient/hidden/_history",
        "Patient/_history",
        "Patient",
        "Patient?_id=hidden",
        "Patient?_summary=count",
        "?_id=hidden,seen",
        "Patient?_count=1",
    ];
    for url in gets {
        let (mut one, mut other) = (answer(with.get(url)), answer(without.get(url)));
        // Page links carry the place of the last row, which says nothing of what it is.
        for text in [&mut one, &mut other] {
            if let Some(at) = text.find("_page=") {
                text.truncate(at);
            }
        }
        assert_eq!(one, other, "{url}");
    }
}

#[test]
fn writes_to_the_hidden_are_answered_as_to_nothing_and_change_nothing() {
    let [with, without] = servers();
    let before = with.versions();
    let mut conditional = with_body(request("PUT", "Patient/hidden"), &patient("hidden"));
    conditional.if_match = versions(&["2"]);
    let mut delete = request("DELETE", "Patient/hidden");
    for request in [
        with_body(request("PUT", "Patient/hidden"), &patient("hidden")),
        conditional,
        delete.clone(),
    ] {
        assert_eq!(answer(with.send(&request)), answer(without.send(&request)));
    }
    delete.if_match = versions(&["2"]);
    assert_eq!(answer(with.send(&delete)), answer(without.send(&delete)));
    assert_eq!(told(with.put("Patient/hidden", &patient("hidden"))).0, 404);
    assert_eq!(with.delete("Patient/hidden").unwrap().status, 204);
    assert_eq!(with.versions(), before);
}

#[test]
fn what_is_seen_can_be_changed() {
    let [server, _] = servers();
    assert_eq!(
        server.put("Patient/seen", &patient("seen")).unwrap().version,
        Some(3)
    );
    assert_eq!(server.delete("Patient/seen").unwrap().status, 204);
    assert_eq!(server.post("Patient", PATIENT).unwrap().status, 201);
}

#[test]
fn a_denial_is_403_with_the_reason() {
    let [server, _] = servers();
    let error = server.get("_history").unwrap_err();
    assert_eq!(
        (error.code, error.issues[0].diagnostics.as_str()),
        (ErrorCode::Forbidden, "No histories of everything.")
    );
}

#[test]
fn what_cannot_be_decided_is_denied_and_an_empty_chain_denies() {
    for policy in [Arc::new(Broken) as Arc<dyn Policy>, Arc::new(Chain::default())] {
        let server = TestServer::with_policy(Settings::default(), policy);
        let bundle = r#"{"resourceType":"Bundle","type":"transaction"}"#;
        let batch = bundle.replace("transaction", "batch");
        let base = |body: &str| server.send(&with_body(Request::new(Interaction::Transaction, BASE), body));
        for result in [
            server.get("Patient/p"),
            server.get("Patient/p/_history/1"),
            server.get("Patient/p/_history"),
            server.get("Patient/_history"),
            server.get("_history"),
            server.get("Patient"),
            server.get("Patient?_count=0"),
            server.get(""),
            server.get("metadata"),
            server.post("Patient", PATIENT),
            server.put("Patient/p", &patient("p")),
            server.delete("Patient/p"),
            base(bundle),
            base(&batch),
        ] {
            assert_eq!(told(result).0, 403);
        }
        assert_eq!(server.versions(), 0);
    }
}

/// Lets only one type be touched.
struct OnlyBasic;

impl Policy for OnlyBasic {
    fn decide(&self, _: &Context, _: &Access<'_>) -> crate::error::Result<Decision> {
        Ok(Decision::permit(Filter::Types(vec![
            ResourceType::from_name("Basic").unwrap(),
        ])))
    }
}

#[test]
fn a_new_resource_outside_of_what_may_be_seen_is_refused() {
    let server = TestServer::with_policy(Settings::default(), Arc::new(OnlyBasic));
    assert_eq!(told(server.post("Patient", PATIENT)).0, 403);
    assert_eq!(
        server
            .post("Basic", r#"{"resourceType":"Basic","code":{"text":"x"}}"#)
            .unwrap()
            .status,
        201
    );
}
