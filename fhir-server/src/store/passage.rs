//! [`Passage`]: words of a resource beside each other, for full-text search.

use sha2::{Digest, Sha256};

/// What stands between the words of two values: it is in no word, and takes a place, so that no phrase goes over it.
pub const GAP: &str = "\u{E000}";
/// Words of a phrase that is searched for at most: passages of one text overlap by one less.
pub const MAX_PHRASE: usize = 32;

/// A part of a resource's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Its narrative.
    Narrative = 0,
    /// All else.
    Rest = 1,
}

impl Section {
    /// Its number in rows.
    pub(crate) fn number(self) -> i16 {
        self as i16
    }
}

/// Words of a resource beside each other: at most 8,000, of which none stands there more than 255 times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    section: Section,
    part: i32,
    words: String,
    digest: [u8; 16],
}

impl Passage {
    /// A passage of those words with single spaces between, each of letters and digits alone, or [`GAP`].
    pub fn new(section: Section, part: i32, words: String) -> Self {
        let whole: [u8; 32] = Sha256::digest(words.as_bytes()).into();
        let mut digest = [0; 16];
        digest.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
        Passage {
            section,
            part,
            words,
            digest,
        }
    }

    /// Where its words are from.
    pub fn section(&self) -> Section {
        self.section
    }

    /// Its words, with single spaces between.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Which of its section's it is, from 0.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn part(&self) -> i32 {
        self.part
    }

    /// What tells its words from others.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn digest(&self) -> [u8; 16] {
        self.digest
    }

    /// Whether those words stand in it, in their order and beside each other.
    pub(crate) fn has(&self, phrase: &[String]) -> bool {
        let words: Vec<&str> = self.words.split(' ').collect();
        words.windows(phrase.len().max(1)).any(|window| window == phrase)
    }
}
