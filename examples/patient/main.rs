//! Building, writing, reading and matching a `Patient` with the typed model.

use fhir_model::{HumanName, Identifier, Patient, PatientDeceased, Reference, Resource, json};

const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";

fn amira() -> Result<Patient, fhir_model::ValueError> {
    Ok(Patient {
        identifier: vec![Identifier {
            system: NHS_NUMBER.into(),
            value: "9990000018".into(),
            ..Identifier::default()
        }],
        name: vec![HumanName {
            family: "Khan".into(),
            given: vec!["Amira".into()],
            ..HumanName::default()
        }],
        gender: "female".into(),
        birth_date: "1988-03-14".parse()?,
        deceased: Some(PatientDeceased::Boolean(false.into())),
        managing_organization: Reference {
            reference: "Organization/org-brackenfold-trust".into(),
            ..Reference::default()
        }
        .into(),
        ..Patient::default()
    })
}

/// What a page would show of whatever resource came in.
fn banner(resource: &Resource) -> String {
    let Resource::Patient(patient) = resource else {
        return format!("a resource of type {}", resource.type_name());
    };
    let name = patient.name.first();
    let family = name.and_then(|n| n.family.as_str()).unwrap_or("(no name)");
    let number = patient.identifier.iter().find(|i| i.system == NHS_NUMBER);
    let number = number.and_then(|i| i.value.as_str()).unwrap_or("(no NHS number)");
    let alive = match &patient.deceased {
        Some(PatientDeceased::Boolean(dead)) if dead.value == Some(true) => "died",
        Some(PatientDeceased::DateTime(at)) if at.value.is_some() => "died",
        _ => "alive",
    };
    format!("{family}, {number}, {alive}")
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = json::to_string(&amira()?.into());
    println!("{text}");
    println!("{}", banner(&json::from_str(&text)?));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patient_comes_back_and_matches() {
        let built = Resource::from(amira().unwrap());
        let read = json::from_str(&json::to_string(&built)).unwrap();
        assert_eq!(read, built);
        assert_eq!(banner(&read), "Khan, 9990000018, alive");
    }

    #[test]
    fn every_kind_of_death_is_seen() {
        for (element, expected) in [
            (r#""deceasedDateTime":"2025-02""#, "died"),
            (r#""deceasedBoolean":true"#, "died"),
            (r#""deceasedBoolean":false"#, "alive"),
            (r#""active":true"#, "alive"),
        ] {
            let text = format!(r#"{{"resourceType":"Patient",{element}}}"#);
            let patient = json::from_str(&text).unwrap();
            assert_eq!(
                banner(&patient),
                format!("(no name), (no NHS number), {expected}"),
                "{element}"
            );
        }
    }

    #[test]
    fn another_resource_says_what_it_is() {
        let encounter = Resource::from(fhir_model::Encounter::default());
        assert_eq!(banner(&encounter), "a resource of type Encounter");
    }

    #[test]
    fn the_program_runs() {
        main().unwrap();
    }
}
