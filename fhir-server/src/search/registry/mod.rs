//! [`Registry`]: the search parameters that there are (<https://hl7.org/fhir/R4/searchparameter-registry.html>), by resource type and
//! code.
//!
//! A parameter of several types is one for each of them here, so that a row of the index tells type and parameter by one number, and the
//! branches of the expression that speak of other types are not evaluated.

mod added;
mod leaf;
mod number;
mod numbering;
mod plan;
mod tenant;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, OnceLock};

use fhir_model::definitions::{self, SearchParamType, SearchParameter};
use fhir_model::reflect::{PrimitiveType, Shape};

pub(crate) use added::{Added, Fault, Standing, read};
pub(crate) use leaf::Leaf;
pub(crate) use numbering::{Numbering, Pass};
pub(crate) use plan::{Plan, Use};
pub(crate) use tenant::{Definition, search_parameter};

use crate::error::{Error, Result};
use crate::store::{Aspect, ParameterNumber, ResourceType, ValueKind};

/// What is answered without an index: it has a number, and no rows.
const WITHOUT_ROWS: [&str; 2] = [
    "http://hl7.org/fhir/SearchParameter/Resource-id",
    "http://hl7.org/fhir/SearchParameter/Resource-lastUpdated",
];

/// A search parameter of one resource type, or of all that derive from one.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    /// Of the aspect `Value`.
    pub(crate) number: ParameterNumber,
    /// The name in a query, such as `birthdate`.
    pub(crate) code: Cow<'static, str>,
    /// The canonical URL of its definition.
    pub(crate) url: Cow<'static, str>,
    /// The type that it is for; `None` for one of every type (or of all with narrative).
    pub(crate) resource_type: Option<ResourceType>,
    /// How its values compare.
    pub(crate) kind: SearchParamType,
    /// The types that a reference may point at; empty is any.
    pub(crate) targets: Vec<ResourceType>,
    /// The parts of a composite.
    pub(crate) components: Vec<Part>,
    /// The FHIRPath expression of its values, whole.
    pub(crate) expression: Option<Cow<'static, str>>,
}

/// A part of a composite.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// A number of its own, of the aspect `Value`.
    pub(crate) parameter: ParameterNumber,
    /// How its values compare.
    pub(crate) kind: SearchParamType,
    /// The types that a reference may point at; empty is any.
    pub(crate) targets: Vec<ResourceType>,
    /// The FHIRPath expression of its values, from a result of the composite's own.
    pub(crate) expression: Cow<'static, str>,
}

impl Parameter {
    /// The kinds of rows that its values have; none for a composite, whose parts have them.
    pub(crate) fn value_kinds(&self) -> &'static [ValueKind] {
        value_kinds(self.kind)
    }

    /// Whether it may refer by canonical URL (<https://hl7.org/fhir/R4/references.html#canonical>).
    pub(crate) fn may_be_canonical(&self) -> bool {
        let by_url = |leaf: Leaf| {
            matches!(
                leaf.primitive(),
                Some(PrimitiveType::Canonical | PrimitiveType::Uri)
            )
        };
        self.kind == SearchParamType::Reference && self.leaves().any(by_url)
    }

    /// Whether all of its values are identifiers.
    pub(crate) fn is_of_identifiers(&self) -> bool {
        let mut leaves = self.leaves().peekable();
        let is_identifier = |leaf: Leaf| leaf.complex().is_some_and(|info| info.name == "Identifier");
        leaves.peek().is_some() && leaves.all(is_identifier)
    }

    /// The elements of its type that hold its values.
    fn leaves(&self) -> impl Iterator<Item = Leaf> {
        let of = self.resource_type.map(ResourceType::name);
        let is_of = move |leaf: &Leaf| of.is_none_or(|name| leaf.is_of(name));
        Leaf::all(self.expression.as_deref().unwrap_or_default()).filter(is_of)
    }

    /// Whether the index holds rows of it.
    pub(crate) fn is_indexed(&self) -> bool {
        self.expression.is_some() && !WITHOUT_ROWS.contains(&&*self.url)
    }
}

impl Part {
    /// The kinds of rows that its values have.
    pub(crate) fn value_kinds(&self) -> &'static [ValueKind] {
        value_kinds(self.kind)
    }
}

/// The kinds of rows that hold the values of a type of parameter.
pub(crate) const fn value_kinds(kind: SearchParamType) -> &'static [ValueKind] {
    match kind {
        SearchParamType::Number => &[ValueKind::Number],
        SearchParamType::Date => &[ValueKind::Date],
        SearchParamType::String => &[ValueKind::String],
        SearchParamType::Token => &[ValueKind::Token],
        SearchParamType::Reference => &[ValueKind::Reference, ValueKind::Uri],
        SearchParamType::Composite => &[],
        SearchParamType::Quantity => &[ValueKind::Quantity],
        SearchParamType::Uri => &[ValueKind::Uri],
        SearchParamType::Special => &[ValueKind::Position],
    }
}

/// The search parameters of all types: R4's, and those that a tenant adds (`tenant`).
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    /// By type, in the order of their names; sorted by code.
    types: Vec<Arc<OfType>>,
    /// Those of every type, sorted by code.
    common: Vec<Arc<Parameter>>,
    /// The SearchParameters that are stored.
    added: Arc<Vec<Added>>,
    /// How much is indexed for those that are being indexed.
    percent: u8,
    /// Those that may refer by canonical URL.
    canonicals: OnceLock<Vec<ParameterNumber>>,
}

#[derive(Debug, Default)]
struct OfType {
    parameters: Vec<Arc<Parameter>>,
    /// Those that have rows of what is written, and are not searched by until all resources have them.
    rising: Vec<Arc<Parameter>>,
    plan: OnceLock<std::result::Result<Arc<Plan>, String>>,
}

