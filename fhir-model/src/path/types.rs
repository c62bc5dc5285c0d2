//! The types that `is`, `as` and `ofType` know: those of FHIR, looked up first, and those of System
//! (<https://hl7.org/fhirpath/N1/#models>).

use crate::reflect::{Node, PrimitiveType, TypeInfo};

/// A type of FHIRPath's own model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the System type of the same name")]
pub enum SystemType {
    Any,
    Boolean,
    String,
    Integer,
    Decimal,
    Date,
    DateTime,
    Time,
    Quantity,
}

impl SystemType {
    const ALL: [(SystemType, &'static str); 9] = [
        (SystemType::Any, "Any"),
        (SystemType::Boolean, "Boolean"),
        (SystemType::String, "String"),
        (SystemType::Integer, "Integer"),
        (SystemType::Decimal, "Decimal"),
        (SystemType::Date, "Date"),
        (SystemType::DateTime, "DateTime"),
        (SystemType::Time, "Time"),
        (SystemType::Quantity, "Quantity"),
    ];

    /// The name without its namespace.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(t, _)| *t == self)
            .map_or("Any", |(_, name)| name)
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, n)| *n == name).map(|(t, _)| *t)
    }

    /// The System type that a FHIR primitive is converted to
    /// (<https://hl7.org/fhir/R4/fhirpath.html#types>).
    pub(super) fn of_primitive(primitive: PrimitiveType) -> Self {
        match primitive {
            PrimitiveType::Boolean => SystemType::Boolean,
            PrimitiveType::Integer | PrimitiveType::PositiveInt | PrimitiveType::UnsignedInt => {
                SystemType::Integer
            }
            PrimitiveType::Decimal => SystemType::Decimal,
            PrimitiveType::Date => SystemType::Date,
            PrimitiveType::DateTime | PrimitiveType::Instant => SystemType::DateTime,
            PrimitiveType::Time => SystemType::Time,
            _ => SystemType::String,
        }
    }
}

/// A type of the FHIR model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FhirType {
    Primitive(PrimitiveType),
    /// A complex type or one of the abstract types, by name.
    Complex(&'static str),
}

/// The types that stand above others and have no table of their own.
const ABSTRACT: [&str; 4] = ["Resource", "DomainResource", "BackboneElement", "Element"];

impl FhirType {
    pub(super) fn of_name(name: &str) -> Option<Self> {
        if let Some(primitive) = PrimitiveType::from_name(name) {
            return Some(FhirType::Primitive(primitive));
        }
        if let Some(name) = ABSTRACT.into_iter().find(|a| *a == name) {
            return Some(FhirType::Complex(name));
        }
        crate::type_info(name).map(|info| FhirType::Complex(info.name))
    }

    pub(super) fn of_node(node: Node<'_>) -> Self {
        match node {
            Node::Primitive(primitive, _) => FhirType::Primitive(primitive),
            Node::Complex(complex) => FhirType::Complex(complex.type_info().name),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            FhirType::Primitive(primitive) => primitive.name(),
            FhirType::Complex(name) => name,
        }
    }

    /// The type that this one specialises, if it specialises one.
    pub(super) fn base(self) -> Option<FhirType> {
        let name = match self {
            FhirType::Primitive(primitive) => match primitive.base() {
                Some(base) => return Some(FhirType::Primitive(base)),
                None => "Element",
            },
            FhirType::Complex("Resource" | "Element") => return None,
            FhirType::Complex("DomainResource") => "Resource",
            FhirType::Complex("BackboneElement") => "Element",
            FhirType::Complex(name) => crate::type_info(name)?.base,
        };
        (!name.is_empty()).then_some(FhirType::Complex(name))
    }

    /// Whether an element's type is that type or a specialisation of it. The table at hand spares a search.
    pub(super) fn node_is_a(node: Node<'_>, other: FhirType) -> bool {
        match node {
            Node::Primitive(primitive, _) => FhirType::Primitive(primitive).is_a(other),
            Node::Complex(complex) => {
                let info = complex.type_info();
                FhirType::Complex(info.name) == other
                    || (!info.base.is_empty() && FhirType::Complex(info.base).is_a(other))
            }
        }
    }

    /// Whether this is that type or a specialisation of it.
    pub(super) fn is_a(self, other: FhirType) -> bool {
        let mut this = Some(self);
        while let Some(t) = this {
            if t == other {
                return true;
            }
            this = t.base();
        }
        false
    }

