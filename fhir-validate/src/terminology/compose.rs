//! Compiles value sets (<https://hl7.org/fhir/R4/valueset.html#compositions>).
//!
//! Invariant: imports that run in circles are refused, and so is what is too deep, too long, or takes too much work; what
//! is compiled answers within a bounded number of steps.

use std::sync::Arc;

use fhir_model::{
    CodeSystem as CodeSystemResource, Resource, ValueSet, ValueSetCompose, ValueSetComposeInclude,
    ValueSetComposeIncludeConcept, ValueSetExpansionContains,
};

use super::bits::Bits;
use super::canonical;
use super::extension;
use super::filter::{self, Filter};
use super::implicit;
use super::library::Library;
use super::rule::Rule;
use super::set::{Clause, Compiled, Import, Listed, Listing, Selection, Source, Status};

/// How deep value sets may import each other.
const MAX_DEPTH: usize = 32;
/// Clauses of one value set, those of imports as often as they are imported.
const MAX_CLAUSES: usize = 10_000;
/// Concepts that the filters of one value set may have to look at.
const MAX_FILTERED: usize = 200_000_000;

/// Which versions of code systems and value sets a request asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Versions {
    /// Where a value set names none: `system-version`.
    pub(super) default: Vec<(String, String)>,
    /// In any case: `force-system-version`.
    pub(super) force: Vec<(String, String)>,
    /// No other: `check-system-version`.
    pub(super) check: Vec<(String, String)>,
    /// Where an import names none: `default-valueset-version`.
    pub(super) value_set: Vec<(String, String)>,
    /// Supplements to be used besides those that the value set names: `useSupplement`.
    pub(super) supplements: Vec<String>,
}

impl Versions {
    /// That version of a code system where a value set names none.
    pub(super) fn of_code_system(url: &str, version: &str) -> Self {
        Versions {
            default: vec![(url.to_owned(), version.to_owned())],
            ..Versions::default()
        }
    }

    /// Whether the request says which version of that code system to use.
    pub(super) fn decides(&self, url: &str) -> bool {
        [&self.default, &self.force, &self.check]
            .iter()
            .any(|list| version_for(list, url).is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.default.is_empty()
            && self.force.is_empty()
            && self.check.is_empty()
            && self.value_set.is_empty()
            && self.supplements.is_empty()
    }
}

fn version_for<'v>(list: &'v [(String, String)], url: &str) -> Option<&'v str> {
    list.iter().find(|(u, _)| u == url).map(|(_, v)| v.as_str())
}

/// Why a value set cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CompileError {
    /// The value set itself is not held: its canonical URL.
    NotHeld(String),
    /// A supplement that it needs is not held: its canonical URL.
    NoSupplement(String),
    /// Value sets that import each other: their URLs, in order.
    Circle(Vec<String>),
    /// More than the bounds allow: which.
    TooLarge(String),
    /// A code system of another version than `check-system-version` allows: URL, version, allowed version.
    Version(String, String, String),
}

/// Compiles one value set and what it imports.
pub(super) struct Compiler<'l> {
    library: &'l Library,
    contained: &'l [Resource],
    versions: &'l Versions,
    /// URLs of those being compiled.
    open: Vec<String>,
    /// Clauses that may still be compiled, and concepts that filters may still look at.
    clauses_left: usize,
    concepts_left: usize,
}

impl<'l> Compiler<'l> {
    pub(super) fn new(library: &'l Library, contained: &'l [Resource], versions: &'l Versions) -> Self {
        Compiler {
            library,
            contained,
            versions,
            open: Vec::new(),
            clauses_left: MAX_CLAUSES,
            concepts_left: MAX_FILTERED,
        }
    }

    /// The value set of that canonical URL.
    pub(super) fn by_canonical(&mut self, of: &str) -> Result<Arc<Compiled>, CompileError> {
        let (url, version) = canonical::split(of);
        let version = version.or_else(|| version_for(&self.versions.value_set, url));
        let value_set = match self.library.value_set(url, version) {
            Some(value_set) => value_set,
            None => Arc::new(
                implicit::value_set(self.library, url)
                    .ok_or_else(|| CompileError::NotHeld(canonical::join(url, version)))?,
            ),
        };
        let generation = self.library.generation();
        let compiled = Arc::new(self.value_set(&value_set)?);
        if self.versions.is_empty() {
            self.library.keep(of, generation, &compiled);
        }
        Ok(compiled)
    }

