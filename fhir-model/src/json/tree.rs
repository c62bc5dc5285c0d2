//! [`Tree`]: any JSON as a tree that keeps every literal as it was written, for changes to a text of which all else stays.
//!
//! Invariant: what is read and written again is the same text but for white space between tokens: the order of members,
//! the escapes of strings and the digits of numbers stay (`1.50` stays `1.50`).
//! Invariant: a tree that was read is no deeper than the limits allow, so that walking it needs a bounded stack.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use super::lexer::{Kind, Lexer, SyntaxError};
use super::writer;
use crate::Decimal;
use crate::read::{FoundIssue, IssueKind, Limits, ReadError, locate};

/// A JSON value, its literals as written.
#[derive(Clone, Debug)]
pub enum Tree<'t> {
    /// `null`, `true`, `false` or a number, as written.
    Word(Cow<'t, str>),
    /// A string.
    String(Text<'t>),
    /// An array.
    Array(Vec<Tree<'t>>),
    /// An object, its members in order; no name twice.
    Object(Vec<(Text<'t>, Tree<'t>)>),
}

/// A JSON string literal, with its quotes and escapes.
#[derive(Clone, Debug)]
pub struct Text<'t>(Cow<'t, str>);

impl Text<'_> {
    /// The literal of that text, with no escapes but those that must be.
    pub fn of(text: &str) -> Text<'static> {
        let mut literal = Vec::with_capacity(text.len() + 2);
        writer::string(text, &mut literal);
        Text(Cow::Owned(String::from_utf8(literal).unwrap_or_default()))
    }

    /// The text that the literal stands for.
    pub fn value(&self) -> Cow<'_, str> {
        // Every literal was read by the same lexer, or made by `of`.
        Lexer::new(&self.0).string().unwrap_or_default()
    }

    /// Whether it stands for that text.
    pub fn is(&self, text: &str) -> bool {
        match self.0.contains('\\') {
            false => self.0.get(1..self.0.len().saturating_sub(1)) == Some(text),
            true => self.value() == text,
        }
    }
}

impl<'t> Tree<'t> {
    /// Bytes of memory that a value takes beside its literals, rounded up.
    const NODE: usize = 64;

    /// Reads any JSON within the limits of bytes, depth and elements.
    ///
    /// # Errors
    /// The text is not JSON, has a name twice in one object, or is beyond a limit.
    pub fn read(json: &'t [u8], limits: &Limits) -> Result<Self, ReadError> {
        let fail = |kind, error: SyntaxError| {
            let found = FoundIssue {
                kind,
                path: String::new(),
                message: error.message,
                offset: error.offset,
            };
            locate(json, vec![found])
        };
        let limit = |message: String| fail(IssueKind::Limit, SyntaxError { offset: 0, message });
        if json.len() > limits.bytes {
            return Err(limit(format!("The text has more than {} bytes", limits.bytes)));
        }
        let text = std::str::from_utf8(json).map_err(|error| {
            let message = "The text is not valid UTF-8".to_owned();
            let offset = error.valid_up_to();
            fail(IssueKind::Syntax, SyntaxError { offset, message })
        })?;
        let mut reader = Reader {
            lexer: Lexer::new(text),
            elements: limits.elements,
            limit: false,
        };
        match reader.document(limits.depth) {
            Ok(tree) => Ok(tree),
            Err(error) if reader.limit => Err(fail(IssueKind::Limit, error)),
            Err(error) => Err(fail(IssueKind::Syntax, error)),
        }
    }

