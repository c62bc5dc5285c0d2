//! The search parameters that tell when care was given, of the types of the patient compartment: what `start` and `end` of `$everything`
//! are compared with (<https://hl7.org/fhir/R4/patient-operation-everything.html>), as opposed to when a record was written.

use super::registry::{Parameter, Registry};
use crate::store::ResourceType;

/// Types and the codes of their parameters. A type that is not here has no time of care: its resources are in every range.
const CARE_DATES: &[(&str, &[&str])] = &[
    ("AdverseEvent", &["date"]),
    ("AllergyIntolerance", &["date"]),
    ("Appointment", &["date"]),
    ("AuditEvent", &["date"]),
    ("CarePlan", &["date"]),
    ("CareTeam", &["date"]),
    ("ChargeItem", &["occurrence"]),
    ("Claim", &["created"]),
    ("ClaimResponse", &["created"]),
    ("ClinicalImpression", &["date"]),
    ("Communication", &["sent"]),
    ("CommunicationRequest", &["occurrence"]),
    ("Composition", &["date"]),
    ("Condition", &["onset-date", "recorded-date"]),
    ("Consent", &["date"]),
    ("DetectedIssue", &["identified"]),
    ("DeviceRequest", &["event-date"]),
    ("DiagnosticReport", &["date"]),
    ("DocumentManifest", &["created"]),
    ("DocumentReference", &["date"]),
    ("Encounter", &["date"]),
    ("EpisodeOfCare", &["date"]),
    ("ExplanationOfBenefit", &["created"]),
    ("FamilyMemberHistory", &["date"]),
    ("Flag", &["date"]),
    ("Goal", &["start-date"]),
    ("ImagingStudy", &["started"]),
    ("Immunization", &["date"]),
    ("ImmunizationEvaluation", &["date"]),
    ("ImmunizationRecommendation", &["date"]),
    ("Invoice", &["date"]),
    ("List", &["date"]),
    ("MeasureReport", &["period", "date"]),
    ("Media", &["created"]),
    ("MedicationAdministration", &["effective-time"]),
    ("MedicationDispense", &["whenhandedover", "whenprepared"]),
    ("MedicationRequest", &["authoredon"]),
    ("MedicationStatement", &["effective"]),
    ("NutritionOrder", &["datetime"]),
    ("Observation", &["date"]),
    ("Procedure", &["date"]),
    ("Provenance", &["when", "recorded"]),
    ("QuestionnaireResponse", &["authored"]),
    ("RequestGroup", &["authored"]),
    ("ResearchSubject", &["date"]),
    ("RiskAssessment", &["date"]),
    ("Schedule", &["date"]),
    ("ServiceRequest", &["occurrence", "authored"]),
    ("Specimen", &["collected"]),
    ("SupplyRequest", &["date"]),
    ("VisionPrescription", &["datewritten"]),
];

/// The parameters that tell when care was given by a resource of that type.
pub(crate) fn of_type(registry: &Registry, resource_type: ResourceType) -> Vec<&Parameter> {
    let codes = CARE_DATES.iter().find(|(name, _)| *name == resource_type.name());
    let codes = codes.map_or(&[] as &[&str], |(_, codes)| codes);
    codes
        .iter()
        .filter_map(|code| registry.find(Some(resource_type), code))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir_model::definitions::SearchParamType;

    #[test]
    fn every_care_date_is_a_date_of_its_type() {
        for (name, codes) in CARE_DATES {
            let resource_type = ResourceType::from_name(name).unwrap();
            let found = of_type(Registry::r4(), resource_type);
            assert_eq!(found.len(), codes.len(), "{name}");
            assert!(found.iter().all(|p| p.kind == SearchParamType::Date), "{name}");
        }
    }
}
