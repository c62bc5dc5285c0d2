//! The registry of a tenant: R4's parameters, and what the SearchParameters come to that the tenant stores.

use std::collections::HashMap;

use super::added::MOST_ADDED;
use super::*;

/// A SearchParameter as it is stored.
pub(crate) struct Definition {
    /// Its logical id.
    pub(crate) id: String,
    /// The stamp of its current version.
    pub(crate) stamp: i64,
    /// The resource.
    pub(crate) resource: fhir_model::SearchParameter,
}

/// The type of resources that define search parameters.
pub(crate) fn search_parameter() -> Option<ResourceType> {
    ResourceType::from_name("SearchParameter")
}

impl Registry {
    /// R4's parameters, and those that the definitions add, oldest first, with the numbers that are noted.
    pub(crate) fn with_added(mut definitions: Vec<Definition>, numbering: &Numbering) -> Registry {
        let mut registry = Registry::r4().clone();
        // The parts of composites are among the others.
        definitions.sort_by_key(|d| !d.resource.component.is_empty());
        for definition in definitions {
            let one = registry.added_of(definition, numbering);
            Arc::make_mut(&mut registry.added).push(one);
        }
        registry.enlist();
        registry
    }

    fn added_of(&self, definition: Definition, numbering: &Numbering) -> Added {
        let Definition { id, stamp, resource } = definition;
        let known = |part: &fhir_model::SearchParameterComponent| {
            let url = part.definition.as_str().unwrap_or_default();
            self.added.iter().find(|a| a.url == url).map(|a| a.stamp)
        };
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        let mut added = Added {
            stamp: resource.component.iter().filter_map(known).fold(stamp, i64::max),
            url: text(resource.url.as_str()),
            code: text(resource.code.as_str()),
            parameters: Vec::new(),
            standing: Standing::Inactive,
            id,
        };
        if self.added.iter().filter(|a| a.takes_effect()).count() >= MOST_ADDED {
            added.standing = Standing::Faulty(too_many());
            return added;
        }
        match read(&resource, &added.id, self) {
            Ok((Standing::Waiting, parameters)) => {
                added.parameters = parameters;
                numbering.apply(&mut added);
            }
            Ok((standing, _)) => added.standing = standing,
            Err(fault) => added.standing = Standing::Faulty(format!("{}: {}", fault.element, fault.text)),
        }
        added
    }

    /// Puts what has numbers to the types.
    fn enlist(&mut self) {
        let mut by_type: HashMap<usize, OfType> = HashMap::new();
        let of_added = self
            .added
            .iter()
            .filter(|a| matches!(a.standing, Standing::InUse | Standing::Indexing));
        for (added, parameter) in of_added.flat_map(|a| a.parameters.iter().map(move |p| (a, p))) {
            let parameter = Arc::new(parameter.clone());
            let is_in_use = added.standing == Standing::InUse;
            let places = match parameter.resource_type {
                Some(resource_type) => place(resource_type)..place(resource_type) + 1,
                None => 0..self.types.len(),
            };
            for place in places {
                let fresh = || OfType {
                    parameters: self
                        .types
                        .get(place)
                        .map(|of| of.parameters.clone())
                        .unwrap_or_default(),
                    ..OfType::default()
                };
                let of = by_type.entry(place).or_insert_with(fresh);
                let list = if is_in_use {
                    &mut of.parameters
                } else {
                    &mut of.rising
                };
                list.push(parameter.clone());
            }
            if is_in_use && parameter.resource_type.is_none() {
                self.common.push(parameter);
            }
        }
        self.common.sort_by(|a, b| a.code.cmp(&b.code));
        self.canonicals = OnceLock::new();
        for (place, mut of) in by_type {
            of.parameters.sort_by(|a, b| a.code.cmp(&b.code));
            self.types
                .get_mut(place)
                .into_iter()
                .for_each(|known| *known = Arc::new(std::mem::take(&mut of)));
        }
    }

    /// The SearchParameters that are stored, those of composites last.
    pub(crate) fn added(&self) -> &[Added] {
        &self.added
    }

    /// Whether resources are being indexed for some of them.
    pub(crate) fn is_rising(&self) -> bool {
        self.added
            .iter()
            .any(|added| added.standing == Standing::Indexing)
    }

    /// The same, where so much is indexed.
    pub(crate) fn with_percent(&self, percent: u8) -> Registry {
        Registry {
            percent,
            ..self.clone()
        }
    }

    /// Why a parameter of that code is not answered, though it is defined.
    pub(crate) fn why_not(&self, resource_type: Option<ResourceType>, code: &str) -> Option<String> {
        let stored = self
            .added
            .iter()
            .filter(|a| a.code == code && a.is_of(resource_type));
        let not_in_use =
            stored.filter(|a| !matches!(a.standing, Standing::InUse | Standing::OfR4 | Standing::Inactive));
        let added = not_in_use.min_by_key(|a| !a.takes_effect())?;
        Some(match &added.standing {
            Standing::Indexing => format!(
                "The search parameter {code:?} is being indexed, {} %: it is answered once that is done.",
                self.percent
            ),
            Standing::Faulty(why) => format!("The search parameter {code:?} cannot be used: {why}"),
            _ => format!(
                "The search parameter {code:?} waits to be indexed: it is answered once that is done."
            ),
        })
    }

    /// Whose the code is already, other than of the SearchParameter with that id: a canonical URL.
    pub(super) fn holder(&self, resource_type: Option<ResourceType>, code: &str, id: &str) -> Option<String> {
        let r4 = Registry::r4();
        let defined = match resource_type {
            Some(_) => r4.find(resource_type, code),
            None => ResourceType::all().find_map(|of| r4.find(Some(of), code)),
        };
        if let Some(parameter) = defined {
            return Some(parameter.url.clone().into_owned());
        }
        let clashes = |a: &&Added| {
            let is_of = a.is_of(resource_type) || resource_type.is_none();
            a.takes_effect() && a.code == code && a.id != id && is_of
        };
        self.added.iter().find(clashes).map(|a| a.url.clone())
    }

    /// How the values of a parameter compare that is R4's or stored, and the types that its references may point at.
    pub(super) fn kind_of(&self, url: &str) -> Option<(SearchParamType, Vec<ResourceType>)> {
        if let Some(r4) = definitions::search_parameter(url) {
            return Some((r4.type_, number::targets(r4.target)));
        }
        let stored = self.added.iter().find(|a| a.url == url && a.takes_effect())?;
        let first = stored.parameters.first()?;
        Some((first.kind, first.targets.clone()))
    }

    /// Refuses a SearchParameter that could not take effect.
    ///
    /// # Errors
    /// What is wrong, by its element.
    pub(crate) fn check(
        &self,
        definition: &fhir_model::SearchParameter,
        id: &str,
    ) -> std::result::Result<(), Fault> {
        let (standing, _) = read(definition, id, self)?;
        let others = self
            .added
            .iter()
            .filter(|a| a.takes_effect() && a.id != id)
            .count();
        match standing == Standing::Waiting && others >= MOST_ADDED {
            true => Err(Fault {
                element: "status".into(),
                text: too_many(),
            }),
            false => Ok(()),
        }
    }
}

fn too_many() -> String {
    format!("{MOST_ADDED} SearchParameters are active already, which is the limit: retire one.")
}
