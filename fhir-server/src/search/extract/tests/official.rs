//! Every parameter of R4 over all official examples.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;

fn examples() -> Option<Vec<(String, Resource)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/examples/r4-json");
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("SKIPPED (needs ../shared/data/examples/r4-json)");
        return None;
    };
    let files = files
        .map(|f| f.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"));
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, json::from_slice(&std::fs::read(&path).unwrap()).unwrap())
    };
    Some(files.map(read).collect())
}

#[test]
fn every_parameter_is_extracted_from_all_official_examples() {
    let Some(examples) = examples() else { return };
    assert_eq!(examples.len(), 717);
    let zone = TimeZone::UTC;
    let around = Surroundings {
        zone: &zone,
        bases: &[],
    };
    let mut found: BTreeSet<i32> = BTreeSet::new();
    let mut rows = 0;
    for (name, resource) in &examples {
        let index = extract(Registry::r4(), resource, &around).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        rows += index.rows().len();
        found.extend(index.rows().iter().map(|row| row.parameter.0 / 8));
    }
    let (mut pairs, mut without) = (0, BTreeMap::<&str, Vec<String>>::new());
    let mut seen = BTreeSet::new();
    for name in fhir_model::Resource::TYPES {
        let resource_type = ResourceType::from_name(name).unwrap();
        for parameter in Registry::r4().of(resource_type).filter(|p| p.is_indexed()) {
            if !seen.insert(parameter.number.0) {
                continue;
            }
            pairs += 1;
            let numbers =
                std::iter::once(parameter.number).chain(parameter.components.iter().map(|c| c.parameter));
            if !numbers.into_iter().any(|n| found.contains(&(n.0 / 8))) {
                without.entry(name).or_default().push(parameter.code.to_string());
            }
        }
    }
    let empty: usize = without.values().map(Vec::len).sum();
    println!(
        "{} examples, {rows} rows; of {pairs} pairs of parameter and type {empty} find nothing in them",
        examples.len()
    );
    println!("{without:?}");
    assert_eq!((pairs, empty), (1704, 484));
}

/// Types of parameter and of value that make no row, and why.
const SILENT: [(&str, &str); 6] = [
    // A schedule without bounds, or in words.
    ("date", "Timing"),
    ("date", "string"),
    // A consent may be attached instead of referred to.
    ("reference", "Attachment"),
    // A document or message may leave its first resource without an id.
    ("reference", "Composition"),
    ("reference", "MessageHeader"),
    // A way of contact without its value.
    ("token", "ContactPoint"),
];

#[test]
fn no_type_of_value_is_left_without_rows() {
    let Some(examples) = examples() else { return };
    let around = Surroundings {
        zone: &TimeZone::UTC,
        bases: &[],
    };
    let mut silent = BTreeSet::new();
    for (_, resource) in &examples {
        let resource_type = ResourceType::from_name(resource.type_name()).unwrap();
        let environment = environment(resource.as_complex());
        let plan = Registry::r4().plan(resource_type).unwrap();
        for source in &plan.sources {
            let values = source.expression.evaluate(resource, &environment).unwrap();
            for (used, value) in source
                .uses
                .iter()
                .flat_map(|u| values.iter().map(move |v| (u, v)))
            {
                let kind = used.parameter.kind;
                let is_out =
                    kind == SearchParamType::Reference && !reference::is_wanted(value, used, resource);
                if kind == SearchParamType::Composite || is_out {
                    continue;
                }
                let mut rows = Rows::new(&around, MAX_ROWS);
                rows_of_value(kind, value, &mut rows).unwrap();
                if rows.len() == 0 {
                    silent.insert((kind.code(), value.type_of().name));
                }
            }
        }
    }
    silent.retain(|pair| !SILENT.contains(pair));
    assert!(silent.is_empty(), "{silent:?}");
}
