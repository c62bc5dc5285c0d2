//! Hooks of an embedder: what they want to see, or refuse, of each resource of a type before it is written.
//!
//! Invariant: a hook is asked in each way of writing, after the policy and before validation, and what it refuses is not written.

use std::fmt;
use std::sync::Arc;

use fhir_model::Resource;
use fhir_model::reflect::Complex;

use crate::context::Context;
use crate::error::{Issue, Result};

type Hook = dyn Fn(&Context, &Resource) -> Result<Vec<Issue>> + Send + Sync;

/// The hooks of a server, in the order in which they were given.
#[derive(Clone, Default)]
pub struct Hooks(Vec<Arc<Hook>>);

impl Hooks {
    /// The same, and one more, asked of each resource of that type.
    pub fn on_write<T: Complex>(
        mut self,
        hook: impl Fn(&Context, &T) -> Result<Vec<Issue>> + Send + Sync + 'static,
    ) -> Self {
        self.0
            .push(Arc::new(move |context, resource| match resource.get::<T>() {
                Some(resource) => hook(context, resource),
                None => Ok(Vec::new()),
            }));
        self
    }

    /// What they all say.
    ///
    /// # Errors
    /// One of them refuses.
    pub(super) fn ask(&self, context: &Context, resource: &Resource) -> Result<Vec<Issue>> {
        let mut issues = Vec::new();
        for hook in &self.0 {
            issues.extend(hook(context, resource)?);
        }
        Ok(issues)
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hooks", self.0.len())
    }
}
