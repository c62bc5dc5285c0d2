//! The operations of the terminology service, as functions of their Parameters
//! (<https://hl7.org/fhir/R4/terminology-service.html>).
//!
//! Each takes a [`Request`] and the `Parameters` of the operation as the specification names them, and gives its answer or
//! a [`Refusal`]. Resources that come with the request as `tx-resource` are held for it alone.
//!
//! Invariant: an answer depends on the request and the library, on nothing else; the clock is the caller's.

mod answer;
mod batch;
mod check;
mod concepts;
mod expand;
mod input;
mod lookup;
mod members;
mod provenance;
mod subsumes;
mod translate;
mod validate;

use std::sync::Arc;

use fhir_model::DateTime;

pub use batch::batch_validate_code;
pub use expand::expand;
pub use lookup::lookup;
pub use subsumes::subsumes;
pub use translate::translate;
pub use validate::{code_system_validate_code, validate_code};

use super::issue::Refusal;
use super::library::Library;

/// What an operation acts on.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What is held.
    pub library: Arc<Library>,
    /// The time of the request, which an expansion states.
    pub now: DateTime,
    /// The `Accept-Language` header, where there is one and `displayLanguage` is not given.
    pub accept_language: Option<&'a str>,
}

/// The library with the request's own resources laid over it.
fn with_own_resources(library: &Arc<Library>, input: &input::Input<'_>) -> Result<Arc<Library>, Refusal> {
    let mut own = input.resources("tx-resource").peekable();
    if own.peek().is_none() {
        return Ok(Arc::clone(library));
    }
    let layer = Library::over(Arc::clone(library));
    for resource in own {
        layer
            .add(resource.clone())
            .map_err(|error| Refusal::invalid(format!("tx-resource: {error}")))?;
    }
    Ok(Arc::new(layer))
}

/// The library with the request's `codeSystem` laid over it, and the URL of that.
fn with_own_code_system<'a>(
    library: Arc<Library>,
    input: &input::Input<'a>,
) -> Result<(Arc<Library>, Option<&'a str>), Refusal> {
    let Some(own) = input.code_system("codeSystem") else {
        return Ok((library, None));
    };
    let layer = Library::over(library);
    let added = layer.add(own.clone().into());
    added.map_err(|error| Refusal::invalid(format!("codeSystem: {error}")))?;
    Ok((Arc::new(layer), own.url.as_str()))
}
