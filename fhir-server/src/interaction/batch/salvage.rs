//! A batch with resources that cannot be read: they fail their own entries, not the others.
//!
//! This runs only where reading the Bundle failed. The text of each resource at fault is found by its place in the
//! issues, and a stand-in is put there, so that the rest is read as usual.
//!
//! Invariant: no stand-in is ever stored; its entry is answered with the issues.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;

use crate::engine::{Received, Settings};
use crate::error::{Error, ErrorCode};

/// What stands in for a resource that cannot be read.
const STAND_IN: &[u8] = b"{\"resourceType\":\"Basic\"}";

/// A reading gives up after 100 issues; this many readings are tried.
const MAX_READINGS: usize = 8;

/// The batch without the resources that cannot be read, and what is wrong with those, by entry.
///
/// # Errors
/// It is no batch, or something is wrong outside of the resources of its entries: the error as it was.
pub(in crate::interaction) fn read(
    text: &Bytes,
    error: Error,
    settings: &Settings,
) -> Result<(Received, BTreeMap<usize, Error>), Error> {
    let (mut text, mut error) = (text.clone(), error);
    let mut unreadable = BTreeMap::new();
    for _ in 0..MAX_READINGS {
        let Some(by_entry) = by_entry(&error) else {
            return Err(error);
        };
        let Some(mended) = with_stand_ins(&text, &by_entry) else {
            return Err(error);
        };
        unreadable.extend(by_entry);
        text = mended.into();
        match Received::from_json(text.clone(), settings) {
            Ok(received) => return Ok((received, unreadable)),
            Err(next) => error = next,
        }
    }
    Err(error)
}

/// The issues by the entry in whose resource they are; `None` where one is elsewhere.
fn by_entry(error: &Error) -> Option<BTreeMap<usize, Error>> {
    let mut entries: BTreeMap<usize, Error> = BTreeMap::new();
    for issue in error.issues.iter().filter(|_| error.code == ErrorCode::Structure) {
        let place = issue.expression.as_deref()?.strip_prefix("Bundle.entry[")?;
        let (index, within) = place.split_once(']')?;
        let at_end = within.strip_prefix(".resource")?;
        (at_end.is_empty() || at_end.starts_with('.')).then_some(())?;
        let entry = entries.entry(index.parse().ok()?);
        entry
            .or_insert_with(|| Error {
                code: error.code,
                issues: Vec::new(),
                cause: None,
            })
            .issues
            .push(issue.clone());
    }
    (!entries.is_empty()).then_some(entries)
}

/// The text with the resources of those entries replaced; `None` where it is no batch.
fn with_stand_ins(text: &[u8], entries: &BTreeMap<usize, Error>) -> Option<Vec<u8>> {
    let members = Scan::new(text, 0).members()?;
    let value = |name: &[u8]| {
        members
            .iter()
            .find(|(n, _)| text.get(n.clone()) == Some(name))
            .map(|(_, v)| v.clone())
    };
    (text.get(value(b"\"type\"")?)? == b"\"batch\"").then_some(())?;
    let items = Scan::new(text, value(b"\"entry\"")?.start).items()?;
    let mut out = Vec::with_capacity(text.len());
    let mut copied = 0;
    for index in entries.keys() {
        let members = Scan::new(text, items.get(*index)?.start).members()?;
        let (_, resource) = members
            .into_iter()
            .find(|(n, _)| text.get(n.clone()) == Some(b"\"resource\""))?;
        out.extend_from_slice(text.get(copied..resource.start)?);
        out.extend_from_slice(STAND_IN);
        copied = resource.end;
    }
    out.extend_from_slice(text.get(copied..)?);
    Some(out)
}

