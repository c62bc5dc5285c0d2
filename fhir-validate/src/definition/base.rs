//! The definitions of R4 that are built in: unpacked once a process, each read on first use.

use std::collections::HashSet;
use std::sync::OnceLock;

use fhir_model::definitions::packed;

/// The url of the definition of a type.
pub(crate) fn type_url(type_name: &str) -> String {
    format!("http://hl7.org/fhir/StructureDefinition/{type_name}")
}

/// One line a definition, of all built-in files.
pub(crate) fn lines() -> &'static [&'static str] {
    static LINES: OnceLock<Vec<&'static str>> = OnceLock::new();
    LINES.get_or_init(|| {
        texts()
            .iter()
            .flat_map(|text| text.lines())
            .filter(|line| !line.is_empty())
            .collect()
    })
}

fn texts() -> &'static [String; 3] {
    static TEXTS: OnceLock<[String; 3]> = OnceLock::new();
    TEXTS.get_or_init(|| [packed::TYPES, packed::PROFILES, packed::EXTENSIONS].map(unpacked))
}

/// What the definition of R4 with that url is, where it is a value set or code system.
pub(super) fn kind_of(url: &str) -> Option<&'static str> {
    static URLS: OnceLock<[HashSet<String>; 2]> = OnceLock::new();
    let read = |packed: &[u8]| {
        unpacked(packed)
            .lines()
            .filter_map(url_of)
            .map(str::to_owned)
            .collect()
    };
    let [value_sets, code_systems] =
        URLS.get_or_init(|| [read(packed::VALUE_SETS), read(packed::CODE_SYSTEMS)]);
    let kind = if value_sets.contains(url) {
        Some("ValueSet")
    } else {
        None
    };
    kind.or_else(|| code_systems.contains(url).then_some("CodeSystem"))
}

/// Empty where the file is damaged, which a test rules out for the committed ones.
pub(crate) fn unpacked(packed: &[u8]) -> String {
    zstd::decode_all(packed)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

/// The url of a definition on its line. Keys are sorted, and `url` is a member of the outermost object, after `type`.
pub(crate) fn url_of(line: &str) -> Option<&str> {
    member(line, "\"url\":\"")
}

/// The version on its line.
pub(crate) fn version_of(line: &str) -> Option<&str> {
    member(line, "\"version\":\"")
}

/// The last occurrence is that of the outermost object, whose `url` and `version` come after all elements.
fn member<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let start = line.rfind(name)? + name.len();
    let rest = line.get(start..)?;
    rest.get(..rest.find('"')?)
}
