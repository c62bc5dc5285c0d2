//! [`Expression`]: the compiled form that the rest of the program holds.
//!
//! Invariant: an expression never changes after it is compiled, but for what it remembers to be quicker.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::check::{self, Strictness};
use super::environment::Environment;
use super::error::Error;
use super::eval::Evaluator;
use super::parser;
use super::plan::{Base, Expr, Kind, Operator, StepKind};
use super::value::Collection;

/// A FHIRPath expression, compiled. Cloning is cheap, and threads may share it.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    source: String,
    plan: Expr,
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// [`Error::Syntax`] where it is not of the grammar, [`Error::Semantic`] for an unknown function or a wrong number
    /// of arguments, [`Error::Limit`] where it is too long or nests too deep.
    pub fn compile(source: &str) -> Result<Self, Error> {
        let plan = parser::parse(source)?;
        Ok(Expression(Arc::new(Compiled {
            source: source.to_owned(),
            plan,
        })))
    }

    /// Evaluates the expression on a resource, an element, a collection, or nothing (`()`).
    ///
    /// The result borrows from all three: the expression (its literals), the input, and the environment (resolved
    /// resources).
    ///
    /// # Errors
    /// [`Error::Execution`] where the expression does not fit the data, [`Error::Limit`] where the evaluation would
    /// take more than the environment's limits.
    pub fn evaluate<'a>(
        &'a self,
        input: impl Into<Collection<'a>>,
        environment: &'a Environment<'a>,
    ) -> Result<Collection<'a>, Error> {
        Evaluator::run(&self.0.plan, input.into(), environment)
    }

    /// Evaluates the expression to one truth value: empty is false, one boolean is itself, anything else is true.
    /// What criteria need, as those of `where()`.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn is_true<'a>(
        &'a self,
        input: impl Into<Collection<'a>>,
        environment: &'a Environment<'a>,
    ) -> Result<bool, Error> {
        let result = self.evaluate(input, environment)?;
        Ok(match &*result {
            [] => false,
            [value] => value.as_bool().unwrap_or(true),
            _ => true,
        })
    }

    /// Evaluates the expression as an invariant: broken only if the result is one `false`. Where the elements that it
    /// speaks of are missing it is empty, and there is nothing to break (a Reference with a display only and ref-1).
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn holds<'a>(
        &'a self,
        input: impl Into<Collection<'a>>,
        environment: &'a Environment<'a>,
    ) -> Result<bool, Error> {
        let result = self.evaluate(input, environment)?;
        Ok(!matches!(&*result, [value] if value.as_bool() == Some(false)))
    }

    /// Checks the expression against the type of its input, such as `Patient` or `Patient.contact`: names of elements
    /// and types, the operands of operators, the input of functions.
    ///
    /// # Errors
    /// [`Error::Semantic`] for the first thing that cannot make sense.
    pub fn check(&self, context: &str) -> Result<(), Error> {
        check::check(&self.0.plan, context, Strictness::default())
    }

    /// Checks the expression as [`Expression::check`] does, as strictly as asked.
    ///
    /// # Errors
    /// [`Error::Semantic`] for the first thing that cannot make sense.
    pub fn check_with(&self, context: &str, strictness: Strictness) -> Result<(), Error> {
        check::check(&self.0.plan, context, strictness)
    }

    /// The operands where the whole expression is a union, else the expression itself.
    pub fn branches(&self) -> Vec<Expression> {
        let whole = || vec![self.clone()];
        let Kind::Chain { links, .. } = &self.0.plan.kind else {
            return whole();
        };
        if links.iter().any(|link| link.operator != Operator::Union) {
            return whole();
        }
        let source = self.source();
        let starts = std::iter::once(0).chain(links.iter().map(|link| link.offset + 1));
        let ends = links.iter().map(|link| link.offset).chain([source.len()]);
        // Of a union in parentheses the pieces are no expressions.
        let pieces: Option<Vec<_>> = starts
            .zip(ends)
            .map(|(start, end)| Expression::compile(source.get(start..end)?.trim()).ok())
            .collect();
        pieces.unwrap_or_else(whole)
    }

    /// The name that the path starts with where that is a type's, as `Patient` in `(Patient.deceased as dateTime)`; the
    /// expression finds nothing in resources of other types. `None` where a union starts in several ways.
    pub fn root_type(&self) -> Option<&str> {
        let mut expr = &self.0.plan;
        loop {
            match &expr.kind {
                Kind::Path(path) => match (&path.base, path.steps.first().map(|step| &step.kind)) {
                    (Base::Focus, Some(StepKind::Root(_, name))) => return Some(name.as_str()),
                    (Base::Expr(inner), _) => expr = inner,
                    _ => return None,
                },
                Kind::Chain { first, links } if links.iter().all(|l| l.operator != Operator::Union) => {
                    expr = first;
                }
                _ => return None,
            }
        }
    }

    /// The expression as written.
    pub fn source(&self) -> &str {
        &self.0.source
    }
}

impl FromStr for Expression {
    type Err = Error;
    fn from_str(source: &str) -> Result<Self, Error> {
        Expression::compile(source)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.0.source).finish()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branches(source: &str) -> Vec<String> {
        let expression = Expression::compile(source).unwrap();
        expression
            .branches()
            .iter()
            .map(|e| e.source().to_owned())
            .collect()
    }

    #[test]
    fn a_union_falls_into_its_operands() {
        assert_eq!(
            branches("Patient.name | Person.name"),
            ["Patient.name", "Person.name"]
        );
        assert_eq!(
            branches("(a as Quantity) | a.where(b = 'x|y' | c).d|e"),
            ["(a as Quantity)", "a.where(b = 'x|y' | c).d", "e"]
        );
        assert_eq!(branches("(a | b) | c"), ["(a | b)", "c"]);
        for whole in ["(a | b)", "(a | b).c", "a | b and c", "a", "a as B", "1 + 2"] {
            assert_eq!(branches(whole), [whole]);
        }
    }

    #[test]
    fn the_type_that_a_path_starts_from_is_known() {
        let root = |source: &str| {
            Expression::compile(source)
                .unwrap()
                .root_type()
                .map(str::to_owned)
        };
        assert_eq!(root("Patient.name.given").as_deref(), Some("Patient"));
        assert_eq!(root("(Patient.deceased as dateTime)").as_deref(), Some("Patient"));
        assert_eq!(
            root("(Patient.a).b.exists() and Patient.c != false").as_deref(),
            Some("Patient")
        );
        assert_eq!(root("name.given"), None);
        assert_eq!(root("(Patient.a | Group.b).c"), None);
        assert_eq!(root("%resource.id"), None);
    }
}
