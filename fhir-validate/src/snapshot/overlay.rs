//! Laying the facts of a differential's element over those of the base.

use serde_json::Value;

use super::{Node, default_slicing};
use crate::definition::{Facts, list};

/// What an element's place decides, not the differential.
const OWN: [&str; 4] = ["id", "path", "sliceName", "base"];

/// Lays the facts over the element. Constraints add up; anything else replaces what was there.
pub(super) fn lay(node: &mut Node, facts: &Facts, source: &str) {
    for (name, value) in facts {
        match name.as_str() {
            _ if OWN.contains(&name.as_str()) => {}
            "constraint" => add_constraints(&mut node.facts, list(Some(value)), source),
            "slicing" => add_slicing(&mut node.facts, value),
            "type" => set_types(&mut node.facts, value),
            "binding" => set_binding(&mut node.facts, value),
            "extension" => add_extensions(&mut node.facts, value),
            _ => {
                if name.starts_with("fixed") || name.starts_with("pattern") {
                    let stem = if name.starts_with("fixed") {
                        "fixed"
                    } else {
                        "pattern"
                    };
                    node.facts.retain(|known, _| !known.starts_with(stem));
                }
                node.facts.insert(name.clone(), value.clone());
            }
        }
    }
}

fn add_constraints(facts: &mut Facts, added: &[Value], source: &str) {
    let mut all = list(facts.get("constraint")).to_vec();
    for constraint in added {
        let mut constraint = constraint.clone();
        all.retain(|known| known.get("key") != constraint.get("key"));
        if let Some(object) = constraint.as_object_mut() {
            object.entry("source").or_insert_with(|| Value::from(source));
        }
        all.push(constraint);
    }
    facts.insert("constraint".into(), Value::from(all));
}

/// A slicing that says less than the base's keeps what that says.
fn add_slicing(facts: &mut Facts, value: &Value) {
    let mut slicing = facts
        .get("slicing")
        .cloned()
        .unwrap_or_else(|| serde_json::json!({"ordered": false}));
    if let (Some(known), Some(new)) = (slicing.as_object_mut(), value.as_object()) {
        for (name, value) in new {
            known.insert(name.clone(), value.clone());
        }
    }
    facts.insert("slicing".into(), slicing);
}

/// A type that is named by its profile alone keeps the code of the base's one type.
fn set_types(facts: &mut Facts, value: &Value) {
    let before = list(facts.get("type")).to_vec();
    let mut types = list(Some(value)).to_vec();
    for kind in &mut types {
        let Some(object) = kind.as_object_mut() else {
            continue;
        };
        if !object.contains_key("code")
            && let [only] = before.as_slice()
            && let Some(code) = only.get("code")
        {
            object.insert("code".into(), code.clone());
        }
    }
    facts.insert("type".into(), Value::from(types));
}

fn set_binding(facts: &mut Facts, value: &Value) {
    let mut binding = value.clone();
    let before = facts.get("binding");
    if let Some(object) = binding.as_object_mut() {
        for name in ["strength", "valueSet"] {
            if !object.contains_key(name)
                && let Some(known) = before.and_then(|b| b.get(name))
            {
                object.insert(name.into(), known.clone());
            }
        }
    }
    facts.insert("binding".into(), binding);
}

fn add_extensions(facts: &mut Facts, value: &Value) {
    let mut all = list(facts.get("extension")).to_vec();
    for extension in list(Some(value)) {
        all.retain(|known| known.get("url") != extension.get("url"));
        all.push(extension.clone());
    }
    facts.insert("extension".into(), Value::from(all));
}

/// A new slice of an element: all that holds for the element holds for it, but it need not occur.
pub(super) fn new_slice(head: &mut Node, name: &str) -> Node {
    if !head.facts.contains_key("slicing")
        && let Some(slicing) = default_slicing(&head.name)
    {
        head.facts.insert("slicing".into(), slicing);
    }
    let mut facts = head.facts.clone();
    facts.remove("slicing");
    facts.insert("sliceName".into(), Value::from(name));
    facts.insert("min".into(), Value::from(0));
    let kind = head
        .name
        .strip_suffix("[x]")
        .and_then(|stem| name.strip_prefix(stem));
    if let Some(kind) = kind {
        let types = list(head.facts.get("type")).iter();
        let own: Vec<Value> = types
            .filter(|t| {
                t.get("code")
                    .and_then(Value::as_str)
                    .is_some_and(|code| super::same_type(code, kind))
            })
            .cloned()
            .collect();
        if !own.is_empty() {
            facts.insert("type".into(), Value::from(own));
        }
    }
    Node {
        name: head.name.clone(),
        slice: Some(name.to_owned()),
        facts,
        children: head.children.clone(),
        slices: Vec::new(),
    }
}
