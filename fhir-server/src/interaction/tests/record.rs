//! A small record to search in.

use super::*;

/// The resources of the record, in the order in which they are written, a minute apart from 09:30.
const RESOURCES: [&str; 11] = [
    r#"{"resourceType":"Organization","id":"hill","name":"Hill Surgery","identifier":[{"system":"urn:ods","value":"A1"}]}"#,
    r#"{"resourceType":"Organization","id":"dale","name":"Dale Surgery","partOf":{"reference":"Organization/hill"}}"#,
    r#"{"resourceType":"Practitioner","id":"dr","name":[{"family":"Moss"}]}"#,
    r#"{"resourceType":"Patient","id":"ann","active":true,"name":[{"family":"Hale","given":["Ann"]}],"gender":"female","birthDate":"1970-03-10","identifier":[{"system":"urn:nhs","value":"111"}],"managingOrganization":{"reference":"Organization/hill"},"generalPractitioner":[{"reference":"Practitioner/dr"}]}"#,
    r#"{"resourceType":"Patient","id":"bob","name":[{"family":"Bell","given":["Bob"]}],"gender":"male","birthDate":"1980","identifier":[{"system":"urn:nhs","value":"222"}],"managingOrganization":{"reference":"Organization/dale"}}"#,
    r#"{"resourceType":"Patient","id":"nobody"}"#,
    r#"{"resourceType":"Encounter","id":"visit","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/ann"}}"#,
    r#"{"resourceType":"Observation","id":"high","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"subject":{"reference":"Patient/ann"},"encounter":{"reference":"Encounter/visit"},"effectiveDateTime":"2026-01-01","valueQuantity":{"value":150,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}"#,
    r#"{"resourceType":"Observation","id":"low","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"subject":{"reference":"Patient/bob"},"effectiveDateTime":"2026-02-01","valueQuantity":{"value":90,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}"#,
    r#"{"resourceType":"Observation","id":"logical","status":"final","code":{"text":"Height"},"subject":{"type":"Patient","identifier":{"system":"urn:nhs","value":"333"}}}"#,
    r#"{"resourceType":"List","id":"mine","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/ann"}}]}"#,
];

/// The record, under no policy.
pub(super) fn record() -> TestServer {
    let server = TestServer::new();
    fill(&server);
    server
}

/// Writes the record.
pub(super) fn fill(server: &TestServer) {
    for text in RESOURCES {
        let resource: Value = serde_json::from_str(text).unwrap();
        let part = |name: &str| resource[name].as_str().unwrap().to_owned();
        let url = format!("{}/{}", part("resourceType"), part("id"));
        server.put(&url, text).unwrap_or_else(|e| panic!("{url}: {e}"));
        server.pass_seconds(60);
    }
}

/// Type and id of each entry of that mode, in order.
pub(super) fn entries(bundle: &Value, mode: &str) -> Vec<String> {
    let all = bundle["entry"].as_array().cloned().unwrap_or_default();
    let wanted = all.iter().filter(|e| e["search"]["mode"] == mode);
    wanted
        .map(|e| e["fullUrl"].as_str().unwrap()[BASE.len() + 1..].to_owned())
        .collect()
}

/// The ids of the matches, in order.
pub(super) fn ids(server: &TestServer, url: &str) -> Vec<String> {
    let found = entries(&server.json(url), "match").into_iter();
    found
        .map(|key| key.split_once('/').unwrap().1.to_owned())
        .collect()
}

/// Each search finds those ids, in any order, and says so in its total.
pub(super) fn finds(server: &TestServer, cases: &[(&str, &[&str])]) {
    for (url, expected) in cases {
        let mut found = ids(server, url);
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{url}");
        assert_eq!(
            server.json(url)["total"].as_u64(),
            Some(expected.len() as u64),
            "{url}"
        );
    }
}
