//! The compartment of the patient in context: a patient, or who acts for one, sees that patient's data and no other's, and what is
//! nobody's by its type, such as organisations.
//!
//! Invariant: without a patient in context such a caller sees no patient's data.

use super::patients::{of_any, of_no_patients_type};
use super::{Access, Decision, Policy};
use crate::context::{Context, PrincipalKind};
use crate::error::Result;
use crate::store::Filter;

/// The rule. It binds patients and those who act for them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compartment;

impl Policy for Compartment {
    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision> {
        if access.carried {
            return Ok(Decision::permit(Filter::All));
        }
        let principal = &context.principal;
        match principal.kind {
            PrincipalKind::Patient | PrincipalKind::RelatedPerson => {
                let own = of_any(principal.patient.iter().cloned().collect());
                Ok(Decision::permit(
                    of_no_patients_type(access.resource_type).or(own),
                ))
            }
            _ => Ok(Decision::permit(Filter::All)),
        }
    }
}
