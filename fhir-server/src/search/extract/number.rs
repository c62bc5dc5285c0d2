//! Rows of number parameters (<https://hl7.org/fhir/R4/search.html#number>): a number, or a range from its low to its high.

use fhir_model::path::Value;
use fhir_model::primitive::Scalar;
use fhir_model::reflect::Node;

use super::quantity;
use super::rows::{Rows, TooMany};
use crate::store::IndexValue;

pub(super) fn rows(value: &Value<'_>, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let found = match value {
        Value::Node(Node::Primitive(_, primitive)) => primitive.scalar().and_then(number).map(|n| (n, n)),
        Value::Node(Node::Complex(complex)) => quantity::bounds(*complex),
        Value::Integer(n) => Some((f64::from(*n), f64::from(*n))),
        Value::Decimal(n) => n.to_string().parse().ok().map(|n: f64| (n, n)),
        _ => None,
    };
    match found {
        Some((low, high)) => rows.push(IndexValue::Number { low, high }),
        None => Ok(()),
    }
}

fn number(scalar: Scalar<'_>) -> Option<f64> {
    match scalar {
        Scalar::Integer(n) => Some(f64::from(n)),
        Scalar::Unsigned(n) => Some(f64::from(n)),
        Scalar::Decimal(n) => Some(n.to_f64()),
        _ => None,
    }
}
