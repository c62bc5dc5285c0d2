//! Requests of nobody who is known, counted by address and minute: without a token, with a bad one, or too many.
//!
//! Each count becomes one row of the audit trail once its minute is over (`sealer.rs`).
//!
//! Invariant: what is remembered and what is written is bounded: of more addresses in a minute than that, the rest share one count.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use super::throttle::network;
use crate::audit::StrangerCount;
use crate::context::{Millis, TenantId};

/// Addresses that have a count of their own, in one minute and tenant.
const ADDRESSES: usize = 100;
/// Counts that wait for their row, where rows cannot be written; beyond it, a minute has one for each tenant.
const MOST: usize = 10_000;
const MINUTE: i64 = 60_000;

/// Why somebody was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No token was sent.
    NoToken,
    /// One that does not do.
    BadToken,
    /// More requests than a caller may send.
    TooMany,
}

/// Minute, tenant, address; that of all others is `None`.
pub(super) type Place = (i64, TenantId, Option<[u8; 8]>);

/// The counts that have no row yet.
#[derive(Default)]
pub(crate) struct Strangers(Mutex<BTreeMap<Place, StrangerCount>>);

impl Strangers {
    /// Counts one request.
    pub(super) fn count(&self, kind: Kind, tenant: TenantId, from: Option<IpAddr>, now: Millis) {
        let minute = now.0.div_euclid(MINUTE);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut place = (minute, tenant, network(from));
        if !counts.contains_key(&place) {
            let of_minute = counts.range((minute, tenant, None)..=(minute, tenant, Some([u8::MAX; 8])));
            if counts.len() >= MOST || of_minute.count() >= ADDRESSES {
                place.2 = None;
            }
        }
        let count = counts.entry(place).or_insert_with(|| StrangerCount {
            from: place.2.map(written),
            minute: minute.saturating_mul(MINUTE),
            ..StrangerCount::default()
        });
        let one = match kind {
            Kind::NoToken => &mut count.no_token,
            Kind::BadToken => &mut count.bad_token,
            Kind::TooMany => &mut count.too_many,
        };
        *one = one.saturating_add(1);
    }

    /// The counts of past minutes, or all; they are remembered no more.
    pub(super) fn take(&self, now: Millis, all: bool) -> Vec<(Place, StrangerCount)> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = if all { i64::MAX } else { now.0.div_euclid(MINUTE) };
        let rest = counts.split_off(&(minute, TenantId(i64::MIN), None));
        std::mem::replace(&mut *counts, rest).into_iter().collect()
    }

    /// Remembers counts again that could not be written.
    pub(super) fn put_back(&self, more: Vec<(Place, StrangerCount)>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, count) in more {
            counts
                .entry(place)
                .and_modify(|other| other.add(&count))
                .or_insert(count);
        }
    }
}

/// The address as it is written; of IPv6 the network.
fn written(network: [u8; 8]) -> String {
    match network {
        [0, 0, 0, 0, a, b, c, d] if [a, b, c, d] != [0; 4] => Ipv4Addr::new(a, b, c, d).to_string(),
        first => {
            let mut octets = [0; 16];
            octets[..8].copy_from_slice(&first);
            format!("{}/64", Ipv6Addr::from(octets))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn requests_are_counted_by_minute_tenant_and_address_until_they_are_taken() {
        let strangers = Strangers::default();
        let count =
            |kind, tenant, from, now| strangers.count(kind, TenantId(tenant), address(from), Millis(now));
        count(Kind::NoToken, 1, "1.1.1.1", 0);
        count(Kind::BadToken, 1, "1.1.1.1", 59_999);
        count(Kind::BadToken, 2, "1.1.1.1", 0);
        count(Kind::BadToken, 1, "2a00:1:2:3::1", 0);
        count(Kind::TooMany, 1, "2a00:1:2:3::2", 0);
        count(Kind::BadToken, 1, "1.1.1.1", 60_000);
        assert!(strangers.take(Millis(59_999), false).is_empty());
        let told = |taken: &[(Place, StrangerCount)]| -> Vec<_> {
            let one = |(place, count): &(Place, StrangerCount)| {
                let from = count.from.clone().unwrap_or_default();
                (place.1.0, from, count.no_token, count.bad_token, count.too_many)
            };
            taken.iter().map(one).collect()
        };
        let taken = strangers.take(Millis(60_000), false);
        let expected = [
            (1, "1.1.1.1".to_owned(), 1, 1, 0),
            (1, "2a00:1:2:3::/64".to_owned(), 0, 1, 1),
            (2, "1.1.1.1".to_owned(), 0, 1, 0),
        ];
        assert_eq!(told(&taken), expected);
        strangers.put_back(taken);
        count(Kind::NoToken, 2, "1.1.1.1", 5);
        let all = strangers.take(Millis(60_000), true);
        assert_eq!(all.len(), 4);
        assert_eq!(told(&all)[2], (2, "1.1.1.1".to_owned(), 1, 1, 0));
        assert!(strangers.take(Millis(i64::MAX), true).is_empty());
    }

    #[test]
    fn more_addresses_than_that_share_a_count() {
        let strangers = Strangers::default();
        for minute in 0..200 {
            for n in 1..=500_u32 {
                let from = Some(IpAddr::V4(n.into()));
                strangers.count(Kind::BadToken, TenantId(1), from, Millis(minute * MINUTE));
            }
        }
        let all = strangers.take(Millis(0), true);
        let of_minute = |minute: i64| all.iter().filter(move |(place, _)| place.0 == minute);
        assert_eq!(of_minute(0).count(), ADDRESSES + 1);
        let rest = of_minute(0).find(|(_, count)| count.from.is_none()).unwrap();
        assert_eq!(rest.1.bad_token, 400);
        assert!(all.len() <= MOST + 200, "{}", all.len());
        let sum: u32 = all.iter().map(|(_, count)| count.bad_token).sum();
        assert_eq!(sum, 100_000);
    }
}
