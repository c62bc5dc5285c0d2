//! What the validator is told, over the built-in library and over small ones of its own.

use std::sync::Arc;

use fhir_model::json;

use super::{CodeQuery, Known, Library, Membership, NotMember, Terminology};

const GENDER: &str = "http://hl7.org/fhir/ValueSet/administrative-gender";

fn code(code: &str) -> CodeQuery<'_> {
    CodeQuery {
        code,
        ..CodeQuery::default()
    }
}

fn coding<'a>(system: &'a str, code: &'a str) -> CodeQuery<'a> {
    CodeQuery {
        system: Some(system),
        code,
        ..CodeQuery::default()
    }
}

fn over_r4(resources: &[&str]) -> Library {
    let library = Library::over(Library::r4());
    for resource in resources {
        library.add(json::from_str(resource).unwrap()).unwrap();
    }
    library
}

fn not_member(found: Membership) -> (NotMember, Option<String>) {
    match found {
        Membership::NotMember { reason, near } => (reason, near),
        other => panic!("{other:?}"),
    }
}

fn is_member(found: &Membership) -> bool {
    matches!(found, Membership::Member { .. })
}

fn is_unchecked(found: &Membership) -> bool {
    matches!(found, Membership::Unchecked { .. })
}

const ANIMALS: &str = r#"{"resourceType":"CodeSystem","url":"http://a.example/animals","version":"1","status":"active",
    "content":"complete","caseSensitive":true,"concept":[
    {"code":"_all","display":"All","property":[{"code":"notSelectable","valueBoolean":true}],"concept":[
    {"code":"dog","display":"Dog","concept":[{"code":"poodle","display":"Poodle"}]},
    {"code":"dodo","display":"Dodo","property":[{"code":"inactive","valueBoolean":true}]}]}]}"#;

