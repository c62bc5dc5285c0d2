//! The numbers of R4's search parameters in the index.
//!
//! Invariant: a number never changes what it stands for, as databases are full of them. They follow from the order of R4's definitions,
//! which is frozen: by url, then by type. The parts of composites come after all parameters. What is added to a running server begins at
//! [`FIRST_ADDED`].

use super::*;

/// The first place of parameters that R4 does not define.
pub(crate) const FIRST_ADDED: i32 = 100_000;

/// All parameters of R4, numbered.
pub(super) fn r4() -> Vec<Parameter> {
    let mut places = (1..).map(|place| ParameterNumber::new(place, Aspect::Value));
    let mut next = || places.next().unwrap_or(ParameterNumber(0));
    let mut all = Vec::new();
    for definition in definitions::search_parameters() {
        let mut base: Vec<&str> = definition.base.to_vec();
        base.sort_unstable();
        all.extend(base.iter().map(|name| parameter(definition, name, next())));
    }
    let parts = all.iter_mut().flat_map(|p| &mut p.components);
    parts.for_each(|part| part.parameter = next());
    all
}

/// The parameter for one of its types; the parts are not numbered yet.
fn parameter(definition: &'static SearchParameter, base: &str, number: ParameterNumber) -> Parameter {
    let part = |component: &'static definitions::Component| {
        let known = definitions::search_parameter(component.definition);
        Part {
            parameter: ParameterNumber(0),
            kind: known.map_or(SearchParamType::String, |p| p.type_),
            targets: known.map(|p| targets(p.target)).unwrap_or_default(),
            expression: Cow::Borrowed(component.expression),
        }
    };
    Parameter {
        number,
        code: Cow::Borrowed(definition.code),
        url: Cow::Borrowed(definition.url),
        resource_type: ResourceType::from_name(base),
        kind: definition.type_,
        targets: targets(definition.target),
        components: definition.components.iter().map(part).collect(),
        expression: definition.expression.map(Cow::Borrowed),
    }
}

/// The types of those names; one that stands for all is no restriction.
pub(super) fn targets(names: &[&str]) -> Vec<ResourceType> {
    let all: Option<Vec<_>> = names.iter().map(|name| ResourceType::from_name(name)).collect();
    let mut all = all.unwrap_or_default();
    all.sort_unstable();
    all
}
