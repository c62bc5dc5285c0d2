//! Subscriptions (<https://hl7.org/fhir/R4/subscription.html>) are stored, and nothing is delivered: each is `off`, whatever was sent.
//!
//! Invariant: no Subscription that is stored asks for anything to be sent.

use fhir_model::{Resource, Subscription};

use super::received::Received;
use super::write::Draft;
use super::{Part, Settings};
use crate::error::{Issue, Result, Severity};
use crate::patch::{Patch, PatchForm};

const OFF: &[u8] = br#"[{"op":"replace","path":"/status","value":"off"}]"#;

/// The Subscription switched off, where it is not; `None` for all else.
///
/// # Errors
/// The body is beyond the limits of a patch.
pub(super) fn switched_off(draft: &Draft<'_>, settings: &Settings) -> Result<Option<Received>> {
    let is_on =
        |subscription: &Subscription| subscription.status.as_str().is_some_and(|status| status != "off");
    if !draft.part.resource.get::<Subscription>().is_some_and(is_on) {
        return Ok(None);
    }
    let text = draft.part.edited(draft.edits)?;
    let text = Patch::Of(PatchForm::Json, OFF.into()).apply(&text, settings)?;
    Received::from_json(text.into(), settings).map(Some)
}

impl<'r> Draft<'r> {
    /// The same about what was made of its resource.
    pub(super) fn about(&self, made: &'r Received) -> Result<Draft<'r>> {
        Ok(Draft {
            part: Part {
                path: self.part.path.clone(),
                ..made.whole()?
            },
            edits: &[],
            explains: self.explains,
        })
    }
}

/// What whoever writes a Subscription is told.
pub(super) fn review(resource: &Resource) -> Option<Issue> {
    resource.get::<Subscription>()?;
    let text = "This server does not deliver notifications yet: the Subscription is stored with the status `off`, and nothing is sent.";
    Some(
        Issue::new(text)
            .at("Subscription.status")
            .with_severity(Severity::Warning),
    )
}
