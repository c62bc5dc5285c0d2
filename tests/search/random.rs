//! Choices that a seed repeats.

/// The seed that is asked for by `FHIR_TEST_SEED`, or the usual one.
pub(crate) fn seed() -> u64 {
    let asked = std::env::var("FHIR_TEST_SEED").ok();
    asked.and_then(|seed| seed.parse().ok()).unwrap_or(20_261_126)
}

/// Whether the full number of rounds is asked for.
pub(crate) fn is_long() -> bool {
    std::env::var_os("FHIR_TEST_LONG").is_some()
}

/// SplitMix64.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below that one; 0 below 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    /// From one number up to and with another.
    pub(crate) fn within(&mut self, first: i64, last: i64) -> i64 {
        first + i64::try_from(self.below(usize::try_from(last - first + 1).unwrap())).unwrap()
    }

    /// True so many times in a hundred.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.below(from.len());
        from.get(at).expect("something to choose from")
    }

    /// One of them as owned text.
    pub(crate) fn text(&mut self, from: &[&str]) -> String {
        (*self.pick(from)).to_owned()
    }
}
