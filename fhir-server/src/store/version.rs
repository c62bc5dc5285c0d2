//! [`Version`]: one version of a resource as stored (<https://hl7.org/fhir/R4/http.html#versions>).

use super::{Key, StoredBody};
use crate::context::Millis;

/// What made a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// POST, or PUT to a new id.
    Create,
    /// PUT, or a restore after deletion.
    Update,
    /// DELETE; such a version has no body.
    Delete,
}

/// One version of a resource as stored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Version {
    /// Type and id.
    pub key: Key,
    /// Counts from 1 for each resource.
    pub version: i64,
    /// When it was written; never earlier than the version before.
    pub last_updated: Millis,
    /// What made it.
    pub change: Change,
    /// The content; `None` for a deletion.
    pub body: Option<StoredBody>,
    /// Its place in the order of all changes of the tenant: unique and rising. Opaque: for paging only.
    pub stamp: i64,
    /// Whether elements were taken out of the content for the caller; a store always says no.
    pub masked: bool,
}

impl Version {
    /// For back ends.
    pub fn new(
        key: Key,
        version: i64,
        change: Change,
        stamp: i64,
        at: Millis,
        body: Option<StoredBody>,
    ) -> Self {
        Version {
            key,
            version,
            last_updated: at,
            change,
            body,
            stamp,
            masked: false,
        }
    }

    /// What an entity tag says of it: a view from which something was taken out is another than the whole.
    pub(crate) fn tag(&self) -> String {
        tag(self.version, self.masked)
    }
}

/// What an entity tag says of a version, whole or masked.
pub(crate) fn tag(version: i64, masked: bool) -> String {
    match masked {
        true => format!("{version}-masked"),
        false => version.to_string(),
    }
}
