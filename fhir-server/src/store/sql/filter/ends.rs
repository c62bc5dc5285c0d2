//! [`Ends`]: what the ends of a span must be for it to pass a test, so that an index can give the spans.
//!
//! Spans are in the order of their last ends. Where only the first end is bounded from above, a span that is short ends soon after it
//! began; those that are long have an index of their own, in the order of their first ends. So `date=lt…` and what lies between two
//! dates are read from indexes, whatever the length of what is stored.
//!
//! Invariant: a span that passes the test is within the bounds, and is short or in the index of long ones.

use crate::store::number::ordered;
use crate::store::{Compare, Test};

/// The condition of the index of long spans, for the row `l`: longer than a day and a half, and of numbers than half of themselves or so.
/// It must be in a statement as the migrations write it, so that the index is used. Halves do not overflow.
pub(in crate::store::sql) const LONG: &str =
    "(l.last >> 1) - (l.first >> 1) > CASE l.unit WHEN 0 THEN 67108864 ELSE 562949953421312 END";
/// What is not long is no longer than that, in milliseconds.
pub(in crate::store::sql) const SHORT_TIME: i64 = (1 << 27) + 1;
/// The same of numbers, as integers in their order.
pub(in crate::store::sql) const SHORT_NUMBER: i64 = (1 << 50) + 1;

/// Bounds of the ends of a span, all included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    /// The last is at least this.
    pub(super) last_from: Option<i64>,
    /// The last is at most this.
    pub(super) last_to: Option<i64>,
    /// The first is at most this.
    pub(super) first_to: Option<i64>,
    /// How long a span is that is not long.
    short: i64,
}

impl Ends {
    /// Those of the spans that pass; `None` where the test is not one of spans.
    pub(super) fn of(test: &Test) -> Option<Ends> {
        let (compare, a, b, short) = match test {
            Test::Date(compare, a, b) => (*compare, *a, *b, SHORT_TIME),
            Test::Number(compare, a, b) | Test::Quantity(compare, a, b, _) => {
                (*compare, ordered(*a), ordered(*b), SHORT_NUMBER)
            }
            Test::Every(all) => return all.iter().filter_map(Ends::of).reduce(Ends::both),
            _ => return None,
        };
        let (last_from, last_to, first_to) = match compare {
            Compare::Eq => (Some(a), Some(b), None),
            Compare::Ne => (None, None, None),
            Compare::Gt | Compare::Sa => (Some(b), None, None),
            Compare::Lt => (None, None, Some(a)),
            Compare::Ge => (Some(a), None, None),
            Compare::Le => (None, None, Some(a.max(b))),
            Compare::Eb => (None, Some(a), None),
            Compare::Ap => (Some(a), None, Some(b)),
        };
        Some(Ends {
            last_from,
            last_to,
            first_to,
            short,
        })
    }

    fn both(self, other: Ends) -> Ends {
        let least = |a: Option<i64>, b: Option<i64>| a.into_iter().chain(b).min();
        Ends {
            last_from: self.last_from.max(other.last_from),
            last_to: least(self.last_to, other.last_to),
            first_to: least(self.first_to, other.first_to),
            short: self.short.max(other.short),
        }
    }

    /// Whether they are bounded on both sides.
    pub(super) fn is_between(&self) -> bool {
        self.last_from.is_some() && (self.last_to.is_some() || self.first_to.is_some())
    }

    /// Whether they are bounded at all.
    pub(super) fn is_bounded(&self) -> bool {
        self.last_from.is_some() || self.last_to.is_some() || self.first_to.is_some()
    }

    /// Where the index of last ends does not say where to stop: until which last end the short ones are to be read, and the long ones
    /// until which first end.
    pub(super) fn apart(&self) -> Option<(i64, i64)> {
        let first_to = self.first_to.filter(|_| self.last_to.is_none())?;
        Some((first_to.saturating_add(self.short), first_to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPARISONS: [Compare; 9] = [
        Compare::Eq,
        Compare::Ne,
        Compare::Gt,
        Compare::Lt,
        Compare::Ge,
        Compare::Le,
        Compare::Sa,
        Compare::Eb,
        Compare::Ap,
    ];

    fn admits(ends: &Ends, (first, last): (i64, i64)) -> bool {
        let within = ends.last_from.is_none_or(|from| last >= from)
            && ends.last_to.is_none_or(|to| last <= to)
            && ends.first_to.is_none_or(|to| first <= to);
        let is_long = (last >> 1) - (first >> 1) > 67_108_864;
        within
            && ends
                .apart()
                .is_none_or(|(short_to, _)| is_long || last <= short_to)
    }

    /// Ends around the bounds of the tests, and some far away.
    fn moments() -> Vec<i64> {
        let near = |around: i64| (-2..=2).map(move |off| around + off);
        let mut all: Vec<i64> = [0, 86_400_000, 1 << 26, 1 << 27, 1 << 28]
            .into_iter()
            .flat_map(near)
            .collect();
        all.extend([i64::MIN, i64::MIN / 2, -(1 << 40), 1 << 40, i64::MAX]);
        all
    }

    #[test]
    fn every_span_that_passes_is_within_the_bounds() {
        let moments = moments();
        for compare in COMPARISONS {
            for (a, b) in [(0, 0), (0, 86_399_999), (1 << 27, (1 << 27) + 999), (-5, 1 << 40)] {
                let ends = Ends::of(&Test::Date(compare, a, b)).unwrap();
                for first in &moments {
                    for last in moments.iter().filter(|last| *last >= first) {
                        if compare.passes((a, b), (*first, *last)) {
                            assert!(
                                admits(&ends, (*first, *last)),
                                "{compare:?} {a} {b}: {first} {last}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_must_pass_both_is_bounded_by_both() {
        let from = Test::Date(Compare::Ge, 10, 19);
        let to = Test::Date(Compare::Lt, 30, 39);
        let ends = Ends::of(&Test::Every(vec![from, to])).unwrap();
        assert!(ends.is_between());
        assert_eq!(ends.apart(), Some((30 + SHORT_TIME, 30)));
        assert_eq!(ends.last_from, Some(10));
        assert_eq!(Ends::of(&Test::Folded("a".into())), None);
    }
}
