//! The definitions that are compiled in: unpacked once, each read when it is first asked for.
//!
//! Invariant: nothing is parsed that nobody asks for; finding a definition reads its line alone.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use fhir_model::definitions::packed;
use fhir_model::read::{Limits, ReadOptions};
use fhir_model::{ConceptMap, Resource, json};

/// HL7's terminology, trimmed by `xtask terminology`.
static THO_CODE_SYSTEMS: &[u8] = include_bytes!("../../definitions/tho/code_systems.ndjson.zst");
static THO_VALUE_SETS: &[u8] = include_bytes!("../../definitions/tho/value_sets.ndjson.zst");

/// The code systems and value sets of one publication.
pub(super) struct Publication {
    pub(super) code_systems: File,
    pub(super) value_sets: File,
}

/// R4 4.0.1.
pub(super) static R4: Publication = Publication {
    code_systems: File::new(packed::CODE_SYSTEMS),
    value_sets: File::new(packed::VALUE_SETS),
};
/// HL7's terminology (THO, <https://terminology.hl7.org>), where many code systems of R4 live on.
pub(super) static THO: Publication = Publication {
    code_systems: File::new(THO_CODE_SYSTEMS),
    value_sets: File::new(THO_VALUE_SETS),
};
static R4_CONCEPT_MAPS: File = File::new(packed::CONCEPT_MAPS);

/// The concept maps of R4.
pub(super) fn concept_maps() -> &'static [Arc<ConceptMap>] {
    static READ: OnceLock<Vec<Arc<ConceptMap>>> = OnceLock::new();
    READ.get_or_init(|| {
        let lines = R4_CONCEPT_MAPS.lines();
        let maps = lines.filter_map(|line| match R4_CONCEPT_MAPS.read(&line.range)? {
            Resource::ConceptMap(map) => Some(Arc::from(map)),
            _ => None,
        });
        maps.collect()
    })
}

/// A file of definitions, one a line.
pub(super) struct File {
    packed: &'static [u8],
    text: OnceLock<Vec<u8>>,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "File({} bytes)", self.packed.len())
    }
}

/// A line of a file: where it is, and what it defines.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) range: Range<usize>,
    pub(super) url: String,
    pub(super) version: Option<String>,
}

impl File {
    const fn new(packed: &'static [u8]) -> Self {
        File {
            packed,
            text: OnceLock::new(),
        }
    }

    /// Unpacked; a file that cannot be (a fault of the build, which a test would find) holds nothing.
    fn text(&self) -> &[u8] {
        self.text
            .get_or_init(|| zstd::decode_all(self.packed).unwrap_or_default())
    }

    /// All lines.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        let mut start = 0;
        self.text().split(|b| *b == b'\n').filter_map(move |line| {
            let range = start..start + line.len();
            start = range.end + 1;
            // Members are sorted, so that a definition's own url and version come last.
            let url = member(line, b"\"url\":\"")?;
            let version = member(line, b"\"version\":\"");
            Some(Line { range, url, version })
        })
    }

    /// Whether the line has that text.
    pub(super) fn has(&self, range: &Range<usize>, text: &[u8]) -> bool {
        let line = self.text().get(range.clone()).unwrap_or_default();
        line.windows(text.len()).any(|w| w == text)
    }

    /// Reads the definition of a line.
    pub(super) fn read(&self, range: &Range<usize>) -> Option<Resource> {
        let line = self.text().get(range.clone())?;
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

/// The text of the definition's own member of that name: the last, with nothing but `versionNeeded` after a version.
fn member(line: &[u8], name: &[u8]) -> Option<String> {
    let at = line.windows(name.len()).rposition(|w| w == name)? + name.len();
    let rest = line.get(at..)?;
    let end = rest.iter().position(|b| *b == b'"')?;
    let after = rest.get(end..)?;
    let is_own = name != b"\"version\":\"" || after == b"\"}" || after.starts_with(b"\",\"versionNeeded\":");
    is_own.then(|| String::from_utf8(rest.get(..end)?.to_vec()).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_under_the_url_that_it_defines() {
        let text = |p: &fhir_model::Primitive<fhir_model::Str>| p.as_str().map(str::to_owned);
        for publication in [&R4, &THO] {
            for held in [&publication.code_systems, &publication.value_sets] {
                assert!(held.lines().count() > 800);
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
        assert_eq!(concept_maps().len(), 80);
    }
}
