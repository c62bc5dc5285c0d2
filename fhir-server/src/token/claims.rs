//! The registered claims: times and audience (RFC 7519, section 4.1).
//!
//! Invariant: a claim of the wrong type is refused, never taken as missing.

use std::time::Duration;

use serde_json::{Map, Value};

use super::invalid;
use crate::error::Result;

/// How much clocks may differ, and how long a token may live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub(crate) leeway: Duration,
    pub(crate) most: Duration,
}

/// Checks `exp`, `nbf` and `iat` at a time in seconds, and answers with `exp`.
pub(crate) fn check_times(claims: &Map<String, Value>, now: i64, life: Life) -> Result<i64> {
    let leeway = seconds(life.leeway);
    let expires = time(claims, "exp")?.ok_or_else(|| invalid("it does not say when it ends (`exp`)."))?;
    if now >= expires.saturating_add(leeway) {
        return Err(invalid("it has expired."));
    }
    if time(claims, "nbf")?.is_some_and(|begins| begins > now.saturating_add(leeway)) {
        return Err(invalid("it is not valid yet (`nbf`)."));
    }
    let issued = time(claims, "iat")?;
    if issued.is_some_and(|issued| issued > now.saturating_add(leeway)) {
        return Err(invalid("it was issued in the future (`iat`)."));
    }
    let begins = issued.unwrap_or(now.saturating_sub(leeway));
    if expires.saturating_sub(begins) > seconds(life.most) {
        return Err(invalid("it lives longer than this server accepts."));
    }
    Ok(expires)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// A time in whole seconds; a part of a second is left out.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let whole = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        _ => None,
    };
    match whole.filter(|seconds| (0..=253_402_300_799).contains(seconds)) {
        Some(seconds) => Ok(Some(seconds)),
        None => Err(invalid(&format!("its `{name}` is no time."))),
    }
}

fn whole(number: f64) -> Option<i64> {
    if !(0.0..=253_402_300_799.0).contains(&number) {
        return None;
    }
    format!("{:.0}", number.floor()).parse().ok()
}

/// Whether `aud` names one of those, letter by letter.
pub(crate) fn check_audience(claims: &Map<String, Value>, audiences: &[String]) -> Result<()> {
    let named = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| audiences.iter().any(|one| one == text))
    };
    let meant = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().all(Value::is_string) && all.iter().any(named),
        Some(one) => named(one),
        None => false,
    };
    match meant {
        true => Ok(()),
        false => Err(invalid("it is not for this server (`aud`).")),
    }
}

/// A text that is not empty.
pub(crate) fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Result<Option<&'c str>> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(invalid(&format!("its `{name}` is no text."))),
    }
}
