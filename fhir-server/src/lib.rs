//! A FHIR R4 REST server, as a library to embed and as a reference server.

pub mod config;
pub mod context;
pub mod engine;
pub mod error;
pub mod interaction;
pub mod policy;
pub mod store;

pub use config::Config;
