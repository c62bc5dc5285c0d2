//! `matches`, `matchesFull` and `replaceMatches` (<https://hl7.org/fhirpath/N1/#matchesregex--string--boolean>).
//!
//! Patterns are run by an engine whose time is linear in the text, so they may not look around or refer back. A dot
//! matches every character, a line feed too.
//!
//! Invariant: no pattern takes more than linear time, or more than [`MAX_COMPILED`] bytes.

use std::borrow::Cow;

use regex::{Captures, Regex, RegexBuilder};

use super::{Function, input_name, one_string};
use crate::path::error::Error;
use crate::path::eval::{Evaluator, Scope};
use crate::path::plan::{Call, Expr, Kind, Literal};
use crate::path::value::{Collection, Value};

/// The largest compiled pattern, in bytes.
const MAX_COMPILED: usize = 1 << 20;

impl<'a> Evaluator<'a> {
    pub(super) fn pattern(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let text = one_string(&input, || input_name(call))?;
        let pattern = self.string_argument(call, 0, scope)?;
        let Some((text, pattern)) = text.zip(pattern) else {
            return Ok(Collection::new());
        };
        self.meter.charge(text.len() / 16)?;
        if call.function == Function::ReplaceMatches {
            let Some(substitution) = self.string_argument(call, 1, scope)? else {
                return Ok(Collection::new());
            };
            // The empty pattern matches nothing that could be replaced.
            if pattern.is_empty() {
                return Ok(Value::String(text).into());
            }
            let regex = self.regex(call, &pattern)?;
            return self.replace_all(&regex, &text, &substitution);
        }
        let regex = self.regex(call, &pattern)?;
        Ok(Value::Boolean(regex.is_match(&text)).into())
    }

    /// The compiled pattern; one that stands in the expression is compiled once.
    fn regex(&mut self, call: &'a Call, pattern: &str) -> Result<Cow<'a, Regex>, Error> {
        if let Some(regex) = call.regex.get() {
            return Ok(Cow::Borrowed(regex));
        }
        self.meter.charge(100 + pattern.len())?;
        let regex = compile(pattern, call.function == Function::MatchesFull)?;
        Ok(if is_literal(call.args.first()) {
            Cow::Borrowed(call.regex.get_or_init(|| regex))
        } else {
            Cow::Owned(regex)
        })
    }

    fn replace_all(
        &mut self,
        regex: &Regex,
        text: &str,
        substitution: &str,
    ) -> Result<Collection<'a>, Error> {
        let mut result = String::new();
        let mut end = 0;
        for captures in regex.captures_iter(text) {
            let Some(whole) = captures.get(0) else { continue };
            let before = result.len();
            result.push_str(text.get(end..whole.start()).unwrap_or(""));
            expand(&captures, substitution, &mut result);
            end = whole.end();
            self.meter.step()?;
            self.meter.bytes(result.len() - before)?;
        }
        result.push_str(text.get(end..).unwrap_or(""));
        self.text(result)
    }
}

fn is_literal(expr: Option<&Expr>) -> bool {
    matches!(
        expr,
        Some(Expr {
            kind: Kind::Literal(Literal::String(_)),
            ..
        })
    )
}

fn compile(pattern: &str, full: bool) -> Result<Regex, Error> {
    let whole;
    let source = if full {
        whole = format!(r"\A(?:{pattern})\z");
        &whole
    } else {
        pattern
    };
    RegexBuilder::new(source).dot_matches_new_line(true).size_limit(MAX_COMPILED).build().map_err(|error| {
        let reason = match error {
            regex::Error::CompiledTooBig(_) => "it is too large once compiled".to_owned(),
            other => other.to_string(),
        };
        Error::execution(format!(
            "the regular expression cannot be used (look-around and back references are not supported): {reason}"
        ))
    })
}

/// Appends the substitution with `$1`, `${1}` and `${name}` replaced by what the groups matched; `\` takes the next
/// character as it is.
fn expand(captures: &Captures<'_>, substitution: &str, result: &mut String) {
    let mut rest = substitution;
    while let Some(at) = rest.find(['$', '\\']) {
        result.push_str(rest.get(..at).unwrap_or(""));
        let escape = rest.get(at..).is_some_and(|r| r.starts_with('\\'));
        rest = rest.get(at + 1..).unwrap_or("");
        if escape {
            let next = rest.chars().next().map_or(0, char::len_utf8);
            result.push_str(rest.get(..next).unwrap_or(""));
            rest = rest.get(next..).unwrap_or("");
            continue;
        }
        match group(rest) {
            Some((name, after)) => {
                let matched = match name.parse() {
                    Ok(number) => captures.get(number),
                    Err(_) => captures.name(name),
                };
                result.push_str(matched.map_or("", |m| m.as_str()));
                rest = after;
            }
            None => result.push('$'),
        }
    }
    result.push_str(rest);
}

/// The name or number of a group after `$`, and what follows it.
fn group(rest: &str) -> Option<(&str, &str)> {
    if let Some(inner) = rest.strip_prefix('{') {
        return inner.split_once('}').filter(|(name, _)| !name.is_empty());
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest.split_at_checked(digits).filter(|_| digits > 0)
}
