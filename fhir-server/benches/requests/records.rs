//! The records that are written and read: blood pressures of about 1.4 kB, no two the same, and the requests for them.

use std::net::SocketAddr;

use crate::connection::Connection;

/// Spreads numbers over 64 bits, without two falling together.
fn spread(n: u64) -> u64 {
    n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The id of the record of that number, when its client chooses it: a UUID.
pub(crate) fn id(n: u64) -> String {
    let bytes = uuid::Uuid::from_u64_pair(spread(n), spread(n).rotate_left(17)).into_bytes();
    uuid::Builder::from_bytes(bytes)
        .with_variant(uuid::Variant::RFC4122)
        .with_version(uuid::Version::Random)
        .into_uuid()
        .to_string()
}

/// The record of that number.
pub(crate) fn observation(n: u64, id: Option<&str>) -> String {
    let seed = spread(n);
    let id = id.map_or(String::new(), |id| format!(r#""id":"{id}","#));
    let component = |code: &str, display: &str, value: u64| {
        format!(
            r#"{{"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}","display":"{display}"}}],"text":"{display}"}},"valueQuantity":{{"value":{value}.{},"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}}"#,
            seed % 1000
        )
    };
    format!(
        r#"{{"resourceType":"Observation",{id}"status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure panel"}}],"text":"Blood pressure panel"}},"subject":{{"reference":"Patient/{:016x}"}},"encounter":{{"reference":"Encounter/{:016x}"}},"effectiveDateTime":"20{:02}-{:02}-{:02}T09:{:02}:00+00:00","issued":"2026-11-{:02}T09:30:12.{:03}+00:00","component":[{},{}]}}"#,
        seed.rotate_left(7),
        seed.rotate_left(31),
        n % 27,
        1 + n % 12,
        1 + n % 28,
        n % 60,
        1 + n % 25,
        n % 1000,
        component("8462-4", "Diastolic Blood Pressure", 50 + n % 45),
        component("8480-6", "Systolic Blood Pressure", 90 + n % 70),
    )
}

/// A transaction that creates that many records.
pub(crate) fn transaction(from: u64, count: u64) -> String {
    bundle((from..from + count).map(|n| (observation(n, None), "POST", "Observation".to_owned())))
}

fn bundle(entries: impl Iterator<Item = (String, &'static str, String)>) -> String {
    let entries: Vec<String> = entries
        .map(|(body, method, url)| {
            format!(r#"{{"resource":{body},"request":{{"method":"{method}","url":"{url}"}}}}"#)
        })
        .collect();
    format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
        entries.join(",")
    )
}

/// A request to create.
pub(crate) fn post(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/fhir+json\r\nPrefer: return=minimal\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A request to read.
pub(crate) fn get(path: &str, id: String) -> Vec<u8> {
    format!("GET {path}/{id} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/fhir+json\r\n\r\n")
        .into_bytes()
}

/// Puts that many records into the server, under ids that are known.
pub(crate) fn fill(address: SocketAddr, count: u64) {
    alone(async {
        let mut connection = Connection::open(address).await;
        for from in (0..count).step_by(500) {
            let entry = |n| {
                (
                    observation(n, Some(&id(n))),
                    "PUT",
                    format!("Observation/{}", id(n)),
                )
            };
            let body = bundle((from..count.min(from + 500)).map(entry));
            let status = connection.ask(&post("/fhir", &body)).await;
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(connection.body()));
        }
    });
}

/// The same records as the server gives them, with their ids.
pub(crate) fn bodies(address: SocketAddr, count: u64) -> Vec<(String, Vec<u8>)> {
    alone(async {
        let mut connection = Connection::open(address).await;
        let mut bodies = Vec::new();
        for n in 0..count {
            assert_eq!(connection.ask(&get("/fhir/Observation", id(n))).await, 200);
            bodies.push((id(n), connection.body().to_vec()));
        }
        bodies
    })
}

fn alone<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}
