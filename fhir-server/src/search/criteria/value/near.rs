//! Values of `near` (<https://hl7.org/fhir/R4/location.html#positional>): `latitude|longitude|distance|units`.

use super::super::escape;
use super::super::facet::Facet;
use crate::error::Result;
use crate::search::{malformed, sphere, ucum};
use crate::store::{Criterion, Test};

/// The distance where none is given, which R4 leaves to the server, in metres.
const DISTANCE: f64 = 10_000.0;

const EXPECTED: &str = "latitude|longitude or latitude|longitude|distance|units, in degrees from -90 to 90 and -180 to 180 and units of \
                        length such as km, m or [mi_i]";

/// Within a distance of a position.
pub(super) fn within(facet: &Facet<'_>, value: &str) -> Result<Criterion> {
    let read = || -> Option<Test> {
        let parts: Vec<&str> = escape::split(value, '|').into_iter().map(str::trim).collect();
        let (latitude, longitude, distance, units) = match parts.as_slice() {
            [latitude, longitude] => (latitude, longitude, "", ""),
            [latitude, longitude, distance] => (latitude, longitude, *distance, ""),
            [latitude, longitude, distance, units] => (latitude, longitude, *distance, *units),
            _ => return None,
        };
        let latitude = degrees(latitude, 90.0)?;
        let longitude = degrees(longitude, 180.0)?;
        Some(Test::Near {
            point: sphere::point(latitude, longitude),
            chord2: sphere::chord2(metres(distance, units)?),
        })
    };
    Ok(Criterion {
        parameter: facet.number,
        test: read().ok_or_else(|| malformed(facet.code, value, EXPECTED))?,
    })
}

fn degrees(text: &str, limit: f64) -> Option<f64> {
    let is_decimal = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    let degrees: f64 = is_decimal.then(|| text.parse().ok()).flatten()?;
    (degrees.abs() <= limit).then_some(degrees)
}

/// A distance; kilometres where no units are given.
fn metres(distance: &str, units: &str) -> Option<f64> {
    let units = match units {
        "" => "km",
        // As people write the international mile.
        "mi" => "[mi_i]",
        other => other,
    };
    if distance.is_empty() {
        return Some(DISTANCE);
    }
    match ucum::canonical(distance, units)? {
        (metres, base) if base == "m" && metres >= 0.0 => Some(metres),
        _ => None,
    }
}
