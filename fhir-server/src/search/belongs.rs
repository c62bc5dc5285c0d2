//! Rows that no search parameter asks for and the policy does: whose data a resource is, and which codes and resources it names where
//! no search parameter looks.
//!
//! A resource belongs to the patients that the Patient compartment's parameters lead to
//! (<https://hl7.org/fhir/R4/compartmentdefinition-patient.html>); for types that the compartment leaves out, such as Task, to those that
//! any of their reference parameters which can name a patient leads to. A Bundle belongs to those whom anything in it is or names
//! (`belongs/bundle.rs`).
//!
//! What only points at other resources, such as a List, and names records but no patient, is somebody's all the same: whose, cannot be told.
//!
//! Invariant: a resource has a row that says whose it is, or one that says nobody's, or none of the two, and then it cannot be decided: its
//! patient is known by an identifier or from elsewhere.

mod bundle;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use fhir_model::reflect::{Complex, Node, Nodes};
use fhir_model::{Coding, Reference, Resource};

use super::compartment;
use super::extract::{Surroundings, local_reference};
use super::registry::Registry;
use crate::store::{Aspect, Index, IndexRow, IndexValue, Key, ParameterNumber, ResourceType};

/// Whose data it is: references to patients, or the code [`NOBODY`].
pub(crate) const PATIENT: ParameterNumber = ParameterNumber::new(90_000, Aspect::Value);
/// Codes that none of the type's search parameters finds.
const CODED: ParameterNumber = ParameterNumber::new(90_001, Aspect::Value);
/// References that none of the type's search parameters finds.
pub(crate) const NAMED: ParameterNumber = ParameterNumber::new(90_002, Aspect::Value);
/// The code of data that is no patient's.
pub(crate) const NOBODY: &str = "nobody";

/// Types that say something of the resources they point at, and need not name a patient.
const POINTERS: [&str; 3] = ["Composition", "List", "Task"];

/// Codes and references of one resource that are kept beside those of its search parameters at most.
const MAX_ROWS: usize = 20_000;

/// The reference parameters that lead from each type to its patients; a type that is not here is never a patient's.
static LINKS: LazyLock<HashMap<ResourceType, Vec<ParameterNumber>>> = LazyLock::new(|| {
    let Some(patient) = patient_type() else {
        return HashMap::new();
    };
    let of_type = |resource_type: ResourceType| {
        let member = compartment::membership(Registry::r4(), patient, resource_type)?;
        let mut links: Vec<_> = member.parameters.iter().map(|p| p.number).collect();
        if links.is_empty() {
            let all = Registry::r4().of(resource_type);
            links = all
                .filter(|p| p.is_indexed() && p.targets.contains(&patient))
                .map(|p| p.number)
                .collect();
        }
        let may = !links.is_empty() || matches!(resource_type.name(), "Patient" | "Binary" | "Bundle");
        may.then_some((resource_type, links))
    };
    ResourceType::all().filter_map(of_type).collect()
});

/// Whether resources of a type can be a patient's.
pub(crate) fn may_be_of_a_patient(resource_type: ResourceType) -> bool {
    LINKS.contains_key(&resource_type)
}

/// The type Patient.
pub(crate) fn patient_type() -> Option<ResourceType> {
    ResourceType::from_name("Patient")
}

/// The rows of a resource's search parameters, with those that the policy asks for.
pub(crate) fn with_policy_rows(
    index: Index,
    key: (ResourceType, &str),
    resource: &Resource,
    around: &Surroundings<'_>,
) -> Index {
    let named = named(&index, resource, around);
    let mut rows = patients(&index, &named, key, resource, around);
    rows.extend(named);
    if let Some(bundle) = resource.get::<fhir_model::Bundle>() {
        rows.extend(bundle::labels(bundle, &index));
    }
    rows.extend_from_slice(index.rows());
    index.with_rows(rows)
}

fn row(parameter: ParameterNumber, value: IndexValue) -> IndexRow {
    IndexRow {
        parameter,
        group: 0,
        value,
    }
}

fn to(key: Key) -> IndexValue {
    IndexValue::Reference {
        resource_type: key.resource_type,
        id: key.id,
        version: None,
    }
}

