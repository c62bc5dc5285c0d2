//! The one walk over a resource, and all that is in it, against the base definitions.
//!
//! Invariant: the walk ends after as many findings as are asked for, and its memory grows with the depth only.

use fhir_model::path::Environment;
use fhir_model::reflect::{Complex, Field, Node, Nodes, TypeKind};

use crate::layer::Layer;
use crate::place::Step;
use crate::rules::{FieldRules, TypeRules};
use crate::run::{Run, Scope};
use crate::validator::Inner;
use crate::{
    binding, bundle, conformance, extension, format, identifier, invariant, json_schema, narrative, profile,
    questionnaire, reference, structure,
};

/// An element around a place: what its extensions are used on.
#[derive(Clone, Copy)]
pub(crate) struct Above<'a> {
    pub(crate) value: Node<'a>,
    /// The type that holds the element, and the element's name; `None` for a resource.
    pub(crate) holder: Option<(&'static str, &'static str)>,
    pub(crate) above: Option<&'a Above<'a>>,
}

/// Checks a resource and all within it; contained resources and entries of Bundles with their own surroundings.
pub(crate) fn resource(
    run: &mut Run,
    value: &dyn Complex,
    inner: &Inner,
    profiles: &[String],
    place_in: PlaceIn<'_>,
) {
    let resolver = reference::PathResolver::new(inner, place_in.bundle, place_in.full_url);
    let mut environment = environment(inner, value, &resolver);
    if let Some(container) = place_in.container {
        environment = environment.with_root_resource(Node::Complex(container));
    }
    let scope = Scope {
        inner,
        environment: &environment,
        resource: value,
        container: place_in.container,
        bundle: place_in.bundle,
        full_url: place_in.full_url,
    };
    let entries = bundle::Entries::of(value);
    let with_entries = Scope {
        bundle: entries.as_ref().or(scope.bundle),
        ..scope
    };
    let above = Above {
        value: Node::Complex(value),
        holder: None,
        above: None,
    };
    complex(run, &with_entries, value, &above);
    if inner.layers.has(Layer::Profile) {
        run.for_profile(|run| profile::of_resource(run, &scope, value, profiles));
    }
    if inner.layers.has(Layer::Narrative) {
        narrative::check(run, &scope, value);
    }
    if inner.layers.has(Layer::Bundle)
        && let Some(entries) = &entries
    {
        bundle::check(run, &scope, value, entries);
    }
    if inner.layers.has(Layer::Questionnaire) {
        questionnaire::check(run, &scope, value);
    }
    if inner.layers.has(Layer::Conformance) {
        conformance::check(run, &scope, value);
    }
    if inner.layers.has(Layer::JsonSchema) {
        json_schema::check(run, value);
    }
}

/// What expressions on a resource see besides it.
pub(crate) fn environment<'a>(
    inner: &'a Inner,
    resource: &'a dyn Complex,
    resolver: &'a reference::PathResolver<'a>,
) -> Environment<'a> {
    let environment = Environment::new()
        .with_filtering_as()
        .with_resource(Node::Complex(resource))
        .with_resolver(resolver);
    let environment = environment
        .with_limits(inner.path_limits.clone())
        .with_profiles(inner)
        .with_terminology(inner);
    match &inner.now {
        Some(now) => environment.with_now(now.clone()),
        None => environment,
    }
}

/// Where a resource is: on its own, contained, or an entry.
#[derive(Clone, Copy, Default)]
pub(crate) struct PlaceIn<'a> {
    pub(crate) container: Option<&'a dyn Complex>,
    pub(crate) bundle: Option<&'a bundle::Entries<'a>>,
    pub(crate) full_url: Option<&'a str>,
}

