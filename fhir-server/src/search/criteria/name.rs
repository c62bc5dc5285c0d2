//! The name of a parameter, taken apart: links of a chain (<https://hl7.org/fhir/R4/search.html#chaining>), `_has`
//! (<https://hl7.org/fhir/R4/search.html#has>), code and modifier.

use super::Scope;
use super::expression::Expression;
use crate::error::{Error, ErrorCode, Result};

/// One step from resource to resource.
#[derive(Debug, PartialEq)]
pub(super) enum Link<'n> {
    /// `code.` or `code:Type.`: to the resources that a parameter refers to; in `_filter` those alone that pass a test.
    Forward {
        code: &'n str,
        resource_type: Option<&'n str>,
        only: Option<&'n Expression>,
    },
    /// `_has:Type:code:`: to the resources that refer here.
    Back { resource_type: &'n str, code: &'n str },
}

/// A whole name.
#[derive(Debug, PartialEq)]
pub(super) struct Name<'n> {
    pub(super) links: Vec<Link<'n>>,
    pub(super) code: &'n str,
    pub(super) modifier: Option<&'n str>,
}

impl<'n> Name<'n> {
    /// Takes a name apart, within the limits of links.
    pub(super) fn read(scope: &Scope<'_>, whole: &'n str) -> Result<Name<'n>> {
        let mut links = Vec::new();
        let mut rest = whole;
        loop {
            if let Some(back) = rest.strip_prefix("_has:") {
                let mut parts = back.splitn(3, ':');
                match (parts.next(), parts.next(), parts.next()) {
                    (Some(resource_type), Some(code), Some(after)) if !after.is_empty() => {
                        links.push(Link::Back { resource_type, code });
                        rest = after;
                    }
                    _ => return Err(unreadable(whole)),
                }
            } else if let Some((step, after)) = rest.split_once('.') {
                let (code, resource_type) = apart(step);
                links.push(Link::Forward {
                    code,
                    resource_type,
                    only: None,
                });
                rest = after;
            } else {
                break;
            }
            scope.check_links(&links, whole)?;
        }
        let (code, modifier) = apart(rest);
        if code.is_empty() {
            return Err(unreadable(whole));
        }
        Ok(Name {
            links,
            code,
            modifier,
        })
    }
}

/// Code, and what follows a colon.
pub(super) fn apart(step: &str) -> (&str, Option<&str>) {
    match step.split_once(':') {
        Some((code, after)) => (code, Some(after)),
        None => (step, None),
    }
}

fn unreadable(whole: &str) -> Error {
    let short: String = whole.chars().take(80).collect();
    let text = format!(
        "The parameter name {short:?} cannot be read: write code, code:modifier, link.code, link:Type.code, or \
         _has:Type:link:code."
    );
    Error::new(ErrorCode::Value, text).at(format!("http.{short}"))
}
