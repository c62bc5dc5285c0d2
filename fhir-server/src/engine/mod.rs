//! The engine: [`Session`], the one door to the store.
//!
//! Invariant: `Session` is the only holder of the store. Policy, validation, indexing and audit cannot be skipped.

mod session;

pub use session::Session;
