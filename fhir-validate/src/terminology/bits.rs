//! A set of the concepts of one code system, a bit for each.

/// Which of a code system's concepts are in, by their index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: u32,
}

impl Bits {
    /// None of that many.
    pub(super) fn none(len: u32) -> Self {
        Bits {
            words: vec![0; len.div_ceil(64) as usize],
            len,
        }
    }

    /// Those for which the question is answered with yes.
    pub(super) fn of(len: u32, mut is_in: impl FnMut(u32) -> bool) -> Self {
        let mut bits = Bits::none(len);
        (0..len).filter(|i| is_in(*i)).for_each(|i| {
            bits.add(i);
        });
        bits
    }

    /// Puts one in; says whether it was out.
    pub(super) fn add(&mut self, index: u32) -> bool {
        let mask = 1u64 << (index % 64);
        match self.words.get_mut(index as usize / 64) {
            Some(word) if index < self.len => {
                let new = *word & mask == 0;
                *word |= mask;
                new
            }
            _ => false,
        }
    }

    /// Whether that one is in.
    pub(super) fn has(&self, index: u32) -> bool {
        let word = self.words.get(index as usize / 64);
        word.is_some_and(|w| w & (1u64 << (index % 64)) != 0)
    }

    /// Keeps what is in both.
    pub(super) fn intersect(&mut self, other: &Bits) {
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine &= theirs;
        }
    }

    /// What is out.
    pub(super) fn complement(&self) -> Bits {
        let mut bits = Bits {
            words: self.words.iter().map(|w| !w).collect(),
            len: self.len,
        };
        // What lies beyond the last concept stays out.
        if let Some(last) = bits.words.last_mut().filter(|_| !self.len.is_multiple_of(64)) {
            *last &= (1u64 << (self.len % 64)) - 1;
        }
        bits
    }

    /// Those that are in, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.len).filter(|i| self.has(*i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_intersected_and_turned_over() {
        let mut even = Bits::of(130, |i| i % 2 == 0);
        let high = Bits::of(130, |i| i >= 120);
        assert_eq!(high.complement().iter().count(), 120);
        even.intersect(&high);
        assert_eq!(even.iter().collect::<Vec<_>>(), [120, 122, 124, 126, 128]);
        assert!(high.has(129) && !high.has(130));
        let mut high = high;
        assert!(!high.add(130) && !high.add(129) && high.add(0));
    }
}
