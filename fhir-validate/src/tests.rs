//! What the layers find, and what they leave alone.

use fhir_model::{
    Coding, Extension, HumanName, Observation, Patient, PatientCommunication, Primitive, Resource, Str,
};

use crate::{Breach, Validator};

fn places(resource: impl Into<Resource>) -> Vec<(String, &'static str)> {
    let findings = Validator::new().validate(&resource.into());
    assert!(findings.iter().all(|f| f.breach == Breach::Shape));
    findings.into_iter().map(|f| (f.expression, f.layer)).collect()
}

fn at(expression: &str, layer: &'static str) -> (String, &'static str) {
    (expression.to_owned(), layer)
}

#[test]
fn an_empty_patient_is_valid() {
    assert_eq!(places(Patient::default()), []);
}

#[test]
fn each_missing_required_element_is_named() {
    assert_eq!(
        places(Observation::default()),
        [
            at("Observation.status", "structure"),
            at("Observation.code", "structure")
        ]
    );
}

#[test]
fn a_required_element_missing_deep_inside_is_named_with_its_index() {
    let communication = vec![PatientCommunication::default(), PatientCommunication::default()];
    let patient = Patient {
        communication,
        ..Patient::default()
    };
    let expected = [
        at("Patient.communication[0].language", "structure"),
        at("Patient.communication[1].language", "structure"),
    ];
    assert_eq!(places(patient), expected);
}

#[test]
fn a_required_primitive_with_extensions_only_counts_as_present() {
    let mut status = Primitive::<Str>::default();
    let why = Extension {
        url: Some(Str::from(
            "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
        )),
        ..Default::default()
    };
    status.extras = Some(Box::new(fhir_model::Element {
        extension: vec![why],
        ..Default::default()
    }));
    let observation = Observation {
        status,
        ..Default::default()
    };
    assert_eq!(places(observation), [at("Observation.code", "structure")]);
}

#[test]
fn forms_of_values_are_checked_wherever_they_stand() {
    let mut name = HumanName {
        family: " ".into(),
        ..Default::default()
    };
    name.given = vec!["Ann".into(), "a\u{1}b".into()];
    let mut patient = Patient {
        id: "no spaces".into(),
        name: vec![name],
        gender: " male".into(),
        ..Default::default()
    };
    patient.contained = vec![Resource::from(Patient {
        language: "en  GB".into(),
        ..Default::default()
    })];
    let expected = [
        at("Patient.id", "format"),
        at("Patient.contained[0].language", "format"),
        at("Patient.name[0].family", "format"),
        at("Patient.name[0].given[1]", "format"),
        at("Patient.gender", "format"),
    ];
    assert_eq!(places(patient), expected);
}

#[test]
fn extensions_of_primitives_are_checked_too() {
    let mut active = Primitive::<bool>::from(true);
    active.extras = Some(Box::new(fhir_model::Element {
        extension: vec![Extension::default()],
        ..Default::default()
    }));
    let patient = Patient {
        active,
        ..Default::default()
    };
    assert_eq!(
        places(patient),
        [at("Patient.active.extension[0].url", "structure")]
    );
}

#[test]
fn uris_may_not_hold_white_space() {
    let coding = |system: &str| Coding {
        system: system.into(),
        ..Default::default()
    };
    let meta = fhir_model::Meta {
        tag: vec![coding("http://a b"), coding("urn:x"), coding("")],
        ..Default::default()
    };
    let patient = Patient {
        meta: Some(Box::new(meta)),
        ..Default::default()
    };
    let expected = [
        at("Patient.meta.tag[0].system", "format"),
        at("Patient.meta.tag[2].system", "format"),
    ];
    assert_eq!(places(patient), expected);
}

#[test]
fn the_number_of_findings_is_bounded() {
    let patient = Patient {
        communication: vec![PatientCommunication::default(); 500],
        ..Patient::default()
    };
    let findings = Validator::new().with_max_findings(7).validate(&patient.into());
    assert_eq!(findings.len(), 7);
}

mod forms {
    use fhir_model::reflect::PrimitiveType as P;

    fn good(kind: P, text: &str) -> bool {
        crate::format::text_problem(kind, text).is_none()
    }

    #[test]
    fn ids_have_1_to_64_letters_digits_dashes_and_dots() {
        assert!(good(P::Id, "a-1.B") && good(P::Id, &"x".repeat(64)));
        assert!(
            !good(P::Id, "") && !good(P::Id, &"x".repeat(65)) && !good(P::Id, "a_b") && !good(P::Id, "é")
        );
    }

    #[test]
    fn oids_are_numbers_with_dots() {
        assert!(good(P::Oid, "urn:oid:1.2.3.0.45"));
        for bad in [
            "urn:oid:3.1",
            "urn:oid:1",
            "urn:oid:1.02",
            "urn:oid:1..2",
            "1.2.3",
            "urn:oid:1.a",
            "urn:oid:1.",
        ] {
            assert!(!good(P::Oid, bad), "{bad}");
        }
    }

    #[test]
    fn uuids_are_in_lower_case_with_their_prefix() {
        assert!(good(P::Uuid, "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"));
        for bad in [
            "c757873d-ec9a-4326-a141-556f43239520",
            "urn:uuid:C757873D-ec9a-4326-a141-556f43239520",
            "urn:uuid:1",
        ] {
            assert!(!good(P::Uuid, bad), "{bad}");
        }
    }

    #[test]
    fn base64_comes_in_groups_of_four() {
        for fine in ["QQ==", "QUI=", "QUJD", "QUJD QUJD\nQQ=="] {
            assert!(good(P::Base64Binary, fine), "{fine}");
        }
        for bad in ["", "Q", "QQ=", "Q===", "QQ==QUJD", "QU_D", "====", "QUJ!"] {
            assert!(!good(P::Base64Binary, bad), "{bad}");
        }
    }

    #[test]
    fn codes_have_single_spaces_within_only() {
        assert!(good(P::Code, "a b") && good(P::Code, "final"));
        assert!(!good(P::Code, "a  b") && !good(P::Code, " a") && !good(P::Code, "a ") && !good(P::Code, ""));
    }
}