static R4: LazyLock<Arc<Registry>> = LazyLock::new(|| Arc::new(Registry::of_parameters(number::r4())));

impl Registry {
    /// The parameters of R4.
    pub(crate) fn r4() -> &'static Registry {
        &R4
    }

    /// The same, to be held.
    pub(crate) fn shared() -> Arc<Registry> {
        Arc::clone(&R4)
    }

    /// Those parameters and no others.
    pub(crate) fn of_parameters(all: Vec<Parameter>) -> Self {
        let mut types: Vec<OfType> = Vec::new();
        types.resize_with(fhir_model::Resource::TYPES.len(), OfType::default);
        let mut common = Vec::new();
        for parameter in all.into_iter().map(Arc::new) {
            match parameter.resource_type {
                Some(resource_type) => types
                    .get_mut(place(resource_type))
                    .into_iter()
                    .for_each(|of| of.parameters.push(parameter.clone())),
                None => {
                    let names = fhir_model::Resource::TYPES.iter().zip(&mut types);
                    names
                        .filter(|(name, _)| derives(name, &parameter.url))
                        .for_each(|(_, of)| of.parameters.push(parameter.clone()));
                    common.push(parameter);
                }
            }
        }
        let by_code = |list: &mut Vec<Arc<Parameter>>| list.sort_by(|a, b| a.code.cmp(&b.code));
        types.iter_mut().for_each(|of| by_code(&mut of.parameters));
        common.retain(|p| !p.url.starts_with(DOMAIN_RESOURCE));
        by_code(&mut common);
        Registry {
            types: types.into_iter().map(Arc::new).collect(),
            common,
            added: Arc::default(),
            percent: 0,
            canonicals: OnceLock::new(),
        }
    }

    /// The parameter of that code for a type, or for every type where none is named.
    pub(crate) fn find(&self, resource_type: Option<ResourceType>, code: &str) -> Option<&Parameter> {
        let among = self.among(resource_type);
        let index = among.binary_search_by(|p| (*p.code).cmp(code)).ok()?;
        among.get(index).map(Arc::as_ref)
    }

    /// All parameters of a type, those of every type included, sorted by code.
    pub(crate) fn of(&self, resource_type: ResourceType) -> impl Iterator<Item = &Parameter> {
        self.among(Some(resource_type)).iter().map(Arc::as_ref)
    }

    /// The parameters of every type, sorted by code.
    pub(crate) fn common(&self) -> impl Iterator<Item = &Parameter> {
        self.common.iter().map(Arc::as_ref)
    }

    /// The parameter of the canonical URLs of a type, where its resources have such URLs and versions
    /// (<https://hl7.org/fhir/R4/resource.html#canonical>).
    pub(crate) fn url(&self, resource_type: ResourceType) -> Option<&Parameter> {
        let info = fhir_model::type_info(resource_type.name())?;
        let is_text = |name| {
            let field = info.field(name);
            field.is_some_and(|(_, field)| matches!(field.shape, Shape::Primitive(_)))
        };
        let parameter = self.find(Some(resource_type), "url")?;
        let is_own = parameter.leaves().any(|leaf| leaf.is_element(info, "url"));
        (is_own && is_text("version")).then_some(parameter)
    }

    /// The numbers under which resources of a type are found by canonical URL: without and with their version.
    pub(crate) fn urls(&self, resource_type: ResourceType) -> impl Iterator<Item = ParameterNumber> + use<> {
        let number = self.url(resource_type).map(|parameter| parameter.number);
        number
            .into_iter()
            .flat_map(|number| [number, number.of(Aspect::Versioned)])
    }

    /// The parameters of all types that may refer by canonical URL.
    pub(crate) fn canonicals(&self) -> &[ParameterNumber] {
        self.canonicals.get_or_init(|| {
            let all = self.types.iter().flat_map(|of| &of.parameters);
            let all = all.filter(|parameter| parameter.is_indexed() && parameter.may_be_canonical());
            all.map(|parameter| parameter.number).collect()
        })
    }

    /// What has to be evaluated for a resource of that type, compiled when it is first asked for.
    ///
    /// # Errors
    /// An expression that is not of the language: a fault of the definitions.
    pub(crate) fn plan(&self, resource_type: ResourceType) -> Result<Arc<Plan>> {
        let Some(of) = self.types.get(place(resource_type)) else {
            return Ok(Arc::default());
        };
        let plan = of.plan.get_or_init(|| {
            let url = self.url(resource_type).map(|parameter| parameter.number);
            Plan::of(of.parameters.iter().chain(&of.rising), resource_type, url).map(Arc::new)
        });
        plan.clone().map_err(Error::internal)
    }

    fn among(&self, resource_type: Option<ResourceType>) -> &[Arc<Parameter>] {
        match resource_type {
            Some(resource_type) => self
                .types
                .get(place(resource_type))
                .map_or(&[], |of| of.parameters.as_slice()),
            None => &self.common,
        }
    }
}

/// Where the urls of parameters of all types with narrative begin.
const DOMAIN_RESOURCE: &str = "http://hl7.org/fhir/SearchParameter/DomainResource-";

/// Whether a parameter of every type is one of that type.
fn derives(resource_type: &str, url: &str) -> bool {
    let is_plain = fhir_model::type_info(resource_type).is_some_and(|info| info.base == "Resource");
    !(is_plain && url.starts_with(DOMAIN_RESOURCE))
}

/// The place of a type in the order of names.
fn place(resource_type: ResourceType) -> usize {
    usize::try_from(resource_type.number())
        .unwrap_or_default()
        .saturating_sub(1)
}

#[cfg(test)]
mod tests;
