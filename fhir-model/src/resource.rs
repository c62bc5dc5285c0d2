//! [`Resource`]: one value of any R4 resource type (<https://hl7.org/fhir/R4/resource.html>).
//!
//! Invariant: `Resource::TYPES` is sorted and names every type that `Resource::new` makes.

use std::fmt;

pub use crate::generated::Resource;
use crate::reflect::{Complex, TypeInfo};

/// Writes the enum over all resource types.
macro_rules! resources {
    ($($name:ident),* $(,)?) => {
        /// A resource of any type (<https://hl7.org/fhir/R4/resourcelist.html>).
        #[derive(Clone)]
        #[expect(missing_docs, reason = "each variant is the resource type of the same name")]
        pub enum Resource {
            $($name(Box<$name>),)*
        }

        impl Resource {
            /// The name of every resource type, sorted.
            pub const TYPES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// An empty resource of the type of that name.
            pub fn new(type_name: &str) -> Option<Resource> {
                match type_name {
                    $(stringify!($name) => Some(Resource::$name(Box::default())),)*
                    _ => None,
                }
            }

            /// The reflective view.
            pub fn as_complex(&self) -> &dyn $crate::reflect::Complex {
                match self {
                    $(Resource::$name(resource) => &**resource,)*
                }
            }

            /// The reflective view, to change.
            pub fn as_complex_mut(&mut self) -> &mut dyn $crate::reflect::Complex {
                match self {
                    $(Resource::$name(resource) => &mut **resource,)*
                }
            }
        }

        $(impl From<$name> for Resource {
            fn from(resource: $name) -> Self {
                Resource::$name(Box::new(resource))
            }
        })*
    };
}
pub(crate) use resources;

impl Resource {
    /// The type's name, such as `Patient`.
    pub fn type_name(&self) -> &'static str {
        self.as_complex().type_info().name
    }

    /// The struct, if the resource is of that type: `resource.get::<Patient>()`.
    pub fn get<T: Complex>(&self) -> Option<&T> {
        self.as_complex().as_any().downcast_ref()
    }

    /// The struct, to change, if the resource is of that type.
    pub fn get_mut<T: Complex>(&mut self) -> Option<&mut T> {
        self.as_complex_mut().as_any_mut().downcast_mut()
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::json::debug(self.as_complex(), f)
    }
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        crate::reflect::equal(self.as_complex(), other.as_complex())
    }
}

/// The facts of the resource, datatype or backbone element (by path) of that name.
pub fn type_info(name: &str) -> Option<&'static TypeInfo> {
    let types = &crate::generated::type_infos::TYPE_INFOS;
    let index = types.binary_search_by(|t| t.name.cmp(name)).ok()?;
    types.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reflect::{Shape, SlotMut};
    use crate::{AnyValue, Extension, Patient, PatientDeceased};

    fn every_type() -> impl Iterator<Item = &'static TypeInfo> {
        crate::generated::type_infos::TYPE_INFOS.into_iter()
    }

    #[test]
    fn every_resource_type_is_made_by_name() {
        assert_eq!(Resource::TYPES.len(), 146);
        assert!(Resource::TYPES.is_sorted());
        for name in Resource::TYPES {
            let resource = Resource::new(name).unwrap();
            assert_eq!(resource.type_name(), *name);
            assert_eq!(type_info(name), Some(resource.as_complex().type_info()));
        }
        assert!(Resource::new("DomainResource").is_none());
        assert!(Resource::new("HumanName").is_none());
    }

    #[test]
    fn every_type_is_found_by_name() {
        assert!(every_type().map(|t| t.name).is_sorted());
        assert!(every_type().all(|t| type_info(t.name) == Some(t)));
        assert_eq!(type_info("Patient.contact").unwrap().base, "BackboneElement");
        assert_eq!(type_info("Age").unwrap().base, "Quantity");
        assert!(type_info("patient").is_none());
    }

    #[test]
    fn every_field_has_the_slot_that_its_table_tells() {
        for name in Resource::TYPES {
            let mut resource = Resource::new(name).unwrap();
            let complex = resource.as_complex_mut();
            for (index, field) in complex.type_info().fields.iter().enumerate() {
                let slot = complex.slot_mut(index).unwrap();
                let fits = match (&field.shape, slot) {
                    (Shape::Primitive(_), SlotMut::Primitive(_))
                    | (Shape::Complex(_), SlotMut::Complex(_))
                    | (Shape::Choice(_), SlotMut::Choice(_))
                    | (Shape::Resource, SlotMut::Resource(_)) => !field.is_list(),
                    (Shape::Primitive(_), SlotMut::Primitives(_))
                    | (Shape::Complex(_), SlotMut::Complexes(_))
                    | (Shape::Resource, SlotMut::Resources(_)) => field.is_list(),
                    _ => false,
                };
                assert!(fits, "{name}.{}", field.name);
            }
            let end = complex.type_info().fields.len();
            assert!(complex.slot_mut(end).is_none());
        }
    }

    #[test]
    fn attributes_are_the_ids_of_elements_and_the_urls_of_extensions() {
        for info in every_type() {
            for field in info.fields.iter().filter(|f| f.attribute) {
                assert!(
                    field.name == "id" || (info.name, field.name) == ("Extension", "url"),
                    "{}",
                    info.name
                );
            }
        }
        assert!(!type_info("Patient").unwrap().field("id").unwrap().1.attribute);
    }

    #[test]
    fn values_are_equal_by_content_and_type() {
        let dead = |deceased| Patient {
            deceased,
            ..Patient::default()
        };
        let (yes, no) = (
            PatientDeceased::Boolean(true.into()),
            PatientDeceased::Boolean(false.into()),
        );
        assert_eq!(dead(Some(yes.clone())), dead(Some(yes.clone())));
        assert_ne!(dead(Some(yes.clone())), dead(Some(no)));
        assert_ne!(dead(Some(yes)), dead(None));
        let (code, string) = (AnyValue::Code("a".into()), AnyValue::String("a".into()));
        assert_ne!(code, string);
        let extension = |value| Extension {
            value: Some(value),
            ..Extension::default()
        };
        assert_ne!(extension(code.clone()), extension(string));
        assert_eq!(extension(code.clone()), extension(code));
    }

    #[test]
    fn the_struct_inside_is_reached_by_its_type() {
        let mut resource = Resource::from(Patient::default());
        resource.get_mut::<Patient>().unwrap().active = true.into();
        assert_eq!(resource.get::<Patient>().unwrap().active.value, Some(true));
        assert!(resource.get::<crate::Observation>().is_none());
    }
}
