//! Parameters and the filters that they become.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::*;
use crate::search::terminology::{Concept, NoTerminology};
use crate::store::{Criterion, ParameterNumber};

/// One value set of two systems, and a hierarchy of one code.
struct Codes;

impl Terminology for Codes {
    fn members(&self, value_set: &str, limit: usize) -> Result<Vec<Concept>> {
        match (value_set, limit) {
            ("http://x/ValueSet/s", 3..) => Ok(vec![concept("http://a", "1"), concept("http://a", "2"), concept("http://b", "3")]),
            _ => Err(Error::new(ErrorCode::TooCostly, "no")),
        }
    }
    fn below(&self, system: &str, code: &str, _: usize) -> Result<Vec<Concept>> {
        Ok(vec![concept(system, code), concept(system, &format!("{code}.1"))])
    }
    fn above(&self, system: &str, code: &str, _: usize) -> Result<Vec<Concept>> {
        Ok(vec![concept(system, code), concept(system, "root")])
    }
}

fn concept(system: &str, code: &str) -> Concept {
    Concept {
        system: Some(system.into()),
        code: code.into(),
    }
}

fn resource_type(name: &str) -> ResourceType {
    ResourceType::from_name(name).unwrap()
}

fn read_with(limits: &Limits, types: &[&str], name: &str, value: &str) -> std::result::Result<Filter, Problem> {
    let types: Vec<ResourceType> = types.iter().map(|t| resource_type(t)).collect();
    let scope = Scope {
        registry: Registry::r4(),
        terminology: &Codes,
        limits,
        zone: &TimeZone::UTC,
        // 2026-11-23T00:00:00Z
        now: Millis(1_795_392_000_000),
        base: "http://h/fhir",
        spent: Cell::new(0),
    };
    filter(&scope, &types, name, value)
}

fn read(of: &str, query: &str) -> std::result::Result<Filter, Problem> {
    let (name, value) = query.split_once('=').unwrap();
    let types: Vec<&str> = of.split(',').filter(|t| !t.is_empty()).collect();
    read_with(&Limits::default(), &types, name, value)
}

/// The code and message of a refusal.
fn refused(of: &str, query: &str) -> (ErrorCode, String) {
    match read(of, query) {
        Err(Problem::Refused(error)) => (error.code, error.issues[0].diagnostics.clone()),
        other => panic!("{of}?{query}: {other:?}"),
    }
}

/// Parameters by number.
static CODES: LazyLock<HashMap<ParameterNumber, String>> = LazyLock::new(|| {
    let registry = Registry::r4();
    let all = ResourceType::all().flat_map(|t| registry.of(t));
    let mut codes = HashMap::new();
    for parameter in all {
        codes.insert(parameter.number, parameter.code.to_string());
        for (place, part) in parameter.components.iter().enumerate() {
            codes.entry(part.parameter).or_insert_with(|| format!("{}${place}", parameter.code));
        }
    }
    codes
});

const ASPECTS: [&str; 5] = ["", "/text", "/of-type", "/identifier", "/canonical"];

/// The filter, short enough to read.
fn shown(filter: &Filter) -> String {
    let joined = |all: &[Filter], word: &str| {
        let all: Vec<String> = all.iter().map(shown).collect();
        format!("({})", all.join(word))
    };
    match filter {
        Filter::And(all) => joined(all, " & "),
        Filter::Or(any) => joined(any, " | "),
        Filter::Not(inner) => format!("!{}", shown(inner)),
        Filter::Has(criterion) => of_criterion(criterion),
        Filter::Group(parts) => {
            let parts: Vec<String> = parts.iter().map(of_criterion).collect();
            format!("[{}]", parts.join(" & "))
        }
        Filter::RefersTo {
            parameters,
            resource_type,
            filter,
        } => format!("{}->{}{{{}}}", code(parameters[0]), resource_type.name(), shown(filter)),
        Filter::ReferredToBy {
            resource_type,
            parameter,
            filter,
        } => format!("{}.{}<-{{{}}}", resource_type.name(), code(*parameter), shown(filter)),
        Filter::Ids(ids) => format!("ids {}", ids.join(",")),
        Filter::Types(types) => {
            let names: Vec<&str> = types.iter().map(|t| t.name()).collect();
            names.join(",")
        }
        other => format!("{other:?}"),
    }
}

