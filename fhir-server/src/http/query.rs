//! Query strings and search forms: ordered, decoded, strict (<https://hl7.org/fhir/R4/http.html#parameters>).

use crate::config::LimitsConfig;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::uri;

/// The parameters of a request, `_format` and `_pretty` apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// All others, in order.
    pub(crate) parameters: Vec<(String, String)>,
    /// `_format`
    pub(crate) format: Option<String>,
    /// `_pretty`
    pub(crate) pretty: bool,
}

impl Query {
    /// Adds the parameters of a query string or form.
    pub(crate) fn add(&mut self, text: &str, limits: &LimitsConfig) -> Result<()> {
        if text.len() > limits.query_bytes {
            let text = format!(
                "The query is {} bytes long; the limit is {}.",
                text.len(),
                limits.query_bytes
            );
            return Err(Error::new(ErrorCode::TooLarge, text));
        }
        for pair in text.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.push(decode(name)?, decode(value)?)?;
            if self.parameters.len() > limits.query_parameters {
                let text = format!("The query has more than {} parameters.", limits.query_parameters);
                return Err(Error::new(ErrorCode::TooLarge, text));
            }
        }
        Ok(())
    }

    fn push(&mut self, name: String, value: String) -> Result<()> {
        match name.as_str() {
            "" => Err(value_error(
                "The query holds a parameter without a name; write `name=value`.",
            )),
            "_format" => match self.format.replace(value) {
                Some(_) => Err(value_error("`_format` is given twice; give it once.").at("http._format")),
                None => Ok(()),
            },
            "_pretty" => {
                self.pretty = match value.as_str() {
                    "true" | "" => true,
                    "false" => false,
                    _ => return Err(value_error("`_pretty` must be `true` or `false`.").at("http._pretty")),
                };
                Ok(())
            }
            _ => {
                self.parameters.push((name, value));
                Ok(())
            }
        }
    }
}

fn decode(raw: &str) -> Result<String> {
    match uri::decode(raw, true) {
        Some(text) if !text.contains('\0') => Ok(text),
        _ => Err(value_error(
            "The query holds a percent escape that is not UTF-8 text; write `%25` for a percent sign.",
        )),
    }
}

fn value_error(diagnostics: &str) -> Error {
    Error::new(ErrorCode::Value, diagnostics)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Query> {
        let mut query = Query::default();
        query.add(text, &LimitsConfig::default())?;
        Ok(query)
    }

    #[test]
    fn keeps_order_and_repetition_and_takes_the_general_ones_out() {
        let query = parse("_id=a,b&_format=json&_lastUpdated=ge2020%2B&_pretty=true&_id=c&x").unwrap();
        let expected = [
            ("_id", "a,b"),
            ("_lastUpdated", "ge2020+"),
            ("_id", "c"),
            ("x", ""),
        ];
        assert_eq!(
            query.parameters,
            expected.map(|(n, v)| (n.to_owned(), v.to_owned()))
        );
        assert_eq!((query.format.as_deref(), query.pretty), (Some("json"), true));
    }

    #[test]
    fn empty_pairs_are_nothing() {
        assert_eq!(parse("&&").unwrap(), Query::default());
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        for text in ["=x", "a=%zz", "a=%00", "_format=json&_format=xml", "_pretty=yes"] {
            assert_eq!(parse(text).unwrap_err().code, ErrorCode::Value, "{text}");
        }
    }

    #[test]
    fn size_and_number_are_limited() {
        let limits = LimitsConfig {
            query_bytes: 10,
            query_parameters: 2,
            ..Default::default()
        };
        let add = |text: &str| Query::default().add(text, &limits);
        add("a=1&b=2").unwrap();
        assert_eq!(add("a=1&b=2&c=3").unwrap_err().code, ErrorCode::TooLarge);
        assert_eq!(add("a&b&c").unwrap_err().code, ErrorCode::TooLarge);
    }
}
