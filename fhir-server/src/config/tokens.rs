//! `tokens`: whose access tokens are accepted, and what they are read as.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{duration, refused};
use crate::error::Result;
use crate::scopes::Scopes;

/// The longest leeway for clocks that differ.
const MAX_LEEWAY: Duration = Duration::from_secs(30);

/// Whose access tokens are accepted, and what they are read as.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TokensConfig {
    /// The authorities whose tokens are accepted. Default: none.
    pub issuers: Vec<IssuerConfig>,
    /// The programs that may call, for all issuers. Default: none, which lets in each client that an issuer gives a token to.
    /// With one or more, no other may call.
    pub clients: Vec<ClientConfig>,
    /// What must stand in `aud`, letter by letter. Default: `listen.public_base_url`; in the sandbox the FHIR base on loopback.
    pub audience: Option<String>,
    /// Where apps get tokens, for `.well-known/smart-configuration`, where somebody else's authority gives them. Default: none.
    pub smart: Option<SmartConfig>,
    /// By how much clocks may differ; at most 30 s. Default: 10 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub leeway: Duration,
    /// How long a user's token may live, from `iat` to `exp`. Default: 1 h.
    #[serde(deserialize_with = "duration::deserialize")]
    pub max_life: Duration,
    /// How long the token of a program that acts for itself may live. Default: 5 min.
    #[serde(deserialize_with = "duration::deserialize")]
    pub max_client_life: Duration,
}

impl Default for TokensConfig {
    fn default() -> Self {
        TokensConfig {
            issuers: Vec::new(),
            clients: Vec::new(),
            audience: None,
            smart: None,
            leeway: Duration::from_secs(10),
            max_life: Duration::from_secs(3600),
            max_client_life: Duration::from_secs(300),
        }
    }
}

/// Where apps get tokens (<https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html>).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SmartConfig {
    /// Where users are asked; an https URL. Without it, apps with a user cannot be launched.
    #[serde(default)]
    pub authorization_endpoint: Option<String>,
    /// Where tokens are given; an https URL.
    pub token_endpoint: String,
    /// What the authority and this server can do together, such as `launch-standalone`. List only what you have tried.
    pub capabilities: Vec<String>,
    /// The grants that the authority knows, such as `authorization_code`.
    pub grant_types_supported: Vec<String>,
}

/// One authority.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct IssuerConfig {
    /// What stands in `iss`, letter by letter: an https URL.
    pub issuer: String,
    /// A file with its public keys: a JSON Web Key Set, or one key in PEM. Read at the start.
    #[serde(default)]
    pub keys_file: Option<PathBuf>,
    /// The `kid` of the key in a PEM file. Default: none; then tokens must not name one.
    #[serde(default)]
    pub key_id: Option<String>,
    /// Where its JSON Web Key Set is fetched from instead: an https URL. It is fetched at most once a minute.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// The algorithms that it signs with, of RS256, RS384, RS512, ES256 and ES384. Default: all five.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<String>,
    /// Whether the header `typ` must be `at+jwt` (RFC 9068), so that no id token passes for an access token. Default: yes.
    #[serde(default = "yes")]
    pub require_at_jwt: bool,
    /// The names that its claims have. Default: those of SMART.
    #[serde(default)]
    pub claims: ClaimsConfig,
    /// The values of the claim of assurance that are enough, such as `["P9"]` or `["AAL2_ANY", "AAL3_ANY"]`. Default: none,
    /// which asks for no assurance.
    #[serde(default)]
    pub assurance: Vec<String>,
}

fn yes() -> bool {
    true
}

fn algorithms() -> Vec<String> {
    ["RS256", "RS384", "RS512", "ES256", "ES384"]
        .map(str::to_owned)
        .to_vec()
}

