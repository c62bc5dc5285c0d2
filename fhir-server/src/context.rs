//! Who asks, for whom, when: the facts of one request that everything below HTTP may use.
//!
//! Invariant: the tenant comes from the authenticated context or the route, never from a body, a header of the
//! client's choosing or a page link.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An organisation's own store inside one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(pub i64);

impl TenantId {
    /// The tenant of a server that has only one.
    pub const DEFAULT: TenantId = TenantId(1);
}

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Millis(pub i64);

impl Millis {
    /// As a FHIR instant in UTC with milliseconds, such as `2026-11-23T09:30:00.000Z`.
    pub fn to_instant(self) -> String {
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        format!("{at:.3}")
    }
}

/// Where the time comes from; tests fix it.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Millis;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// A stable name for logs and audit, such as `sandbox-clinician` or `system:load`.
    pub name: String,
    /// What kind of caller.
    pub kind: PrincipalKind,
}

/// What kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrincipalKind {
    /// A person at work, or the sandbox's stand-in for one.
    Clinician,
    /// A part of the server itself, such as the command line's `load`.
    System,
    /// Nobody said who it is.
    Anonymous,
}

impl Principal {
    /// A caller by a stable name.
    pub fn new(name: impl Into<String>, kind: PrincipalKind) -> Self {
        Principal {
            name: name.into(),
            kind,
        }
    }
    /// The caller without a token in the sandbox.
    pub fn sandbox_clinician() -> Self {
        Principal {
            name: "sandbox-clinician".into(),
            kind: PrincipalKind::Clinician,
        }
    }
    /// The caller who did not say who it is; the CapabilityStatement is all there is for it.
    pub fn anonymous() -> Self {
        Principal {
            name: "anonymous".into(),
            kind: PrincipalKind::Anonymous,
        }
    }
    /// A part of the server itself, such as `load`.
    pub fn system(part: &str) -> Self {
        Principal {
            name: format!("system:{part}"),
            kind: PrincipalKind::System,
        }
    }
}

/// The facts of one request.
#[derive(Clone)]
#[non_exhaustive]
pub struct Context {
    /// Whose store.
    pub tenant: TenantId,
    /// Who asks.
    pub principal: Principal,
    /// The request's id, for logs and audit.
    pub request_id: String,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// When the request must have ended.
    pub deadline: Option<std::time::Instant>,
}

impl Context {
    /// A context of the default tenant with the machine's clock.
    pub fn new(principal: Principal, request_id: impl Into<String>) -> Self {
        Context {
            tenant: TenantId::DEFAULT,
            principal,
            request_id: request_id.into(),
            clock: Arc::new(SystemClock),
            deadline: None,
        }
    }
}
