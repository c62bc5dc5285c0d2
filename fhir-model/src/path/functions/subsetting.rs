//! Subsetting and combining (<https://hl7.org/fhirpath/N1/#subsetting>).

use super::{Function, one};
use crate::path::error::Error;
use crate::path::eval::{Evaluator, Scope};
use crate::path::plan::Call;
use crate::path::value::{Collection, Value};

impl<'a> Evaluator<'a> {
    pub(super) fn subsetting(
        &mut self,
        call: &'a Call,
        mut input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        match call.function {
            Function::Single => {
                one(&input, || "the input of single()".into())?;
                Ok(input)
            }
            Function::First => {
                input.truncate(1);
                Ok(input)
            }
            Function::Last => Ok(input.last().cloned().into()),
            Function::Tail => self.skip(input, 1),
            Function::Skip => match self.integer_argument(call, 0, scope)? {
                Some(count) => self.skip(input, usize::try_from(count).unwrap_or(0)),
                None => Ok(Collection::new()),
            },
            Function::Take => match self.integer_argument(call, 0, scope)? {
                Some(count) => {
                    input.truncate(usize::try_from(count).unwrap_or(0));
                    Ok(input)
                }
                None => Ok(Collection::new()),
            },
            _ => {
                let other = self.argument(call, 0, scope)?;
                self.combining(call.function, input, other)
            }
        }
    }

    fn skip(&mut self, input: Collection<'a>, count: usize) -> Result<Collection<'a>, Error> {
        self.meter.charge(input.len())?;
        Ok(input.into_iter().skip(count).collect())
    }

    fn combining(
        &mut self,
        function: Function,
        mut input: Collection<'a>,
        other: Collection<'a>,
    ) -> Result<Collection<'a>, Error> {
        match function {
            Function::Union => self.union(input, other),
            Function::Combine => {
                self.append(&mut input, other)?;
                Ok(input)
            }
            Function::Intersect => {
                let common = self.keep(input, &other, true)?;
                self.distinct(common)
            }
            _ => self.keep(input, &other, false),
        }
    }

    /// The items that are, or are not, among the others.
    fn keep(
        &mut self,
        input: Collection<'a>,
        others: &[Value<'a>],
        wanted: bool,
    ) -> Result<Collection<'a>, Error> {
        let mut found = Collection::new();
        for item in input {
            if self.is_among(&item, others)? == wanted {
                self.push(&mut found, item)?;
            }
        }
        Ok(found)
    }

    /// Both collections without repetitions.
    pub(in crate::path) fn union(
        &mut self,
        mut left: Collection<'a>,
        right: Collection<'a>,
    ) -> Result<Collection<'a>, Error> {
        if left.is_empty() {
            return self.distinct(right);
        }
        self.append(&mut left, right)?;
        self.distinct(left)
    }
}
