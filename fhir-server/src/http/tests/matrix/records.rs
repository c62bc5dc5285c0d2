//! A record of every type for every patient, each with a canary of its own, made from the definitions.

use std::sync::LazyLock;

use fhir_model::definitions::SearchParamType;
use fhir_model::reflect::{Shape, TypeInfo};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::search::belongs::PATIENT;
use crate::search::compartment;
use crate::search::extract::Surroundings;
use crate::search::registry::Registry;
use crate::store::{IndexValue, ResourceType};

/// The two organisations: path of the base, and its number in the database.
pub(super) const TENANTS: [(&str, i64); 2] = [("/fhir", 1), ("/t/beta/fhir", 2)];
/// The patients of each, by the same ids in both.
pub(super) const PATIENTS: [&str; 3] = ["p0", "p1", "p2"];

/// One record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) tenant: usize,
    pub(super) patient: usize,
    pub(super) resource_type: ResourceType,
}

impl Record {
    pub(super) fn id(self) -> String {
        match self.resource_type.name() {
            "Patient" => PATIENTS[self.patient].to_owned(),
            name => format!("{}-{}", name.to_ascii_lowercase(), PATIENTS[self.patient]),
        }
    }

    /// What a caller may know and search for.
    pub(super) fn tag(self) -> String {
        format!("known-{}-{}", self.resource_type.name(), PATIENTS[self.patient])
    }

    /// What nobody learns who may not see the record. The words of a request never hold it.
    pub(super) fn canary(self) -> String {
        format!(
            "CANARY.{}.{}.{}.",
            self.tenant,
            self.patient,
            self.resource_type.name()
        )
    }

    /// Whose canary that is.
    pub(super) fn own(self) -> (usize, usize, &'static str) {
        (self.tenant, self.patient, self.resource_type.name())
    }

    /// Whether it belongs to its patient, not to nobody.
    pub(super) fn is_of_its_patient(self) -> bool {
        is_a_patients(self.resource_type)
    }

    /// Its content, with that in `language`; what has no canary there has none anywhere, as who may not see it would send it.
    pub(super) fn body(self, language: &str) -> Value {
        let name = self.resource_type.name();
        let mut body = belonging(self.resource_type, PATIENTS[self.patient]).unwrap_or(json!({}));
        body["resourceType"] = json!(name);
        body["id"] = json!(self.id());
        body["language"] = json!(language);
        body["meta"] = json!({"tag": [{"system": "urn:matrix", "code": self.tag(), "display": language}]});
        if name == "Binary" {
            use base64::Engine as _;
            body["contentType"] = json!("text/plain");
            body["data"] = json!(base64::engine::general_purpose::STANDARD.encode(language));
        }
        if name == "Observation" {
            body["code"] = json!({"text": "x"});
        }
        body
    }
}

/// The records whose canaries a text holds.
pub(super) fn canaries(text: &str) -> Vec<(usize, usize, &str)> {
    let found = text.split("CANARY.").skip(1).map(|rest| {
        let mut parts = rest.splitn(4, '.');
        let mut number = || parts.next().unwrap().parse().unwrap();
        let (tenant, patient) = (number(), number());
        (tenant, patient, parts.next().unwrap())
    });
    found.collect()
}

/// Whether a resource of that type can be made a patient's.
pub(super) fn is_a_patients(resource_type: ResourceType) -> bool {
    static TYPES: LazyLock<Vec<ResourceType>> = LazyLock::new(|| {
        let own = |t: &ResourceType| matches!(t.name(), "Patient" | "Binary") || belonging(*t, "p").is_some();
        ResourceType::all().filter(own).collect()
    });
    TYPES.contains(&resource_type)
}

