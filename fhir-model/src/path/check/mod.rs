//! Checks an expression against the tables of types, without data
//! (<https://hl7.org/fhirpath/N1/#type-safety-and-strict-evaluation>).
//!
//! Reported is what can never make sense: elements and types that do not exist, operators and functions on types
//! that they are not defined for, a condition of several items. That a path may give several items where one is wanted
//! is left to the evaluation.
//!
//! Invariant: what is refused can give no sensible answer on any data; every valid official test is accepted.

mod call;
mod shape;

use self::shape::{Known, Shape, fits};
use super::error::Error;
use super::plan::{Base, Expr, Kind, Link, Literal, Name, Operator, Path, Right, Step, StepKind};
use super::types::{FhirType, SystemType, TypeSpecifier};
use crate::reflect::Shape as FieldShape;

/// What [`Expression::check_with`](super::Expression::check_with) reports beyond what can never make sense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strictness {
    /// Functions that depend on order (`first()`, `skip()`, an index …) after those that give none (`children()`).
    pub order: bool,
    /// Criteria of `iif()`, `where()` and the like that are not booleans.
    pub criteria: bool,
}

/// Checks an expression whose input is of that type.
pub(super) fn check(expr: &Expr, context: &str, strictness: Strictness) -> Result<(), Error> {
    let Some(fhir) = FhirType::of_name(context) else {
        return Err(Error::semantic(
            0,
            format!("`{context}` is not a type of FHIR R4"),
        ));
    };
    let context = Shape::one(Known::Fhir(fhir));
    Checker {
        strictness,
        context: context.clone(),
    }
    .expr(expr, &Focus { this: context })
    .map(|_| ())
}

struct Checker {
    strictness: Strictness,
    context: Shape,
}

/// What `$this` is.
struct Focus {
    this: Shape,
}

impl Checker {
    fn expr(&self, expr: &Expr, focus: &Focus) -> Result<Shape, Error> {
        match &expr.kind {
            Kind::Empty => Ok(Shape::nothing()),
            Kind::Literal(literal) => Ok(Shape::system(literal_type(literal))),
            Kind::Path(path) => self.path(path, focus),
            Kind::Polarity { operand, .. } => {
                let shape = self.expr(operand, focus)?;
                if shape.may_be(&[SystemType::Integer, SystemType::Decimal, SystemType::Quantity]) {
                    return Ok(shape.single());
                }
                Err(Error::semantic(
                    expr.offset,
                    format!("{} has no sign", shape.describe()),
                ))
            }
            Kind::Chain { first, links } => {
                if matches!(
                    links.first(),
                    Some(Link {
                        operator: Operator::Union,
                        ..
                    })
                ) {
                    return self.union(first, links, focus);
                }
                let mut shape = self.expr(first, focus)?;
                for link in links {
                    shape = self.link(shape, link, focus)?;
                }
                Ok(shape)
            }
        }
    }