fn complex<'a>(run: &mut Run, scope: &Scope<'a>, value: &'a dyn Complex, above: &Above<'_>) {
    let inner = scope.inner;
    let info = value.type_info();
    if inner.layers.has(Layer::Structure) {
        structure::check(run, value);
    }
    let rules = inner.rules_of(info);
    if let Some(rules) = rules {
        if inner.layers.has(Layer::Invariant) {
            structure::check_content(run, value);
            invariant::check(run, scope, &rules.constraints, Node::Complex(value));
        }
        if inner.layers.has(Layer::Binding) && info.name == "Coding" {
            binding::coding(run, scope, value);
        }
        if inner.layers.has(Layer::Reference) && info.name == "Reference" {
            reference::check(run, scope, value);
        }
        if inner.layers.has(Layer::Identifier) && info.name == "Identifier" {
            identifier::check(run, scope, value);
        }
    }
    for (index, field) in info.fields.iter().enumerate() {
        if run.is_full() {
            return;
        }
        let nodes = Nodes::of(value, index);
        if nodes.count_all() == 0 {
            continue;
        }
        let own = rules.and_then(|r: &TypeRules| r.fields.get(index));
        for (position, node) in nodes.enumerate() {
            run.place.push(Step::to(value, index, field, position));
            let here = Above {
                value: node,
                holder: Some((info.name, field.name)),
                above: Some(above),
            };
            element(run, scope, field, own, node, &here);
            run.place.pop();
        }
    }
}

fn element<'a>(
    run: &mut Run,
    scope: &Scope<'a>,
    field: &'static Field,
    rules: Option<&'a FieldRules>,
    node: Node<'a>,
    above: &Above<'_>,
) {
    let layers = scope.inner.layers;
    if let Some(rules) = rules {
        if layers.has(Layer::Invariant) {
            invariant::check(run, scope, &rules.constraints, node);
        }
        if layers.has(Layer::Binding) {
            binding::check(run, scope, &rules.bindings, node);
        }
        if !rules.types.is_empty() {
            base_types(run, scope, rules, node);
        }
    }
    match node {
        Node::Complex(value) if value.type_info().kind == TypeKind::Resource => {
            within(run, scope, field, value)
        }
        Node::Complex(value) => {
            complex(run, scope, value, above);
            if value.type_info().name == "Extension" && layers.has(Layer::Extension) {
                run.for_profile(|run| extension::check(run, scope, value, field, above));
            }
        }
        Node::Primitive(kind, primitive) => {
            if layers.has(Layer::Format) {
                format::check(run, scope.inner, kind, primitive);
            }
            if layers.has(Layer::Invariant) {
                structure::check_primitive(run, primitive);
            }
            if let Some(extras) = primitive.extras() {
                complex(run, scope, extras, above);
            }
        }
    }
}

/// References point to what they may, and quantities that the base constrains (`SimpleQuantity`) conform.
fn base_types<'a>(run: &mut Run, scope: &Scope<'a>, rules: &'a FieldRules, node: Node<'a>) {
    let name = node.type_name();
    for rule in rules.types.iter().filter(|t| t.code == name) {
        if !rule.targets.is_empty() && scope.inner.layers.has(Layer::Reference) {
            reference::check_targets(run, scope, rule, node);
        }
        for program in rule.profiles.iter().filter_map(|p| scope.inner.program(p)) {
            profile::apply(run, scope, program, node);
        }
    }
}

/// A resource within another.
fn within<'a>(run: &mut Run, scope: &Scope<'a>, field: &'static Field, value: &'a dyn Complex) {
    let place_in = match (field.name, scope.bundle) {
        ("contained", _) if !scope.inner.options.contained => return,
        ("contained", _) => PlaceIn {
            container: Some(scope.resource),
            bundle: scope.bundle,
            full_url: scope.full_url,
        },
        ("resource", Some(entries)) => PlaceIn {
            container: None,
            bundle: Some(entries),
            full_url: entries.full_url_of(value),
        },
        _ => PlaceIn::default(),
    };
    resource(run, value, scope.inner, &[], place_in);
}
