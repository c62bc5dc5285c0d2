//! `authority`: the development authority, which gives access tokens to the people of the sandbox.

use std::path::PathBuf;

use serde::Deserialize;

use super::refused;
use crate::error::Result;
use crate::scopes::Scopes;

/// The development authority. It asks nobody for a password; never for real patients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AuthorityConfig {
    /// Whether there is one, at `/auth` beside the FHIR base. It needs the sandbox. Default: no.
    pub enabled: bool,
    /// Serves it on addresses other than loopback too, where everybody who reaches it can be anybody. Default: no.
    pub open_to_network: bool,
    /// Where its private key is kept, in PEM; made where it is not there. Default: a key that ends with the process.
    pub key_file: Option<PathBuf>,
    /// The apps that may ask it for tokens. Default: none.
    pub apps: Vec<AppConfig>,
}

/// An app that may ask the authority for tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AppConfig {
    /// Its `client_id`.
    pub client_id: String,
    /// The name to show. Default: the id.
    #[serde(default)]
    pub name: Option<String>,
    /// Where its users come back to, letter by letter.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where it is launched with a patient. Default: it cannot be.
    #[serde(default)]
    pub launch_uri: Option<String>,
    /// A file with its public keys, a JSON Web Key Set, by which it proves who it is. Default: none; then it is a public app.
    #[serde(default)]
    pub keys_file: Option<PathBuf>,
    /// A file with its secret, at least 32 characters that nobody else may read, by which it proves who it is (`client_secret_basic`).
    /// Default: none. An app has keys or a secret, not both.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// The scopes that it may have. Default: all that a user agrees to; an app for itself needs to name them.
    #[serde(default)]
    pub scopes: Option<String>,
    /// The ODS code of its organisation, for tokens of its own.
    #[serde(default)]
    pub organisation: Option<String>,
    /// The purposes of use that it is for; tokens of its own have the first.
    #[serde(default)]
    pub purposes: Vec<String>,
}

impl AppConfig {
    /// A public app that comes back to that address.
    pub fn new(client_id: impl Into<String>, redirect_uris: Vec<String>) -> Self {
        AppConfig {
            client_id: client_id.into(),
            redirect_uris,
            ..AppConfig::default()
        }
    }
}

impl AuthorityConfig {
    pub(super) fn check(&self, is_sandbox: bool, on_loopback: bool) -> Result<()> {
        if !self.enabled {
            return Ok(());
        }
        if !is_sandbox {
            return Err(refused(
                "authority.enabled is set without sandbox.enabled; the authority asks nobody for a password, so it serves the sandbox alone.",
            ));
        }
        if !on_loopback && !self.open_to_network {
            return Err(refused(
                "The development authority asks nobody for a password, so it serves loopback addresses only. Bind 127.0.0.1, switch it off, \
                 or set authority.open_to_network where nothing but test data is at stake.",
            ));
        }
        for (place, app) in self.apps.iter().enumerate() {
            app.check()?;
            if self
                .apps
                .iter()
                .skip(place + 1)
                .any(|other| other.client_id == app.client_id)
            {
                return Err(refused(format!(
                    "authority.apps names `{}` twice.",
                    app.client_id
                )));
            }
        }
        Ok(())
    }
}

impl AppConfig {
    fn check(&self) -> Result<()> {
        let id = &self.client_id;
        if id.is_empty() {
            return Err(refused("authority.apps holds an app without client_id."));
        }
        if self.keys_file.is_some() && self.secret_file.is_some() {
            return Err(refused(format!(
                "The app `{id}` has a keys_file and a secret_file; it proves who it is by one of them."
            )));
        }
        for uri in self.redirect_uris.iter().chain(&self.launch_uri) {
            let absolute = uri.split_once(':').is_some_and(|(scheme, rest)| {
                !matches!(scheme, "javascript" | "data" | "file" | "about")
                    && !scheme.is_empty()
                    && !rest.is_empty()
            });
            if !absolute || uri.contains('#') || !uri.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(refused(format!(
                    "The app `{id}` names `{uri}`; it must be an absolute URI without fragment."
                )));
            }
        }
        let Some(text) = &self.scopes else { return Ok(()) };
        let scopes = Scopes::read(text);
        match scopes.resources.len() + scopes.other.len() == text.split_whitespace().count() {
            true => Ok(()),
            false => Err(refused(format!(
                "The scopes of the app `{id}` are `{text}`; not each of them is one of SMART."
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_serves_the_sandbox_on_loopback_unless_told_otherwise() {
        let mut config = AuthorityConfig::default();
        config.check(false, false).unwrap();
        config.enabled = true;
        config.check(true, true).unwrap();
        assert!(
            config
                .check(false, true)
                .unwrap_err()
                .to_string()
                .contains("sandbox")
        );
        assert!(
            config
                .check(true, false)
                .unwrap_err()
                .to_string()
                .contains("open_to_network")
        );
        config.open_to_network = true;
        config.check(true, false).unwrap();
    }

    #[test]
    fn an_app_has_addresses_and_scopes_that_mean_something() {
        let config = |app: AppConfig| AuthorityConfig {
            enabled: true,
            apps: vec![app],
            ..AuthorityConfig::default()
        };
        config(AppConfig::new(
            "a",
            vec!["http://localhost:3000/cb".into(), "org.example.app:/cb".into()],
        ))
        .check(true, true)
        .unwrap();
        for bad in [
            "/cb",
            "javascript:alert(1)",
            "http://a/#b",
            "http://a b",
            "",
            "data:text/html,x",
        ] {
            let error = config(AppConfig::new("a", vec![bad.into()]))
                .check(true, true)
                .unwrap_err();
            assert!(error.to_string().contains("absolute URI"), "{bad}: {error}");
        }
        let mut app = AppConfig::new("a", Vec::new());
        app.scopes = Some("patient/*.sr".into());
        config(app).check(true, true).unwrap_err();
    }
}
