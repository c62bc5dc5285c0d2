//! The profile layer: programs applied to values: cardinalities, types, and what the other layers ask at each element
//! (<https://hl7.org/fhir/R4/profiling.html>).

use fhir_model::reflect::{Complex, Node, Nodes, Shape, Slot, TypeKind};

use crate::layer::Layer;
use crate::place::{Step, nodes_of};
use crate::program::{Program, Rule, RuleId, TypeRule};
use crate::run::{Report, Run, Scope};
use crate::{binding, fixed, invariant, narrative, reference, slicing};

/// Applies the profiles that a resource claims, those that the caller asks for, and those configured for its type.
pub(crate) fn of_resource<'a>(run: &mut Run, scope: &Scope<'a>, value: &'a dyn Complex, asked: &[String]) {
    let mut urls: Vec<(String, Option<usize>)> = asked.iter().map(|url| (url.clone(), None)).collect();
    let meta = crate::place::complexes(value, "meta").next();
    let claimed = meta.and_then(|m| nodes_of(m, "profile")).into_iter().flatten();
    for (index, node) in claimed.enumerate() {
        if let Node::Primitive(_, primitive) = node
            && let Some(url) = primitive.text()
        {
            urls.push((url.into_owned(), Some(index)));
        }
    }
    for (url, index) in urls {
        match scope.inner.find_program(&url) {
            Found::Program(program) => {
                if !is_of_type(Node::Complex(value), &program.type_name) {
                    let message = format!(
                        "the profile {url} is about {}, the resource is a {}",
                        program.type_name,
                        value.type_info().name
                    );
                    run.report(Report::error(Layer::Profile, message).rule(url));
                    continue;
                }
                apply(run, scope, program, Node::Complex(value));
            }
            Found::Broken(reason) => {
                let report = Report::warning(
                    Layer::Profile,
                    format!("the profile {url} cannot be used: {reason}"),
                )
                .rule(url);
                run.report(report);
            }
            Found::Unknown => unknown(run, &url, index),
        }
    }
}

/// What a canonical of a profile leads to.
pub(crate) enum Found<'a> {
    Program(&'a Program),
    Broken(&'a str),
    Unknown,
}

fn unknown(run: &mut Run, url: &str, index: Option<usize>) {
    let message = format!(
        "the profile {url} is not known here, so the resource was not checked against it; load the package that has it"
    );
    match index {
        Some(index) => {
            let report = Report::warning(Layer::Profile, message).rule(url);
            run.report_in(&format!("meta.profile[{index}]"), report);
        }
        None => run.report(Report::error(Layer::Profile, message).rule(url)),
    }
}

/// Applies a profile to a value of its type.
pub(crate) fn apply<'a>(run: &mut Run, scope: &Scope<'a>, program: &'a Program, value: Node<'a>) {
    let Some(root) = program.rules.first() else { return };
    if let Some(rule) = &program.narrative
        && scope.inner.layers.has(Layer::Narrative)
        && let Node::Complex(value) = value
    {
        narrative::controlled(run, program, rule, value);
    }
    if root.is_idle {
        return;
    }
    run.entering(program, value, |run| content(run, scope, program, root, value));
}

/// Applies what a profile asks of one of its elements, by the element's id.
fn apply_part<'a>(run: &mut Run, scope: &Scope<'a>, program: &'a Program, id: &str, value: Node<'a>) {
    if let Some(rule) = program.rules.iter().find(|r| r.id == id && !r.is_idle) {
        run.entering(program, value, |run| content(run, scope, program, rule, value));
    }
}

/// Whether a value conforms to a profile.
pub(crate) fn conforms<'a>(run: &mut Run, scope: &Scope<'a>, program: &'a Program, value: Node<'a>) -> bool {
    is_of_type(value, &program.type_name) && run.quietly(|run| apply(run, scope, program, value))
}

