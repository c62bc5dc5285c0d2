//! read and vread.

use super::*;

#[test]
fn read_gives_what_was_sent_with_id_and_meta_only_added() {
    let server = TestServer::new();
    let sent = "{ \"name\" : [ {\"given\":[\"\\u00c5nn\"], \"family\":\"Hale\"} ],\n \"resourceType\":\"Patient\", \"active\": true,
        \"extension\":[{\"url\":\"http://x\",\"valueDecimal\":1.50}] }";
    server.post("Patient", sent).unwrap();
    let response = server.get("Patient/id-1").unwrap();
    assert_eq!((response.status, response.version), (200, Some(1)));
    assert_eq!(response.last_modified, Some(Millis(1_795_426_200_000)));
    assert_eq!(
        text(&response),
        "{\"name\":[{\"given\":[\"\\u00c5nn\"],\"family\":\"Hale\"}],\"resourceType\":\"Patient\",\"id\":\"id-1\",\"meta\":{\
         \"versionId\":\"1\",\"lastUpdated\":\"2026-11-23T09:30:00.000Z\"},\"active\":true,\"extension\":[{\"url\":\
         \"http://x\",\"valueDecimal\":1.50}]}"
    );
}

#[test]
fn read_of_an_unknown_id_is_404_and_of_a_deleted_one_410() {
    let server = TestServer::new();
    assert_eq!(
        told(server.get("Patient/nobody")),
        (404, "not-found", String::new())
    );
    server
        .put("Patient/p", r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    server.delete("Patient/p").unwrap();
    assert_eq!(told(server.get("Patient/p")), (410, "deleted", String::new()));
}

#[test]
fn read_is_304_where_if_none_match_names_the_version() {
    let server = TestServer::new();
    server.post("Patient", PATIENT).unwrap();
    let mut read = request("GET", "Patient/id-1");
    for (tags, status) in [
        (versions(&["1"]), 304),
        (versions(&["7", "1"]), 304),
        (Some(EntityTags::Any), 304),
        (versions(&["2"]), 200),
    ] {
        read.if_none_match = tags;
        let response = server.send(&read).unwrap();
        assert_eq!((response.status, response.version), (status, Some(1)));
        assert!(response.last_modified.is_some());
    }
}

#[test]
fn if_modified_since_compares_in_seconds_and_gives_way_to_if_none_match() {
    let server = TestServer::new();
    server.clock.0.fetch_add(700, Ordering::Relaxed);
    server.post("Patient", PATIENT).unwrap();
    let mut read = request("GET", "Patient/id-1");
    for (since, status) in [
        (1_795_426_200_000, 304),
        (1_795_426_199_000, 200),
        (1_795_426_201_000, 304),
    ] {
        read.if_modified_since = Some(Millis(since));
        assert_eq!(server.send(&read).unwrap().status, status, "{since}");
    }
    read.if_none_match = versions(&["9"]);
    assert_eq!(server.send(&read).unwrap().status, 200);
}

#[test]
fn vread_gives_each_version_and_tells_what_is_wrong() {
    let server = TestServer::new();
    server
        .put(
            "Patient/p",
            r#"{"resourceType":"Patient","id":"p","active":true}"#,
        )
        .unwrap();
    server.pass_seconds(1);
    server
        .put(
            "Patient/p",
            r#"{"resourceType":"Patient","id":"p","active":false}"#,
        )
        .unwrap();
    server.delete("Patient/p").unwrap();
    let first = server.get("Patient/p/_history/1").unwrap();
    assert_eq!(
        (json(&first)["active"].clone(), first.version),
        (Value::Bool(true), Some(1))
    );
    assert_eq!(
        server.json("Patient/p/_history/2")["meta"]["lastUpdated"],
        "2026-11-23T09:30:01.000Z"
    );
    assert_eq!(told(server.get("Patient/p/_history/3")).0, 410);
    for unknown in ["4", "0", "-1", "01", "abc", "99999999999999999999"] {
        assert_eq!(
            told(server.get(&format!("Patient/p/_history/{unknown}"))).0,
            404,
            "{unknown}"
        );
    }
    assert_eq!(told(server.get("Patient/q/_history/1")).0, 404);
}

#[test]
fn an_unknown_parameter_of_a_read_is_refused_in_strict_handling_only() {
    let server = TestServer::new();
    server.post("Patient", PATIENT).unwrap();
    let mut read = request("GET", "Patient/id-1?foo=bar&_summary=false");
    assert_eq!(server.send(&read).unwrap().status, 200);
    read.strict_handling = Some(true);
    assert_eq!(told(server.send(&read)), (400, "value", "http.foo".into()));
}
