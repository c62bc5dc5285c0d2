//! Who asks: nobody, somebody of the other organisation, another patient, a doctor without a relationship, one without the scope, one
//! whom the patient refuses, and two who may.

use serde_json::json;

use super::records::{PATIENTS, Record, TENANTS, is_a_patients};
use crate::store::ResourceType;
use crate::token::testing::P256;

pub(super) const ISSUER: &str = "https://as.example";
const NOW: i64 = 1_795_426_200;

/// One of those who ask for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    Nobody,
    OtherOrganisation,
    WrongPatient,
    NoRelationship,
    WrongScope,
    RefusedByConsent,
    Allowed,
    Herself,
}

impl Caller {
    /// Those who may not come first, so that they find the record untouched.
    pub(super) const ALL: [Caller; 8] = [
        Caller::Nobody,
        Caller::OtherOrganisation,
        Caller::WrongPatient,
        Caller::NoRelationship,
        Caller::WrongScope,
        Caller::RefusedByConsent,
        Caller::Allowed,
        Caller::Herself,
    ];

    pub(super) fn may(self) -> bool {
        matches!(self, Caller::Allowed | Caller::Herself)
    }

    /// Whether the record is hidden from the caller: what is nobody's by its type is hidden by scope and organisation alone.
    pub(super) fn is_denied(self, record: Record) -> bool {
        match self {
            Caller::Nobody | Caller::OtherOrganisation | Caller::WrongScope => true,
            Caller::WrongPatient | Caller::NoRelationship | Caller::RefusedByConsent => {
                record.is_of_its_patient()
            }
            Caller::Allowed | Caller::Herself => false,
        }
    }

    /// Whether that canary may be in an answer to the caller who asks for that record.
    pub(super) fn may_see(self, asked: Record, (tenant, patient, name): (usize, usize, &str)) -> bool {
        let own = tenant == asked.tenant;
        let of_nobody = !is_a_patients(ResourceType::from_name(name).unwrap());
        match self {
            Caller::Nobody | Caller::OtherOrganisation => false,
            Caller::WrongPatient => own && (of_nobody || patient == other(asked)),
            Caller::NoRelationship | Caller::RefusedByConsent => own && of_nobody,
            Caller::WrongScope => own && name == other_type(asked),
            Caller::Allowed => own,
            Caller::Herself => own && (of_nobody || patient == asked.patient),
        }
    }

    /// The header `Authorization`.
    pub(super) fn token(self, asked: Record) -> Option<String> {
        let clinician = |name: &str| (format!("Practitioner/{name}"), "user/*.cruds".to_owned(), None);
        let patient = |number: usize| {
            let id = PATIENTS[number];
            (format!("Patient/{id}"), "patient/*.cruds".to_owned(), Some(id))
        };
        let mut tenant = asked.tenant;
        let (user, scope, patient) = match self {
            Caller::Nobody => return None,
            Caller::OtherOrganisation => {
                tenant = 1 - tenant;
                clinician("dr-a")
            }
            Caller::WrongPatient => patient(other(asked)),
            Caller::NoRelationship => clinician("dr-b"),
            Caller::WrongScope => {
                let (user, _, none) = clinician("dr-a");
                (user, format!("user/{}.cruds", other_type(asked)), none)
            }
            Caller::RefusedByConsent => clinician("dr-c"),
            Caller::Allowed => clinician("dr-a"),
            Caller::Herself => patient(asked.patient),
        };
        let mut claims = json!({
            "iss": ISSUER, "aud": base(tenant), "sub": user, "client_id": "app", "iat": NOW, "exp": NOW + 300,
            "scope": scope, "fhirUser": user, "roles": ["information-governance"],
        });
        if let Some(patient) = patient {
            claims["patient"] = json!(patient);
        }
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": P256.kid });
        Some(format!("Bearer {}", P256.sign(&header, &claims)))
    }
}

/// The address of an organisation's base.
pub(super) fn base(tenant: usize) -> String {
    format!("https://fhir.example{}", TENANTS[tenant].0)
}

fn other(asked: Record) -> usize {
    (asked.patient + 1) % PATIENTS.len()
}

/// A type that is not the one asked for, nor one that reads it.
fn other_type(asked: Record) -> &'static str {
    match asked.resource_type.name() {
        "Basic" => "Flag",
        _ => "Basic",
    }
}
