//! Who asks.
//!
//! An embedding service that knows its callers puts a [`Principal`] into the request's extensions before the request
//! gets here. The sandbox needs nobody.
//!
//! Invariant: without a principal nothing but the CapabilityStatement is answered.

use actix_web::{HttpMessage, HttpRequest};

use crate::config::Config;
use crate::context::Principal;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::Interaction;

/// The caller.
///
/// # Errors
/// [`ErrorCode::Unauthenticated`]: nobody said who it is.
pub(crate) fn principal(
    config: &Config,
    request: &HttpRequest,
    interaction: Interaction,
) -> Result<Principal> {
    if let Some(principal) = request.extensions().get::<Principal>() {
        return Ok(principal.clone());
    }
    if config.sandbox.enabled {
        return Ok(Principal::sandbox_clinician());
    }
    match interaction {
        Interaction::Capabilities => Ok(Principal::anonymous()),
        _ => {
            let text =
                "The server needs to know who you are; send an access token in the header `Authorization`.";
            Err(Error::new(ErrorCode::Unauthenticated, text).at("http.authorization"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn nobody_may_read_only_the_capabilities() {
        let request = TestRequest::get().to_http_request();
        let error = principal(&Config::default(), &request, Interaction::Read).unwrap_err();
        assert_eq!(error.code, ErrorCode::Unauthenticated);
        let anonymous = principal(&Config::default(), &request, Interaction::Capabilities).unwrap();
        assert_eq!(anonymous, Principal::anonymous());
    }

    #[test]
    fn the_sandbox_knows_its_clinician_and_an_embedder_its_own_callers() {
        let mut config = Config::default();
        config.sandbox.enabled = true;
        let request = TestRequest::get().to_http_request();
        assert_eq!(
            principal(&config, &request, Interaction::Read).unwrap(),
            Principal::sandbox_clinician()
        );
        request.extensions_mut().insert(Principal::system("embedder"));
        for config in [Config::default(), config] {
            assert_eq!(
                principal(&config, &request, Interaction::Read).unwrap().name,
                "system:embedder"
            );
        }
    }
}
