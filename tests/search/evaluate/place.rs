//! Places (<https://hl7.org/fhir/R4/location.html#positional>): how far two are from each other along the ground, by the haversine.

use super::Found;
use crate::query::Sought;

/// Latitude and longitude, in degrees.
pub(super) fn of(found: &Found) -> Option<(f64, f64)> {
    Some((
        found.value["latitude"].as_f64()?,
        found.value["longitude"].as_f64()?,
    ))
}

pub(super) fn matches(found: &Found, sought: &Sought) -> bool {
    let (
        Some((latitude, longitude)),
        Sought::Near {
            latitude: to,
            longitude: across,
            kilometres,
        },
    ) = (of(found), sought)
    else {
        return false;
    };
    let half = |a: f64, b: f64| ((a - b).to_radians() / 2.0).sin().powi(2);
    let chord =
        half(latitude, *to) + latitude.to_radians().cos() * to.to_radians().cos() * half(longitude, *across);
    2.0 * 6_371.008_771_4 * chord.sqrt().asin() <= *kilometres
}