fn patients(
    index: &Index,
    named: &[IndexRow],
    (resource_type, id): (ResourceType, &str),
    resource: &Resource,
    around: &Surroundings<'_>,
) -> Vec<IndexRow> {
    let Some(patient) = patient_type() else {
        return Vec::new();
    };
    let links = LINKS.get(&resource_type).map_or(&[] as &[_], Vec::as_slice);
    let mut found = BTreeSet::new();
    let mut open = false;
    if resource_type == patient {
        // Also where it is linked to another: what one of them says of her record says nothing of the other's.
        return vec![row(
            PATIENT,
            to(Key {
                resource_type,
                id: id.to_owned(),
            }),
        )];
    }
    if resource_type.name() == "Binary" {
        // Whose it is, its security context says; otherwise only what refers to it could.
        open = true;
        found.extend(security_context(resource, around).map(|key| key.id));
    } else if let Some(bundle) = resource.get::<fhir_model::Bundle>() {
        open = bundle::patients(bundle, around.bases, &mut found);
    } else if POINTERS.contains(&resource_type.name()) {
        open = index.rows().iter().chain(named).any(points_at_a_record);
    }
    for row in index.rows() {
        let aspect = row.parameter.0 % 8;
        if !links.contains(&row.parameter.of(Aspect::Value)) {
            continue;
        }
        match &row.value {
            IndexValue::Reference {
                resource_type, id, ..
            } if *resource_type == patient => {
                found.insert(id.clone());
            }
            IndexValue::Reference { .. } => {}
            IndexValue::Uri { .. } => open = true,
            _ => open |= aspect == Aspect::Identifier as i32,
        }
    }
    if found.is_empty() && !open {
        let nobody = IndexValue::Token {
            system: None,
            code: NOBODY.into(),
        };
        return vec![row(PATIENT, nobody)];
    }
    let key = |id| Key {
        resource_type: patient,
        id,
    };
    found.into_iter().map(|id| row(PATIENT, to(key(id)))).collect()
}

/// Whether it is a reference to what can be a patient's.
fn points_at_a_record(row: &IndexRow) -> bool {
    matches!(&row.value, IndexValue::Reference { resource_type, .. } if may_be_of_a_patient(*resource_type))
}

/// The patient that a Binary's security context names.
fn security_context(resource: &Resource, around: &Surroundings<'_>) -> Option<Key> {
    let binary = resource.get::<fhir_model::Binary>()?;
    let text = binary.security_context.as_ref()?.reference.as_str()?;
    local_reference(text, around.bases).filter(|key| Some(key.resource_type) == patient_type())
}

/// What a resource names that its search parameters do not find.
fn named(index: &Index, resource: &Resource, around: &Surroundings<'_>) -> Vec<IndexRow> {
    let mut seen = Seen {
        bases: around.bases,
        codes: HashSet::new(),
        keys: HashSet::new(),
        rows: Vec::new(),
    };
    for row in index.rows() {
        match &row.value {
            IndexValue::Token { system, code } => {
                seen.codes.insert((system.clone(), code.clone()));
            }
            IndexValue::Reference {
                resource_type, id, ..
            } => {
                seen.keys.insert((*resource_type, id.clone()));
            }
            _ => {}
        }
    }
    seen.walk(resource.as_complex(), true);
    seen.rows
}

struct Seen<'s> {
    bases: &'s [String],
    codes: HashSet<(Option<String>, String)>,
    keys: HashSet<(ResourceType, String)>,
    rows: Vec<IndexRow>,
}

