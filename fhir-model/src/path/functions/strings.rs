//! Functions on strings (<https://hl7.org/fhirpath/N1/#string-manipulation>). Positions count characters, not bytes.

use std::borrow::Cow;

use super::{Function, input_name, one_string, text_of};
use crate::path::error::Error;
use crate::path::eval::{Evaluator, Scope};
use crate::path::plan::Call;
use crate::path::value::{Collection, Value};

impl<'a> Evaluator<'a> {
    pub(super) fn strings(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        if call.function == Function::Join {
            return self.join(call, &input, scope);
        }
        let Some(text) = one_string(&input, || input_name(call))? else {
            return Ok(Collection::new());
        };
        self.meter.charge(text.len() / 16)?;
        match call.function {
            Function::Length => Ok(integer(text.chars().count())),
            Function::Upper => self.text(text.to_uppercase()),
            Function::Lower => self.text(text.to_lowercase()),
            Function::Trim => self.text(text.trim_matches(is_white).to_owned()),
            Function::ToChars => {
                let mut found = Collection::new();
                for c in text.chars() {
                    self.push(&mut found, Value::from(c.to_string()))?;
                }
                Ok(found)
            }
            Function::Substring => self.substring(call, &text, scope),
            Function::Replace => self.replace(call, &text, scope),
            function => {
                let Some(other) = self.string_argument(call, 0, scope)? else {
                    return Ok(Collection::new());
                };
                self.two_strings(function, &text, &other)
            }
        }
    }

    fn two_strings(&mut self, function: Function, text: &str, other: &str) -> Result<Collection<'a>, Error> {
        // Places of bytes become places of characters.
        let place = |at: Option<usize>| match at.and_then(|at| text.get(..at)) {
            Some(before) => integer(before.chars().count()),
            None => Value::Integer(-1).into(),
        };
        Ok(match function {
            Function::IndexOf => place(text.find(other)),
            Function::LastIndexOf if other.is_empty() => place(Some(0)),
            Function::LastIndexOf => place(text.rfind(other)),
            Function::StartsWith => Value::Boolean(text.starts_with(other)).into(),
            Function::EndsWith => Value::Boolean(text.ends_with(other)).into(),
            Function::Contains => Value::Boolean(text.contains(other)).into(),
            _ => {
                let mut found = Collection::new();
                if other.is_empty() {
                    return self.text(text.to_owned());
                }
                for part in text.split(other) {
                    self.meter.bytes(part.len())?;
                    self.push(&mut found, Value::from(part.to_owned()))?;
                }
                found
            }
        })
    }

    fn substring(
        &mut self,
        call: &'a Call,
        text: &str,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let Some(start) = self.integer_argument(call, 0, scope)? else {
            return Ok(Collection::new());
        };
        let length = self.integer_argument(call, 1, scope)?;
        let start = usize::try_from(start)
            .ok()
            .filter(|start| *start < text.chars().count());
        let Some(start) = start else {
            return Ok(Collection::new());
        };
        let rest = text.chars().skip(start);
        let part = match length {
            Some(length) => rest.take(usize::try_from(length).unwrap_or(0)).collect(),
            None => rest.collect(),
        };
        self.text(part)
    }

    fn replace(&mut self, call: &'a Call, text: &str, scope: Scope<'a, '_>) -> Result<Collection<'a>, Error> {
        let pattern = self.string_argument(call, 0, scope)?;
        let substitution = self.string_argument(call, 1, scope)?;
        let Some((pattern, substitution)) = pattern.zip(substitution) else {
            return Ok(Collection::new());
        };
        // The result is counted before it is built: a long substitution of every character adds up.
        let count = text.matches(&*pattern).count();
        self.meter.bytes(
            text.len()
                .saturating_add(count.saturating_mul(substitution.len())),
        )?;
        Ok(Value::from(text.replace(&*pattern, &substitution)).into())
    }

    fn join(
        &mut self,
        call: &'a Call,
        input: &[Value<'a>],
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let separator = self.string_argument(call, 0, scope)?.unwrap_or(Cow::Borrowed(""));
        if input.is_empty() {
            return Ok(Collection::new());
        }
        let mut joined = String::new();
        let mut first = true;
        for value in input.iter().filter(|v| !crate::path::compare::is_bare(v)) {
            let part = text_of(value).ok_or_else(|| {
                Error::execution(format!(
                    "join() takes strings, here is {}; use select(toString())",
                    value.describe()
                ))
            })?;
            if !std::mem::take(&mut first) {
                joined.push_str(&separator);
            }
            self.meter.bytes(part.len() + separator.len())?;
            joined.push_str(&part);
        }
        Ok(Value::from(joined).into())
    }

    /// A text that was built, within the limits.
    pub(super) fn text(&mut self, text: String) -> Result<Collection<'a>, Error> {
        self.meter.bytes(text.len())?;
        Ok(Value::from(text).into())
    }
}

fn integer<'a>(count: usize) -> Collection<'a> {
    i32::try_from(count).ok().map(Value::Integer).into()
}

/// White space as the language has it.
fn is_white(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}
