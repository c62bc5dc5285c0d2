//! [`Dice`]: numbers that look random and follow from a seed.

/// A sequence of numbers.
pub(crate) struct Dice(u64);

impl Dice {
    /// The sequence of that place among those of the seed.
    pub(crate) fn new(seed: u64, place: u64) -> Self {
        let mut dice = Dice(seed ^ place.wrapping_mul(0xd6e8_feb8_6659_fd93));
        dice.next();
        dice
    }

    /// The next 64 bits (splitmix64).
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Less than `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One of those.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// A random UUID.
    pub(crate) fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(uuid::Uuid::from_u64_pair(self.next(), self.next()).into_bytes())
            .into_uuid()
            .to_string()
    }
}
