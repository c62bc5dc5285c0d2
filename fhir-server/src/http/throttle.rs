//! How many requests a caller may send in a minute, and how many bad tokens an address (S-089).
//!
//! Invariant: what is remembered is bounded: of more callers than that, those of past minutes are forgotten, and beyond that all share one
//! count.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::config::ThrottleConfig;
use crate::context::{Millis, Principal};
use crate::error::{Error, ErrorCode, Result};

/// Callers that are remembered at most: 16 bytes each, and as much again for the table.
const MOST: usize = 1 << 20;
const MINUTE: i64 = 60_000;

/// Counts of this minute.
pub(crate) struct Throttle {
    config: ThrottleConfig,
    hasher: RandomState,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    of: HashMap<u64, Count>,
    /// The minute in which those of past minutes were forgotten last.
    swept: u32,
}

#[derive(Clone, Copy)]
struct Count {
    minute: u32,
    requests: u32,
}

impl Throttle {
    pub(crate) fn new(config: &ThrottleConfig) -> Self {
        Throttle {
            config: config.clone(),
            hasher: RandomState::new(),
            counts: Mutex::default(),
        }
    }

    /// Counts a request of a caller.
    ///
    /// # Errors
    /// It was one too many: [`ErrorCode::TooManyRequests`], with the seconds to wait.
    pub(crate) fn request(
        &self,
        who: &Principal,
        from: Option<IpAddr>,
        now: Millis,
    ) -> std::result::Result<(), (Error, i64)> {
        let Some(most) = self.config.requests else {
            return Ok(());
        };
        // Who has no token shares a count with all others of the address.
        let key = match (&who.client_id, &who.subject) {
            (None, None) => self.hasher.hash_one(("address", network(from), &who.name)),
            (client, subject) => self.hasher.hash_one(("token", client, subject, &who.issuer)),
        };
        self.count(key, most, now)
    }

    /// Counts a bad token of an address; where there is none, nothing.
    ///
    /// # Errors
    /// As [`Throttle::request`].
    pub(crate) fn bad_token(
        &self,
        from: Option<IpAddr>,
        now: Millis,
    ) -> std::result::Result<(), (Error, i64)> {
        match (self.config.bad_tokens, from) {
            (Some(most), Some(from)) => {
                self.count(self.hasher.hash_one(("bad", network(Some(from)))), most, now)
            }
            _ => Ok(()),
        }
    }

    fn count(&self, key: u64, most: u32, now: Millis) -> std::result::Result<(), (Error, i64)> {
        let minute = u32::try_from(now.0.div_euclid(MINUTE)).unwrap_or(0);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.of.len() >= MOST && counts.swept != minute {
            counts.swept = minute;
            counts.of.retain(|_, count| count.minute == minute);
        }
        let is_new = !counts.of.contains_key(&key);
        let key = if is_new && counts.of.len() >= MOST { 0 } else { key };
        let count = counts.of.entry(key).or_insert(Count { minute, requests: 0 });
        if count.minute != minute {
            *count = Count { minute, requests: 0 };
        }
        count.requests = count.requests.saturating_add(1);
        if count.requests <= most {
            return Ok(());
        }
        let wait = (MINUTE - now.0.rem_euclid(MINUTE)).div_euclid(1000) + 1;
        let text = format!("More than {most} requests in a minute: send the next in {wait} s.");
        Err((Error::new(ErrorCode::TooManyRequests, text), wait))
    }
}

/// An address, of IPv6 the network that one household or company has.
pub(super) fn network(address: Option<IpAddr>) -> Option<[u8; 8]> {
    match address?.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            Some([0, 0, 0, 0, a, b, c, d])
        }
        IpAddr::V6(ip) => ip.octets().first_chunk().copied(),
    }
}

/// The result, with the seconds to wait kept for the answer.
pub(crate) fn told(taken: std::result::Result<(), (Error, i64)>, keep: impl FnOnce(i64)) -> Result<()> {
    taken.map_err(|(error, wait)| {
        keep(wait);
        error
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle() -> Throttle {
        Throttle::new(&ThrottleConfig {
            requests: Some(3),
            bad_tokens: Some(2),
        })
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn each_caller_has_its_own_count_that_begins_anew_each_minute() {
        let throttle = throttle();
        let caller = |id: &str| {
            Principal::sandbox_clinician()
                .with_client("app")
                .with_subject("i", id)
        };
        for _ in 0..3 {
            throttle.request(&caller("a"), None, Millis(0)).unwrap();
        }
        let (error, wait) = throttle.request(&caller("a"), None, Millis(59_000)).unwrap_err();
        assert_eq!((error.code, wait), (ErrorCode::TooManyRequests, 2));
        throttle.request(&caller("b"), None, Millis(0)).unwrap();
        throttle.request(&caller("a"), None, Millis(60_000)).unwrap();
    }

    #[test]
    fn who_has_no_token_is_counted_by_address() {
        let throttle = throttle();
        let ask = |from: &str| {
            throttle
                .request(&Principal::anonymous(), address(from), Millis(0))
                .is_ok()
        };
        assert!(ask("1.1.1.1") && ask("1.1.1.1") && ask("1.1.1.1") && !ask("1.1.1.1"));
        assert!(!ask("::ffff:1.1.1.1") && ask("1.1.1.2"));
        assert!(
            ask("2a00:1:2:3::1") && ask("2a00:1:2:3::2") && ask("2a00:1:2:3::3") && !ask("2a00:1:2:3:4::5")
        );
        assert!(ask("2a00:1:2:4::1"));
    }

    #[test]
    fn bad_tokens_are_counted_and_callers_beyond_the_most_share_a_count() {
        let throttle = throttle();
        let bad = |n: u32, now: i64| {
            throttle
                .bad_token(Some(IpAddr::V4(n.into())), Millis(now))
                .is_ok()
        };
        assert!(bad(1, 0) && bad(1, 0) && !bad(1, 0));
        assert!(throttle.bad_token(None, Millis(0)).is_ok());
        for n in 0..u32::try_from(MOST).unwrap() + 10 {
            bad(n.wrapping_add(100), 0);
        }
        assert!(throttle.counts.lock().unwrap().of.len() <= MOST + 1);
        assert!(!bad(u32::MAX, 0), "the shared count is used up");
        assert!(bad(u32::MAX, MINUTE), "and begins anew");
    }
}
