//! A cursor over JSON text: tokens as slices, nothing allocated but strings with escapes (RFC 8259).

use std::borrow::Cow;

/// What is wrong with the text, and where.
#[derive(Clone, Debug)]
pub(super) struct SyntaxError {
    pub(super) offset: usize,
    pub(super) message: String,
}

type Result<T> = std::result::Result<T, SyntaxError>;

/// What kind of value comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}

impl Kind {
    /// With its article, for messages.
    pub(super) const fn described(self) -> &'static str {
        match self {
            Kind::Object => "an object",
            Kind::Array => "an array",
            Kind::String => "a string",
            Kind::Number => "a number",
            Kind::Boolean => "a boolean",
            Kind::Null => "null",
        }
    }
}

/// A cursor over JSON text that is known to be UTF-8.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Lexer {
            text,
            bytes: text.as_bytes(),
            at: 0,
        }
    }

    pub(super) fn raw(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    pub(super) fn error<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(SyntaxError {
            offset: self.at,
            message: message.into(),
        })
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// Whether nothing is left.
    pub(super) fn at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Goes past that byte if it comes next (after white space).
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    /// Goes past that byte or fails.
    pub(super) fn expect(&mut self, byte: u8, what: &str) -> Result<()> {
        if self.eat(byte) {
            Ok(())
        } else {
            self.unexpected(what)
        }
    }

    fn unexpected<T>(&self, wanted: &str) -> Result<T> {
        match self.text.get(self.at..).and_then(|t| t.chars().next()) {
            Some(c) => self.error(format!("This is not JSON: expected {wanted}, found {c:?}")),
            None => self.error(format!("The JSON ends too early: expected {wanted}")),
        }
    }

    /// The kind of the next value.
    pub(super) fn kind(&mut self) -> Result<Kind> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Boolean),
            Some(b'n') => Ok(Kind::Null),
            _ => self.unexpected("a value"),
        }
    }

    /// A string, unescaped; borrowed where there are no escapes.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>> {
        self.expect(b'"', "a string in double quotes")?;
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        for (i, byte) in rest.iter().enumerate() {
            match byte {
                b'"' => {
                    self.at = start + i + 1;
                    return Ok(Cow::Borrowed(self.raw(start, start + i)));
                }
                b'\\' => {
                    self.at = start + i;
                    return self.escaped_string(start).map(Cow::Owned);
                }
                0..=0x1F => {
                    self.at = start + i;
                    return self
                        .error("A control character in a string must be written as an escape, such as \\n");
                }
                _ => {}
            }
        }
        self.at = self.bytes.len();
        self.error("The JSON ends within a string: the closing quote is missing")
    }

    /// The rest of a string whose first escape is at the cursor.
    fn escaped_string(&mut self, start: usize) -> Result<String> {
        let mut out = String::from(self.raw(start, self.at));
        loop {
            let run = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1F)) {
                self.at += 1;
            }
            out.push_str(self.raw(run, self.at));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => {
                    return self
                        .error("A control character in a string must be written as an escape, such as \\n");
                }
                None => return self.error("The JSON ends within a string: the closing quote is missing"),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let simple = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => {
                return self.error(
                    "An unknown escape in a string: only \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX exist",
                );
            }
        };
        self.at += 2;
        Ok(simple)
    }

    fn unicode_escape(&mut self) -> Result<char> {
        let first = self.hex4(self.at)?;
        let code = match first {
            0xD800..=0xDBFF => {
                let low = match self.bytes.get(self.at + 6..self.at + 8) {
                    Some(b"\\u") => self.hex4(self.at + 6)?,
                    _ => 0,
                };
                if !(0xDC00..=0xDFFF).contains(&low) {
                    return self.error("Half of a surrogate pair in a \\u escape: both halves are needed");
                }
                self.at += 6;
                0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00)
            }
            0 => return self.error("The character U+0000 is not allowed in FHIR strings"),
            other => other,
        };
        match char::from_u32(code) {
            Some(c) => {
                self.at += 6;
                Ok(c)
            }
            None => self.error("Half of a surrogate pair in a \\u escape: both halves are needed"),
        }
    }

    fn hex4(&self, escape_at: usize) -> Result<u32> {
        let digits = self
            .text
            .get(escape_at + 2..escape_at + 6)
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|d| u32::from_str_radix(d, 16).ok()) {
            Some(code) => Ok(code),
            None => self.error("A \\u escape needs four hexadecimal digits"),
        }
    }

    /// A number's text, checked against the grammar.
    pub(super) fn number(&mut self) -> Result<&'a str> {
        self.skip_space();
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.at;
        self.digits("a digit")?;
        if self.at - whole > 1 && self.bytes.get(whole) == Some(&b'0') {
            self.at = whole;
            return self.error("This is not JSON: a number must not begin with a zero");
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("a digit after the decimal point")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits("a digit of the exponent")?;
        }
        Ok(self.raw(start, self.at))
    }

    fn digits(&mut self, what: &str) -> Result<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            self.unexpected(what)
        } else {
            Ok(())
        }
    }

    /// `true`, `false` or `null`, as text.
    pub(super) fn word(&mut self) -> Result<&'a str> {
        self.skip_space();
        for word in ["true", "false", "null"] {
            if self.text.get(self.at..).is_some_and(|t| t.starts_with(word)) {
                self.at += word.len();
                return Ok(self.raw(self.at - word.len(), self.at));
            }
        }
        self.unexpected("true, false or null")
    }

    /// Goes past one value of any kind, checking its syntax. `depth` bounds the nesting.
    pub(super) fn skip_value(&mut self, depth: usize) -> Result<()> {
        if depth == 0 {
            return self.error("The JSON is nested too deeply");
        }
        match self.kind()? {
            Kind::String => self.string().map(drop),
            Kind::Number => self.number().map(drop),
            Kind::Boolean | Kind::Null => self.word().map(drop),
            Kind::Array => {
                self.at += 1;
                if self.eat(b']') {
                    return Ok(());
                }
                loop {
                    self.skip_value(depth - 1)?;
                    if !self.eat(b',') {
                        return self.expect(b']', "',' or ']'");
                    }
                }
            }
            Kind::Object => {
                self.at += 1;
                if self.eat(b'}') {
                    return Ok(());
                }
                loop {
                    self.string()?;
                    self.expect(b':', "':'")?;
                    self.skip_value(depth - 1)?;
                    if !self.eat(b',') {
                        return self.expect(b'}', "',' or '}'");
                    }
                }
            }
        }
    }
}
