//! What was used or revoked: claims in the store, so that every process on the database knows.
//!
//! Invariant: of all who use the same thing at the same time, one succeeds.

use sha2::{Digest, Sha256};

use super::{Authority, Refused};
use crate::context::{Context, Millis, Principal};
use crate::engine::{Engine, Session};
use crate::error::{Error, ErrorCode, Result};
use crate::store::Claim;

/// Of what is used once.
const USED: &str = "authority-used";
/// Of what is revoked.
const REVOKED: &str = "authority-revoked";

fn session(engine: &Engine) -> Session {
    engine.session(Context::new(Principal::system("authority"), "authority"))
}

fn key(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// Uses something up: whether it was still to be had.
pub(super) async fn take(engine: &Engine, parts: &[&str], until: i64) -> Result<bool> {
    hold(engine, USED, parts, until).await
}

async fn hold(engine: &Engine, kind: &'static str, parts: &[&str], until: i64) -> Result<bool> {
    let mut session = session(engine);
    let mut claim = Claim::new(kind, key(parts), Vec::new());
    claim.expires = Some(Millis(until.saturating_mul(1000)));
    session.stage_claim(claim);
    match session.commit().await {
        Ok(_) => Ok(true),
        Err(error) if error.code == ErrorCode::Conflict => Ok(false),
        Err(error) => Err(error),
    }
}

/// Ends all tokens of one authorization.
pub(super) async fn revoke(engine: &Engine, family: &str, until: i64) -> Result<()> {
    hold(engine, REVOKED, &[family], until).await.map(drop)
}

/// Whether all tokens of that authorization were ended.
pub(super) async fn is_revoked(engine: &Engine, family: &str) -> Result<bool> {
    let held = session(engine).claim(REVOKED, &key(&[family])).await?;
    Ok(held.is_some())
}

impl Authority {
    /// Refuses an access token of this authority that was revoked.
    ///
    /// # Errors
    /// It was, or whether it was cannot be told.
    pub(crate) async fn check_revoked(&self, engine: &Engine, token: &str) -> Result<()> {
        let claims = self.verified("at+jwt", token).unwrap_or_default();
        let family = claims.get("family").and_then(|family| family.as_str());
        let ended = match family {
            Some(family) => is_revoked(engine, family).await?,
            None => true,
        };
        match ended {
            false => Ok(()),
            true => {
                let text = "The access token is refused: it was revoked.";
                Err(Error::new(ErrorCode::InvalidToken, text).at("http.authorization"))
            }
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        tracing::error!(cause = ?error.cause, "the authority's store failed");
        Refused::new(503, "temporarily_unavailable", "The database does not answer.")
    }
}
