//! The code systems that elements of type `code` imply (<https://hl7.org/fhir/R4/terminologies.html#code>): such an element holds no system,
//! as its required binding names it.
//!
//! Invariant: the table is sorted by path.

use crate::generated::implied_systems::IMPLIED_SYSTEMS;

/// The system of the codes of an element, by the name of the type that has it, such as `Patient.contact`, and its own. `None` where the
/// element is no `code`, or its codes are from several systems.
pub fn implied_system(type_name: &str, element: &str) -> Option<&'static str> {
    let path = format!("{type_name}.{element}");
    let found = IMPLIED_SYSTEMS.binary_search_by(|(known, _)| (*known).cmp(&path));
    let (_, system) = IMPLIED_SYSTEMS.get(found.ok()?)?;
    Some(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_the_system_of_its_binding() {
        let gender = Some("http://hl7.org/fhir/administrative-gender");
        assert_eq!(implied_system("Patient", "gender"), gender);
        assert_eq!(implied_system("Patient.contact", "gender"), gender);
        assert_eq!(implied_system("Patient", "maritalStatus"), None);
        // Of two systems.
        assert_eq!(implied_system("Task", "intent"), None);
        assert_eq!(IMPLIED_SYSTEMS.len(), 352);
        assert!(IMPLIED_SYSTEMS.is_sorted());
    }
}