    /// A value set.
    pub(super) fn value_set(&mut self, value_set: &ValueSet) -> Result<Compiled, CompileError> {
        let url = value_set.url.as_str();
        let label = match url {
            Some(url) => canonical::join(url, value_set.version.as_str()),
            None => "(unidentified)".to_owned(),
        };
        let name = url.map(str::to_owned);
        let name = name.or_else(|| value_set.id.as_str().map(|id| format!("#{id}")));
        if let Some(name) = name.as_ref().filter(|name| self.open.contains(name)) {
            let mut circle = self.open.clone();
            circle.push(name.clone());
            return Err(CompileError::Circle(circle));
        }
        if self.open.len() >= MAX_DEPTH {
            let what = format!("more than {MAX_DEPTH} value sets import each other");
            return Err(CompileError::TooLarge(what));
        }
        self.open.push(name.unwrap_or_default());
        let compiled = self.opened(value_set, label);
        self.open.pop();
        compiled
    }

    fn opened(&mut self, value_set: &ValueSet, label: String) -> Result<Compiled, CompileError> {
        let supplements = self.supplements(value_set)?;
        let mut compiled = Compiled {
            status: Status {
                canonical: label.clone(),
                status: value_set.status.as_str().map(str::to_owned),
                experimental: value_set.experimental.value == Some(true),
                standards_status: extension::code(&value_set.extension, extension::STANDARDS_STATUS)
                    .map(str::to_owned),
            },
            label,
            weight: 0,
            contained: false,
            language: language(value_set),
            include: Vec::new(),
            exclude: Vec::new(),
            inactive: None,
            systems: Vec::new(),
            supplements: supplements.iter().map(|s| supplement_canonical(s)).collect(),
        };
        match (&value_set.compose, &value_set.expansion) {
            (Some(compose), _) => self.compose(compose, &supplements, &mut compiled)?,
            (None, Some(expansion)) => {
                let mut clauses = Vec::new();
                self.expanded(&expansion.contains, &mut clauses);
                compiled.include = clauses;
            }
            (None, None) => {}
        }
        compiled.weight = weight(&compiled)?;
        for clause in compiled.include.iter().chain(&compiled.exclude) {
            if let Some(Source::Held(system)) = &clause.system
                && !compiled
                    .systems
                    .iter()
                    .any(|s| s.canonical() == system.canonical())
            {
                compiled.systems.push(Arc::clone(system));
            }
        }
        Ok(compiled)
    }

    fn supplements(&self, value_set: &ValueSet) -> Result<Vec<Arc<CodeSystemResource>>, CompileError> {
        let named = value_set
            .extension
            .iter()
            .filter(|x| x.url.as_deref() == Some(extension::SUPPLEMENT));
        let named = named.filter_map(|x| extension::text(x.value.as_ref()?));
        let asked = self.versions.supplements.iter().map(String::as_str);
        named
            .chain(asked)
            .map(|of| {
                let found = self.library.supplement(of);
                found.ok_or_else(|| CompileError::NoSupplement(of.to_owned()))
            })
            .collect()
    }

    fn compose(
        &mut self,
        compose: &ValueSetCompose,
        supplements: &[Arc<CodeSystemResource>],
        compiled: &mut Compiled,
    ) -> Result<(), CompileError> {
        compiled.inactive = compose.inactive.value;
        for include in &compose.include {
            compiled.include.push(self.clause(include, supplements)?);
        }
        for exclude in &compose.exclude {
            compiled.exclude.push(self.clause(exclude, supplements)?);
        }
        Ok(())
    }

