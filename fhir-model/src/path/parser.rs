//! Tokens to a plan (<https://hl7.org/fhirpath/N1/#formal-syntax>), by precedence climbing.
//!
//! Invariant: recursion happens only through brackets and unary signs, and each is counted against
//! [`MAX_NESTING`].

use std::borrow::Cow;
use std::sync::OnceLock;

use rust_decimal::Decimal;

use super::error::Error;
use super::functions::Function;
use super::lexer::{self, Kind as Tok, Token};
use super::limits::{MAX_LENGTH, MAX_NESTING};
use super::plan::{Base, Call, Expr, Kind, Link, Literal, Name, Operator, Path, Right, Step, StepKind};
use super::quantity::{Calendar, Quantity, Unit};
use super::types::TypeSpecifier;

/// Reads an expression.
///
/// # Errors
/// It is not of the grammar, names an unknown function, or is longer or nests deeper than allowed.
pub(super) fn parse(source: &str) -> Result<Expr, Error> {
    if source.len() > MAX_LENGTH {
        return Err(Error::limit(format!(
            "the expression has {} bytes; at most {MAX_LENGTH} are read",
            source.len()
        )));
    }
    let tokens = lexer::tokens(source)?;
    let mut parser = Parser {
        tokens: &tokens,
        next: 0,
        depth: 0,
    };
    let expr = parser.expression(1)?;
    match parser.peek() {
        Tok::End => Ok(expr),
        other => Err(parser.unexpected(other, "an operator, `.` or the end")),
    }
}

/// Words of the grammar that cannot be element names without backticks.
const RESERVED: [&str; 8] = ["and", "or", "xor", "implies", "div", "mod", "true", "false"];

struct Parser<'t, 's> {
    tokens: &'t [Token<'s>],
    next: usize,
    depth: usize,
}

impl<'t, 's> Parser<'t, 's> {
    fn peek(&self) -> &'t Tok<'s> {
        self.tokens.get(self.next).map_or(&Tok::End, |t| &t.kind)
    }

    fn offset(&self) -> usize {
        self.tokens
            .get(self.next)
            .or(self.tokens.last())
            .map_or(0, |t| t.offset)
    }

    fn advance(&mut self) {
        self.next += 1;
    }

    fn unexpected(&self, found: &Tok<'_>, expected: &str) -> Error {
        Error::syntax(
            self.offset(),
            format!("found {}, expected {expected}", found.describe()),
        )
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Tok::Symbol(s) if *s == symbol);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Error> {
        if self.eat(symbol) {
            return Ok(());
        }
        Err(self.unexpected(self.peek(), &format!("`{symbol}`")))
    }

