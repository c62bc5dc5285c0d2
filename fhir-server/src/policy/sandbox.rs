//! The sandbox's policy: everyone on loopback may do everything.

use super::{Access, Decision, Policy};
use crate::context::Context;
use crate::error::Result;
use crate::store::Filter;

/// Permits everything to everyone. For the sandbox and for the command line's own work only.
#[derive(Debug, Default)]
pub struct PermitAll;

impl Policy for PermitAll {
    fn decide(&self, _: &Context, _: &Access) -> Result<Decision> {
        Ok(Decision::Permit { filter: Filter::All })
    }
}
