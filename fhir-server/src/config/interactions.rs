//! `interactions`: how interactions behave where the specification leaves a choice.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::refused;
use crate::error::Result;

/// How interactions behave where the specification leaves a choice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct InteractionsConfig {
    /// Whether PUT to an id never used before creates it
    /// (<https://hl7.org/fhir/R4/http.html#upsert>). Default: in the sandbox yes, elsewhere no.
    pub update_as_create: Option<bool>,
    /// Whether that also holds where a policy hides resources. Whoever may do so can find out which ids are taken. Default: in the
    /// sandbox yes, elsewhere no.
    pub client_ids: Option<bool>,
    /// Resources on a page where the client names no `_count`. Default: 50.
    pub page_default: usize,
    /// Resources on a page at most. Default: 1,000.
    pub page_max: usize,
    /// Entries in a Bundle at most. Default: 5,000.
    pub bundle_entries: usize,
    /// Searches and histories in a batch or transaction at most. Default: 100.
    pub bundle_searches: usize,
    /// Resources that one conditional delete may delete; where more match, none is. Default: 1.
    pub conditional_delete_max: usize,
    /// Conditional references in a transaction at most. Default: 1,000.
    pub bundle_conditional_references: usize,
    /// Whether a search with a parameter that is not known is refused where the client says nothing of it in `Prefer`. Default: no.
    pub strict_handling: bool,
    /// Matches that are counted for `Bundle.total`; with more there is no total. Default: 10,000.
    pub total_max: u64,
    /// The same where nothing but the total is asked for (`_summary=count`). Default: 1,000,000.
    pub count_max: u64,
    /// How long a write is known again that is sent again with the same `Idempotency-Key` or `X-Request-ID`; `0`: never. At most
    /// `"168h"`. Default: `"24h"`.
    #[serde(deserialize_with = "super::duration::deserialize")]
    pub replay: Duration,
    /// How many bytes of what one caller (a user with one client) wrote later are so remembered, until a write is forgotten before its
    /// time; nobody else's is. A create takes about 230 bytes, a transaction 60 more for each entry. At least 4,096. Default: 16,777,216.
    pub replay_bytes: u64,
    /// The time zone of dates and times without one, by its IANA name. Default: `Europe/London`.
    pub time_zone: String,
}

impl InteractionsConfig {
    pub(super) fn check(&self) -> Result<()> {
        if self.page_default == 0 || self.page_max < self.page_default {
            return Err(refused(
                "interactions.page_default must be at least 1 and at most interactions.page_max.",
            ));
        }
        if self.replay > Duration::from_secs(7 * 86_400) {
            return Err(refused("interactions.replay must be at most 168h."));
        }
        if self.replay_bytes < 4_096 {
            return Err(refused(
                "interactions.replay_bytes must be at least 4096; to remember nothing, set interactions.replay to \"0\".",
            ));
        }
        TimeZone::get(&self.time_zone).map(|_| ()).map_err(|_| {
            refused(format!(
                "interactions.time_zone is `{}`; it must be a name such as `Europe/London`.",
                self.time_zone
            ))
        })
    }
}

impl Default for InteractionsConfig {
    fn default() -> Self {
        InteractionsConfig {
            update_as_create: None,
            client_ids: None,
            page_default: 50,
            page_max: 1000,
            bundle_entries: 5000,
            bundle_searches: 100,
            conditional_delete_max: 1,
            bundle_conditional_references: 1000,
            strict_handling: false,
            total_max: 10_000,
            count_max: 1_000_000,
            replay: Duration::from_secs(86_400),
            replay_bytes: 16 << 20,
            time_zone: "Europe/London".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_and_a_time_zone_must_make_sense() {
        let base = InteractionsConfig::default;
        base().check().unwrap();
        InteractionsConfig {
            page_default: 0,
            ..base()
        }
        .check()
        .unwrap_err();
        InteractionsConfig {
            page_max: 10,
            ..base()
        }
        .check()
        .unwrap_err();
        InteractionsConfig {
            replay_bytes: 4_095,
            ..base()
        }
        .check()
        .unwrap_err();
        InteractionsConfig {
            time_zone: "Europe/Atlantis".into(),
            ..base()
        }
        .check()
        .unwrap_err();
    }
}
