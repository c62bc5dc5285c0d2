//! Evaluates a plan: expressions, operators and variables. Navigation is in `walk`, the functions in `functions`.
//!
//! Invariant: nothing is cloned but borrowed nodes and System values; resources never are.

use std::borrow::Cow;

use super::arithmetic;
use super::environment::Environment;
use super::error::Error;
use super::functions::one;
use super::limits::Meter;
use super::plan::{Base, Expr, Kind, Link, Literal, Operator, Path, Right, Step, StepKind};
use super::types::TypeSpecifier;
use super::value::{Collection, System, Value};
use crate::reflect::{Node, TypeKind};

/// The focus of an expression and the variables of the iteration around it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a, 's> {
    /// `$this`: one item within an iteration, the whole input outside.
    pub(super) this: &'s [Value<'a>],
    /// `$index`
    pub(super) index: Option<usize>,
    /// `$total`
    pub(super) total: Option<&'s [Value<'a>]>,
}

/// The state of one evaluation.
pub(super) struct Evaluator<'a> {
    pub(super) env: &'a Environment<'a>,
    pub(super) meter: Meter<'a>,
    /// `%context`
    context: Collection<'a>,
    /// Variables that `defineVariable` has made, the innermost last.
    variables: Vec<(Cow<'a, str>, Collection<'a>)>,
}

