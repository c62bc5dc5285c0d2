//! FHIR JSON, lossless (<https://hl7.org/fhir/R4/json.html>).
//!
//! ```
//! let patient = fhir_model::json::from_str(r#"{"resourceType":"Patient","active":true}"#)?;
//! assert_eq!(fhir_model::json::to_string(&patient), r#"{"resourceType":"Patient","active":true}"#);
//! # Ok::<(), fhir_model::read::ReadError>(())
//! ```

mod layout;
mod lexer;
mod reader;
mod serde;
mod trace;
mod tree;
mod writer;

pub use self::serde::Json;
pub use layout::{compact, pretty};
pub use trace::{Link, LinkKind, MetaSpan, ResourceSpan, Trace};
pub use tree::{Text, Tree};
pub use writer::{to_string, to_vec, to_vec_of, write, write_selected};

use std::fmt;

use crate::read::{Partial, Read, ReadError, ReadOptions};
use crate::reflect::Complex;
use crate::resource::Resource;

/// Reads a resource, strictly, with the default limits.
///
/// # Errors
/// Every problem found, each with its path, line and column.
pub fn from_slice(json: &[u8]) -> Result<Resource, ReadError> {
    read(json, &ReadOptions::default()).map(|r| r.value)
}

/// Reads a resource, strictly, with the default limits.
///
/// # Errors
/// Every problem found, each with its path, line and column.
pub fn from_str(json: &str) -> Result<Resource, ReadError> {
    from_slice(json.as_bytes())
}

/// Reads a resource with options.
///
/// # Errors
/// Every problem found, each with its path, line and column.
pub fn read(json: &[u8], options: &ReadOptions) -> Result<Read<Resource>, ReadError> {
    read_partial(json, options).whole()
}

/// Reads what can be read of a resource, and tells all that is wrong.
pub fn read_partial(json: &[u8], options: &ReadOptions) -> Partial<Resource> {
    reader::Reader::new(json, options).resource().0
}

/// Reads a resource and the places in its text that a server may change. Strict whatever the options say.
///
/// # Errors
/// Every problem found, each with its path, line and column.
pub fn read_traced(json: &[u8], options: &ReadOptions) -> Result<(Resource, Trace), ReadError> {
    let strict = ReadOptions {
        limits: options.limits.clone(),
        ..ReadOptions::default()
    };
    let (partial, trace) = reader::Reader::new(json, &strict).tracing().resource();
    partial.whole().map(|read| (read.value, trace))
}

/// Reads a datatype or backbone element, such as a `HumanName`, strictly.
///
/// # Errors
/// Every problem found, each with its path, line and column.
pub fn from_slice_as<T: Complex + Default>(json: &[u8]) -> Result<T, ReadError> {
    let mut value = T::default();
    reader::Reader::new(json, &ReadOptions::default()).complex_into(&mut value)?;
    Ok(value)
}

/// For `Debug` of the generated types.
#[doc(hidden)]
pub fn debug(value: &dyn Complex, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&String::from_utf8_lossy(&to_vec_of(value)))
}
