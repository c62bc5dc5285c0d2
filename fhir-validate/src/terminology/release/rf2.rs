//! SNOMED CT in Release Format 2 (<https://confluence.ihtsdotools.org/display/DOCRELFMT>), its snapshot files.
//!
//! Held are all concepts, inactive ones as such, with the descriptions that are active, the hierarchy, and the members
//! of simple reference sets. The display is the synonym that a language reference set prefers.

use std::collections::HashMap;

use fhir_model::Coding;

use super::ReleaseError;
use super::archive::{Files, lines};
use crate::terminology::build::Builder;
use crate::terminology::code_system::{CodeSystem, Content, Head};

const URL: &str = "http://snomed.info/sct";
const IS_A: u64 = 116_680_003;
const FULLY_SPECIFIED_NAME: u64 = 900_000_000_000_003_001;
const SYNONYM: u64 = 900_000_000_000_013_009;
const PREFERRED: u64 = 900_000_000_000_548_007;
/// The modules that name the international and the UK edition (<https://hl7.org/fhir/R4/snomedct.html#versions>).
const INTERNATIONAL: u64 = 900_000_000_000_207_008;
const UNITED_KINGDOM: u64 = 83_821_000_000_107;
/// Language reference sets, the most wanted first: the NHS realm's clinical and pharmacy ones, GB and US English.
const LANGUAGES: [u64; 4] = [
    999_001_261_000_000_100,
    999_000_691_000_001_104,
    900_000_000_000_508_004,
    900_000_000_000_509_007,
];

/// A row as the snapshot has it.
struct Row<'a> {
    fields: Vec<&'a str>,
    file: &'a str,
}

impl Row<'_> {
    fn number(&self, at: usize) -> Result<u64, ReleaseError> {
        let field = self.fields.get(at).and_then(|f| f.parse().ok());
        field.ok_or_else(|| {
            ReleaseError::Malformed(format!(
                "{}: column {} is not a number in: {}",
                self.file,
                at + 1,
                self.fields.join(" ")
            ))
        })
    }

    fn is_active(&self) -> Result<bool, ReleaseError> {
        Ok(self.number(2)? == 1)
    }
}

/// A concept while the release is read.
#[derive(Default)]
struct Gathered {
    time: u64,
    active: bool,
    descriptions: Vec<Description>,
    parents: Vec<u64>,
    reference_sets: Vec<u64>,
}

struct Description {
    /// Place among [`LANGUAGES`] of a reference set that prefers it; beyond them: none does.
    rank: usize,
    is_full: bool,
    language: String,
    term: String,
}

pub(super) fn read(files: &mut dyn Files) -> Result<CodeSystem, ReleaseError> {
    let names = files.names();
    let mut concepts = concepts(files, &names)?;
    if concepts.is_empty() {
        return Err(ReleaseError::Incomplete(
            "it has no concepts (sct2_Concept_Snapshot…)".to_owned(),
        ));
    }
    let preferred = preferred(files, &names)?;
    descriptions(files, &names, &preferred, &mut concepts)?;
    parents(files, &names, &mut concepts)?;
    reference_sets(files, &names, &mut concepts)?;
    build(&names, concepts)
}

