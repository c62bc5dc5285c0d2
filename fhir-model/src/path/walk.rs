//! Navigation: from values to their elements by name, to all children, and by type.

use super::error::Error;
use super::eval::Evaluator;
use super::plan::{Name, Step, StepKind};
use super::types::{FhirType, TypeSpecifier};
use super::value::{Collection, Value};
use crate::reflect::{Complex, Node, Nodes};

impl<'a> Evaluator<'a> {
    /// Appends what the names lead to from a value. Going down before going on keeps the order of the collection
    /// without building one for each name.
    pub(super) fn walk(
        &mut self,
        value: &Value<'a>,
        names: &'a [Step],
        found: &mut Collection<'a>,
    ) -> Result<(), Error> {
        let Some((step, rest)) = names.split_first() else {
            return self.push(found, value.clone());
        };
        self.meter.step()?;
        let name = match &step.kind {
            StepKind::Root(specifier, _) if is_of(value, specifier) => return self.walk(value, rest, found),
            StepKind::Root(_, name) | StepKind::Member(name) => name,
            _ => return Ok(()),
        };
        match value {
            Value::Node(Node::Complex(complex)) => self.walk_elements(*complex, name, rest, found),
            // A primitive has an id and extensions.
            Value::Node(Node::Primitive(_, primitive)) => match primitive.extras() {
                Some(extras) => self.walk_elements(extras, name, rest, found),
                None => Ok(()),
            },
            other => match system_member(other, name.as_str()) {
                Some(member) => self.walk(&member, rest, found),
                None => Ok(()),
            },
        }
    }

    fn walk_elements(
        &mut self,
        complex: &'a dyn Complex,
        name: &'a Name,
        rest: &'a [Step],
        found: &mut Collection<'a>,
    ) -> Result<(), Error> {
        let Some((index, _)) = name.field(complex.type_info()) else {
            return Ok(());
        };
        for node in Nodes::of(complex, index).filter(is_present) {
            self.walk(&Value::Node(node), rest, found)?;
        }
        Ok(())
    }

    /// Appends an item within the limits.
    pub(super) fn push(&mut self, found: &mut Collection<'a>, value: Value<'a>) -> Result<(), Error> {
        self.meter.items(found.len() + 1)?;
        self.meter.bytes(std::mem::size_of::<Value<'_>>())?;
        found.push(value);
        Ok(())
    }

    /// Appends all items within the limits.
    pub(super) fn append(&mut self, found: &mut Collection<'a>, values: Collection<'a>) -> Result<(), Error> {
        for value in values {
            self.meter.step()?;
            self.push(found, value)?;
        }
        Ok(())
    }

    /// Appends the child elements of a value.
    pub(super) fn children_of(&mut self, value: &Value<'a>, found: &mut Collection<'a>) -> Result<(), Error> {
        let complex: &'a dyn Complex = match value {
            Value::Node(Node::Complex(complex)) => *complex,
            Value::Node(Node::Primitive(_, primitive)) => match primitive.extras() {
                Some(extras) => extras,
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        for index in 0..complex.type_info().fields.len() {
            self.meter.step()?;
            for node in Nodes::of(complex, index).filter(is_present) {
                self.push(found, Value::Node(node))?;
            }
        }
        Ok(())
    }

    /// `is`: whether the one item is of the type; empty for no item.
    pub(super) fn is_type(
        &mut self,
        values: &[Value<'a>],
        specifier: &TypeSpecifier,
    ) -> Result<Collection<'a>, Error> {
        if !specifier.is_of_other_model() {
            require_known(specifier)?;
        }
        let value = super::functions::one(values, || "the operand of `is`".into())?;
        Ok(value.map(|value| Value::Boolean(is_of(value, specifier))).into())
    }

    /// `as`: the one item if it is of the type.
    pub(super) fn as_type(
        &mut self,
        values: Collection<'a>,
        specifier: &TypeSpecifier,
    ) -> Result<Collection<'a>, Error> {
        if !self.env.as_filters() {
            super::functions::one(&values, || "the operand of `as`".into())?;
        }
        self.of_type(values, specifier)
    }

    /// `ofType`: the items that are of the type.
    pub(super) fn of_type(
        &mut self,
        values: Collection<'a>,
        specifier: &TypeSpecifier,
    ) -> Result<Collection<'a>, Error> {
        require_known(specifier)?;
        self.meter.charge(values.len())?;
        Ok(values
            .into_iter()
            .filter(|value| kept(value, specifier))
            .collect())
    }
}

/// An item of a list may be there for its place only (JSON `null` without extensions): it is no item.
fn is_present(node: &Node<'_>) -> bool {
    match node {
        Node::Primitive(_, primitive) => primitive.scalar().is_some() || primitive.extras().is_some(),
        Node::Complex(_) => true,
    }
}

/// The elements that values of System types have.
fn system_member<'a>(value: &Value<'a>, name: &str) -> Option<Value<'a>> {
    match (value, name) {
        (Value::Quantity(quantity), "value") => Some(Value::Decimal(quantity.value)),
        (Value::Quantity(quantity), "unit") => Some(Value::from(match quantity.unit.calendar() {
            Some(calendar) => calendar.name().to_owned(),
            None => quantity.unit.code().unwrap_or_default().to_owned(),
        })),
        (Value::Type(t), "namespace") => Some(Value::from(t.namespace)),
        (Value::Type(t), "name") => Some(Value::from(t.name)),
        (Value::Type(t), "baseType") => Some(Value::from(format!("{}.{}", t.base.0, t.base.1))),
        _ => None,
    }
}

fn require_known(specifier: &TypeSpecifier) -> Result<(), Error> {
    if specifier.is_known() {
        return Ok(());
    }
    Err(Error::execution(format!(
        "`{}` is not a type; types are those of FHIR (`Patient`, `code`) and of System (`Boolean`)",
        specifier.text
    )))
}

/// Whether a value is of a type or a specialisation of it.
pub(super) fn is_of(value: &Value<'_>, specifier: &TypeSpecifier) -> bool {
    matches(value, specifier, FhirType::node_is_a)
}

/// Whether `as` and `ofType` keep a value.
fn kept(value: &Value<'_>, specifier: &TypeSpecifier) -> bool {
    matches(value, specifier, FhirType::keeps)
}

fn matches(value: &Value<'_>, specifier: &TypeSpecifier, fits: fn(Node<'_>, FhirType) -> bool) -> bool {
    use super::types::SystemType;
    match (value, specifier.system) {
        (_, Some(SystemType::Any)) => true,
        (Value::Node(node), _) => specifier.fhir.is_some_and(|wanted| fits(*node, wanted)),
        (Value::Unread(name), _) => specifier
            .fhir
            .is_some_and(|wanted| FhirType::Complex(name).is_a(wanted)),
        (Value::Type(_), _) | (_, None) => false,
        (value, Some(system)) => value.type_of().name == system.name(),
    }
}