    /// Runs a reader one level deeper.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(Error::limit(format!(
                "the expression nests deeper than {MAX_NESTING} levels"
            )));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// The operator at this place and how strongly it binds.
    fn operator(&self) -> Option<(Operator, u8)> {
        let sign = match self.peek() {
            Tok::Symbol(sign) => sign,
            Tok::Name(name) => name,
            _ => return None,
        };
        Operator::ALL
            .iter()
            .find(|(_, s, _)| s == sign)
            .map(|(operator, _, binding)| (*operator, *binding))
    }

    /// An expression of operators that bind at least that strongly.
    fn expression(&mut self, least: u8) -> Result<Expr, Error> {
        let mut left = self.unary()?;
        // Chains grow at the end; an operator that binds less strongly takes the whole chain as its first operand.
        let mut chain: Option<u8> = None;
        while let Some((operator, binding)) = self.operator().filter(|(_, binding)| *binding >= least) {
            let offset = self.offset();
            self.advance();
            let right = match operator {
                Operator::Is | Operator::As => Right::Type(self.type_specifier()?),
                _ => Right::Expr(self.nested(|p| p.expression(binding + 1))?),
            };
            let link = Link {
                operator,
                offset,
                right,
            };
            match (&mut left.kind, chain) {
                (Kind::Chain { links, .. }, Some(level)) if level == binding => links.push(link),
                _ => {
                    let at = left.offset;
                    let kind = Kind::Chain {
                        first: Box::new(left),
                        links: vec![link],
                    };
                    left = Expr { kind, offset: at };
                    chain = Some(binding);
                }
            }
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, Error> {
        let offset = self.offset();
        let negative = match self.peek() {
            Tok::Symbol("-") => true,
            Tok::Symbol("+") => false,
            _ => return self.path(),
        };
        self.advance();
        let operand = Box::new(self.nested(Self::unary)?);
        Ok(Expr {
            kind: Kind::Polarity { negative, operand },
            offset,
        })
    }

    /// A term and the steps after it.
    fn path(&mut self) -> Result<Expr, Error> {
        let offset = self.offset();
        let (base, mut steps) = self.term()?;
        loop {
            let at = self.offset();
            if self.eat(".") {
                let at = self.offset();
                let kind = self.invocation(false)?;
                steps.push(Step { kind, offset: at });
            } else if self.eat("[") {
                let index = self.nested(|p| p.expression(1))?;
                self.expect("]")?;
                steps.push(Step {
                    kind: StepKind::Index(index),
                    offset: at,
                });
            } else {
                break;
            }
        }
        match (base, steps.is_empty()) {
            // A literal or parenthesis without steps stands for itself.
            (Base::Expr(expr), true) => Ok(*expr),
            (base, _) => Ok(Expr {
                kind: Kind::Path(Path { base, steps }),
                offset,
            }),
        }
    }

    fn term(&mut self) -> Result<(Base, Vec<Step>), Error> {
        let offset = self.offset();
        let expr = |kind| Base::Expr(Box::new(Expr { kind, offset }));
        let base = match self.peek() {
            Tok::Symbol("(") => {
                self.advance();
                let inner = self.nested(|p| p.expression(1))?;
                self.expect(")")?;
                Base::Expr(Box::new(inner))
            }
            Tok::Symbol("{") => {
                self.advance();
                self.expect("}")?;
                expr(Kind::Empty)
            }
            Tok::Symbol("%") => {
                self.advance();
                Base::Variable(self.variable()?)
            }
            Tok::Special(_) => match self.special() {
                Some(base) => base,
                None => return Err(self.unexpected(self.peek(), "a value")),
            },
            _ => match self.literal() {
                Some(literal) => expr(Kind::Literal(literal)),
                None => {
                    let step = Step {
                        kind: self.invocation(true)?,
                        offset,
                    };
                    return Ok((Base::Focus, vec![step]));
                }
            },
        };
        Ok((base, Vec::new()))
    }

    fn literal(&mut self) -> Option<Literal> {
        let literal = match self.peek() {
            Tok::Name("true") => Literal::Boolean(true),
            Tok::Name("false") => Literal::Boolean(false),
            Tok::String(text) => Literal::String(text.clone()),
            Tok::Integer(value) => {
                self.advance();
                return Some(match self.unit() {
                    Some(unit) => Literal::Quantity(Quantity {
                        value: Decimal::from(*value),
                        unit,
                    }),
                    None => Literal::Integer(*value),
                });
            }
            Tok::Decimal(value) => {
                self.advance();
                return Some(match self.unit() {
                    Some(unit) => Literal::Quantity(Quantity { value: *value, unit }),
                    None => Literal::Decimal(*value),
                });
            }
            Tok::Date(date) => Literal::Date(*date),
            Tok::DateTime(at) => Literal::DateTime(*at),
            Tok::Time(time) => Literal::Time(*time),
            _ => return None,
        };
        self.advance();
        Some(literal)
    }

    /// The unit after a number: a string or a calendar keyword.
    fn unit(&mut self) -> Option<Unit<'static>> {
        let unit = match self.peek() {
            Tok::String(text) => Unit::of_text(Cow::Owned(text.clone())),
            Tok::Name(word) => Unit::Calendar(Calendar::of_keyword(word)?),
            _ => return None,
        };
        self.advance();
        Some(unit)
    }

    fn special(&mut self) -> Option<Base> {
        let base = match self.peek() {
            Tok::Special("this") => Base::This,
            Tok::Special("index") => Base::Index,
            Tok::Special("total") => Base::Total,
            _ => return None,
        };
        self.advance();
        Some(base)
    }

    fn variable(&mut self) -> Result<String, Error> {
        let name = match self.peek() {
            Tok::Name(name) => (*name).to_owned(),
            Tok::Delimited(name) | Tok::String(name) => name.clone(),
            other => return Err(self.unexpected(other, "the name of a variable")),
        };
        self.advance();
        Ok(name)
    }

    /// A member, a function, or a special variable.
    fn invocation(&mut self, first: bool) -> Result<StepKind, Error> {
        if let Some(base) = self.special() {
            return Ok(StepKind::Special(base));
        }
        let offset = self.offset();
        let name = self.identifier(first)?;
        if self.eat("(") {
            return self.call(&name, offset).map(StepKind::Call);
        }
        // Types begin with a capital letter, elements never do.
        if first && name.starts_with(|c: char| c.is_ascii_uppercase()) {
            let specifier = TypeSpecifier::new(std::slice::from_ref(&name));
            if specifier.fhir.is_some() {
                return Ok(StepKind::Root(specifier, Name::new(name)));
            }
        }
        Ok(StepKind::Member(Name::new(name)))
    }

    /// A name. After a dot a reserved word can only be a name; at the start of a term it is taken for a mistake.
    fn identifier(&mut self, first: bool) -> Result<String, Error> {
        let name = match self.peek() {
            Tok::Name(name) if !(first && RESERVED.contains(name)) => (*name).to_owned(),
            Tok::Delimited(name) => name.clone(),
            other => return Err(self.unexpected(other, "a path, a literal or a function")),
        };
        self.advance();
        Ok(name)
    }

    fn call(&mut self, name: &str, offset: usize) -> Result<Call, Error> {
        let Some(function) = Function::of_name(name) else {
            let cure =
                Function::like(name).map_or(String::new(), |like| format!("; did you mean `{like}()`?"));
            return Err(Error::semantic(
                offset,
                format!("there is no function `{name}()`{cure}"),
            ));
        };
        let mut call = Call {
            function,
            family: function.family(),
            args: Vec::new(),
            specifier: None,
            regex: OnceLock::new(),
        };
        if function.takes_type() {
            call.specifier = Some(self.type_specifier()?);
            self.expect(")")?;
            return Ok(call);
        }
        if !self.eat(")") {
            loop {
                call.args.push(self.nested(|p| p.expression(1))?);
                if !self.eat(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        let (least, most) = function.arity();
        if (least..=most).contains(&call.args.len()) {
            return Ok(call);
        }
        let wanted = if least == most {
            least.to_string()
        } else {
            format!("{least} to {most}")
        };
        Err(Error::semantic(
            offset,
            format!(
                "`{name}()` takes {wanted} arguments, here are {}",
                call.args.len()
            ),
        ))
    }

    fn type_specifier(&mut self) -> Result<TypeSpecifier, Error> {
        let mut identifiers = vec![self.type_name()?];
        while self.eat(".") {
            identifiers.push(self.type_name()?);
        }
        Ok(TypeSpecifier::new(&identifiers))
    }

    fn type_name(&mut self) -> Result<String, Error> {
        match self.peek() {
            Tok::Name(_) | Tok::Delimited(_) => self.identifier(false),
            other => Err(self.unexpected(other, "the name of a type")),
        }
    }
}
