//! [`Resource`]: one value of any R4 resource type (<https://hl7.org/fhir/R4/resource.html>).

pub use crate::generated::Resource;
