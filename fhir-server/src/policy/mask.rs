//! [`Mask`]: elements that are absent for the caller from some resources of a type.
//!
//! Invariant: [`Mask::rows`] and [`Mask::covers`] say the same of a current resource, one by its rows, one by its content.
//! Invariant: what a mask leaves says that it is a part: `SUBSETTED` in its tags and `REDACTED` in its labels.

use fhir_model::reflect::{Complex, SlotMut};
use fhir_model::{Coding, Meta, Resource, json};

use super::patients::has;
use crate::error::{Error, Result};
use crate::search::case;
use crate::search::registry::Registry;
use crate::store::{Filter, ParameterNumber, ResourceType, StampForm, StoredBody, SystemTest, Test};

/// The system of `SUBSETTED` and `REDACTED`.
const OBSERVATION_VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/// Elements that are absent from all resources of a type, or from those that have one of some labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    resource_type: ResourceType,
    /// None: whatever labels there are.
    labels: Option<Vec<(String, String)>>,
    elements: Vec<String>,
    parameters: Vec<ParameterNumber>,
}

impl Mask {
    /// Those elements of the root, by the names of the specification without `[x]`, from resources of the type with one of those labels
    /// (system and code). The narrative goes too, as it may say the same in words, and so does what is contained.
    pub fn new(resource_type: ResourceType, labels: &[(&str, &str)], elements: &[&str]) -> Self {
        let labels = labels
            .iter()
            .map(|&(s, c)| (s.to_owned(), case::spelling(Some(s), c).into_owned()));
        Mask::of(resource_type, Some(labels.collect()), elements)
    }

    /// The same from every resource of the type.
    pub fn of_all(resource_type: ResourceType, elements: &[&str]) -> Self {
        Mask::of(resource_type, None, elements)
    }

    fn of(resource_type: ResourceType, labels: Option<Vec<(String, String)>>, elements: &[&str]) -> Self {
        let mut elements: Vec<String> = elements.iter().map(|&name| name.to_owned()).collect();
        elements.extend(["text".into(), "contained".into(), "extension".into()]);
        let is_masked = |expression: &str| {
            let root = resource_type.name();
            elements.iter().any(|name| speaks_of(expression, root, name))
        };
        let parameters = Registry::r4().of(resource_type).filter(|parameter| {
            let words = matches!(&*parameter.code, "_text" | "_content");
            words || parameter.expression.as_deref().is_some_and(is_masked)
        });
        Mask {
            resource_type,
            labels,
            parameters: parameters.map(|p| p.number).collect(),
            elements,
        }
    }

    /// The type.
    pub fn resource_type(&self) -> ResourceType {
        self.resource_type
    }

    /// Whether it is known only from a resource's labels which it covers.
    pub(crate) fn goes_by_labels(&self) -> bool {
        self.labels.is_some()
    }

    /// Whether values of a parameter come from masked elements.
    pub(crate) fn hides(&self, parameter: ParameterNumber) -> bool {
        let parameter = parameter.of(crate::store::Aspect::Value);
        self.parameters.contains(&parameter)
    }

    /// The resources that it covers.
    pub(crate) fn rows(&self) -> Filter {
        let of_type = Filter::Types(vec![self.resource_type]);
        let Some(labels) = &self.labels else {
            return of_type;
        };
        let Some(security) = Registry::r4().find(Some(self.resource_type), "_security") else {
            return Filter::All;
        };
        let labelled = labels.iter().map(|(system, code)| {
            let test = Test::Token {
                system: SystemTest::Is(system.clone()),
                code: Some(vec![code.clone()]),
            };
            has(security.number, test)
        });
        Filter::And(vec![of_type, Filter::Or(labelled.collect())])
    }

    /// Whether it covers a resource with that content.
    pub(crate) fn covers(&self, resource: &Resource) -> bool {
        if resource.type_name() != self.resource_type.name() {
            return false;
        }
        let Some(labels) = &self.labels else { return true };
        let is_label = |coding: &Coding| {
            let (Some(system), Some(code)) = (coding.system.as_str(), coding.code.as_str()) else {
                return false;
            };
            let code = case::spelling(Some(system), code);
            labels.iter().any(|(s, c)| s == system && *c == *code)
        };
        meta(resource).is_some_and(|meta| meta.security.iter().any(is_label))
    }

