//! The tasks themselves, as a library so that tests run them too.

use std::path::PathBuf;

pub mod codegen;
pub mod configuration;
pub mod definitions;
pub mod dictionary;
pub mod openapi;
pub mod tidy;

/// Errors are messages for the person at the terminal.
pub type Result<T> = std::result::Result<T, String>;

/// The folder of the workspace.
pub fn workspace_root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// Adds what was being done to an error.
trait Context<T> {
    fn context(self, doing: impl std::fmt::Display) -> Result<T>;
}

impl<T, E: std::fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl std::fmt::Display) -> Result<T> {
        self.map_err(|e| format!("{doing}: {e}"))
    }
}
