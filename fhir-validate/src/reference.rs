//! The reference layer: what references point to, as far as it can be seen or is at hand
//! (<https://hl7.org/fhir/R4/references.html>).

use fhir_model::Resource;
use fhir_model::path::{self, Resolved};
use fhir_model::primitive::Scalar;
use fhir_model::reflect::{Complex, Node};

use crate::bundle::Entries;
use crate::layer::Layer;
use crate::place::{complexes, text_of};
use crate::profile;
use crate::program::{Step, Test, TypeRule};
use crate::run::{Report, Run, Scope};
use crate::validator::{Inner, ReferenceChecks};
use crate::walk;

/// Finds the resources that references outside the resource point to.
pub trait Resolver: Send + Sync {
    /// The target of a reference as written (`Patient/1`, a URL, a canonical); `None` where there is none.
    fn resolve(&self, reference: &str) -> Option<Resource>;
}

/// What a reference leads to.
pub(crate) enum Target<'a> {
    Here(&'a dyn Complex),
    Elsewhere(Box<Resource>),
}

/// Checks a Reference on its own: contained targets exist, and the type is one of FHIR.
pub(crate) fn check<'a>(run: &mut Run, scope: &Scope<'a>, value: &'a dyn Complex) {
    let Some(reference) = text_of(value, "reference") else {
        return;
    };
    let of_target = || match find_here(scope, reference) {
        Some(target) => Some(target.type_info().name),
        None => implied_type(reference),
    };
    if let Some(named) = text_of(value, "type")
        && let Some(implied) = of_target()
        && named != implied
        && Resource::TYPES.binary_search(&named).is_ok()
    {
        let message = format!("the reference {reference:?} points to a {implied}, and its type says {named}");
        run.report(Report::error(Layer::Reference, message));
    }
    let options = &scope.inner.options;
    if options.references == ReferenceChecks::Form
        || reference.starts_with('#')
        || reference.starts_with("urn:")
    {
        return;
    }
    if find(scope, reference).is_none() {
        let message = format!("the reference {reference:?} could not be resolved");
        run.report(Report::error(Layer::Reference, message));
    }
}

/// Checks that a reference points to one of the types and profiles that its element allows.
pub(crate) fn check_targets<'a>(run: &mut Run, scope: &Scope<'a>, rule: &'a TypeRule, value: Node<'a>) {
    let Node::Complex(complex) = value else { return };
    let Some(reference) = text_of(complex, "reference") else {
        if let Some(named) = text_of(complex, "type").filter(|_| !rule.targets.is_empty()) {
            check_type(run, rule, scope, named, named);
        }
        return;
    };
    check_aggregation(run, scope, rule, reference);
    if rule.targets.is_empty() {
        return;
    }
    match find(scope, reference) {
        Some(Target::Here(target)) => {
            check_found(run, scope, rule, target, reference);
        }
        Some(Target::Elsewhere(target)) => {
            let target = target.as_complex();
            check_found(run, scope, rule, target, reference);
        }
        None => {
            if !scope.inner.options.trust_reference_types {
                return;
            }
            let implied = implied_type(reference).or_else(|| text_of(complex, "type"));
            if let Some(implied) = implied {
                check_type(run, rule, scope, implied, reference);
            }
        }
    }
}

fn check_found(run: &mut Run, scope: &Scope<'_>, rule: &TypeRule, target: &dyn Complex, reference: &str) {
    if !check_type(run, rule, scope, target.type_info().name, reference) {
        return;
    }
    // The base types hold by themselves; only profiles have to be applied.
    let is_base = |url: &String| scope.inner.type_of_base(url).is_some();
    if rule
        .targets
        .iter()
        .any(|t| is_base(t) && allows(scope, t, target.type_info().name))
    {
        return;
    }
    if let Some(unknown) = rule.targets.iter().find(|t| scope.inner.program(t).is_none()) {
        let message = format!(
            "the profile {unknown} is not known here, so the target of {reference:?} was not checked against it"
        );
        run.report(Report::warning(Layer::Reference, message));
        return;
    }
    let address = format!("{} {reference}", scope.full_url.unwrap_or_default());
    let fits = rule.targets.iter().any(|url| {
        run.once(&address, url, |run| {
            run.aside(target.type_info(), |run| {
                in_scope_of(scope, target, |own| fit(run, own, url))
            })
        })
    });
    if !fits {
        let message = format!(
            "the target of {reference:?} conforms to none of the profiles {}",
            rule.targets.join(", ")
        );
        run.report(Report::error(Layer::Reference, message));
    }
}

