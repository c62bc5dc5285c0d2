//! `_text` and `_content` (<https://hl7.org/fhir/R4/search.html#content>): words and "phrases", of which all must be there; `OR`, `AND` and
//! `NOT` in any case, and parentheses. A comma is an OR, as in any other parameter. Words are whole, and nothing is ranked.
//!
//! Invariant: what is not understood is refused, never left aside.

use super::escape;
use super::{Scope, any_of, not, too_costly};
use crate::error::{Error, ErrorCode, Result};
use crate::search::words::words;
use crate::store::{Filter, MAX_PHRASE};

/// What stands in an expression.
#[derive(Debug, PartialEq)]
enum Token<'v> {
    Open,
    Close,
    And,
    Or,
    Not,
    Words(&'v str),
}

/// The resources whose narrative, or whose whole text, has what the value asks for.
pub(super) fn filter(scope: &Scope<'_>, code: &str, narrative: bool, value: &str) -> Result<Filter> {
    let values = escape::split(value, ',');
    scope.check_values(values.len(), code)?;
    let mut any = Vec::with_capacity(values.len());
    for value in values {
        let value = escape::plain(value);
        let mut parser = Parser {
            scope,
            code,
            narrative,
            tokens: tokens(code, &value)?,
            next: 0,
            depth: 0,
        };
        let one = parser.any()?;
        if parser.next < parser.tokens.len() {
            return Err(refused(code, "a closing parenthesis has no opening one"));
        }
        any.push(one);
    }
    Ok(any_of(any))
}

fn tokens<'v>(code: &str, value: &'v str) -> Result<Vec<Token<'v>>> {
    let mut tokens = Vec::new();
    let mut rest = value.trim_start();
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        rest = match first {
            '(' => {
                tokens.push(Token::Open);
                after
            }
            ')' => {
                tokens.push(Token::Close);
                after
            }
            '"' => {
                let (phrase, after) = after
                    .split_once('"')
                    .ok_or_else(|| refused(code, "a quotation mark is not closed"))?;
                tokens.push(Token::Words(phrase));
                after
            }
            _ => {
                let is_end = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"');
                let (word, after) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
                tokens.push(match word.to_ascii_lowercase().as_str() {
                    "and" => Token::And,
                    "or" => Token::Or,
                    "not" => Token::Not,
                    _ if word.contains('*') => {
                        return Err(refused(code, "words are found whole, and * stands for nothing"));
                    }
                    _ => Token::Words(word),
                });
                after
            }
        }
        .trim_start();
    }
    Ok(tokens)
}

struct Parser<'p, 'v> {
    scope: &'p Scope<'p>,
    code: &'p str,
    narrative: bool,
    tokens: Vec<Token<'v>>,
    next: usize,
    depth: usize,
}

impl Parser<'_, '_> {
    fn is_next(&mut self, token: &Token<'_>) -> bool {
        let is_it = self.tokens.get(self.next) == Some(token);
        self.next += usize::from(is_it);
        is_it
    }

    fn any(&mut self) -> Result<Filter> {
        let mut any = vec![self.all()?];
        while self.is_next(&Token::Or) {
            any.push(self.all()?);
        }
        Ok(any_of(any))
    }

    fn all(&mut self) -> Result<Filter> {
        let mut all = Filter::All;
        let mut is_empty = true;
        loop {
            let joined = !is_empty && self.is_next(&Token::And);
            match self.tokens.get(self.next) {
                Some(Token::Words(_) | Token::Open | Token::Not) => {}
                _ if joined || is_empty => return Err(refused(self.code, "a word is missing")),
                _ => return Ok(all),
            }
            if let Some(one) = self.one()? {
                all = all.and(one);
                is_empty = false;
            } else if !joined
                && self
                    .tokens
                    .get(self.next)
                    .is_some_and(|t| matches!(t, Token::Words(_)))
            {
                // A sign that stands alone is no word, and others follow.
            } else if is_empty || joined {
                return Err(refused(self.code, "a word with a letter or a digit is missing"));
            }
        }
    }

    /// A phrase, a negation or what stands in parentheses; `None` for signs without a word.
    fn one(&mut self) -> Result<Option<Filter>> {
        if self.is_next(&Token::Not) {
            self.deeper()?;
            let one = self.one()?;
            self.depth -= 1;
            let one = one.ok_or_else(|| refused(self.code, "NOT stands before no word"))?;
            return Ok(Some(not(one)));
        }
        if self.is_next(&Token::Open) {
            self.deeper()?;
            let inner = self.any()?;
            self.depth -= 1;
            return match self.is_next(&Token::Close) {
                true => Ok(Some(inner)),
                false => Err(refused(self.code, "a parenthesis is not closed")),
            };
        }
        let Some(Token::Words(text)) = self.tokens.get(self.next) else {
            return Err(refused(self.code, "a word is missing"));
        };
        self.next += 1;
        let phrase = words(text);
        if phrase.is_empty() {
            return Ok(None);
        }
        if phrase.len() > MAX_PHRASE {
            let text = format!(
                "A phrase of {} has more than {MAX_PHRASE} words: ask for fewer.",
                self.code
            );
            return Err(too_costly(self.code, text));
        }
        self.scope.spend(1, self.code)?;
        Ok(Some(Filter::Words {
            narrative: self.narrative,
            phrase,
        }))
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        let limit = self.scope.limits.filter_depth;
        match self.depth <= limit {
            true => Ok(()),
            false => {
                let text = format!(
                    "{} has more than {limit} parentheses within each other.",
                    self.code
                );
                Err(too_costly(self.code, text))
            }
        }
    }
}

fn refused(code: &str, why: &str) -> Error {
    let text = format!(
        "The value of {code} cannot be read: {why}. It takes words and \"phrases\", with AND, OR, NOT and parentheses between."
    );
    Error::new(ErrorCode::Value, text).at(format!("http.{code}"))
}