/// A cursor over JSON; `None` wherever the text is not what it must be.
struct Scan<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Scan<'t> {
    fn new(text: &'t [u8], at: usize) -> Self {
        Scan { text, at }
    }

    /// Names and values of the object that comes next, as places in the text.
    fn members(&mut self) -> Option<Vec<(Range<usize>, Range<usize>)>> {
        self.list(b'{', b'}', |scan| {
            let name = scan.value()?;
            (scan.next()? == b':').then_some(())?;
            Some((name, scan.value()?))
        })
    }

    /// The items of the array that comes next, as places in the text.
    fn items(&mut self) -> Option<Vec<Range<usize>>> {
        self.list(b'[', b']', Scan::value)
    }

    fn list<T>(
        &mut self,
        open: u8,
        close: u8,
        mut one: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        (self.next()? == open).then_some(())?;
        let mut all = vec![one(self)?];
        loop {
            match self.next()? {
                b',' => all.push(one(self)?),
                end => return (end == close).then_some(all),
            }
        }
    }

    /// Goes past white space and one byte, which it gives.
    fn next(&mut self) -> Option<u8> {
        self.skip_space();
        let byte = self.text.get(self.at).copied();
        self.at += 1;
        byte
    }

    fn skip_space(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// Goes past one value.
    fn value(&mut self) -> Option<Range<usize>> {
        self.skip_space();
        let start = self.at;
        let mut depth = 0usize;
        loop {
            match self.text.get(self.at)? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth == 0 => break,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth == 0 => break,
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            if depth == 0 {
                break;
            }
        }
        let value = self.text.get(start..self.at)?.trim_ascii_end();
        (!value.is_empty()).then_some(start..start + value.len())
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.text.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Issue;

    fn mended(text: &str, entries: &[usize]) -> Option<String> {
        let error = || Error::new(ErrorCode::Structure, "x");
        let entries = entries.iter().map(|i| (*i, error())).collect();
        with_stand_ins(text.as_bytes(), &entries).map(|t| String::from_utf8(t).unwrap())
    }

    #[test]
    fn only_the_resources_named_are_replaced() {
        let text = r#"{ "entry" : [ {"resource" : {"a":"}]\"","b":[1,{}]} , "x":1}, {"y":"resource","resource":5} ] , "type" : "batch" }"#;
        let one = r#"{ "entry" : [ {"resource" : {"resourceType":"Basic"} , "x":1}, {"y":"resource","resource":5} ] , "type" : "batch" }"#;
        assert_eq!(mended(text, &[0]).as_deref(), Some(one));
        let both = r#"{ "entry" : [ {"resource" : {"resourceType":"Basic"} , "x":1}, {"y":"resource","resource":{"resourceType":"Basic"}} ] , "type" : "batch" }"#;
        assert_eq!(mended(text, &[0, 1]).as_deref(), Some(both));
        assert_eq!(mended(text, &[2]), None);
        assert_eq!(mended(&text.replace("batch", "transaction"), &[0]), None);
    }

    #[test]
    fn text_that_is_not_json_gives_nothing() {
        for text in [
            "",
            "{",
            "[]",
            "{\"type\":\"batch\"",
            "{\"type\":\"batch\",\"entry\":[{\"resource\":{\"a\":\"",
            "{\"type\"",
            "{,}",
            "\"\\",
        ] {
            assert_eq!(mended(text, &[0]), None, "{text}");
        }
    }

    #[test]
    fn issues_outside_of_resources_are_not_for_an_entry() {
        let at = |place: &str| Error {
            code: ErrorCode::Structure,
            issues: vec![Issue::new("x").at(place)],
            cause: None,
        };
        assert_eq!(
            by_entry(&at("Bundle.entry[3].resource.name"))
                .unwrap()
                .into_keys()
                .collect::<Vec<_>>(),
            [3]
        );
        assert!(by_entry(&at("Bundle.entry[3].resource")).is_some());
        for elsewhere in [
            "Bundle.entry[3].request",
            "Bundle.type",
            "Bundle.entry[3].resources",
            "Bundle.entry[x].resource",
        ] {
            assert!(by_entry(&at(elsewhere)).is_none(), "{elsewhere}");
        }
        assert!(by_entry(&Error::new(ErrorCode::Structure, "no place")).is_none());
    }
}
