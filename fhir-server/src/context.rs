//! Who asks, for whom, when: the facts of one request that everything below HTTP may use.
//!
//! Invariant: the tenant comes from the authenticated context or the route, never from a body, a header of the
//! client's choosing or a page link.

mod principal;

pub use principal::{Principal, PrincipalKind};

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
    /// From which address it came, where it came over a network.
    pub address: Option<std::net::IpAddr>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// When the request must have ended.
    pub deadline: Option<std::time::Instant>,
    /// What the data is wanted for: a code of `http://terminology.hl7.org/CodeSystem/v3-ActReason`, such as `TREAT`, from the
    /// token, or from a header where the client is registered for that purpose.
    pub purpose: Option<String>,
    /// Why the caller asks for more than it usually may see, in an emergency.
    pub break_glass: Option<String>,
    /// Why the caller says that it has to do with the patient, where nothing stored shows it.
    pub claimed_relationship: Option<String>,
    /// From when on the audit trail is shown, where what was before is another's: a space of the sandbox that was closed.
    pub trail_from: Option<Millis>,
}

impl Context {
    /// A context of the default tenant with the machine's clock.
    pub fn new(principal: Principal, request_id: impl Into<String>) -> Self {
        Context {
            tenant: TenantId::DEFAULT,
            purpose: principal.purpose.clone(),
            principal,
            request_id: request_id.into(),
            address: None,
            clock: Arc::new(SystemClock),
            deadline: None,
            break_glass: None,
            claimed_relationship: None,
            trail_from: None,
        }
    }

    /// The same, in that organisation's store.
    pub fn of_tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant;
        self
    }

    /// The same, by that clock.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The same, for that purpose.
    pub fn with_purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purpose = Some(purpose.into());
        self
    }

    /// The same, in an emergency that the text explains.
    pub fn with_break_glass(mut self, reason: impl Into<String>) -> Self {
        self.break_glass = Some(reason.into());
        self
    }

    /// The same, with the caller's own word that it has to do with the patient.
    pub fn with_claimed_relationship(mut self, reason: impl Into<String>) -> Self {
        self.claimed_relationship = Some(reason.into());
        self
    }
}
