//! [`PermitAll`]: everyone may do everything, for the command line's own work and for tests; and [`Sandbox`].

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use super::{Access, Chain, Decision, Facts, Policy, Records};
use crate::context::{Context, Principal};
use crate::error::Result;
use crate::store::Filter;

/// Permits everything to everyone.
#[derive(Debug, Default)]
pub struct PermitAll;

impl Policy for PermitAll {
    fn decide(&self, _: &Context, _: &Access<'_>) -> Result<Decision> {
        Ok(Decision::permit(Filter::All))
    }
}

/// The sandbox's: who comes with a token is bound by every rule; who comes without one, as `sandbox-clinician`, and the server's own
/// parts may do everything.
///
/// Invariant: a token never allows more than the rules do.
pub struct Sandbox {
    rules: Chain,
}

impl Default for Sandbox {
    fn default() -> Self {
        Sandbox {
            rules: Chain::standard(),
        }
    }
}

/// Whether the caller came without a token.
fn is_free(principal: &Principal) -> bool {
    principal.scopes.is_none()
}

impl Policy for Sandbox {
    fn gather<'a>(
        &'a self,
        context: &'a Context,
        records: &'a dyn Records,
        facts: &'a mut Facts,
    ) -> BoxFuture<'a, Result<()>> {
        match is_free(&context.principal) {
            true => ready(Ok(())).boxed(),
            false => self.rules.gather(context, records, facts),
        }
    }

    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision> {
        match is_free(&context.principal) {
            true => PermitAll.decide(context, access),
            false => self.rules.decide(context, access),
        }
    }
}
