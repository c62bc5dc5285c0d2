//! [`Problems`]: what is wrong with the entries of a Bundle, told together.

use crate::error::{Error, ErrorCode, Result};

/// Problems of several entries, told together where the client can mend them together.
#[derive(Default)]
pub(super) struct Problems(Option<Error>);

impl Problems {
    /// The problems kept at most.
    const MAX: usize = 100;

    /// The value; or nothing, where the problem was noted. What is no fault of the Bundle's content fails at once.
    pub(super) fn note<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        let error = match result {
            Ok(value) => return Ok(Some(value)),
            Err(error) => error,
        };
        use ErrorCode::{Invalid, NotSupported, Required, Structure, Unprocessable, Value};
        if !matches!(
            error.code,
            Structure | Value | Required | Invalid | Unprocessable | NotSupported
        ) {
            return Err(error);
        }
        match &mut self.0 {
            None => self.0 = Some(error),
            Some(first) => first.issues.extend(error.issues),
        }
        match self.0.as_ref().map_or(0, |first| first.issues.len()) {
            0..Self::MAX => Ok(None),
            _ => self.0.take().map_or(Ok(None), Err),
        }
    }

    pub(super) fn result(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
