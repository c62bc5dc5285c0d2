//! A FHIR R4 REST server, as a library to embed and as a reference server.
//!
//! [`FhirServer`] answers FHIR over a [`Store`](store::Store) under a [`Policy`](policy::Policy), inside an actix service of
//! your own or by itself.
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `sqlite` | yes | the SQLite back end of [`store::open`] |
//! | `postgres` | yes | the PostgreSQL back end of [`store::open`]: no libpq, TLS by rustls |
//! | `docs` | yes | the OpenAPI document at `/openapi.json`, and `/docs`, a page that shows it and tries requests |
//! | `authority` | yes | a development authority at `/auth`, which gives access tokens to the people of the sandbox |
//! | `tls` | yes | TLS on the main listener, by rustls |
//! | `outbound` | yes | fetching the keys of issuers over https |
//! | `cli` | yes | what the binary needs; a service that embeds the server does without |

pub mod audit;
#[cfg(feature = "authority")]
pub mod authority;
pub mod catalogue;
pub mod config;
pub mod context;
pub mod engine;
pub mod error;
mod graphql;
mod http;
pub mod interaction;
#[cfg(feature = "docs")]
pub mod openapi;
pub mod operation;
#[cfg(feature = "outbound")]
mod outbound;
mod patch;
pub mod policy;
mod random;
mod sandbox;
pub mod scopes;
pub mod search;
mod secret_file;
pub mod server;
pub mod store;
mod suggest;
mod token;

pub use config::Config;
pub use context::Context;
pub use error::Error;
pub use server::{FhirServer, FhirServerBuilder};