/// Applies a profile to a target; one of another type does not fit.
fn fit(run: &mut Run, scope: &Scope<'_>, url: &str) {
    let target = Node::Complex(scope.resource);
    match scope.inner.program(url) {
        Some(program) if profile::is_of_type(target, &program.type_name) => {
            profile::apply(run, scope, program, target)
        }
        _ => run.report(Report::error(Layer::Reference, "the target is of another type")),
    }
}

/// Does something with the surroundings that a target of its own has.
fn in_scope_of<T>(
    scope: &Scope<'_>,
    target: &dyn Complex,
    inside: impl for<'b> FnOnce(&Scope<'b>) -> T,
) -> T {
    let entries = scope.bundle;
    let full_url = entries.and_then(|e| e.full_url_of(target));
    let resolver = PathResolver::new(scope.inner, entries, full_url);
    let environment = walk::environment(scope.inner, target, &resolver);
    let own = Scope {
        inner: scope.inner,
        environment: &environment,
        resource: target,
        container: None,
        bundle: entries,
        full_url,
    };
    inside(&own)
}

/// Whether the type is among those that the targets allow; reports it where not.
fn check_type(run: &mut Run, rule: &TypeRule, scope: &Scope<'_>, found: &str, reference: &str) -> bool {
    if rule.targets.iter().any(|target| allows(scope, target, found)) {
        return true;
    }
    let names: Vec<&str> = rule
        .targets
        .iter()
        .map(|t| t.rsplit('/').next().unwrap_or(t))
        .collect();
    let message = format!(
        "the reference {reference:?} points to a {found}; allowed are {}",
        names.join(", ")
    );
    run.report(Report::error(Layer::Reference, message));
    false
}

/// Whether a target profile is about that type. One that is not known may be.
fn allows(scope: &Scope<'_>, target: &str, found: &str) -> bool {
    match scope.inner.type_of_profile(target) {
        Some("Resource" | "Any" | "DomainResource") | None => true,
        Some(name) => name == found,
    }
}

fn check_aggregation(run: &mut Run, scope: &Scope<'_>, rule: &TypeRule, reference: &str) {
    if rule.aggregation.is_empty() {
        return;
    }
    let mode = if reference.starts_with('#') {
        "contained"
    } else if scope
        .bundle
        .is_some_and(|b| b.find(reference, scope.full_url).is_some())
    {
        "bundled"
    } else {
        "referenced"
    };
    let allowed = |wanted: &String| wanted == mode || (wanted == "referenced" && mode == "bundled");
    if !rule.aggregation.iter().any(allowed) {
        let message = format!(
            "the reference {reference:?} is {mode}; allowed is {}",
            rule.aggregation.join(", ")
        );
        run.report(Report::error(Layer::Reference, message));
    }
}

/// The type of resource that a reference names: `Patient/1`, `http://…/Patient/1/_history/2`.
pub(crate) fn implied_type(reference: &str) -> Option<&str> {
    let path = reference.split(['?', '#', '|']).next().unwrap_or(reference);
    let path = path.split("/_history/").next().unwrap_or(path);
    let (before, _) = path.rsplit_once('/')?;
    let name = before.rsplit('/').next()?;
    Resource::TYPES.binary_search(&name).is_ok().then_some(name)
}

