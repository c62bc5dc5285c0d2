//! What an evaluation sees besides its input: the clock, variables, and the services behind `resolve()`,
//! `memberOf()`, `conformsTo()` and `trace()`.
//!
//! Invariant: nothing here reads a clock, a file or the network of its own accord.

use std::borrow::Cow;
use std::sync::OnceLock;

use jiff::Zoned;

use super::limits::Limits;
use super::units::{Ucum, Units};
use super::value::{Collection, Value};
use crate::generated::ElementDefinition;
use crate::reflect::{Complex, Node};
use crate::resource::Resource;

/// Finds what a reference points to (<https://hl7.org/fhir/R4/fhirpath.html#functions>). Contained resources and the
/// entries of a Bundle are found without it.
pub trait Resolver: Send + Sync {
    /// The target of a reference, a canonical or a URL, given as written, with the type that
    /// `Reference.type` names, if it does. `None` where there is none: `resolve()` leaves it out.
    fn resolve(&self, reference: &str, type_name: Option<&str>) -> Option<Resolved<'_>>;
}

/// What a [`Resolver`] found.
#[derive(Debug)]
pub enum Resolved<'r> {
    /// A resource that the resolver keeps.
    Borrowed(&'r Resource),
    /// A resource read for the purpose; the environment keeps it.
    Owned(Box<Resource>),
    /// The type alone, which is enough for `resolve() is Patient`.
    Type(&'static str),
}

/// Resolves by the look of a reference: `Patient/1` and `http://example.org/fhir/Patient/1/_history/2` point to a
/// Patient. It knows types only, no content: what extracting search parameters needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByReferenceType;

impl Resolver for ByReferenceType {
    fn resolve(&self, reference: &str, type_name: Option<&str>) -> Option<Resolved<'_>> {
        let known = |name: &str| {
            let index = Resource::TYPES.binary_search(&name).ok()?;
            Resource::TYPES.get(index).copied()
        };
        let path = reference.split(['?', '#', '|']).next().unwrap_or(reference);
        let path = path.split("/_history/").next().unwrap_or(path);
        let by_path = path.rsplit('/').nth(1).and_then(known);
        by_path.or_else(|| type_name.and_then(known)).map(Resolved::Type)
    }
}