impl Seen<'_> {
    fn walk(&mut self, value: &dyn Complex, is_root: bool) {
        let any = value.as_any();
        if let Some(coding) = any.downcast_ref::<Coding>() {
            self.coding(coding);
        } else if let Some(reference) = any.downcast_ref::<Reference>() {
            self.reference(reference.reference.as_str());
        } else if let Some(attachment) = any.downcast_ref::<fhir_model::Attachment>() {
            self.reference(attachment.url.as_str());
        }
        for (place, field) in value.type_info().fields.iter().enumerate() {
            // Labels and tags of the resource are about it, and have parameters of their own.
            if is_root && field.name == "meta" {
                continue;
            }
            for node in Nodes::of(value, place) {
                match node {
                    Node::Complex(inner) => self.walk(inner, false),
                    Node::Primitive(_, primitive) => {
                        if let Some(extras) = primitive.extras() {
                            self.walk(extras, false);
                        }
                    }
                }
            }
        }
    }

    fn coding(&mut self, coding: &Coding) {
        let Some(code) = coding.code.as_str() else {
            return;
        };
        let system = coding.system.as_str();
        let code = super::case::spelling(system, code).into_owned();
        let system = system.map(str::to_owned);
        if self.rows.len() < MAX_ROWS && self.codes.insert((system.clone(), code.clone())) {
            self.rows.push(row(CODED, IndexValue::Token { system, code }));
        }
    }

    fn reference(&mut self, text: Option<&str>) {
        let Some(key) = text.and_then(|text| local_reference(text, self.bases)) else {
            return;
        };
        let is_new = self.rows.len() < MAX_ROWS && self.keys.insert((key.resource_type, key.id.clone()));
        if is_new {
            self.rows.push(row(NAMED, to(key)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use serde_json::json;

    fn rows_of(resource: serde_json::Value) -> Vec<String> {
        let resource = fhir_model::json::from_slice(resource.to_string().as_bytes()).unwrap();
        let around = Surroundings {
            zone: &TimeZone::UTC,
            bases: &["http://here.example/fhir".into()],
        };
        let rows = crate::search::index(&resource, &around).unwrap();
        let wanted = [PATIENT, CODED, NAMED];
        let rows = rows.rows().iter().filter(|row| wanted.contains(&row.parameter));
        rows.map(|row| match &row.value {
            IndexValue::Reference {
                resource_type, id, ..
            } => {
                format!("{}: {}/{id}", row.parameter.0 / 8 - 90_000, resource_type.name())
            }
            IndexValue::Token { code, .. } => format!("{}: {code}", row.parameter.0 / 8 - 90_000),
            other => format!("{other:?}"),
        })
        .collect()
    }

    #[test]
    fn a_resource_belongs_to_the_patients_of_its_compartment() {
        let observation = |subject: serde_json::Value| {
            rows_of(
                json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject}),
            )
        };
        assert_eq!(observation(json!({"reference": "Patient/1"})), ["0: Patient/1"]);
        assert_eq!(
            observation(json!({"reference": "http://here.example/fhir/Patient/1/_history/2"})),
            ["0: Patient/1"]
        );
        assert_eq!(observation(json!({"reference": "Group/1"})), ["0: nobody"]);
        assert_eq!(
            rows_of(json!({"resourceType": "Patient", "id": "7"})),
            ["0: Patient/7"]
        );
        assert_eq!(
            rows_of(
                json!({"resourceType": "Task", "status": "draft", "intent": "order", "for": {"reference": "Patient/1"}})
            ),
            ["0: Patient/1"]
        );
    }

    #[test]
    fn whose_it_is_cannot_be_told_from_an_identifier_or_an_address_elsewhere() {
        for subject in [
            json!({"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}}),
            json!({"reference": "https://elsewhere.example/fhir/Patient/1"}),
            json!({"display": "Mrs Hale"}),
        ] {
            let observation = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject});
            assert_eq!(rows_of(observation), [] as [&str; 0]);
        }
    }

    #[test]
    fn what_points_at_records_alone_is_somebodys() {
        let list = |item: &str| {
            rows_of(
                json!({"resourceType": "List", "status": "current", "mode": "working", "entry": [{"item": {"reference": item}}]}),
            )
        };
        assert_eq!(list("Patient/1"), [] as [&str; 0]);
        assert_eq!(list("Observation/1"), [] as [&str; 0]);
        assert_eq!(list("Practitioner/2"), ["0: nobody"]);
    }

    #[test]
    fn what_is_never_a_patients_is_nobodys() {
        assert_eq!(
            rows_of(json!({"resourceType": "Organization", "name": "x"})),
            ["0: nobody"]
        );
        assert!(!may_be_of_a_patient(
            ResourceType::from_name("Organization").unwrap()
        ));
        assert!(may_be_of_a_patient(ResourceType::from_name("Consent").unwrap()));
    }

    #[test]
    fn codes_and_references_beyond_search_parameters_are_kept() {
        let prescription = json!({
            "resourceType": "MedicationRequest", "status": "active", "intent": "order",
            "medicationCodeableConcept": {"text": "x"}, "subject": {"reference": "Patient/1"},
            "reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": "86406008"}]}],
            "reasonReference": [{"reference": "Condition/c"}]
        });
        assert_eq!(
            rows_of(prescription),
            ["0: Patient/1", "1: 86406008", "2: Condition/c"]
        );
    }
}