    /// Whether `as` and `ofType` keep an element: specialisations count for complex types and for the
    /// abstract `Element`, while of the primitives a `code` is not taken for a `string` (official tests
    /// testFHIRPathAsFunction11 and 16), so that the types of a choice stay apart.
    pub(super) fn keeps(node: Node<'_>, other: FhirType) -> bool {
        match other {
            FhirType::Primitive(_) => FhirType::of_node(node) == other,
            FhirType::Complex(_) => FhirType::node_is_a(node, other),
        }
    }

    /// The table of a complex type that has one.
    pub(super) fn info(self) -> Option<&'static TypeInfo> {
        match self {
            FhirType::Primitive(_) => None,
            FhirType::Complex(name) => crate::type_info(name),
        }
    }
}

/// A type as named in an expression, such as `Patient`, `FHIR.code` or `System.String`.
#[derive(Clone, Debug)]
pub(super) struct TypeSpecifier {
    /// As written.
    pub(super) text: String,
    pub(super) fhir: Option<FhirType>,
    pub(super) system: Option<SystemType>,
}

impl TypeSpecifier {
    /// Resolves a name; without a namespace the FHIR model is searched first.
    pub(super) fn new(identifiers: &[String]) -> Self {
        let text = identifiers.join(".");
        let (fhir, system) = match identifiers {
            [namespace, rest @ ..] if namespace == "FHIR" && !rest.is_empty() => {
                (FhirType::of_name(&rest.join(".")), None)
            }
            [namespace, name] if namespace == "System" => (None, SystemType::of_name(name)),
            [name] => {
                let fhir = FhirType::of_name(name);
                // A quantity is of one kind or the other; each converts to the other without being asked.
                let system =
                    SystemType::of_name(name).filter(|s| fhir.is_none() || *s == SystemType::Quantity);
                (fhir, system)
            }
            _ => (None, None),
        };
        TypeSpecifier { text, fhir, system }
    }

    /// Whether any model has a type of that name.
    pub(super) fn is_known(&self) -> bool {
        self.fhir.is_some() || self.system.is_some()
    }

    /// Whether the name, with a namespace that exists, is a type of the other model: `System.Patient` is nothing's
    /// type, but no mistake in spelling either.
    pub(super) fn is_of_other_model(&self) -> bool {
        match self.text.split_once('.') {
            Some(("System", name)) => FhirType::of_name(name).is_some(),
            Some(("FHIR", name)) => SystemType::of_name(name).is_some(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> FhirType {
        FhirType::of_name(name).unwrap()
    }

    #[test]
    fn specialisations_reach_up_to_the_abstract_types() {
        assert!(of("code").is_a(of("string")));
        assert!(!of("string").is_a(of("code")));
        assert!(of("uuid").is_a(of("uri")));
        assert!(of("Age").is_a(of("Quantity")));
        assert!(of("Patient").is_a(of("Resource")));
        assert!(of("Bundle").is_a(of("Resource")));
        assert!(!of("Bundle").is_a(of("DomainResource")));
        assert!(of("Patient.contact").is_a(of("BackboneElement")));
        assert!(of("positiveInt").is_a(of("Element")));
        let age = crate::Age::default();
        assert!(FhirType::keeps(Node::Complex(&age), of("Quantity")));
        let code = crate::Primitive::<crate::Str>::default();
        let code = Node::Primitive(PrimitiveType::Code, &code);
        assert!(!FhirType::keeps(code, of("string")) && FhirType::keeps(code, of("code")));
        assert!(FhirType::node_is_a(code, of("string")));
    }

    #[test]
    fn names_are_looked_up_in_fhir_first() {
        let spec = |text: &str| TypeSpecifier::new(&text.split('.').map(String::from).collect::<Vec<_>>());
        assert!(spec("boolean").fhir.is_some() && spec("boolean").system.is_none());
        assert_eq!(spec("Boolean").system, Some(SystemType::Boolean));
        assert!(spec("Quantity").fhir.is_some() && spec("Quantity").system.is_some());
        assert!(!spec("System.Patient").is_known() && spec("System.Patient").is_of_other_model());
        assert!(!spec("string1").is_known() && !spec("string1").is_of_other_model());
    }
}
