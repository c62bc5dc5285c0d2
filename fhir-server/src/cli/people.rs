//! Who can log in to the sandbox: the people of its records.

use fhir_server::authority::Person;
use fhir_server::store::{Key, ResourceType};
use serde_json::Value;

/// Short names of some of them, as documents and tests call them.
const ALIASES: &[(&str, &str)] = &[
    ("dr-a", "prac-helen-ashworth"),
    ("dr-b", "prac-kwame-mensah"),
    ("receptionist", "prac-tracey-boyle"),
    ("researcher", "prac-imogen-hartley"),
    ("privacy-officer", "prac-owen-pryce"),
    ("patient-1", "pat-amira-khan"),
    ("patient-2", "pat-david-okafor"),
    ("proxy", "rel-amira-khan-mother-of-zayn"),
];

/// Everybody in those transaction Bundles.
pub(super) fn of_bundles(bundles: &[(&str, &[u8])]) -> Vec<Person> {
    let bundles: Vec<Value> = bundles
        .iter()
        .filter_map(|(_, text)| serde_json::from_slice(text).ok())
        .collect();
    let entries = bundles.iter().flat_map(|bundle| items(bundle, "/entry"));
    let resources: Vec<&Value> = entries.filter_map(|entry| entry.get("resource")).collect();
    resources
        .iter()
        .filter_map(|resource| person(resource, &resources))
        .collect()
}

fn person(resource: &Value, all: &[&Value]) -> Option<Person> {
    let kind = text(resource, "/resourceType")?;
    let id = text(resource, "/id")?;
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
            let born = text(resource, "/birthDate");
            person.about = born.map_or_else(|| "patient".to_owned(), |date| format!("patient, born {date}"));
        }
        "RelatedPerson" => {
            let patient = text(resource, "/patient/reference")?.strip_prefix("Patient/")?;
            let whose = all.iter().find(|one| text(one, "/id") == Some(patient));
            person.about = format!("acts for {}", whose.map(|one| name(one)).unwrap_or_default());
            person.patient = Some(patient.to_owned());
        }
        _ => return None,
    }
    Some(person)
}

/// The role that a practitioner has now, and where.
fn at_work(person: &mut Person, all: &[&Value]) {
    let own = person.user.to_string();
    let role = all.iter().find(|one| {
        text(one, "/resourceType") == Some("PractitionerRole")
            && text(one, "/practitioner/reference") == Some(&own)
            && one.pointer("/period/end").is_none()
    });
    let Some(role) = role else { return };
    let codes = items(role, "/code").filter_map(|code| text(code, "/coding/0/code"));
    person.roles = codes.map(str::to_owned).collect();
    let place = text(role, "/organization/reference")
        .and_then(|reference| reference.strip_prefix("Organization/"))
        .and_then(|id| all.iter().find(|one| text(one, "/id") == Some(id)));
    let title = text(role, "/code/0/coding/0/display").unwrap_or("staff");
    if let Some(place) = place {
        person.organisation = identifier(place, "https://fhir.nhs.uk/Id/ods-organization-code");
        person.about = format!("{title}, {}", text(place, "/name").unwrap_or_default());
    }
}

fn identifier(resource: &Value, system: &str) -> Option<String> {
    let mut all = items(resource, "/identifier");
    let one = all.find(|identifier| text(identifier, "/system") == Some(system))?;
    text(one, "/value").map(str::to_owned)
}

fn name(resource: &Value) -> String {
    let words =
        ["/name/0/prefix", "/name/0/given"].map(|part| items(resource, part).filter_map(Value::as_str));
    let words = words
        .into_iter()
        .flatten()
        .chain(text(resource, "/name/0/family"));
    words.collect::<Vec<_>>().join(" ")
}

fn text<'v>(value: &'v Value, place: &str) -> Option<&'v str> {
    value.pointer(place)?.as_str()
}

fn items<'v>(value: &'v Value, place: &str) -> impl Iterator<Item = &'v Value> {
    value
        .pointer(place)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
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
        let researcher = called("researcher");
        assert_eq!(researcher.organisation.as_deref(), Some("X9904"));
        assert_eq!(
            (researcher.roles.as_slice(), researcher.purpose()),
            (["researcher".to_owned()].as_slice(), "HRESCH")
        );
        let officer = called("privacy-officer");
        assert_eq!(officer.roles, ["privacy-officer", "information-governance"]);
        assert_eq!(officer.purpose(), "HCOMPL");
        let patient = called("amira-khan");
        assert_eq!(patient.patient.as_deref(), Some("pat-amira-khan"));
        assert_eq!(patient.nhs_number.as_deref(), Some("9990000018"));
        assert_eq!(called("proxy").patient.as_deref(), Some("pat-zayn-khan"));
        assert!(people.len() > 25, "{}", people.len());
    }
}
