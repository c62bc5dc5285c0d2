//! What a client is registered for: the most that its tokens may allow.
//!
//! Invariant: a registration only ever takes away.

use super::{forbidden, invalid};
use crate::config::ClientConfig;
use crate::context::Principal;
use crate::error::Result;
use crate::scopes::{Scope, Scopes};

/// The caller as far as its client's registration goes.
pub(super) fn bound(clients: &[ClientConfig], mut principal: Principal) -> Result<Principal> {
    if clients.is_empty() {
        return Ok(principal);
    }
    let Some(id) = &principal.client_id else {
        return Err(invalid(
            "it does not say to which client it was given (`client_id`).",
        ));
    };
    let Some(client) = clients.iter().find(|client| client.client_id == *id) else {
        return Err(forbidden(
            "The client of this token is not registered with this server.".into(),
        ));
    };
    if let Some(purpose) = &principal.purpose
        && !client.purposes.contains(purpose)
    {
        return Err(forbidden(format!(
            "The client of this token is not registered for that purpose of use; it is for: {}.",
            listed(&client.purposes)
        )));
    }
    if let (Some(most), Some(granted)) = (&client.scopes, &principal.scopes) {
        principal.scopes = Some(granted.within(&Scopes::read(most)));
    }
    principal.organisation = principal.organisation.or_else(|| client.organisation.clone());
    Ok(principal)
}

fn listed(purposes: &[String]) -> String {
    match purposes {
        [] => "none".to_owned(),
        some => some.join(", "),
    }
}

impl Scopes {
    /// What both allow.
    pub(crate) fn within(&self, most: &Scopes) -> Scopes {
        let mut both = Scopes::default();
        for own in &self.resources {
            for other in &most.resources {
                both.resources.extend(own.and(other));
            }
        }
        let kept = self.other.iter().filter(|name| most.has(name));
        both.other.extend(kept.cloned());
        both
    }
}

impl Scope {
    /// What both allow, if anything.
    pub(crate) fn and(&self, other: &Scope) -> Option<Scope> {
        let resource_type = match (self.resource_type, other.resource_type) {
            (None, other) => other,
            (own, None) => own,
            (own, other) if own == other => own,
            _ => return None,
        };
        let permissions = self.permissions.and(other.permissions);
        let mut restriction = self.restriction.clone();
        restriction.extend(
            other
                .restriction
                .iter()
                .filter(|one| !self.restriction.contains(one))
                .cloned(),
        );
        (self.level == other.level && !permissions.is_empty()).then_some(Scope {
            level: self.level,
            resource_type,
            permissions,
            restriction,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::PrincipalKind;
    use crate::error::ErrorCode;

    #[test]
    fn scopes_are_cut_to_what_the_client_is_registered_for() {
        for (own, most, both) in [
            (
                "user/*.cruds",
                "user/Patient.rs user/Observation.r",
                "user/Patient.rs user/Observation.r",
            ),
            ("user/Patient.rs", "user/*.cr", "user/Patient.r"),
            ("user/Patient.rs", "system/*.cruds", ""),
            ("user/Patient.rs", "user/Condition.rs", ""),
            ("user/Patient.c", "user/Patient.d", ""),
            (
                "user/Observation.rs?category=a",
                "user/Observation.r?code=b",
                "user/Observation.r?category=a&code=b",
            ),
            ("openid launch user/*.r", "launch user/*.r", "launch user/*.r"),
        ] {
            assert_eq!(
                Scopes::read(own).within(&Scopes::read(most)).to_string(),
                both,
                "{own} within {most}"
            );
        }
    }

    #[test]
    fn a_client_must_be_registered_and_for_the_purpose() {
        let mut client = ClientConfig::new("app");
        client.purposes = vec!["TREAT".into()];
        client.organisation = Some("X99".into());
        let clients = [client];
        let caller = |id: &str| Principal::new("u", PrincipalKind::Clinician).with_client(id);
        let app = bound(&clients, caller("app").with_purpose("TREAT")).unwrap();
        assert_eq!(app.organisation.as_deref(), Some("X99"));
        let named = bound(&clients, caller("app").with_organisation("Y1")).unwrap();
        assert_eq!(named.organisation.as_deref(), Some("Y1"));
        for refused in [caller("other"), caller("app").with_purpose("HRESCH")] {
            assert_eq!(bound(&clients, refused).unwrap_err().code, ErrorCode::Forbidden);
        }
        let nobody = Principal::new("u", PrincipalKind::Clinician);
        assert_eq!(
            bound(&clients, nobody.clone()).unwrap_err().code,
            ErrorCode::InvalidToken
        );
        assert!(bound(&[], nobody).is_ok());
    }
}
