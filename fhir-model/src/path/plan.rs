//! The compiled form of an expression.
//!
//! Chains are flat: `a.b.c` is one [`Path`] with three steps, `1 + 2 + 3` one [`Kind::Chain`] with two links, so the
//! depth of the tree is the nesting of brackets only, which the parser bounds.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use regex::Regex;
use rust_decimal::Decimal;

use super::functions::{Family, Function};
use super::quantity::Quantity;
use super::temporal::{Date, DateTime, Time};
use super::types::TypeSpecifier;
use crate::reflect::{Field, TypeInfo};

/// An expression and where it starts.
#[derive(Debug)]
pub(super) struct Expr {
    pub(super) kind: Kind,
    pub(super) offset: usize,
}

/// An expression.
#[derive(Debug)]
pub(super) enum Kind {
    /// `{}`
    Empty,
    Literal(Literal),
    Path(Path),
    /// `-x` or `+x`
    Polarity {
        negative: bool,
        operand: Box<Expr>,
    },
    /// Operators of one precedence from left to right: `first op second op third`.
    Chain {
        first: Box<Expr>,
        links: Vec<Link>,
    },
}

/// A value written in the expression.
#[derive(Debug)]
pub(super) enum Literal {
    Boolean(bool),
    Integer(i32),
    Decimal(Decimal),
    String(String),
    Date(Date),
    DateTime(DateTime),
    Time(Time),
    Quantity(Quantity<'static>),
}

/// A start and the steps taken from it.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) base: Base,
    pub(super) steps: Vec<Step>,
}

/// Where a path starts.
#[derive(Debug)]
pub(super) enum Base {
    /// The focus: `name` is a step from it.
    Focus,
    /// `$this`
    This,
    /// `$index`
    Index,
    /// `$total`
    Total,
    /// `%name`
    Variable(String),
    /// A literal or an expression in parentheses.
    Expr(Box<Expr>),
}

/// One step of a path and where it stands.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) kind: StepKind,
    pub(super) offset: usize,
}

/// One step of a path.
#[derive(Debug)]
pub(super) enum StepKind {
    /// The name at the start of a path that is a type's: keeps the items of that type, or else is a member.
    Root(TypeSpecifier, Name),
    Member(Name),
    /// `[…]`
    Index(Expr),
    Call(Call),
    /// `.$this`, `.$index`, `.$total`
    Special(Base),
}

/// A call of a function.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) function: Function,
    pub(super) family: Family,
    pub(super) args: Vec<Expr>,
    /// The argument of `is`, `as` and `ofType`.
    pub(super) specifier: Option<TypeSpecifier>,
    /// The compiled pattern, where it is a literal.
    pub(super) regex: OnceLock<Regex>,
}

/// An operator and its right operand.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) operator: Operator,
    pub(super) offset: usize,
    pub(super) right: Right,
}

/// What stands right of an operator.
#[derive(Debug)]
pub(super) enum Right {
    Expr(Expr),
    Type(TypeSpecifier),
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Multiply,
    Divide,
    Div,
    Mod,
    Add,
    Subtract,
    Concatenate,
    Is,
    As,
    Union,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Equivalent,
    NotEquivalent,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}

impl Operator {
    /// The operator's sign and how strongly it binds, from 1 (`implies`) to 10 (`*`).
    pub(super) const ALL: [(Operator, &'static str, u8); 24] = {
        use Operator::*;
        [
            (Multiply, "*", 10),
            (Divide, "/", 10),
            (Div, "div", 10),
            (Mod, "mod", 10),
            (Add, "+", 9),
            (Subtract, "-", 9),
            (Concatenate, "&", 9),
            (Is, "is", 8),
            (As, "as", 8),
            (Union, "|", 7),
            (Less, "<", 6),
            (LessOrEqual, "<=", 6),
            (Greater, ">", 6),
            (GreaterOrEqual, ">=", 6),
            (Equal, "=", 5),
            (NotEqual, "!=", 5),
            (Equivalent, "~", 5),
            (NotEquivalent, "!~", 5),
            (In, "in", 4),
            (Contains, "contains", 4),
            (And, "and", 3),
            (Or, "or", 2),
            (Xor, "xor", 2),
            (Implies, "implies", 1),
        ]
    };

    /// The operator as written.
    pub(super) fn sign(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(o, ..)| *o == self)
            .map_or("", |(_, sign, _)| sign)
    }
}

/// The name of an element, which remembers at which index it was found last.
#[derive(Debug)]
pub(super) struct Name {
    text: String,
    last: AtomicU32,
}

impl Name {
    pub(super) fn new(text: String) -> Self {
        Name {
            text,
            last: AtomicU32::new(0),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The element of that name in a type. A path mostly meets one type, so the last index is tried first.
    pub(super) fn field(&self, info: &'static TypeInfo) -> Option<(usize, &'static Field)> {
        let last = self.last.load(Ordering::Relaxed) as usize;
        if let Some(field) = info.fields.get(last).filter(|f| f.name == self.text) {
            return Some((last, field));
        }
        let found = info.field(&self.text)?;
        self.last
            .store(u32::try_from(found.0).unwrap_or(0), Ordering::Relaxed);
        Some(found)
    }
}
