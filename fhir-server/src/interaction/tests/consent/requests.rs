//! Random requests over every way of asking.

use serde_json::{Value, json};

use super::world::{BINARIES, CODES, DOCTORS, DOCUMENTS, Dice, PATIENTS};
use super::*;
use crate::interaction::PatchForm;

const TYPES: [&str; 18] = [
    "Patient",
    "Condition",
    "Observation",
    "Encounter",
    "MedicationRequest",
    "DiagnosticReport",
    "List",
    "Group",
    "Provenance",
    "Task",
    "Consent",
    "CareTeam",
    "Practitioner",
    "Organization",
    "Binary",
    "Binary",
    "DocumentReference",
    "Communication",
];

fn id(dice: &mut Dice, type_name: &str) -> String {
    match type_name {
        "Patient" => dice.pick(&PATIENTS).to_owned(),
        "Practitioner" => dice.pick(&DOCTORS).to_owned(),
        "Consent" => format!("consent{}", dice.below(6)),
        "Communication" => format!("alert{}", dice.below(5)),
        "Binary" => format!("bin{}", dice.below(BINARIES)),
        "DocumentReference" => format!("doc{}", dice.below(DOCUMENTS + 1)),
        "CareTeam" => format!("care{}", dice.below(6)),
        "Organization" => dice.pick(&["org-x", "org-y"]).to_owned(),
        _ => format!("r{}", dice.below(40)),
    }
}

/// A request that reads, with how it is written in a failure.
pub(super) fn reading(dice: &mut Dice) -> (String, Request) {
    match dice.below(12) {
        0 => batch(dice),
        1 => graphql(dice),
        _ => {
            let url = get(dice);
            (format!("GET {url}"), request("GET", &url))
        }
    }
}

fn batch(dice: &mut Dice) -> (String, Request) {
    let urls: Vec<String> = (0..2 + dice.below(4)).map(|_| get(dice)).collect();
    let entries: Vec<Value> = urls
        .iter()
        .map(|url| json!({"request": {"method": "GET", "url": url}}))
        .collect();
    let body = json!({"resourceType": "Bundle", "type": "batch", "entry": entries});
    let request = Request::new(crate::interaction::Interaction::Transaction, BASE);
    (
        format!("batch of {urls:?}"),
        with_body(request, &body.to_string()),
    )
}

fn graphql(dice: &mut Dice) -> (String, Request) {
    let patient = dice.pick(&PATIENTS);
    let code = dice.pick(&CODES);
    let (url, query) = match dice.below(5) {
        0 => (
            format!("Patient/{patient}/$graphql"),
            "{ name { family } address { postalCode } generalPractitioner { resource { ... on Practitioner { name { family } } } } \
             ObservationList(_reference: patient) { id code { coding { code } } } }"
                .to_owned(),
        ),
        1 => (
            "$graphql".to_owned(),
            "{ PatientConnection(_count: 2, _sort: _id) { count edges { resource { id telecom { value } } } } }".to_owned(),
        ),
        2 => ("$graphql".to_owned(), format!("{{ ObservationList(code: \"{code}\") {{ id subject {{ resource {{ ... on Patient {{ id phone: telecom {{ value }} }} }} }} }} }}")),
        3 => ("$graphql".to_owned(), "{ ConditionConnection(_count: 1) { count next edges { resource { id } } } }".to_owned()),
        _ => ("$graphql".to_owned(), format!("{{ Patient(id: \"{patient}\") {{ id gender ConditionList(_reference: patient) {{ id }} }} }}")),
    };
    let mut request = request("GET", &url);
    request.query.push(("query".to_owned(), query.clone()));
    (format!("GET {url}?query={query}"), request)
}

