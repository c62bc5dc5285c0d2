//! The definitions that are compiled in: unpacked once, each read when it is first asked for.
//!
//! Invariant: nothing is parsed that nobody asks for; finding a definition reads its line alone.

use std::ops::Range;
use std::sync::OnceLock;

use fhir_model::definitions::packed;
use fhir_model::read::{Limits, ReadOptions};
use fhir_model::{Resource, json};

/// A file of definitions, one a line.
#[derive(Debug)]
pub(super) struct Packed {
    text: Vec<u8>,
}

/// A line of a file: where it is, and what it defines.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) range: Range<usize>,
    pub(super) url: String,
    pub(super) version: Option<String>,
}

/// The code systems of R4 that are compiled in.
pub(super) fn code_systems() -> &'static Packed {
    static HELD: OnceLock<Packed> = OnceLock::new();
    HELD.get_or_init(|| Packed::new(packed::CODE_SYSTEMS))
}

/// The value sets of R4 that are compiled in.
pub(super) fn value_sets() -> &'static Packed {
    static HELD: OnceLock<Packed> = OnceLock::new();
    HELD.get_or_init(|| Packed::new(packed::VALUE_SETS))
}

impl Packed {
    /// Unpacks; a file that cannot be (a fault of the build, which a test would find) holds nothing.
    fn new(packed: &[u8]) -> Self {
        Packed {
            text: zstd::decode_all(packed).unwrap_or_default(),
        }
    }

    /// All lines.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        let mut start = 0;
        self.text.split(|b| *b == b'\n').filter_map(move |line| {
            let range = start..start + line.len();
            start = range.end + 1;
            // Members are sorted, so that a definition's own url and version come last.
            let url = member(line, b"\"url\":\"")?;
            let version = member(line, b"\"version\":\"");
            Some(Line { range, url, version })
        })
    }

    /// Reads the definition of a line.
    pub(super) fn read(&self, range: &Range<usize>) -> Option<Resource> {
        let line = self.text.get(range.clone())?;
        let options = ReadOptions {
            limits: Limits {
                depth: 256,
                expansion: 128,
                ..Limits::default()
            },
            ..ReadOptions::default()
        };
        json::read(line, &options).ok().map(|read| read.value)
    }
}

/// The text of the last member of that name.
fn member(line: &[u8], name: &[u8]) -> Option<String> {
    let at = line.windows(name.len()).rposition(|w| w == name)? + name.len();
    let rest = line.get(at..)?;
    let end = rest.iter().position(|b| *b == b'"')?;
    String::from_utf8(rest.get(..end)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_under_the_url_that_it_defines() {
        let text = |p: &fhir_model::Primitive<fhir_model::Str>| p.as_str().map(str::to_owned);
        for held in [code_systems(), value_sets()] {
            assert!(held.lines().count() > 1000);
            for line in held.lines() {
                let (url, version) = match held.read(&line.range) {
                    Some(Resource::CodeSystem(r)) => (text(&r.url), text(&r.version)),
                    Some(Resource::ValueSet(r)) => (text(&r.url), text(&r.version)),
                    other => panic!("{} is {other:?}", line.url),
                };
                assert_eq!((url, version), (Some(line.url), line.version));
            }
        }
    }
}
