//! Bounds on the work and memory of one evaluation.
//!
//! Invariant: every loop over data calls [`Meter::step`] or [`Meter::charge`], every growing result
//! [`Meter::items`] or [`Meter::bytes`], so an evaluation ends whatever the expression and the data are.

use super::error::Error;

/// The longest expression that is compiled, in bytes.
pub const MAX_LENGTH: usize = 64 * 1024;
/// How deeply parentheses, arguments and indexers may nest.
pub const MAX_NESTING: usize = 64;

/// What one evaluation may use. Reaching a limit is [`Error::Limit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps: items visited, functions and operators run, items compared.
    pub steps: u64,
    /// Items in one collection.
    pub items: usize,
    /// Bytes of text and collections built during the evaluation, freed or not.
    pub memory: usize,
    /// Nested evaluations (an argument within an argument).
    pub depth: usize,
}

impl Default for Limits {
    /// A million steps, 250,000 items in a collection, 64 MiB, depth 128.
    fn default() -> Self {
        Limits {
            steps: 1_000_000,
            items: 250_000,
            memory: 64 * 1024 * 1024,
            depth: 128,
        }
    }
}

/// Counts what an evaluation has used.
pub(super) struct Meter<'a> {
    limits: &'a Limits,
    steps: u64,
    memory: usize,
    depth: usize,
}

impl<'a> Meter<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Meter {
            limits,
            steps: 0,
            memory: 0,
            depth: 0,
        }
    }

    /// Counts one step.
    pub(super) fn step(&mut self) -> Result<(), Error> {
        self.charge(1)
    }

    /// Counts that many steps.
    pub(super) fn charge(&mut self, steps: usize) -> Result<(), Error> {
        self.steps = self.steps.saturating_add(steps as u64);
        if self.steps > self.limits.steps {
            return Err(Error::limit(format!(
                "the evaluation took more than {} steps; narrow the path or raise the limit",
                self.limits.steps
            )));
        }
        Ok(())
    }

    /// Accepts a collection that has grown to that many items.
    pub(super) fn items(&mut self, count: usize) -> Result<(), Error> {
        if count > self.limits.items {
            return Err(Error::limit(format!(
                "a collection grew past {} items; narrow the path or raise the limit",
                self.limits.items
            )));
        }
        Ok(())
    }

    /// Counts bytes of text built.
    pub(super) fn bytes(&mut self, bytes: usize) -> Result<(), Error> {
        self.memory = self.memory.saturating_add(bytes);
        if self.memory > self.limits.memory {
            return Err(Error::limit(format!(
                "the evaluation built more than {} bytes; narrow the expression or raise the limit",
                self.limits.memory
            )));
        }
        Ok(())
    }

    /// Enters a nested evaluation; [`Meter::leave`] must follow.
    pub(super) fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(Error::limit(format!(
                "the evaluation nested more than {} deep; simplify the expression or raise the limit",
                self.limits.depth
            )));
        }
        Ok(())
    }

    /// Leaves a nested evaluation.
    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}
