//! The layer and the published schemas are one: what a supplier's own validation by `schema::published` takes and refuses,
//! over the text, the layer takes and refuses, over the value; and the other layers refuse all of it too, so that a server may leave
//! this one out. Shown on the official examples and on changed ones.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails where its data are not there"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use fhir_model::json;
use fhir_model::read::ReadOptions;
use fhir_validate::schema::published;
use fhir_validate::{LAYERS, Layer, Severity, Validator};
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value, json};

/// Changes of each example; ten times as many where tests run at full length.
const ROUNDS: usize = 6;

/// The schemas of a supplier: plain `jsonschema` over text.
#[derive(Default)]
struct Plain(BTreeMap<String, jsonschema::Validator>);

impl Plain {
    fn of(&mut self, name: &str) -> &jsonschema::Validator {
        self.0.entry(name.to_owned()).or_insert_with(|| {
            let document = published(name).unwrap().unwrap();
            jsonschema::validator_for(&serde_json::to_value(&document).unwrap()).unwrap()
        })
    }

    /// The rules that a resource, and those in it, break, each against the document of its own type.
    fn broken(&mut self, resource: &Value) -> BTreeSet<String> {
        let mut all = Vec::new();
        resources(resource, true, &mut all);
        let mut broken = BTreeSet::new();
        for inner in all {
            let name = inner["resourceType"].as_str().unwrap_or("?").to_owned();
            for error in self.of(&name).iter_errors(inner) {
                rules(&name, &error, &mut broken);
            }
        }
        broken
    }
}

/// The rule that an error is about, and those that it stands for: of an item of a list, which may be null, it tells that it is
/// neither.
fn rules(name: &str, error: &jsonschema::ValidationError<'_>, found: &mut BTreeSet<String>) {
    found.insert(format!("schemas/{name}.json#{}", error.schema_path()));
    if let ValidationErrorKind::AnyOf { context } = error.kind() {
        context
            .iter()
            .flatten()
            .for_each(|inner| rules(name, inner, found));
    }
}

/// A resource and all that are in it.
fn resources<'v>(value: &'v Value, is_resource: bool, found: &mut Vec<&'v Value>) {
    if is_resource {
        found.push(value);
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let holds = matches!(name.as_str(), "contained" | "resource" | "outcome");
        let items = inner
            .as_array()
            .map_or(std::slice::from_ref(inner), Vec::as_slice);
        for item in items {
            resources(
                item,
                holds && item.get("resourceType").is_some_and(Value::is_string),
                found,
            );
        }
    }
}

fn layer_alone() -> Validator {
    let others = LAYERS.iter().filter(|layer| **layer != Layer::JsonSchema);
    let builder = Validator::builder().max_findings(100_000);
    others
        .fold(builder, |builder, layer| builder.without(*layer))
        .build()
}

/// The rules that the layer says are broken; `None` where the reader refuses the text before.
fn told(validator: &Validator, value: &Value) -> Option<BTreeSet<String>> {
    let read = json::read(value.to_string().as_bytes(), &ReadOptions::default()).ok()?;
    let findings = validator.validate(&read.value);
    Some(findings.into_iter().filter_map(|finding| finding.rule).collect())
}

/// Whether the layers without this one refuse it.
fn others_refuse(validator: &Validator, value: &Value) -> bool {
    let read = json::read(value.to_string().as_bytes(), &ReadOptions::default()).unwrap();
    let findings = validator.validate(&read.value);
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// A generator of numbers, the same for each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

/// Changes one value somewhere.
fn change(value: &mut Value, dice: &mut Dice) {
    let size = match value {
        Value::Object(members) => members.len(),
        Value::Array(items) => items.len(),
        _ => 0,
    };
    if size > 0 && dice.roll(8) > 0 {
        let chosen = dice.roll(size);
        return match value {
            Value::Object(members) => change(members.values_mut().nth(chosen).unwrap(), dice),
            Value::Array(items) => change(&mut items[chosen], dice),
            _ => {}
        };
    }
    match value {
        Value::Object(members) => change_object(members, dice),
        Value::Array(items) => match dice.roll(3) {
            0 => items.clear(),
            1 => items.push(Value::Null),
            _ => items.extend(items.first().cloned()),
        },
        Value::String(text) => match dice.roll(9) {
            0 => text.clear(),
            1 => text.push(' '),
            2 => text.push('\u{1}'),
            3 => text.push('\u{a0}'),
            4 => *text = text.to_uppercase(),
            5 => *text = "x".repeat(70),
            6 => text.push('x'),
            7 => *text = "a  b".to_owned(),
            _ => *value = Value::Null,
        },
        Value::Number(_) => {
            *value = [
                json!(-1),
                json!(0),
                json!(1.5),
                json!(4_294_967_295_u32),
                json!("1"),
            ][dice.roll(5)]
            .clone()
        }
        Value::Bool(_) => *value = json!("true"),
        Value::Null => *value = json!({}),
    }
}

fn change_object(members: &mut Map<String, Value>, dice: &mut Dice) {
    let chosen = dice.roll(members.len());
    let Some(name) = members.keys().nth(chosen).cloned() else {
        return;
    };
    match dice.roll(4) {
        0 => drop(members.insert("colour".to_owned(), json!("red"))),
        1 => drop(members.insert(format!("_{name}"), json!({ "id": "beside" }))),
        _ => drop(members.remove(&name)),
    }
}

#[test]
fn the_layer_and_the_published_schemas_agree_on_examples_and_changed_ones() {
    let Some(folder) = support::shared("examples/r4-json") else {
        return;
    };
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let validator = layer_alone();
    let whole = include_str!("../../openapi/fhir-r4.schema.json");
    let whole = jsonschema::validator_for(&serde_json::from_str(whole).unwrap()).unwrap();
    let mut plain = Plain::default();
    let seed = std::env::var("FHIR_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or(20_261_126);
    let long = std::env::var("FHIR_TEST_LONG").is_ok_and(|v| v == "1");
    let rounds = if long { 10 * ROUNDS } else { ROUNDS };
    let mut dice = Dice(seed.max(1));
    let others = Validator::builder().without(Layer::JsonSchema).build();
    let (mut taken, mut refused, mut unread) = (0, 0, 0);
    for path in paths {
        let text = fs::read(&path).unwrap();
        // A few hundred kilobytes each, of the same elements over and over.
        if text.len() > 100_000 {
            continue;
        }
        let example: Value = serde_json::from_slice(&text).unwrap();
        for round in 0..=rounds {
            let mut value = example.clone();
            (0..round.min(1)).for_each(|_| change(&mut value, &mut dice));
            let Some(by_layer) = told(&validator, &value) else {
                unread += 1;
                continue;
            };
            let by_text = plain.broken(&value);
            let which = || format!("{} in round {round}: {value}", path.display());
            assert!(
                by_layer.is_subset(&by_text),
                "{by_layer:?} {by_text:?} {}",
                which()
            );
            assert_eq!(by_layer.is_empty(), by_text.is_empty(), "{by_text:?} {}", which());
            assert_eq!(
                whole.is_valid(&value),
                by_text.is_empty(),
                "{by_text:?} {}",
                which()
            );
            if by_text.is_empty() {
                taken += 1;
            } else {
                refused += 1;
                assert!(others_refuse(&others, &value), "by this layer alone: {}", which());
            }
        }
    }
    println!("seed {seed}: {taken} taken by both, {refused} refused by both, {unread} refused when read");
    assert!(taken > 1_500 && refused > 300, "{taken} {refused}");
}
