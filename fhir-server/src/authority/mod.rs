//! The development authority: SMART App Launch and Backend Services for the people of the sandbox
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/>), so that an app can be tried without anybody else's identity provider.
//!
//! It asks nobody for a password. What it gives out are signed texts that carry all they stand for; that one of them was used or revoked is a
//! claim in the store, so that all processes on one database agree.
//!
//! Invariant: it serves the sandbox alone; a code, a refresh token and a client's assertion are each good for one use.

mod assertion;
mod authorize;
mod context;
mod describe;
mod exchange;
mod introspect;
mod key;
mod launch;
mod mint;
mod page;
mod params;
mod people;
mod refuse;
mod sign;
mod used;

pub(crate) use authorize::Step;
pub use mint::{Wanted, mint};
pub(crate) use params::Params;
pub use people::Person;
pub(crate) use refuse::Refused;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::key::SigningKey;
use crate::config::{AppConfig, Config};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::uri::split_origin;
use crate::token::{Algorithm, Issuer, KeySet};

/// The path of the authority beside the FHIR base.
pub(crate) const PATH: &str = "/auth";

/// The `client_id` of the server's own site, a public app.
const SITE: &str = "fhir-server-site";

/// Who gives tokens in the sandbox.
pub(crate) struct Authority {
    issuer: OnceLock<Issuer>,
    key: SigningKey,
    apps: Vec<App>,
    people: Vec<Person>,
    /// Where it is reached, where that does not depend on the port that the system chooses.
    origin: Option<String>,
    /// Where it listens as configured.
    bind: SocketAddr,
    base_path: String,
    scheme: &'static str,
    base: Option<String>,
}

/// A registered app, its keys read.
struct App {
    config: AppConfig,
    keys: Option<KeySet>,
    /// The SHA-256 of its secret.
    secret: Option<[u8; 32]>,
    /// Whether it is the server's own site, which is reached wherever the server is.
    is_site: bool,
}

impl Authority {
    /// The authority as configured; its key is made where there is none yet.
    pub(crate) fn open(config: &Config, people: Vec<Person>) -> Result<Authority> {
        let own = &config.authority;
        let mut apps = Vec::new();
        for app in &own.apps {
            let keys = app.keys_file.as_deref().map(read_keys).transpose()?;
            apps.push(App {
                config: app.clone(),
                keys,
                secret: app.secret_file.as_deref().map(read_hashed).transpose()?,
                is_site: false,
            });
        }
        apps.push(App {
            config: AppConfig::new(SITE, Vec::new()),
            keys: None,
            secret: None,
            is_site: true,
        });
        Ok(Authority {
            issuer: OnceLock::new(),
            key: SigningKey::open(own.key_file.as_deref())?,
            apps,
            people,
            origin: config
                .listen
                .public_base_url
                .as_deref()
                .and_then(split_origin)
                .map(|(origin, _)| origin.to_owned()),
            bind: config.listen.bind,
            base_path: config.listen.base_path.clone(),
            scheme: if config.listen.tls.is_some() {
                "https"
            } else {
                "http"
            },
            base: config.listen.public_base_url.clone(),
        })
    }

    /// It listens there.
    pub(crate) fn listens_at(&self, address: SocketAddr) {
        self.issuer.get_or_init(|| self.make_issuer(address));
    }

    /// What its tokens are held against.
    pub(crate) fn issuer(&self) -> &Issuer {
        self.issuer.get_or_init(|| self.make_issuer(self.bind))
    }

    fn make_issuer(&self, address: SocketAddr) -> Issuer {
        let origin = self
            .origin
            .clone()
            .unwrap_or_else(|| format!("{}://{address}", self.scheme));
        Issuer::own(format!("{origin}{PATH}"), Algorithm::Rs256, self.key.keys.clone())
    }

    /// Its name, which is its address.
    pub(crate) fn name(&self) -> &str {
        &self.issuer().name
    }

    /// The FHIR base as the apps that it launches should call it.
    pub(crate) fn base(&self) -> String {
        let own = self.name().strip_suffix(PATH).unwrap_or_default();
        self.base
            .clone()
            .unwrap_or_else(|| format!("{own}{}", self.base_path))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.name())
    }

    /// Whether that is the address of the server's own site, by number or by name.
    fn is_site(&self, uri: &str) -> bool {
        let own = self.name().strip_suffix(PATH).unwrap_or_default();
        let named = own.replacen("://127.0.0.1", "://localhost", 1);
        uri.strip_suffix("/docs/")
            .is_some_and(|origin| origin == own || origin == named)
    }

    /// The people who can log in, for an app that lets its user choose one beforehand.
    pub(crate) fn directory(&self) -> Value {
        let people = self.people.iter().map(|person| {
            json!({
                "id": person.user.id,
                "type": person.user.resource_type.name(),
                "alias": person.alias,
                "name": person.name,
                "about": person.about,
                "patient": person.patient,
            })
        });
        people.collect()
    }

    /// Whether codes for an app may be sent to that address.
    fn leads_back(&self, app: &App, uri: &str) -> bool {
        match app.is_site {
            true => self.is_site(uri),
            false => app.config.redirect_uris.iter().any(|own| own == uri),
        }
    }

    fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.config.client_id == client_id)
    }

    fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.is_called(id))
    }
}

fn read_keys(path: &Path) -> Result<KeySet> {
    let text = crate::secret_file::read_public(path)?;
    KeySet::read(&text, None).map_err(|error| {
        let text = format!("The keys in {}: {error}", path.display());
        Error::new(ErrorCode::Invalid, text)
    })
}

/// The SHA-256 of a secret of at least 32 characters in a file that nobody else may read.
fn read_hashed(path: &Path) -> Result<[u8; 32]> {
    let text = crate::secret_file::read_secret(path)?;
    let secret = text.trim_ascii();
    if secret.len() < 32 {
        let text = format!(
            "The secret in {} has fewer than 32 characters, so it could be guessed.",
            path.display()
        );
        return Err(Error::new(ErrorCode::Invalid, text));
    }
    Ok(Sha256::digest(secret).into())
}
