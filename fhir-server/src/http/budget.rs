//! The memory that request bodies may hold together, so that many large ones at once are refused, not swapped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, ErrorCode, Result};

/// The bytes that are left for bodies.
#[derive(Clone, Debug)]
pub(crate) struct BodyBudget(Arc<AtomicUsize>);

/// Bytes taken from the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct Taken {
    budget: BodyBudget,
    bytes: usize,
}

impl BodyBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        BodyBudget(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Nothing taken yet.
    pub(crate) fn open(&self) -> Taken {
        Taken {
            budget: self.clone(),
            bytes: 0,
        }
    }
}

impl Taken {
    /// Takes so many bytes more.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`]: other requests hold them.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<()> {
        let left = &self.budget.0;
        left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
            left.checked_sub(bytes)
        })
        .map_err(|_| {
            Error::new(
                ErrorCode::Unavailable,
                "The server holds too many large requests at the moment; try again.",
            )
        })?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_comes_back() {
        let budget = BodyBudget::new(100);
        let mut first = budget.open();
        first.grow(60).unwrap();
        let mut second = budget.open();
        assert_eq!(second.grow(50).unwrap_err().code, ErrorCode::Unavailable);
        second.grow(40).unwrap();
        drop(first);
        second.grow(60).unwrap();
        assert!(second.grow(1).is_err());
    }
}
