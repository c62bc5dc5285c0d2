//! A value set, compiled: its rules with code systems and imports resolved, asked code by code
//! (<https://hl7.org/fhir/R4/valueset.html#compositions>).
//!
//! Invariant: three answers, not two. What depends on something that is not held is unknown.

use std::collections::HashMap;
use std::sync::Arc;

use fhir_model::{Extension, ValueSetComposeIncludeConceptDesignation};

use super::bits::Bits;
use super::canonical;
use super::code_system::{CodeSystem, Content};
use super::extension::Sorted;
use super::rule::Rule;

/// A compiled value set.
#[derive(Debug)]
pub(super) struct Compiled {
    /// `url|version` for messages.
    pub(super) label: String,
    /// Clauses that a question may have to ask, those of imports as often as they are imported.
    pub(super) weight: usize,
    /// Contained in another value set, and so without a name of its own.
    pub(super) contained: bool,
    pub(super) status: Status,
    /// The language that its displays are to be in, where it says so.
    pub(super) language: Option<String>,
    pub(super) include: Vec<Clause>,
    pub(super) exclude: Vec<Clause>,
    /// `compose.inactive`: whether inactive codes are in, where it says so.
    pub(super) inactive: Option<bool>,
    /// The code systems of its own rules.
    pub(super) systems: Vec<Arc<CodeSystem>>,
    /// The supplements that it asks for, `url|version`.
    pub(super) supplements: Vec<String>,
}

/// Where a definition stands, for warnings about it.
#[derive(Clone, Debug, Default)]
pub(super) struct Status {
    pub(super) canonical: String,
    pub(super) status: Option<String>,
    pub(super) experimental: bool,
    pub(super) standards_status: Option<String>,
}

/// One include or exclude.
#[derive(Debug)]
pub(super) struct Clause {
    pub(super) system: Option<Source>,
    /// Whether it names a version of the code system.
    pub(super) pinned: bool,
    pub(super) selection: Selection,
    pub(super) imports: Vec<Import>,
}

/// The code system that a clause takes codes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Held(Arc<CodeSystem>),
    Rule(Rule),
    Missing { url: String, version: Option<String> },
}

/// Which codes of its code system a clause takes.
#[derive(Debug)]
pub(super) enum Selection {
    All,
    Listed(Listing),
    Filtered(Bits),
    /// It cannot be told, and why.
    Undecided(String),
}

/// Codes that a value set lists.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) items: Vec<Listed>,
    pub(super) by_code: HashMap<String, usize>,
}

/// A code that a value set lists, and what the value set says of it.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) code: String,
    /// Its concept in the code system, where that is held and has it.
    pub(super) concept: Option<u32>,
    pub(super) display: Option<String>,
    pub(super) designations: Vec<ValueSetComposeIncludeConceptDesignation>,
    pub(super) extensions: Vec<Extension>,
    pub(super) sorted: Vec<(&'static str, Sorted)>,
    pub(super) deprecated: bool,
}

/// Another value set that a clause takes codes from.
#[derive(Debug)]
pub(super) enum Import {
    Held(Arc<Compiled>),
    NotHeld(String),
}

/// A code to be found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    pub(super) system: &'a str,
    pub(super) version: Option<&'a str>,
    pub(super) code: &'a str,
}

/// Whether a code is in.
#[derive(Clone, Debug)]
pub(super) enum Verdict<'a> {
    In(Hit<'a>),
    Out,
    Unknown(Gap),
}

/// A code that is in, and by what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit<'a> {
    pub(super) source: &'a Source,
    pub(super) concept: Option<u32>,
    pub(super) listed: Option<&'a Listed>,
    /// Picked by a list or a filter, not only as one of a whole code system.
    pub(super) picked: bool,
    /// Of a version that the value set names.
    pub(super) pinned: bool,
}

/// What is missing to tell.
#[derive(Clone, Debug)]
pub(super) enum Gap {
    ValueSet(String),
    CodeSystem {
        url: String,
        version: Option<String>,
    },
    /// Only a fragment of the code system is held.
    Fragment(Arc<CodeSystem>),
    /// A filter that cannot be applied, and why.
    Filter(String),
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Gap::ValueSet(url) => write!(f, "the value set {url} is not held"),
            Gap::CodeSystem { url, version } => {
                let canonical = canonical::join(url, version.as_deref());
                write!(f, "the code system {canonical} is not held")
            }
            Gap::Fragment(system) => {
                write!(f, "only a part of the code system {} is held", system.canonical())
            }
            Gap::Filter(reason) => f.write_str(reason),
        }
    }
}