    /// The string value of that text.
    pub fn string(text: &str) -> Tree<'static> {
        Tree::String(Text::of(text))
    }

    /// `null`
    pub const fn null() -> Tree<'static> {
        Tree::Word(Cow::Borrowed("null"))
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Tree::Word(word) if word == "null")
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        match self {
            Tree::String(text) => Some(text.value()),
            _ => None,
        }
    }

    /// The items of an array; none of anything else.
    pub fn items(&self) -> &[Tree<'t>] {
        match self {
            Tree::Array(items) => items,
            _ => &[],
        }
    }

    /// The members of an object; none of anything else.
    pub fn members(&self) -> &[(Text<'t>, Tree<'t>)] {
        match self {
            Tree::Object(members) => members,
            _ => &[],
        }
    }

    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Tree<'t>> {
        let found = self.members().iter().find(|(known, _)| known.is(name));
        found.map(|(_, value)| value)
    }

    /// The member of that name, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Tree<'t>> {
        let Tree::Object(members) = self else { return None };
        let found = members.iter_mut().find(|(known, _)| known.is(name));
        found.map(|(_, value)| value)
    }

    /// Sets a member in its place, or as the last. Anything but an object stays as it is.
    pub fn set(&mut self, name: &str, value: Tree<'t>) {
        match self.get_mut(name) {
            Some(place) => *place = value,
            None => {
                if let Tree::Object(members) = self {
                    members.push((Text::of(name), value));
                }
            }
        }
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<Tree<'t>> {
        let Tree::Object(members) = self else { return None };
        let at = members.iter().position(|(known, _)| known.is(name))?;
        Some(members.remove(at).1)
    }

    /// What it is, with its article, for messages.
    pub fn described(&self) -> &'static str {
        match self {
            Tree::Word(word) => match word.as_bytes().first() {
                Some(b'n') => Kind::Null.described(),
                Some(b't' | b'f') => Kind::Boolean.described(),
                _ => Kind::Number.described(),
            },
            Tree::String(_) => Kind::String.described(),
            Tree::Array(_) => Kind::Array.described(),
            Tree::Object(_) => Kind::Object.described(),
        }
    }

    /// Whether both are the same value, by the rules of RFC 6902, section 4.6: numbers by their value, strings by their
    /// characters, objects whatever the order of their members.
    pub fn same(&self, other: &Tree<'_>) -> bool {
        match (self, other) {
            (Tree::Word(a), Tree::Word(b)) => a == b || same_number(a, b),
            (Tree::String(a), Tree::String(b)) => a.0 == b.0 || a.value() == b.value(),
            (Tree::Array(a), Tree::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.same(y)),
            (Tree::Object(a), Tree::Object(b)) => a.len() == b.len() && same_members(a, b),
            _ => false,
        }
    }

    /// The memory that the value takes, in bytes, about: what a copy of it costs.
    pub fn weight(&self) -> usize {
        let content = match self {
            Tree::Word(word) => word.len(),
            Tree::String(text) => text.0.len(),
            Tree::Array(items) => items.iter().map(Tree::weight).sum(),
            Tree::Object(members) => members
                .iter()
                .map(|(name, value)| name.0.len() + value.weight())
                .sum(),
        };
        content + Self::NODE
    }

    /// Levels of arrays and objects within each other; 0 for a literal.
    pub fn depth(&self) -> usize {
        match self {
            Tree::Word(_) | Tree::String(_) => 0,
            Tree::Array(items) => 1 + items.iter().map(Tree::depth).max().unwrap_or(0),
            Tree::Object(members) => 1 + members.iter().map(|(_, v)| v.depth()).max().unwrap_or(0),
        }
    }

    /// The same, its literals its own.
    pub fn to_owned_tree<'o>(&self) -> Tree<'o> {
        let owned = |text: &str| Cow::Owned(text.to_owned());
        match self {
            Tree::Word(word) => Tree::Word(owned(word)),
            Tree::String(text) => Tree::String(Text(owned(&text.0))),
            Tree::Array(items) => Tree::Array(items.iter().map(Tree::to_owned_tree).collect()),
            Tree::Object(members) => {
                let member =
                    |(name, value): &(Text<'t>, Tree<'t>)| (Text(owned(&name.0)), value.to_owned_tree());
                Tree::Object(members.iter().map(member).collect())
            }
        }
    }

    /// The JSON text, without white space.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Tree::Word(word) => out.extend_from_slice(word.as_bytes()),
            Tree::String(text) => out.extend_from_slice(text.0.as_bytes()),
            Tree::Array(items) => {
                out.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Tree::Object(members) => {
                out.push(b'{');
                for (i, (name, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(name.0.as_bytes());
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }
}

fn same_number(a: &str, b: &str) -> bool {
    match (a.parse::<Decimal>(), b.parse::<Decimal>()) {
        (Ok(a), Ok(b)) => a.compare(&b) == Ordering::Equal,
        _ => false,
    }
}

/// Above this, members are looked up by a table.
const FEW: usize = 16;

fn same_members(a: &[(Text<'_>, Tree<'_>)], b: &[(Text<'_>, Tree<'_>)]) -> bool {
    if b.len() <= FEW {
        return a.iter().all(|(name, value)| {
            let name = name.value();
            b.iter().any(|(other, v)| other.is(&name) && value.same(v))
        });
    }
    let table: std::collections::HashMap<Cow<'_, str>, &Tree<'_>> =
        b.iter().map(|(name, value)| (name.value(), value)).collect();
    a.iter()
        .all(|(name, value)| table.get(&name.value()).is_some_and(|v| value.same(v)))
}

struct Reader<'t> {
    lexer: Lexer<'t>,
    elements: usize,
    /// Whether what fails is a limit.
    limit: bool,
}

type Syntax<T> = Result<T, SyntaxError>;

impl<'t> Reader<'t> {
    fn document(&mut self, depth: usize) -> Syntax<Tree<'t>> {
        let tree = self.value(depth)?;
        self.lexer.skip_space();
        match self.lexer.at_end() {
            true => Ok(tree),
            false => self.lexer.error("Something follows after the end of the JSON"),
        }
    }

    fn value(&mut self, depth: usize) -> Syntax<Tree<'t>> {
        let kind = self.lexer.kind()?;
        if self.elements == 0 {
            self.limit = true;
            return self
                .lexer
                .error("The JSON has too many values: send fewer, or in parts");
        }
        self.elements -= 1;
        let nests = matches!(kind, Kind::Array | Kind::Object);
        if nests && depth == 0 {
            self.limit = true;
            return self.lexer.error("The JSON is nested too deeply");
        }
        match kind {
            Kind::String => self.text().map(Tree::String),
            Kind::Number => self.lexer.number().map(|n| Tree::Word(Cow::Borrowed(n))),
            Kind::Boolean | Kind::Null => self.lexer.word().map(|w| Tree::Word(Cow::Borrowed(w))),
            Kind::Array => self.array(depth - 1),
            Kind::Object => self.object(depth - 1),
        }
    }

    fn text(&mut self) -> Syntax<Text<'t>> {
        self.lexer.skip_space();
        let start = self.lexer.at;
        self.lexer.string()?;
        Ok(Text(Cow::Borrowed(self.lexer.raw(start, self.lexer.at))))
    }

    fn array(&mut self, depth: usize) -> Syntax<Tree<'t>> {
        self.lexer.at += 1;
        let mut items = Vec::new();
        if self.lexer.eat(b']') {
            return Ok(Tree::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            if !self.lexer.eat(b',') {
                self.lexer.expect(b']', "',' or ']'")?;
                return Ok(Tree::Array(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Syntax<Tree<'t>> {
        self.lexer.at += 1;
        let mut members: Vec<(Text<'t>, Tree<'t>)> = Vec::new();
        let mut names: HashSet<String> = HashSet::new();
        if self.lexer.eat(b'}') {
            return Ok(Tree::Object(members));
        }
        loop {
            self.lexer.skip_space();
            let start = self.lexer.at;
            let name = self.text()?;
            let value = name.value();
            let twice = match members.len() {
                0..=FEW => members.iter().any(|(known, _)| known.is(&value)),
                _ => {
                    if names.is_empty() {
                        names.extend(members.iter().map(|(known, _)| known.value().into_owned()));
                    }
                    !names.insert(value.clone().into_owned())
                }
            };
            if twice {
                let message = format!("The object has the member {} twice", crate::read::quoted(&value));
                return Err(SyntaxError {
                    offset: start,
                    message,
                });
            }
            self.lexer.expect(b':', "':'")?;
            let value = self.value(depth)?;
            members.push((name, value));
            if !self.lexer.eat(b',') {
                self.lexer.expect(b'}', "',' or '}'")?;
                return Ok(Tree::Object(members));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tree<'_>, ReadError> {
        Tree::read(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn literals_and_order_come_back_as_written() {
        let text = r#"{"b":[1.50,-0,1E+2,"\u00e9\/",true,null,{}],"\u0061":"x","c":[]}"#;
        assert_eq!(String::from_utf8(read(text).unwrap().to_vec()).unwrap(), text);
        let spaced = " { \"a\" :\n[ 1 , \"a b\" ] } ";
        assert_eq!(read(spaced).unwrap().to_vec(), br#"{"a":[1,"a b"]}"#);
    }

    #[test]
    fn members_are_found_and_changed_by_their_names() {
        let mut tree = read(r#"{"\u0061":1,"b":2}"#).unwrap();
        assert!(tree.get("a").is_some() && tree.get("c").is_none());
        tree.set("a", Tree::string("x\"y"));
        tree.set("c", Tree::null());
        assert!(tree.remove("b").is_some());
        assert_eq!(tree.to_vec(), br#"{"\u0061":"x\"y","c":null}"#);
    }

    #[test]
    fn values_are_the_same_whatever_their_form() {
        for (a, b, same) in [
            ("1.50", "15e-1", true),
            ("0", "-0.0", true),
            ("1", "\"1\"", false),
            ("true", "false", false),
            (r#""\u0061""#, r#""a""#, true),
            (r#"{"a":1,"b":[2]}"#, r#"{"b":[2.0],"a":1}"#, true),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
            ("[1,2]", "[2,1]", false),
            ("null", "null", true),
        ] {
            assert_eq!(read(a).unwrap().same(&read(b).unwrap()), same, "{a} {b}");
        }
        let many = |last: &str| {
            let names: Vec<String> = (0..40).map(|i| format!("\"n{i}\":{i}")).collect();
            format!("{{{},\"z\":{last}}}", names.join(","))
        };
        let (a, b) = (many("1"), many("2"));
        assert!(read(&a).unwrap().same(&read(&a).unwrap()) && !read(&a).unwrap().same(&read(&b).unwrap()));
    }

    #[test]
    fn what_is_not_json_or_beyond_the_limits_is_refused() {
        for bad in [
            "",
            "{",
            "[1,]",
            "{\"a\":1}x",
            "{\"a\":1,\"\\u0061\":2}",
            "01",
            "\"\u{1}\"",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let twice: Vec<String> = (0..30).chain([20]).map(|i| format!("\"n{i}\":0")).collect();
        assert!(read(&format!("{{{}}}", twice.join(","))).is_err());
        let limits = Limits {
            depth: 2,
            elements: 4,
            bytes: 40,
            ..Limits::default()
        };
        let of = |text: &str| match Tree::read(text.as_bytes(), &limits) {
            Ok(_) => None,
            Err(error) => Some(error.issues[0].kind),
        };
        assert_eq!(of("[[1]]"), None);
        for beyond in [
            "[[[]]]",
            "[1,2,3,4]",
            "\"0123456789012345678901234567890123456789\"",
        ] {
            assert_eq!(of(beyond), Some(IssueKind::Limit), "{beyond}");
        }
        assert_eq!(read("[[1],{\"a\":{}}]").unwrap().depth(), 3);
        assert!(read("[1,2]").unwrap().weight() > read("[1]").unwrap().weight());
    }
}