    fn clause(
        &mut self,
        include: &ValueSetComposeInclude,
        supplements: &[Arc<CodeSystemResource>],
    ) -> Result<Clause, CompileError> {
        let parts = 1 + include.value_set.len();
        self.clauses_left = self
            .clauses_left
            .checked_sub(parts)
            .ok_or_else(too_many_clauses)?;
        let system = match include.system.as_str() {
            Some(url) => Some(self.source(url, include.version.as_str(), supplements)?),
            None => None,
        };
        let selection = match &system {
            Some(source) if !include.concept.is_empty() => {
                let listed = include.concept.iter().filter_map(|c| listed(source, c));
                Selection::Listed(listed.collect())
            }
            Some(source) if !include.filter.is_empty() => {
                let concepts = source.held().map_or(0, |s| s.concepts.len());
                let work = concepts.saturating_mul(include.filter.len());
                self.concepts_left = self.concepts_left.checked_sub(work).ok_or_else(|| {
                    let what = format!("its filters look at more than {MAX_FILTERED} concepts");
                    CompileError::TooLarge(what)
                })?;
                filtered(source, include)
            }
            _ => Selection::All,
        };
        let mut imports = Vec::new();
        for url in include.value_set.iter().filter_map(|u| u.as_str()) {
            imports.push(self.import(url)?);
        }
        let pinned = include.version.as_str().is_some();
        Ok(Clause {
            system,
            pinned,
            selection,
            imports,
        })
    }

    fn import(&mut self, of: &str) -> Result<Import, CompileError> {
        if let Some(id) = of.strip_prefix('#') {
            let contained = self.contained.iter().find_map(|r| match r {
                Resource::ValueSet(value_set) if value_set.id == id => Some(value_set),
                _ => None,
            });
            return match contained {
                Some(value_set) => {
                    let mut compiled = self.value_set(value_set)?;
                    compiled.contained = true;
                    Ok(Import::Held(Arc::new(compiled)))
                }
                None => Ok(Import::NotHeld(of.to_owned())),
            };
        }
        let kept = || self.library.kept(of).filter(|_| self.versions.is_empty());
        let compiled = match kept() {
            Some(compiled) => Ok(compiled),
            None => self.by_canonical(of),
        };
        match compiled {
            Ok(compiled) => Ok(Import::Held(compiled)),
            Err(CompileError::NotHeld(url)) => Ok(Import::NotHeld(url)),
            Err(other) => Err(other),
        }
    }

    fn source(
        &self,
        url: &str,
        version: Option<&str>,
        supplements: &[Arc<CodeSystemResource>],
    ) -> Result<Source, CompileError> {
        let forced = version_for(&self.versions.force, url);
        let version = forced
            .or(version)
            .or_else(|| version_for(&self.versions.default, url))
            .or_else(|| version_for(&self.versions.check, url));
        let Some(system) = self.library.code_system(url, version) else {
            return Ok(match Rule::of(url) {
                Some(rule) => Source::Rule(rule),
                None => Source::Missing {
                    url: url.to_owned(),
                    version: version.map(str::to_owned),
                },
            });
        };
        if let Some(allowed) = version_for(&self.versions.check, url) {
            let held = system.head.version.as_deref().unwrap_or("");
            if !canonical::matches(allowed, held) {
                return Err(CompileError::Version(url.into(), held.into(), allowed.into()));
            }
        }
        let fitting: Vec<&CodeSystemResource> = supplements
            .iter()
            .map(Arc::as_ref)
            .filter(|s| {
                s.supplements
                    .as_str()
                    .is_some_and(|of| canonical::split(of).0 == url)
            })
            .collect();
        if fitting.is_empty() {
            return Ok(Source::Held(system));
        }
        let supplemented = self.library.supplemented(&system, &fitting);
        Ok(Source::Held(supplemented.map_or(system, Arc::new)))
    }

    /// The codes of a stored expansion, where there is no definition.
    fn expanded(&self, contains: &[ValueSetExpansionContains], clauses: &mut Vec<Clause>) {
        for item in contains {
            if let (Some(url), Some(code), true) = (
                item.system.as_str(),
                item.code.as_str(),
                item.abstract_.value != Some(true),
            ) {
                let version = item.version.as_str();
                let at = clauses.iter().position(|c| {
                    c.system
                        .as_ref()
                        .is_some_and(|s| s.url() == url && (version.is_none() || s.version() == version))
                });
                let at = at.unwrap_or_else(|| {
                    let source = self.source(url, version, &[]);
                    clauses.push(Clause {
                        system: source.ok(),
                        pinned: version.is_some(),
                        selection: Selection::Listed(Listing::default()),
                        imports: Vec::new(),
                    });
                    clauses.len() - 1
                });
                if let Some(Clause {
                    system: Some(source),
                    selection: Selection::Listed(listing),
                    ..
                }) = clauses.get_mut(at)
                {
                    let concept = source.held().and_then(|s| s.find(code));
                    listing.push(Listed {
                        code: code.to_owned(),
                        concept,
                        display: item.display.as_str().map(str::to_owned),
                        designations: item.designation.clone(),
                        extensions: extension::kept_of_listed(&item.extension),
                        sorted: extension::sort_properties(&item.extension),
                        deprecated: false,
                    });
                }
            }
            self.expanded(&item.contains, clauses);
        }
    }
}

