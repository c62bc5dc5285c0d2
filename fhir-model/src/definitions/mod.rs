//! The definitions of R4 that the server acts on, as static tables
//! (<https://hl7.org/fhir/R4/conformance-module.html>).

mod compartment;
mod implied_system;
pub mod packed;
mod search_parameter;

pub use compartment::{Compartment, compartment, compartments};
pub use implied_system::implied_system;
pub use search_parameter::{
    Component, SearchParamType, SearchParameter, search_parameter, search_parameters, search_parameters_of,
};