/// A request that writes.
pub(super) fn writing(dice: &mut Dice) -> (String, Request) {
    let type_name = dice.pick(&["Observation", "Condition", "Patient", "Encounter"]);
    let one = id(dice, type_name);
    let code = dice.pick(&CODES);
    let mut body = json!({"resourceType": type_name, "id": one, "language": "en"});
    if type_name != "Patient" {
        body["subject"] = json!({"reference": format!("Patient/{}", dice.pick(&PATIENTS))});
    }
    match type_name {
        "Observation" => body["status"] = json!("final"),
        "Encounter" => {
            body["status"] = json!("planned");
            body["class"] = json!({"system": "urn:x", "code": "x"});
        }
        _ => {}
    }
    if matches!(type_name, "Observation" | "Condition") {
        body["code"] = json!({"coding": [{"system": "http://snomed.info/sct", "code": code}]});
    }
    let query = criterion(dice, type_name);
    let conditional = format!("{type_name}?{query}");
    let send = |method: &str, url: &str, body: &Value| {
        let request = with_body(request(method, url), &body.to_string());
        (format!("{method} {url} {body}"), request)
    };
    match dice.below(7) {
        0 => send("PUT", &format!("{type_name}/{one}"), &body),
        1 => (
            format!("DELETE {type_name}/{one}"),
            request("DELETE", &format!("{type_name}/{one}")),
        ),
        2 => (format!("DELETE {conditional}"), request("DELETE", &conditional)),
        3 => {
            body.as_object_mut().unwrap().remove("id");
            send("PUT", &conditional, &body)
        }
        4 => {
            body.as_object_mut().unwrap().remove("id");
            let (text, mut request) = send("POST", type_name, &body);
            request.if_none_exist = Some(query.clone());
            (format!("{text} If-None-Exist: {query}"), request)
        }
        5 => {
            let (text, mut request) = send("PUT", &format!("{type_name}/{one}"), &body);
            request.if_match = versions(&[dice.pick(&["1", "2"])]);
            (format!("{text} If-Match"), request)
        }
        _ => {
            let patch = json!([{"op": "test", "path": "/id", "value": one}, {"op": "add", "path": "/language", "value": "cy"}]);
            let mut request = request("PATCH", &format!("{type_name}/{one}"));
            request.body = Some(RequestBody::Patch(PatchForm::Json, patch.to_string().into()));
            (format!("PATCH {type_name}/{one}"), request)
        }
    }
}

/// The URL of a GET.
fn get(dice: &mut Dice) -> String {
    let type_name = dice.pick(&TYPES);
    let one = id(dice, type_name);
    let patient = dice.pick(&PATIENTS);
    match dice.below(14) {
        0 => format!("{type_name}/{one}"),
        1 => format!("{type_name}/{one}/_history/{}", 1 + dice.below(3)),
        2 => match dice.below(4) {
            0 => format!("{type_name}/{one}/_history"),
            1 => format!("{type_name}/_history?_count={}", 1 + dice.below(30)),
            2 => "_history".into(),
            _ => "_history?_since=2026-11-23T09:31:00Z&_count=5".into(),
        },
        3 => format!(
            "Patient/{patient}/$everything{}",
            dice.pick(&[
                "",
                "?_count=5",
                "?_type=Observation,Condition",
                "?start=2010-01-01&end=2012-01-01"
            ])
        ),
        4 => format!(
            "Patient/{patient}/{}",
            dice.pick(&["Observation", "Condition", "*", "Encounter?_sort=date"])
        ),
        5 => format!(
            "Practitioner/{}/{}",
            dice.pick(&DOCTORS),
            dice.pick(&["Patient", "Observation", "Encounter"])
        ),
        6 => format!("Observation/$lastn?patient=Patient/{patient}"),
        7 => format!(
            "?_type={}{}",
            dice.pick(&["Observation,Condition", "Patient,Task", "Group,List"]),
            dice.pick(&["", "&_summary=count", "&_count=3"])
        ),
        _ => format!("{type_name}?{}", query(dice, type_name)),
    }
}

/// Parameters of a search.
fn query(dice: &mut Dice, type_name: &str) -> String {
    let mut parts = Vec::new();
    for _ in 0..1 + dice.below(2) {
        parts.push(criterion(dice, type_name));
    }
    match dice.below(7) {
        0 => parts.push("_summary=count".into()),
        1 => parts.push("_total=accurate".into()),
        2 => parts.push(format!("_count={}", 1 + dice.below(5))),
        3 => parts.push(format!(
            "_sort={}{}",
            dice.pick(&["", "-"]),
            sort(dice, type_name)
        )),
        4 => parts.push(include(dice, type_name)),
        5 => parts.push("_total=estimate&_count=0".into()),
        _ => {}
    }
    parts.join("&")
}

fn sort(dice: &mut Dice, type_name: &str) -> &'static str {
    match type_name {
        "Patient" => dice.pick(&[
            "address-postalcode",
            "family",
            "birthdate",
            "phone",
            "general-practitioner",
            "_lastUpdated",
        ]),
        "Observation" => dice.pick(&["date", "code", "value-quantity", "_id"]),
        "Condition" => dice.pick(&["code", "recorded-date"]),
        _ => "_lastUpdated",
    }
}

