//! Validation of what is written, told in the terms of the request.

use fhir_model::Binary;
use fhir_validate::{Breach, Validator};

use super::{Part, Settings};
use crate::error::{Error, ErrorCode, Issue, Result};

/// Checks a resource against the base definitions: 400 where its shape is wrong, 422 where it breaks a rule.
pub(super) fn check(validator: &Validator, settings: &Settings, part: &Part<'_>) -> Result<()> {
    check_binary(settings, part)?;
    let findings = validator.validate(part.resource);
    let Some(worst) = findings
        .iter()
        .map(|f| f.breach)
        .min_by_key(|b| *b == Breach::Rule)
    else {
        return Ok(());
    };
    let code = match worst {
        Breach::Shape => ErrorCode::Structure,
        Breach::Rule => ErrorCode::Unprocessable,
    };
    let root = part.resource.type_name();
    let issues = findings.into_iter().map(|finding| {
        let below = finding.expression.strip_prefix(root).unwrap_or_default();
        Issue::new(finding.message).at(format!("{}{below}", part.path))
    });
    Err(Error {
        code,
        issues: issues.collect(),
        cause: None,
    })
}

/// The content of a Binary has a limit of its own, in whatever form it comes.
fn check_binary(settings: &Settings, part: &Part<'_>) -> Result<()> {
    let data = part
        .resource
        .get::<Binary>()
        .and_then(|b| b.data.as_str())
        .unwrap_or_default();
    // Four characters of base64 carry three bytes; white space between them makes the count no smaller.
    if data.len() / 4 * 3 <= settings.binary_bytes {
        return Ok(());
    }
    let limit = settings.binary_bytes;
    let text = format!("The content of a Binary may have at most {limit} bytes.");
    Err(Error::new(ErrorCode::TooLarge, text).at(format!("{}.data", part.path)))
}
