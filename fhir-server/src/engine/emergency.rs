//! Who may say that it is an emergency, and sessions of the server's own beside a caller's.

use super::{Engine, Session};
use crate::context::Context;
use crate::error::{Error, ErrorCode, Result};

impl Engine {
    /// Refuses an emergency of a caller who may open nothing in one, or says no reason.
    pub(crate) fn check_emergency(&self, context: &Context) -> Result<()> {
        let Some(reason) = &context.break_glass else {
            return Ok(());
        };
        let refused =
            |text: &str| Err(Error::new(ErrorCode::Forbidden, text).at("http.x-break-glass-reason"));
        if !self.policy.opens_in_emergency(context) {
            let text = "You may not open records in an emergency: that takes somebody at work, in a role that is configured for it \
                        (`emergency.roles`), who asks for treatment. Leave the header `X-Break-Glass-Reason` out.";
            return refused(text);
        }
        match reason.trim().is_empty() {
            true => refused(
                "Say in the header `X-Break-Glass-Reason` why: the patient and who guards privacy read it.",
            ),
            false => Ok(()),
        }
    }
}

impl Session {
    /// As [`Engine::check_emergency`], of this session's caller.
    pub(crate) fn check_emergency(&self) -> Result<()> {
        self.engine.check_emergency(&self.context)
    }

    /// A session of another context, of the same server.
    pub(crate) fn beside(&self, context: Context) -> Session {
        let mut beside = self.engine.session(context);
        beside.bases.clone_from(&self.bases);
        beside
    }
}