impl<'a> Evaluator<'a> {
    /// Evaluates an expression on an input.
    pub(super) fn run(
        expr: &'a Expr,
        input: Collection<'a>,
        env: &'a Environment<'a>,
    ) -> Result<Collection<'a>, Error> {
        let mut evaluator = Evaluator {
            env,
            meter: Meter::new(env.limits()),
            context: input.clone(),
            variables: Vec::new(),
        };
        evaluator.eval(
            expr,
            Scope {
                this: &input,
                index: None,
                total: None,
            },
        )
    }

    /// Evaluates an expression; variables that it defines do not outlive it.
    pub(super) fn scoped(&mut self, expr: &'a Expr, scope: Scope<'a, '_>) -> Result<Collection<'a>, Error> {
        let defined = self.variables.len();
        let result = self.eval(expr, scope);
        self.variables.truncate(defined);
        result
    }

    /// Evaluates an expression for one item of an iteration.
    pub(super) fn on_item(
        &mut self,
        expr: &'a Expr,
        item: &Value<'a>,
        index: usize,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        self.scoped(
            expr,
            Scope {
                this: std::slice::from_ref(item),
                index: Some(index),
                total: scope.total,
            },
        )
    }

    pub(super) fn eval(&mut self, expr: &'a Expr, scope: Scope<'a, '_>) -> Result<Collection<'a>, Error> {
        self.meter.step()?;
        match &expr.kind {
            Kind::Empty => Ok(Collection::new()),
            Kind::Literal(literal) => Ok(literal_value(literal).into()),
            Kind::Path(path) => {
                self.meter.enter()?;
                let result = self.path(path, scope);
                self.meter.leave();
                result
            }
            Kind::Polarity { negative, operand } => self.polarity(*negative, operand, expr.offset, scope),
            Kind::Chain { first, links } => {
                self.meter.enter()?;
                let mut value = self.scoped(first, scope)?;
                for link in links {
                    value = self.link(value, link, scope).map_err(|e| e.or_at(link.offset))?;
                }
                self.meter.leave();
                Ok(value)
            }
        }
    }

    fn path(&mut self, path: &'a Path, scope: Scope<'a, '_>) -> Result<Collection<'a>, Error> {
        let (mut current, mut steps) = match &path.base {
            Base::Focus => self.navigate(scope.this, &path.steps)?,
            Base::Expr(expr) => (self.eval(expr, scope)?, path.steps.as_slice()),
            base => (self.special(base, scope)?, path.steps.as_slice()),
        };
        while let Some((step, rest)) = steps.split_first() {
            (current, steps) = match &step.kind {
                StepKind::Root(..) | StepKind::Member(_) => self.navigate(&current, steps)?,
                _ => (
                    self.step(step, current, scope)
                        .map_err(|e| e.or_at(step.offset))?,
                    rest,
                ),
            };
        }
        Ok(current)
    }

    /// Follows names as far as they go; where the path starts otherwise, the focus is the input of its first step.
    fn navigate(
        &mut self,
        from: &[Value<'a>],
        steps: &'a [Step],
    ) -> Result<(Collection<'a>, &'a [Step]), Error> {
        let names = steps
            .iter()
            .take_while(|s| matches!(s.kind, StepKind::Root(..) | StepKind::Member(_)))
            .count();
        let (names, rest) = steps.split_at(names);
        let mut found = Collection::new();
        for value in from {
            self.walk(value, names, &mut found)?;
        }
        Ok((found, rest))
    }

    fn step(
        &mut self,
        step: &'a Step,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        self.meter.step()?;
        match &step.kind {
            StepKind::Call(call) => self.call(call, input, scope),
            StepKind::Index(index) => {
                let index = self.scoped(index, scope)?;
                let Some(index) = one(&index, || "an index".into())? else {
                    return Ok(Collection::new());
                };
                match index.system() {
                    Some(System::Integer(at)) => Ok(usize::try_from(at)
                        .ok()
                        .and_then(|at| input.get(at))
                        .cloned()
                        .into()),
                    _ => Err(Error::execution(format!(
                        "an index must be an integer, here is {}",
                        index.describe()
                    ))),
                }
            }
            StepKind::Special(base) => self.special(base, scope),
            StepKind::Root(..) | StepKind::Member(_) => self
                .navigate(&input, std::slice::from_ref(step))
                .map(|(found, _)| found),
        }
    }

    fn special(&mut self, base: &'a Base, scope: Scope<'a, '_>) -> Result<Collection<'a>, Error> {
        match base {
            Base::Focus | Base::This => Ok(scope.this.iter().cloned().collect()),
            Base::Index => match scope.index.and_then(|i| i32::try_from(i).ok()) {
                Some(index) => Ok(Value::Integer(index).into()),
                None => Err(Error::execution(
                    "`$index` has a meaning only within where(), select() and the like",
                )),
            },
            Base::Total => match scope.total {
                Some(total) => Ok(total.iter().cloned().collect()),
                None => Err(Error::execution("`$total` has a meaning only within aggregate()")),
            },
            Base::Variable(name) => self.variable(name).ok_or_else(|| {
                Error::execution(format!(
                    "there is no variable `%{name}`; define it or set it in the environment"
                ))
            }),
            Base::Expr(expr) => self.eval(expr, scope),
        }
    }

    /// The value of `%name`: of the language, of `defineVariable`, or of the environment.
    pub(super) fn variable(&self, name: &str) -> Option<Collection<'a>> {
        if let Some((_, value)) = self.variables.iter().rev().find(|(known, _)| known == name) {
            return Some(value.clone());
        }
        let url = |text: &'static str| Some(Value::from(text).into());
        match name {
            "context" => Some(self.context.clone()),
            "resource" => Some(self.resource().into()),
            "rootResource" => Some(self.root_resource().into()),
            "ucum" => url(super::quantity::UCUM),
            "sct" => url("http://snomed.info/sct"),
            "loinc" => url("http://loinc.org"),
            _ => self.env.variable(name).cloned().or_else(|| {
                let (base, name) = match (name.strip_prefix("vs-"), name.strip_prefix("ext-")) {
                    (Some(name), _) => ("http://hl7.org/fhir/ValueSet/", name),
                    (_, Some(name)) => ("http://hl7.org/fhir/StructureDefinition/", name),
                    _ => return None,
                };
                Some(Value::from(format!("{base}{name}")).into())
            }),
        }
    }

    /// Whether `%name` has a value, be it empty.
    pub(super) fn is_defined(&self, name: &str) -> bool {
        self.variable(name).is_some()
    }

    /// Makes a variable for the rest of the path.
    pub(super) fn define(&mut self, name: Cow<'a, str>, value: Collection<'a>) {
        self.variables.push((name, value));
    }

    /// `%resource`: as set, or the input if it is a resource.
    pub(super) fn resource(&self) -> Option<Value<'a>> {
        let is_resource = |value: &&Value<'a>| matches!(value, Value::Node(Node::Complex(c)) if c.type_info().kind == TypeKind::Resource);
        self.env
            .resource()
            .or_else(|| self.context.first().filter(is_resource))
            .cloned()
    }

    /// `%rootResource`: as set, or `%resource`.
    pub(super) fn root_resource(&self) -> Option<Value<'a>> {
        self.env.root_resource().cloned().or_else(|| self.resource())
    }

    fn polarity(
        &mut self,
        negative: bool,
        operand: &'a Expr,
        offset: usize,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        self.meter.enter()?;
        let value = self.scoped(operand, scope)?;
        self.meter.leave();
        let signed = |value: &Value<'a>| {
            let negated = arithmetic::negate(value)?;
            Ok(if negative { negated } else { Some(value.clone()) })
        };
        match one(&value, || "the operand of a sign".into()).map_err(|e| e.or_at(offset))? {
            Some(value) => signed(value)
                .map(Collection::from)
                .map_err(|e: Error| e.or_at(offset)),
            None => Ok(Collection::new()),
        }
    }

    fn link(
        &mut self,
        left: Collection<'a>,
        link: &'a Link,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        self.meter.step()?;
        let right = match &link.right {
            Right::Type(specifier) => return self.type_operator(link.operator, left, specifier),
            // `false and x` is false whatever `x` is; the language leaves it open whether `x` is evaluated.
            Right::Expr(expr) => match self.decided(link.operator, &left)? {
                Some(answer) => return Ok(Value::Boolean(answer).into()),
                None => self.scoped(expr, scope)?,
            },
        };
        self.binary(link.operator, left, right)
    }

    /// What the left operand of a boolean operator decides alone.
    fn decided(&self, operator: Operator, left: &[Value<'a>]) -> Result<Option<bool>, Error> {
        Ok(match operator {
            Operator::And => truth(left)?.filter(|b| !b),
            Operator::Or => truth(left)?.filter(|b| *b),
            Operator::Implies => truth(left)?.filter(|b| !b).map(|_| true),
            _ => None,
        })
    }

    fn type_operator(
        &mut self,
        operator: Operator,
        left: Collection<'a>,
        specifier: &TypeSpecifier,
    ) -> Result<Collection<'a>, Error> {
        if operator == Operator::Is {
            self.is_type(&left, specifier)
        } else {
            self.as_type(left, specifier)
        }
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: Collection<'a>,
        right: Collection<'a>,
    ) -> Result<Collection<'a>, Error> {
        use Operator::*;
        let boolean = |answer: Option<bool>| Ok(answer.map(Value::Boolean).into());
        match operator {
            Union => self.union(left, right),
            Equal => boolean(self.equal(&left, &right)?),
            NotEqual => boolean(self.equal(&left, &right)?.map(|b| !b)),
            Equivalent => boolean(Some(self.equivalent(&left, &right)?)),
            NotEquivalent => boolean(Some(!self.equivalent(&left, &right)?)),
            In => boolean(self.membership(&left, &right, "in")?),
            Contains => boolean(self.membership(&right, &left, "contains")?),
            And | Or | Xor | Implies => boolean(logic(operator, truth(&left)?, truth(&right)?)),
            Concatenate => self.concatenate(&left, &right),
            Less | LessOrEqual | Greater | GreaterOrEqual => {
                let Some((a, b)) = operands(operator, &left, &right)? else {
                    return Ok(Collection::new());
                };
                boolean(self.order(a, b)?.map(|order| match operator {
                    Less => order.is_lt(),
                    LessOrEqual => order.is_le(),
                    Greater => order.is_gt(),
                    _ => order.is_ge(),
                }))
            }
            _ => {
                let Some((a, b)) = operands(operator, &left, &right)? else {
                    return Ok(Collection::new());
                };
                let result = arithmetic::binary(operator, a, b, self.env.units())?;
                if let Some(Value::String(text)) = &result {
                    self.meter.bytes(text.len())?;
                }
                Ok(result.into())
            }
        }
    }

    fn membership(
        &mut self,
        item: &[Value<'a>],
        among: &[Value<'a>],
        name: &str,
    ) -> Result<Option<bool>, Error> {
        match one(item, || format!("the item of `{name}`"))? {
            Some(item) => self.is_among(item, among).map(Some),
            None => Ok(None),
        }
    }

    fn concatenate(&mut self, left: &[Value<'a>], right: &[Value<'a>]) -> Result<Collection<'a>, Error> {
        let mut text = String::new();
        for operand in [left, right] {
            let Some(value) = one(operand, || "an operand of `&`".into())? else {
                continue;
            };
            match value.as_str() {
                Some(part) => text.push_str(part),
                None if super::compare::is_bare(value) => {}
                None => {
                    let message = format!("`&` joins strings, here is {}; use toString()", value.describe());
                    return Err(Error::execution(message));
                }
            }
        }
        self.meter.bytes(text.len())?;
        Ok(Value::from(text).into())
    }
}