impl Compiled {
    /// Whether the code is in.
    pub(super) fn verdict(&self, key: Key<'_>) -> Verdict<'_> {
        match self.composed(key) {
            Verdict::In(hit) if self.inactive == Some(false) && hit.is_inactive() => Verdict::Out,
            other => other,
        }
    }

    /// Whether the code is in, inactive codes too where the value set leaves them out.
    pub(super) fn composed(&self, key: Key<'_>) -> Verdict<'_> {
        let mut answer = Verdict::Out;
        for clause in &self.include {
            match clause.verdict(key) {
                Verdict::In(hit) => {
                    answer = Verdict::In(hit);
                    break;
                }
                Verdict::Unknown(gap) if matches!(answer, Verdict::Out) => answer = Verdict::Unknown(gap),
                _ => {}
            }
        }
        if matches!(answer, Verdict::Out) {
            return answer;
        }
        match self.excluded(key) {
            Verdict::In(_) => Verdict::Out,
            Verdict::Unknown(gap) => Verdict::Unknown(gap),
            Verdict::Out => answer,
        }
    }

    /// Whether the code is excluded, whatever else the value set says.
    pub(super) fn excluded(&self, key: Key<'_>) -> Verdict<'_> {
        let mut answer = Verdict::Out;
        for clause in &self.exclude {
            match clause.verdict(key) {
                Verdict::In(hit) => return Verdict::In(hit),
                Verdict::Unknown(gap) => answer = Verdict::Unknown(gap),
                Verdict::Out => {}
            }
        }
        answer
    }

    /// The clauses that it takes to know whether a code is excluded.
    pub(super) fn exclude_weight(&self) -> usize {
        let imports = self
            .exclude
            .iter()
            .flat_map(|c| &c.imports)
            .map(|import| match import {
                Import::Held(other) => other.weight,
                Import::NotHeld(_) => 1,
            });
        self.exclude.len() + imports.sum::<usize>()
    }

    /// The code systems that it takes codes from, those of imports too, without repeats.
    pub(super) fn sources(&self) -> Vec<&Source> {
        let mut found: Vec<&Source> = Vec::new();
        self.collect_sources(&mut found);
        found
    }

    fn collect_sources<'a>(&'a self, found: &mut Vec<&'a Source>) {
        for clause in &self.include {
            if let Some(source) = &clause.system
                && !found
                    .iter()
                    .any(|s| s.url() == source.url() && s.version() == source.version())
            {
                found.push(source);
            }
            for import in &clause.imports {
                if let Import::Held(compiled) = import {
                    compiled.collect_sources(found);
                }
            }
        }
    }

    /// A value set that is imported somewhere and not held.
    pub(super) fn missing_import(&self) -> Option<Gap> {
        let all = self.with_imports();
        let mut imports = all.iter().flat_map(|c| &c.include).flat_map(|c| &c.imports);
        imports.find_map(|import| match import {
            Import::NotHeld(url) => Some(Gap::ValueSet(url.clone())),
            Import::Held(_) => None,
        })
    }

    /// This and all imported value sets, without repeats.
    pub(super) fn with_imports(&self) -> Vec<&Compiled> {
        let mut found = vec![self];
        let mut at = 0;
        while let Some(compiled) = found.get(at).copied() {
            for import in compiled
                .include
                .iter()
                .chain(&compiled.exclude)
                .flat_map(|c| &c.imports)
            {
                if let Import::Held(other) = import
                    && !found.iter().any(|f| std::ptr::eq(*f, &**other))
                {
                    found.push(other);
                }
            }
            at += 1;
        }
        found
    }
}

impl Clause {
    fn verdict(&self, key: Key<'_>) -> Verdict<'_> {
        let mut answer = match &self.system {
            Some(source) if source.url() != key.system => return Verdict::Out,
            Some(source) if !source.is_version(key.version) => {
                // Any version will do, and this one is not at hand.
                return match self.pinned {
                    true => Verdict::Out,
                    false => Verdict::Unknown(Gap::CodeSystem {
                        url: key.system.to_owned(),
                        version: key.version.map(str::to_owned),
                    }),
                };
            }
            Some(source) => self.selected(source, key.code),
            None => Verdict::Out,
        };
        if self.system.is_some() && matches!(answer, Verdict::Out) {
            return answer;
        }
        for (index, import) in self.imports.iter().enumerate() {
            let found = match import {
                Import::Held(compiled) => compiled.verdict(key),
                Import::NotHeld(url) => Verdict::Unknown(Gap::ValueSet(url.clone())),
            };
            answer = match (answer, found) {
                (_, Verdict::Out) => return Verdict::Out,
                (_, found) if index == 0 && self.system.is_none() => found,
                (Verdict::In(_), Verdict::Unknown(gap)) => Verdict::Unknown(gap),
                (answer, _) => answer,
            };
        }
        answer
    }

    fn selected<'a>(&'a self, source: &'a Source, code: &str) -> Verdict<'a> {
        let hit = |concept, listed, picked| {
            Verdict::In(Hit {
                source,
                concept,
                listed,
                picked,
                pinned: self.pinned,
            })
        };
        let concept = source.held().and_then(|s| s.find(code));
        match &self.selection {
            Selection::Listed(listing) => match listing.get(source, code, concept) {
                Some(listed) => hit(listed.concept, Some(listed), true),
                None => Verdict::Out,
            },
            Selection::Undecided(reason) => Verdict::Unknown(Gap::Filter(reason.clone())),
            Selection::All | Selection::Filtered(_) => match (source, concept) {
                (Source::Missing { url, version }, _) => Verdict::Unknown(Gap::CodeSystem {
                    url: url.clone(),
                    version: version.clone(),
                }),
                (Source::Rule(rule), _) => match rule.has(code) {
                    Some(true) => hit(None, None, false),
                    Some(false) => Verdict::Out,
                    None => Verdict::Unknown(Gap::Filter(format!(
                        "whether '{code}' is a code of {} is not known",
                        rule.url()
                    ))),
                },
                (Source::Held(_), Some(index)) => match &self.selection {
                    Selection::Filtered(bits) if bits.has(index) => hit(Some(index), None, true),
                    Selection::Filtered(_) => Verdict::Out,
                    _ => hit(Some(index), None, false),
                },
                (Source::Held(system), None) if system.head.content == Content::Fragment => {
                    Verdict::Unknown(Gap::Fragment(Arc::clone(system)))
                }
                (Source::Held(_), None) => Verdict::Out,
            },
        }
    }
}

impl Listing {
    /// The item of that code. A code that its complete code system does not have is listed in vain.
    pub(super) fn get(&self, source: &Source, code: &str, concept: Option<u32>) -> Option<&Listed> {
        let right = match (source.held(), concept) {
            (Some(system), Some(index)) => system.code(index),
            (Some(system), None) if system.head.content == Content::Complete => return None,
            _ => code,
        };
        self.by_code.get(right).and_then(|at| self.items.get(*at))
    }
}

impl Source {
    pub(super) fn held(&self) -> Option<&Arc<CodeSystem>> {
        match self {
            Source::Held(system) => Some(system),
            _ => None,
        }
    }

    pub(super) fn url(&self) -> &str {
        match self {
            Source::Held(system) => &system.head.url,
            Source::Rule(rule) => rule.url(),
            Source::Missing { url, .. } => url,
        }
    }

    pub(super) fn version(&self) -> Option<&str> {
        match self {
            Source::Held(system) => system.head.version.as_deref(),
            Source::Rule(_) => None,
            Source::Missing { version, .. } => version.as_deref(),
        }
    }

    /// Whether it is of that version, or none is asked for.
    pub(super) fn is_version(&self, asked: Option<&str>) -> bool {
        match (asked, self.version()) {
            (Some(asked), Some(held)) => canonical::matches(asked, held),
            _ => true,
        }
    }
}

impl Hit<'_> {
    /// The code as the code system writes it.
    pub(super) fn code(&self) -> Option<&str> {
        match (self.source.held(), self.concept, self.listed) {
            (Some(system), Some(index), _) => Some(system.code(index)),
            (_, _, Some(listed)) => Some(&listed.code),
            _ => None,
        }
    }

    pub(super) fn is_inactive(&self) -> bool {
        self.in_system(CodeSystem::is_inactive)
    }

    pub(super) fn is_abstract(&self) -> bool {
        self.in_system(CodeSystem::is_abstract)
    }

    fn in_system(&self, of: impl Fn(&CodeSystem, u32) -> bool) -> bool {
        self.source
            .held()
            .zip(self.concept)
            .is_some_and(|(system, index)| of(system, index))
    }

    /// The display of the value set, else of the code system.
    pub(super) fn display(&self) -> Option<&str> {
        let listed = self.listed.and_then(|l| l.display.as_deref());
        listed.or_else(|| {
            self.source
                .held()
                .zip(self.concept)
                .and_then(|(s, i)| s.display(i))
        })
    }
}
