//! [`PermitAll`]: everyone may do everything, for the command line's own work and for tests.

use super::{Access, Decision, Policy};
use crate::context::Context;
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
