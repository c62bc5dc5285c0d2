//! The types that functions take and give.

use super::shape::{Known, Shape};
use super::{Checker, Focus, known};
use crate::path::error::Error;
use crate::path::functions::{Family, Function};
use crate::path::plan::{Call, Expr};
use crate::path::types::{FhirType, SystemType};

impl Checker {
    pub(super) fn call(
        &self,
        call: &Call,
        input: Shape,
        offset: usize,
        focus: &Focus,
    ) -> Result<Shape, Error> {
        self.input(call, &input, offset)?;
        match call.family {
            Family::Filtering => self.filtering(call, input, offset, focus),
            Family::Existence => {
                let criteria = matches!(call.function, Function::Exists | Function::All);
                for arg in &call.args {
                    if criteria {
                        self.criterion(arg, &input)?
                    } else {
                        self.expr(arg, focus)?
                    };
                }
                Ok(match call.function {
                    Function::Count => Shape::system(SystemType::Integer),
                    Function::Distinct => input,
                    _ => Shape::system(SystemType::Boolean),
                })
            }
            Family::Subsetting => self.subsetting(call, input, offset, focus),
            Family::Utility if matches!(call.function, Function::Trace | Function::DefineVariable) => {
                for (index, arg) in call.args.iter().enumerate() {
                    // The projection of trace() sees one item, the value of defineVariable() all.
                    let this = match (index, call.function) {
                        (1, Function::Trace) => input.clone().single(),
                        (1, _) => input.clone(),
                        _ => focus.this.clone(),
                    };
                    self.expr(arg, &Focus { this })?;
                }
                Ok(input)
            }
            _ => {
                for arg in &call.args {
                    self.expr(arg, focus)?;
                }
                Ok(result(call.function, &input))
            }
        }
    }

    /// The input must be of a type that the function takes.
    fn input(&self, call: &Call, input: &Shape, offset: usize) -> Result<(), Error> {
        use SystemType as S;
        let wanted: &[S] = match (call.family, call.function) {
            (Family::String | Family::Pattern | Family::Encoding, _) => &[S::String],
            (Family::Math, Function::Abs) => &[S::Integer, S::Decimal, S::Quantity],
            (Family::Math, _) => &[S::Integer, S::Decimal],
            (
                Family::Component,
                Function::YearOf | Function::MonthOf | Function::DayOf | Function::DateOf,
            ) => &[S::Date, S::DateTime],
            (Family::Component, _) => &[S::Date, S::DateTime, S::Time],
            (_, Function::LowBoundary | Function::HighBoundary) => {
                &[S::Integer, S::Decimal, S::Quantity, S::Date, S::DateTime, S::Time]
            }
            (_, Function::Precision) => &[S::Integer, S::Decimal, S::Date, S::DateTime, S::Time],
            (_, Function::Comparable) => &[S::Quantity],
            (_, Function::AllTrue | Function::AnyTrue | Function::AllFalse | Function::AnyFalse) => {
                &[S::Boolean]
            }
            _ => return Ok(()),
        };
        if input.may_be(wanted) {
            return Ok(());
        }
        let names = wanted.iter().map(|s| s.name()).collect::<Vec<_>>().join(" or ");
        let name = call.function.name();
        Err(Error::semantic(
            offset,
            format!("{name}() takes {names}, its input is {}", input.describe()),
        ))
    }

    fn filtering(&self, call: &Call, input: Shape, offset: usize, focus: &Focus) -> Result<Shape, Error> {
        if let Some(specifier) = &call.specifier {
            known(specifier, call.function == Function::Is, offset)?;
            return Ok(match call.function {
                Function::Is => Shape::system(SystemType::Boolean),
                _ => Shape {
                    many: input.many,
                    ordered: input.ordered,
                    ..Shape::of_specifier(specifier)
                },
            });
        }
        let item = Focus {
            this: input.clone().single(),
        };
        match (call.function, call.args.as_slice()) {
            (Function::Where, [criteria]) => {
                self.criterion(criteria, &input)?;
                Ok(input)
            }
            (Function::Select, [projection]) => Ok(self.expr(projection, &item)?.several(input.many)),
            (Function::Repeat, [projection]) => Ok(self.repeat(projection, &input)),
            (Function::Iif, [criterion, branches @ ..]) => self.iif(criterion, branches, &input, offset),
            (Function::Aggregate, [aggregator, start @ ..]) => {
                for start in start {
                    self.expr(start, focus)?;
                }
                self.expr(aggregator, &item)?;
                Ok(Shape::any())
            }
            (_, keys) => {
                for key in keys {
                    // A minus sign before a key says descending, whatever the type of the key.
                    let key = crate::path::functions::descending(key).unwrap_or(key);
                    self.expr(key, &item)?;
                }
                Ok(Shape {
                    ordered: true,
                    ..input
                })
            }
        }
    }

