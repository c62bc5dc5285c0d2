//! Existence, counting and `not` (<https://hl7.org/fhirpath/N1/#existence>).

use super::Function;
use super::one;
use crate::path::error::Error;
use crate::path::eval::{Evaluator, Scope, truth};
use crate::path::plan::Call;
use crate::path::value::{Collection, Value};

impl<'a> Evaluator<'a> {
    pub(super) fn existence(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let answer = match call.function {
            Function::Empty => input.is_empty(),
            Function::Exists if call.args.is_empty() => !input.is_empty(),
            Function::Exists => self.any(call, &input, scope, true)?,
            Function::All => !self.any(call, &input, scope, false)?,
            Function::AllTrue => booleans(call, &input)?.iter().all(|b| *b),
            Function::AnyTrue => booleans(call, &input)?.iter().any(|b| *b),
            Function::AllFalse => booleans(call, &input)?.iter().all(|b| !b),
            Function::AnyFalse => booleans(call, &input)?.iter().any(|b| !b),
            Function::SubsetOf => {
                let other = self.argument(call, 0, scope)?;
                self.is_subset(&input, &other)?
            }
            Function::SupersetOf => {
                let other = self.argument(call, 0, scope)?;
                self.is_subset(&other, &input)?
            }
            Function::Count => {
                let count = i32::try_from(input.len())
                    .map_err(|_| Error::limit("there are more than 2147483647 items"))?;
                return Ok(Value::Integer(count).into());
            }
            Function::Distinct => return self.distinct(input),
            Function::IsDistinct => {
                let count = input.len();
                self.distinct(input)?.len() == count
            }
            _ => return not(&input),
        };
        Ok(Value::Boolean(answer).into())
    }

    /// Whether the criteria are `wanted` true (or `wanted` not true) for one of the items.
    fn any(
        &mut self,
        call: &'a Call,
        input: &[Value<'a>],
        scope: Scope<'a, '_>,
        wanted: bool,
    ) -> Result<bool, Error> {
        let Some(criteria) = call.args.first() else {
            return Ok(false);
        };
        for (index, item) in input.iter().enumerate() {
            let answer = self.on_item(criteria, item, index, scope)?;
            if (truth(&answer)? == Some(true)) == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_subset(&mut self, items: &[Value<'a>], of: &[Value<'a>]) -> Result<bool, Error> {
        for item in items {
            if !self.is_among(item, of)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The items without repetitions, in order.
    pub(super) fn distinct(&mut self, input: Collection<'a>) -> Result<Collection<'a>, Error> {
        if input.len() < 2 {
            return Ok(input);
        }
        let mut found = Collection::new();
        for item in input {
            if !self.is_among(&item, &found)? {
                self.push(&mut found, item)?;
            }
        }
        Ok(found)
    }
}

/// The items as booleans; an element without value is left out.
fn booleans(call: &Call, input: &[Value<'_>]) -> Result<Vec<bool>, Error> {
    let known = input.iter().filter(|v| !crate::path::compare::is_bare(v));
    known
        .map(|value| {
            value.as_bool().ok_or_else(|| {
                let name = call.function.name();
                Error::execution(format!("{name}() takes booleans, here is {}", value.describe()))
            })
        })
        .collect()
}

fn not<'a>(input: &[Value<'a>]) -> Result<Collection<'a>, Error> {
    let value = one(input, || "the input of not()".into())?;
    Ok(value.map(|v| Value::Boolean(!v.as_bool().unwrap_or(true))).into())
}
