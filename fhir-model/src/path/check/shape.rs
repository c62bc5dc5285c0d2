//! What is known of a collection before it is evaluated: the types of its items, and whether there may be several.

use crate::path::plan::Operator;
use crate::path::types::{FhirType, SystemType, TypeSpecifier};
use crate::reflect::{Field, Shape as FieldShape};

/// A type that an item may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Fhir(FhirType),
    System(SystemType),
    /// What `type()` gives.
    TypeInfo,
}

/// What is known of a collection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    /// The possible types of its items; `None` where they are not known. The empty list stands for no items at all.
    pub(super) types: Option<Vec<Known>>,
    /// Whether there may be several items.
    pub(super) many: bool,
    /// Whether the items come in an order that means something.
    pub(super) ordered: bool,
}

impl Shape {
    pub(super) fn any() -> Self {
        Shape {
            types: None,
            many: true,
            ordered: true,
        }
    }

    pub(super) fn nothing() -> Self {
        Shape {
            types: Some(Vec::new()),
            many: false,
            ordered: true,
        }
    }

    pub(super) fn one(known: Known) -> Self {
        Shape {
            types: Some(vec![known]),
            many: false,
            ordered: true,
        }
    }

    pub(super) fn system(system: SystemType) -> Self {
        Shape::one(Known::System(system))
    }

    /// What a type named in an expression stands for.
    pub(super) fn of_specifier(specifier: &TypeSpecifier) -> Self {
        let mut types = Vec::new();
        types.extend(specifier.fhir.map(Known::Fhir));
        types.extend(specifier.system.map(Known::System));
        Shape {
            types: Some(types),
            many: false,
            ordered: true,
        }
    }

    /// The values of an element.
    pub(super) fn of_field(field: &'static Field) -> Self {
        let types = match &field.shape {
            FieldShape::Primitive(primitive) => vec![Known::Fhir(FhirType::Primitive(*primitive))],
            FieldShape::Complex(info) => vec![Known::Fhir(FhirType::Complex(info.name))],
            FieldShape::Choice(variants) => variants
                .iter()
                .filter_map(|v| FhirType::of_name(v.type_name))
                .map(Known::Fhir)
                .collect(),
            FieldShape::Resource => {
                return Shape {
                    many: field.is_list(),
                    ..Shape::any()
                };
            }
        };
        Shape {
            types: Some(types),
            many: field.is_list(),
            ordered: true,
        }
    }

    pub(super) fn single(self) -> Self {
        Shape {
            many: false,
            ordered: true,
            ..self
        }
    }

    pub(super) fn several(self, many: bool) -> Self {
        Shape {
            many: self.many || many,
            ..self
        }
    }

    /// Either this or that.
    pub(super) fn or(mut self, other: Shape) -> Self {
        self.types = match (self.types.take(), other.types) {
            (Some(mut types), Some(more)) => {
                for known in more {
                    if !types.contains(&known) {
                        types.push(known);
                    }
                }
                Some(types)
            }
            _ => None,
        };
        self.many |= other.many;
        self.ordered &= other.ordered;
        self
    }

    /// Both, one after the other.
    pub(super) fn and(self, other: Shape) -> Self {
        let several = !self.is_nothing() && !other.is_nothing();
        self.or(other).several(several)
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.types.as_ref().is_some_and(Vec::is_empty)
    }

    /// The System types that the items are or convert to; `None` where the types are not known.
    pub(super) fn systems(&self) -> Option<Vec<Option<SystemType>>> {
        Some(self.types.as_ref()?.iter().map(|known| known.system()).collect())
    }

    /// Whether the items may be of one of those types, after implicit conversion.
    pub(super) fn may_be(&self, wanted: &[SystemType]) -> bool {
        let fits =
            |system: &Option<SystemType>| system.is_some_and(|s| s == SystemType::Any || wanted.contains(&s));
        self.systems()
            .is_none_or(|systems| systems.is_empty() || systems.iter().any(fits))
    }

    /// The types in words.
    pub(super) fn describe(&self) -> String {
        match &self.types {
            None => "anything".into(),
            Some(types) if types.is_empty() => "nothing".into(),
            Some(types) => types
                .iter()
                .take(4)
                .map(|t| t.name())
                .collect::<Vec<_>>()
                .join(" or "),
        }
    }
}

impl Known {
    pub(super) fn name(self) -> &'static str {
        match self {
            Known::Fhir(fhir) => fhir.name(),
            Known::System(system) => system.name(),
            Known::TypeInfo => "TypeInfo",
        }
    }

    /// The System type that it is or converts to.
    fn system(self) -> Option<SystemType> {
        match self {
            Known::Fhir(FhirType::Primitive(primitive)) => Some(SystemType::of_primitive(primitive)),
            Known::Fhir(complex) => complex
                .is_a(FhirType::Complex("Quantity"))
                .then_some(SystemType::Quantity),
            Known::System(system) => Some(system),
            Known::TypeInfo => None,
        }
    }
}

/// Whether an operator is defined for some pair of the operands' types.
pub(super) fn fits(operator: Operator, left: &Shape, right: &Shape) -> bool {
    use Operator::*;
    // Equality, membership, union and logic take operands of any type.
    let typed = matches!(
        operator,
        Add | Subtract | Multiply | Divide | Div | Mod | Concatenate
    ) || matches!(operator, Less | LessOrEqual | Greater | GreaterOrEqual);
    if !typed {
        return true;
    }
    let (Some(left), Some(right)) = (left.systems(), right.systems()) else {
        return true;
    };
    if left.is_empty() || right.is_empty() {
        return true;
    }
    let known = |a: &Option<SystemType>, b: &Option<SystemType>| match (a, b) {
        (Some(a), Some(b)) => defined(operator, *a, *b),
        _ => false,
    };
    left.iter().any(|a| right.iter().any(|b| known(a, b)))
}

fn defined(operator: Operator, a: SystemType, b: SystemType) -> bool {
    use Operator::*;
    use SystemType as S;
    let is_number = |t: S| matches!(t, S::Integer | S::Decimal);
    let is_date = |t: S| matches!(t, S::Date | S::DateTime);
    let measures = |a: S, b: S| (is_number(a) || a == S::Quantity) && (is_number(b) || b == S::Quantity);
    if a == S::Any || b == S::Any {
        return true;
    }
    match operator {
        Add | Subtract if b == S::Quantity && (is_date(a) || a == S::Time) => true,
        Add if a == S::String => b == S::String,
        Add | Subtract | Multiply | Divide => measures(a, b),
        Div | Mod => is_number(a) && is_number(b),
        Concatenate => a == S::String && b == S::String,
        Less | LessOrEqual | Greater | GreaterOrEqual => {
            measures(a, b) || (is_date(a) && is_date(b)) || (a == b && matches!(a, S::String | S::Time))
        }
        _ => true,
    }
}
