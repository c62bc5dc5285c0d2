//! FHIR XML, lossless (<https://hl7.org/fhir/R4/xml.html>).
//!
//! ```
//! let text = r#"<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>"#;
//! let patient = fhir_model::xml::from_str(text)?;
//! assert_eq!(fhir_model::json::to_string(&patient), r#"{"resourceType":"Patient","active":true}"#);
//! # Ok::<(), fhir_model::read::ReadError>(())
//! ```
//!
//! What may be sent is narrow on purpose: UTF-8, XML 1.0, no document type declaration, no entities but the five of
//! XML, the namespaces of FHIR and XHTML, elements in the order of the definition. Comments and processing
//! instructions are passed over, and a hint to a schema at the root is not followed.
//!
//! The narrative is carried as its source text, so it comes back from JSON or XML as it was. See [`to_string`] for what
//! cannot be written.

mod chars;
mod entities;
mod expected;
mod narrative;
mod path;
mod prolog;
mod read;
mod reference;
mod scan;
mod scope;
mod tag;
mod tree;
mod write;

pub use tree::{Attribute, Declaration, Element, Name, Node};
pub use write::{Layout, WriteError, to_string, to_string_pretty, to_vec, write_selected};

use crate::read::{Limits, Partial, Read, ReadError, ReadOptions};
use crate::resource::Resource;

/// Reads a resource, strictly, with the default limits.
///
/// # Errors
/// Every problem found, each with its path, line and column.
pub fn from_slice(xml: &[u8]) -> Result<Resource, ReadError> {
    read(xml, &ReadOptions::default()).map(|r| r.value)
}

/// Reads a resource, strictly, with the default limits.
///
/// # Errors
/// Every problem found, each with its path, line and column.
pub fn from_str(xml: &str) -> Result<Resource, ReadError> {
    from_slice(xml.as_bytes())
}

/// Reads a resource with options.
///
/// # Errors
/// Every problem found, each with its path, line and column.
pub fn read(xml: &[u8], options: &ReadOptions) -> Result<Read<Resource>, ReadError> {
    read_partial(xml, options).whole()
}

/// Reads what can be read of a resource, and tells all that is wrong.
pub fn read_partial(xml: &[u8], options: &ReadOptions) -> Partial<Resource> {
    read::read(xml, options)
}

/// Reads any document, within the limits of bytes, depth and elements.
///
/// # Errors
/// It is not well formed, holds what is refused, or is beyond a limit.
pub fn read_tree(xml: &[u8], limits: &Limits) -> Result<Element, ReadError> {
    tree::read(xml, limits)
}
