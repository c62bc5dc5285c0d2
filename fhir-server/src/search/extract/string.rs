//! Rows of string parameters (<https://hl7.org/fhir/R4/search.html#string>): text, and each part of names and addresses.

use fhir_model::path::Value;
use fhir_model::reflect::{Complex, Node};
use fhir_model::{Address, HumanName, Primitive, Str};

use super::rows::{Rows, TooMany};
use crate::search::text;
use crate::store::IndexValue;

pub(super) fn rows(value: &Value<'_>, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    match value {
        Value::Node(Node::Complex(complex)) => of_complex(*complex, rows),
        other => match other.text() {
            Some(text) => push(&text, rows),
            None => Ok(()),
        },
    }
}

fn of_complex(complex: &dyn Complex, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let any = complex.as_any();
    if let Some(name) = any.downcast_ref::<HumanName>() {
        push_all([&name.text, &name.family].into_iter(), rows)?;
        push_all(name.given.iter().chain(&name.prefix).chain(&name.suffix), rows)
    } else if let Some(address) = any.downcast_ref::<Address>() {
        let parts = [
            &address.text,
            &address.city,
            &address.district,
            &address.state,
            &address.postal_code,
            &address.country,
        ];
        push_all(parts.into_iter().chain(&address.line), rows)
    } else {
        Ok(())
    }
}

fn push_all<'t>(texts: impl Iterator<Item = &'t Primitive<Str>>, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    texts
        .filter_map(Primitive::as_str)
        .try_for_each(|text| push(text, rows))
}

fn push(text: &str, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    rows.push(IndexValue::String {
        folded: text::fold(text),
        exact: text.to_owned(),
    })
}
