//! `emergency`: who may open a patient's record in an emergency.

use serde::Deserialize;

use super::refused;
use crate::error::Result;
use crate::policy::emergency::Settings;

/// A day.
const MOST_MINUTES: i64 = 1440;

/// Who may open a patient's record in an emergency, with `X-Break-Glass-Reason`, and for how long: see "Emergencies" in `docs/consent.md`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EmergencyConfig {
    /// Roles, as tokens name them, whose holders may. Default: none; in the sandbox those of its general practitioners
    /// and of its physician in an emergency department.
    pub roles: Vec<String>,
    /// Minutes that a record stays open, from 1 to 1440. Default: 60.
    pub minutes: i64,
    /// Roles whose holders read the alerts about all patients. Default: `information-governance`.
    pub told: Vec<String>,
}

impl Default for EmergencyConfig {
    fn default() -> Self {
        let Settings { roles, minutes, told } = Settings::default();
        EmergencyConfig { roles, minutes, told }
    }
}

impl EmergencyConfig {
    pub(super) fn check(&self) -> Result<()> {
        if (1..=MOST_MINUTES).contains(&self.minutes) {
            return Ok(());
        }
        Err(refused(format!(
            "emergency.minutes is {}; a record stays open for 1 to {MOST_MINUTES} minutes.",
            self.minutes
        )))
    }

    /// The rule's settings.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        settings.roles.clone_from(&self.roles);
        settings.minutes = self.minutes;
        settings.told.clone_from(&self.told);
        settings
    }
}
