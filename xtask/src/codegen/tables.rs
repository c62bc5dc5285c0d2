//! The static tables of search parameters, compartments, and the systems that elements of type `code` imply.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Deserialize;

use super::definition::StructureDefinition;
use super::{HEADER, name};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SearchParameter {
    url: String,
    code: String,
    base: Vec<String>,
    #[serde(rename = "type")]
    type_name: String,
    expression: Option<String>,
    #[serde(default)]
    target: Vec<String>,
    multiple_or: Option<bool>,
    #[serde(default)]
    component: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    definition: String,
    expression: String,
}

#[derive(Deserialize)]
pub(super) struct Compartment {
    id: String,
    url: String,
    code: String,
    resource: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    code: String,
    #[serde(default)]
    param: Vec<String>,
}

/// `search_parameters.rs`; the definitions come sorted by url.
pub(super) fn search_parameters(parameters: &[SearchParameter]) -> String {
    let mut rows = String::new();
    for p in parameters {
        let components = p.component.iter().map(|c| {
            format!(
                "Component {{ definition: {:?}, expression: {:?} }}",
                c.definition, c.expression
            )
        });
        let components: Vec<String> = components.collect();
        let _ = write!(
            rows,
            "    SearchParameter {{
        url: {:?}, code: {:?}, type_: SearchParamType::{}, multiple_or: {},
        base: &{:?},
        expression: {:?},
        target: &{:?},
        components: &[{}],
    }},
",
            p.url,
            p.code,
            name::capital(&p.type_name),
            p.multiple_or.unwrap_or(true),
            p.base,
            p.expression,
            p.target,
            components.join(", "),
        );
    }
    format!(
        "{HEADER}
//! The search parameters (<https://hl7.org/fhir/R4/searchparameter-registry.html>).

use crate::definitions::{{Component, SearchParamType, SearchParameter}};

#[rustfmt::skip]
pub(crate) static SEARCH_PARAMETERS: [SearchParameter; {}] = [
{rows}];
",
        parameters.len()
    )
}

/// `compartments.rs`: the compartments that the specification defines, without the example of a definition among them.
pub(super) fn compartments(compartments: &[Compartment]) -> String {
    let mut defined: Vec<&Compartment> = compartments.iter().filter(|c| c.id != "example").collect();
    defined.sort_by(|a, b| a.code.cmp(&b.code));
    let mut rows = String::new();
    for c in &defined {
        let _ = write!(
            rows,
            "    Compartment {{
        code: {:?},
        url: {:?},
        resources: &[
",
            c.code, c.url
        );
        let mut members: Vec<&Member> = c.resource.iter().filter(|m| !m.param.is_empty()).collect();
        members.sort_by(|a, b| a.code.cmp(&b.code));
        for member in members {
            let _ = writeln!(rows, "            ({:?}, &{:?}),", member.code, member.param);
        }
        rows.push_str("        ],\n    },\n");
    }
    format!(
        "{HEADER}
//! The compartments (<https://hl7.org/fhir/R4/compartmentdefinition.html>).

use crate::definitions::Compartment;

#[rustfmt::skip]
pub(crate) static COMPARTMENTS: [Compartment; {}] = [
{rows}];
",
        defined.len()
    )
}

#[derive(Deserialize)]
pub(super) struct ValueSet {
    url: String,
    #[serde(default)]
    compose: Compose,
}

#[derive(Deserialize, Default)]
struct Compose {
    #[serde(default)]
    include: Vec<Include>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Include {
    system: Option<String>,
    #[serde(default)]
    value_set: Vec<String>,
}

impl ValueSet {
    /// The one code system that all of its codes are from, where there is one.
    fn system(&self) -> Option<&str> {
        let systems = self
            .compose
            .include
            .iter()
            .map(|include| match &include.value_set[..] {
                [] => include.system.as_deref(),
                _ => None,
            });
        let systems: Option<BTreeSet<&str>> = systems.collect();
        let mut systems = systems?.into_iter();
        systems.next().filter(|_| systems.next().is_none())
    }
}

/// `implied_systems.rs`: for each element of type `code` with a required binding to codes of one system, that system.
pub(super) fn implied_systems(types: &[StructureDefinition], value_sets: &[ValueSet]) -> String {
    let value_sets: BTreeMap<&str, &ValueSet> = value_sets.iter().map(|set| (&*set.url, set)).collect();
    let mut systems: BTreeMap<&str, &str> = BTreeMap::new();
    for element in types.iter().flat_map(|t| &t.snapshot.element) {
        let (Some(binding), [only]) = (&element.binding, &element.types[..]) else {
            continue;
        };
        if binding.strength != "required" || only.code != "code" {
            continue;
        }
        let url = binding.value_set.as_deref().unwrap_or_default();
        let url = url.split_once('|').map_or(url, |(url, _)| url);
        if let Some(system) = value_sets.get(url).and_then(|set| set.system()) {
            systems.insert(&element.path, system);
        }
    }
    let mut rows = String::new();
    for (path, system) in &systems {
        let _ = writeln!(rows, "    ({path:?}, {system:?}),");
    }
    format!(
        "{HEADER}
//! The code system behind each element of type `code` (<https://hl7.org/fhir/R4/terminologies.html#code>), by path.

#[rustfmt::skip]
pub(crate) static IMPLIED_SYSTEMS: [(&str, &str); {}] = [
{rows}];
",
        systems.len()
    )
}
