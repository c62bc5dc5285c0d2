//! Filtering and projection, `iif` and `aggregate` (<https://hl7.org/fhirpath/N1/#filtering-and-projection>).

use super::{Function, one};
use crate::path::error::Error;
use crate::path::eval::{Evaluator, Scope, truth};
use crate::path::plan::{Call, Expr};
use crate::path::value::{Collection, Value};

impl<'a> Evaluator<'a> {
    pub(super) fn filtering(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        match (call.function, call.args.first(), &call.specifier) {
            (Function::Where, Some(criteria), _) => self.filter(criteria, input, scope),
            (Function::Select, Some(projection), _) => self.select(projection, input, scope),
            (Function::Repeat, Some(projection), _) => self.repeat(projection, input, scope),
            (Function::Iif, Some(criterion), _) => self.iif(call, criterion, &input, scope),
            (Function::Aggregate, Some(aggregator), _) => self.aggregate(call, aggregator, &input, scope),
            (Function::Sort, ..) => self.sort(call, input, scope),
            (Function::Is, _, Some(specifier)) => self.is_type(&input, specifier),
            (Function::As, _, Some(specifier)) => self.as_type(input, specifier),
            (Function::OfType, _, Some(specifier)) => self.of_type(input, specifier),
            _ => Ok(input),
        }
    }

    fn filter(
        &mut self,
        criteria: &'a Expr,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let mut found = Collection::new();
        for (index, item) in input.into_iter().enumerate() {
            let answer = self.on_item(criteria, &item, index, scope)?;
            if truth(&answer)? == Some(true) {
                self.push(&mut found, item)?;
            }
        }
        Ok(found)
    }

    fn select(
        &mut self,
        projection: &'a Expr,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let mut found = Collection::new();
        for (index, item) in input.into_iter().enumerate() {
            let values = self.on_item(projection, &item, index, scope)?;
            self.append(&mut found, values)?;
        }
        Ok(found)
    }

    /// Projects the input, then what was found, until nothing new is found.
    fn repeat(
        &mut self,
        projection: &'a Expr,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let mut found: Collection<'a> = Collection::new();
        let mut queue: std::collections::VecDeque<Value<'a>> = input.into_iter().collect();
        let mut index = 0;
        while let Some(item) = queue.pop_front() {
            for value in self.on_item(projection, &item, index, scope)? {
                if !self.is_among(&value, &found)? {
                    self.push(&mut found, value.clone())?;
                    queue.push_back(value);
                }
            }
            index += 1;
        }
        Ok(found)
    }

    /// Evaluates the branch that the criterion asks for, and only that.
    fn iif(
        &mut self,
        call: &'a Call,
        criterion: &'a Expr,
        input: &[Value<'a>],
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        one(input, || "the input of iif()".into())?;
        // As the first step of a path, iif() works on the focus; the iteration around it stays in sight.
        let inner = Scope { this: input, ..scope };
        let answer = self.scoped(criterion, inner)?;
        let branch = if truth(&answer)? == Some(true) {
            call.args.get(1)
        } else {
            call.args.get(2)
        };
        branch.map_or(Ok(Collection::new()), |expr| self.scoped(expr, inner))
    }

    fn aggregate(
        &mut self,
        call: &'a Call,
        aggregator: &'a Expr,
        input: &[Value<'a>],
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let mut total = self.argument(call, 1, scope)?;
        for (index, item) in input.iter().enumerate() {
            let inner = Scope {
                this: std::slice::from_ref(item),
                index: Some(index),
                total: Some(&total),
            };
            total = self.scoped(aggregator, inner)?;
        }
        Ok(total)
    }
}
