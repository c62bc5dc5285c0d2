//! The arguments of a field, as the text and numbers that they stand for.

use async_graphql_parser::types::Field;
use async_graphql_value::ConstValue;

use super::query::{Query, wrong};
use crate::error::Result;

/// The arguments of a field that are not null, in order.
#[derive(Debug, Default)]
pub(super) struct Arguments(Vec<(String, ConstValue)>);

impl Arguments {
    /// Those of a field, or of a directive, variables put in.
    pub(super) fn of(query: &Query, field: &Field) -> Result<Arguments> {
        let mut arguments = Vec::new();
        for (name, value) in &field.arguments {
            if let Some(value) = query.value(&value.node)? {
                arguments.push((name.node.as_str().to_owned(), value));
            }
        }
        Ok(Arguments(arguments))
    }

    /// Takes the text of an argument; a name without quotes is text too.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match plain(&value) {
                Some(text) => Ok(Some(text)),
                None => Err(wrong(format!(
                    "The argument {name} takes one value, not {value}."
                ))),
            },
        }
    }

    /// Takes a number from 0.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<usize>> {
        let text = self.text(name)?;
        let number = text.map(|text| {
            text.parse().map_err(|_| {
                wrong(format!(
                    "The argument {name} takes a number from 0, not {text:?}."
                ))
            })
        });
        number.transpose()
    }

    /// Takes true or false.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool> {
        match self.take(name) {
            None => Ok(false),
            Some(ConstValue::Boolean(flag)) => Ok(flag),
            Some(other) => Err(wrong(format!(
                "The argument {name} takes true or false, not {other}."
            ))),
        }
    }

    /// All that are left, a pair for each value of a list.
    pub(super) fn rest(self) -> Result<Vec<(String, String)>> {
        let mut pairs = Vec::new();
        for (name, value) in self.0 {
            let values = match value {
                ConstValue::List(values) => values,
                one => vec![one],
            };
            for value in values {
                match plain(&value) {
                    Some(text) => pairs.push((name.clone(), text)),
                    None => {
                        return Err(wrong(format!(
                            "The argument {name} takes plain values, not {value}."
                        )));
                    }
                }
            }
        }
        Ok(pairs)
    }

    fn take(&mut self, name: &str) -> Option<ConstValue> {
        let at = self.0.iter().position(|(n, _)| n == name)?;
        Some(self.0.remove(at).1)
    }
}

fn plain(value: &ConstValue) -> Option<String> {
    match value {
        ConstValue::String(text) => Some(text.clone()),
        ConstValue::Enum(name) => Some(name.as_str().to_owned()),
        ConstValue::Number(number) => Some(number.to_string()),
        ConstValue::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}
