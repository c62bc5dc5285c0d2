//! Who can log in to the sandbox: the people of its records.

use fhir_server::authority::Person;
use fhir_server::store::{Key, ResourceType};
use serde_json::Value;

/// Short names of some of them, as documents and tests call them.
const ALIASES: &[(&str, &str)] = &[
    ("dr-a", "prac-helen-ashworth"),
    ("dr-b", "prac-kwame-mensah"),
    ("receptionist", "prac-tracey-boyle"),
    ("patient-1", "pat-amira-khan"),
    ("patient-2", "pat-david-okafor"),
    ("proxy", "rel-amira-khan-mother-of-zayn"),
];

/// Everybody in those transaction Bundles.
pub(super) fn of_bundles(bundles: &[(&str, &[u8])]) -> Vec<Person> {
    let resources: Vec<Value> = bundles
        .iter()
        .filter_map(|(_, text)| serde_json::from_slice::<Value>(text).ok())
        .flat_map(|bundle| bundle["entry"].as_array().cloned().unwrap_or_default())
        .map(|entry| entry["resource"].clone())
        .collect();
    resources
        .iter()
        .filter_map(|resource| person(resource, &resources))
        .collect()
}

fn person(resource: &Value, all: &[Value]) -> Option<Person> {
    let kind = resource["resourceType"].as_str()?;
    let id = resource["id"].as_str()?;
    let user = Key {
        resource_type: ResourceType::from_name(kind)?,
        id: id.to_owned(),
    };
    let mut person = Person::new(user, name(resource));
    person.alias = ALIASES
        .iter()
        .find(|(_, of)| *of == id)
        .map(|(alias, _)| (*alias).to_owned());
    match kind {
        "Practitioner" => at_work(&mut person, all),
        "Patient" => {
            person.patient = Some(id.to_owned());
            person.nhs_number = identifier(resource, "https://fhir.nhs.uk/Id/nhs-number");
            person.about = resource["birthDate"]
                .as_str()
                .map_or_else(String::new, |date| format!("patient, born {date}"));
        }
        "RelatedPerson" => {
            let patient = resource["patient"]["reference"]
                .as_str()?
                .strip_prefix("Patient/")?;
            person.patient = Some(patient.to_owned());
            let whose = all
                .iter()
                .find(|one| one["id"] == patient)
                .map(name)
                .unwrap_or_default();
            person.about = format!("acts for {whose}");
        }
        _ => return None,
    }
    Some(person)
}

/// The role that a practitioner has now, and where.
fn at_work(person: &mut Person, all: &[Value]) {
    let own = person.user.to_string();
    let role = all.iter().find(|one| {
        one["resourceType"] == "PractitionerRole"
            && one["practitioner"]["reference"] == *own
            && one["period"]["end"].is_null()
    });
    let Some(role) = role else { return };
    let codes = role["code"].as_array().into_iter().flatten();
    person.roles = codes
        .filter_map(|code| code["coding"][0]["code"].as_str())
        .map(str::to_owned)
        .collect();
    let place = role["organization"]["reference"].as_str().and_then(|reference| {
        let id = reference.strip_prefix("Organization/")?;
        all.iter()
            .find(|one| one["resourceType"] == "Organization" && one["id"] == id)
    });
    let title = role["code"][0]["coding"][0]["display"]
        .as_str()
        .unwrap_or("staff");
    if let Some(place) = place {
        person.organisation = identifier(place, "https://fhir.nhs.uk/Id/ods-organization-code");
        person.about = format!("{title}, {}", place["name"].as_str().unwrap_or_default());
    }
}

fn identifier(resource: &Value, system: &str) -> Option<String> {
    let all = resource["identifier"].as_array()?;
    let one = all.iter().find(|identifier| identifier["system"] == system)?;
    one["value"].as_str().map(str::to_owned)
}

fn name(resource: &Value) -> String {
    let name = &resource["name"][0];
    let parts = |of: &Value| {
        let all = of.as_array().cloned().unwrap_or_default();
        all.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut words = parts(&name["prefix"]);
    words.extend(parts(&name["given"]));
    words.extend(name["family"].as_str().map(str::to_owned));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::sandbox;

    #[test]
    fn the_sandbox_has_staff_patients_and_proxies() {
        let people = sandbox::people();
        let called = |name: &str| people.iter().find(|person| person.is_called(name)).unwrap();
        let doctor = called("dr-a");
        assert_eq!(doctor.user.to_string(), "Practitioner/prac-helen-ashworth");
        assert_eq!(doctor.organisation.as_deref(), Some("A99991"));
        assert_eq!(doctor.roles, ["62247001"]);
        assert_eq!(called("receptionist").roles, ["R1730"]);
        let patient = called("amira-khan");
        assert_eq!(patient.patient.as_deref(), Some("pat-amira-khan"));
        assert_eq!(patient.nhs_number.as_deref(), Some("9990000018"));
        assert_eq!(called("proxy").patient.as_deref(), Some("pat-zayn-khan"));
        assert!(people.len() > 25, "{}", people.len());
    }
}
