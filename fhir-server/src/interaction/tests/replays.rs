//! Writes that are sent again with the same key (R-019; D16 of the mission map).

use serde_json::json as of;

use super::*;
use crate::context::PrincipalKind;
use crate::interaction::{PreferReturn, ReplayKey};

fn keyed(key: &str, mut request: Request) -> Request {
    request.replay = Some(ReplayKey::Key(key.to_owned()));
    request
}

fn identified(id: &str, mut request: Request) -> Request {
    request.replay = Some(ReplayKey::RequestId(id.to_owned()));
    request
}

fn create(body: &str) -> Request {
    with_body(request("POST", "Patient"), body)
}

fn same(one: &Response, other: &Response) {
    assert_eq!(one.status, other.status);
    assert_eq!(
        (one.version, one.last_modified),
        (other.version, other.last_modified)
    );
    assert_eq!(one.location, other.location);
    match (&one.payload, &other.payload) {
        (Payload::Json(_), Payload::Json(_)) => assert_eq!(text(one), text(other)),
        (one, other) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
    }
}

#[test]
fn d16_a_create_that_is_sent_again_is_one_create() {
    let server = TestServer::new();
    for request in [keyed("a", create(PATIENT)), identified("b", create(PATIENT))] {
        let before = server.versions();
        let first = server.send(&request).unwrap();
        server.pass_seconds(60);
        let again = server.send(&request).unwrap();
        same(&first, &again);
        assert_eq!((first.status, server.versions()), (201, before + 1));
        // What came after does not change the answer.
        let key = first.location.clone().unwrap();
        let id = key.split('/').nth(1).unwrap();
        let newer = format!(r#"{{"resourceType":"Patient","id":"{id}","active":true}}"#);
        server.put(&format!("Patient/{id}"), &newer).unwrap();
        same(&first, &server.send(&request).unwrap());
    }
}

#[test]
fn the_same_key_with_another_body_is_a_mistake_and_the_same_id_is_another_request() {
    let server = TestServer::new();
    server.send(&keyed("a", create(PATIENT))).unwrap();
    let other = r#"{"resourceType":"Patient","active":true}"#;
    assert_eq!(
        told(server.send(&keyed("a", create(other)))),
        (422, "invariant", "http.idempotency-key".into())
    );
    assert_eq!(server.versions(), 1);
    server.send(&identified("b", create(PATIENT))).unwrap();
    assert_eq!(server.send(&identified("b", create(other))).unwrap().status, 201);
    assert_eq!(server.versions(), 3);
}

#[test]
fn an_update_that_is_sent_again_does_not_undo_what_came_between() {
    let server = TestServer::new();
    let body = |active: bool| format!(r#"{{"resourceType":"Patient","id":"p","active":{active}}}"#);
    let update = keyed("a", with_body(request("PUT", "Patient/p"), &body(true)));
    let first = server.send(&update).unwrap();
    server.put("Patient/p", &body(false)).unwrap();
    same(&first, &server.send(&update).unwrap());
    assert_eq!(server.json("Patient/p")["active"], false);
    let delete = keyed("b", request("DELETE", "Patient/p"));
    let first = server.send(&delete).unwrap();
    server.put("Patient/p", &body(true)).unwrap();
    same(&first, &server.send(&delete).unwrap());
    assert_eq!(server.json("Patient/p")["active"], true);
}

#[test]
fn a_refusal_is_not_remembered() {
    let server = TestServer::with(|settings| settings.update_as_create = false);
    let update = keyed(
        "a",
        with_body(
            request("PUT", "Patient/id-1"),
            r#"{"resourceType":"Patient","id":"id-1"}"#,
        ),
    );
    assert_eq!(told(server.send(&update)).0, 405);
    server.post("Patient", PATIENT).unwrap();
    assert_eq!(server.send(&update).unwrap().version, Some(2));
}

#[test]
fn a_key_is_of_one_caller_one_address_and_one_day() {
    let server = TestServer::new();
    let request = keyed("a", create(PATIENT));
    server.send(&request).unwrap();
    let mut other = server.context();
    other.principal = crate::context::Principal::new("another", PrincipalKind::Clinician);
    server.send_in(server.engine.session(other), &request).unwrap();
    assert_eq!(server.versions(), 2);
    let mut elsewhere = request.clone();
    elsewhere.if_none_exist = Some("identifier=http://a|1".into());
    server.send(&elsewhere).unwrap();
    assert_eq!(server.versions(), 3);
    server.pass_seconds(86_401);
    assert_eq!(server.send(&request).unwrap().status, 201);
    assert_eq!(server.versions(), 4);
}

#[test]
fn r_019_the_oldest_writes_of_a_caller_are_forgotten_and_no_others() {
    let server = TestServer::with(|settings| settings.replay_bytes = 4_096);
    let other = || {
        let mut context = server.context();
        context.principal = crate::context::Principal::new("another", PrincipalKind::Clinician);
        server.engine.session(context)
    };
    let write = |n: usize| keyed(&format!("key-{n}"), create(PATIENT));
    let others = server.send_in(other(), &write(0)).unwrap();
    let answers: Vec<Response> = (0..40).map(|n| server.send(&write(n)).unwrap()).collect();
    assert_eq!(server.versions(), 41);
    // A create counts 128 bytes for the row, and what is kept of it, its id included.
    let id = |answer: &Response| answer.location.as_ref().unwrap().len() - "Patient//_history/1".len();
    let (mut kept, mut later) = (0, 0);
    while later < 4_096 {
        kept += 1;
        later += 128 + 32 + 4 + 7 + id(&answers[40 - kept]) + 17;
    }
    for (n, answer) in answers.iter().enumerate().skip(40 - kept) {
        same(answer, &server.send(&write(n)).unwrap());
    }
    same(&others, &server.send_in(other(), &write(0)).unwrap());
    assert_eq!(server.versions(), 41);
    // Forgotten: done again.
    assert_eq!(server.send(&write(40 - kept - 1)).unwrap().status, 201);
    assert_eq!(server.versions(), 42);
}

#[test]
fn where_nothing_is_remembered_a_write_is_done_each_time() {
    let server = TestServer::with(|settings| settings.replay = std::time::Duration::ZERO);
    for _ in 0..2 {
        server.send(&keyed("a", create(PATIENT))).unwrap();
    }
    assert_eq!(server.versions(), 2);
}

#[test]
fn a_transaction_that_is_sent_again_is_one_transaction() {
    let server = TestServer::new();
    server
        .put("Patient/old", r#"{"resourceType":"Patient","id":"old"}"#)
        .unwrap();
    let bundle = of!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "resource": {"resourceType": "Patient", "active": true},
         "request": {"method": "POST", "url": "Patient"}},
        {"request": {"method": "GET", "url": "Patient/old"}},
        {"request": {"method": "DELETE", "url": "Patient/old2"}},
        {"resource": {"resourceType": "Patient", "active": false},
         "request": {"method": "POST", "url": "Patient", "ifNoneExist": "_id=old"}},
        {"resource": {"resourceType": "Patient", "id": "put"}, "request": {"method": "PUT", "url": "Patient/put"}}
    ]});
    let mut request = Request::new(crate::interaction::Interaction::Transaction, BASE);
    request.prefer_return = Some(PreferReturn::Representation);
    let request = keyed("a", with_body(request, &bundle.to_string()));
    let first = json(&server.send(&request).unwrap());
    let before = server.versions();
    let again = json(&server.send(&request).unwrap());
    assert_eq!(server.versions(), before);
    assert_eq!(first["entry"], again["entry"]);
    assert_eq!(first["entry"].as_array().unwrap().len(), 5);
}

