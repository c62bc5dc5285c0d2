//! Criteria, chains and `_has`, over each back end.

use super::record::{entries, finds, ids, record};
use super::*;
use crate::interaction::Interaction;
use crate::policy::{Access, Decision};
use crate::store::{Filter, Key, ResourceType};

#[test]
fn each_type_of_parameter_finds_by_its_rule() {
    finds(
        &record(),
        &[
            ("Patient?name=hal", &["ann"]),
            ("Patient?name=hal,BEL", &["ann", "bob"]),
            ("Patient?name:exact=hale", &[]),
            ("Patient?name:contains=al", &["ann"]),
            ("Patient?name:missing=true", &["nobody"]),
            ("Patient?gender=female", &["ann"]),
            ("Patient?gender:not=female", &["bob", "nobody"]),
            ("Patient?identifier=urn:nhs|222", &["bob"]),
            ("Patient?identifier=222&gender=male", &["bob"]),
            ("Patient?identifier=222&gender=female", &[]),
            ("Patient?active=true", &["ann"]),
            ("Patient?birthdate=1970", &["ann"]),
            ("Patient?birthdate=ge1980", &["bob"]),
            ("Patient?birthdate=ne1970-03-10", &["bob"]),
            ("Patient?organization=Organization/hill", &["ann"]),
            (
                "Patient?organization=http://localhost/fhir/Organization/hill",
                &["ann"],
            ),
            ("Patient?general-practitioner=dr", &["ann"]),
            ("Observation?value-quantity=150", &["high"]),
            (
                "Observation?value-quantity=gt100|http://unitsofmeasure.org|mm[Hg]",
                &["high"],
            ),
            (
                "Observation?value-quantity=lt13|http://unitsofmeasure.org|kPa",
                &["low"],
            ),
            (
                "Observation?code-value-quantity=http://loinc.org|8480-6$lt100",
                &["low"],
            ),
            ("Observation?patient:identifier=urn:nhs|333", &["logical"]),
            ("Observation?subject:identifier=urn:nhs|333", &["logical"]),
            ("Observation?code:text=hei", &["logical"]),
            ("Observation?date=2026-01,2026-02", &["high", "low"]),
            (
                "Patient?_filter=name co \"al\" or (gender eq male and birthdate lt 1990)",
                &["ann", "bob"],
            ),
            ("Patient?_filter=not (name pr true)", &["nobody"]),
            ("Patient?_list=mine", &["ann"]),
        ],
    );
}

#[test]
fn chains_and_reverse_chains_join() {
    finds(
        &record(),
        &[
            ("Observation?subject:Patient.name=hale", &["high"]),
            ("Observation?patient.organization.name=dale", &["low"]),
            ("Observation?patient.organization.partof.name=hill", &["low"]),
            ("Observation?subject.identifier=urn:nhs|111", &["high"]),
            ("Observation?patient._id=bob", &["low"]),
            ("Observation?patient.gender:not=female", &["low"]),
            ("Patient?_has:Observation:patient:value-quantity=gt100", &["ann"]),
            (
                "Patient?_has:Observation:subject:encounter.status=finished",
                &["ann"],
            ),
            (
                "Organization?_has:Patient:organization:_has:Observation:patient:value-quantity=lt100",
                &["dale"],
            ),
            ("Encounter?subject:Patient._has:List:item:_id=mine", &["visit"]),
            ("Patient?_has:Observation:patient:code=nothing", &[]),
        ],
    );
}

#[test]
fn a_search_of_several_types_takes_what_they_have_in_common() {
    let server = record();
    finds(
        &server,
        &[
            ("?_type=Patient,Practitioner&family=m", &["dr"]),
            ("?_type=Patient&gender=male", &["bob"]),
        ],
    );
    let bundle = server.json("?_type=Patient,Observation&gender=male");
    let last = bundle["entry"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["search"]["mode"], "outcome");
    assert_eq!(
        bundle["link"][0]["url"],
        format!("{BASE}?_type=Patient,Observation")
    );
}

#[test]
fn the_self_link_tells_what_was_understood() {
    let server = record();
    let bundle = server
        .json("Observation?subject:Patient.name=hale&subject:Patient.nmae=x&_include=Observation:patient");
    assert_eq!(
        bundle["link"][0]["url"],
        format!("{BASE}/Observation?subject:Patient.name=hale&_include=Observation:patient")
    );
    assert_eq!(entries(&bundle, "match"), ["Observation/high"]);
}

/// Hides one patient from everyone.
struct Hides;

impl Policy for Hides {
    fn decide(&self, _: &Context, access: &Access<'_>) -> crate::error::Result<Decision> {
        if access.interaction == Interaction::SearchType
            && access.resource_type.is_some_and(|t| t.name() == "List")
        {
            return Ok(Decision::Deny {
                reason: "No lists.".into(),
            });
        }
        let hidden = Key {
            resource_type: ResourceType::from_name("Patient").unwrap(),
            id: "ann".into(),
        };
        Ok(Decision::permit(Filter::Not(Box::new(Filter::Resource(hidden)))))
    }
}

#[test]
fn what_the_policy_hides_is_in_no_part_of_an_answer() {
    let open = record();
    let server = TestServer::over(
        open.store.clone(),
        open.clock.clone(),
        Settings::default(),
        Arc::new(Hides),
    );
    finds(
        &server,
        &[
            ("Observation?subject:Patient.name=hale", &[]),
            ("Observation?subject:Patient.name=bell", &["low"]),
            ("Practitioner?_has:Patient:general-practitioner:name=hale", &[]),
            (
                "Organization?_has:Patient:organization:name:missing=false",
                &["dale"],
            ),
            ("Patient?_list=mine", &[]),
            ("Encounter?_filter=subject.name eq hale", &[]),
            // Nothing shows that there is a name to find.
            ("Encounter?_filter=not (subject.name eq hale)", &["visit"]),
        ],
    );
    let bundle = server.json("Observation?_include=Observation:patient&_revinclude=List:item");
    assert_eq!(entries(&bundle, "include"), ["Patient/bob"]);
    assert_eq!(
        ids(&server, "Patient?_revinclude=Observation:patient&_total=none"),
        ["nobody", "bob"]
    );
}