/// A resource of that type without any content but what makes it the patient's, where there is a way. For a few types, such as EventDefinition,
/// there is a parameter that could lead to a patient, and none that leads there by a reference.
fn belonging(resource_type: ResourceType, patient: &str) -> Option<Value> {
    let reference = json!({"reference": format!("Patient/{patient}")});
    match resource_type.name() {
        "Patient" => return None,
        "Binary" => return Some(json!({"securityContext": reference})),
        _ => {}
    }
    let centre = ResourceType::from_name("Patient")?;
    let member = compartment::membership(Registry::r4(), centre, resource_type)?;
    let own = member.parameters.into_iter();
    let others = Registry::r4()
        .of(resource_type)
        .filter(|p| p.kind == SearchParamType::Reference && p.targets.contains(&centre));
    let info = fhir_model::type_info(resource_type.name())?;
    let expressions = own.chain(others).filter_map(|p| p.expression.as_deref());
    let branches = expressions.flat_map(|expression| expression.split('|'));
    let mut tried = branches.filter_map(|branch| {
        let branch = branch.trim().trim_start_matches('(');
        let path = branch.strip_prefix(resource_type.name())?.strip_prefix('.')?;
        let end = path.find([' ', ')', '(']).unwrap_or(path.len());
        let path = path[..end].trim_end_matches(".where").trim_end_matches(".as");
        let steps: Vec<&str> = path.split('.').collect();
        placed(info, &steps, &reference)
    });
    tried.find(|body| belongs_to(resource_type, body, patient))
}

/// A value at a path below a type.
fn placed(info: &TypeInfo, steps: &[&str], value: &Value) -> Option<Value> {
    let (first, rest) = steps.split_first()?;
    let (_, field) = info.field(first)?;
    let (name, inner) = match (&field.shape, rest) {
        (Shape::Choice(variants), []) => {
            let variant = variants.iter().find(|v| v.type_name == "Reference")?;
            (variant.name, value.clone())
        }
        (Shape::Complex(of), []) if of.name == "Reference" => (field.name, value.clone()),
        (Shape::Complex(info), rest) => (field.name, placed(info, rest, value)?),
        _ => return None,
    };
    let inner = if field.is_list() { json!([inner]) } else { inner };
    Some(Value::Object(Map::from_iter([(name.to_owned(), inner)])))
}

fn belongs_to(resource_type: ResourceType, body: &Value, patient: &str) -> bool {
    let mut body = body.clone();
    body["resourceType"] = json!(resource_type.name());
    let resource = fhir_model::json::from_slice(body.to_string().as_bytes()).unwrap();
    let around = Surroundings {
        zone: &TimeZone::UTC,
        bases: &[],
    };
    let index = crate::search::index(&resource, &around).unwrap();
    index.rows().iter().any(|row| {
        let is_the_patient = matches!(&row.value, IndexValue::Reference { id, .. } if id == patient);
        row.parameter == PATIENT && is_the_patient
    })
}

/// What the records stand in: who looks after whom, and consents that refuse one doctor each patient.
pub(super) fn surroundings() -> Vec<Value> {
    let mut all = Vec::new();
    for doctor in ["dr-a", "dr-b", "dr-c"] {
        all.push(json!({"resourceType": "Practitioner", "id": doctor}));
    }
    for patient in PATIENTS {
        let subject = json!({"reference": format!("Patient/{patient}")});
        all.push(
            json!({"resourceType": "CareTeam", "id": format!("team-{patient}"), "status": "active", "subject": subject,
            "participant": [{"member": {"reference": "Practitioner/dr-a"}}, {"member": {"reference": "Practitioner/dr-c"}}]}),
        );
        let system = "http://terminology.hl7.org/CodeSystem";
        all.push(
            json!({"resourceType": "Consent", "id": format!("refusal-{patient}"), "status": "active",
            "scope": {"coding": [{"system": format!("{system}/consentscope"), "code": "patient-privacy"}]},
            "category": [{"coding": [{"system": format!("{system}/v3-ActCode"), "code": "INFA"}]}],
            "patient": subject,
            "policyRule": {"coding": [{"system": format!("{system}/v3-ActCode"), "code": "OPTIN"}]},
            "provision": {"type": "permit", "provision": [{"type": "deny",
                "actor": [{"role": {"text": "x"}, "reference": {"reference": "Practitioner/dr-c"}}]}]}}),
        );
    }
    all
}
