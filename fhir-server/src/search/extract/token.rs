//! Rows of token parameters (<https://hl7.org/fhir/R4/search.html#token>): codes with their systems, identifiers, contact points, truth
//! values; the words beside them for `:text`; the types of identifiers for `:of-type`.
//!
//! A concept or identifier in words alone has the empty code, so that it is not missing.

use fhir_model::path::Value;
use fhir_model::reflect::{Complex, Node, PrimitiveType};
use fhir_model::{CodeableConcept, Coding, ContactPoint, Identifier};

use super::rows::{Rows, TooMany};
use crate::search::case;
use crate::store::{Aspect, IndexValue};

/// The system of `true` and `false` (<https://hl7.org/fhir/R4/search.html#token>).
const TRUTH: &str = "http://terminology.hl7.org/CodeSystem/special-values";

pub(super) fn rows(value: &Value<'_>, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    match value {
        Value::Node(Node::Complex(complex)) => of_complex(*complex, rows),
        other => match other.text() {
            Some(code) => rows.push(token(implied(other, rows), &code)),
            None => Ok(()),
        },
    }
}

/// The system of a value that is no coding: that of truth values, or the one that the binding of a `code` names.
fn implied(value: &Value<'_>, rows: &Rows<'_>) -> Option<&'static str> {
    match value {
        Value::Node(Node::Primitive(PrimitiveType::Code, _)) => rows.implied(),
        other => other.as_bool().map(|_| TRUTH),
    }
}

fn of_complex(complex: &dyn Complex, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let any = complex.as_any();
    if let Some(concept) = any.downcast_ref::<CodeableConcept>() {
        of_concept(concept, rows)
    } else if let Some(coding) = any.downcast_ref::<Coding>() {
        of_coding(coding, rows)
    } else if let Some(identifier) = any.downcast_ref::<Identifier>() {
        of_identifier(identifier, rows)
    } else if let Some(contact) = any.downcast_ref::<ContactPoint>() {
        match contact.value.as_str() {
            Some(value) => rows.push(token(None, value)),
            None => Ok(()),
        }
    } else {
        Ok(())
    }
}

/// A code in the spelling of the index.
pub(super) fn token(system: Option<&str>, code: &str) -> IndexValue {
    IndexValue::Token {
        system: system.map(str::to_owned),
        code: case::spelling(system, code).into_owned(),
    }
}

fn of_concept(concept: &CodeableConcept, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    for coding in &concept.coding {
        of_coding(coding, rows)?;
    }
    let words = concept.text.as_str();
    if concept.coding.is_empty() && words.is_some() {
        rows.push(token(None, ""))?;
    }
    rows.push_words(words)
}

fn of_coding(coding: &Coding, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let code = coding.code.as_str().unwrap_or_default();
    rows.push(token(coding.system.as_str(), code))?;
    rows.push_words(coding.display.as_str())
}

fn of_identifier(identifier: &Identifier, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    rows.push(of_identifier_value(identifier))?;
    let Some(kind) = &identifier.type_ else {
        return Ok(());
    };
    rows.push_words(kind.text.as_str())?;
    for coding in &kind.coding {
        rows.push_words(coding.display.as_str())?;
        if let (Some(code), Some(value)) = (coding.code.as_str(), identifier.value.as_str()) {
            let system = coding.system.as_str();
            let of_type = IndexValue::Token {
                system: system.map(str::to_owned),
                code: case::of_type(system, code, value),
            };
            rows.push_aspect(Aspect::OfType, of_type)?;
        }
    }
    Ok(())
}

/// System and value of an identifier.
pub(super) fn of_identifier_value(identifier: &Identifier) -> IndexValue {
    let value = identifier.value.as_str().unwrap_or_default();
    token(identifier.system.as_str(), value)
}