fn of_criterion(criterion: &Criterion) -> String {
    format!("{} {:?}", code(criterion.parameter), criterion.test)
}

fn code(number: ParameterNumber) -> String {
    let value = number.of(crate::store::Aspect::Value);
    let aspect = ASPECTS[usize::try_from(number.0 - value.0).unwrap()];
    format!("{}{aspect}", CODES.get(&value).unwrap_or(&format!("{number:?}")))
}

fn check(cases: &[(&str, &str, &str)]) {
    for (of, query, expected) in cases {
        let filter = read(of, query).unwrap_or_else(|e| panic!("{of}?{query}: {e:?}"));
        assert_eq!(shown(&filter), *expected, "{of}?{query}");
    }
}

#[test]
fn strings_match_their_beginning_without_case_and_accents() {
    check(&[
        ("Patient", "name=Hale", r#"name StartsWith("hale")"#),
        ("Patient", "name=Éva,Bob", r#"(name StartsWith("eva") | name StartsWith("bob"))"#),
        ("Patient", r"name=a\,b", r#"name StartsWith("a,b")"#),
        ("Patient", "name:exact=Éva", r#"name Exact("Éva")"#),
        ("Patient", r"name:exact=a\\b", r#"name Exact("a\\b")"#),
        ("Patient", "name:contains=AL", r#"name Contains("al")"#),
        ("Patient", "name:missing=true", "!name Exists(String)"),
        ("Patient", "name:missing=false", "name Exists(String)"),
        ("Patient", "name=%_", r#"name StartsWith("%_")"#),
    ]);
}

#[test]
fn tokens_tell_system_and_code_apart() {
    check(&[
        (
            "Patient",
            "gender=male",
            r#"gender Token { system: Any, code: Some(["male"]) }"#,
        ),
        (
            "Patient",
            "identifier=urn:x|A1",
            r#"identifier Token { system: Is("urn:x"), code: Some(["a1"]) }"#,
        ),
        (
            "Observation",
            "code=http://unitsofmeasure.org|mL",
            r#"code Token { system: Is("http://unitsofmeasure.org"), code: Some(["mL"]) }"#,
        ),
        (
            "Patient",
            "identifier=|A1",
            r#"identifier Token { system: Absent, code: Some(["a1", "A1"]) }"#,
        ),
        ("Patient", "identifier=urn:x|", r#"identifier Token { system: Is("urn:x"), code: None }"#),
        (
            "Patient",
            r"identifier=urn:x|a\|b",
            r#"identifier Token { system: Is("urn:x"), code: Some(["a|b"]) }"#,
        ),
        (
            "Patient",
            "identifier=urn:x|b,urn:x|a,c",
            r#"(identifier Token { system: Is("urn:x"), code: Some(["a", "b"]) } | identifier Token { system: Any, code: Some(["c"]) })"#,
        ),
        (
            "Patient",
            "identifier=urn:x|b,urn:x|",
            r#"identifier Token { system: Is("urn:x"), code: None }"#,
        ),
        (
            "Patient",
            "gender:not=male,female",
            r#"!gender Token { system: Any, code: Some(["female", "male"]) }"#,
        ),
        ("Condition", "code:text=Head", r#"code/text StartsWith("head")"#),
        ("Condition", "code:missing=true", "!code Exists(Token)"),
    ]);
}

#[test]
fn tokens_ask_the_terminology() {
    let both = r#"(code Token { system: Is("http://a"), code: Some(["1", "2"]) } | code Token { system: Is("http://b"), code: Some(["3"]) })"#;
    check(&[
        ("Condition", "code:in=http://x/ValueSet/s", both),
        ("Condition", "code:not-in=http://x/ValueSet/s", &format!("!{both}")),
        (
            "Condition",
            "code:below=http://a|7",
            r#"code Token { system: Is("http://a"), code: Some(["7", "7.1"]) }"#,
        ),
        (
            "Condition",
            "code:above=http://a|7",
            r#"code Token { system: Is("http://a"), code: Some(["7", "root"]) }"#,
        ),
    ]);
    assert_eq!(refused("Condition", "code:below=7").0, ErrorCode::Value);
    assert_eq!(refused("Condition", "code:in=http://x/ValueSet/other").0, ErrorCode::TooCostly);
    assert_eq!(NoTerminology.members("x", 1).unwrap_err().code, ErrorCode::Value);
}

#[test]
fn references_are_local_or_uris() {
    let uri = |uri: &str| format!(r#"subject Uri {{ uri: "{uri}", version: None }}"#);
    check(&[
        (
            "Observation",
            "subject=Patient/1",
            r#"subject Reference { types: [ResourceType("Patient")], id: "1", version: None }"#,
        ),
        ("Observation", "subject=1", r#"subject Reference { types: [], id: "1", version: None }"#),
        (
            "Observation",
            "subject:Patient=1",
            r#"subject Reference { types: [ResourceType("Patient")], id: "1", version: None }"#,
        ),
        (
            "Observation",
            "subject:Patient=Patient/1",
            r#"subject Reference { types: [ResourceType("Patient")], id: "1", version: None }"#,
        ),
        (
            "Observation",
            "subject=Patient/1/_history/2",
            r#"subject Reference { types: [ResourceType("Patient")], id: "1", version: Some("2") }"#,
        ),
        ("Observation", "subject=http://other/fhir/Patient/1", &uri("http://other/fhir/Patient/1")),
        ("Observation", "subject=urn:uuid:0b3d", &uri("urn:uuid:0b3d")),
        (
            "Observation",
            "subject=http://other/Patient/1/_history/2",
            r#"subject Uri { uri: "http://other/Patient/1", version: Some("2") }"#,
        ),
        (
            "Observation",
            "subject:missing=false",
            "(subject Exists(Reference) | subject Exists(Uri) | subject/identifier Exists(Token))",
        ),
        (
            "Observation",
            "subject=http://h/fhir/Patient/1",
            &format!(
                r#"(subject Reference {{ types: [ResourceType("Patient")], id: "1", version: None }} | {})"#,
                uri("http://h/fhir/Patient/1")
            ),
        ),
        (
            "Observation",
            "patient:identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009",
            r#"patient/identifier Token { system: Is("https://fhir.nhs.uk/Id/nhs-number"), code: Some(["9000000009"]) }"#,
        ),
    ]);
    for query in ["subject=Patent/1", "subject=a/b/c/d", "subject=a b", "subject:Patient=Group/1", "subject:Patient=urn:x:1"] {
        assert_eq!(refused("Observation", query).0, ErrorCode::Value, "{query}");
    }
    let (_, text) = refused("Observation", "patient:Device=1");
    assert!(text.contains("refers to Patient"), "{text}");
}

#[test]
fn dates_are_spans_and_take_prefixes() {
    check(&[
        ("Patient", "birthdate=1970-01-01", "birthdate Date(Eq, 0, 86399999)"),
        ("Patient", "birthdate=ge1970-01-01", "birthdate Date(Ge, 0, 86399999)"),
        ("Patient", "birthdate=sa1970", "birthdate Date(Sa, 0, 31535999999)"),
        ("Patient", "birthdate=eb1970", "birthdate Date(Eb, 0, 31535999999)"),
        ("Patient", "birthdate=ap2026-11-23T00:00:00.000Z", "birthdate Date(Ap, 1795392000000, 1795392000000)"),
        ("Patient", "birthdate=ap2026-11-22", "birthdate Date(Ap, 1795296960000, 1795400639999)"),
        (
            "Patient",
            "birthdate=1970-01-01,ne1970-01-01",
            "(birthdate Date(Eq, 0, 86399999) | birthdate Date(Ne, 0, 86399999))",
        ),
    ]);
    for query in ["birthdate=yesterday", "birthdate=xx1970", "birthdate=ge", "birthdate=1970-13", "birthdate=,"] {
        assert_eq!(refused("Patient", query).0, ErrorCode::Value, "{query}");
    }
}

#[test]
fn numbers_and_quantities_keep_their_precision() {
    let high = 100.5_f64.next_down();
    check(&[
        ("RiskAssessment", "probability=gt0.8", "probability Number(Gt, 0.8, 0.8)"),
        ("RiskAssessment", "probability=100", &format!("probability Number(Eq, 99.5, {high:?})")),
        (
            "Observation",
            "value-quantity=100",
            &format!("value-quantity Quantity(Eq, 99.5, {high:?}, Any)"),
        ),
        ("Observation", "value-quantity=lt5.4||mg", r#"value-quantity Quantity(Lt, 5.4, 5.4, Named("mg"))"#),
        (
            "Observation",
            "value-quantity=gt5.4|http://x|mg",
            r#"value-quantity Quantity(Gt, 5.4, 5.4, Coded { system: "http://x", code: "mg" })"#,
        ),
        (
            "Observation",
            "value-quantity=gt5|http://unitsofmeasure.org|mg",
            r#"value-quantity/canonical Quantity(Gt, 0.005, 0.005, Named("g"))"#,
        ),
        (
            "Observation",
            "value-quantity=gt5|http://unitsofmeasure.org|nonsense",
            r#"value-quantity Quantity(Gt, 5.0, 5.0, Coded { system: "http://unitsofmeasure.org", code: "nonsense" })"#,
        ),
    ]);
    for query in ["value-quantity=x", "value-quantity=5|mg", "value-quantity=5|http://x|", "value-quantity=|http://x|mg"] {
        assert_eq!(refused("Observation", query).0, ErrorCode::Value, "{query}");
    }
}

#[test]
fn uris_reach_up_and_down() {
    check(&[
        ("ValueSet", "url=http://a/b", r#"url Uri { uri: "http://a/b", version: None }"#),
        ("ValueSet", "url:below=http://a/b", r#"url UriBelow("http://a/b")"#),
        (
            "ValueSet",
            "url:above=http://a/b",
            r#"url UriAbove(["http", "http:", "http:/", "http://", "http://a", "http://a/", "http://a/b"])"#,
        ),
        (
            "Patient",
            "_profile=http://a/b|1.0",
            r#"_profile Uri { uri: "http://a/b", version: Some("1.0") }"#,
        ),
    ]);
}

#[test]
fn composites_match_within_one_group() {
    let code = r#"code-value-quantity$0 Token { system: Any, code: Some(["8480-6"]) }"#;
    check(&[
        (
            "Observation",
            "code-value-quantity=8480-6$gt5",
            &format!("[{code} & code-value-quantity$1 Quantity(Gt, 5.0, 5.0, Any)]"),
        ),
        (
            "Observation",
            "code-value-quantity=8480-6$gt5,8480-6$lt3",
            &format!(
                "([{code} & code-value-quantity$1 Quantity(Gt, 5.0, 5.0, Any)] | [{code} & code-value-quantity$1 Quantity(Lt, 3.0, 3.0, Any)])"
            ),
        ),
    ]);
    for query in ["code-value-quantity=8480-6", "code-value-quantity=a$1$2", "code-value-quantity=a$"] {
        assert_eq!(refused("Observation", query).0, ErrorCode::Value, "{query}");
    }
    let (_, text) = refused("Observation", "code-value-quantity:missing=true");
    assert!(text.contains("no modifier"), "{text}");
}

#[test]
fn near_is_a_distance_from_a_position() {
    for value in ["51.5|-0.1", "51.5|-0.1|5", "51.5|-0.1|5|km", "51.5|-0.1|5000|m", "51.5|-0.1|3|[mi_i]", "-90|180|0"] {
        let filter = shown(&read("Location", &format!("near={value}")).unwrap());
        assert!(filter.starts_with("near Near"), "{filter}");
    }
    let same = |a: &str, b: &str| read("Location", a).unwrap() == read("Location", b).unwrap();
    assert!(same("near=51.5|-0.1|10|km", "near=51.5|-0.1|10000|m") && same("near=51.5|-0.1", "near=51.5|-0.1|10"));
    for value in ["51.5", "91|0", "0|181", "a|b", "0|0|-1|km", "0|0|1|kg", "0|0|1|km|x", "inf|0", "0|0|x"] {
        assert_eq!(refused("Location", &format!("near={value}")).0, ErrorCode::Value, "{value}");
    }
}

#[test]
fn chains_go_from_reference_to_reference() {
    let name = |of: &str| format!(r#"{of}{{name StartsWith("x")}}"#);
    check(&[
        ("Observation", "subject:Patient.name=x", &format!("subject->{}", name("Patient"))),
        (
            "Observation",
            "patient.organization.name=x",
            &format!("patient->Patient{{organization->{}}}", name("Organization")),
        ),
        (
            "Observation",
            "subject.name=x",
            // Of Group, Device, Patient and Location, Device has no name but device-name.
            &format!("(subject->{} | subject->{})", name("Patient"), name("Location")),
        ),
        (
            "Observation",
            "subject:Patient._id=1",
            "subject->Patient{ids 1}",
        ),
        (
            "Observation",
            "subject:Patient.name:exact=X,Y",
            r#"subject->Patient{(name Exact("X") | name Exact("Y"))}"#,
        ),
    ]);
}

#[test]
fn reverse_chains_nest_and_go_on() {
    let agent = r#"AuditEvent.entity<-{agent Reference { types: [], id: "x", version: None }}"#;
    check(&[
        (
            "Patient",
            "_has:Observation:patient:code=1",
            r#"Observation.patient<-{code Token { system: Any, code: Some(["1"]) }}"#,
        ),
        (
            "Patient",
            "_has:Observation:patient:_has:AuditEvent:entity:agent=x",
            &format!("Observation.patient<-{{{agent}}}"),
        ),
        (
            "Encounter",
            "patient._has:Group:member:_id=102",
            "patient->Patient{Group.member<-{ids 102}}",
        ),
        (
            "Practitioner",
            "_has:Observation:performer:patient.name=x",
            r#"Observation.performer<-{patient->Patient{name StartsWith("x")}}"#,
        ),
    ]);
    for query in ["_has:Observation=1", "_has:Observation:patient=1", "_has:Observation:patient:=1", "_has:Nothing:patient:code=1"] {
        assert_eq!(refused("Patient", query).0, ErrorCode::Value, "{query}");
    }
    let (_, text) = refused("Organization", "_has:Observation:patient:code=1");
    assert!(text.contains("never refers to Organization"), "{text}");
}

#[test]
fn the_protocols_own_parameters_are_read() {
    check(&[
        ("Patient", "_id=a,b", "ids a,b"),
        ("Patient", "_id:not=a", "!ids a"),
        ("Patient", "_id:missing=true", "None"),
        ("Patient", "_id:missing=false", "All"),
        ("Patient", "_list=42", "List.item<-{ids 42}"),
        (
            "Patient",
            "_tag=http://a|b",
            r#"_tag Token { system: Is("http://a"), code: Some(["b"]) }"#,
        ),
        ("", "_source=http://a", r#"_source Uri { uri: "http://a", version: None }"#),
    ]);
    assert_eq!(refused("Patient", "_query=x").0, ErrorCode::Value);
    for query in ["_text=x", "_content=x", "_list=$current-problems", "foo=1", "_foo=1", "name.x.y=1", "=1"] {
        let unknown = read("Patient", query);
        let refused_name = query == "name.x.y=1" || query == "=1";
        match unknown {
            Err(Problem::Unknown(_)) => assert!(!refused_name, "{query}"),
            Err(Problem::Refused(_)) => assert!(refused_name, "{query}"),
            Ok(filter) => panic!("{query}: {filter:?}"),
        }
    }
}

#[test]
fn several_types_have_what_is_common_to_them() {
    check(&[("Patient,Practitioner", "_id=1", "ids 1")]);
    let both = shown(&read("Patient,Practitioner", "family=x").unwrap());
    assert!(both == r#"family StartsWith("x")"# || both.contains("Patient & family"), "{both}");
    for (of, query) in [("Patient,Practitioner", "birthdate=1970"), ("", "family=x")] {
        assert!(matches!(read(of, query), Err(Problem::Unknown(_))), "{of}?{query}");
    }
}

#[test]
fn modifiers_of_another_type_of_parameter_are_refused_with_those_it_takes() {
    for (of, query, takes) in [
        ("Patient", "name:not=x", ":exact and :contains"),
        ("Patient", "name:foo=x", ":exact and :contains"),
        ("Patient", "gender:exact=x", ":of-type"),
        ("Patient", "birthdate:exact=1970", ":missing alone"),
        ("Observation", "subject:below=x", ":identifier"),
        ("Observation", "value-quantity:not=1", ":missing alone"),
        ("ValueSet", "url:contains=x", ":above and :below"),
        ("Location", "near:exact=1|1", ":missing alone"),
        ("Patient", "_id:exact=1", ":missing and :not"),
        ("Patient", "_lastUpdated:not=1970", ":missing alone"),
        ("Patient", "_filter:not=name eq x", "no modifier"),
        ("Patient", "name:=x", ":exact and :contains"),
    ] {
        let (code, text) = refused(of, query);
        assert_eq!(code, ErrorCode::Value);
        assert!(text.contains(takes), "{query}: {text}");
    }
    assert_eq!(refused("Patient", "name:missing=perhaps").0, ErrorCode::Value);
}

#[test]
fn filter_compares_by_type() {
    let quoted = |text: &str| format!("_filter={text}");
    let cases = [
        ("Patient", r#"name eq "Peter""#, r#"name Folded("peter")"#),
        ("Patient", "name ne x", r#"(name Exists(String) & !name Folded("x"))"#),
        ("Patient", "name co pet and name sw p", r#"(name Contains("pet") & name StartsWith("p"))"#),
        ("Patient", "name ew er", r#"name EndsWith("er")"#),
        ("Patient", r#"name eq "a,b""#, r#"name Folded("a,b")"#),
        ("Patient", "birthdate ge 1970-01-01", "birthdate Date(Ge, 0, 86399999)"),
        ("Patient", "birthdate po 1970-01-01", "birthdate Date(Ap, 0, 86399999)"),
        ("Patient", "name pr true", "name Exists(String)"),
        ("Patient", "name pr false or _id eq 1", "(!name Exists(String) | ids 1)"),
        ("Patient", "not (name pr true)", "!name Exists(String)"),
        ("Condition", "code ss http://a|7", r#"code Token { system: Is("http://a"), code: Some(["7", "7.1"]) }"#),
        ("Condition", "code sb http://a|7", r#"code Token { system: Is("http://a"), code: Some(["7", "root"]) }"#),
        (
            "Condition",
            "code in http://x/ValueSet/s",
            r#"(code Token { system: Is("http://a"), code: Some(["1", "2"]) } | code Token { system: Is("http://b"), code: Some(["3"]) })"#,
        ),
        (
            "Observation",
            "subject re Patient/4",
            r#"subject Reference { types: [ResourceType("Patient")], id: "4", version: None }"#,
        ),
        (
            "Observation",
            r#"patient.name co "pet""#,
            r#"patient->Patient{name Contains("pet")}"#,
        ),
        (
            "Observation",
            r#"patient[gender eq male].name co "pet""#,
            r#"patient->Patient{(name Contains("pet") & gender Token { system: Any, code: Some(["male"]) })}"#,
        ),
        (
            "Patient",
            "_has:Observation:patient:code eq 1",
            r#"Observation.patient<-{code Token { system: Any, code: Some(["1"]) }}"#,
        ),
        ("Observation", "value-quantity gt 5||mg", r#"value-quantity Quantity(Gt, 5.0, 5.0, Named("mg"))"#),
    ];
    for (of, text, expected) in cases {
        let filter = read(of, &quoted(text)).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        assert_eq!(shown(&filter), expected, "{text}");
    }
    for (of, text) in [
        ("Patient", "name gt x"),
        ("Patient", "birthdate co 1970"),
        ("Patient", "birthdate eq ge1970"),
        ("Patient", "gender lt x"),
        ("ValueSet", "url co x"),
        ("Observation", "value-quantity po 5"),
        ("Patient", "_id co x"),
        ("Patient", "_lastUpdated in x"),
    ] {
        assert_eq!(refused(of, &quoted(text)).0, ErrorCode::Value, "{text}");
    }
    assert!(matches!(read("Patient", "_filter=foo eq 1"), Err(Problem::Unknown(_))));
}

#[test]
fn what_asks_for_too_much_is_refused_as_too_costly() {
    let values = format!("name={}", vec!["x"; 501].join(","));
    let ids = format!("_id={}", vec!["x"; 501].join(","));
    let chain = "patient.organization.partof.partof.name=x";
    let has = "_has:Observation:patient:_has:AuditEvent:entity:_has:Provenance:target:_has:Provenance:target:_id=x";
    for (of, query) in [("Patient", values.as_str()), ("Patient", &ids), ("Observation", chain), ("Patient", has)] {
        assert_eq!(refused(of, query).0, ErrorCode::TooCostly, "{query}");
    }
    let deep = format!("{}name=x", "subject.".repeat(20_000));
    assert_eq!(refused("Observation", &deep).0, ErrorCode::TooCostly);
    let deep = format!("{}_id=x", "_has:Observation:subject:".repeat(20_000));
    assert_eq!(refused("Patient", &deep).0, ErrorCode::TooCostly);
    let slashes = format!("url:above=http://{}", "a/".repeat(1000));
    assert_eq!(refused("ValueSet", &slashes).0, ErrorCode::TooCostly);
    let few = Limits {
        comparisons: 3,
        ..Limits::default()
    };
    let Err(Problem::Refused(error)) = read_with(&few, &["Provenance"], "target.identifier", "x") else {
        panic!("an untyped chain to many types costs what it costs");
    };
    assert_eq!(error.code, ErrorCode::TooCostly);
}

#[test]
fn no_text_in_any_place_makes_the_reader_panic() {
    let texts = [
        "", " ", "\\", "\\\\", ",", "|", "||", "|||", "$", "$$", ".", ":", "..", "::", "_has:", "_has::", "_has:::", "a:b:c.d:e", "'", "\"", "%", "_",
        "' OR 1=1 --", "é", "\u{202e}", "\u{301}", "🧪", "eq", "ap", "1e", "-", "e", "9999999999999999999999", "9999-12-31", "ap9999", "ap0001",
        "0001-01-01T00:00:00+14:00", "(", ")", "[", "]", "not(", "a eq", "urn:", "http://", "http://h/fhir/", "http://h/fhir", "/", "//", "Patient/",
        "/1", "Patient/1/", "ne", "sa-0", "1e400", "-1e-400", "nan", "ap1e400", "ap999999999999999999999999999999",
    ];
    let names = [
        "name", "name:exact", "name:contains", "name:missing", "gender", "gender:not", "gender:text", "gender:in", "gender:below", "identifier:of-type",
        "birthdate", "general-practitioner", "general-practitioner:Practitioner", "general-practitioner:identifier", "_profile", "_profile:below",
        "_profile:above", "_id", "_lastUpdated", "_list", "_filter", "_tag", "general-practitioner.name", "_has:Observation:patient:value-quantity",
        "_has:Observation:patient:code-value-quantity", "organization.near", "_has:Location:organization:near",
    ];
    for text in texts {
        for name in names {
            let _ = read_with(&Limits::default(), &["Patient"], name, text);
        }
        let _ = read_with(&Limits::default(), &["Patient"], text, "x");
        let _ = read_with(&Limits::default(), &["Patient"], &format!("name{text}"), "x");
        let _ = read_with(&Limits::default(), &["Observation"], &format!("subject.{text}"), "x");
        let _ = read_with(&Limits::default(), &["Observation"], "_filter", &format!("code eq {text}"));
    }
}
