//! What the base definitions ask of each type beyond the static tables: invariants, bindings, targets of references.
//!
//! Compiled per type on first use, and kept.

use std::collections::HashMap;
use std::sync::OnceLock;

use fhir_model::Resource;
use fhir_model::reflect::{Shape, TypeInfo};

use crate::definition::{Facts, Store, text};
use crate::program::{Binding, Constraint, TypeRule};

/// The rules of one type.
#[derive(Default)]
pub(crate) struct TypeRules {
    /// Of every value of the type.
    pub(crate) constraints: Vec<Constraint>,
    /// By the index of the field.
    pub(crate) fields: Vec<FieldRules>,
}

/// The rules of one element of a type.
#[derive(Default)]
pub(crate) struct FieldRules {
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) bindings: Vec<Binding>,
    /// References and canonicals: what they may point to. Other types: profiles of datatypes.
    pub(crate) types: Vec<TypeRule>,
}

/// The rules of all types, by the address of their static table.
pub(crate) struct BaseRules(HashMap<usize, OnceLock<TypeRules>>);

impl BaseRules {
    pub(crate) fn new() -> BaseRules {
        let mut rules = BaseRules(HashMap::new());
        for name in Resource::TYPES {
            fhir_model::type_info(name)
                .into_iter()
                .for_each(|info| rules.visit(info));
        }
        rules
    }

    fn visit(&mut self, info: &'static TypeInfo) {
        if self.0.insert(address(info), OnceLock::new()).is_some() {
            return;
        }
        for field in info.fields {
            match &field.shape {
                Shape::Complex(info) => self.visit(info),
                Shape::Choice(variants) => {
                    for variant in *variants {
                        if let Shape::Complex(info) = &variant.shape {
                            self.visit(info);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The rules of a type; `None` for one that no resource has.
    pub(crate) fn of(&self, info: &'static TypeInfo, store: &Store) -> Option<&TypeRules> {
        Some(self.0.get(&address(info))?.get_or_init(|| compile(info, store)))
    }
}

fn address(info: &'static TypeInfo) -> usize {
    std::ptr::from_ref(info).addr()
}

fn compile(info: &'static TypeInfo, store: &Store) -> TypeRules {
    let type_name = info.name.split('.').next().unwrap_or(info.name);
    let Some(definition) = store.of_type(type_name).and_then(|held| held.definition()) else {
        return TypeRules::default();
    };
    let element = |path: &str| definition.snapshot.iter().find(|e| text(e, "path") == Some(path));
    let mut rules = TypeRules {
        constraints: element(info.name)
            .map(crate::program::constraints)
            .unwrap_or_default(),
        fields: Vec::new(),
    };
    for field in info.fields {
        let path = format!("{}.{}", info.name, field.name);
        let facts = element(&path).or_else(|| element(&format!("{path}[x]")));
        rules.fields.push(
            facts
                .map(|facts| of_field(&field.shape, facts))
                .unwrap_or_default(),
        );
    }
    rules
}

fn of_field(shape: &Shape, facts: &Facts) -> FieldRules {
    let mut constraints = crate::program::constraints(facts);
    constraints.retain(|c| !matches!(c.test, crate::program::Check::Elsewhere));
    // A component's own invariants stand on its element, and are those of its type here.
    if let Shape::Complex(info) = shape
        && info.name.contains('.')
    {
        constraints.clear();
    }
    let types = crate::program::types(facts)
        .into_iter()
        .filter(|t| !t.profiles.is_empty() || !t.targets.is_empty());
    FieldRules {
        constraints,
        bindings: crate::program::bindings(facts),
        types: types.collect(),
    }
}
