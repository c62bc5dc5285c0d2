//! Where a FHIR base stands, and whose store is behind it: the base itself, `/t/<name>` and its path for each further organisation, and
//! `/sandbox/<name>` and its path for each space of a sandbox.
//!
//! Invariant: the tenant comes from the route that was matched, and from nothing that a client sends.

use std::sync::Arc;

use crate::config::Config;
use crate::context::{Millis, TenantId};

/// One FHIR base of the server.
#[derive(Clone, Debug)]
pub(crate) struct Mount {
    /// Whose store.
    pub(crate) tenant: TenantId,
    /// What stands before the path of the base: nothing, or `/t/<name>`.
    prefix: Arc<str>,
    /// From when on its audit trail is shown, where what was before is another's.
    pub(crate) trail_from: Option<Millis>,
}

impl Default for Mount {
    fn default() -> Self {
        Mount {
            tenant: TenantId::DEFAULT,
            prefix: "".into(),
            trail_from: None,
        }
    }
}

impl Mount {
    /// Every base.
    pub(crate) fn all(config: &Config) -> Vec<Mount> {
        let further = config.tenants.iter().map(|tenant| Mount {
            tenant: TenantId(tenant.number),
            prefix: format!("/t/{}", tenant.name).into(),
            trail_from: None,
        });
        std::iter::once(Mount::default()).chain(further).collect()
    }

    /// That of a space of the sandbox.
    pub(crate) fn of_space(name: &str, tenant: TenantId, trail_from: Option<Millis>) -> Mount {
        Mount {
            tenant,
            prefix: format!("/sandbox/{name}").into(),
            trail_from,
        }
    }

    /// The path of this base.
    pub(crate) fn path(&self, config: &Config) -> String {
        format!("{}{}", self.prefix, config.listen.base_path)
    }

    /// Whether it is the one that a server always has.
    pub(crate) fn is_default(&self) -> bool {
        self.tenant == TenantId::DEFAULT
    }

    /// This base where the first is at that URL.
    pub(crate) fn below(&self, config: &Config, url: &str) -> String {
        if self.is_default() {
            return url.to_owned();
        }
        let before = url.strip_suffix(config.listen.base_path.as_str());
        let host = before.unwrap_or_else(|| {
            let start = url.find("://").map_or(0, |at| at + 3);
            let path = url.get(start..).and_then(|rest| rest.find('/'));
            path.and_then(|at| url.get(..start + at)).unwrap_or(url)
        });
        format!("{host}{}", self.path(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_of_an_organisation_is_beside_the_first() {
        let config = Config::default();
        let mount = Mount {
            tenant: TenantId(2),
            prefix: "/t/a".into(),
            trail_from: None,
        };
        assert_eq!(
            mount.below(&config, "https://x.example/fhir"),
            "https://x.example/t/a/fhir"
        );
        assert_eq!(
            mount.below(&config, "https://x.example/gateway/fhir"),
            "https://x.example/gateway/t/a/fhir"
        );
        assert_eq!(
            mount.below(&config, "https://x.example/r4"),
            "https://x.example/t/a/fhir"
        );
        assert_eq!(
            mount.below(&config, "https://x.example"),
            "https://x.example/t/a/fhir"
        );
        assert_eq!(
            Mount::default().below(&config, "https://x.example/r4"),
            "https://x.example/r4"
        );
    }
}
