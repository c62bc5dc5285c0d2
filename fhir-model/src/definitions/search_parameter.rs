//! The search parameters of R4 (<https://hl7.org/fhir/R4/searchparameter-registry.html>).
//!
//! Invariant: the table is sorted by url.

use crate::generated::search_parameters::SEARCH_PARAMETERS;

/// How the values of a parameter compare (<https://hl7.org/fhir/R4/search.html#ptypes>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "each variant is the search parameter type of the same name"
)]
pub enum SearchParamType {
    Number,
    Date,
    String,
    Token,
    Reference,
    Composite,
    Quantity,
    Uri,
    Special,
}

impl SearchParamType {
    /// The code in the specification, such as `token`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Date => "date",
            Self::String => "string",
            Self::Token => "token",
            Self::Reference => "reference",
            Self::Composite => "composite",
            Self::Quantity => "quantity",
            Self::Uri => "uri",
            Self::Special => "special",
        }
    }
}

/// A search parameter that R4 defines.
#[derive(Debug)]
pub struct SearchParameter {
    /// The canonical URL.
    pub url: &'static str,
    /// The name in a query, such as `birthdate`.
    pub code: &'static str,
    /// The resource types that it applies to; `Resource` and `DomainResource` stand for those that derive from them.
    pub base: &'static [&'static str],
    /// The type of its values.
    pub type_: SearchParamType,
    /// The FHIRPath expression that finds the values; `None` for `_text`, `_content` and `_query`.
    pub expression: Option<&'static str>,
    /// The resource types that a reference may point at.
    pub target: &'static [&'static str],
    /// Whether a query may list values with commas.
    pub multiple_or: bool,
    /// The parts of a composite.
    pub components: &'static [Component],
}

/// A part of a composite search parameter.
#[derive(Debug)]
pub struct Component {
    /// The URL of the search parameter that says how its values compare.
    pub definition: &'static str,
    /// The FHIRPath expression of its values, relative to a result of the composite's own expression.
    pub expression: &'static str,
}

impl SearchParameter {
    /// Whether the parameter is defined for resources of that type, itself or by the type it derives from.
    pub fn applies_to(&self, resource_type: &str) -> bool {
        let base = crate::type_info(resource_type).map(|info| info.base);
        self.base
            .iter()
            .any(|b| *b == resource_type || *b == "Resource" || Some(*b) == base)
    }
}

/// Every search parameter of R4, sorted by url.
pub fn search_parameters() -> &'static [SearchParameter] {
    &SEARCH_PARAMETERS
}

/// The parameters defined for resources of that type, those of all resources included.
pub fn search_parameters_of(resource_type: &str) -> impl Iterator<Item = &'static SearchParameter> {
    search_parameters()
        .iter()
        .filter(move |p| p.applies_to(resource_type))
}

/// The parameter with that canonical URL.
pub fn search_parameter(url: &str) -> Option<&'static SearchParameter> {
    let table = search_parameters();
    table
        .binary_search_by(|p| p.url.cmp(url))
        .ok()
        .and_then(|index| table.get(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(resource_type: &str) -> Vec<&'static str> {
        search_parameters_of(resource_type).map(|p| p.code).collect()
    }

    #[test]
    fn parameters_are_found_by_url_and_by_type() {
        assert_eq!(search_parameters().len(), 1378);
        let birthdate = search_parameter("http://hl7.org/fhir/SearchParameter/individual-birthdate").unwrap();
        assert_eq!(
            (birthdate.code, birthdate.type_),
            ("birthdate", SearchParamType::Date)
        );
        assert!(birthdate.applies_to("Patient") && !birthdate.applies_to("Observation"));
        assert!(
            search_parameters()
                .iter()
                .all(|p| search_parameter(p.url).is_some_and(|q| q.url == p.url))
        );
    }

    #[test]
    fn parameters_of_a_base_type_apply_to_what_derives_from_it() {
        assert!(codes("Patient").contains(&"_text") && codes("Patient").contains(&"_id"));
        // Bundle is a Resource, not a DomainResource: it has no narrative to search.
        assert!(!codes("Bundle").contains(&"_text") && codes("Bundle").contains(&"_id"));
    }

    #[test]
    fn no_type_has_two_parameters_of_one_code() {
        for resource_type in crate::Resource::TYPES {
            let mut codes = codes(resource_type);
            let all = codes.len();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), all, "{resource_type}");
        }
    }

    #[test]
    fn parts_of_composites_are_defined() {
        let composites = search_parameters()
            .iter()
            .filter(|p| p.type_ == SearchParamType::Composite);
        for composite in composites {
            assert!(
                composite.components.len() >= 2 && !composite.multiple_or,
                "{}",
                composite.url
            );
            for part in composite.components {
                assert!(
                    search_parameter(part.definition).is_some(),
                    "{} in {}",
                    part.definition,
                    composite.url
                );
            }
        }
    }
}
