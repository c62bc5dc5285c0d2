//! Text to tokens (<https://hl7.org/fhirpath/N1/#lexical-elements>).
//!
//! Invariant: offsets count bytes of the source, and every loop takes at least one.

use std::str::FromStr;

use rust_decimal::Decimal;

use super::error::Error;
use super::temporal::{Date, DateTime, Time};

/// A token and where it starts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind<'s>,
    pub(super) offset: usize,
}

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'s> {
    /// A simple identifier or a keyword; which of them depends on the place.
    Name(&'s str),
    /// An identifier in backticks, escapes resolved.
    Delimited(String),
    /// A string, escapes resolved.
    String(String),
    Integer(i32),
    Decimal(Decimal),
    Date(Date),
    DateTime(DateTime),
    Time(Time),
    /// `$this`, `$index`, `$total`, without the dollar.
    Special(&'s str),
    /// An operator or a bracket.
    Symbol(&'static str),
    End,
}

impl Kind<'_> {
    /// The token in words, for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Kind::Name(name) => format!("`{name}`"),
            Kind::Delimited(name) => format!("the identifier `{name}`"),
            Kind::String(text) => format!("the string '{}'", text.chars().take(40).collect::<String>()),
            Kind::Integer(_) | Kind::Decimal(_) => "a number".into(),
            Kind::Date(_) => "a date".into(),
            Kind::DateTime(_) => "a date and time".into(),
            Kind::Time(_) => "a time".into(),
            Kind::Special(name) => format!("`${name}`"),
            Kind::Symbol(symbol) => format!("`{symbol}`"),
            Kind::End => "the end of the expression".into(),
        }
    }
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 24] = [
    "<=", ">=", "!=", "!~", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "&", "|", "<", ">",
    "=", "~", "%", ";",
];

