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
