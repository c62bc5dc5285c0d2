//! UK Core, built in as facts: see `definitions/ukcore-stu2/SOURCES.md`.
//!
//! Invariant: unpacked once a process, and only where asked for.

use std::sync::OnceLock;

static STRUCTURES: &[u8] = include_bytes!("../definitions/ukcore-stu2/structures.ndjson.zst");
static TERMINOLOGY: &[u8] = include_bytes!("../definitions/ukcore-stu2/terminology.ndjson.zst");
static DRAFTS: &[u8] = include_bytes!("../definitions/ukcore-stu3/drafts.ndjson.zst");

/// Structure definitions, one a line, and whether each is a draft.
pub(crate) fn structures() -> impl Iterator<Item = (&'static str, bool)> {
    static TEXTS: OnceLock<[String; 2]> = OnceLock::new();
    let [released, drafts] = TEXTS.get_or_init(|| [STRUCTURES, DRAFTS].map(crate::definition::unpacked));
    released
        .lines()
        .map(|line| (line, false))
        .chain(drafts.lines().map(|line| (line, true)))
}

/// Code systems and value sets, one a line.
pub(crate) fn terminology() -> impl Iterator<Item = &'static str> {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| crate::definition::unpacked(TERMINOLOGY))
        .lines()
}
