//! EHR launch (<https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch>): somebody who works with a patient opens
//! an app, which is told both.

use serde::{Deserialize, Serialize};

use super::authorize::with_query;
use super::context::Told;
use super::{Authority, Params, Refused, Step, page};

/// Seconds that an app has to come back.
const LAUNCH_LIFE: i64 = 300;

/// Who launched an app, with which patient.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Launched {
    client_id: String,
    pub(super) person: Option<String>,
    pub(super) patient: Option<String>,
    pub(super) encounter: Option<String>,
    pub(super) told: Told,
}

impl Authority {
    /// The page from which apps are launched, or the launch that was chosen there.
    pub(crate) fn launch(&self, params: &Params, now: i64) -> Step {
        match self.launch_chosen(params, now) {
            Ok(Some(url)) => Step::Redirect(url),
            Ok(None) => Step::Page(200, page::launch(self)),
            Err(refused) => Step::Page(refused.status, page::error(refused.text)),
        }
    }

    fn launch_chosen(&self, params: &Params, now: i64) -> Result<Option<String>, Refused> {
        let Some(client_id) = params.get("client_id")? else {
            return Ok(None);
        };
        let app = self
            .app(client_id)
            .ok_or(Refused::request("There is no such app."))?;
        let uri = app.config.launch_uri.as_deref();
        let uri = uri.ok_or(Refused::request(
            "The app has no launch_uri, so it cannot be launched from here.",
        ))?;
        let known = |name: &str, kind: Option<&str>| match params.get(name)? {
            None => Ok(None),
            Some(id) => match self
                .person(id)
                .filter(|p| kind.is_none_or(|k| p.user.resource_type.name() == k))
            {
                Some(person) => Ok(Some(person.user.id.clone())),
                None => Err(Refused::request("There is no such person.")),
            },
        };
        let mut told = Told::read(params)?;
        let person = known("person", None)?;
        let at_work = person.as_deref().and_then(|id| self.person(id));
        told.tenant = at_work.and_then(|person| person.organisation.clone());
        let launched = Launched {
            told,
            client_id: client_id.to_owned(),
            person,
            patient: known("patient", Some("Patient"))?,
            encounter: params.id("encounter")?,
        };
        let launch = self.seal("launch+jwt", launched, now + LAUNCH_LIFE)?;
        Ok(Some(with_query(
            uri,
            &[("iss", &self.base()), ("launch", &launch)],
        )))
    }

    /// What the parameter `launch` stands for.
    pub(super) fn launched(&self, text: &str, client_id: &str, now: i64) -> Result<Launched, Refused> {
        let sealed = self.unseal::<Launched>("launch+jwt", text);
        sealed
            .filter(|sealed| sealed.exp > now && sealed.content.client_id == client_id)
            .map(|sealed| sealed.content)
            .ok_or(Refused::request(
                "The launch is unknown, of another app, or over.",
            ))
    }
}
