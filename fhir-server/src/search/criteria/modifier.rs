//! [`Modifier`]: what follows the colon of a parameter's name (<https://hl7.org/fhir/R4/search.html#modifiers>).
//!
//! Invariant: a modifier that the parameter's type does not define is refused, never left aside.

use fhir_model::definitions::SearchParamType;

use super::Facet;
use crate::error::{Error, ErrorCode, Result};
use crate::store::ResourceType;

/// What follows the colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modifier {
    Missing,
    Exact,
    Contains,
    Not,
    Text,
    In,
    NotIn,
    Below,
    Above,
    OfType,
    Identifier,
    /// `:[type]`: the type of the resource referred to.
    Type(ResourceType),
}

impl Modifier {
    fn named(name: &str) -> Option<Modifier> {
        Some(match name {
            "missing" => Self::Missing,
            "exact" => Self::Exact,
            "contains" => Self::Contains,
            "not" => Self::Not,
            "text" => Self::Text,
            "in" => Self::In,
            "not-in" => Self::NotIn,
            "below" => Self::Below,
            "above" => Self::Above,
            "of-type" => Self::OfType,
            "identifier" => Self::Identifier,
            other => Self::Type(ResourceType::from_name(other)?),
        })
    }

    /// The modifier of that name, if a parameter of that kind takes it.
    pub(super) fn of(facet: &Facet<'_>, name: &str) -> Result<Modifier> {
        let modifier = Modifier::named(name).filter(|m| m.fits(facet.kind));
        let modifier =
            modifier.ok_or_else(|| refused(facet.code, facet.kind.code(), taken(facet.kind), name))?;
        match modifier {
            Modifier::OfType if !facet.is_of_identifiers() => {
                let text = format!(
                    "The parameter {} has values that are no identifiers, and :of-type is for identifiers alone: search by \
                     system|code.",
                    facet.code
                );
                Err(Error::new(ErrorCode::Value, text).at(format!("http.{}", facet.code)))
            }
            Modifier::Type(t) if !facet.targets.is_empty() && !facet.targets.contains(&t) => {
                let text = format!(
                    "The parameter {} never refers to {}: it refers to {}.",
                    facet.code,
                    t.name(),
                    facet.target_names()
                );
                Err(Error::new(ErrorCode::Value, text).at(format!("http.{}", facet.code)))
            }
            fits => Ok(fits),
        }
    }

    fn fits(self, kind: SearchParamType) -> bool {
        use SearchParamType as K;
        match self {
            Self::Missing => kind != K::Composite,
            Self::Exact | Self::Contains => kind == K::String,
            Self::Not | Self::In | Self::NotIn | Self::OfType => kind == K::Token,
            Self::Text => matches!(kind, K::Token | K::Reference),
            Self::Below | Self::Above => matches!(kind, K::Token | K::Uri),
            Self::Identifier | Self::Type(_) => kind == K::Reference,
        }
    }
}

/// The modifiers of a type of parameter, as a list to read.
fn taken(kind: SearchParamType) -> &'static str {
    use SearchParamType as K;
    match kind {
        K::String => ":missing, :exact and :contains",
        K::Token => ":missing, :text, :not, :in, :not-in, :above, :below and :of-type",
        K::Reference => ":missing, :identifier, :text and the name of a resource type",
        K::Uri => ":missing, :above and :below",
        K::Composite => "no modifier",
        K::Number | K::Date | K::Quantity | K::Special => ":missing alone",
    }
}

/// The error of a modifier that is not taken.
pub(super) fn refused(code: &str, kind: &str, taken: &str, name: &str) -> Error {
    let short: String = name.chars().take(40).collect();
    let text = format!("The parameter {code} is of type {kind} and takes {taken}, not \":{short}\".");
    Error::new(ErrorCode::Value, text).at(format!("http.{code}"))
}
