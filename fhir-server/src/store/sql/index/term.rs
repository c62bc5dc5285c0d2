//! [`Term`]: a text, code, uri, reference or unit that rows of many resources share.
//!
//! Invariant: two terms are the same only where all their bytes are; the hash only keeps those apart quickly that begin alike.

use sha2::{Digest, Sha256};

use crate::context::TenantId;
use crate::store::{ResourceType, SORTED_BYTES, id};

/// Bytes of a text that are in an index.
pub(in crate::store::sql) const BOUND: usize = SORTED_BYTES;

/// The kinds of terms, as numbers in rows.
pub(in crate::store::sql) mod kind {
    /// Folded text.
    pub(in crate::store::sql) const TEXT: i16 = 0;
    /// A code.
    pub(in crate::store::sql) const TOKEN: i16 = 1;
    /// A uri.
    pub(in crate::store::sql) const URI: i16 = 2;
    /// A unit with a code.
    pub(in crate::store::sql) const UNIT: i16 = 3;
    /// A unit without one.
    pub(in crate::store::sql) const UNCODED_UNIT: i16 = 4;
}
/// The kind of a reference, less the number of the type that it is to.
pub(in crate::store::sql) const REFERENCE: i16 = 100;

/// The lowest bits of a term's number: what kind of value it is.
pub(crate) mod class {
    /// How many bits.
    pub(crate) const BITS: u32 = 3;
    /// Folded text.
    pub(crate) const TEXT: i64 = 0;
    /// A code.
    pub(crate) const TOKEN: i64 = 1;
    /// A uri.
    pub(crate) const URI: i64 = 2;
    /// A reference.
    pub(crate) const REFERENCE: i64 = 3;
    /// A unit.
    pub(crate) const UNIT: i64 = 4;
}

/// What tells a term from all others of all tenants.
pub(crate) type TermKey = [u8; 32];

/// A term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// Its kind.
    pub(crate) kind: i16,
    /// The first bytes of its text.
    pub(crate) head: Vec<u8>,
    /// All of them, where they are more.
    pub(crate) whole: Option<Vec<u8>>,
    /// See the schema.
    pub(crate) second: Option<Vec<u8>>,
    /// See the schema.
    pub(crate) third: Option<Vec<u8>>,
    digest: TermKey,
}

impl Term {
    fn new(kind: i16, text: &[u8], second: Option<&[u8]>, third: Option<&[u8]>) -> Self {
        let mut digest = Sha256::new();
        digest.update(kind.to_be_bytes());
        for part in [Some(text), second, third] {
            let length = part.map_or(u64::MAX, |bytes| bytes.len() as u64);
            digest.update(length.to_be_bytes());
            digest.update(part.unwrap_or_default());
        }
        let (head, whole) = match text.get(..BOUND) {
            Some(head) if text.len() > BOUND => (head, Some(text.to_vec())),
            _ => (text, None),
        };
        Term {
            kind,
            head: head.to_vec(),
            whole,
            second: second.map(<[u8]>::to_vec),
            third: third.map(<[u8]>::to_vec),
            digest: digest.finalize().into(),
        }
    }

    /// Folded text, and as written.
    pub(super) fn text(folded: &str, exact: &str) -> Self {
        Term::new(kind::TEXT, folded.as_bytes(), Some(exact.as_bytes()), None)
    }

    /// A code and its system.
    pub(super) fn token(code: &str, system: Option<&str>) -> Self {
        Term::new(kind::TOKEN, code.as_bytes(), system.map(str::as_bytes), None)
    }

    /// A uri and its version.
    pub(super) fn uri(uri: &str, version: Option<&str>) -> Self {
        Term::new(kind::URI, uri.as_bytes(), version.map(str::as_bytes), None)
    }

    /// A reference to a resource, or to a version of it.
    pub(super) fn reference(resource_type: ResourceType, id: &str, version: Option<&str>) -> Self {
        let kind = REFERENCE + resource_type.number();
        Term::new(kind, &id::pack(id), version.map(str::as_bytes), None)
    }

    /// A unit; `None` where there is nothing of it.
    pub(super) fn unit(system: Option<&str>, code: Option<&str>, unit: Option<&str>) -> Option<Self> {
        if system.is_none() && code.is_none() && unit.is_none() {
            return None;
        }
        let kind = if code.is_some() {
            kind::UNIT
        } else {
            kind::UNCODED_UNIT
        };
        let (system, unit) = (system.map(str::as_bytes), unit.map(str::as_bytes));
        Some(Term::new(kind, code.unwrap_or_default().as_bytes(), system, unit))
    }

    /// What tells it from all others.
    pub(crate) fn key(&self, tenant: TenantId) -> TermKey {
        let mut key = self.digest;
        for (byte, of_tenant) in key.iter_mut().zip(tenant.0.to_be_bytes()) {
            *byte ^= of_tenant;
        }
        key
    }

    /// A few bits of what tells it from others.
    pub(crate) fn hash(&self) -> i32 {
        let [a, b, c, d, ..] = self.digest;
        i32::from_be_bytes([a, b, c, d])
    }

    /// The number of the term that is made after so many others.
    pub(crate) fn number(&self, count: i64) -> i64 {
        let class = match self.kind {
            kind::TEXT => class::TEXT,
            kind::TOKEN => class::TOKEN,
            kind::URI => class::URI,
            kind::UNIT | kind::UNCODED_UNIT => class::UNIT,
            _ => class::REFERENCE,
        };
        (count << class::BITS) | class
    }
}
