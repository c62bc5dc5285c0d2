//! The compartments of R4 (<https://hl7.org/fhir/R4/compartmentdefinition.html>).
//!
//! Invariant: both the compartments and the types in each are sorted.

use crate::generated::compartments::COMPARTMENTS;

/// A compartment: which search parameters tie a resource to its centre, such as a patient.
#[derive(Debug)]
pub struct Compartment {
    /// The type of the resource at the centre, such as `Patient`.
    pub code: &'static str,
    /// The canonical URL of the definition.
    pub url: &'static str,
    /// By resource type, the codes of the search parameters that make it a member. `{def}` stands for the resource at
    /// the centre itself. Types that are never members are left out.
    pub resources: &'static [(&'static str, &'static [&'static str])],
}

impl Compartment {
    /// The codes of the search parameters that make a resource of that type a member; none if it never is.
    pub fn params(&self, resource_type: &str) -> &'static [&'static str] {
        let found = self
            .resources
            .binary_search_by(|(name, _)| (*name).cmp(resource_type));
        found
            .ok()
            .and_then(|index| self.resources.get(index))
            .map_or(&[], |(_, params)| *params)
    }
}

/// Every compartment of R4, sorted by code.
pub fn compartments() -> &'static [Compartment] {
    &COMPARTMENTS
}

/// The compartment around resources of that type.
pub fn compartment(code: &str) -> Option<&'static Compartment> {
    compartments().iter().find(|c| c.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::search_parameters_of;

    #[test]
    fn five_compartments_name_parameters_that_exist() {
        let codes: Vec<_> = compartments().iter().map(|c| c.code).collect();
        assert_eq!(
            codes,
            ["Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"]
        );
        for compartment in compartments() {
            for (resource_type, params) in compartment.resources {
                for param in params.iter().filter(|p| **p != "{def}") {
                    let known = search_parameters_of(resource_type).any(|p| p.code == *param);
                    assert!(known, "{} in {} of {}", param, resource_type, compartment.code);
                }
            }
        }
    }

    #[test]
    fn membership_is_found_by_type() {
        let patient = compartment("Patient").unwrap();
        assert_eq!(patient.params("Observation"), ["subject", "performer"]);
        assert_eq!(patient.params("Medication"), [""; 0]);
    }
}