/// The last part of a name.
fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Calls for each row of the files whose name begins so; the first line names the columns.
fn rows(
    files: &mut dyn Files,
    names: &[String],
    is_kind: impl Fn(&str) -> bool,
    columns: usize,
    mut each: impl FnMut(&Row<'_>) -> Result<(), ReleaseError>,
) -> Result<(), ReleaseError> {
    for name in names
        .iter()
        .filter(|n| n.ends_with(".txt") && is_kind(file_name(n)))
    {
        let mut is_first = true;
        lines(files, name, |line| {
            if std::mem::take(&mut is_first) {
                return Ok(());
            }
            let row = Row {
                fields: line.split('\t').collect(),
                file: file_name(name),
            };
            if row.fields.len() < columns {
                return Err(ReleaseError::Malformed(format!(
                    "{}: {} columns instead of {columns} in: {line}",
                    row.file,
                    row.fields.len()
                )));
            }
            each(&row)
        })?;
    }
    Ok(())
}

/// Whether a file is a snapshot of that content; names such as `xsct2_…` mark releases for tests.
fn is_snapshot(name: &str, prefix: &str) -> bool {
    let name = name.strip_prefix('x').unwrap_or(name);
    name.starts_with(prefix) && name.contains("Snapshot")
}

/// Whether a file of that name is read.
pub(super) fn is_read(name: &str) -> bool {
    let prefixes = [
        "sct2_Concept_",
        "sct2_Description_",
        "sct2_Relationship_",
        "der2_cRefset_Language",
        "der2_Refset_Simple",
    ];
    name.ends_with(".txt") && prefixes.iter().any(|prefix| is_snapshot(file_name(name), prefix))
}

fn concepts(files: &mut dyn Files, names: &[String]) -> Result<HashMap<u64, Gathered>, ReleaseError> {
    let mut concepts: HashMap<u64, Gathered> = HashMap::new();
    rows(
        files,
        names,
        |n| is_snapshot(n, "sct2_Concept_"),
        5,
        |row| {
            let (id, time) = (row.number(0)?, row.number(1)?);
            let concept = concepts.entry(id).or_default();
            // An edition of several packages may have a concept in two: the later row counts.
            if time >= concept.time {
                concept.time = time;
                concept.active = row.is_active()?;
            }
            Ok(())
        },
    )?;
    Ok(concepts)
}

/// The descriptions that language reference sets prefer, each with the best place among [`LANGUAGES`].
fn preferred(files: &mut dyn Files, names: &[String]) -> Result<HashMap<u64, usize>, ReleaseError> {
    let mut preferred: HashMap<u64, usize> = HashMap::new();
    rows(
        files,
        names,
        |n| is_snapshot(n, "der2_cRefset_Language"),
        7,
        |row| {
            if row.is_active()? && row.number(6)? == PREFERRED {
                let set = row.number(4)?;
                let rank = LANGUAGES
                    .iter()
                    .position(|l| *l == set)
                    .unwrap_or(LANGUAGES.len());
                let best = preferred.entry(row.number(5)?).or_insert(rank);
                *best = rank.min(*best);
            }
            Ok(())
        },
    )?;
    Ok(preferred)
}

fn descriptions(
    files: &mut dyn Files,
    names: &[String],
    preferred: &HashMap<u64, usize>,
    concepts: &mut HashMap<u64, Gathered>,
) -> Result<(), ReleaseError> {
    rows(
        files,
        names,
        |n| is_snapshot(n, "sct2_Description_"),
        9,
        |row| {
            let kind = row.number(6)?;
            let wanted = row.is_active()? && matches!(kind, FULLY_SPECIFIED_NAME | SYNONYM);
            let Some(concept) = concepts.get_mut(&row.number(4)?).filter(|_| wanted) else {
                return Ok(());
            };
            let text = |at: usize| row.fields.get(at).copied().unwrap_or("").to_owned();
            let rank = preferred.get(&row.number(0)?).copied();
            concept.descriptions.push(Description {
                rank: rank.unwrap_or(LANGUAGES.len() + 1),
                is_full: kind == FULLY_SPECIFIED_NAME,
                language: text(5),
                term: text(7),
            });
            Ok(())
        },
    )
}

fn parents(
    files: &mut dyn Files,
    names: &[String],
    concepts: &mut HashMap<u64, Gathered>,
) -> Result<(), ReleaseError> {
    rows(
        files,
        names,
        |n| is_snapshot(n, "sct2_Relationship_"),
        10,
        |row| {
            if row.is_active()? && row.number(7)? == IS_A {
                let parent = row.number(5)?;
                if let Some(concept) = concepts.get_mut(&row.number(4)?) {
                    concept.parents.push(parent);
                }
            }
            Ok(())
        },
    )
}

fn reference_sets(
    files: &mut dyn Files,
    names: &[String],
    concepts: &mut HashMap<u64, Gathered>,
) -> Result<(), ReleaseError> {
    rows(
        files,
        names,
        |n| is_snapshot(n, "der2_Refset_Simple"),
        6,
        |row| {
            if row.is_active()?
                && let Some(concept) = concepts.get_mut(&row.number(5)?)
            {
                concept.reference_sets.push(row.number(4)?);
            }
            Ok(())
        },
    )
}

fn build(names: &[String], concepts: HashMap<u64, Gathered>) -> Result<CodeSystem, ReleaseError> {
    let mut builder = Builder::new(Head {
        url: URL.to_owned(),
        version: Some(version(names, &concepts)),
        name: Some("SNOMED_CT".to_owned()),
        language: Some("en".to_owned()),
        content: Content::Complete,
        case_sensitive: true,
        status: Some("active".to_owned()),
        experimental: false,
        standards_status: None,
        properties: vec![("memberOf".to_owned(), None)],
    });
    let full = use_of(FULLY_SPECIFIED_NAME, "Fully specified name");
    let synonym = use_of(SYNONYM, "Synonym");
    let mut order: Vec<(u64, Gathered)> = concepts.into_iter().collect();
    order.sort_unstable_by_key(|(id, _)| *id);
    let place: HashMap<u64, u32> = order
        .iter()
        .zip(0u32..)
        .map(|((id, _), index)| (*id, index))
        .collect();
    for (id, mut concept) in order {
        concept.descriptions.sort_by_key(|d| (d.is_full, d.rank));
        let mut descriptions = concept.descriptions.iter();
        let display = descriptions.next();
        let index = builder.concept(&id.to_string(), display.map(|d| d.term.as_str()), None);
        if !concept.active {
            builder.set_inactive();
        }
        for other in descriptions {
            let use_ = if other.is_full { &full } else { &synonym };
            builder.designation(Some(&other.language), Some(use_), &other.term);
        }
        for set in &concept.reference_sets {
            builder.code_property("memberOf", &set.to_string());
        }
        for parent in concept.parents.iter().filter_map(|p| place.get(p)) {
            builder.link(index, *parent);
        }
    }
    builder
        .finish()
        .map_err(|_| ReleaseError::TooLarge("more than 4 GiB of terms".to_owned()))
}

fn use_of(code: u64, display: &str) -> Coding {
    Coding {
        system: URL.into(),
        code: code.to_string().into(),
        display: display.into(),
        ..Coding::default()
    }
}

/// The URI of the edition and its version, from the names of the files and the newest row.
fn version(names: &[String], concepts: &HashMap<u64, Gathered>) -> String {
    let is_uk = names.iter().any(|n| file_name(n).contains("_GB"));
    let module = if is_uk { UNITED_KINGDOM } else { INTERNATIONAL };
    let date = names
        .iter()
        .filter(|n| is_snapshot(file_name(n), "sct2_Concept_"));
    let date = date
        .filter_map(|n| n.strip_suffix(".txt")?.rsplit('_').next()?.parse::<u64>().ok())
        .max();
    let date = date
        .or_else(|| concepts.values().map(|c| c.time).max())
        .unwrap_or(0);
    format!("{URL}/{module}/version/{date}")
}