/// Reads all tokens; the last is [`Kind::End`].
pub(super) fn tokens(source: &str) -> Result<Vec<Token<'_>>, Error> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank()?;
        let offset = lexer.at;
        let kind = lexer.next()?;
        let end = kind == Kind::End;
        tokens.push(Token { kind, offset });
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    /// Takes the characters for which the test holds.
    fn take_while(&mut self, test: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let end = rest.find(|c| !test(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    /// Skips white space and comments.
    fn skip_blank(&mut self) -> Result<(), Error> {
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
            if self.rest().starts_with("//") {
                self.take_while(|c| c != '\n' && c != '\r');
            } else if self.rest().starts_with("/*") {
                let Some(end) = self.rest().get(2..).and_then(|body| body.find("*/")) else {
                    return Err(Error::syntax(
                        self.at,
                        "the comment is not closed; end it with `*/`",
                    ));
                };
                self.at += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Result<Kind<'s>, Error> {
        let rest = self.rest();
        match rest.chars().next() {
            None => Ok(Kind::End),
            Some('\'') => Ok(Kind::String(self.quoted('\'')?)),
            Some('`') => Ok(Kind::Delimited(self.quoted('`')?)),
            Some('@') => self.temporal(),
            Some('$') => self.special(),
            Some(c) if c.is_ascii_digit() => self.number(),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => Ok(Kind::Name(self.name())),
            Some(c) => match SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
                Some(symbol) => {
                    self.at += symbol.len();
                    Ok(Kind::Symbol(symbol))
                }
                None => Err(Error::syntax(
                    self.at,
                    format!("the character `{c}` has no meaning here"),
                )),
            },
        }
    }

    fn name(&mut self) -> &'s str {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    fn special(&mut self) -> Result<Kind<'s>, Error> {
        let start = self.at;
        self.at += 1;
        match self.name() {
            name @ ("this" | "index" | "total") => Ok(Kind::Special(name)),
            name => Err(Error::syntax(
                start,
                format!("`${name}` is unknown; there are $this, $index and $total"),
            )),
        }
    }

    fn number(&mut self) -> Result<Kind<'s>, Error> {
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit());
        let fraction = self
            .rest()
            .strip_prefix('.')
            .is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
        if fraction {
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        let text = self.source.get(start..self.at).unwrap_or("");
        if fraction {
            let value = Decimal::from_str(text).map_err(|_| {
                Error::syntax(
                    start,
                    format!("the decimal {text} is out of range: at most 28 digits"),
                )
            })?;
            return Ok(Kind::Decimal(value));
        }
        text.parse().map(Kind::Integer).map_err(|_| {
            Error::syntax(
                start,
                format!("the integer {text} is greater than 2147483647; write it as {text}.0"),
            )
        })
    }

    /// A string or identifier between quotes, with its escapes resolved.
    fn quoted(&mut self, quote: char) -> Result<String, Error> {
        let start = self.at;
        let unclosed = || Error::syntax(start, format!("the text is not closed; end it with {quote}"));
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != quote && c != '\\'));
            let c = self.rest().chars().next().ok_or_else(unclosed)?;
            self.at += 1;
            if c == quote {
                return Ok(text);
            }
            let escape = self.rest().chars().next().ok_or_else(unclosed)?;
            self.at += escape.len_utf8();
            match escape {
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                't' => text.push('\t'),
                'f' => text.push('\u{c}'),
                'u' => match self.unicode() {
                    Some(c) => text.push(c),
                    None => text.push('u'),
                },
                // A backslash before any other character is dropped.
                other => text.push(other),
            }
        }
    }

    /// The four hexadecimal digits after `\u`; a pair of surrogates is one character.
    fn unicode(&mut self) -> Option<char> {
        let unit = |text: &str| {
            let digits = text
                .get(..4)
                .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
            u16::from_str_radix(digits, 16).ok()
        };
        let first = unit(self.rest())?;
        if let Some(c) = char::from_u32(u32::from(first)) {
            self.at += 4;
            return Some(c);
        }
        let second = unit(self.rest().get(4..)?.strip_prefix("\\u")?)?;
        let c = char::decode_utf16([first, second]).next()?.ok()?;
        self.at += 10;
        Some(c)
    }

    /// A date, a date and time, or a time, after `@`.
    fn temporal(&mut self) -> Result<Kind<'s>, Error> {
        let start = self.at;
        let bad = |text: &str| {
            Error::syntax(
                start,
                format!(
                    "`@{text}` is no date or time; write @2015-02-04, @2015-02-04T14:34:28Z, @2015T or @T14:34:28"
                ),
            )
        };
        self.at += 1;
        let length = temporal_length(self.rest().as_bytes());
        let text = self.rest().get(..length).unwrap_or("");
        self.at += length;
        let kind = match text.strip_prefix('T') {
            Some(time) => Time::parse(time).map(Kind::Time),
            None if text.contains('T') => DateTime::parse(text).map(Kind::DateTime),
            None => Date::parse(text).map(Kind::Date),
        };
        kind.ok_or_else(|| bad(text))
    }
}

/// How many bytes the longest date, date and time, or time at the start has; ranges are not checked.
fn temporal_length(bytes: &[u8]) -> usize {
    let digits = |at: usize, count: usize| {
        bytes
            .get(at..at + count)
            .is_some_and(|d| d.iter().all(u8::is_ascii_digit))
            .then_some(at + count)
    };
    let after = |at: usize, byte: u8, count: usize| {
        (bytes.get(at) == Some(&byte))
            .then(|| digits(at + 1, count))
            .flatten()
    };
    let date = digits(0, 4).map(|y| after(y, b'-', 2).map_or(y, |m| after(m, b'-', 2).unwrap_or(m)));
    let at = date.unwrap_or(0);
    if bytes.get(at) != Some(&b'T') {
        return at;
    }
    let Some(hour) = digits(at + 1, 2) else {
        return at + 1;
    };
    let mut end = hour;
    if let Some(minute) = after(hour, b':', 2) {
        end = minute;
        if let Some(second) = after(minute, b':', 2) {
            end = second;
            if let Some(first) = after(second, b'.', 1) {
                end = first
                    + bytes
                        .get(first..)
                        .map_or(0, |r| r.iter().take_while(|b| b.is_ascii_digit()).count());
            }
        }
    }
    if date.is_none() {
        return end;
    }
    match bytes.get(end) {
        Some(b'Z') => end + 1,
        Some(sign @ (b'+' | b'-')) => after(end, *sign, 2)
            .and_then(|h| after(h, b':', 2))
            .unwrap_or(end),
        _ => end,
    }
}
