//! Namespaces in scope (<https://www.w3.org/TR/xml-names/>).
//!
//! Invariant: at most [`MAX_DECLARATIONS`] are in scope at once, so that a look-up is cheap whatever is sent.

use super::chars::is_name;
use super::reference::attribute_value;
use super::tag::Attribute;

/// The namespace of FHIR's elements.
pub(super) const FHIR: &str = "http://hl7.org/fhir";
/// The namespace of the narrative.
pub(super) const XHTML: &str = "http://www.w3.org/1999/xhtml";
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// How many declarations may be in scope.
const MAX_DECLARATIONS: usize = 64;

/// A namespace, as far as FHIR tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    /// `http://hl7.org/fhir`
    Fhir,
    /// `http://www.w3.org/1999/xhtml`
    Xhtml,
    /// The namespace of `xsi:schemaLocation`.
    SchemaInstance,
    /// The namespace of `xml:lang`, always bound to the prefix `xml`.
    Xml,
    /// Any other.
    Other,
    /// No namespace at all.
    None,
}

impl Namespace {
    fn of(uri: &str) -> Self {
        match uri {
            FHIR => Self::Fhir,
            XHTML => Self::Xhtml,
            SCHEMA_INSTANCE => Self::SchemaInstance,
            XML => Self::Xml,
            "" => Self::None,
            _ => Self::Other,
        }
    }
}

/// A namespace and the depth of the element that declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) namespace: Namespace,
    /// 0 where nothing declares it (`xml`, and the absence of a default).
    pub(super) depth: usize,
}

struct Declaration<'a> {
    prefix: &'a str,
    bound: Bound,
}

/// The declarations in scope, innermost last.
#[derive(Default)]
pub(super) struct Scope<'a> {
    declarations: Vec<Declaration<'a>>,
}

impl<'a> Scope<'a> {
    /// Takes in a declaration (`xmlns` or `xmlns:…`) of the element at that depth.
    ///
    /// # Errors
    /// Namespaces in XML forbids it, or too many are in scope.
    pub(super) fn declare(&mut self, attribute: &Attribute<'a>, depth: usize) -> Result<(), String> {
        let prefix = attribute.declared().unwrap_or_default();
        let namespace = Namespace::of(&attribute_value(attribute.raw));
        let reserved = match prefix {
            "xml" => namespace != Namespace::Xml,
            "xmlns" => true,
            _ => namespace == Namespace::Xml || attribute.raw == XMLNS,
        };
        if reserved {
            return Err(format!(
                "the namespace declaration of {} is reserved",
                attribute.shown()
            ));
        }
        if !prefix.is_empty() && (namespace == Namespace::None || !is_name(prefix)) {
            return Err(format!(
                "{} does not declare a prefix for a namespace",
                attribute.shown()
            ));
        }
        if self.declarations.len() >= MAX_DECLARATIONS {
            return Err(format!(
                "more than {MAX_DECLARATIONS} namespace declarations are in scope"
            ));
        }
        self.declarations.push(Declaration {
            prefix,
            bound: Bound { namespace, depth },
        });
        Ok(())
    }

    /// Forgets what elements deeper than `depth` declared.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.declarations.last().is_some_and(|d| d.bound.depth > depth) {
            self.declarations.pop();
        }
    }

    /// What a prefix stands for; the empty one is the default namespace.
    pub(super) fn resolve(&self, prefix: &str) -> Option<Bound> {
        if prefix == "xml" {
            return Some(Bound {
                namespace: Namespace::Xml,
                depth: 0,
            });
        }
        let found = self
            .declarations
            .iter()
            .rev()
            .find(|d| d.prefix == prefix)
            .map(|d| d.bound);
        match prefix {
            "" => Some(found.unwrap_or(Bound {
                namespace: Namespace::None,
                depth: 0,
            })),
            _ => found,
        }
    }
}
