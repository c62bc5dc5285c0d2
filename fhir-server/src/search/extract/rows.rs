//! [`Rows`]: where the rows of a resource are collected, within a limit.

use jiff::tz::TimeZone;

use super::Surroundings;
use crate::search::text;
use crate::store::{Aspect, IndexRow, IndexValue, ParameterNumber};

/// Rows of one resource at most.
pub(super) const MAX_ROWS: usize = 200_000;

/// There would be more than [`MAX_ROWS`].
#[derive(Clone, Copy, Debug)]
pub(super) struct TooMany;

/// Collects rows.
pub(super) struct Rows<'s> {
    around: &'s Surroundings<'s>,
    rows: Vec<IndexRow>,
    parameter: ParameterNumber,
    group: i32,
    system: Option<&'static str>,
}

impl<'s> Rows<'s> {
    pub(super) fn new(around: &'s Surroundings<'s>) -> Self {
        Rows {
            around,
            rows: Vec::with_capacity(64),
            parameter: ParameterNumber(0),
            group: 0,
            system: None,
        }
    }

    /// What comes next, where it is of type `code`, is from that system.
    pub(super) fn imply(&mut self, system: Option<&'static str>) {
        self.system = system;
    }

    /// The system of elements of type `code`.
    pub(super) fn implied(&self) -> Option<&'static str> {
        self.system
    }

    /// What comes next are values of that parameter.
    pub(super) fn begin(&mut self, parameter: ParameterNumber, group: i32) {
        (self.parameter, self.group) = (parameter, group);
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.rows.truncate(len);
    }

    pub(super) fn into_rows(self) -> Vec<IndexRow> {
        self.rows
    }

    pub(super) fn zone(&self) -> &'s TimeZone {
        self.around.zone
    }

    pub(super) fn bases(&self) -> &'s [String] {
        self.around.bases
    }

    pub(super) fn push(&mut self, value: IndexValue) -> Result<(), TooMany> {
        self.push_aspect(Aspect::Value, value)
    }

    /// A part of a composite has its values alone and, of a quantity, these in base units: what else is asked of a parameter cannot be
    /// asked of a part.
    pub(super) fn push_aspect(&mut self, aspect: Aspect, value: IndexValue) -> Result<(), TooMany> {
        let is_part = self.group != 0;
        if is_part && !matches!(aspect, Aspect::Value | Aspect::Canonical) {
            return Ok(());
        }
        if self.rows.len() >= MAX_ROWS {
            return Err(TooMany);
        }
        self.rows.push(IndexRow {
            parameter: self.parameter.of(aspect),
            group: self.group,
            value,
        });
        Ok(())
    }

    /// A row of the words in place of a code, for `:text`.
    pub(super) fn push_words(&mut self, words: Option<&str>) -> Result<(), TooMany> {
        let Some(words) = words.filter(|_| self.group == 0) else {
            return Ok(());
        };
        let value = IndexValue::String {
            folded: text::fold(words),
            exact: String::new(),
        };
        self.push_aspect(Aspect::Text, value)
    }
}
