//! Membership in compartments (<https://hl7.org/fhir/R4/compartmentdefinition.html>) as search parameters: what `Patient/1/Observation`
//! and `$everything` look for.

use fhir_model::definitions;

use super::registry::{Parameter, Registry};
use crate::store::ResourceType;

/// How a resource of one type belongs to a compartment.
#[derive(Debug)]
pub(crate) struct Membership<'r> {
    /// It is at the centre itself.
    pub(crate) centre: bool,
    /// A reference to the centre by any of these makes it a member. A `Claim` belongs to a device by `item-udi`, say.
    pub(crate) parameters: Vec<&'r Parameter>,
}

/// Whether there is a compartment around resources of that type.
pub(crate) fn is_centre(centre: ResourceType) -> bool {
    definitions::compartment(centre.name()).is_some()
}

/// How resources of a type belong to the compartment around one of the type `centre`; `None` where there is no such compartment.
pub(crate) fn membership(
    registry: &Registry,
    centre: ResourceType,
    resource_type: ResourceType,
) -> Option<Membership<'_>> {
    let codes = definitions::compartment(centre.name())?.params(resource_type.name());
    Some(Membership {
        // The definitions say `{def}` of some centres and leave it out of others, such as a patient.
        centre: centre == resource_type,
        parameters: codes
            .iter()
            .filter_map(|code| registry.find(Some(resource_type), code))
            .collect(),
    })
}

/// The types whose resources can belong to the compartment, by name.
pub(crate) fn members(centre: ResourceType) -> Vec<ResourceType> {
    let listed = definitions::compartment(centre.name()).map_or(&[] as &[_], |c| c.resources);
    let mut types: Vec<_> = listed
        .iter()
        .filter(|(_, params)| !params.is_empty())
        .filter_map(|(name, _)| ResourceType::from_name(name))
        .collect();
    if is_centre(centre) {
        types.push(centre);
    }
    types.sort_unstable();
    types.dedup();
    types
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir_model::definitions::SearchParamType;

    fn of_name(name: &str) -> ResourceType {
        ResourceType::from_name(name).unwrap()
    }

    #[test]
    fn an_observation_belongs_to_its_subject_and_its_performer() {
        let found = membership(Registry::r4(), of_name("Patient"), of_name("Observation")).unwrap();
        let codes: Vec<_> = found.parameters.iter().map(|p| &*p.code).collect();
        assert_eq!(codes, ["subject", "performer"]);
        assert!(!found.centre);
    }

    #[test]
    fn what_is_never_a_member_has_no_parameters() {
        let found = membership(Registry::r4(), of_name("Patient"), of_name("Medication")).unwrap();
        assert!(!found.centre && found.parameters.is_empty());
        assert!(membership(Registry::r4(), of_name("Location"), of_name("Encounter")).is_none());
        assert!(!is_centre(of_name("Location")) && members(of_name("Location")).is_empty());
    }

    #[test]
    fn the_centre_is_a_member() {
        for compartment in definitions::compartments() {
            let centre = of_name(compartment.code);
            assert!(members(centre).contains(&centre));
            assert!(membership(Registry::r4(), centre, centre).unwrap().centre);
        }
        assert_eq!(members(of_name("Patient")).len(), 66);
    }

    #[test]
    fn every_parameter_of_the_compartments_is_known_and_refers() {
        for compartment in definitions::compartments() {
            for member in members(of_name(compartment.code)) {
                let found = membership(Registry::r4(), of_name(compartment.code), member).unwrap();
                let named = compartment
                    .params(member.name())
                    .iter()
                    .filter(|c| **c != "{def}");
                assert_eq!(
                    found.parameters.len(),
                    named.count(),
                    "{} {}",
                    compartment.code,
                    member.name()
                );
                assert!(
                    found
                        .parameters
                        .iter()
                        .all(|p| p.kind == SearchParamType::Reference)
                );
            }
        }
    }
}
