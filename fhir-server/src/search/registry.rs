//! The search parameters that there are, by type and code (<https://hl7.org/fhir/R4/searchparameter-registry.html>).

use std::collections::HashMap;
use std::sync::LazyLock;

use fhir_model::definitions::{SearchParamType, SearchParameter, search_parameter, search_parameters};

use crate::store::{Aspect, ParameterNumber, ResourceType, ValueKind};

/// A search parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) number: ParameterNumber,
    pub(crate) code: std::borrow::Cow<'static, str>,
    pub(crate) url: std::borrow::Cow<'static, str>,
    pub(crate) resource_type: Option<ResourceType>,
    pub(crate) kind: SearchParamType,
    pub(crate) targets: Vec<ResourceType>,
    pub(crate) components: Vec<Part>,
    kinds: Vec<ValueKind>,
}

/// A part of a composite.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) parameter: ParameterNumber,
    pub(crate) kind: SearchParamType,
    pub(crate) targets: Vec<ResourceType>,
    kinds: Vec<ValueKind>,
}

impl Parameter {
    pub(crate) fn value_kinds(&self) -> &[ValueKind] {
        &self.kinds
    }
    pub(crate) fn is_indexed(&self) -> bool {
        !self.kinds.is_empty() || !self.components.is_empty()
    }
}

impl Part {
    pub(crate) fn value_kinds(&self) -> &[ValueKind] {
        &self.kinds
    }
}

/// All parameters.
#[derive(Debug)]
pub(crate) struct Registry {
    by_code: HashMap<Option<ResourceType>, HashMap<&'static str, Parameter>>,
}

impl Registry {
    /// Those of R4.
    pub(crate) fn r4() -> &'static Registry {
        static R4: LazyLock<Registry> = LazyLock::new(Registry::of_definitions);
        &R4
    }

    fn of_definitions() -> Registry {
        let mut by_code: HashMap<Option<ResourceType>, HashMap<&'static str, Parameter>> = HashMap::new();
        let mut place = 1;
        for definition in search_parameters() {
            for base in definition.base {
                let resource_type = ResourceType::from_name(base);
                let parameter = parameter(definition, resource_type, &mut place);
                by_code
                    .entry(resource_type)
                    .or_default()
                    .insert(definition.code, parameter);
            }
        }
        Registry { by_code }
    }

    /// The parameter of that code: of the type, or of every type.
    pub(crate) fn find(&self, resource_type: Option<ResourceType>, code: &str) -> Option<&Parameter> {
        self.of_key(resource_type, code)
            .or_else(|| self.of_key(None, code))
    }

    fn of_key(&self, resource_type: Option<ResourceType>, code: &str) -> Option<&Parameter> {
        self.by_code.get(&resource_type)?.get(code)
    }

    /// The parameters of a type.
    pub(crate) fn of(&self, resource_type: ResourceType) -> impl Iterator<Item = &Parameter> {
        self.by_code
            .values()
            .flat_map(HashMap::values)
            .filter(move |p| p.resource_type.is_none_or(|t| t == resource_type))
    }
}

fn parameter(
    definition: &'static SearchParameter,
    resource_type: Option<ResourceType>,
    place: &mut i32,
) -> Parameter {
    let mut next = || {
        *place += 1;
        ParameterNumber::new(*place, Aspect::Value)
    };
    let targets: Vec<ResourceType> = definition
        .target
        .iter()
        .filter_map(|t| ResourceType::from_name(t))
        .collect();
    Parameter {
        number: next(),
        code: definition.code.into(),
        url: definition.url.into(),
        resource_type,
        kind: definition.type_,
        targets,
        components: definition
            .components
            .iter()
            .filter_map(|c| {
                let d = search_parameter(c.definition)?;
                Some(Part {
                    parameter: next(),
                    kind: d.type_,
                    targets: Vec::new(),
                    kinds: kinds(d.type_, d.code),
                })
            })
            .collect(),
        kinds: if definition.expression.is_none() {
            Vec::new()
        } else {
            kinds(definition.type_, definition.code)
        },
    }
}

fn kinds(kind: SearchParamType, code: &str) -> Vec<ValueKind> {
    match kind {
        SearchParamType::Number => vec![ValueKind::Number],
        SearchParamType::Date => vec![ValueKind::Date],
        SearchParamType::String => vec![ValueKind::String],
        SearchParamType::Token => vec![ValueKind::Token],
        SearchParamType::Reference => vec![ValueKind::Reference, ValueKind::Uri],
        SearchParamType::Quantity => vec![ValueKind::Quantity],
        SearchParamType::Uri => vec![ValueKind::Uri],
        SearchParamType::Special if code == "near" => vec![ValueKind::Position],
        SearchParamType::Special | SearchParamType::Composite => Vec::new(),
    }
}
