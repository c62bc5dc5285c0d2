//! Rows of resources, by type of value.

mod amounts;
mod official;

use fhir_model::json;

use super::*;
use crate::store::{Aspect, IndexRow, IndexValue, ParameterNumber};

/// The unit of a quantity in JSON.
const MG: &str = r#""unit":"milligram","system":"http://unitsofmeasure.org","code":"mg""#;

/// The rows of a resource in JSON.
fn index(text: &str) -> Index {
    try_index(text).unwrap()
}

fn try_index(text: &str) -> crate::error::Result<Index> {
    let resource: Resource = json::from_slice(text.as_bytes()).unwrap();
    let around = Surroundings {
        zone: &TimeZone::get("Europe/London").unwrap(),
        bases: &[
            "https://here.example/fhir".to_owned(),
            "http://localhost:8080/fhir".to_owned(),
        ],
    };
    extract(Registry::r4(), &resource, &around)
}

fn number(resource_type: &str, code: &str) -> ParameterNumber {
    let resource_type = ResourceType::from_name(resource_type).unwrap();
    Registry::r4().find(Some(resource_type), code).unwrap().number
}

/// The values of a parameter's aspect, in words.
fn values_of(text: &str, code: &str, aspect: Aspect) -> Vec<String> {
    let resource: Resource = json::from_slice(text.as_bytes()).unwrap();
    let parameter = number(resource.type_name(), code).of(aspect);
    let index = index(text);
    let rows = index.rows().iter().filter(|row| row.parameter == parameter);
    rows.map(|row| words(&row.value)).collect()
}

fn values(text: &str, code: &str) -> Vec<String> {
    values_of(text, code, Aspect::Value)
}

fn words(value: &IndexValue) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    match value {
        IndexValue::String { folded, exact } => format!("{folded}/{exact}"),
        IndexValue::Token { system, code } => format!("{}|{code}", or_none(system)),
        IndexValue::Reference {
            resource_type,
            id,
            version,
        } => {
            format!("{}/{id}@{}", resource_type.name(), or_none(version))
        }
        IndexValue::Uri { uri, version } => format!("{uri}@{}", or_none(version)),
        IndexValue::Date { first, last } => format!("{first}..{last}"),
        IndexValue::Number { low, high } => format!("{low}..{high}"),
        IndexValue::Quantity {
            low,
            high,
            system,
            code,
            unit,
        } => {
            format!(
                "{low}..{high} {} {} {}",
                or_none(system),
                or_none(code),
                or_none(unit)
            )
        }
        IndexValue::Position { point } => format!("{point:.3?}"),
    }
}

#[test]
fn text_is_folded_and_kept_as_written() {
    let library = r#"{"resourceType":"Library","status":"draft","type":{"text":"x"},"title":"Röntgen  Bild","description":"*Ein* Bild"}"#;
    assert_eq!(values(library, "title"), ["rontgen bild/Röntgen  Bild"]);
    assert_eq!(values(library, "description"), ["*ein* bild/*Ein* Bild"]);
}

#[test]
fn names_and_addresses_are_found_by_each_of_their_parts() {
    let patient = r#"{"resourceType":"Patient","name":[{"text":"T X","family":"Fam","given":["Gi","Ven"],"prefix":["Dr"],"suffix":["MD"]}],
        "address":[{"text":"A T","line":["1 Road","Flat"],"city":"Leeds","district":"D","state":"S","postalCode":"LS1 1AA","country":"GB"}]}"#;
    assert_eq!(
        values(patient, "name"),
        ["dr/Dr", "fam/Fam", "gi/Gi", "md/MD", "t x/T X", "ven/Ven"]
    );
    assert_eq!(values(patient, "phonetic"), values(patient, "name"));
    assert_eq!(values(patient, "given"), ["gi/Gi", "ven/Ven"]);
    assert_eq!(values(patient, "family"), ["fam/Fam"]);
    assert_eq!(
        values(patient, "address"),
        [
            "1 road/1 Road",
            "a t/A T",
            "d/D",
            "flat/Flat",
            "gb/GB",
            "leeds/Leeds",
            "ls1 1aa/LS1 1AA",
            "s/S"
        ]
    );
    assert_eq!(values(patient, "address-postalcode"), ["ls1 1aa/LS1 1AA"]);
}

