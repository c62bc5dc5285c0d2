//! Rows of `near`, R4's only parameter of type special with an expression (<https://hl7.org/fhir/R4/location.html#positional>).

use fhir_model::LocationPosition;
use fhir_model::path::Value;
use fhir_model::reflect::Node;

use super::rows::{Rows, TooMany};
use crate::search::sphere;
use crate::store::IndexValue;

pub(super) fn rows(value: &Value<'_>, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let Value::Node(Node::Complex(complex)) = value else {
        return Ok(());
    };
    let Some(position) = complex.as_any().downcast_ref::<LocationPosition>() else {
        return Ok(());
    };
    match (&position.latitude.value, &position.longitude.value) {
        (Some(latitude), Some(longitude)) => rows.push(IndexValue::Position {
            point: sphere::point(latitude.to_f64(), longitude.to_f64()),
        }),
        _ => Ok(()),
    }
}