fn value_set(url: &str, compose: &str) -> String {
    format!(r#"{{"resourceType":"ValueSet","url":"{url}","status":"active","compose":{compose}}}"#)
}

#[test]
fn a_code_of_an_element_is_found_by_its_value_set() {
    let r4 = Library::r4();
    assert_eq!(
        r4.validate_code(&format!("{GENDER}|4.0.1"), &code("female")),
        Membership::Member {
            system: "http://hl7.org/fhir/administrative-gender".to_owned(),
            display: Some("Female".to_owned()),
            display_is_right: true,
            inactive: false,
        }
    );
    assert_eq!(
        not_member(r4.validate_code(GENDER, &code("femal"))),
        (NotMember::UnknownCode, Some("female".to_owned()))
    );
    assert_eq!(
        not_member(r4.validate_code(GENDER, &code("Female"))),
        (NotMember::WrongCase, Some("female".to_owned()))
    );
}

#[test]
fn a_coding_is_held_against_its_own_system() {
    let r4 = Library::r4();
    let system = "http://hl7.org/fhir/administrative-gender";
    assert!(is_member(&r4.validate_code(GENDER, &coding(system, "male"))));
    let elsewhere = r4.validate_code(GENDER, &coding("http://hl7.org/fhir/account-status", "male"));
    assert_eq!(not_member(elsewhere).0, NotMember::WrongSystem);
    let wrong_display = CodeQuery {
        display: Some("Man"),
        ..coding(system, "male")
    };
    assert!(matches!(
        r4.validate_code(GENDER, &wrong_display),
        Membership::Member {
            display_is_right: false,
            ..
        }
    ));
    assert!(matches!(
        r4.look_up(&wrong_display),
        Known::Yes {
            display_is_right: false,
            ..
        }
    ));
}

#[test]
fn what_is_not_held_is_unchecked() {
    let r4 = Library::r4();
    let snomed = coding("http://snomed.info/sct", "73211009");
    assert!(matches!(r4.look_up(&snomed), Known::Unchecked { .. }));
    assert!(matches!(r4.look_up(&code("a")), Known::Unchecked { .. }));
    assert!(is_unchecked(&r4.validate_code(
        "http://hl7.org/fhir/ValueSet/condition-code",
        &snomed
    )));
    assert!(is_unchecked(
        &r4.validate_code("http://a.example/no-such-set", &snomed)
    ));
    assert!(is_unchecked(&r4.validate_code(
        "http://snomed.info/sct?fhir_vs=isa/73211009",
        &snomed
    )));
    // Codes that a value set lists itself need no code system.
    let listed = value_set(
        "http://a.example/listed",
        r#"{"include":[{"system":"http://snomed.info/sct","concept":[{"code":"73211009","display":"Diabetes mellitus"}]}]}"#,
    );
    let library = over_r4(&[&listed]);
    assert!(is_member(
        &library.validate_code("http://a.example/listed", &snomed)
    ));
    let other = coding("http://snomed.info/sct", "1");
    assert_eq!(
        not_member(library.validate_code("http://a.example/listed", &other)).0,
        NotMember::UnknownInValueSet
    );
}

#[test]
fn codes_made_by_rule_are_checked_by_rule() {
    let r4 = Library::r4();
    let units = "http://hl7.org/fhir/ValueSet/ucum-units";
    assert!(is_member(
        &r4.validate_code(units, &coding("http://unitsofmeasure.org", "mm[Hg]"))
    ));
    let wrong = r4.validate_code(units, &coding("http://unitsofmeasure.org", "mmHg"));
    assert_eq!(not_member(wrong).0, NotMember::UnknownCode);
    assert!(is_member(&r4.validate_code(
        "http://hl7.org/fhir/ValueSet/mimetypes",
        &code("text/plain")
    )));
    assert!(is_member(&r4.validate_code(
        "http://hl7.org/fhir/ValueSet/all-languages",
        &code("cy")
    )));
    assert!(!is_member(&r4.validate_code(
        "http://hl7.org/fhir/ValueSet/mimetypes",
        &code("pdf")
    )));
}

#[test]
fn filters_and_excludes_and_imports_are_applied() {
    let library = over_r4(&[
        ANIMALS,
        &value_set(
            "http://a.example/all",
            r#"{"include":[{"system":"http://a.example/animals"}]}"#,
        ),
        &value_set(
            "http://a.example/dogs",
            r#"{"include":[{"valueSet":["http://a.example/all"]}],
                "exclude":[{"system":"http://a.example/animals","filter":[{"property":"concept","op":"is-not-a","value":"dog"}]}]}"#,
        ),
    ]);
    let ask = |set: &str, code| library.validate_code(set, &coding("http://a.example/animals", code));
    assert!(
        is_member(&ask("http://a.example/dogs", "poodle")) && is_member(&ask("http://a.example/dogs", "dog"))
    );
    assert_eq!(
        not_member(ask("http://a.example/dogs", "dodo")).0,
        NotMember::UnknownInValueSet
    );
    assert!(matches!(
        ask("http://a.example/all", "dodo"),
        Membership::Member { inactive: true, .. }
    ));
    assert_eq!(
        not_member(ask("http://a.example/all", "_all")).0,
        NotMember::Abstract
    );
    assert_eq!(
        not_member(ask("http://a.example/all", "DOG")).0,
        NotMember::WrongCase
    );
}

