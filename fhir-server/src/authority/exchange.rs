//! The token endpoint: codes, refresh tokens and clients' assertions into access tokens (RFC 6749, sections 4.1.3, 4.4 and 6).
//!
//! Invariant: who uses a code or a refresh token a second time ends all tokens that came of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::authorize::{Code, allowed};
use super::sign::{Grant, Sealed};
use super::used;
use super::{App, Authority, Params, Refused};
use crate::engine::Engine;
use crate::random;
use crate::scopes::{ScopeLevel, Scopes};

/// Seconds that a refresh token lives, for `offline_access` and `online_access`.
const OFFLINE_LIFE: i64 = 90 * 24 * 3600;
const ONLINE_LIFE: i64 = 24 * 3600;

impl Authority {
    /// Answers a request to the token endpoint. `base` is the FHIR base that a program for itself gets a token for.
    ///
    /// # Errors
    /// As RFC 6749, section 5.2, has it.
    pub(crate) async fn exchange(
        &self,
        engine: &Engine,
        params: &Params,
        base: &str,
        now: i64,
    ) -> Result<Value, Refused> {
        match params.get("grant_type")? {
            Some("authorization_code") => {
                let app = self.client(engine, params, now).await?;
                self.of_code(engine, app, params, now).await
            }
            Some("refresh_token") => {
                let app = self.client(engine, params, now).await?;
                self.of_refresh_token(engine, app, params, now).await
            }
            Some("client_credentials") => {
                if !params.has("client_assertion") {
                    return Err(Refused::client(
                        "A program for itself must prove who it is by a client_assertion.",
                    ));
                }
                let app = self.client(engine, params, now).await?;
                self.of_client(app, params, base, now)
            }
            Some(_) => Err(Refused::new(
                400,
                "unsupported_grant_type",
                "grant_type must be authorization_code, refresh_token or client_credentials.",
            )),
            None => Err(Refused::request("grant_type must be there.")),
        }
    }

    async fn of_code(&self, engine: &Engine, app: &App, params: &Params, now: i64) -> Result<Value, Refused> {
        let wrong = || Refused::grant("The code is not good: unknown, over, used, or of another app.");
        let code = params
            .get("code")?
            .and_then(|code| self.unseal::<Code>("code+jwt", code));
        let Sealed { jti, exp, content } = code.ok_or_else(wrong)?;
        let verifier = params.get("code_verifier")?.unwrap_or_default();
        let hashed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let own = content.grant.client_id == app.config.client_id;
        let place = params.get("redirect_uri")? == Some(content.redirect_uri.as_str());
        if !own || !place || now >= exp || !is_verifier(verifier) || hashed != content.challenge {
            return Err(wrong());
        }
        if !used::take(engine, &["code", &jti], exp).await? {
            used::revoke(engine, &content.grant.family, now + OFFLINE_LIFE).await?;
            return Err(wrong());
        }
        self.tokens(&content.grant, now)
    }

    async fn of_refresh_token(
        &self,
        engine: &Engine,
        app: &App,
        params: &Params,
        now: i64,
    ) -> Result<Value, Refused> {
        let wrong = || {
            Refused::grant("The refresh token is not good: unknown, over, used, revoked, or of another app.")
        };
        let sent = params.get("refresh_token")?;
        let sealed = sent.and_then(|sent| self.unseal::<Grant>("refresh+jwt", sent));
        let Sealed {
            jti,
            exp,
            mut content,
        } = sealed.ok_or_else(wrong)?;
        if content.client_id != app.config.client_id || now >= exp {
            return Err(wrong());
        }
        if used::is_revoked(engine, &content.family).await? {
            return Err(wrong());
        }
        let granted = Scopes::read(&content.scope);
        let narrower = match params.get("scope")? {
            Some(text) => Some(subset(&granted, text)?),
            None => None,
        };
        if !used::take(engine, &["refresh", &jti], exp).await? {
            used::revoke(engine, &content.family, now + OFFLINE_LIFE).await?;
            return Err(wrong());
        }
        let refresh = self.refresh_token(&content, now)?;
        if let Some(scopes) = narrower {
            content.scope = scopes.to_string();
        }
        let mut answer = self.answer(&content, now)?;
        add(&mut answer, "refresh_token", refresh);
        Ok(answer)
    }

    fn of_client(&self, app: &App, params: &Params, base: &str, now: i64) -> Result<Value, Refused> {
        let mut scopes = allowed(app, Scopes::read(params.get("scope")?.unwrap_or_default()));
        scopes.resources.retain(|scope| scope.level == ScopeLevel::System);
        scopes.other.clear();
        if scopes.resources.is_empty() {
            return Err(Refused::scope(
                "A program for itself needs scopes that begin with system/, and may have those.",
            ));
        }
        let grant = Grant {
            client_id: app.config.client_id.clone(),
            person: None,
            scope: scopes.to_string(),
            patient: None,
            encounter: None,
            told: None,
            aud: base.to_owned(),
            family: random::uuid().to_string(),
            nonce: None,
        };
        self.answer(&grant, now)
    }

    /// An access token, and what the scopes ask for beside it.
    fn tokens(&self, grant: &Grant, now: i64) -> Result<Value, Refused> {
        let mut answer = self.answer(grant, now)?;
        let refresh = self.refresh_token(grant, now)?;
        add(&mut answer, "refresh_token", refresh);
        add(&mut answer, "id_token", self.id_token(grant, now)?);
        Ok(answer)
    }

    fn refresh_token(&self, grant: &Grant, now: i64) -> Result<Option<String>, Refused> {
        let scopes = Scopes::read(&grant.scope);
        let life = match (scopes.has("offline_access"), scopes.has("online_access")) {
            (true, _) => OFFLINE_LIFE,
            (false, true) => ONLINE_LIFE,
            (false, false) => return Ok(None),
        };
        Ok(Some(self.seal("refresh+jwt", grant, now + life)?))
    }

    fn answer(&self, grant: &Grant, now: i64) -> Result<Value, Refused> {
        let (token, life) = self.access_token(grant, now)?;
        let mut answer = json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": life,
            "scope": grant.scope,
        });
        add(&mut answer, "patient", grant.patient.clone());
        add(&mut answer, "encounter", grant.encounter.clone());
        if let Some(members) = answer.as_object_mut() {
            if grant.patient.is_some() {
                members.insert("need_patient_banner".into(), json!(true));
            }
            if grant.person.is_some() {
                members.insert("smart_style_url".into(), json!(self.url("/style.json")));
            }
            if let Some(told) = &grant.told {
                told.tell(members);
            }
        }
        Ok(answer)
    }
}

fn add(answer: &mut Value, name: &str, value: Option<String>) {
    if let (Some(members), Some(value)) = (answer.as_object_mut(), value) {
        members.insert(name.to_owned(), Value::String(value));
    }
}

/// RFC 7636, section 4.1.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

/// The scopes asked for, where each was granted.
fn subset(granted: &Scopes, text: &str) -> Result<Scopes, Refused> {
    let asked = Scopes::read(text);
    let both = asked.within(granted);
    let whole = asked.other.iter().all(|name| granted.has(name))
        && asked.resources.iter().all(|scope| both.resources.contains(scope))
        && text.split_whitespace().count() == asked.other.len() + asked.resources.len();
    match whole {
        true => Ok(asked),
        false => Err(Refused::scope("The scopes go beyond what was granted.")),
    }
}
