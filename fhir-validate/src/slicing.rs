//! The slicing of profiles: which slice a value belongs to, how many each has, and whether others are allowed
//! (<https://hl7.org/fhir/R4/profiling.html#slicing>).

use fhir_model::reflect::{Complex, Field, Node};

use crate::layer::Layer;
use crate::place::{Step as Way, nodes_of, text_of};
use crate::profile;
use crate::program::{Matcher, Program, Rule, RuleId, Slicing, SlicingRules, Step, Test};
use crate::run::{Report, Run, Scope};
use crate::{fixed, reference};

/// Divides the values of an element among the slices of its rule.
pub(crate) fn check<'a>(
    run: &mut Run,
    scope: &Scope<'a>,
    program: &'a Program,
    rule: &'a Rule,
    holder: &'a dyn Complex,
    values: &[Node<'a>],
    at: (usize, &'static Field),
) {
    let numbered: Vec<(usize, Node<'a>)> = values.iter().copied().enumerate().collect();
    divide(run, scope, program, rule, &numbered, &|position| {
        Way::to(holder, at.0, at.1, position)
    });
}

fn divide<'a>(
    run: &mut Run,
    scope: &Scope<'a>,
    program: &'a Program,
    rule: &'a Rule,
    values: &[(usize, Node<'a>)],
    way: &dyn Fn(usize) -> Way,
) {
    let Some(slicing) = &rule.slicing else { return };
    let mut members: Vec<Vec<(usize, Node<'a>)>> = vec![Vec::new(); rule.slices.len()];
    let mut order = Order {
        highest: 0,
        unmatched: false,
    };
    for (position, value) in values {
        let slice = if slicing.by_position {
            Some(*position).filter(|p| *p < rule.slices.len())
        } else {
            slice_of(run, scope, program, rule, *value)
        };
        run.place.push(way(*position));
        order.see(run, program, rule, slicing, slice);
        if let Some(id) = slice.and_then(|s| rule.slices.get(s)) {
            profile::slice_value(run, scope, program, *id, *value);
        }
        run.place.pop();
        if let Some(members) = slice.and_then(|s| members.get_mut(s)) {
            members.push((*position, *value));
        }
    }
    for (id, members) in rule.slices.iter().zip(&members) {
        let Some(slice) = program.rules.get(*id) else {
            continue;
        };
        // Without a way to tell the slice's values, none can be missed.
        if slicing.by_position || is_told(slice) {
            profile::count(run, program, slice, members.len());
        }
        if slice.slicing.is_some() {
            divide(run, scope, program, slice, members, way);
        }
    }
}

/// What was met so far, in the order of the values.
struct Order {
    highest: usize,
    unmatched: bool,
}

impl Order {
    fn see(
        &mut self,
        run: &mut Run,
        program: &Program,
        rule: &Rule,
        slicing: &Slicing,
        slice: Option<usize>,
    ) {
        let about = |message: String| Report::error(Layer::Profile, message).rule(program.url.as_str());
        let Some(slice) = slice else {
            self.unmatched = true;
            if slicing.rules == SlicingRules::Closed {
                let message = format!(
                    "the value is of no slice of {}, and the profile {} allows no others",
                    rule.path(),
                    program.canonical
                );
                run.report(about(message));
            }
            return;
        };
        if self.unmatched && slicing.rules == SlicingRules::OpenAtEnd {
            let message = format!(
                "a value of a slice of {} comes after values of none; the profile {} wants those at the end",
                rule.path(),
                program.canonical
            );
            run.report(about(message));
        }
        if slicing.ordered && slice < self.highest {
            let message = format!(
                "the values of {} are not in the order of their slices, which the profile {} asks for",
                rule.path(),
                program.canonical
            );
            run.report(about(message));
        }
        self.highest = self.highest.max(slice);
    }
}

fn is_told(slice: &Rule) -> bool {
    !slice.matchers.is_empty()
}

/// The first slice whose marks the value has.
fn slice_of<'a>(
    run: &mut Run,
    scope: &Scope<'a>,
    program: &'a Program,
    rule: &'a Rule,
    value: Node<'a>,
) -> Option<usize> {
    rule.slices.iter().position(|id: &RuleId| {
        let Some(slice) = program.rules.get(*id).filter(|s| is_told(s)) else {
            return false;
        };
        run.step() && slice.matchers.iter().all(|m| shows(run, scope, m, value))
    })
}

/// Whether a value shows what a matcher asks.
fn shows<'a>(run: &mut Run, scope: &Scope<'a>, matcher: &Matcher, value: Node<'a>) -> bool {
    follow(run, scope, &matcher.path, &matcher.test, value)
}

fn follow<'a>(run: &mut Run, scope: &Scope<'a>, path: &[Step], test: &Test, value: Node<'a>) -> bool {
    let Some((step, rest)) = path.split_first() else {
        return passes(run, scope, test, value);
    };
    let next: Vec<Node<'a>> = match (step, value) {
        (Step::Resolve, _) => {
            return reference::with_target(scope, value, |scope, target| match target {
                Some(target) => follow(run, scope, rest, test, target),
                None => reference::passes_unread(test, rest, value),
            });
        }
        (Step::OfType(kind), value) => {
            if value.type_name() == kind {
                vec![value]
            } else {
                Vec::new()
            }
        }
        (Step::Child(name), Node::Complex(complex)) => {
            nodes_of(complex, name).into_iter().flatten().collect()
        }
        (Step::Child(name), Node::Primitive(_, primitive)) => {
            let extras = primitive.extras().map(|e| e as &dyn Complex);
            extras
                .and_then(|e| nodes_of(e, name))
                .into_iter()
                .flatten()
                .collect()
        }
        (Step::Extension(url), value) => extensions(value, url),
    };
    if let Test::Exists(false) = test {
        return next
            .into_iter()
            .all(|n| !rest.is_empty() && follow(run, scope, rest, test, n));
    }
    next.into_iter().any(|n| follow(run, scope, rest, test, n))
}

fn extensions<'a>(value: Node<'a>, url: &str) -> Vec<Node<'a>> {
    let holder = match value {
        Node::Complex(complex) => Some(complex),
        Node::Primitive(_, primitive) => primitive.extras().map(|e| e as &dyn Complex),
    };
    let all = holder
        .and_then(|h| nodes_of(h, "extension"))
        .into_iter()
        .flatten();
    all.filter(|n| matches!(n, Node::Complex(x) if text_of(*x, "url") == Some(url)))
        .collect()
}

fn passes<'a>(run: &mut Run, scope: &Scope<'a>, test: &Test, value: Node<'a>) -> bool {
    match test {
        Test::Fixed(wanted) => fixed::equals(value, wanted),
        Test::Pattern(wanted) => fixed::contains(value, wanted),
        Test::InValueSet(url) => crate::binding::is_member(scope, url, value),
        Test::Types(types) => types.iter().any(|t| is_type(value, t)),
        Test::Profiles(profiles) => profiles.iter().any(|url| match scope.inner.program(url) {
            Some(program) => profile::conforms(run, scope, program, value),
            None => false,
        }),
        Test::Exists(exists) => *exists,
    }
}

/// Whether a value is of a type, which may be told by the url of its definition or of a profile on it.
fn is_type(value: Node<'_>, wanted: &str) -> bool {
    profile::is_of_type(value, wanted.rsplit('/').next().unwrap_or(wanted))
}
