//! [`Criterion`]: one test on the index rows of a resource.

use super::{ParameterNumber, ResourceType};

/// A parameter has a value that passes a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Criterion {
    /// What is tested.
    pub parameter: ParameterNumber,
    /// How.
    pub test: Test,
}

/// A test on one [`IndexValue`](super::IndexValue); of another kind than the test's, no value passes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Test {
    /// Any value at all, of the given kind.
    Exists(ValueKind),
    /// A text, code, uri or reference that passes none of the tests.
    NoneOf(Vec<Test>),
    /// Folded text begins with that folded text.
    StartsWith(String),
    /// Folded text holds that folded text.
    Contains(String),
    /// Folded text ends with that folded text.
    EndsWith(String),
    /// Folded text is that folded text.
    Folded(String),
    /// Text as written is that one.
    Exact(String),
    /// A code: one of those spellings, from a system that passes; `None` is any code.
    Token {
        /// which systems
        system: SystemTest,
        /// the spellings: as asked, and in lower case for systems where case does not count
        code: Option<Vec<String>>,
    },
    /// A reference to that id, of one of those types, in that version if one is named.
    Reference {
        /// which types; empty is any
        types: Vec<ResourceType>,
        /// logical id
        id: String,
        /// the version asked for
        version: Option<String>,
    },
    /// A reference to any resource of those types.
    ReferenceType(Vec<ResourceType>),
    /// That uri, and that version of it if one is named.
    Uri {
        /// without version
        uri: String,
        /// the version asked for
        version: Option<String>,
    },
    /// That uri or one below it: it continues after a `/`, `:`, `#`, `?` or `.` or exactly there.
    UriBelow(String),
    /// That uri or one above it: one of these.
    UriAbove(Vec<String>),
    /// A span of time compared with `[first, last]`.
    Date(Compare, i64, i64),
    /// A number compared with `[low, high]`.
    Number(Compare, f64, f64),
    /// A quantity compared with `[low, high]`, in a unit that passes.
    Quantity(Compare, f64, f64, UnitTest),
    /// Within a distance of a point of the unit sphere.
    Near {
        /// the middle
        point: [f64; 3],
        /// square of the chord's length on the unit sphere
        chord2: f64,
    },
    /// All of those, passed by one and the same value.
    Every(Vec<Test>),
}

/// A kind of [`IndexValue`](super::IndexValue).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the variant of the same name")]
pub enum ValueKind {
    String,
    Token,
    Reference,
    Uri,
    Date,
    Number,
    Quantity,
    Position,
}

/// Which systems of a code pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemTest {
    /// Any, and none.
    Any,
    /// No system at all.
    Absent,
    /// That one.
    Is(String),
}

/// Which units pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitTest {
    /// Any, and none.
    Any,
    /// That code of that system.
    Coded {
        /// the system's URL
        system: String,
        /// the code
        code: String,
    },
    /// That code, of whatever system, or that unit as people read it.
    Named(String),
}

/// The prefixes of R4 (<https://hl7.org/fhir/R4/search.html#prefix>) between a search value's span `[a, b]` and a target's
/// `[first, last]`, all ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    /// `a <= first` and `last <= b`
    Eq,
    /// not `Eq`
    Ne,
    /// `last > b`
    Gt,
    /// `first < a`
    Lt,
    /// `Gt` or `Eq`
    Ge,
    /// `Lt` or `Eq`
    Le,
    /// `first > b`
    Sa,
    /// `last < a`
    Eb,
    /// they overlap; the caller has widened the span
    Ap,
}

impl Compare {
    /// Whether the target passes.
    pub fn passes<T: PartialOrd>(self, (a, b): (T, T), (first, last): (T, T)) -> bool {
        let within = a <= first && last <= b;
        match self {
            Compare::Eq => within,
            Compare::Ne => !within,
            Compare::Gt => last > b,
            Compare::Lt => first < a,
            Compare::Ge => last > b || within,
            Compare::Le => first < a || within,
            Compare::Sa => first > b,
            Compare::Eb => last < a,
            Compare::Ap => first <= b && last >= a,
        }
    }
}
