//! The authorization endpoint: an app asks, a person of the sandbox says yes (RFC 6749, section 4.1; RFC 7636 with S256 alone).
//!
//! Invariant: an answer goes only to a redirect URI that is registered letter by letter; until that is known, an error is a page.

use serde::{Deserialize, Serialize};

use super::launch::Launched;
use super::page;
use super::sign::Grant;
use super::{App, Authority, Params, Person, Refused};
use crate::context::PrincipalKind;
use crate::random;
use crate::scopes::{ScopeLevel, Scopes};

/// Seconds that a code lives.
const CODE_LIFE: i64 = 60;

/// What the browser is told.
pub(crate) enum Step {
    /// A page.
    Page(u16, String),
    /// Go there.
    Redirect(String),
}

/// What a code stands for.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) grant: Grant,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
}

/// A request of an app that is in order.
pub(super) struct Asked<'a> {
    pub(super) app: &'a App,
    pub(super) redirect_uri: String,
    pub(super) state: String,
    pub(super) challenge: String,
    pub(super) scopes: Scopes,
    pub(super) aud: String,
    pub(super) nonce: Option<String>,
    /// What an EHR that launched the app told it.
    pub(super) launched: Option<Launched>,
}

impl Authority {
    /// Answers a request to the authorization endpoint, by GET or POST. `audiences` are the FHIR bases that are this server's.
    pub(crate) fn authorize(&self, params: &Params, audiences: &[String], now: i64) -> Step {
        let (app, redirect_uri) = match self.known(params) {
            Ok(known) => known,
            Err(refused) => return Step::Page(refused.status, page::error(refused.text)),
        };
        let asked = match self.asked(params, app, redirect_uri, audiences, now) {
            Ok(asked) => asked,
            Err(refused) => return back(redirect_uri, params, refused.code, refused.text),
        };
        if params.has("deny") {
            return back(redirect_uri, params, "access_denied", "The person said no.");
        }
        let chosen = params.get("person").ok().flatten();
        let person = chosen.or(asked
            .launched
            .as_ref()
            .and_then(|launched| launched.person.as_deref()));
        let Some(person) = person else {
            return Step::Page(200, page::login(self, &asked, params));
        };
        match self.grant(&asked, person, params, now) {
            Ok(Some(code)) => {
                let state = asked.state.as_str();
                Step::Redirect(with_query(redirect_uri, &[("code", &code), ("state", state)]))
            }
            Ok(None) => Step::Page(200, page::login(self, &asked, params)),
            Err(refused) => back(redirect_uri, params, refused.code, refused.text),
        }
    }