    fn criterion(&self, criteria: &Expr, input: &Shape) -> Result<Shape, Error> {
        let shape = self.expr(
            criteria,
            &Focus {
                this: input.clone().single(),
            },
        )?;
        self.boolean(&shape, criteria.offset)?;
        Ok(shape)
    }

    fn boolean(&self, shape: &Shape, offset: usize) -> Result<(), Error> {
        if self.strictness.criteria && !shape.may_be(&[SystemType::Boolean]) {
            return Err(Error::semantic(
                offset,
                format!("a condition must be a boolean, here is {}", shape.describe()),
            ));
        }
        Ok(())
    }

    fn iif(&self, criterion: &Expr, branches: &[Expr], input: &Shape, offset: usize) -> Result<Shape, Error> {
        let inner = Focus { this: input.clone() };
        let condition = self.expr(criterion, &inner)?;
        if condition.many {
            let message = "the condition of iif() may be several items; make it one with exists() or first()";
            return Err(Error::semantic(offset, message));
        }
        self.boolean(&condition, criterion.offset)?;
        let mut shape = Shape::nothing();
        for branch in branches {
            shape = shape.or(self.expr(branch, &inner)?);
        }
        Ok(shape)
    }

    /// What the projection gives, of the input and of what it gives; where that cannot be told, anything.
    fn repeat(&self, projection: &Expr, input: &Shape) -> Shape {
        let project = |this: Shape| self.expr(projection, &Focus { this: this.single() });
        let Ok(mut shape) = project(input.clone()) else {
            return Shape::any();
        };
        for _ in 0..8 {
            let next = match project(shape.clone()) {
                Ok(next) => shape.clone().or(next),
                Err(_) => return Shape::any(),
            };
            if next == shape {
                break;
            }
            shape = next;
        }
        Shape {
            many: true,
            ordered: false,
            ..shape
        }
    }

    fn subsetting(&self, call: &Call, input: Shape, offset: usize, focus: &Focus) -> Result<Shape, Error> {
        let other = match call.args.first() {
            Some(arg) => self.expr(arg, focus)?,
            None => Shape::nothing(),
        };
        Ok(match call.function {
            Function::Union | Function::Combine => input.and(other),
            Function::Intersect | Function::Exclude => input,
            function => {
                if function != Function::Single {
                    self.require_order(&input, &format!("{}()", function.name()), offset)?;
                }
                let one = matches!(function, Function::Single | Function::First | Function::Last);
                if one { input.single() } else { input }
            }
        })
    }
}

/// What a function gives whose arguments do not matter.
fn result(function: Function, input: &Shape) -> Shape {
    use Function as F;
    use SystemType as S;
    let system = match function {
        F::Children | F::Descendants => {
            return Shape {
                ordered: false,
                ..Shape::any()
            };
        }
        F::Resolve => {
            return Shape {
                many: input.many,
                ..Shape::any()
            };
        }
        F::Extension => return fhir("Extension", true),
        F::ElementDefinition => return fhir("ElementDefinition", input.many),
        F::Type => {
            return Shape {
                types: Some(vec![Known::TypeInfo]),
                ..input.clone()
            };
        }
        F::Slice | F::CheckModifiers => return input.clone(),
        F::GetValue => {
            return Shape {
                types: converted(input),
                ..input.clone()
            };
        }
        F::Abs | F::LowBoundary | F::HighBoundary | F::Power => return Shape::any().single(),
        F::ToChars | F::Split => {
            return Shape {
                many: true,
                ..Shape::system(S::String)
            };
        }
        F::ToInteger | F::IndexOf | F::LastIndexOf | F::Length | F::Ceiling | F::Floor | F::Truncate => {
            S::Integer
        }
        F::Precision => S::Integer,
        F::ToDecimal | F::Exp | F::Ln | F::Log | F::Round | F::Sqrt | F::TimezoneOffsetOf => S::Decimal,
        F::ToDate | F::Today | F::DateOf => S::Date,
        F::ToDateTime | F::Now => S::DateTime,
        F::ToTime | F::TimeOfDay | F::TimeOf => S::Time,
        F::ToQuantity => S::Quantity,
        F::ToString
        | F::Substring
        | F::Upper
        | F::Lower
        | F::Replace
        | F::Trim
        | F::Join
        | F::ReplaceMatches => S::String,
        F::Encode | F::Decode | F::Escape | F::Unescape => S::String,
        F::YearOf | F::MonthOf | F::DayOf | F::HourOf | F::MinuteOf | F::SecondOf | F::MillisecondOf => {
            S::Integer
        }
        _ => S::Boolean,
    };
    Shape::system(system)
}

fn fhir(name: &'static str, many: bool) -> Shape {
    Shape {
        many,
        ..Shape::one(Known::Fhir(FhirType::Complex(name)))
    }
}

/// The System types of the items.
fn converted(input: &Shape) -> Option<Vec<Known>> {
    let systems = input.systems()?;
    Some(systems.into_iter().flatten().map(Known::System).collect())
}