    /// An expression for several types names each of them at the start of an operand; those of other types than the
    /// input's give nothing.
    fn union(&self, first: &Expr, links: &[Link], focus: &Focus) -> Result<Shape, Error> {
        let rest = links.iter().filter_map(|link| match &link.right {
            Right::Expr(expr) => Some(expr),
            Right::Type(_) => None,
        });
        let mut shape: Option<Shape> = None;
        let mut foreign = None;
        for operand in std::iter::once(first).chain(rest) {
            match self.expr(operand, focus) {
                Ok(next) => shape = Some(shape.map_or(next.clone(), |s| s.and(next))),
                Err(error) if self.starts_elsewhere(operand, focus) => foreign = foreign.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        match (shape, foreign) {
            (Some(shape), _) => Ok(shape),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(Shape::nothing()),
        }
    }

    /// Whether the expression starts with a type that the focus cannot be.
    fn starts_elsewhere(&self, expr: &Expr, focus: &Focus) -> bool {
        match &expr.kind {
            Kind::Path(Path {
                base: Base::Focus,
                steps,
            }) => match steps.first().map(|s| &s.kind) {
                Some(StepKind::Root(specifier, _)) => root(specifier, &focus.this).is_none(),
                _ => false,
            },
            Kind::Path(Path {
                base: Base::Expr(inner),
                ..
            }) => self.starts_elsewhere(inner, focus),
            Kind::Chain { first, .. } => self.starts_elsewhere(first, focus),
            _ => false,
        }
    }

    fn link(&self, left: Shape, link: &Link, focus: &Focus) -> Result<Shape, Error> {
        use Operator::*;
        let right = match &link.right {
            Right::Type(specifier) => {
                known(specifier, link.operator == Is, link.offset)?;
                return Ok(match link.operator {
                    Is => Shape::system(SystemType::Boolean),
                    _ => Shape::of_specifier(specifier),
                });
            }
            Right::Expr(expr) => self.expr(expr, focus)?,
        };
        if !fits(link.operator, &left, &right) {
            let cure = match link.operator {
                Add | Subtract if left.may_be(&[SystemType::Date, SystemType::DateTime]) => {
                    "; give the number a unit, such as `7 days`"
                }
                _ => "",
            };
            return Err(Error::semantic(
                link.offset,
                format!(
                    "`{}` is not defined for {} and {}{cure}",
                    link.operator.sign(),
                    left.describe(),
                    right.describe()
                ),
            ));
        }
        Ok(match link.operator {
            Union => left.and(right),
            Add | Subtract | Multiply | Mod => arithmetic(&left, &right),
            Divide if left.may_be(&[SystemType::Quantity]) || right.may_be(&[SystemType::Quantity]) => {
                arithmetic(&left, &right)
            }
            Divide => Shape::system(SystemType::Decimal),
            Div => Shape::system(SystemType::Integer),
            Concatenate => Shape::system(SystemType::String),
            _ => Shape::system(SystemType::Boolean),
        })
    }

    fn path(&self, path: &Path, focus: &Focus) -> Result<Shape, Error> {
        let mut shape = self.base(&path.base, focus)?;
        for step in &path.steps {
            shape = self.step(step, shape, focus)?;
        }
        Ok(shape)
    }

    fn base(&self, base: &Base, focus: &Focus) -> Result<Shape, Error> {
        Ok(match base {
            Base::Focus | Base::This => focus.this.clone(),
            Base::Index => Shape::system(SystemType::Integer),
            Base::Total => Shape::any(),
            Base::Variable(name) => match name.as_str() {
                "context" => self.context.clone(),
                "ucum" | "sct" | "loinc" => Shape::system(SystemType::String),
                name if name.starts_with("vs-") || name.starts_with("ext-") => {
                    Shape::system(SystemType::String)
                }
                _ => Shape::any(),
            },
            Base::Expr(expr) => self.expr(expr, focus)?,
        })
    }

    fn step(&self, step: &Step, input: Shape, focus: &Focus) -> Result<Shape, Error> {
        match &step.kind {
            StepKind::Root(specifier, _) => root(specifier, &input).ok_or_else(|| {
                let message = format!(
                    "the path starts at `{}`, the input is {}",
                    specifier.text,
                    input.describe()
                );
                Error::semantic(step.offset, message)
            }),
            StepKind::Member(name) => member(name, &input, step.offset),
            StepKind::Index(index) => {
                self.require_order(&input, "an index", step.offset)?;
                let index = self.expr(index, focus)?;
                if !index.may_be(&[SystemType::Integer]) {
                    let message = format!("an index must be an integer, here is {}", index.describe());
                    return Err(Error::semantic(step.offset, message));
                }
                Ok(input.single())
            }
            StepKind::Special(base) => self.base(base, focus),
            StepKind::Call(call) => self.call(call, input, step.offset, focus),
        }
    }

    fn require_order(&self, input: &Shape, what: &str, offset: usize) -> Result<(), Error> {
        if self.strictness.order && !input.ordered {
            return Err(Error::semantic(
                offset,
                format!("{what} needs an order, and children() and the like have none"),
            ));
        }
        Ok(())
    }
}

/// The type of the result of `+` and the like.
fn arithmetic(left: &Shape, right: &Shape) -> Shape {
    use SystemType as S;
    let (Some(left), Some(right)) = (left.systems(), right.systems()) else {
        return Shape::any().single();
    };
    let both = || left.iter().chain(&right).flatten().copied();
    let found = both().find(|t| matches!(t, S::Date | S::DateTime | S::Time | S::String));
    let found = found.or_else(|| both().find(|t| *t == S::Quantity));
    let found = found
        .or_else(|| both().find(|t| *t == S::Decimal))
        .or_else(|| both().next());
    match found {
        Some(S::Any) | None => Shape::any().single(),
        Some(system) => Shape::system(system),
    }
}

fn literal_type(literal: &Literal) -> SystemType {
    match literal {
        Literal::Boolean(_) => SystemType::Boolean,
        Literal::Integer(_) => SystemType::Integer,
        Literal::Decimal(_) => SystemType::Decimal,
        Literal::String(_) => SystemType::String,
        Literal::Date(_) => SystemType::Date,
        Literal::DateTime(_) => SystemType::DateTime,
        Literal::Time(_) => SystemType::Time,
        Literal::Quantity(_) => SystemType::Quantity,
    }
}

/// A type must exist; in `is` it may be one of the other model, which nothing is.
fn known(specifier: &TypeSpecifier, is: bool, offset: usize) -> Result<(), Error> {
    if specifier.is_known() || (is && specifier.is_of_other_model()) {
        return Ok(());
    }
    Err(Error::semantic(
        offset,
        format!("`{}` is not a type of FHIR R4 or System", specifier.text),
    ))
}

/// The input narrowed to the type that a path starts with; `None` where it cannot be of that type.
fn root(specifier: &TypeSpecifier, input: &Shape) -> Option<Shape> {
    let wanted = specifier.fhir?;
    let Some(types) = &input.types else {
        return Some(Shape {
            types: Some(vec![Known::Fhir(wanted)]),
            ..input.clone()
        });
    };
    let mut narrowed = Vec::new();
    for known in types {
        match known {
            Known::Fhir(fhir) if fhir.is_a(wanted) => narrowed.push(*known),
            Known::Fhir(fhir) if wanted.is_a(*fhir) => narrowed.push(Known::Fhir(wanted)),
            _ => {}
        }
    }
    (!narrowed.is_empty()).then(|| Shape {
        types: Some(narrowed),
        ..input.clone()
    })
}

fn member(name: &Name, input: &Shape, offset: usize) -> Result<Shape, Error> {
    let Some(types) = &input.types else {
        return Ok(Shape::any());
    };
    let mut found: Option<Shape> = None;
    for known in types {
        if let Some(shape) = member_of(*known, name.as_str()) {
            found = Some(found.map_or(shape.clone(), |f| f.or(shape)));
        }
    }
    match found {
        Some(shape) => Ok(Shape {
            ordered: shape.ordered && input.ordered,
            ..shape.several(input.many)
        }),
        None if types.is_empty() => Ok(Shape::nothing()),
        None => {
            let cure = types
                .iter()
                .find_map(|t| alike(*t, name.as_str()))
                .unwrap_or_default();
            let message = format!("{} has no element `{}`{cure}", input.describe(), name.as_str());
            Err(Error::semantic(offset, message))
        }
    }
}

fn member_of(known: Known, name: &str) -> Option<Shape> {
    match (known, name) {
        // Any resource may stand here.
        (Known::Fhir(FhirType::Complex("Resource" | "DomainResource")), _) => Some(Shape::any()),
        (Known::Fhir(fhir), _) => {
            let info = fhir.info().or_else(|| crate::type_info("Element"))?;
            info.field(name).map(|(_, field)| Shape::of_field(field))
        }
        (Known::System(SystemType::Any), _) => Some(Shape::any()),
        (Known::System(SystemType::Quantity), "value") => Some(Shape::system(SystemType::Decimal)),
        (Known::System(SystemType::Quantity), "unit") => Some(Shape::system(SystemType::String)),
        (Known::TypeInfo, "namespace" | "name" | "baseType") => Some(Shape::system(SystemType::String)),
        _ => None,
    }
}

/// What may have been meant by a name that a type does not have.
fn alike(known: Known, name: &str) -> Option<String> {
    let Known::Fhir(fhir) = known else { return None };
    for field in fhir.info()?.fields {
        if let FieldShape::Choice(variants) = &field.shape
            && let Some(variant) = variants.iter().find(|v| v.name == name)
        {
            return Some(format!("; write `{}.ofType({})`", field.name, variant.type_name));
        }
        if field.name.eq_ignore_ascii_case(name)
            || name.starts_with(field.name)
            || field.name.starts_with(name)
        {
            return Some(format!("; did you mean `{}`?", field.name));
        }
    }
    None
}
