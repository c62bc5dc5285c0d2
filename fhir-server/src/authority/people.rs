//! [`Person`]: somebody of the sandbox who can log in.

use crate::context::{Principal, PrincipalKind};
use crate::store::Key;

/// Somebody who can log in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    /// The user as a resource of the sandbox.
    pub user: Key,
    /// Another name, such as `dr-a`.
    pub alias: Option<String>,
    /// The name to show.
    pub name: String,
    /// What is said beside the name, such as the place of work.
    pub about: String,
    /// The ODS code of the organisation.
    pub organisation: Option<String>,
    /// The roles' codes.
    pub roles: Vec<String>,
    /// The patient that the person is, or acts for.
    pub patient: Option<String>,
    /// The NHS number, of a patient.
    pub nhs_number: Option<String>,
}

impl Person {
    /// Somebody with that name, who is that resource.
    pub fn new(user: Key, name: impl Into<String>) -> Self {
        Person {
            user,
            alias: None,
            name: name.into(),
            about: String::new(),
            organisation: None,
            roles: Vec::new(),
            patient: None,
            nhs_number: None,
        }
    }

    /// Whether they are called so: by alias, by id, or by id without what stands before its first `-`.
    pub fn is_called(&self, name: &str) -> bool {
        let id = self.user.id.as_str();
        self.alias.as_deref() == Some(name)
            || id == name
            || id.split_once('-').is_some_and(|(_, rest)| rest == name)
    }

    /// What kind of caller they are.
    pub fn kind(&self) -> PrincipalKind {
        match self.user.resource_type.name() {
            "Patient" => PrincipalKind::Patient,
            "RelatedPerson" => PrincipalKind::RelatedPerson,
            _ => PrincipalKind::Clinician,
        }
    }

    /// The purpose for which they usually ask.
    pub fn purpose(&self) -> &'static str {
        let has = |role: &str| self.roles.iter().any(|own| own == role);
        match self.kind() {
            PrincipalKind::Patient => "PATRQT",
            PrincipalKind::RelatedPerson => "FAMRQT",
            _ if has("researcher") => "HRESCH",
            _ if has("privacy-officer") => "HCOMPL",
            _ => "TREAT",
        }
    }

    /// The caller that a token of theirs makes, but for its scopes.
    pub fn principal(&self) -> Principal {
        let mut principal = Principal::new(&self.user.id, self.kind())
            .with_fhir_user(self.user.clone())
            .with_purpose(self.purpose());
        principal.organisation.clone_from(&self.organisation);
        principal.roles.clone_from(&self.roles);
        principal.patient.clone_from(&self.patient);
        principal.nhs_number.clone_from(&self.nhs_number);
        principal
    }
}