/// Whether a value is of a type or of one that specialises it.
pub(crate) fn is_of_type(value: Node<'_>, code: &str) -> bool {
    let name = value.type_name();
    if name == code || matches!(code, "Element" | "Any" | "") {
        return true;
    }
    match value {
        Node::Primitive(kind, _) => kind.base().is_some_and(|b| b.name() == code),
        Node::Complex(complex) => {
            let info = complex.type_info();
            match code {
                "Resource" => info.kind == TypeKind::Resource,
                "DomainResource" => info.kind == TypeKind::Resource && info.base == "DomainResource",
                "BackboneElement" => info.kind == TypeKind::Backbone,
                _ => info.base == code && info.kind != TypeKind::Resource,
            }
        }
    }
}

/// What a rule asks of a value, and of what is in it.
fn content<'a>(run: &mut Run, scope: &Scope<'a>, program: &'a Program, rule: &'a Rule, value: Node<'a>) {
    if !run.step() {
        return;
    }
    let layers = scope.inner.layers;
    if rule.narrows_types && !check_types(run, scope, program, rule, value) {
        return;
    }
    if layers.has(Layer::Fixed) {
        fixed::check(run, scope.inner.now.as_ref(), program, rule, value);
    }
    if layers.has(Layer::Binding) && !rule.bindings.is_empty() {
        binding::check(run, scope, &rule.bindings, value);
    }
    if layers.has(Layer::Invariant) {
        invariant::check(run, scope, &rule.constraints, value);
    }
    let holder = match value {
        Node::Complex(complex) => complex,
        Node::Primitive(_, primitive) => match primitive.extras() {
            Some(extras) => extras,
            None => return no_extras(run, program, rule),
        },
    };
    for child in rule.children.iter().filter_map(|id| program.rules.get(*id)) {
        if !child.is_idle {
            element(run, scope, program, child, holder);
        }
    }
}

/// Extensions that a primitive needs, where it has none.
fn no_extras(run: &mut Run, program: &Program, rule: &Rule) {
    let slices = |rule: &Rule| rule.slices.clone();
    for child in rule
        .children
        .iter()
        .filter_map(|id| program.rules.get(*id))
        .filter(|c| c.name == "extension")
    {
        let needed = std::iter::once(child).chain(
            slices(child)
                .iter()
                .filter_map(|id| program.rules.get(*id))
                .collect::<Vec<_>>(),
        );
        for needed in needed.filter(|n| n.min > 0) {
            run.report(too_few(program, needed, 0));
        }
    }
}

/// The values of one element: their number, their slices, and each of them.
fn element<'a>(
    run: &mut Run,
    scope: &Scope<'a>,
    program: &'a Program,
    rule: &'a Rule,
    holder: &'a dyn Complex,
) {
    let info = holder.type_info();
    let index = match info.fields.get(rule.field) {
        Some(field) if field.name == rule.name => Some(rule.field),
        _ => info.field(&rule.name).map(|(index, _)| index),
    };
    let Some(index) = index else {
        // A value of the primitive itself, or an element of another type than this value has.
        return;
    };
    let Some(field) = info.fields.get(index) else {
        return;
    };
    let mut nodes = Nodes::of(holder, index);
    if let Some(variant) = &rule.variant
        && !is_variant(holder, index, &field.shape, variant)
    {
        if rule.slice.is_some() || nodes.count_all() == 0 {
            count(run, program, rule, 0);
        }
        return;
    }
    let values: Vec<Node<'a>> = nodes.by_ref().collect();
    count(run, program, rule, values.len());
    if rule.slicing.is_some() {
        slicing::check(run, scope, program, rule, holder, &values, (index, field));
    }
    for (position, value) in values.into_iter().enumerate() {
        run.within(Step::to(holder, index, field, position), |run| {
            content(run, scope, program, rule, value)
        });
    }
}

/// A value of a slice: what the slice asks, and its slices in turn.
pub(crate) fn slice_value<'a>(
    run: &mut Run,
    scope: &Scope<'a>,
    program: &'a Program,
    slice: RuleId,
    value: Node<'a>,
) {
    if let Some(rule) = program.rules.get(slice).filter(|r| !r.is_idle) {
        content(run, scope, program, rule, value);
    }
}

