//! Consent in force: the scenarios of the design by their numbers, and non-interference by random stores and requests.

mod costs;
mod desks;
mod effects;
mod emergencies;
mod entries;
mod hiding;
mod interference;
mod numbers;
mod requests;
mod scenarios;
mod setting;
mod templates;
mod trail;
mod words;
mod world;

use super::*;
use crate::context::{Context, Principal, PrincipalKind};
use crate::policy::Chain;
use crate::store::{Key, ResourceType};

/// All rules, with their defaults.
pub(super) fn chain() -> Chain {
    Chain::standard()
}

pub(super) fn key(reference: &str) -> Key {
    let (name, id) = reference.split_once('/').unwrap();
    Key {
        resource_type: ResourceType::from_name(name).unwrap(),
        id: id.into(),
    }
}

/// A clinician of an organisation.
pub(super) fn clinician(practitioner: &str, ods: &str) -> Principal {
    Principal::new(practitioner, PrincipalKind::Clinician)
        .with_fhir_user(key(&format!("Practitioner/{practitioner}")))
        .with_organisation(ods)
}

/// A patient with a token of her own.
pub(super) fn patient_herself(id: &str) -> Principal {
    Principal::new(id, PrincipalKind::Patient)
        .with_fhir_user(key(&format!("Patient/{id}")))
        .with_patient(id)
}

/// A program of an organisation, for a purpose.
pub(super) fn client(id: &str, ods: &str, purpose: &str) -> Principal {
    Principal::new(id, PrincipalKind::Client)
        .with_client(id)
        .with_organisation(ods)
        .with_purpose(purpose)
}

impl TestServer {
    /// Another server over the same store, under those rules.
    pub(super) fn under(&self, policy: impl Policy + 'static) -> TestServer {
        let settings = Settings::default();
        TestServer::over(self.store.clone(), self.clock.clone(), settings, Arc::new(policy))
    }

    pub(super) fn context_of(&self, principal: &Principal) -> Context {
        let mut context = Context::new(principal.clone(), "request-1");
        context.clock = self.clock.clone();
        context
    }

    /// What that caller is answered.
    pub(super) fn send_as(&self, principal: &Principal, request: &Request) -> Result<Response, Error> {
        self.send_in(self.engine.session(self.context_of(principal)), request)
    }

    /// What that caller is answered to a GET.
    pub(super) fn get_as(&self, principal: &Principal, url: &str) -> Result<Response, Error> {
        self.send_as(principal, &request("GET", url))
    }
}
