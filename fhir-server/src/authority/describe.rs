//! What the authority tells of itself: SMART's configuration, OpenID Connect's, and its public key.

use serde_json::{Value, json};

use super::assertion::ALGORITHMS;
use super::{Authority, PATH};
use crate::engine::TokenSource;

impl Authority {
    /// `.well-known/smart-configuration` (<https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html>).
    pub(crate) fn smart_configuration(&self) -> Value {
        let mut document = self.endpoints();
        if let Some(members) = document.as_object_mut() {
            let capabilities = [
                "launch-ehr",
                "launch-standalone",
                "authorize-post",
                "client-public",
                "client-confidential-asymmetric",
                "client-confidential-symmetric",
                "sso-openid-connect",
                "context-ehr-patient",
                "context-ehr-encounter",
                "context-standalone-patient",
                "context-standalone-encounter",
                "context-banner",
                "context-style",
                "permission-offline",
                "permission-online",
                "permission-patient",
                "permission-user",
                "permission-v1",
                "permission-v2",
            ];
            members.insert("capabilities".into(), json!(capabilities));
        }
        document
    }

    /// `.well-known/openid-configuration` (OpenID Connect Discovery 1.0).
    pub(crate) fn openid_configuration(&self) -> Value {
        let mut document = self.endpoints();
        if let Some(members) = document.as_object_mut() {
            members.insert("subject_types_supported".into(), json!(["public"]));
            members.insert("id_token_signing_alg_values_supported".into(), json!(["RS256"]));
        }
        document
    }

    /// The same, as the CapabilityStatement tells it: by paths, as the address is known only once the server listens.
    pub(crate) fn source() -> TokenSource {
        TokenSource {
            authorize: Some(format!("{PATH}/authorize")),
            token: Some(format!("{PATH}/token")),
            introspect: Some(format!("{PATH}/introspect")),
            revoke: Some(format!("{PATH}/revoke")),
        }
    }

    /// The public key.
    pub(crate) fn jwks(&self) -> Value {
        self.key.jwks.clone()
    }

    /// How the sandbox's own pages look, for apps that look like what launched them
    /// (<https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#styling>).
    pub(crate) fn style(&self) -> Value {
        json!({
            "color_background": "#ffffff",
            "color_error": "#d5281b",
            "color_highlight": "#ffb81c",
            "color_modal_backdrop": "#212b32",
            "color_success": "#007f3b",
            "color_text": "#212b32",
            "dim_border_radius": "0px",
            "dim_font_size": "18px",
            "dim_spacing_size": "16px",
            "font_family_body": "Arial, sans-serif",
            "font_family_heading": "Arial, sans-serif",
        })
    }

    fn endpoints(&self) -> Value {
        json!({
            "issuer": self.name(),
            "jwks_uri": self.url("/jwks"),
            "authorization_endpoint": self.url("/authorize"),
            "token_endpoint": self.url("/token"),
            "introspection_endpoint": self.url("/introspect"),
            "revocation_endpoint": self.url("/revoke"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt", "client_secret_basic"],
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS.map(|one| one.name()),
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": [
                "openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter", "offline_access", "online_access",
                "patient/*.cruds", "user/*.cruds", "system/*.cruds",
            ],
        })
    }
}
