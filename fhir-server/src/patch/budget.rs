//! [`Bounds`] and [`Budget`]: what one patch may take.
//!
//! Invariant: whatever copies, compares or reads data spends from the budget first.

use fhir_model::read::Limits;

use crate::engine::Settings;
use crate::error::{Error, ErrorCode, Result};

/// Operations in one patch at most.
pub(super) const MAX_OPERATIONS: usize = 1000;
/// Work of one patch, in bytes touched: a second or two.
const WORK: usize = 1 << 30;
/// How much larger than the largest body a document may grow meanwhile.
const GROWTH: usize = 4;

/// What a document and its patch may be.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    /// Bytes of a text.
    pub(super) bytes: usize,
    /// Levels of objects and arrays, or of elements.
    pub(super) depth: usize,
}

impl Bounds {
    /// By the limits of bodies; a Binary may be larger than other resources.
    pub(super) fn new(settings: &Settings) -> Self {
        let binary = settings.binary_bytes.saturating_mul(4) / 3 + 4096;
        Bounds {
            bytes: settings.body_bytes.max(binary),
            depth: settings.depth,
        }
    }

    /// The same for a reader. A stored resource has more than was sent: its stamp.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            bytes: self.bytes.saturating_add(1024),
            depth: self.depth,
            ..Limits::default()
        }
    }

    /// Refuses a patch with too many operations.
    pub(super) fn check_count(&self, operations: usize) -> Result<()> {
        if operations <= MAX_OPERATIONS {
            return Ok(());
        }
        let text = format!(
            "The patch has {operations} operations; at most {MAX_OPERATIONS} are taken: send several."
        );
        Err(Error::new(ErrorCode::TooLarge, text))
    }
}

/// What is left to spend.
#[derive(Debug)]
pub(super) struct Budget {
    work: usize,
    growth: usize,
}

/// The budget is used up; what to tell.
#[derive(Debug)]
pub(super) struct Exhausted;

impl Exhausted {
    /// What to tell.
    pub(super) const MESSAGE: &'static str = "the patch takes more work or memory than one may: send several";
}

impl Budget {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Budget {
            work: WORK,
            growth: bounds.bytes.saturating_mul(GROWTH),
        }
    }

    /// Before touching that many bytes.
    pub(super) fn work(&mut self, bytes: usize) -> std::result::Result<(), Exhausted> {
        self.work = self.work.checked_sub(bytes).ok_or(Exhausted)?;
        Ok(())
    }

    /// Before the document grows by that many bytes of memory.
    pub(super) fn grow(&mut self, bytes: usize) -> std::result::Result<(), Exhausted> {
        self.work(bytes)?;
        self.growth = self.growth.checked_sub(bytes).ok_or(Exhausted)?;
        Ok(())
    }
}