fn include(dice: &mut Dice, type_name: &str) -> String {
    match type_name {
        "Patient" => dice
            .pick(&[
                "_include=Patient:general-practitioner",
                "_include=*",
                "_revinclude=Observation:subject",
                "_revinclude=Condition:subject&_revinclude=Provenance:target",
                "_revinclude=Group:member",
            ])
            .into(),
        "Observation" => dice
            .pick(&[
                "_include=Observation:subject&_include:iterate=Patient:general-practitioner",
                "_include=Observation:has-member",
                "_include:iterate=Observation:has-member",
                "_include=Observation:encounter",
                "_revinclude=DiagnosticReport:result",
                "_revinclude=Provenance:target",
            ])
            .into(),
        "Practitioner" => dice
            .pick(&[
                "_revinclude=Patient:general-practitioner",
                "_revinclude=Observation:performer",
                "_revinclude=Encounter:*",
            ])
            .into(),
        "Organization" => "_revinclude=Patient:general-practitioner".into(),
        "DiagnosticReport" => "_include=DiagnosticReport:result".into(),
        "List" => "_include=List:item".into(),
        "DocumentReference" => "_include=DocumentReference:subject".into(),
        "Communication" => "_include=Communication:subject".into(),
        _ => "_include=*".into(),
    }
}

fn criterion(dice: &mut Dice, type_name: &str) -> String {
    let code = dice.pick(&CODES);
    let patient = dice.pick(&PATIENTS);
    let doctor = dice.pick(&DOCTORS);
    if dice.one_in(6) {
        return dice
            .pick(&[
                "_security=PSY",
                "_security:not=http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R",
                "_security:missing=true",
                "_tag=made",
                "_lastUpdated=gt2026-11-23T09:31:00Z",
                "_tag:not=other",
            ])
            .into();
    }
    match type_name {
        "Patient" => match dice.below(14) {
            0 => format!("_has:Condition:subject:code={code}"),
            1 => format!("_has:Observation:subject:value-quantity=gt{}", dice.below(100)),
            2 => "address-postalcode=ZZ99 1AA".into(),
            3 => "general-practitioner:missing=true".into(),
            4 => format!("general-practitioner=Practitioner/{doctor}"),
            5 => "general-practitioner:Organization.name=Trust org-x".into(),
            6 => "phone=01632960001".into(),
            7 => "address:contains=leeds&family=Hale".into(),
            8 => "address-city:missing=false".into(),
            9 => "_filter=address-postalcode sw \"ZZ99\" or family eq \"Khan\"".into(),
            10 => "_filter=not (phone eq \"01632960001\")".into(),
            11 => format!("_has:Group:member:_id=r{}", dice.below(40)),
            12 => format!("_list=r{}", dice.below(40)),
            _ => "family=Hale,Moss".into(),
        },
        "Observation" => match dice.below(12) {
            0 => format!("code={code}"),
            1 => "patient.address-postalcode=ZZ99 1AA".into(),
            2 => format!("subject:Patient._has:Condition:subject:code={code}"),
            3 => format!("has-member.code={code}"),
            4 => format!("_has:DiagnosticReport:result:code={code}"),
            5 => format!("code-value-quantity={code}$gt{}", dice.below(100)),
            6 => format!("patient={patient}"),
            7 => format!("performer=Practitioner/{doctor}"),
            8 => format!("code:not={code}"),
            9 => "patient:identifier=https://fhir.nhs.uk/Id/nhs-number|999000p1".into(),
            10 => "encounter.reason-reference.code:missing=false".into(),
            _ => "date=gt2010-01-01".into(),
        },
        "Condition" => match dice.below(4) {
            0 => format!("code={code}"),
            1 => format!("subject=Patient/{patient}"),
            2 => "encounter:missing=true".into(),
            _ => "patient.general-practitioner:missing=false".into(),
        },
        "Encounter" => match dice.below(3) {
            0 => format!("reason-reference.code={code}"),
            1 => format!("_has:Condition:encounter:code={code}"),
            _ => "subject:Patient.phone=01632960001".into(),
        },
        "Organization" => match dice.below(2) {
            0 => "_has:Patient:general-practitioner:family=Hale".into(),
            _ => "_has:Patient:organization:active=true".into(),
        },
        "Practitioner" => match dice.below(3) {
            0 => format!("_has:Observation:performer:code={code}"),
            1 => "_has:Patient:general-practitioner:birthdate=gt1950".into(),
            _ => "name=dr".into(),
        },
        "DiagnosticReport" => format!("result.code={code}"),
        "List" => "item:missing=false".into(),
        "Group" => format!("member=Patient/{patient}"),
        "Provenance" => "target:missing=false".into(),
        "Task" => format!("patient={patient}"),
        "DocumentReference" => match dice.below(3) {
            0 => format!("patient={patient}"),
            1 => format!("location=Binary/bin{}", dice.below(BINARIES)),
            _ => "subject:Patient._has:Condition:subject:code:missing=false".into(),
        },
        "Communication" => match dice.below(3) {
            0 => format!("patient={patient}"),
            1 => "category=BTG".into(),
            _ => format!("sender=Practitioner/{doctor}"),
        },
        "Consent" => "status=active".into(),
        _ => "_lastUpdated=gt2020".into(),
    }
}
