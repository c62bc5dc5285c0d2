//! One request's way to the data: policy, validation, stamping and one atomic commit for writes; policy and filter for
//! reads.

use std::sync::Arc;

use crate::context::Context;
use crate::policy::Policy;
use crate::store::Store;

/// One request's way to the data.
pub struct Session {
    store: Arc<dyn Store>,
    policy: Arc<dyn Policy>,
    context: Context,
}

impl Session {
    /// Opens a session for one request.
    pub(crate) fn new(store: Arc<dyn Store>, policy: Arc<dyn Policy>, context: Context) -> Self {
        Session {
            store,
            policy,
            context,
        }
    }
}
