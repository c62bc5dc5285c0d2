//! Every value that can be configured, one file a concern; the doc comments are the reference page.
//!
//! Each has a safe default, so that an empty configuration serves. Unknown keys are refused.

mod audit;
mod authority;
mod deadlines;
mod duration;
mod emergency;
mod errors;
mod interactions;
mod limits;
mod listen;
mod log;
mod outbound;
mod retention;
mod sandbox;
mod shutdown;
mod tenants;
mod terminology;
mod throttle;
mod tls;
mod tokens;
mod validation;

pub use audit::AuditConfig;
pub use authority::{AppConfig, AuthorityConfig};
pub use deadlines::DeadlinesConfig;
pub use emergency::EmergencyConfig;
pub use errors::ErrorsConfig;
pub use interactions::InteractionsConfig;
pub use limits::LimitsConfig;
pub use listen::ListenConfig;
pub use log::{LogConfig, LogFormat};
pub use outbound::OutboundConfig;
pub use retention::RetentionConfig;
pub(crate) use sandbox::SPACES;
pub use sandbox::SandboxConfig;
pub use shutdown::ShutdownConfig;
pub use tenants::TenantConfig;
pub use terminology::TerminologyConfig;
pub use throttle::ThrottleConfig;
pub use tls::TlsConfig;
pub use tokens::{ClaimStyle, ClaimsConfig, ClientConfig, IssuerConfig, SmartConfig, TokensConfig};
pub use validation::{TypeValidation, ValidationConfig};

use std::path::Path;

use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::engine::{Settings, TokenSource};
use crate::error::{Error, ErrorCode, Result};
use crate::search::Limits;
use crate::secret_file;
use crate::store::MAX_SORTS;

/// The whole configuration of a server.
///
/// ```
/// let mut config = fhir_server::Config::default();
/// config.listen.public_base_url = Some("https://fhir.example.nhs.uk/fhir".into());
/// assert_eq!(config.limits.body_bytes, 16 * 1024 * 1024);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Where and under which address the server answers.
    pub listen: ListenConfig,
    /// What is too large or too many.
    pub limits: LimitsConfig,
    /// What takes too long.
    pub deadlines: DeadlinesConfig,
    /// How interactions behave where the specification leaves a choice.
    pub interactions: InteractionsConfig,
    /// How strictly what is written is held against R4 and profiles.
    pub validation: ValidationConfig,
    /// How much one search may ask for.
    pub search: Limits,
    /// The audit trail.
    pub audit: AuditConfig,
    /// Who may open a patient's record in an emergency.
    pub emergency: EmergencyConfig,
    /// How long what was deleted is kept.
    pub retention: RetentionConfig,
    /// How errors are coded.
    pub errors: ErrorsConfig,
    /// The sandbox: sample data, no token.
    pub sandbox: SandboxConfig,
    /// Which other servers this one may ask.
    pub outbound: OutboundConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Code systems that the operator has licences for.
    pub terminology: TerminologyConfig,
    /// The development authority.
    pub authority: AuthorityConfig,
    /// Further organisations. Default: none.
    pub tenants: Vec<TenantConfig>,
    /// How many requests a minute.
    pub throttle: ThrottleConfig,
    /// Whose access tokens are accepted.
    pub tokens: TokensConfig,
    /// How the server ends.
    pub shutdown: ShutdownConfig,
}

impl Config {
    /// Reads a configuration in JSON from a file that nobody else can change.
    ///
    /// # Errors
    /// The file cannot be read or others can change it; it is no JSON, or holds a key that is not known.
    pub fn read(path: &Path) -> Result<Config> {
        let text = secret_file::read_public(path)?;
        serde_json::from_slice(&text).map_err(|cause| {
            refused(format!(
                "The configuration in {} cannot be read: {cause}.",
                path.display()
            ))
        })
    }

    /// Refuses values that contradict each other or would be unsafe.
    ///
    /// # Errors
    /// [`ErrorCode::Invalid`] names the value and the cure.
    pub fn check(&self) -> Result<()> {
        self.listen.check()?;
        self.limits.check()?;
        self.deadlines.check()?;
        self.interactions.check()?;
        self.validation.check()?;
        self.outbound.check()?;
        self.throttle.check()?;
        self.emergency.check()?;
        self.retention.check()?;
        tenants::check(&self.tenants)?;
        self.sandbox.check(&self.tenants)?;
        self.tokens.check()?;
        self.check_network()?;
        let on_loopback = self.listen.bind.ip().is_loopback();
        self.authority.check(self.sandbox.enabled, on_loopback)?;
        if self.search.sort > MAX_SORTS {
            return Err(refused(format!(
                "search.sort is {}; the store sorts by at most {MAX_SORTS} keys.",
                self.search.sort
            )));
        }
        Ok(())
    }
}

