//! The memory of one reading, counted by the sizes of what is built, before it is built where that can be known.
//!
//! Limits of bytes and elements do not bound it: eleven bytes of text can be an item of more than a kilobyte.
//!
//! Invariant: at most [`Limits::expansion`] bytes for each byte of the text, and [`ALLOWANCE`] on top.

use super::Limits;

/// What any text may take, however short: the widest resource, and a few items of its lists.
const ALLOWANCE: usize = 64 * 1024;
/// What an allocation costs beside its content.
const OVERHEAD: usize = 16;
/// Strings up to this length stay in place.
const IN_PLACE: usize = 24;

/// The budget is used up.
#[derive(Debug)]
pub(crate) struct Exhausted;

/// What is left of the memory that one reading may take.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
    whole: usize,
    expansion: usize,
}

impl Budget {
    /// For a text of that many bytes.
    pub(crate) fn new(limits: &Limits, text: usize) -> Self {
        let whole = limits.expansion.saturating_mul(text).saturating_add(ALLOWANCE);
        Budget {
            left: whole,
            whole,
            expansion: limits.expansion,
        }
    }

    /// Bytes taken so far.
    #[cfg(test)]
    pub(crate) fn taken(&self) -> usize {
        self.whole - self.left
    }

    /// What to say where it is exhausted.
    pub(crate) fn message(&self) -> String {
        format!(
            "The elements of this text would take more than {} bytes of memory ({} for each byte of text): send fewer, or in parts",
            self.whole, self.expansion
        )
    }

    fn take(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.left = self.left.checked_sub(bytes).ok_or(Exhausted)?;
        Ok(())
    }

    /// A value of that size on the heap.
    pub(crate) fn boxed(&mut self, size: usize) -> Result<(), Exhausted> {
        self.take(size.saturating_add(OVERHEAD))
    }

    /// The text of a primitive.
    pub(crate) fn text(&mut self, length: usize) -> Result<(), Exhausted> {
        if length > IN_PLACE {
            self.boxed(length)
        } else {
            Ok(())
        }
    }

    /// The item with that index, of that size, in a list that grows as `Vec` does: to four items, then to twice as many
    /// whenever it is full (one at a time where they are wider than a kilobyte, to begin with).
    pub(crate) fn item(&mut self, index: usize, size: usize) -> Result<(), Exhausted> {
        let first: usize = if size > 1024 { 1 } else { 4 };
        if index == 0 {
            self.boxed(size.saturating_mul(first))
        } else if index >= first && index.is_power_of_two() {
            self.take(size.saturating_mul(index))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(text: usize) -> Budget {
        let limits = Limits {
            expansion: 10,
            ..Limits::default()
        };
        Budget::new(&limits, text)
    }

    #[test]
    fn a_list_is_charged_as_it_grows() {
        for (size, wide) in [(100, false), (1025, true)] {
            let mut list: Vec<u8> = Vec::new();
            let mut budget = budget(1 << 20);
            for index in 0..100usize {
                budget.item(index, size).unwrap();
                list.push(0);
                let least = (index + 1).next_power_of_two().max(if wide { 1 } else { 4 });
                assert_eq!(budget.taken(), least * size + OVERHEAD, "{index}");
            }
        }
    }

    #[test]
    fn short_texts_are_free_and_the_end_is_told() {
        let mut budget = budget(0);
        budget.text(IN_PLACE).unwrap();
        assert_eq!(budget.taken(), 0);
        budget.text(ALLOWANCE - OVERHEAD).unwrap();
        assert_eq!(budget.left, 0);
        budget.boxed(0).unwrap_err();
        assert!(budget.message().contains("65536"), "{}", budget.message());
    }
}
