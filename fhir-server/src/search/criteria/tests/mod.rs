//! Parameters and the filters that they become.

mod compound;
mod filters;
mod links;
mod refusals;
mod values;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::*;
use crate::search::terminology::Concept;
use crate::store::{Criterion, ParameterNumber};

/// One value set of two systems, and a hierarchy of one code.
struct Codes;

impl Terminology for Codes {
    fn members(&self, value_set: &str, limit: usize) -> Result<Vec<Concept>> {
        match (value_set, limit) {
            ("http://x/ValueSet/s", 3..) => Ok(vec![
                concept("http://a", "1"),
                concept("http://a", "2"),
                concept("http://b", "3"),
            ]),
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

fn read_with(
    limits: &Limits,
    types: &[&str],
    name: &str,
    value: &str,
) -> std::result::Result<Filter, Problem> {
    let types: Vec<ResourceType> = types.iter().map(|t| resource_type(t)).collect();
    let scope = Scope {
        registry: Registry::r4(),
        terminology: &Codes,
        limits,
        zone: &TimeZone::UTC,
        // 2026-11-23T00:00:00Z
        now: Millis(1_795_392_000_000),
        bases: &["http://h/fhir".to_owned()],
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
            codes
                .entry(part.parameter)
                .or_insert_with(|| format!("{}${place}", parameter.code));
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
        } => format!(
            "{}->{}{{{}}}",
            code(parameters[0]),
            resource_type.name(),
            shown(filter)
        ),
        Filter::ReferredToBy {
            resource_type,
            parameter,
            filter,
        } => format!(
            "{}.{}<-{{{}}}",
            resource_type.name(),
            code(*parameter),
            shown(filter)
        ),
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