#[test]
fn value_sets_that_import_each_other_are_refused() {
    let library = over_r4(&[
        &value_set(
            "http://a.example/a",
            r#"{"include":[{"valueSet":["http://a.example/b"]}]}"#,
        ),
        &value_set(
            "http://a.example/b",
            r#"{"include":[{"valueSet":["http://a.example/a"]}]}"#,
        ),
    ]);
    for _ in 0..2 {
        match library.validate_code("http://a.example/a", &code("x")) {
            Membership::Unchecked { reason } => assert!(reason.contains("circle"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_a_layer_adds_counts_at_once_and_for_it_alone() {
    let base = Arc::new(over_r4(&[]));
    let tenant = Library::over(Arc::clone(&base));
    let set = "http://a.example/all";
    let dog = coding("http://a.example/animals", "dog");
    assert!(is_unchecked(&tenant.validate_code(set, &dog)));
    let all = value_set(set, r#"{"include":[{"system":"http://a.example/animals"}]}"#);
    tenant.add(json::from_str(&all).unwrap()).unwrap();
    assert!(is_unchecked(&tenant.validate_code(set, &dog)));
    tenant.add(json::from_str(ANIMALS).unwrap()).unwrap();
    assert!(is_member(&tenant.validate_code(set, &dog)));
    assert!(is_unchecked(&base.validate_code(set, &dog)));
    // What is added below counts above.
    base.add(json::from_str(&all).unwrap()).unwrap();
    assert!(is_unchecked(&base.validate_code(set, &dog)) && is_member(&tenant.validate_code(set, &dog)));
    assert!(tenant.remove("http://a.example/animals", Some("1")));
    assert!(is_unchecked(&tenant.validate_code(set, &dog)));
    assert!(!tenant.remove("http://a.example/animals", Some("1")));
}

#[test]
fn a_version_is_looked_for_where_it_is_named() {
    let newer = ANIMALS
        .replace("\"version\":\"1\"", "\"version\":\"10\"")
        .replace("poodle", "pug");
    let library = over_r4(&[ANIMALS, &newer]);
    let ask = |version, code| {
        library.look_up(&CodeQuery {
            version,
            ..coding("http://a.example/animals", code)
        })
    };
    assert!(matches!(ask(None, "pug"), Known::Yes { .. }));
    assert!(matches!(ask(Some("1"), "pug"), Known::No { near: None }));
    assert!(matches!(ask(Some("1"), "poodl"), Known::No { near: Some(near) } if near == "poodle"));
    assert!(matches!(ask(Some("2"), "pug"), Known::Unchecked { .. }));
}

#[test]
fn a_code_that_a_newer_version_lost_stays_right() {
    let library = Library::built_in();
    let system = "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness";
    let lost = coding(system, "Non-serious");
    assert!(matches!(library.look_up(&lost), Known::Yes { .. }));
    let set = "http://hl7.org/fhir/ValueSet/adverse-event-seriousness";
    assert!(is_member(&library.validate_code(set, &lost)));
    let never = coding(system, "Not-so-serious");
    assert!(matches!(library.look_up(&never), Known::No { .. }));
    assert_eq!(
        not_member(library.validate_code(set, &never)).0,
        NotMember::UnknownCode
    );
}

#[test]
fn the_version_that_a_coding_states_counts_where_the_value_set_takes_any() {
    let newer = ANIMALS
        .replace("\"version\":\"1\"", "\"version\":\"10\"")
        .replace("poodle", "pug");
    let all = value_set(
        "http://a.example/all",
        r#"{"include":[{"system":"http://a.example/animals"}]}"#,
    );
    let library = over_r4(&[ANIMALS, &newer, &all]);
    let ask = |version, code| {
        let query = CodeQuery {
            version,
            ..coding("http://a.example/animals", code)
        };
        library.validate_code("http://a.example/all", &query)
    };
    assert!(is_member(&ask(None, "pug")) && is_member(&ask(Some("1"), "poodle")));
    assert_eq!(not_member(ask(Some("1"), "pug")).0, NotMember::UnknownCode);
    assert!(is_unchecked(&ask(Some("7"), "pug")));
}

#[test]
fn a_fragment_never_makes_a_code_wrong() {
    let part = ANIMALS.replace("complete", "fragment");
    let all = value_set(
        "http://a.example/all",
        r#"{"include":[{"system":"http://a.example/animals"}]}"#,
    );
    let library = over_r4(&[&part, &all]);
    let cat = coding("http://a.example/animals", "cat");
    assert!(is_unchecked(&library.validate_code("http://a.example/all", &cat)));
    assert!(matches!(library.look_up(&cat), Known::Unchecked { .. }));
}

#[test]
fn what_is_held_is_found_by_its_url() {
    let library = Library::over(Library::built_in());
    library.add(json::from_str(ANIMALS).unwrap()).unwrap();
    for (url, kind) in [
        ("http://a.example/animals|1", "CodeSystem"),
        ("http://hl7.org/fhir/administrative-gender", "CodeSystem"),
        (
            "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1",
            "ValueSet",
        ),
        (
            "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v3",
            "ConceptMap",
        ),
    ] {
        assert_eq!(library.resource(url).map(|r| r.type_name()), Some(kind), "{url}");
    }
    assert!(library.resource("http://a.example/animals|2").is_none());
}

#[test]
fn a_regular_expression_of_death_is_refused() {
    for pattern in ["((a{1,1000}){1,1000}){1,1000}", "(a", "(?=a)"] {
        let set = value_set(
            "http://a.example/regex",
            &format!(
                r#"{{"include":[{{"system":"http://a.example/animals","filter":[{{"property":"code","op":"regex","value":"{pattern}"}}]}}]}}"#
            ),
        );
        let library = over_r4(&[ANIMALS, &set]);
        let found = library.validate_code(
            "http://a.example/regex",
            &coding("http://a.example/animals", "dog"),
        );
        assert!(is_unchecked(&found), "{pattern}: {found:?}");
    }
}

#[test]
fn imports_that_multiply_are_refused() {
    let sets: Vec<String> = (0..30)
        .map(|n| {
            let next = format!("http://a.example/{}", n + 1);
            let url = format!("http://a.example/{n}");
            value_set(
                &url,
                &format!(r#"{{"include":[{{"valueSet":["{next}"]}},{{"valueSet":["{next}"]}}]}}"#),
            )
        })
        .chain([value_set(
            "http://a.example/30",
            r#"{"include":[{"system":"http://a.example/animals"}]}"#,
        )])
        .collect();
    let library = over_r4(&sets.iter().map(String::as_str).collect::<Vec<_>>());
    match library.validate_code("http://a.example/0", &code("dog")) {
        Membership::Unchecked { reason } => assert!(reason.contains("more than 10000 clauses"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hierarchy_in_a_circle_ends() {
    let circle = r#"{"resourceType":"CodeSystem","url":"http://a.example/animals","status":"active","content":"complete",
        "concept":[{"code":"a","property":[{"code":"parent","valueCode":"b"}]},
                   {"code":"b","property":[{"code":"parent","valueCode":"a"}]}]}"#;
    let set = value_set(
        "http://a.example/below",
        r#"{"include":[{"system":"http://a.example/animals","filter":[{"property":"concept","op":"is-a","value":"a"}]}]}"#,
    );
    let library = over_r4(&[circle, &set]);
    assert!(is_member(&library.validate_code(
        "http://a.example/below",
        &coding("http://a.example/animals", "b")
    )));
}

#[test]
fn every_value_set_that_is_built_in_compiles() {
    let library = Library::built_in();
    let sets = [&super::packed::R4.value_sets, &super::packed::THO.value_sets];
    for line in sets.into_iter().flat_map(|file| file.lines()) {
        let compiled = library.compiled(&line.url);
        assert!(compiled.is_ok(), "{}: {compiled:?}", line.url);
    }
}

#[test]
fn the_newer_definition_of_hl7s_terminology_counts() {
    let library = Library::built_in();
    let class = coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "AMB");
    assert!(is_member(&library.validate_code(
        "http://terminology.hl7.org/ValueSet/v3-ActEncounterCode",
        &class
    )));
    let versions = library.code_system_versions("http://terminology.hl7.org/CodeSystem/v3-ActCode");
    assert_eq!(versions, ["2018-08-12", "9.0.0"]);
    let old = CodeQuery {
        version: Some("2018-08-12"),
        ..class
    };
    assert!(matches!(library.look_up(&old), Known::Yes { .. }));
}
