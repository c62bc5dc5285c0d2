//! A [`Filter`] in words, for whoever wants to know what was understood of a query.

use std::collections::HashMap;

use super::registry::Registry;
use crate::store::{Criterion, Filter, ParameterNumber, ResourceType};

/// What of a parameter's values a number is about, by its place.
const ASPECTS: [&str; 5] = ["", ":text", ":of-type", ":identifier", " in base units"];

/// The names of parameters by their numbers.
pub(crate) struct Names(HashMap<i32, String>);

impl Names {
    /// Those of a registry.
    pub(crate) fn new(registry: &Registry) -> Self {
        let mut names = HashMap::new();
        let mut add = |number: ParameterNumber, name: String| {
            names.entry(number.0).or_insert(name);
        };
        for of in ResourceType::all() {
            for parameter in registry.of(of) {
                let name = match parameter.resource_type {
                    Some(of) => format!("{}.{}", of.name(), parameter.code),
                    None => parameter.code.to_string(),
                };
                for (place, part) in (1..).zip(&parameter.components) {
                    add(part.parameter, format!("{name}${place}"));
                }
                add(parameter.number, name);
            }
        }
        Names(names)
    }

    /// The filter, its parts in parentheses.
    pub(crate) fn text(&self, filter: &Filter) -> String {
        let all = |filters: &[Filter], with: &str| {
            let texts: Vec<String> = filters.iter().map(|filter| self.text(filter)).collect();
            format!("({})", texts.join(with))
        };
        match filter {
            Filter::All => "anything".to_owned(),
            Filter::None => "nothing".to_owned(),
            Filter::And(filters) => all(filters, " and "),
            Filter::Or(filters) => all(filters, " or "),
            Filter::Not(filter) => format!("not {}", self.text(filter)),
            Filter::Types(types) => format!("of type {}", type_names(types)),
            Filter::Ids(ids) => format!("of id {}", ids.join(", ")),
            Filter::Resource(key) => format!("being {key}"),
            Filter::LastUpdated { from, to } => {
                let end = |end: &Option<crate::context::Millis>| {
                    end.map_or("any time".to_owned(), |at| at.to_instant())
                };
                format!("changed from {} to {}", end(from), end(to))
            }
            Filter::Has(criterion) => self.criterion(criterion),
            Filter::Group(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.criterion(part)).collect();
                format!("one group with ({})", parts.join(" and "))
            }
            Filter::RefersTo {
                parameters,
                resource_type,
                filter,
            }
            | Filter::RefersByUrl {
                parameters,
                resource_type,
                filter,
                ..
            } => {
                let names: Vec<String> = parameters.iter().map(|number| self.name(*number)).collect();
                format!(
                    "{} to a {} that is {}",
                    names.join(" or "),
                    resource_type.name(),
                    self.text(filter)
                )
            }
            Filter::ReferredToBy {
                resource_type,
                parameter,
                filter,
            }
            | Filter::ReferredToByUrl {
                resource_type,
                parameter,
                filter,
                ..
            } => format!(
                "{} of a {} leads to it that is {}",
                self.name(*parameter),
                resource_type.name(),
                self.text(filter)
            ),
        }
    }

    fn criterion(&self, criterion: &Criterion) -> String {
        format!("{} {:?}", self.name(criterion.parameter), criterion.test)
    }

    fn name(&self, number: ParameterNumber) -> String {
        let value = number.of(crate::store::Aspect::Value);
        let aspect = usize::try_from(number.0 - value.0).ok();
        let aspect = aspect
            .and_then(|aspect| ASPECTS.get(aspect))
            .copied()
            .unwrap_or_default();
        match self.0.get(&value.0) {
            Some(name) => format!("{name}{aspect}"),
            None => format!("parameter {}", number.0),
        }
    }
}

fn type_names(types: &[ResourceType]) -> String {
    let names: Vec<&str> = types.iter().map(|of| of.name()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Aspect, SystemTest, Test};

    #[test]
    fn parameters_go_by_their_names() {
        let patients = ResourceType::from_name("Patient").unwrap();
        let number = Registry::r4().find(Some(patients), "identifier").unwrap().number;
        let test = Test::Token {
            system: SystemTest::Any,
            code: Some(vec!["7".into()]),
        };
        let has = |parameter| {
            Filter::Has(Criterion {
                parameter,
                test: test.clone(),
            })
        };
        let filter = Filter::Or(vec![
            has(number),
            Filter::Not(Box::new(has(number.of(Aspect::OfType)))),
            has(ParameterNumber(1_000_000_008)),
        ]);
        let names = Names::new(Registry::r4());
        assert_eq!(
            names.text(&filter),
            "(Patient.identifier Token { system: Any, code: Some([\"7\"]) } or \
             not Patient.identifier:of-type Token { system: Any, code: Some([\"7\"]) } or \
             parameter 1000000008 Token { system: Any, code: Some([\"7\"]) })"
        );
    }
}
