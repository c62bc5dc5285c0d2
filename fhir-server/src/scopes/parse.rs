//! Reading scopes: `patient/Observation.rs?category=…|laboratory`, and the form of SMART 1 (`patient/Observation.read`).

use super::{Permission, Permissions, Scope, ScopeLevel, Scopes};
use crate::store::ResourceType;

/// Scopes that are read at most; a token holds no more in 8 KiB that mean anything.
const MAX_SCOPES: usize = 512;
/// The longest scope that is read.
const MAX_LENGTH: usize = 1024;

/// Scopes about the launch and the user that mean something here.
const OTHER: &[&str] = &[
    "fhirUser",
    "launch",
    "launch/encounter",
    "launch/patient",
    "offline_access",
    "online_access",
    "openid",
    crate::interaction::search::EXPLAIN_SCOPE,
    crate::operation::purge::SCOPE,
    "profile",
];

impl Scopes {
    /// Reads the scopes of a token, with spaces between. What is not understood is left out.
    pub fn read(text: &str) -> Scopes {
        let mut scopes = Scopes::default();
        for one in text.split(' ').filter(|one| !one.is_empty()).take(MAX_SCOPES) {
            if let Some(scope) = Scope::read(one) {
                if !scopes.resources.contains(&scope) {
                    scopes.resources.push(scope);
                }
            } else if OTHER.contains(&one) && !scopes.has(one) {
                scopes.other.push(one.to_owned());
            }
        }
        scopes
    }
}

impl Scope {
    /// Reads one scope about resources; `None` where it is anything else.
    pub fn read(text: &str) -> Option<Scope> {
        if text.len() > MAX_LENGTH || !text.bytes().all(may_stand) {
            return None;
        }
        let (level, rest) = text.split_once('/')?;
        let level = match level {
            "patient" => ScopeLevel::Patient,
            "user" => ScopeLevel::User,
            "system" => ScopeLevel::System,
            _ => return None,
        };
        let (what, query) = match rest.split_once('?') {
            Some((what, query)) => (what, Some(query)),
            None => (rest, None),
        };
        let (name, letters) = what.split_once('.')?;
        let resource_type = match name {
            "*" => None,
            name => Some(ResourceType::from_name(name)?),
        };
        Some(Scope {
            level,
            resource_type,
            permissions: permissions(letters)?,
            restriction: query.map_or(Some(Vec::new()), restriction)?,
        })
    }
}

/// The characters of a scope (RFC 6749, section 3.3).
fn may_stand(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

fn permissions(letters: &str) -> Option<Permissions> {
    use Permission::{Create, Delete, Read, Search, Update};
    match letters {
        "read" => return Some(Permissions::of(&[Read, Search])),
        "write" => return Some(Permissions::of(&[Create, Update, Delete])),
        "*" => return Some(Permissions::of(&Permission::ALL)),
        _ => {}
    }
    let mut found = Permissions::default();
    let mut left = Permission::ALL.iter();
    for letter in letters.chars() {
        // Each letter comes after the one before, so none stands twice.
        found = found.with(*left.find(|p| p.letter() == letter)?);
    }
    (!found.is_empty()).then_some(found)
}

/// `name=value&…`, each part there, decoded.
fn restriction(query: &str) -> Option<Vec<(String, String)>> {
    let part = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let (name, value) = (decoded(name)?, decoded(value)?);
        (!name.is_empty() && !value.trim().is_empty()).then_some((name, value))
    };
    query.split('&').map(part).collect()
}

/// Percent-encoded text; `None` where it is malformed or holds control characters.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    let text = String::from_utf8(decoded).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok())
}