/// Both operands, if neither is empty.
fn operands<'c, 'a>(
    operator: Operator,
    left: &'c [Value<'a>],
    right: &'c [Value<'a>],
) -> Result<Option<(&'c Value<'a>, &'c Value<'a>)>, Error> {
    let what = || format!("an operand of `{}`", operator.sign());
    Ok(one(left, what)?.zip(one(right, what)?))
}

/// A collection as a truth value: one boolean is itself, one item of another type is true
/// (<https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections>).
pub(super) fn truth(values: &[Value<'_>]) -> Result<Option<bool>, Error> {
    Ok(one(values, || "a condition".into())?.map(|value| value.as_bool().unwrap_or(true)))
}

fn logic(operator: Operator, a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match operator {
        Operator::And => match (a, b) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            _ => a.and(b),
        },
        Operator::Or => match (a, b) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            _ => a.and(b),
        },
        Operator::Xor => a.zip(b).map(|(a, b)| a != b),
        _ => match (a, b) {
            (Some(false), _) | (_, Some(true)) => Some(true),
            (Some(true), _) => b,
            _ => None,
        },
    }
}

fn literal_value(literal: &Literal) -> Value<'_> {
    match literal {
        Literal::Boolean(value) => Value::Boolean(*value),
        Literal::Integer(value) => Value::Integer(*value),
        Literal::Decimal(value) => Value::Decimal(*value),
        Literal::String(text) => Value::String(Cow::Borrowed(text)),
        Literal::Date(value) => Value::Date(*value),
        Literal::DateTime(value) => Value::DateTime(*value),
        Literal::Time(value) => Value::Time(*value),
        Literal::Quantity(value) => Value::Quantity(value.borrowed()),
    }
}