fn too_many_clauses() -> CompileError {
    CompileError::TooLarge(format!(
        "it has more than {MAX_CLAUSES} clauses, with those that it imports"
    ))
}

/// The clauses that a question may have to ask.
fn weight(compiled: &Compiled) -> Result<usize, CompileError> {
    let clauses = compiled.include.iter().chain(&compiled.exclude);
    let weight = clauses.fold(0usize, |sum, clause| {
        let imports = clause.imports.iter().map(|import| match import {
            Import::Held(other) => other.weight,
            Import::NotHeld(_) => 1,
        });
        imports.fold(sum.saturating_add(1), usize::saturating_add)
    });
    if weight > MAX_CLAUSES {
        return Err(too_many_clauses());
    }
    Ok(weight)
}

fn supplement_canonical(supplement: &CodeSystemResource) -> String {
    canonical::join(supplement.url.as_str().unwrap_or(""), supplement.version.as_str())
}

/// The language that a value set says its displays are in: by an expansion parameter, else its own.
fn language(value_set: &ValueSet) -> Option<String> {
    let compose = value_set.compose.as_ref();
    let parameters = compose.map_or(&[][..], |c| c.extension.as_slice());
    let stated = parameters
        .iter()
        .filter(|x| x.url.as_deref() == Some(extension::EXPANSION_PARAMETER))
        .find(|x| extension::code(&x.extension, "name") == Some("displayLanguage"));
    let stated = stated.and_then(|x| extension::code(&x.extension, "value"));
    stated.or(value_set.language.as_str()).map(str::to_owned)
}

fn listed(source: &Source, concept: &ValueSetComposeIncludeConcept) -> Option<Listed> {
    let code = concept.code.as_str()?;
    let held = source.held();
    let index = held.and_then(|s| s.find(code));
    let code = held.zip(index).map_or(code, |(s, i)| s.code(i));
    Some(Listed {
        code: code.to_owned(),
        concept: index,
        display: concept.display.as_str().map(str::to_owned),
        designations: concept.designation.clone(),
        extensions: extension::kept_of_listed(&concept.extension),
        sorted: extension::sort_properties(&concept.extension),
        deprecated: extension::is_deprecated(&concept.extension),
    })
}

impl FromIterator<Listed> for Listing {
    fn from_iter<I: IntoIterator<Item = Listed>>(items: I) -> Self {
        let mut listing = Listing::default();
        items.into_iter().for_each(|item| listing.push(item));
        listing
    }
}

impl Listing {
    /// Adds a code; one that is listed already stays as it is.
    fn push(&mut self, item: Listed) {
        if !self.by_code.contains_key(&item.code) {
            self.by_code.insert(item.code.clone(), self.items.len());
            self.items.push(item);
        }
    }
}

/// All filters together.
fn filtered(source: &Source, include: &ValueSetComposeInclude) -> Selection {
    let Source::Held(system) = source else {
        return match source {
            Source::Rule(rule) => {
                Selection::Undecided(format!("the codes of {} cannot be filtered", rule.url()))
            }
            // The missing code system is the reason then.
            _ => Selection::All,
        };
    };
    let mut bits = Bits::of(system.len(), |_| true);
    for stated in &include.filter {
        let text = |p: &fhir_model::Primitive<fhir_model::Str>| p.as_str().unwrap_or("").to_owned();
        let filter = Filter {
            property: text(&stated.property),
            op: text(&stated.op),
            value: text(&stated.value),
        };
        match filter::apply(system, &filter) {
            Ok(found) => bits.intersect(&found),
            Err(reason) => return Selection::Undecided(reason),
        }
    }
    Selection::Filtered(bits)
}
