//! [`Index`]: what of a resource can be searched for, as rows of (parameter, value).
//!
//! The search module makes the rows (<https://hl7.org/fhir/R4/search.html>), a back end keeps them beside the resource and
//! answers a [`Filter`](super::Filter) from them alone. How it lays them out is its own affair.
//!
//! Invariant: rows are made from the resource alone, so that the same resource always has the same rows.

use super::ResourceType;

/// The number of a search parameter of a resource type in the registry, with the aspect of its values that a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParameterNumber(pub i32);

/// What of a parameter's values a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aspect {
    /// The values themselves.
    Value = 0,
    /// The words that people read in place of a code or reference, for `:text`.
    Text = 1,
    /// The type of an identifier (as system and code) with its value, for `:of-type`.
    OfType = 2,
    /// The identifier in a reference, for `:identifier`.
    Identifier = 3,
    /// A quantity in UCUM's base units.
    Canonical = 4,
    /// The canonical URL of a resource with its version.
    Versioned = 5,
}

impl ParameterNumber {
    /// The number of an aspect of the parameter that has that place in the registry.
    pub const fn new(place: i32, aspect: Aspect) -> Self {
        ParameterNumber(place * 8 + aspect as i32)
    }
    /// The same parameter's number for another aspect.
    pub const fn of(self, aspect: Aspect) -> Self {
        ParameterNumber(self.0 / 8 * 8 + aspect as i32)
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub struct IndexRow {
    /// What it is a value of.
    pub parameter: ParameterNumber,
    /// 0, but for the parts of a composite: counts the results of the composite's expression, from 1. A composite matches where one
    /// group's parts all match.
    pub group: i32,
    /// The value.
    pub value: IndexValue,
}

/// A value to search for, by type of table.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum IndexValue {
    /// Text of a string parameter, or of an aspect `Text`.
    String {
        /// folded: NFKD, without marks, case folded, white space runs as one space; what `:contains` and the plain test look at
        folded: String,
        /// as written, for `:exact`; of the aspect `Text` empty, as nobody asks for it
        exact: String,
    },
    /// A code with the system that it is from.
    Token {
        /// canonical URL; `None` is no system
        system: Option<String>,
        /// as written where the system's case counts, else lower case
        code: String,
    },
    /// A reference to a resource of this server.
    Reference {
        /// its type
        resource_type: ResourceType,
        /// its logical id
        id: String,
        /// the version it names
        version: Option<String>,
    },
    /// A uri; also a canonical reference and a reference to elsewhere or to a contained resource (`#id`).
    Uri {
        /// as written, of a canonical without its version and fragment; empty for a reference in words alone
        uri: String,
        /// the version after the bar of a canonical
        version: Option<String>,
    },
    /// A span of time, both ends included; an open end is the first or last of what an i64 holds.
    Date {
        /// its first millisecond since 1970, UTC
        first: i64,
        /// its last
        last: i64,
    },
    /// A number or a range of numbers, both ends included; an open end is infinite.
    Number {
        /// the lowest
        low: f64,
        /// the highest
        high: f64,
    },
    /// A quantity or a range of them.
    Quantity {
        /// the lowest
        low: f64,
        /// the highest
        high: f64,
        /// the unit's system
        system: Option<String>,
        /// the unit's code; of the aspect `Canonical` the base units
        code: Option<String>,
        /// the unit as people read it
        unit: Option<String>,
    },
    /// A position on the earth, as a point of the unit sphere.
    Position {
        /// x to latitude 0, longitude 0; y to latitude 0, longitude 90; z to the north pole
        point: [f64; 3],
    },
}

/// The rows of one resource: sorted, none twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    rows: Vec<IndexRow>,
}

impl Index {
    /// Those rows.
    pub fn new(mut rows: Vec<IndexRow>) -> Self {
        rows.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        rows.dedup();
        Index { rows }
    }
    /// The rows, sorted.
    pub fn rows(&self) -> &[IndexRow] {
        &self.rows
    }
}
