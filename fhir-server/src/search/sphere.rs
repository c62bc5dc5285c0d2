//! Distances on the earth, as `near` needs them (<https://hl7.org/fhir/R4/location.html#positional>).
//!
//! Positions are points of the unit sphere: two of them are within a distance where the straight line between them, the chord, is no
//! longer than that of the distance. So a database compares with sums and products alone, also at the poles and across the date line.

/// The mean radius of the earth (IUGG), in metres.
const RADIUS: f64 = 6_371_008.771_4;

/// The point of a latitude and longitude in degrees: x to latitude 0, longitude 0; y to latitude 0, longitude 90; z to the north pole.
pub(crate) fn point(latitude: f64, longitude: f64) -> [f64; 3] {
    let (north, east) = (latitude.to_radians(), longitude.to_radians());
    [north.cos() * east.cos(), north.cos() * east.sin(), north.sin()]
}

/// The square of the chord, on the unit sphere, of a distance in metres along the ground; of half the way round the earth and more it
/// is that of the whole sphere, 4.
pub(crate) fn chord2(metres: f64) -> f64 {
    let half_angle = (metres.max(0.0) / RADIUS / 2.0).min(std::f64::consts::FRAC_PI_2);
    let chord = 2.0 * half_angle.sin();
    chord * chord
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_within(from: (f64, f64), to: (f64, f64), metres: f64) -> bool {
        let (a, b) = (point(from.0, from.1), point(to.0, to.1));
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() <= chord2(metres)
    }

    #[test]
    fn distances_are_those_along_the_ground() {
        let (london, leeds) = ((51.5074, -0.1278), (53.8008, -1.5491));
        // Along the great circle they lie 272.6 km apart.
        assert!(is_within(london, leeds, 273_500.0));
        assert!(!is_within(london, leeds, 271_500.0));
        // A degree of the equator is 111.195 km.
        assert!(is_within((0.0, 0.0), (0.0, 1.0), 111_196.0));
        assert!(!is_within((0.0, 0.0), (0.0, 1.0), 111_194.0));
    }

    #[test]
    fn the_date_line_and_the_poles_are_no_borders() {
        assert!(is_within((0.0, 179.999), (0.0, -179.999), 223.0));
        assert!(!is_within((0.0, 179.999), (0.0, -179.999), 222.0));
        assert!(is_within((90.0, 0.0), (90.0, 120.0), 0.001));
        assert!(is_within((0.0, 0.0), (0.0, 180.0), 20_100_000.0));
        assert!((chord2(1e9) - 4.0).abs() < 1e-12);
    }
}
