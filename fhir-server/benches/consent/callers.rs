//! Who asks, by the name that a request gives in [`HEADER`], and the policy that binds them.

use fhir_server::context::{Context, Principal, PrincipalKind};
use fhir_server::error::Result;
use fhir_server::policy::{Access, Chain, Decision, Facts, PermitAll, Policy, Records};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

/// The header of the caller's name.
pub(crate) const HEADER: &str = "x-caller";
/// All of them; no rule binds the first.
pub(crate) const ALL: [&str; 3] = ["unbound", "clinician", "researcher"];

/// The caller of that name. The clinician looks after everyone and the researcher needs no relationship, so that consents decide.
pub(crate) fn principal(name: &str) -> Principal {
    match name {
        "clinician" => Principal::sandbox_clinician().with_purpose("TREAT"),
        "researcher" => Principal::new(name, PrincipalKind::Clinician)
            .with_organisation("X9904")
            .with_role("researcher")
            .with_purpose("HRESCH"),
        _ => Principal::new(ALL[0], PrincipalKind::Clinician),
    }
}

/// The rules of the sandbox, but for the caller whom none binds.
pub(crate) struct Rules(Chain);

impl Rules {
    pub(crate) fn new() -> Self {
        Rules(Chain::sandbox())
    }
}

fn is_free(context: &Context) -> bool {
    context.principal.name == ALL[0]
}

impl Policy for Rules {
    fn gather<'a>(
        &'a self,
        context: &'a Context,
        records: &'a dyn Records,
        facts: &'a mut Facts,
    ) -> BoxFuture<'a, Result<()>> {
        match is_free(context) {
            true => ready(Ok(())).boxed(),
            false => self.0.gather(context, records, facts),
        }
    }

    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision> {
        match is_free(context) {
            true => PermitAll.decide(context, access),
            false => self.0.decide(context, access),
        }
    }
}
