//! Introspection (RFC 7662) and revocation (RFC 7009).

use serde_json::{Value, json};

use super::sign::Grant;
use super::used;
use super::{Authority, Params, Refused};
use crate::engine::Engine;

/// Until when a revocation is remembered, in seconds from now: longer than anything lives.
const REMEMBERED: i64 = 100 * 24 * 3600;

impl Authority {
    /// Tells a client, or who holds a token of this authority, what a token is.
    ///
    /// # Errors
    /// Who asks is not known.
    pub(crate) async fn introspect(
        &self,
        engine: &Engine,
        params: &Params,
        bearer: Option<&str>,
        now: i64,
    ) -> Result<Value, Refused> {
        let by_token = match bearer {
            Some(token) => self.active(engine, token, now).await?.is_some(),
            None => false,
        };
        if !by_token {
            if !params.has("client_assertion") && params.basic()?.is_none() {
                return Err(Refused::client(
                    "Introspection needs a client_assertion, or an access token or a client's secret in Authorization.",
                ));
            }
            self.client(engine, params, now).await?;
        }
        let token = params
            .get("token")?
            .ok_or(Refused::request("token must be there."))?;
        match self.active(engine, token, now).await? {
            Some(mut claims) => {
                if let Some(members) = claims.as_object_mut() {
                    members.remove("family");
                    members.insert("active".into(), json!(true));
                    members.insert("token_type".into(), json!("Bearer"));
                }
                Ok(claims)
            }
            None => Ok(json!({ "active": false })),
        }
    }

    /// The claims of an access token or refresh token of this authority that can still be used.
    async fn active(&self, engine: &Engine, token: &str, now: i64) -> Result<Option<Value>, Refused> {
        let claims = self
            .verified("at+jwt", token)
            .or_else(|| self.verified("refresh+jwt", token));
        let Some(claims) = claims else { return Ok(None) };
        let lives = claims
            .get("exp")
            .and_then(Value::as_i64)
            .is_some_and(|exp| now < exp);
        let family = claims.get("family").and_then(Value::as_str);
        let Some(family) = family.filter(|_| lives) else {
            return Ok(None);
        };
        let ended = used::is_revoked(engine, family).await?;
        Ok((!ended).then_some(Value::Object(claims)))
    }

    /// Ends a token, and all that came of the same authorization.
    ///
    /// # Errors
    /// Who asks is not known. A token that is not known is no error.
    pub(crate) async fn end(&self, engine: &Engine, params: &Params, now: i64) -> Result<(), Refused> {
        let app = self.client(engine, params, now).await?;
        let token = params
            .get("token")?
            .ok_or(Refused::request("token must be there."))?;
        let refresh = self
            .unseal::<Grant>("refresh+jwt", token)
            .map(|sealed| sealed.content);
        let of_refresh = refresh.map(|grant| (grant.client_id, grant.family));
        let of_access = || {
            let claims = self.verified("at+jwt", token)?;
            let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
            Some((text("client_id")?, text("family")?))
        };
        if let Some((client_id, family)) = of_refresh.or_else(of_access)
            && client_id == app.config.client_id
        {
            used::revoke(engine, &family, now + REMEMBERED).await?;
        }
        Ok(())
    }
}
