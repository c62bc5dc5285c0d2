//! `tenants`: further organisations in one server, each with a store and a FHIR base of its own.

use serde::Deserialize;

use super::refused;
use crate::error::Result;

/// A further organisation, whose FHIR base is `/t/<name>` and `listen.base_path`. What one holds, no other can see.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TenantConfig {
    /// Its name in the path: small letters, digits and `-`.
    pub name: String,
    /// Its number in the database, from 2; 1 is the organisation of a server that has no other. Never give one anew.
    pub number: i64,
}

impl TenantConfig {
    /// An organisation by name and number.
    pub fn new(name: impl Into<String>, number: i64) -> Self {
        TenantConfig {
            name: name.into(),
            number,
        }
    }
}

pub(super) fn check(tenants: &[TenantConfig]) -> Result<()> {
    for (place, tenant) in tenants.iter().enumerate() {
        let name = &tenant.name;
        let formed = (1..=63).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !formed {
            return Err(refused(format!(
                "tenants names `{name}`; a name is 1 to 63 small letters, digits and `-`."
            )));
        }
        if tenant.number < 2 {
            return Err(refused(format!(
                "The tenant `{name}` has the number {}; numbers begin at 2.",
                tenant.number
            )));
        }
        let mut others = tenants.iter().skip(place + 1);
        if others.any(|other| other.name == *name || other.number == tenant.number) {
            return Err(refused(format!(
                "The name or the number of the tenant `{name}` stands twice."
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_each_given_once() {
        check(&[TenantConfig::new("a", 2), TenantConfig::new("b-1", 3)]).unwrap();
        for bad in [
            &[TenantConfig::new("A", 2)][..],
            &[TenantConfig::new("", 2)],
            &[TenantConfig::new("a/b", 2)],
            &[TenantConfig::new("..", 2)],
            &[TenantConfig::new("a", 1)],
            &[TenantConfig::new("a", -2)],
            &[TenantConfig::new("a", 2), TenantConfig::new("a", 3)],
            &[TenantConfig::new("a", 2), TenantConfig::new("b", 2)],
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }
}
