//! Utility functions: the log, the clock, variables, boundaries and types
//! (<https://hl7.org/fhirpath/N1/#utility-functions>).

use super::{Function, input_name, one};
use crate::path::boundary::{self, End};
use crate::path::compare::is_bare;
use crate::path::error::Error;
use crate::path::eval::{Evaluator, Scope};
use crate::path::plan::Call;
use crate::path::quantity;
use crate::path::temporal::{Clock, Date, DateTime, Time, date_parts};
use crate::path::value::{Collection, System, Value};

impl<'a> Evaluator<'a> {
    pub(super) fn utility(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        match call.function {
            Function::Trace => self.log(call, input, scope),
            Function::DefineVariable => self.define_variable(call, input, scope),
            Function::Now | Function::Today | Function::TimeOfDay => self.clock(call.function),
            Function::Type => Ok(input.iter().map(|v| Value::Type(v.type_of())).collect()),
            Function::Comparable => self.comparable(call, &input, scope),
            _ => self.known_to(call, &input, scope),
        }
    }

    fn log(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let name = self.string_argument(call, 0, scope)?.unwrap_or_default();
        let mut logged = Collection::new();
        if let Some(projection) = call.args.get(1) {
            for (index, item) in input.iter().enumerate() {
                let values = self.on_item(projection, item, index, scope)?;
                self.append(&mut logged, values)?;
            }
        }
        if let Some(trace) = self.env.trace() {
            trace.trace(&name, if call.args.len() > 1 { &logged } else { &input });
        }
        Ok(input)
    }

    /// Defines a variable for what follows in the path; the expression sees the whole input as its focus.
    fn define_variable(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let Some(name) = self.string_argument(call, 0, scope)? else {
            return Err(Error::execution(
                "defineVariable() takes the name of the variable, here is none",
            ));
        };
        if self.is_defined(&name) {
            let message = format!("the variable `%{name}` is defined already; choose another name");
            return Err(Error::execution(message));
        }
        let value = match call.args.get(1) {
            Some(expr) => self.scoped(
                expr,
                Scope {
                    this: &input,
                    ..scope
                },
            )?,
            None => input.clone(),
        };
        self.define(name, value);
        Ok(input)
    }

    fn clock(&mut self, function: Function) -> Result<Collection<'a>, Error> {
        let Some(now) = self.env.now() else {
            let name = function.name();
            return Err(Error::execution(format!(
                "{name}() needs a clock; set one with Environment::with_now"
            )));
        };
        Ok(match function {
            Function::Now => Value::DateTime(DateTime::of_zoned(now)),
            Function::Today => Value::Date(Date::of(date_parts(now.date()))),
            _ => Value::Time(Time::of(Clock {
                parts: DateTime::of_zoned(now).parts(),
                digits: 3,
            })),
        }
        .into())
    }

    /// `lowBoundary`, `highBoundary` and `precision`.
    fn known_to(
        &mut self,
        call: &'a Call,
        input: &[Value<'a>],
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let digits = self.integer_argument(call, 0, scope)?;
        let Some(value) = one(input, || input_name(call))? else {
            return Ok(Collection::new());
        };
        let wrong = || {
            let message = format!(
                "{}() takes a decimal, a date or a time, here is {}",
                call.function.name(),
                value.describe()
            );
            Error::execution(message)
        };
        let Some(system) = value.system() else {
            return if is_bare(value) {
                Ok(Collection::new())
            } else {
                Err(wrong())
            };
        };
        let end = match call.function {
            Function::LowBoundary => End::Low,
            Function::HighBoundary => End::High,
            _ => {
                return boundary::precision(&system)
                    .map(|p| Value::Integer(p).into())
                    .ok_or_else(wrong);
            }
        };
        let bound = boundary::boundary(system, digits, end).ok_or_else(wrong)?;
        Ok(bound.and_then(owned).into())
    }

    fn comparable(
        &mut self,
        call: &'a Call,
        input: &[Value<'a>],
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let other = self.argument(call, 0, scope)?;
        let pair = one(input, || input_name(call))?.zip(one(&other, || super::argument_name(call, 0))?);
        let Some((a, b)) = pair else {
            return Ok(Collection::new());
        };
        match (a.system(), b.system()) {
            (Some(System::Quantity(a)), Some(System::Quantity(b))) => {
                let answer = quantity::comparable(&a.unit, &b.unit, self.env.units()).unwrap_or(false);
                Ok(Value::Boolean(answer).into())
            }
            _ => Err(Error::execution("comparable() takes two quantities")),
        }
    }
}

/// A boundary as a value of its own.
fn owned<'a>(value: System<'_>) -> Option<Value<'a>> {
    Some(match value {
        System::Quantity(q) => Value::Quantity(quantity::Quantity {
            value: q.value,
            unit: q.unit.into_owned()?,
        }),
        System::Decimal(value) => Value::Decimal(value),
        System::Date(value) => Value::Date(value),
        System::DateTime(value) => Value::DateTime(value),
        System::Time(value) => Value::Time(value),
        System::Boolean(_) | System::Integer(_) | System::String(_) => return None,
    })
}
