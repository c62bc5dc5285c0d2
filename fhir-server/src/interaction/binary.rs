//! Binary between its two forms: content in its own media type, and the resource (<https://hl7.org/fhir/R4/binary.html>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fhir_model::{Binary, Reference, Resource, json};

use super::RequestBody;
use crate::engine::Settings;
use crate::error::{Error, ErrorCode, Result};

/// The content of a Binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The reference that governs access to it.
    pub security_context: Option<String>,
}

/// The content of a Binary resource, such as a read gives it.
///
/// # Errors
/// Its data is not base64; that of what the server stored always is.
pub fn content(binary: &Binary) -> Result<Content> {
    // White space may stand anywhere in base64Binary.
    let mut data = binary.data.as_str().unwrap_or_default().to_owned();
    data.retain(|c| !c.is_ascii_whitespace());
    let bytes = STANDARD.decode(data).map_err(Error::internal)?;
    let content_type = binary.content_type.as_str().unwrap_or_default().to_owned();
    let context = binary
        .security_context
        .as_ref()
        .and_then(|r| r.reference.as_str());
    Ok(Content {
        content_type,
        bytes,
        security_context: context.map(str::to_owned),
    })
}

/// The Binary in FHIR JSON for content in its own media type, under the id of the URL if it has one.
pub(super) fn of_native(body: &RequestBody, id: Option<&str>, settings: &Settings) -> Result<Vec<u8>> {
    let RequestBody::Native {
        content_type,
        content,
        security_context,
    } = body
    else {
        return Err(Error::internal("not content in a media type of its own"));
    };
    if content.len() > settings.binary_bytes {
        let text = format!(
            "The content has {} bytes; a Binary may have {}.",
            content.len(),
            settings.binary_bytes
        );
        return Err(Error::new(ErrorCode::TooLarge, text));
    }
    if content.is_empty() {
        return Err(Error::new(
            ErrorCode::Required,
            "The request has no content: a Binary needs some.",
        ));
    }
    let mut binary = Binary {
        content_type: content_type.as_str().into(),
        ..Binary::default()
    };
    binary.data = STANDARD.encode(content).into();
    if let Some(id) = id {
        binary.id = id.into();
    }
    if let Some(reference) = security_context {
        let reference = Reference {
            reference: reference.as_str().into(),
            ..Reference::default()
        };
        binary.security_context = Some(Box::new(reference));
    }
    Ok(json::to_vec(&Resource::from(binary)))
}