/// Answers questions about codes.
pub trait Terminology: Send + Sync {
    /// Whether a code, Coding or CodeableConcept is in the value set of that URL; `None` where that is not known.
    fn member_of(&self, coded: &Value<'_>, value_set: &str) -> Option<bool>;

    /// Whether the first code is the second or an ancestor of it; `None` where that is not known.
    fn subsumes(&self, ancestor: &Value<'_>, descendant: &Value<'_>) -> Option<bool>;
}

/// Answers questions about profiles.
pub trait Profiles: Send + Sync {
    /// Whether a value conforms to the structure definition of that URL; `None` for a URL that is not known.
    fn conforms_to(&self, value: &Value<'_>, profile: &str) -> Option<bool>;

    /// Whether an element belongs to that slice of that structure definition; `None` where there is no such slice.
    fn in_slice(&self, value: &Value<'_>, profile: &str, slice: &str) -> Option<bool> {
        let _ = (value, profile, slice);
        None
    }

    /// The definition of an element; `None` where that is not known.
    fn element_definition(&self, value: &Value<'_>) -> Option<ElementDefinition> {
        let _ = value;
        None
    }
}

/// Receives what `trace()` logs. The values may be patient data.
pub trait Trace: Send + Sync {
    /// Called for each `trace(name)` that is evaluated.
    fn trace(&self, name: &str, values: &[Value<'_>]);
}

impl<F: Fn(&str, &[Value<'_>]) + Send + Sync> Trace for F {
    fn trace(&self, name: &str, values: &[Value<'_>]) {
        self(name, values);
    }
}

/// The surroundings of an evaluation. The default has no clock and no services.
///
/// ```
/// use fhir_model::path::{Environment, Expression, Value};
/// let environment = Environment::new().with_variable("limit", Value::Integer(3));
/// let expression = Expression::compile("%limit + 1")?;
/// assert_eq!(expression.evaluate((), &environment)?.first().and_then(|v| v.text()).as_deref(), Some("4"));
/// # Ok::<(), fhir_model::path::Error>(())
/// ```
pub struct Environment<'a> {
    now: Option<Zoned>,
    variables: Vec<(Cow<'a, str>, Collection<'a>)>,
    resource: Option<Value<'a>>,
    root_resource: Option<Value<'a>>,
    resolver: Option<&'a dyn Resolver>,
    terminology: Option<&'a dyn Terminology>,
    profiles: Option<&'a dyn Profiles>,
    trace: Option<&'a dyn Trace>,
    units: &'a dyn Units,
    limits: Limits,
    as_filters: bool,
    resources: Arena<Resource>,
    definitions: Arena<ElementDefinition>,
}

impl Default for Environment<'_> {
    fn default() -> Self {
        Environment {
            now: None,
            variables: Vec::new(),
            resource: None,
            root_resource: None,
            resolver: None,
            terminology: None,
            profiles: None,
            trace: None,
            units: &Ucum,
            limits: Limits::default(),
            as_filters: false,
            resources: Arena::default(),
            definitions: Arena::default(),
        }
    }
}

impl<'a> Environment<'a> {
    /// An environment without a clock and services.
    pub fn new() -> Self {
        Environment::default()
    }

    /// Sets what `now()`, `today()` and `timeOfDay()` answer; without it they are errors.
    pub fn with_now(mut self, now: Zoned) -> Self {
        self.now = Some(now);
        self
    }

    /// Sets the variable `%name`. Variables of the language (`%context`, `%ucum`) keep their meaning.
    pub fn with_variable(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Collection<'a>>) -> Self {
        let name = name.into();
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
        self
    }

    /// Sets `%resource`, the resource that holds the input. Without it, it is the input if that is a resource.
    pub fn with_resource(mut self, resource: Node<'a>) -> Self {
        self.resource = Some(Value::Node(resource));
        self
    }

    /// Sets `%rootResource`, the container of a contained resource. Without it, it is `%resource`.
    pub fn with_root_resource(mut self, resource: Node<'a>) -> Self {
        self.root_resource = Some(Value::Node(resource));
        self
    }

    /// Sets who finds the targets of references that lie outside the resource.
    pub fn with_resolver(mut self, resolver: &'a dyn Resolver) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// Sets who answers `memberOf()`, `subsumes()` and `subsumedBy()`; without it they are errors.
    pub fn with_terminology(mut self, terminology: &'a dyn Terminology) -> Self {
        self.terminology = Some(terminology);
        self
    }

    /// Sets who answers `conformsTo()`, `slice()` and `elementDefinition()`. Without it `conformsTo()` knows the base
    /// types of FHIR by name, and the others are errors.
    pub fn with_profiles(mut self, profiles: &'a dyn Profiles) -> Self {
        self.profiles = Some(profiles);
        self
    }

    /// Sets who receives what `trace()` logs.
    pub fn with_trace(mut self, trace: &'a dyn Trace) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Sets the source of units, [`Ucum`] by default.
    pub fn with_units(mut self, units: &'a dyn Units) -> Self {
        self.units = units;
        self
    }

    /// Sets the limits of each evaluation.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets `as` filter collections of several items, as `ofType()` does, where the language wants an error. The
    /// search parameters and invariants of R4 are written so (`Observation.component.value as Quantity`, dom-3).
    pub fn with_filtering_as(mut self) -> Self {
        self.as_filters = true;
        self
    }

    pub(super) fn now(&self) -> Option<&Zoned> {
        self.now.as_ref()
    }
    pub(super) fn variable(&self, name: &str) -> Option<&Collection<'a>> {
        self.variables
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }
    pub(super) fn resource(&self) -> Option<&Value<'a>> {
        self.resource.as_ref()
    }
    pub(super) fn root_resource(&self) -> Option<&Value<'a>> {
        self.root_resource.as_ref()
    }
    pub(super) fn resolver(&self) -> Option<&'a dyn Resolver> {
        self.resolver
    }
    pub(super) fn terminology(&self) -> Option<&'a dyn Terminology> {
        self.terminology
    }
    pub(super) fn profiles(&self) -> Option<&'a dyn Profiles> {
        self.profiles
    }
    pub(super) fn trace(&self) -> Option<&'a dyn Trace> {
        self.trace
    }
    pub(super) fn units(&self) -> &'a dyn Units {
        self.units
    }
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }
    pub(super) fn as_filters(&self) -> bool {
        self.as_filters
    }
    /// Keeps a resource as long as the environment.
    pub(super) fn keep_resource(&self, resource: Resource) -> &dyn Complex {
        self.resources.keep(resource).as_complex()
    }
    /// Keeps a definition as long as the environment.
    pub(super) fn keep_definition(&self, definition: ElementDefinition) -> &dyn Complex {
        self.definitions.keep(definition)
    }
}

impl std::fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let variables: Vec<&str> = self.variables.iter().map(|(name, _)| name.as_ref()).collect();
        f.debug_struct("Environment")
            .field("now", &self.now)
            .field("variables", &variables)
            .finish_non_exhaustive()
    }
}

/// Values that are only added, each at an address that stays.
struct Arena<T> {
    first: OnceLock<Box<Link<T>>>,
}

struct Link<T> {
    /// Always present: an option only so that it can be moved in when the place turns out to be free.
    value: Option<T>,
    next: OnceLock<Box<Link<T>>>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena {
            first: OnceLock::new(),
        }
    }
}

impl<T> Arena<T> {
    fn keep(&self, value: T) -> &T {
        let mut value = Some(value);
        let mut place = &self.first;
        loop {
            let link = place.get_or_init(|| {
                Box::new(Link {
                    value: value.take(),
                    next: OnceLock::new(),
                })
            });
            match (&value, &link.value) {
                (None, Some(kept)) => return kept,
                _ => place = &link.next,
            }
        }
    }
}

impl<T> Drop for Arena<T> {
    /// Frees the links one after the other; a chain of drops could be deep.
    fn drop(&mut self) {
        let mut next = self.first.take();
        while let Some(mut link) = next {
            next = link.next.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_arena_keeps_stays_where_it_is() {
        let arena = Arena::default();
        let kept: Vec<&String> = (0..100).map(|i| arena.keep(i.to_string())).collect();
        assert!(kept.iter().enumerate().all(|(i, s)| **s == i.to_string()));
    }

    #[test]
    fn the_look_of_a_reference_tells_its_type() {
        let type_of = |reference, named| match ByReferenceType.resolve(reference, named) {
            Some(Resolved::Type(name)) => Some(name),
            _ => None,
        };
        assert_eq!(type_of("Patient/1", None), Some("Patient"));
        assert_eq!(
            type_of("http://example.org/fhir/Group/1/_history/2", None),
            Some("Group")
        );
        assert_eq!(
            type_of("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", Some("Patient")),
            Some("Patient")
        );
        assert_eq!(
            type_of("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", None),
            None
        );
        assert_eq!(type_of("Wibble/1", None), None);
    }
}