/// The names of claims. Each can be a path with dots into objects; `*` stands for the items of an array.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ClaimsConfig {
    /// A set of names to begin with: `smart`, `cis2` or `nhs-login`. Default: `smart`.
    pub style: ClaimStyle,
    /// The ODS code of the organisation. Default: `organisation`; of CIS2, that of the selected role.
    pub organisation: Option<String>,
    /// The roles' codes. Default: `roles`; of CIS2, that of the selected role.
    pub roles: Option<String>,
    /// The user's NHS number. Default: `nhs_number`.
    pub nhs_number: Option<String>,
    /// The purpose of use. Default: `purpose_of_use`.
    pub purpose: Option<String>,
    /// What says how well the user is known. Default: `acr`; of CIS2, `authentication_assurance_level`; of NHS login,
    /// `identity_proofing_level`.
    pub assurance: Option<String>,
}

/// Which names claims have where nothing else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClaimStyle {
    /// SMART App Launch.
    #[default]
    Smart,
    /// NHS Care Identity Service 2, with `nhsid_nrbac_roles` and `selected_roleid`.
    Cis2,
    /// NHS login, of patients.
    NhsLogin,
}

impl Default for ClaimsConfig {
    fn default() -> Self {
        ClaimsConfig {
            style: ClaimStyle::Smart,
            organisation: None,
            roles: None,
            nhs_number: None,
            purpose: None,
            assurance: None,
        }
    }
}

/// One program that may call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClientConfig {
    /// Its `client_id`.
    pub client_id: String,
    /// The ODS code of the organisation that answers for it, where the token names none.
    #[serde(default)]
    pub organisation: Option<String>,
    /// The purposes that it may ask for, such as `["TREAT"]`. Default: none, which lets it name no purpose.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// The most that its tokens may allow, as scopes with spaces between. Default: whatever the token allows.
    #[serde(default)]
    pub scopes: Option<String>,
}

impl TokensConfig {
    pub(super) fn check(&self) -> Result<()> {
        if self.leeway > MAX_LEEWAY {
            return Err(refused("tokens.leeway must be at most 30 s."));
        }
        if self.max_life.is_zero() || self.max_client_life.is_zero() {
            return Err(refused(
                "tokens.max_life and tokens.max_client_life must be more than 0.",
            ));
        }
        for (place, issuer) in self.issuers.iter().enumerate() {
            issuer.check()?;
            if self
                .issuers
                .iter()
                .skip(place + 1)
                .any(|other| other.issuer == issuer.issuer)
            {
                return Err(refused(format!(
                    "tokens.issuers names `{}` twice.",
                    issuer.issuer
                )));
            }
        }
        if let Some(smart) = &self.smart {
            let authorize = smart.authorization_endpoint.iter();
            if let Some(url) = authorize
                .chain([&smart.token_endpoint])
                .find(|url| !is_https(url))
            {
                return Err(refused(format!(
                    "tokens.smart names `{url}`; it must be an https URL."
                )));
            }
        }
        self.clients.iter().try_for_each(ClientConfig::check)
    }
}

impl IssuerConfig {
    /// An authority with that name and keys.
    pub fn new(issuer: impl Into<String>, keys_file: impl Into<PathBuf>) -> Self {
        IssuerConfig {
            issuer: issuer.into(),
            keys_file: Some(keys_file.into()),
            key_id: None,
            jwks_url: None,
            algorithms: algorithms(),
            require_at_jwt: true,
            claims: ClaimsConfig::default(),
            assurance: Vec::new(),
        }
    }