#[test]
fn each_entry_of_a_batch_is_done_once() {
    let server = TestServer::new();
    let bundle = of!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}},
        {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}},
        {"request": {"method": "GET", "url": "Patient/nobody"}}
    ]});
    let request = Request::new(crate::interaction::Interaction::Transaction, BASE);
    let request = identified("a", with_body(request, &bundle.to_string()));
    let first = json(&server.send(&request).unwrap());
    let again = json(&server.send(&request).unwrap());
    assert_eq!(server.versions(), 2);
    assert_eq!(first["entry"], again["entry"]);
}

#[test]
fn r_019_of_the_same_write_sent_at_the_same_time_one_is_done() {
    let server = TestServer::new();
    let rounds = if std::env::var_os("FHIR_TEST_LONG").is_some() {
        1250
    } else {
        5
    };
    for round in 0..rounds {
        let request = keyed(&format!("round-{round}"), create(PATIENT));
        let answers: Vec<Response> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| server.send(&request).unwrap()))
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        for answer in &answers {
            same(&answers[0], answer);
        }
        assert_eq!(server.versions(), round + 1);
    }
}

/// Lets everybody write, and nobody but the writer of old see.
struct WritesOnly;

impl Policy for WritesOnly {
    fn decide(
        &self,
        context: &Context,
        access: &crate::policy::Access<'_>,
    ) -> crate::error::Result<crate::policy::Decision> {
        use crate::interaction::Interaction as I;
        let reads = matches!(access.interaction, I::Read | I::Vread);
        match reads && context.purpose.as_deref() == Some("blind") {
            true => Ok(crate::policy::Decision::deny("Not any more.")),
            false => Ok(crate::policy::Decision::permit(Filter::All)),
        }
    }
}

#[test]
fn who_may_not_see_it_now_is_told_what_was_done_and_not_shown_it() {
    let open = TestServer::new();
    let server = TestServer::over(open.store, open.clock, Settings::default(), Arc::new(WritesOnly));
    let request = keyed("a", create(PATIENT));
    let first = server.send(&request).unwrap();
    let context = server.context().with_purpose("blind");
    let again = server.send_in(server.engine.session(context), &request).unwrap();
    assert_eq!((again.status, &again.location), (201, &first.location));
    assert!(matches!(again.payload, Payload::Outcome), "{again:?}");
    assert_eq!(server.versions(), 1);
}