/// Finds a target: contained, an entry of the Bundle, or by the resolver.
pub(crate) fn find<'a>(scope: &Scope<'a>, reference: &str) -> Option<Target<'a>> {
    let here = find_here(scope, reference);
    if here.is_some() || reference.starts_with('#') {
        return here.map(Target::Here);
    }
    scope
        .inner
        .resolver
        .as_deref()?
        .resolve(reference)
        .map(|r| Target::Elsewhere(Box::new(r)))
}

/// The same, in what is at hand alone.
fn find_here<'a>(scope: &Scope<'a>, reference: &str) -> Option<&'a dyn Complex> {
    let Some(id) = reference.strip_prefix('#') else {
        return scope.bundle.and_then(|b| b.find(reference, scope.full_url));
    };
    let container = scope.container.unwrap_or(scope.resource);
    if id.is_empty() {
        return Some(container);
    }
    complexes(container, "contained").find(|c| text_of(*c, "id") == Some(id))
}

/// Does something with what a reference or canonical points to, in surroundings of its own.
pub(crate) fn with_target(
    scope: &Scope<'_>,
    value: Node<'_>,
    inside: impl for<'b> FnOnce(&Scope<'b>, Option<Node<'b>>) -> bool,
) -> bool {
    let reference = match value {
        Node::Complex(complex) => text_of(complex, "reference"),
        Node::Primitive(_, primitive) => match primitive.scalar() {
            Some(Scalar::String(text)) => Some(text),
            _ => None,
        },
    };
    match reference.and_then(|r| find(scope, r)) {
        Some(Target::Here(target)) => in_target(scope, target, inside),
        Some(Target::Elsewhere(target)) => in_target(scope, target.as_complex(), inside),
        None => inside(scope, None),
    }
}

fn in_target(
    scope: &Scope<'_>,
    target: &dyn Complex,
    inside: impl for<'b> FnOnce(&Scope<'b>, Option<Node<'b>>) -> bool,
) -> bool {
    in_scope_of(scope, target, |own| {
        inside(own, Some(Node::Complex(own.resource)))
    })
}

/// Whether a target that is not at hand may pass: the reference still names its type.
pub(crate) fn passes_unread(test: &Test, rest: &[Step], value: Node<'_>) -> bool {
    let Node::Complex(complex) = value else {
        return false;
    };
    let named = text_of(complex, "reference")
        .and_then(implied_type)
        .or_else(|| text_of(complex, "type"));
    match (test, named) {
        (Test::Types(types), Some(named)) if rest.is_empty() => {
            types.iter().any(|t| t.rsplit('/').next() == Some(named))
        }
        _ => false,
    }
}

/// `resolve()` of FHIRPath, by way of the Bundle and the resolver.
pub(crate) struct PathResolver<'a> {
    inner: &'a Inner,
    bundle: Option<&'a Entries<'a>>,
    full_url: Option<&'a str>,
}

impl<'a> PathResolver<'a> {
    pub(crate) fn new(inner: &'a Inner, bundle: Option<&'a Entries<'a>>, full_url: Option<&'a str>) -> Self {
        PathResolver {
            inner,
            bundle,
            full_url,
        }
    }
}

impl path::Resolver for PathResolver<'_> {
    fn resolve(&self, reference: &str, type_name: Option<&str>) -> Option<Resolved<'_>> {
        if let Some(found) = self.bundle.and_then(|b| b.resource(reference, self.full_url)) {
            return Some(Resolved::Borrowed(found));
        }
        let found = self.inner.resolver.as_deref().and_then(|r| r.resolve(reference));
        found
            .map(|r| Resolved::Owned(Box::new(r)))
            .or_else(|| path::ByReferenceType.resolve(reference, type_name))
    }
}

/// Applies a profile to a resource or datatype that stands on its own.
pub(crate) fn fit_alone(run: &mut Run, inner: &Inner, value: &dyn Complex, url: &str) {
    let resolver = PathResolver::new(inner, None, None);
    let environment = walk::environment(inner, value, &resolver);
    let scope = Scope {
        inner,
        environment: &environment,
        resource: value,
        container: None,
        bundle: None,
        full_url: None,
    };
    fit(run, &scope, url);
}