const TRUTH: &str = "http://terminology.hl7.org/CodeSystem/special-values";

#[test]
fn a_canonical_url_is_also_kept_with_its_version() {
    let questionnaire =
        r#"{"resourceType":"Questionnaire","url":"http://a.example/q","version":"2","status":"draft"}"#;
    assert_eq!(values(questionnaire, "url"), ["http://a.example/q@-"]);
    assert_eq!(
        values_of(questionnaire, "url", Aspect::Versioned),
        ["http://a.example/q@2"]
    );
    // The URL of a device is no canonical one.
    let device = r#"{"resourceType":"Device","url":"http://a.example/d"}"#;
    assert!(values_of(device, "url", Aspect::Versioned).is_empty());
}

#[test]
fn a_part_of_a_composite_implies_its_system_too() {
    let document = r#"{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"title":"x"}}],
        "relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/1"}}]}"#;
    assert_eq!(
        values(document, "relation"),
        ["http://hl7.org/fhir/document-relationship-type|replaces"]
    );
}

#[test]
fn codes_come_with_their_systems_and_words() {
    let observation = r#"{"resourceType":"Observation","status":"final","code":{"text":"Härte","coding":[
        {"system":"http://loinc.org","code":"LA1-2","display":"Hard"},{"system":"http://unitsofmeasure.org","code":"mL"},{"code":"Local"}]}}"#;
    let codes = [
        "-|local",
        "http://loinc.org|la1-2",
        "http://unitsofmeasure.org|mL",
    ];
    assert_eq!(values(observation, "code"), codes);
    assert_eq!(values(observation, "combo-code"), codes);
    assert_eq!(values_of(observation, "code", Aspect::Text), ["hard/", "harte/"]);
    assert_eq!(
        values(observation, "status"),
        ["http://hl7.org/fhir/observation-status|final"]
    );
}

#[test]
fn a_concept_in_words_alone_is_not_missing() {
    let observation = r#"{"resourceType":"Observation","status":"final","code":{"text":"Words"}}"#;
    assert_eq!(values(observation, "code"), ["-|"]);
    assert_eq!(values_of(observation, "code", Aspect::Text), ["words/"]);
}

#[test]
fn identifiers_are_found_by_system_and_value_and_by_type() {
    let patient = r#"{"resourceType":"Patient","identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9000000009"},
        {"type":{"text":"Case note","coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR","display":"Record"}]},
         "system":"urn:x","value":"Ab1"},{"system":"urn:only-a-system"}]}"#;
    assert_eq!(
        values(patient, "identifier"),
        [
            "https://fhir.nhs.uk/Id/nhs-number|9000000009",
            "urn:only-a-system|",
            "urn:x|ab1"
        ]
    );
    assert_eq!(
        values_of(patient, "identifier", Aspect::OfType),
        ["http://terminology.hl7.org/CodeSystem/v2-0203|mr|ab1"]
    );
    assert_eq!(
        values_of(patient, "identifier", Aspect::Text),
        ["case note/", "record/"]
    );
}

#[test]
fn contacts_are_tokens_without_a_system_and_truth_values_of_their_own() {
    let patient = r#"{"resourceType":"Patient","active":true,"telecom":[{"system":"phone","value":"0113 1"},{"system":"email","value":"A@B.uk"}]}"#;
    assert_eq!(values(patient, "telecom"), ["-|0113 1", "-|a@b.uk"]);
    assert_eq!(values(patient, "email"), ["-|a@b.uk"]);
    assert_eq!(values(patient, "phone"), ["-|0113 1"]);
    assert_eq!(values(patient, "active"), [format!("{TRUTH}|true")]);
}

