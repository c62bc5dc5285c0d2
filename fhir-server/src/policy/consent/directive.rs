//! [`Directive`]: a Consent (<https://hl7.org/fhir/R4/consent.html>) as rules: what its provisions say, and what of it cannot be enforced
//! as it is meant.
//!
//! Invariant: what is not understood is kept as a [`Doubt`]; it makes a denial wider and a permission narrower, never the other way.

use crate::store::Key;

/// Permit or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Permit,
    Deny,
}

/// A Consent that is active, as rules.
#[derive(Clone, Debug)]
pub(crate) struct Directive {
    /// Which Consent.
    pub(crate) key: Key,
    /// The patient, by reference.
    pub(crate) patient: Option<String>,
    /// The patient, by identifier: system and value.
    pub(crate) patient_identifier: Option<(String, String)>,
    /// Purposes that the Consent is about at all, by its scope; empty is every one.
    pub(crate) about: Vec<String>,
    /// The rule for the whole record; its verdict is `None` where it leaves that to the implicit policy.
    pub(crate) root: Provision,
    /// Why all of it is enforced as a denial, where that is so.
    pub(crate) opaque: Option<String>,
    /// What of it is enforced more strictly than it is meant.
    pub(crate) doubts: Vec<Doubt>,
}

/// What is enforced more strictly than it is meant, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// A FHIRPath such as `Consent.provision.provision[0].code[1]`.
    pub(crate) at: String,
    /// Why, as a sentence.
    pub(crate) why: String,
}

/// One provision.
#[derive(Clone, Debug, Default)]
pub(crate) struct Provision {
    /// Its place.
    pub(crate) at: String,
    /// What it says; of a nested one always something.
    pub(crate) verdict: Option<Verdict>,
    /// When it is in force: first and last millisecond; `None` is always.
    pub(crate) period: Option<(i64, i64)>,
    /// Whom it is about; empty is everyone.
    pub(crate) actors: Vec<Actor>,
    /// Purposes; empty is every one.
    pub(crate) purposes: Vec<String>,
    /// Whether it is about reading; a rule about other actions alone says nothing here.
    pub(crate) reads: bool,
    /// The data it is about: all of these, of each kind any.
    pub(crate) labels: Vec<(String, String)>,
    /// Types and profiles.
    pub(crate) classes: Vec<Class>,
    /// Codes in the content: system and code.
    pub(crate) codes: Vec<(Option<String>, String)>,
    /// Particular resources.
    pub(crate) data: Vec<Data>,
    /// When the data is from: first and last millisecond.
    pub(crate) data_period: Option<(i64, i64)>,
    /// Whether something narrows it that is not understood: a permission is void, a denial as if it were not there.
    pub(crate) vague: bool,
    /// Exceptions to it.
    pub(crate) exceptions: Vec<Provision>,
}

/// Whom a provision names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Actor {
    /// Codes of the role; what counts only where nobody is named.
    pub(crate) roles: Vec<String>,
    /// A resource of this server.
    pub(crate) key: Option<Key>,
    /// An identifier: system and value.
    pub(crate) identifier: Option<(String, String)>,
}

/// A class of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Type(crate::store::ResourceType),
    Profile(String),
}

/// Particular data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Data {
    pub(crate) meaning: Meaning,
    pub(crate) key: Key,
}

/// How data is meant by a reference to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Instance,
    Related,
    Dependents,
    AuthoredBy,
}
