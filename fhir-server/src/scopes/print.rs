//! Writing scopes as a token holds them.

use std::fmt::{self, Display, Formatter, Write};

use super::{Permission, Permissions, Scope, Scopes};
use crate::store::ResourceType;

impl Display for Scopes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut first = true;
        let mut space = |f: &mut Formatter<'_>| match std::mem::take(&mut first) {
            true => Ok(()),
            false => f.write_char(' '),
        };
        for other in &self.other {
            space(f)?;
            f.write_str(other)?;
        }
        for scope in &self.resources {
            space(f)?;
            scope.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Scope {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = self.resource_type.map_or("*", ResourceType::name);
        write!(f, "{}/{name}.{}", self.level.name(), self.permissions)?;
        for (place, (name, value)) in self.restriction.iter().enumerate() {
            f.write_char(if place == 0 { '?' } else { '&' })?;
            encoded(f, name, true)?;
            f.write_char('=')?;
            encoded(f, value, false)?;
        }
        Ok(())
    }
}

impl Display for Permissions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Permission::ALL
            .iter()
            .filter(|one| self.has(**one))
            .try_for_each(|one| f.write_char(one.letter()))
    }
}

/// Text as it may stand in a restriction. In a name, `=` would end it.
fn encoded(f: &mut Formatter<'_>, text: &str, in_name: bool) -> fmt::Result {
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | b'%' | b'&' | b'#' | b'+' => write!(f, "%{byte:02X}")?,
            b'=' if in_name => f.write_str("%3D")?,
            0x21..=0x7E => f.write_char(char::from(byte))?,
            _ => write!(f, "%{byte:02X}")?,
        }
    }
    Ok(())
}
