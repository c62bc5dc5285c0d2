//! [`Kept`]: answers that are the same for everybody until something about the server changes, made once.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;

/// Answers that are kept at most: one for each address by which the server is reached, and those are few.
const MOST: usize = 8;

/// Answers by what they depend on.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Vec<(String, Arc<Vec<u8>>)>>);

impl Kept {
    /// The answer for what it depends on; made where it is not kept.
    ///
    /// # Errors
    /// It could not be made.
    pub(crate) fn get_or_make(
        &self,
        of: &str,
        make: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<Arc<Vec<u8>>> {
        let find = |kept: &[(String, Arc<Vec<u8>>)]| {
            kept.iter()
                .find(|(known, _)| known == of)
                .map(|(_, answer)| answer.clone())
        };
        if let Some(answer) = find(&self.lock()) {
            return Ok(answer);
        }
        let answer = Arc::new(make()?);
        let mut kept = self.lock();
        if kept.len() >= MOST {
            kept.remove(0);
        }
        if find(&kept).is_none() {
            kept.push((of.to_owned(), answer.clone()));
        }
        Ok(answer)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(String, Arc<Vec<u8>>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_made_once_and_there_is_an_end_to_it() {
        let kept = Kept::default();
        let answer = |of: &str, text: &str| {
            let made = kept.get_or_make(of, || Ok(text.as_bytes().to_vec())).unwrap();
            String::from_utf8(made.to_vec()).unwrap()
        };
        assert_eq!(answer("a", "first"), "first");
        assert_eq!(answer("a", "second"), "first");
        for n in 0..MOST {
            answer(&n.to_string(), "other");
        }
        assert_eq!(answer("a", "third"), "third");
        assert!(kept.lock().len() <= MOST);
        let failed = kept.get_or_make("b", || Err(crate::error::Error::internal("no")));
        assert!(failed.is_err() && kept.get_or_make("b", || Ok(Vec::new())).is_ok());
    }
}
