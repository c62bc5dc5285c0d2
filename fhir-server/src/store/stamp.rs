//! Stamps: 63-bit numbers that are unique, rise with every change, and hold the time of the change.
//!
//! 41 bits of milliseconds since 2020-01-01 (enough until 2089), 10 bits of a node number that a server process holds
//! alone, 12 bits of count. Surrogates of resources come from the same generator.
//! Invariant: a generator never gives a number at or below one it gave before, nor at or below the greatest one that it
//! was told of at the start, whatever the clock does.

use crate::context::{Clock, Millis};

const NODE_BITS: u32 = 10;
const COUNT_BITS: u32 = 12;
const TIME_SHIFT: u32 = NODE_BITS + COUNT_BITS;
const MAX_TIME: i64 = (1 << 41) - 1;
const MAX_COUNT: i64 = (1 << COUNT_BITS) - 1;
/// 2020-01-01T00:00:00Z in milliseconds since 1970.
const EPOCH: i64 = 1_577_836_800_000;

/// The time in a stamp.
pub(crate) fn time_of(stamp: i64) -> Millis {
    Millis((stamp >> TIME_SHIFT) + EPOCH)
}

/// The smallest stamp of that millisecond: a bound for ranges. Times outside the span are moved to its ends.
pub(crate) fn first_of(at: Millis) -> i64 {
    at.0.saturating_sub(EPOCH).clamp(0, MAX_TIME) << TIME_SHIFT
}

/// The greatest stamp of that millisecond.
pub(crate) fn last_of(at: Millis) -> i64 {
    if at.0 < EPOCH {
        return -1;
    }
    first_of(at) | ((1 << TIME_SHIFT) - 1)
}

/// Makes stamps.
#[derive(Debug)]
pub(crate) struct Generator {
    node: i64,
    time: i64,
    count: i64,
}

impl Generator {
    /// A generator for that node, above the greatest stamp stored.
    pub(crate) fn new(node: u16, greatest: Option<i64>) -> Self {
        let time = greatest.map_or(-1, |stamp| stamp >> TIME_SHIFT);
        Generator {
            node: i64::from(node) & ((1 << NODE_BITS) - 1),
            time,
            count: MAX_COUNT,
        }
    }

    /// A generator that goes on after that stamp, which any node may have given, in the same millisecond where that is possible.
    #[cfg(feature = "postgres")]
    pub(crate) fn after(node: u16, stamp: i64) -> Self {
        let mut generator = Generator::new(node, Some(stamp));
        let last_node = (stamp >> COUNT_BITS) & ((1 << NODE_BITS) - 1);
        generator.count = match generator.node.cmp(&last_node) {
            std::cmp::Ordering::Less => MAX_COUNT,
            std::cmp::Ordering::Equal => stamp & MAX_COUNT,
            std::cmp::Ordering::Greater => -1,
        };
        generator
    }

    /// The next stamp: of the clock's millisecond, or of the last one given where the clock is behind it.
    pub(crate) fn next(&mut self, clock: &dyn Clock) -> i64 {
        let now = clock.now().0.saturating_sub(EPOCH).clamp(0, MAX_TIME);
        if now > self.time {
            self.time = now;
            self.count = 0;
        } else if self.count < MAX_COUNT {
            self.count += 1;
        } else {
            self.time += 1;
            self.count = 0;
        }
        self.last()
    }

    /// The stamp that it gave last.
    pub(crate) fn last(&self) -> i64 {
        (self.time << TIME_SHIFT) | (self.node << COUNT_BITS) | self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(i64);
    impl Clock for Fixed {
        fn now(&self) -> Millis {
            Millis(self.0)
        }
    }

    #[test]
    fn stamps_rise_when_the_clock_stands_still_and_when_it_goes_back() {
        let mut stamps = Generator::new(7, None);
        let mut last = -1;
        for now in [EPOCH + 5, EPOCH + 5, EPOCH + 2, EPOCH - 9, 0] {
            for _ in 0..5_000 {
                let next = stamps.next(&Fixed(now));
                assert!(next > last);
                last = next;
            }
        }
        assert_eq!(time_of(last), Millis(EPOCH + 5 + 25_000 / 4096));
    }

    #[test]
    fn a_generator_starts_above_the_greatest_stamp_of_another_node() {
        let far = Generator::new(1023, None).next(&Fixed(EPOCH + 1_000));
        let next = Generator::new(0, Some(far)).next(&Fixed(EPOCH));
        assert!(next > far);
        assert_eq!(time_of(next), Millis(EPOCH + 1_001));
    }

    #[test]
    #[cfg(feature = "postgres")]
    fn nodes_that_take_turns_give_rising_stamps_of_one_millisecond_where_they_can() {
        let now = Fixed(EPOCH + 1_000);
        let (mut last, mut times) = (0, Vec::new());
        for node in [3, 3, 7, 7, 3, 1023, 0, 0] {
            let next = Generator::after(node, last).next(&now);
            assert!(next > last, "node {node}");
            assert_eq!((next >> COUNT_BITS) & 1023, i64::from(node));
            last = next;
            times.push(time_of(next).0 - EPOCH - 1_000);
        }
        assert_eq!(times, [0, 0, 0, 0, 1, 1, 2, 2]);
        let full = (1_000 << TIME_SHIFT) | (3 << COUNT_BITS) | MAX_COUNT;
        assert_eq!(
            time_of(Generator::after(3, full).next(&now)),
            Millis(EPOCH + 1_001)
        );
    }

    #[test]
    fn the_bounds_of_a_millisecond_hold_its_stamps_and_no_others() {
        let at = Millis(1_763_900_000_123);
        let stamp = Generator::new(3, None).next(&Fixed(at.0));
        assert!(first_of(at) <= stamp && stamp <= last_of(at));
        assert!(last_of(Millis(at.0 - 1)) < stamp && stamp < first_of(Millis(at.0 + 1)));
        assert_eq!(time_of(stamp), at);
        assert_eq!(first_of(Millis(0)), 0);
        assert_eq!(last_of(Millis(0)), -1);
    }
}