impl Config {
    /// Refuses to be reached by others while nobody knows callers.
    fn check_network(&self) -> Result<()> {
        if self.listen.bind.ip().is_loopback() {
            return Ok(());
        }
        if self.sandbox.enabled && !self.sandbox.open_to_network {
            return Err(refused(format!(
                "The sandbox asks nobody who they are, so it serves loopback addresses only, and listen.bind is {}. \
                 Bind 127.0.0.1, or set sandbox.open_to_network where nothing but test data is at stake.",
                self.listen.bind
            )));
        }
        if !self.tokens.issuers.is_empty()
            && self.listen.public_base_url.is_none()
            && self.tokens.audience.is_none()
        {
            return Err(refused(
                "Access tokens must be for this server, and it does not know its address: set listen.public_base_url.",
            ));
        }
        Ok(())
    }

    /// What of it the engine and the interactions follow.
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        let interactions = &self.interactions;
        settings.update_as_create = interactions.update_as_create.unwrap_or(self.sandbox.enabled);
        settings.client_ids = interactions.client_ids.unwrap_or(self.sandbox.enabled);
        settings.page_default = interactions.page_default;
        settings.page_max = interactions.page_max;
        settings.total_max = interactions.total_max;
        settings.count_max = interactions.count_max;
        settings.bundle_entries = interactions.bundle_entries;
        settings.bundle_searches = interactions.bundle_searches;
        settings.conditional_delete_max = interactions.conditional_delete_max;
        settings.bundle_conditional_references = interactions.bundle_conditional_references;
        settings.strict_handling = interactions.strict_handling;
        settings.replay = interactions.replay;
        settings.replay_bytes = interactions.replay_bytes;
        settings.body_bytes = self.limits.body_bytes;
        settings.binary_bytes = self.limits.binary_bytes;
        settings.depth = self.limits.depth;
        settings.search = self.search.clone();
        settings.validation = self.validation.strictness();
        if let Ok(zone) = TimeZone::get(&interactions.time_zone) {
            settings.zone = zone;
        }
        settings.bases.extend(self.listen.public_base_url.clone());
        settings.audit.enabled = self.audit.enabled;
        settings.audit.reads = self.audit.reads;
        let smart = self.tokens.smart.as_ref();
        settings.tokens = (!self.tokens.issuers.is_empty()).then(|| TokenSource {
            authorize: smart.and_then(|smart| smart.authorization_endpoint.clone()),
            token: smart.map(|smart| smart.token_endpoint.clone()),
            ..TokenSource::default()
        });
        settings.outcome.spine.clone_from(&self.errors.code_system);
        settings.outcome.api.clone_from(&self.errors.api_code_system);
        let pages =
            Some(self.errors.pages.clone()).filter(|pages| cfg!(feature = "docs") && !pages.is_empty());
        settings.outcome.pages = pages;
        settings
    }
}

/// A configuration that is refused.
fn refused(diagnostics: impl Into<String>) -> Error {
    Error::new(ErrorCode::Invalid, diagnostics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_document_is_the_default() {
        let read: Config = serde_json::from_str("{}").unwrap();
        assert_eq!(read, Config::default());
        read.check().unwrap();
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        for text in [
            r#"{"limit":{}}"#,
            r#"{"limits":{"body_byte":1}}"#,
            r#"{"sandbox":{"open":true}}"#,
        ] {
            let error = serde_json::from_str::<Config>(text).unwrap_err().to_string();
            assert!(error.contains("unknown field"), "{error}");
        }
    }

    #[test]
    fn the_sandbox_refuses_a_network_address() {
        let mut config = Config::default();
        config.sandbox.enabled = true;
        config.check().unwrap();
        config.listen.bind = ([0, 0, 0, 0], 8080).into();
        let error = config.check().unwrap_err();
        assert!(error.to_string().contains("0.0.0.0:8080"), "{error}");
        config.sandbox.open_to_network = true;
        config.check().unwrap();
    }
}