    /// The app and where it may be answered.
    fn known<'a>(&'a self, params: &'a Params) -> Result<(&'a App, &'a str), Refused> {
        let app = params.get("client_id")?.and_then(|id| self.app(id));
        let app = app.ok_or(Refused::request("The app is not registered here (client_id)."))?;
        let uri = params.get("redirect_uri")?;
        match uri.filter(|uri| self.leads_back(app, uri)) {
            Some(uri) => Ok((app, uri)),
            None => Err(Refused::request(
                "The app is not registered with that redirect_uri.",
            )),
        }
    }

    fn asked<'a>(
        &self,
        params: &Params,
        app: &'a App,
        redirect_uri: &str,
        audiences: &[String],
        now: i64,
    ) -> Result<Asked<'a>, Refused> {
        if params.get("response_type")? != Some("code") {
            let text = "The only response_type is code.";
            return Err(Refused::new(400, "unsupported_response_type", text));
        }
        let challenge = params.get("code_challenge")?;
        let formed = |text: &&str| {
            text.len() == 43
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let challenge = challenge
            .filter(formed)
            .ok_or(Refused::request("code_challenge must be there, made by S256."))?;
        if params.get("code_challenge_method")? != Some("S256") {
            return Err(Refused::request("code_challenge_method must be S256."));
        }
        let aud = params.get("aud")?.map(|aud| aud.strip_suffix('/').unwrap_or(aud));
        let aud = aud
            .filter(|aud| audiences.iter().any(|own| own == aud))
            .ok_or(Refused::request("aud must be the FHIR base of this server."))?;
        let state = params
            .get("state")?
            .ok_or(Refused::request("state must be there."))?;
        let asked = Scopes::read(params.get("scope")?.unwrap_or_default());
        let scopes = allowed(app, asked);
        if scopes.resources.is_empty() && scopes.other.is_empty() {
            return Err(Refused::scope(
                "No scope that was asked for can be granted to this app.",
            ));
        }
        let launched = match params.get("launch")? {
            Some(text) => Some(self.launched(text, &app.config.client_id, now)?),
            None if scopes.has("launch") => {
                return Err(Refused::request("The scope launch needs the parameter launch."));
            }
            None => None,
        };
        Ok(Asked {
            app,
            redirect_uri: redirect_uri.to_owned(),
            state: state.to_owned(),
            challenge: challenge.to_owned(),
            scopes,
            aud: aud.to_owned(),
            nonce: params.get("nonce")?.map(str::to_owned),
            launched,
        })
    }

    /// A code for that person; `None` where a patient must be chosen first.
    fn grant(
        &self,
        asked: &Asked<'_>,
        person: &str,
        params: &Params,
        now: i64,
    ) -> Result<Option<String>, Refused> {
        let person =
            self.person(person)
                .ok_or(Refused::new(400, "access_denied", "There is no such person."))?;
        let scopes = self.said_yes_to(asked, person, params);
        let launched = asked
            .launched
            .as_ref()
            .and_then(|launched| launched.patient.clone());
        let chosen = params.get("patient")?.map(str::to_owned);
        let patient = match person.kind() {
            PrincipalKind::Clinician => launched.or(chosen),
            _ => person.patient.clone(),
        };
        let known = |id: &String| {
            self.people
                .iter()
                .any(|p| p.user.resource_type.name() == "Patient" && p.user.id == *id)
        };
        if patient.as_ref().is_some_and(|id| !known(id)) {
            return Err(Refused::request("There is no such patient."));
        }
        let needs =
            scopes.has("launch/patient") || scopes.resources.iter().any(|s| s.level == ScopeLevel::Patient);
        let visit = asked
            .launched
            .as_ref()
            .and_then(|launched| launched.encounter.clone());
        let encounter = visit.or(params.id("encounter")?);
        if (needs && patient.is_none()) || (scopes.has("launch/encounter") && encounter.is_none()) {
            return Ok(None);
        }
        let content = Code {
            grant: Grant {
                client_id: asked.app.config.client_id.clone(),
                person: Some(person.user.id.clone()),
                scope: scopes.to_string(),
                patient: patient.filter(|_| needs || scopes.has("launch")),
                encounter: encounter.filter(|_| scopes.has("launch/encounter") || scopes.has("launch")),
                aud: asked.aud.clone(),
                told: asked
                    .launched
                    .as_ref()
                    .filter(|_| scopes.has("launch"))
                    .map(|launched| launched.told.clone()),
                family: random::uuid().to_string(),
                nonce: asked.nonce.clone(),
            },
            redirect_uri: asked.redirect_uri.clone(),
            challenge: asked.challenge.clone(),
        };
        Ok(Some(self.seal("code+jwt", content, now + CODE_LIFE)?))
    }

    /// The scopes that the person left ticked and can grant; a person who is no clinician grants none of the user's level beyond their own.
    fn said_yes_to(&self, asked: &Asked<'_>, person: &Person, params: &Params) -> Scopes {
        let mut scopes = asked.scopes.clone();
        scopes.resources.retain(|scope| scope.level != ScopeLevel::System);
        if params.has("consent") {
            let ticked: Vec<&str> = params.all("granted").collect();
            scopes
                .resources
                .retain(|scope| ticked.contains(&scope.to_string().as_str()));
            scopes.other.retain(|name| ticked.contains(&name.as_str()));
        }
        if person.kind() != PrincipalKind::Clinician {
            for scope in &mut scopes.resources {
                scope.level = ScopeLevel::Patient;
            }
        }
        scopes
    }
}

/// What of the scopes the app may have.
pub(super) fn allowed(app: &App, asked: Scopes) -> Scopes {
    match &app.config.scopes {
        Some(most) => asked.within(&Scopes::read(most)),
        None => asked,
    }
}

/// The app is told of an error.
fn back(redirect_uri: &str, params: &Params, code: &str, text: &str) -> Step {
    let mut query = vec![("error", code), ("error_description", text)];
    query.extend(params.all("state").next().map(|state| ("state", state)));
    Step::Redirect(with_query(redirect_uri, &query))
}

/// A URI with further parameters.
pub(super) fn with_query(uri: &str, parameters: &[(&str, &str)]) -> String {
    let mut uri = uri.to_owned();
    for (name, value) in parameters {
        uri.push(if uri.contains('?') { '&' } else { '?' });
        uri.push_str(name);
        uri.push('=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    uri.push(char::from(byte))
                }
                _ => uri.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    uri
}
