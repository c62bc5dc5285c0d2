//! search of a compartment (<https://hl7.org/fhir/R4/http.html#vsearch>, <https://hl7.org/fhir/R4/compartmentdefinition.html>): what belongs
//! to one patient, encounter, practitioner, related person or device.

use crate::error::{Error, ErrorCode, Result};
use crate::search::compartment;
use crate::search::registry::Registry;
use crate::store::{Criterion, Filter, Key, ResourceType, Test};

/// What belongs to the compartment around that resource: of one type, or of any.
///
/// # Errors
/// There is no such compartment, or resources of the type never belong to one.
pub(super) fn filter(registry: &Registry, centre: &Key, member: Option<ResourceType>) -> Result<Filter> {
    if !compartment::is_centre(centre.resource_type) {
        let text = format!(
            "There is no compartment of {}: there are those of Patient, Encounter, Practitioner, RelatedPerson and Device.",
            centre.resource_type.name()
        );
        return Err(Error::new(ErrorCode::NotFound, text));
    }
    let Some(member) = member else {
        return Ok(of_types(
            registry,
            centre,
            &compartment::members(centre.resource_type),
        ));
    };
    members(registry, centre, member).ok_or_else(|| {
        let text = format!(
            "{} never belongs to a compartment of {}: search {} itself.",
            member.name(),
            centre.resource_type.name(),
            member.name()
        );
        Error::new(ErrorCode::NotFound, text)
    })
}

/// What belongs to the compartment around that resource, of any of the types. All the references are tested alike, one after the other, so
/// that the store can look for them at once; a parameter of a type has rows of that type alone.
pub(crate) fn of_types(registry: &Registry, centre: &Key, types: &[ResourceType]) -> Filter {
    let mut any: Vec<Filter> = types
        .iter()
        .flat_map(|member| ties(registry, centre, *member))
        .collect();
    // The centre first.
    any.sort_by_key(|filter| matches!(filter, Filter::Has(_)));
    any_of(any)
}

fn any_of(mut any: Vec<Filter>) -> Filter {
    match any.len() {
        1 => any.pop().unwrap_or(Filter::None),
        _ => Filter::Or(any),
    }
}

/// Members of one type, if there can be any.
pub(crate) fn members(registry: &Registry, centre: &Key, member: ResourceType) -> Option<Filter> {
    let any = ties(registry, centre, member);
    (!any.is_empty()).then(|| any_of(any))
}

/// Each of what makes a resource of one type a member.
fn ties(registry: &Registry, centre: &Key, member: ResourceType) -> Vec<Filter> {
    let Some(membership) = compartment::membership(registry, centre.resource_type, member) else {
        return Vec::new();
    };
    let mut any = Vec::new();
    if membership.centre {
        any.push(Filter::Resource(centre.clone()));
    }
    any.extend(membership.parameters.iter().map(|parameter| {
        let refers = Filter::Has(Criterion {
            parameter: parameter.number,
            test: Test::Reference {
                types: vec![centre.resource_type],
                id: centre.id.clone(),
                version: None,
            },
        });
        match parameter.resource_type == Some(member) {
            true => refers,
            false => Filter::Types(vec![member]).and(refers),
        }
    }));
    any
}
