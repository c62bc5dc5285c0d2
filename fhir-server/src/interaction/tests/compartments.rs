//! Searches of compartments.

use super::record::{entries, finds, record};
use super::*;

#[test]
fn what_belongs_to_the_centre_is_found() {
    finds(
        &record(),
        &[
            ("Patient/ann/Observation", &["high"]),
            (
                "Patient/ann/Observation?code=8480-6&value-quantity=gt100",
                &["high"],
            ),
            ("Patient/ann/Observation?value-quantity=lt100", &[]),
            ("Encounter/visit/Observation", &["high"]),
            ("Patient/ann/Patient", &["ann"]),
            ("Patient/bob/Encounter", &[]),
        ],
    );
}

#[test]
fn a_star_is_every_type() {
    let server = record();
    let mut found = entries(&server.json("Patient/ann/*"), "match");
    found.sort();
    assert_eq!(found, ["Encounter/visit", "Observation/high", "Patient/ann"]);
    let mut found = entries(&server.json("Patient/ann/*?_type=Observation,Encounter"), "match");
    found.sort();
    assert_eq!(found, ["Encounter/visit", "Observation/high"]);
}

#[test]
fn links_name_the_compartment() {
    let server = record();
    let bundle = server.json("Patient/ann/*?_count=1&_sort=_id");
    assert_eq!(
        bundle["link"][0]["url"],
        format!("{BASE}/Patient/ann/%2A?_count=1&_sort=_id").replace("%2A", "*")
    );
    let next = bundle["link"][1]["url"].as_str().unwrap().to_owned();
    assert_eq!(entries(&server.json(&next), "match").len(), 1);
    let other = next.replace("Patient/ann", "Patient/bob");
    assert_eq!(told(server.get(&other)).0, 400);
}

#[test]
fn what_is_no_compartment_is_not_found() {
    let server = record();
    assert_eq!(told(server.get("Location/1/Observation")).0, 404);
    assert_eq!(told(server.get("Patient/ann/Medication")).0, 404);
}
