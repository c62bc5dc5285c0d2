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
        let each = compartment::members(centre.resource_type).into_iter();
        let each = each
            .filter_map(|member| Some(Filter::Types(vec![member]).and(members(registry, centre, member)?)));
        return Ok(Filter::Or(each.collect()));
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

/// Members of one type, if there can be any.
pub(crate) fn members(registry: &Registry, centre: &Key, member: ResourceType) -> Option<Filter> {
    let membership = compartment::membership(registry, centre.resource_type, member)?;
    let mut any = Vec::new();
    if membership.centre {
        any.push(Filter::Resource(centre.clone()));
    }
    any.extend(membership.parameters.iter().map(|parameter| {
        Filter::Has(Criterion {
            parameter: parameter.number,
            test: Test::Reference {
                types: vec![centre.resource_type],
                id: centre.id.clone(),
                version: None,
            },
        })
    }));
    match any.len() {
        0 => None,
        1 => any.pop(),
        _ => Some(Filter::Or(any)),
    }
}
