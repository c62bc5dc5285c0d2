//! A stored Bundle, such as a document (<https://hl7.org/fhir/R4/bundle.html>): whose it is, and how confidential, what is in it says.
//!
//! Invariant: it belongs to every patient who is in it or whom anything in it names, and has the labels of all that is in it.

use std::collections::{BTreeSet, HashSet};

use fhir_model::reflect::{Complex, Node, Nodes};
use fhir_model::{Bundle, Meta, Reference};

use super::{may_be_of_a_patient, patient_type, row};
use crate::search::case;
use crate::search::extract::local_reference;
use crate::search::registry::Registry;
use crate::store::{Index, IndexRow, IndexValue, ResourceType};

/// Adds the patients; gives whether it is somebody's where there are none: what is in it can be a patient's, or is not there.
pub(super) fn patients(bundle: &Bundle, bases: &[String], found: &mut BTreeSet<String>) -> bool {
    let mut open = false;
    for entry in &bundle.entry {
        let Some(resource) = &entry.resource else {
            open = true;
            continue;
        };
        let resource_type = ResourceType::from_name(resource.type_name());
        open |= resource_type.is_none_or(may_be_of_a_patient);
        if let Some(patient) = resource.get::<fhir_model::Patient>() {
            found.extend(patient.id.as_str().map(str::to_owned));
        }
        named(resource.as_complex(), bases, found);
    }
    open
}

fn named(value: &dyn Complex, bases: &[String], found: &mut BTreeSet<String>) {
    let reference = value.as_any().downcast_ref::<Reference>();
    let key = reference.and_then(|reference| local_reference(reference.reference.as_str()?, bases));
    found.extend(
        key.filter(|key| Some(key.resource_type) == patient_type())
            .map(|key| key.id),
    );
    for place in 0..value.type_info().fields.len() {
        for node in Nodes::of(value, place) {
            if let Node::Complex(inner) = node {
                named(inner, bases, found);
            }
        }
    }
}

/// Rows of the labels of what is in it that are not its own.
pub(super) fn labels(bundle: &Bundle, index: &Index) -> Vec<IndexRow> {
    let Some(security) = Registry::r4().find(None, "_security") else {
        return Vec::new();
    };
    let own = index.rows().iter().filter(|row| row.parameter == security.number);
    let mut seen: HashSet<(Option<String>, String)> = own
        .filter_map(|row| match &row.value {
            IndexValue::Token { system, code } => Some((system.clone(), code.clone())),
            _ => None,
        })
        .collect();
    let mut rows = Vec::new();
    for entry in &bundle.entry {
        let resource = entry.resource.as_ref().map(|resource| resource.as_complex());
        for label in resource
            .and_then(meta)
            .iter()
            .flat_map(|meta| meta.security.iter())
        {
            let Some(code) = label.code.as_str() else { continue };
            let system = label.system.as_str();
            let code = case::spelling(system, code).into_owned();
            let system = system.map(str::to_owned);
            if seen.insert((system.clone(), code.clone())) {
                rows.push(row(security.number, IndexValue::Token { system, code }));
            }
        }
    }
    rows
}

fn meta(root: &dyn Complex) -> Option<&Meta> {
    let (place, _) = root.type_info().field("meta")?;
    match Nodes::of(root, place).next()? {
        Node::Complex(meta) => meta.as_any().downcast_ref(),
        Node::Primitive(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(entries: serde_json::Value) -> (bool, Vec<String>) {
        let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
        let bundle = fhir_model::json::from_slice(bundle.to_string().as_bytes()).unwrap();
        let mut found = BTreeSet::new();
        let open = patients(bundle.get().unwrap(), &[], &mut found);
        (open, found.into_iter().collect())
    }

    #[test]
    fn it_is_of_all_who_are_in_it_or_named() {
        let observation = json!({"resource": {"resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "subject": {"reference": "Patient/2"}}});
        let patient = json!({"resource": {"resourceType": "Patient", "id": "1"}});
        assert_eq!(
            of(json!([patient, observation])),
            (true, vec!["1".into(), "2".into()])
        );
        let nameless =
            json!({"resource": {"resourceType": "Condition", "subject": {"reference": "urn:uuid:1"}}});
        assert_eq!(of(json!([nameless])), (true, Vec::new()));
        let organisation = json!({"resource": {"resourceType": "Organization", "name": "x"}});
        assert_eq!(of(json!([organisation])), (false, Vec::new()));
    }
}
