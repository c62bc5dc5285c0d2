//! Generated snapshots against the published ones, element by element.
//!
//! `snapshots_differences.txt` lists what differs: the definition, the element and the fact, and the reason.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails where its data are not there"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fhir_validate::Validator;
use fhir_validate::package::{Limits, Package};
use serde_json::{Map, Value, json};

/// Facts that are compared.
const FACTS: [&str; 7] = [
    "min",
    "max",
    "type",
    "binding",
    "constraint",
    "contentReference",
    "sliceName",
];

/// Invariants of datatypes, and of all elements.
const OF_TYPES: [&str; 13] = [
    "drt-1", "sqty-1", "ele-1", "ext-1", "ref-1", "per-1", "att-1", "qty-3", "rng-2", "rat-1", "cpt-2",
    "sdd-1", "tim-1",
];

fn compared(element: &Value) -> Map<String, Value> {
    let mut facts = Map::new();
    for (name, value) in element.as_object().unwrap() {
        let value = match name.as_str() {
            "binding" => json!([value["strength"], unpinned(&value["valueSet"])]),
            // What holds for every value of the element's type is in some snapshots and not in others.
            "constraint" => {
                let keys = value
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|c| c["key"].as_str().unwrap_or_default());
                let own: BTreeSet<&str> = keys.filter(|k| !OF_TYPES.contains(k)).collect();
                Value::from(own.into_iter().collect::<Vec<_>>())
            }
            // The same element, named within the definition or by its url.
            "contentReference" => Value::from(value.as_str().unwrap().rsplit('#').next().unwrap()),
            "type" => types(value),
            _ if FACTS.contains(&name.as_str())
                || name.starts_with("fixed")
                || name.starts_with("pattern") =>
            {
                value.clone()
            }
            _ => continue,
        };
        if value != json!([]) {
            facts.insert(name.clone(), value);
        }
    }
    facts
}

/// Canonicals without the versions that some publishers add to those of the differential and of R4.
fn unpinned(value: &Value) -> Value {
    match value {
        Value::String(url) => url.split('|').next().unwrap_or(url).into(),
        Value::Array(all) => all.iter().map(unpinned).collect(),
        other => other.clone(),
    }
}

fn types(value: &Value) -> Value {
    let one = |t: &Value| {
        json!([
            t["code"],
            unpinned(&t["profile"]),
            unpinned(&t["targetProfile"]),
            t["aggregation"]
        ])
    };
    Value::from(value.as_array().unwrap().iter().map(one).collect::<Vec<_>>())
}

fn by_id(elements: &[Value]) -> BTreeMap<String, Map<String, Value>> {
    elements
        .iter()
        .map(|e| (e["id"].as_str().unwrap_or_default().to_owned(), compared(e)))
        .collect()
}

/// Compares every profile of a package that has both parts; gives the differences.
fn differences(package: Package) -> (usize, usize, Vec<String>) {
    let mut published = BTreeMap::new();
    let mut builder = Validator::builder();
    for mut definition in package.resources {
        let both = definition.get("snapshot").is_some() && definition.get("differential").is_some();
        if definition["resourceType"] == "StructureDefinition" && both {
            let snapshot = definition.as_object_mut().unwrap().remove("snapshot").unwrap();
            published.insert(
                definition["url"].as_str().unwrap().to_owned(),
                snapshot["element"].as_array().unwrap().clone(),
            );
        }
        builder = builder.definition(definition);
    }
    let validator = builder.build();
    let (mut elements, mut found) = (0, Vec::new());
    for (url, wanted) in &published {
        let name = url.rsplit('/').next().unwrap();
        let made = match validator.snapshot(url) {
            Ok(made) => made,
            Err(reason) => {
                found.push(format!("{name} | {reason}"));
                continue;
            }
        };
        elements += wanted.len();
        let (wanted, made) = (by_id(wanted), by_id(&made));
        found.extend(
            wanted
                .keys()
                .filter(|id| !made.contains_key(*id))
                .map(|id| format!("{name} | {id} | missing")),
        );
        found.extend(
            made.keys()
                .filter(|id| !wanted.contains_key(*id))
                .map(|id| format!("{name} | {id} | too many")),
        );
        for (id, facts) in &wanted {
            let Some(own) = made.get(id) else { continue };
            let names: BTreeSet<&String> = facts.keys().chain(own.keys()).collect();
            found.extend(
                names
                    .into_iter()
                    .filter(|n| facts.get(*n) != own.get(*n))
                    .map(|n| format!("{name} | {id} | {n}")),
            );
            if std::env::var("SHOW").is_ok() {
                for n in facts
                    .keys()
                    .chain(own.keys())
                    .filter(|n| facts.get(*n) != own.get(*n))
                {
                    println!(
                        "{name} {id} {n}: {:?} made {:?}",
                        facts.get(n).map(Value::to_string),
                        own.get(n).map(Value::to_string)
                    );
                }
            }
        }
    }
    (published.len(), elements, found)
}

fn listed() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots_differences.txt");
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn check(name: &str) {
    let Some(package) = package(name) else {
        return;
    };
    let (definitions, elements, found) = differences(package);
    println!(
        "{name}: {definitions} definitions, {elements} elements, {} differences",
        found.len()
    );
    let listed = listed();
    let new: Vec<&String> = found.iter().filter(|f| !listed.contains(*f)).collect();
    assert!(
        new.is_empty(),
        "{} differences are not listed:\n{}",
        new.len(),
        new.iter()
            .take(60)
            .map(|s| s.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    );
}

#[test]
fn uk_core_stu2_is_generated_as_published() {
    check("fhir.r4.ukcore.stu2-2.0.2");
}

#[test]
fn us_core_is_generated_as_published() {
    check("hl7.fhir.us.core-6.1.0");
}

#[test]
fn ips_is_generated_as_published() {
    check("hl7.fhir.uv.ips-2.0.0");
}

#[test]
fn every_profile_of_uk_core_stu3_is_generated() {
    let Some(package) = package("fhir.r4.ukcore.stu3.staging-0.0.0-20250620") else {
        return;
    };
    let urls: Vec<String> = package
        .resources
        .iter()
        .filter(|r| r["resourceType"] == "StructureDefinition")
        .map(|r| r["url"].as_str().unwrap().to_owned())
        .collect();
    let validator = Validator::builder().package(package).build();
    let failed: Vec<String> = urls
        .iter()
        .filter_map(|url| validator.snapshot(url).err())
        .collect();
    println!("{} snapshots", urls.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// A package of the shared data.
fn package(name: &str) -> Option<Package> {
    let path = support::shared(&format!("packages/{name}.tgz"))?;
    let package = Package::read(&fs::read(path).unwrap(), &Limits::default()).unwrap();
    assert_eq!(package.skipped, []);
    Some(package)
}