    fn check(&self) -> Result<()> {
        let name = &self.issuer;
        if !is_https(name) {
            return Err(refused(format!(
                "tokens.issuers holds the issuer `{name}`; it must be an https URL without query or fragment."
            )));
        }
        match (&self.keys_file, &self.jwks_url) {
            (Some(_), None) => {}
            (None, Some(url)) if is_https(url) => {}
            (None, Some(url)) => {
                return Err(refused(format!(
                    "The jwks_url of `{name}` is `{url}`; it must be an https URL."
                )));
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err(refused(format!(
                    "The issuer `{name}` needs either a keys_file or a jwks_url."
                )));
            }
        }
        let known = algorithms();
        match self.algorithms.iter().find(|one| !known.contains(one)) {
            _ if self.algorithms.is_empty() => {
                Err(refused(format!("The issuer `{name}` has no algorithms.")))
            }
            Some(other) => Err(refused(format!(
                "The issuer `{name}` names the algorithm `{other}`; possible are {}.",
                known.join(", ")
            ))),
            None => Ok(()),
        }
    }
}

impl ClientConfig {
    /// A program that may call with whatever its token allows.
    pub fn new(client_id: impl Into<String>) -> Self {
        ClientConfig {
            client_id: client_id.into(),
            ..ClientConfig::default()
        }
    }

    fn check(&self) -> Result<()> {
        if self.client_id.is_empty() {
            return Err(refused("tokens.clients holds a client without client_id."));
        }
        let Some(text) = &self.scopes else { return Ok(()) };
        let scopes = Scopes::read(text);
        let read = scopes.resources.len() + scopes.other.len();
        match read == text.split_whitespace().count() {
            true => Ok(()),
            false => Err(refused(format!(
                "The scopes of the client `{}` are `{text}`; not each of them is a scope of SMART, or one stands twice.",
                self.client_id
            ))),
        }
    }
}

fn is_https(url: &str) -> bool {
    url.strip_prefix("https://").is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with('/')
            && rest
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"?#@\\\"<>".contains(&b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> std::result::Result<TokensConfig, String> {
        let config: TokensConfig = serde_json::from_str(text).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn an_issuer_is_https_and_has_keys() {
        read(r#"{"issuers":[{"issuer":"https://as.example","keys_file":"k"}]}"#).unwrap();
        for (bad, word) in [
            (r#"{"issuer":"http://as.example","keys_file":"k"}"#, "https"),
            (r#"{"issuer":"https://as.example"}"#, "keys_file"),
            (
                r#"{"issuer":"https://a","keys_file":"k","jwks_url":"https://a/k"}"#,
                "either",
            ),
            (r#"{"issuer":"https://a","jwks_url":"http://a/k"}"#, "https"),
            (
                r#"{"issuer":"https://a","keys_file":"k","algorithms":["HS256"]}"#,
                "HS256",
            ),
            (
                r#"{"issuer":"https://a","keys_file":"k","algorithms":["none"]}"#,
                "none",
            ),
            (
                r#"{"issuer":"https://a","keys_file":"k","algorithms":[]}"#,
                "no algorithms",
            ),
            (
                r#"{"issuer":"https://a","keys_file":"k","key":1}"#,
                "unknown field",
            ),
            (
                r#"{"issuer":"https://a","keys_file":"k","claims":{"rolle":"x"}}"#,
                "unknown field",
            ),
        ] {
            let error = read(&format!(r#"{{"issuers":[{bad}]}}"#)).unwrap_err();
            assert!(error.contains(word), "{bad}: {error}");
        }
        let twice = r#"{"issuer":"https://a","keys_file":"k"}"#;
        assert!(
            read(&format!(r#"{{"issuers":[{twice},{twice}]}}"#))
                .unwrap_err()
                .contains("twice")
        );
    }

    #[test]
    fn a_client_has_scopes_that_mean_something() {
        read(r#"{"clients":[{"client_id":"a","scopes":"system/*.rs openid"}]}"#).unwrap();
        for bad in ["system/*.sr", "system/Foo.rs", "bogus", "system/*.rs system/*.rs"] {
            read(&format!(
                r#"{{"clients":[{{"client_id":"a","scopes":"{bad}"}}]}}"#
            ))
            .unwrap_err();
        }
        read(r#"{"leeway":"31s"}"#).unwrap_err();
        read(r#"{"max_life":0}"#).unwrap_err();
    }
}