fn is_variant(holder: &dyn Complex, index: usize, shape: &Shape, variant: &str) -> bool {
    match (shape, holder.slot(index)) {
        (Shape::Choice(variants), Slot::Choice(at, _)) => {
            variants.get(at).is_some_and(|v| v.type_name == variant)
        }
        _ => false,
    }
}

/// Reports a number of values that the profile does not allow.
pub(crate) fn count(run: &mut Run, program: &Program, rule: &Rule, count: usize) {
    if !rule.counts {
        return;
    }
    if count < usize::try_from(rule.min).unwrap_or(usize::MAX) {
        run.report(too_few(program, rule, count));
    } else if count > usize::try_from(rule.max).unwrap_or(usize::MAX) {
        let message = format!(
            "{} occurs {count} times; the profile {} allows at most {}",
            named(rule),
            program.canonical,
            rule.max
        );
        run.report(Report::error(Layer::Profile, message).rule(program.url.as_str()));
    }
}

fn too_few(program: &Program, rule: &Rule, count: usize) -> Report {
    let message = format!(
        "{} is needed at least {} times by the profile {}; it occurs {count} times",
        named(rule),
        rule.min,
        program.canonical
    );
    Report::error(Layer::Profile, message).rule(program.url.as_str())
}

fn named(rule: &Rule) -> String {
    match &rule.slice {
        Some(slice) => format!("the slice {slice:?} of {}", rule.path()),
        None => format!("the element {}", rule.path()),
    }
}

/// Whether the value has a type that the rule allows; then also its profiles and what it may point to.
fn check_types<'a>(
    run: &mut Run,
    scope: &Scope<'a>,
    program: &'a Program,
    rule: &'a Rule,
    value: Node<'a>,
) -> bool {
    let fitting: Vec<&TypeRule> = rule.types.iter().filter(|t| is_of_type(value, &t.code)).collect();
    if fitting.is_empty() {
        if fhir_model::type_info(value.type_name()).is_none_or(|i| i.kind != TypeKind::Backbone) {
            let allowed: Vec<&str> = rule.types.iter().map(|t| t.code.as_str()).collect();
            let message = format!(
                "{} is a {}; the profile {} allows {}",
                named(rule),
                value.type_name(),
                program.canonical,
                allowed.join(", ")
            );
            run.report(Report::error(Layer::Profile, message).rule(program.url.as_str()));
            return false;
        }
        return true;
    }
    for kind in fitting {
        let is_asked = !kind.targets.is_empty() || !kind.aggregation.is_empty();
        if is_asked && scope.inner.layers.has(Layer::Reference) {
            reference::check_targets(run, scope, kind, value);
        }
        if !kind.profiles.is_empty() {
            check_profiles(run, scope, kind, value);
        }
    }
    true
}

/// The value conforms to the one profile, or to one of several.
fn check_profiles<'a>(run: &mut Run, scope: &Scope<'a>, kind: &'a TypeRule, value: Node<'a>) {
    let is_extension = value.type_name() == "Extension";
    let mut programs = Vec::new();
    for url in &kind.profiles {
        let (canonical, part) = url
            .split_once('#')
            .map_or((url.as_str(), None), |(c, p)| (c, Some(p)));
        match scope.inner.find_program(canonical) {
            Found::Program(program) => programs.push((part, program)),
            // An extension is told by its url, whether its definition is known or not.
            _ if is_extension => return,
            _ => {
                let message =
                    format!("the profile {url} is not known here, so this was not checked against it");
                return run.report(Report::warning(Layer::Profile, message).rule(url.as_str()));
            }
        }
    }
    match programs.as_slice() {
        [(Some(part), only)] => apply_part(run, scope, only, part, value),
        [(None, only)] => apply(run, scope, only, value),
        several => {
            if !several.iter().any(|(part, program)| match part {
                Some(part) => run.quietly(|run| apply_part(run, scope, program, part, value)),
                None => conforms(run, scope, program, value),
            }) {
                let message = format!(
                    "the value conforms to none of the profiles {}",
                    kind.profiles.join(", ")
                );
                run.report(
                    Report::error(Layer::Profile, message)
                        .rule(kind.profiles.first().map_or("", String::as_str)),
                );
            }
        }
    }
}