    /// The content without what is masked.
    ///
    /// # Errors
    /// The content cannot be read: a fault of the server's own.
    pub(crate) fn apply(&self, body: &StoredBody) -> Result<StoredBody> {
        let mut resource = read(body)?;
        tag(resource.as_complex_mut());
        let mut json = Vec::with_capacity(body.json.len());
        json::write_selected(resource.as_complex(), &mut json, &mut |_, field, depth| {
            depth > 0 || !self.elements.iter().any(|name| name == field.name)
        });
        let start = b"\"meta\":{";
        let at = json.windows(start.len()).position(|window| window == start);
        let at = at.ok_or_else(|| Error::internal("a masked resource without meta"))? + start.len();
        Ok(StoredBody {
            json,
            stamp_at: u32::try_from(at).map_err(Error::internal)?,
            stamp_form: StampForm::Inside,
        })
    }
}

/// The content as a typed value.
pub(crate) fn read(body: &StoredBody) -> Result<Resource> {
    json::from_slice(&body.json).map_err(|error| Error::internal(error.to_string()))
}

/// Whether an expression names that element of the type.
fn speaks_of(expression: &str, root: &str, element: &str) -> bool {
    let path = format!("{root}.{element}");
    expression.match_indices(&path).any(|(at, _)| {
        let next = expression
            .get(at + path.len()..)
            .and_then(|rest| rest.chars().next());
        next.is_none_or(|c| !c.is_ascii_alphanumeric())
    })
}

fn meta(resource: &Resource) -> Option<&Meta> {
    let root = resource.as_complex();
    let (place, _) = root.type_info().field("meta")?;
    let node = fhir_model::reflect::Nodes::of(root, place).next()?;
    match node {
        fhir_model::reflect::Node::Complex(meta) => meta.as_any().downcast_ref(),
        fhir_model::reflect::Node::Primitive(..) => None,
    }
}

fn tag(root: &mut dyn Complex) {
    let Some((place, _)) = root.type_info().field("meta") else {
        return;
    };
    let Some(SlotMut::Complex(slot)) = root.slot_mut(place) else {
        return;
    };
    let Some(meta) = slot.get_or_insert().as_any_mut().downcast_mut::<Meta>() else {
        return;
    };
    let coding = |code: &str| Coding {
        system: OBSERVATION_VALUE.into(),
        code: code.into(),
        ..Coding::default()
    };
    meta.security.push(coding("REDACTED"));
    meta.tag.push(coding("SUBSETTED"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restricted() -> Mask {
        Mask::new(
            ResourceType::from_name("Patient").unwrap(),
            &[("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R")],
            &["address", "telecom", "generalPractitioner"],
        )
    }

    fn body(json: serde_json::Value) -> StoredBody {
        StoredBody {
            json: json.to_string().into_bytes(),
            stamp_at: 0,
            stamp_form: StampForm::Member,
        }
    }

    #[test]
    fn what_is_masked_is_gone_and_the_rest_says_so() {
        let label = serde_json::json!({"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"});
        let stored = body(serde_json::json!({
            "resourceType": "Patient", "id": "a", "meta": {"security": [label]},
            "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">1 Street</div>"},
            "name": [{"family": "Rahman"}], "telecom": [{"value": "1"}], "address": [{"city": "Leeds"}]
        }));
        assert!(restricted().covers(&read(&stored).unwrap()));
        let left = restricted().apply(&stored).unwrap();
        let text = String::from_utf8(left.render(3, crate::context::Millis(0))).unwrap();
        let left: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(
            !text.contains("Leeds") && !text.contains("Street") && !text.contains("telecom"),
            "{text}"
        );
        assert_eq!(left["name"][0]["family"], "Rahman");
        assert_eq!(left["meta"]["versionId"], "3");
        assert_eq!(left["meta"]["tag"][0]["code"], "SUBSETTED");
        assert_eq!(left["meta"]["security"][1]["code"], "REDACTED");
    }

    #[test]
    fn parameters_of_masked_elements_are_known() {
        let find = |code| {
            let patient = ResourceType::from_name("Patient");
            Registry::r4().find(patient, code).unwrap().number
        };
        let mask = restricted();
        for code in [
            "address",
            "address-postalcode",
            "telecom",
            "phone",
            "email",
            "general-practitioner",
        ] {
            assert!(mask.hides(find(code)), "{code}");
        }
        for code in ["name", "birthdate", "identifier", "_security", "organization"] {
            assert!(!mask.hides(find(code)), "{code}");
        }
    }
}
