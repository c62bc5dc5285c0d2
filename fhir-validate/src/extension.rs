//! The extension layer: which extensions are known, where they may be used, and which modify
//! (<https://hl7.org/fhir/R4/defining-extensions.html#context>).

use fhir_model::path::Expression;
use fhir_model::reflect::{Complex, Field, Node, TypeKind};
use serde_json::Value;

use crate::definition::{Context, Definition};
use crate::finding::Severity;
use crate::layer::Layer;
use crate::place::text_of;
use crate::profile;
use crate::run::{Report, Run, Scope};
use crate::walk::Above;

pub(crate) fn check<'a>(
    run: &mut Run,
    scope: &Scope<'a>,
    value: &'a dyn Complex,
    field: &Field,
    above: &Above<'_>,
) {
    let Some(url) = text_of(value, "url") else { return };
    let parent_is_extension = above.above.is_some_and(|a| a.value.type_name() == "Extension");
    // Parts of an extension have names of its own definition.
    if !url.contains(':') {
        if !parent_is_extension {
            run.report_in(
                "url",
                Report::error(
                    Layer::Extension,
                    format!("the url {url:?} of an extension must be absolute"),
                ),
            );
        } else {
            check_part(run, scope, url, above);
        }
        return;
    }
    let Some(held) = scope.inner.store.get_any_version(url) else {
        return unknown(run, scope, url, field);
    };
    let Some(definition) = held.definition() else {
        return;
    };
    if definition.type_name != "Extension" {
        run.report_in(
            "url",
            Report::error(
                Layer::Extension,
                format!(
                    "{url} is the definition of a {}, not of an extension",
                    definition.type_name
                ),
            ),
        );
        return;
    }
    if !is_allowed(scope, definition, above) {
        let places: Vec<&str> = definition
            .contexts
            .iter()
            .map(|c| c.expression.as_str())
            .collect();
        let message = format!(
            "the extension {url} may not be used here; it may on {}",
            places.join(", ")
        );
        run.report_above(Report::error(Layer::Extension, message).rule(url));
    }
    check_modifier(run, definition, field, url);
    if scope.inner.layers.has(Layer::Profile)
        && let Some(program) = scope.inner.program(url)
    {
        profile::apply(run, scope, program, Node::Complex(value));
    }
}

/// A part is one of those that the definition of the extension around it names, where it names any.
fn check_part(run: &mut Run, scope: &Scope<'_>, url: &str, above: &Above<'_>) {
    let (mut path, mut at) = ("Extension".to_owned(), above.above);
    while let Some(around) = at {
        let Node::Complex(value) = around.value else {
            return;
        };
        let Some(name) = text_of(value, "url").filter(|_| value.type_info().name == "Extension") else {
            return;
        };
        path.push_str(".extension");
        if !name.contains(':') {
            at = around.above;
            continue;
        }
        let Some(definition) = scope
            .inner
            .store
            .get_any_version(name)
            .and_then(|held| held.definition())
        else {
            return;
        };
        path.push_str(".url");
        let elements = definition.snapshot.iter().chain(&definition.differential);
        let names = elements.filter(|e| e.get("path").and_then(Value::as_str) == Some(path.as_str()));
        let mut names = names
            .filter_map(|e| e.get("fixedUri").and_then(Value::as_str))
            .peekable();
        if names.peek().is_some() && !names.any(|named| named == url) {
            let message = format!("the extension {name} has no part {url:?}");
            run.report(Report::error(Layer::Extension, message).rule(name));
        }
        return;
    }
}

fn unknown(run: &mut Run, scope: &Scope<'_>, url: &str, field: &Field) {
    let options = &scope.inner.options;
    let is_example = ["example.org", "example.com", "acme.com"]
        .iter()
        .any(|host| url.contains(host));
    if is_example && !options.examples {
        let message = format!("the extension {url} has an example's url, which is not allowed here");
        return run.report_in("url", Report::error(Layer::Extension, message).rule(url));
    }
    let severity = if field.name == "modifierExtension" {
        options.unknown_extensions.max(Severity::Warning)
    } else {
        options.unknown_extensions
    };
    let severity = if is_example {
        severity.min(Severity::Information)
    } else {
        severity
    };
    let message = format!(
        "the extension {url} is not known here, so its content was not checked; load the package that defines it"
    );
    run.report(Report::error(Layer::Extension, message).of(severity).rule(url));
}

fn check_modifier(run: &mut Run, definition: &Definition, field: &Field, url: &str) {
    let root = definition
        .snapshot
        .first()
        .or_else(|| definition.differential.first());
    let modifies = root
        .and_then(|r| r.get("isModifier"))
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let is_modifier = field.name == "modifierExtension";
    let message = match (modifies, is_modifier) {
        (true, false) => {
            format!("the extension {url} modifies what it is on, so it belongs in modifierExtension")
        }
        (false, true) => {
            format!("the extension {url} does not modify what it is on, so it belongs in extension")
        }
        _ => return,
    };
    run.report(Report::error(Layer::Extension, message).rule(url));
}

