//! Namespaces in scope (<https://www.w3.org/TR/xml-names/>).
//!
//! Invariant: at most [`MAX_DECLARATIONS`] are in scope at once, so that a look-up is cheap whatever is sent.

use std::borrow::Cow;

use super::reference::attribute_value;
use super::scan::Fault;
use super::tag::Attribute;
use crate::read::quoted;

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
    /// The same number for the same namespace, while both are in scope.
    pub(super) number: usize,
}

impl Bound {
    /// Declared by nobody.
    fn implied(namespace: Namespace) -> Self {
        Bound {
            namespace,
            depth: 0,
            number: usize::MAX,
        }
    }
}

struct Declaration<'a> {
    prefix: &'a str,
    uri: Cow<'a, str>,
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
    pub(super) fn declare(&mut self, attribute: &Attribute<'a>, depth: usize) -> Result<(), Fault> {
        let prefix = attribute.declared().unwrap_or_default();
        let uri = attribute_value(attribute.raw);
        let namespace = Namespace::of(&uri);
        let reserved = match prefix {
            "xml" => namespace != Namespace::Xml,
            "xmlns" => true,
            _ => namespace == Namespace::Xml || uri == XMLNS,
        };
        if reserved {
            let message = format!(
                "The namespace declaration {} is reserved",
                quoted(&attribute.shown())
            );
            return Err(Fault::new(attribute.start, message));
        }
        if !prefix.is_empty() && namespace == Namespace::None {
            let message = format!("{} must name a namespace", quoted(&attribute.shown()));
            return Err(Fault::new(attribute.start, message));
        }
        if self.declarations.len() >= MAX_DECLARATIONS {
            let message = format!("More than {MAX_DECLARATIONS} namespace declarations are in scope");
            return Err(Fault::limit(attribute.start, message));
        }
        let known = self
            .declarations
            .iter()
            .find(|d| d.uri == uri)
            .map(|d| d.bound.number);
        let number = known.unwrap_or(self.declarations.len());
        let bound = Bound {
            namespace,
            depth,
            number,
        };
        self.declarations.push(Declaration { prefix, uri, bound });
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
            return Some(Bound::implied(Namespace::Xml));
        }
        let found = self
            .declarations
            .iter()
            .rev()
            .find(|d| d.prefix == prefix)
            .map(|d| d.bound);
        match prefix {
            "" => Some(found.unwrap_or(Bound::implied(Namespace::None))),
            _ => found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::tag::attributes;

    fn declared(scope: &mut Scope<'static>, text: &'static str, depth: usize) -> Result<(), Fault> {
        let all = attributes(text, 0)?;
        all.iter().try_for_each(|a| scope.declare(a, depth))
    }

    #[test]
    fn declarations_hold_within_their_element() {
        let mut scope = Scope::default();
        let seen = |scope: &Scope<'_>, prefix| scope.resolve(prefix).map(|b| b.namespace);
        assert_eq!(seen(&scope, ""), Some(Namespace::None));
        declared(
            &mut scope,
            " xmlns='http://hl7.org/fhir' xmlns:f='http://hl7.org/fhi&#114;'",
            1,
        )
        .unwrap();
        declared(
            &mut scope,
            " xmlns='http://www.w3.org/1999/xhtml' xmlns:o='urn:o'",
            2,
        )
        .unwrap();
        assert_eq!(seen(&scope, ""), Some(Namespace::Xhtml));
        assert_eq!(seen(&scope, "o"), Some(Namespace::Other));
        scope.leave(1);
        assert_eq!(seen(&scope, ""), Some(Namespace::Fhir));
        assert_eq!(seen(&scope, "o"), None);
        assert_eq!(
            scope.resolve("f").unwrap().number,
            scope.resolve("").unwrap().number
        );
        assert_eq!(seen(&scope, "xml"), Some(Namespace::Xml));
    }

    #[test]
    fn what_namespaces_forbid_is_refused() {
        for bad in [
            " xmlns:a=''",
            " xmlns:xmlns='urn:a'",
            " xmlns:xml='urn:a'",
            " xmlns:a='http://www.w3.org/XML/1998/namespace'",
            " xmlns='http://www.w3.org/2000/xmlns/'",
        ] {
            assert!(declared(&mut Scope::default(), bad, 1).is_err(), "{bad}");
        }
        let mut scope = Scope::default();
        for _ in 0..MAX_DECLARATIONS {
            declared(&mut scope, " xmlns='urn:a'", 1).unwrap();
        }
        assert!(declared(&mut scope, " xmlns='urn:a'", 1).is_err());
    }
}