#[test]
fn the_dead_are_told_from_the_living() {
    for (deceased, expected) in [
        ("", "false"),
        (r#","deceasedBoolean":false"#, "false"),
        (r#","deceasedBoolean":true"#, "true"),
        (r#","deceasedDateTime":"2020""#, "true"),
    ] {
        let patient = format!(r#"{{"resourceType":"Patient"{deceased}}}"#);
        let expected = format!("{TRUTH}|{expected}");
        assert_eq!(values(&patient, "deceased"), [expected], "{deceased}");
    }
}

#[test]
fn references_to_this_server_are_local_however_they_are_written() {
    for (reference, expected) in [
        ("Patient/1", "Patient/1@-"),
        ("Patient/1/_history/2", "Patient/1@2"),
        ("https://here.example/fhir/Patient/1", "Patient/1@-"),
        ("http://localhost:8080/fhir/Patient/1/_history/3", "Patient/1@3"),
        (
            "https://elsewhere.example/fhir/Patient/1",
            "https://elsewhere.example/fhir/Patient/1@-",
        ),
        (
            "https://elsewhere.example/Patient/1/_history/4",
            "https://elsewhere.example/Patient/1@4",
        ),
        (
            "https://here.example/fhirPatient/1",
            "https://here.example/fhirPatient/1@-",
        ),
        (
            "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
            "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0@-",
        ),
        ("Wibble/1", "Wibble/1@-"),
        ("Patient?identifier=x", "Patient?identifier=x@-"),
        ("Patient/1/2", "Patient/1/2@-"),
    ] {
        let observation = format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"subject":{{"reference":"{reference}"}}}}"#
        );
        assert_eq!(values(&observation, "subject"), [expected], "{reference}");
    }
}

#[test]
fn a_logical_reference_is_found_by_its_identifier() {
    let observation = r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},
        "subject":{"type":"Patient","identifier":{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9000000009"}},
        "performer":[{"display":"somebody"}]}"#;
    let found = ["https://fhir.nhs.uk/Id/nhs-number|9000000009"];
    assert_eq!(values_of(observation, "subject", Aspect::Identifier), found);
    assert_eq!(values(observation, "subject"), [""; 0]);
    // In words alone it is there, and nothing more is known of it.
    assert_eq!(values(observation, "performer"), ["@-"]);
}

#[test]
fn what_a_reference_points_to_is_told_by_its_look() {
    let observation = |subject: &str| {
        format!(
            r##"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"contained":[{{"resourceType":"Patient","id":"p"}},
            {{"resourceType":"Group","id":"g","type":"person","actual":true}}],"subject":{{{subject}}}}}"##
        )
    };
    for (subject, expected) in [
        (r#""reference":"Patient/1""#, vec!["Patient/1@-"]),
        (r#""reference":"Group/1""#, vec![]),
        (r##""reference":"#p""##, vec!["#p@-"]),
        (r##""reference":"#g""##, vec![]),
        (
            r#""reference":"urn:uuid:1","type":"Patient""#,
            vec!["urn:uuid:1@-"],
        ),
        (r#""reference":"urn:uuid:1""#, vec![]),
    ] {
        assert_eq!(values(&observation(subject), "patient"), expected, "{subject}");
    }
}

#[test]
fn a_logical_reference_to_a_patient_is_found_by_patient() {
    let observation = r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},
        "subject":{"type":"Patient","identifier":{"system":"urn:n","value":"1"}}}"#;
    assert_eq!(values_of(observation, "patient", Aspect::Identifier), ["urn:n|1"]);
    let untyped = observation.replace(r#""type":"Patient","#, "");
    // What it refers to is not said: it may be a patient, and finding too much is safer than finding too little.
    assert_eq!(values_of(&untyped, "patient", Aspect::Identifier), ["urn:n|1"]);
    let group = observation.replace("Patient", "Group");
    assert_eq!(values_of(&group, "patient", Aspect::Identifier), [""; 0]);
}

#[test]
fn canonicals_fall_into_url_and_version() {
    for (canonical, expected) in [
        ("http://x/Questionnaire/q|1.2", "http://x/Questionnaire/q@1.2"),
        (
            "http://x/Questionnaire/q|1.2#part",
            "http://x/Questionnaire/q@1.2",
        ),
        ("http://x/Questionnaire/q", "http://x/Questionnaire/q@-"),
        ("Questionnaire/q", "Questionnaire/q@-"),
        ("#q", "#q@-"),
    ] {
        let response = format!(
            r#"{{"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"{canonical}"}}"#
        );
        assert_eq!(values(&response, "questionnaire"), [expected], "{canonical}");
    }
    let meta = r#"{"resourceType":"Patient","meta":{"profile":["http://x/P|2"],"source":"urn:s#1","tag":[{"system":"urn:t","code":"T"}],"security":[{"code":"R"}]}}"#;
    assert_eq!(values(meta, "_profile"), ["http://x/P@2"]);
    assert_eq!(values(meta, "_source"), ["urn:s#1@-"]);
    assert_eq!(values(meta, "_tag"), ["urn:t|t"]);
    assert_eq!(values(meta, "_security"), ["-|r"]);
}

#[test]
fn dates_cover_what_they_leave_open() {
    let patient = r#"{"resourceType":"Patient","birthDate":"1970-02"}"#;
    assert_eq!(values(patient, "birthdate"), ["2674800000..5093999999"]);
    let (min, max) = (i64::MIN, i64::MAX);
    for (period, expected) in [
        (
            r#""start":"2024-01-01","end":"2024-01-02""#,
            vec!["1704067200000..1704239999999".to_owned()],
        ),
        (
            r#""start":"2024-01-01T00:00:00Z""#,
            vec![format!("1704067200000..{max}")],
        ),
        (r#""end":"2024""#, vec![format!("{min}..1735689599999")]),
        (r#""id":"x""#, vec![]),
    ] {
        let encounter = format!(
            r#"{{"resourceType":"Encounter","status":"planned","class":{{"code":"AMB"}},"period":{{{period}}}}}"#
        );
        assert_eq!(values(&encounter, "date"), expected, "{period}");
    }
}

#[test]
fn a_timing_covers_its_events_and_bounds() {
    let request = |timing: &str| {
        format!(
            r#"{{"resourceType":"ServiceRequest","status":"active","intent":"order","subject":{{"reference":"Patient/1"}},"occurrenceTiming":{{{timing}}}}}"#
        )
    };
    let events = request(r#""event":["2024-01-03","2024-01-01T00:00:00Z"]"#);
    assert_eq!(values(&events, "occurrence"), ["1704067200000..1704326399999"]);
    let bounds = request(r#""repeat":{"boundsPeriod":{"start":"2024-01-01"},"frequency":1}"#);
    assert_eq!(
        values(&bounds, "occurrence"),
        [format!("1704067200000..{}", i64::MAX)]
    );
    assert_eq!(
        values(&request(r#""repeat":{"frequency":1}"#), "occurrence"),
        [""; 0]
    );
}

#[test]
fn a_position_is_a_point_of_the_sphere() {
    let location = r#"{"resourceType":"Location","position":{"latitude":0,"longitude":90}}"#;
    assert_eq!(values(location, "near"), ["[0.000, 1.000, 0.000]"]);
}

/// The groups of a composite: of each the values of its parts.
fn groups(text: &str, code: &str) -> Vec<(i32, Vec<String>)> {
    let resource: Resource = json::from_slice(text.as_bytes()).unwrap();
    let resource_type = ResourceType::from_name(resource.type_name()).unwrap();
    let parts = &Registry::r4().find(Some(resource_type), code).unwrap().components;
    let index = index(text);
    let of_part = |row: &&IndexRow| parts.iter().any(|p| p.parameter.0 / 8 == row.parameter.0 / 8);
    let mut groups: Vec<(i32, Vec<String>)> = Vec::new();
    let mut rows: Vec<_> = index.rows().iter().filter(of_part).collect();
    rows.sort_by_key(|row| row.group);
    for row in rows {
        let words = format!("{}{}", row.parameter.0 % 8, words(&row.value));
        match groups.last_mut() {
            Some((group, all)) if *group == row.group => all.push(words),
            _ => groups.push((row.group, vec![words])),
        }
    }
    groups
}

#[test]
fn the_parts_of_a_composite_stay_together() {
    let part = |code: &str, value: i32| {
        format!(
            r#"{{"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},"valueQuantity":{{"value":{value},{MG}}}}}"#
        )
    };
    let observation = format!(
        r#"{{"resourceType":"Observation","status":"final","code":{{"text":"bp"}},"component":[{},{{"code":{{"text":"nothing measured"}}}},{}]}}"#,
        part("8480-6", 120),
        part("8462-4", 80)
    );
    let expected = |code: &str, value: &str, base: &str| {
        vec![
            format!("0http://loinc.org|{code}"),
            format!("0{value}..{value} http://unitsofmeasure.org mg milligram"),
            format!("4{base}..{base} - g -"),
        ]
    };
    let found = groups(&observation, "component-code-value-quantity");
    assert_eq!(
        found,
        [
            (1, expected("8480-6", "120", "0.12")),
            (3, expected("8462-4", "80", "0.08"))
        ]
    );
}

#[test]
fn a_part_may_speak_of_the_whole_resource_and_of_dates() {
    let sequence = r#"{"resourceType":"MolecularSequence","coordinateSystem":0,"referenceSeq":{"chromosome":{"coding":[{"code":"1"}]}},"variant":[{"start":7,"end":9}]}"#;
    let found = groups(sequence, "chromosome-variant-coordinate");
    assert_eq!(
        found,
        [(1, vec!["0-|1".to_owned(), "07..7".into(), "09..9".into()])]
    );
    let dated = r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"c"}]},"valueDateTime":"2024-01-01T00:00:00Z"}"#;
    let found = groups(dated, "code-value-date");
    assert_eq!(
        found,
        [(1, vec!["0-|c".to_owned(), "01704067200000..1704067200999".into()])]
    );
}

#[test]
fn id_and_last_updated_make_no_rows() {
    let bare = r#"{"resourceType":"Basic","id":"x","meta":{"lastUpdated":"2024-01-01T00:00:00Z"},"code":{"coding":[{"code":"c"}]}}"#;
    assert_eq!(index(bare).rows().len(), 1);
}

#[test]
fn equal_values_are_one_row() {
    let patient = r#"{"resourceType":"Patient","name":[{"given":["Al","Al"]},{"given":["Al"]}]}"#;
    assert_eq!(values(patient, "given"), ["al/Al"]);
}

#[test]
fn more_values_than_are_kept_are_refused() {
    let given = |count: usize| {
        let names: Vec<String> = (0..count).map(|i| format!(r#""{i}""#)).collect();
        format!(
            r#"{{"resourceType":"Basic","code":{{"text":"x"}},"identifier":[{}]}}"#,
            names
                .iter()
                .map(|n| format!(r#"{{"value":{n}}}"#))
                .collect::<Vec<_>>()
                .join(",")
        )
    };
    assert_eq!(index(&given(1000)).rows().len(), 1002);
    let error = try_index(&given(200_001)).unwrap_err();
    assert_eq!(error.code, ErrorCode::TooCostly);
    assert!(
        error.to_string().contains("200000") || error.issues[0].diagnostics.contains("200000"),
        "{error:?}"
    );
}