/// Whether the extension may be used on the element above it.
fn is_allowed(scope: &Scope<'_>, definition: &Definition, above: &Above<'_>) -> bool {
    let Some(parent) = above.above else { return true };
    let fits = definition.contexts.is_empty()
        || definition
            .contexts
            .iter()
            .any(|context| fits(scope, context, parent));
    fits && definition
        .context_invariants
        .iter()
        .all(|source| holds(scope, source, parent.value))
}

fn fits(scope: &Scope<'_>, context: &Context, parent: &Above<'_>) -> bool {
    match context.kind.as_str() {
        "extension" => {
            matches!(parent.value, Node::Complex(x) if x.type_info().name == "Extension" && text_of(x, "url") == context.expression.split('#').next())
        }
        "fhirpath" => selects(scope, &context.expression, parent.value),
        _ => is_element(scope, &context.expression, parent),
    }
}

/// Whether an element is the one that a context names: by type, by path, or by the path in a profile.
fn is_element(scope: &Scope<'_>, expression: &str, parent: &Above<'_>) -> bool {
    let path = match expression.split_once('#') {
        Some((url, path)) => {
            if !path.contains('.') || scope.inner.type_of_profile(url).is_none() {
                return true;
            }
            path.split('.')
                .map(|p| p.split(':').next().unwrap_or(p))
                .collect::<Vec<_>>()
                .join(".")
        }
        None => expression
            .rsplit('/')
            .next()
            .filter(|_| expression.starts_with("http"))
            .unwrap_or(expression)
            .to_owned(),
    };
    if is_kind(parent.value, &path) {
        return true;
    }
    let plain = path.replace("[x]", "");
    paths(parent).contains(&plain)
}

fn is_kind(value: Node<'_>, name: &str) -> bool {
    let is_resource = matches!(value, Node::Complex(c) if c.type_info().kind == TypeKind::Resource);
    match name {
        "Element" => !is_resource,
        "CanonicalResource" | "MetadataResource" => {
            matches!(value, Node::Complex(c) if is_resource && c.type_info().field("url").is_some() && c.type_info().field("status").is_some())
        }
        _ => value.type_name() == name || profile::is_of_type(value, name) && name != "Any",
    }
}

/// The ways to write the path of an element: by its holder's type, and from each resource or datatype above.
fn paths(element: &Above<'_>) -> Vec<String> {
    let mut all = Vec::new();
    let mut tail = String::new();
    let mut at = Some(element);
    while let Some(here) = at {
        let Some((holder, name)) = here.holder else { break };
        tail = if tail.is_empty() {
            name.to_owned()
        } else {
            format!("{name}.{tail}")
        };
        all.push(format!("{holder}.{tail}"));
        let mut base = fhir_model::type_info(holder).map(|i| i.base).unwrap_or_default();
        for _ in 0..4 {
            all.push(format!("{base}.{tail}"));
            base = match base {
                "DomainResource" => "Resource",
                "BackboneElement" => "Element",
                other => fhir_model::type_info(other).map(|i| i.base).unwrap_or_default(),
            };
        }
        at = here.above;
    }
    all
}

/// Whether an expression on the resource selects the element.
fn selects(scope: &Scope<'_>, source: &str, element: Node<'_>) -> bool {
    let Ok(expression) = Expression::compile(source) else {
        return true;
    };
    let same = |found: Option<Node<'_>>| match (found, element) {
        (Some(Node::Complex(a)), Node::Complex(b)) => std::ptr::addr_eq(a, b),
        (Some(Node::Primitive(_, a)), Node::Primitive(_, b)) => std::ptr::addr_eq(a, b),
        _ => false,
    };
    let environment = fhir_model::path::Environment::new()
        .with_filtering_as()
        .with_limits(scope.inner.path_limits.clone());
    let result = expression.evaluate(scope.resource, &environment);
    result.map_or(true, |found| {
        found
            .iter()
            .any(|value| same(value.node()) || value.as_bool() == Some(true))
    })
}

/// Whether an invariant of an extension's context holds on the element. What cannot be evaluated is let pass.
fn holds(scope: &Scope<'_>, source: &str, element: Node<'_>) -> bool {
    let Ok(expression) = Expression::compile(source) else {
        return true;
    };
    let environment = fhir_model::path::Environment::new()
        .with_filtering_as()
        .with_limits(scope.inner.path_limits.clone())
        .with_resource(Node::Complex(scope.resource));
    expression.holds(element, &environment).unwrap_or(true)
}
