//! [`Principal`]: who asks, and what the access token says of them.
//!
//! Invariant: what is not known is `None`, and `None` never allows more than a value would, but for `scopes`: those who come without
//! a token (the server's own parts, the sandbox's clinician, an embedder's callers) are bound by policy alone.

use crate::scopes::Scopes;
use crate::store::Key;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// A stable name for logs and audit, such as `sandbox-clinician` or `system:load`.
    pub name: String,
    /// What kind of caller.
    pub kind: PrincipalKind,
    /// The client that the token was given to (`client_id`).
    pub client_id: Option<String>,
    /// Who gave the token (`iss`).
    pub issuer: Option<String>,
    /// Whom the token is about, by the issuer's name for them (`sub`).
    pub subject: Option<String>,
    /// The organisation on whose behalf is asked, by its ODS code.
    pub organisation: Option<String>,
    /// The roles in which is asked, as codes.
    pub roles: Vec<String>,
    /// The patient in context: the id of a Patient of this server.
    pub patient: Option<String>,
    /// The NHS number that the identity provider vouches for.
    pub nhs_number: Option<String>,
    /// The user as a resource of this server: a Practitioner, PractitionerRole, Patient, RelatedPerson or Person.
    pub fhir_user: Option<Key>,
    /// What the token allows. `None` is a caller without a token, `Some` of nothing allows nothing.
    pub scopes: Option<Scopes>,
    /// What the data is wanted for, as the token says: a code such as `TREAT`.
    pub purpose: Option<String>,
}

/// What kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrincipalKind {
    /// A person at work, or the sandbox's stand-in for one.
    Clinician,
    /// A patient, or somebody else of the public.
    Patient,
    /// Somebody who acts for a patient.
    RelatedPerson,
    /// A program that acts for itself (SMART Backend Services), for no user.
    Client,
    /// A part of the server itself, such as the command line's `load`.
    System,
    /// Nobody said who it is.
    Anonymous,
}

impl Principal {
    /// A caller by a stable name.
    pub fn new(name: impl Into<String>, kind: PrincipalKind) -> Self {
        Principal {
            name: name.into(),
            kind,
            client_id: None,
            issuer: None,
            subject: None,
            organisation: None,
            roles: Vec::new(),
            patient: None,
            nhs_number: None,
            fhir_user: None,
            scopes: None,
            purpose: None,
        }
    }
    /// The caller without a token in the sandbox.
    pub fn sandbox_clinician() -> Self {
        Principal::new("sandbox-clinician", PrincipalKind::Clinician)
    }
    /// The caller who did not say who it is; the CapabilityStatement is all there is for it.
    pub fn anonymous() -> Self {
        Principal::new("anonymous", PrincipalKind::Anonymous)
    }
    /// A part of the server itself, such as `load`.
    pub fn system(part: &str) -> Self {
        Principal::new(format!("system:{part}"), PrincipalKind::System)
    }

    /// Whether the caller operates the server: it is a part of it, or a program that acts for no user and was given that scope.
    pub(crate) fn operates(&self, scope: &str) -> bool {
        match self.kind {
            PrincipalKind::System => true,
            PrincipalKind::Client => self.scopes.as_ref().is_some_and(|scopes| scopes.has(scope)),
            _ => false,
        }
    }

    /// The same, calling through that client.
    pub fn with_client(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }
    /// The same, as that issuer names them.
    pub fn with_subject(mut self, issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self.subject = Some(subject.into());
        self
    }
    /// The same, on behalf of the organisation with that ODS code.
    pub fn with_organisation(mut self, ods_code: impl Into<String>) -> Self {
        self.organisation = Some(ods_code.into());
        self
    }
    /// The same, with one more role.
    pub fn with_role(mut self, code: impl Into<String>) -> Self {
        self.roles.push(code.into());
        self
    }
    /// The same, with that patient in context.
    pub fn with_patient(mut self, id: impl Into<String>) -> Self {
        self.patient = Some(id.into());
        self
    }
    /// The same, who is the person with that NHS number.
    pub fn with_nhs_number(mut self, nhs_number: impl Into<String>) -> Self {
        self.nhs_number = Some(nhs_number.into());
        self
    }
    /// The same, who is that resource.
    pub fn with_fhir_user(mut self, user: Key) -> Self {
        self.fhir_user = Some(user);
        self
    }
    /// The same, bound by those scopes.
    pub fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = Some(scopes);
        self
    }
    /// The same, for that purpose.
    pub fn with_purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purpose = Some(purpose.into());
        self
    }

    /// Whether a person asks, not a program for itself.
    pub fn is_user(&self) -> bool {
        matches!(
            self.kind,
            PrincipalKind::Clinician | PrincipalKind::Patient | PrincipalKind::RelatedPerson
        )
    }
}
