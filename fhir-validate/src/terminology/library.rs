//! What is held: code systems, value sets, concept maps and supplements, of several versions, in layers.
//!
//! A layer of a tenant lies over one that all share; what it adds comes first. Adding is possible while others read.
//!
//! Invariant: what was compiled before a change of any layer below is never used after it.

mod catalogue;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use fhir_model::{CodeSystem as CodeSystemResource, ConceptMap, Resource, ValueSet};

use super::add_error::AddError;
use super::build;
use super::canonical;
use super::code_system::{CodeSystem, Content};
use super::compose::{CompileError, Compiler, Versions};
use super::packed;
use super::set::Compiled;

/// Value sets that are kept compiled; beyond that many, those of the layer are compiled again when asked for.
const MAX_COMPILED: usize = 4096;

/// A library of terminology.
///
/// ```
/// use fhir_validate::terminology::{CodeQuery, Library, Membership, Terminology};
///
/// let library = Library::r4();
/// let code = CodeQuery { code: "female", ..CodeQuery::default() };
/// let found = library.validate_code("http://hl7.org/fhir/ValueSet/administrative-gender", &code);
/// assert!(matches!(found, Membership::Member { display: Some(d), .. } if d == "Female"));
/// ```
#[derive(Debug, Default)]
pub struct Library {
    base: Option<Arc<Library>>,
    /// Whether the concept maps of R4 are part of it.
    concept_maps_of_r4: bool,
    held: RwLock<Held>,
    compiled: RwLock<HashMap<String, (u64, Arc<Compiled>)>>,
    generation: AtomicU64,
}

#[derive(Clone, Debug, Default)]
struct Held {
    code_systems: HashMap<String, Vec<CodeSystemEntry>>,
    value_sets: HashMap<String, Vec<ValueSetEntry>>,
    /// Supplements, by their own URL.
    supplements: HashMap<String, Vec<Arc<CodeSystemResource>>>,
    concept_maps: Vec<Arc<ConceptMap>>,
    /// By the URL of the value set of all their codes, the URLs of code systems that name one.
    whole: HashMap<String, String>,
}

/// A code system: its version, where it comes from, and the held form once it was asked for.
#[derive(Clone, Debug)]
struct CodeSystemEntry {
    version: Option<String>,
    source: CodeSystemSource,
    built: OnceLock<Option<Arc<CodeSystem>>>,
}

#[derive(Clone, Debug)]
enum CodeSystemSource {
    Packed(&'static packed::File, packed::Line),
    Resource(Arc<CodeSystemResource>),
    /// From a release of another form: there is no resource.
    Release,
}

#[derive(Clone, Debug)]
struct ValueSetEntry {
    version: Option<String>,
    packed: Option<(&'static packed::File, packed::Line)>,
    read: OnceLock<Option<Arc<ValueSet>>>,
}

impl Library {
    /// The library of R4 4.0.1 alone, shared by all who ask. The first call unpacks two megabytes of text.
    pub fn r4() -> Arc<Library> {
        static R4: OnceLock<Arc<Library>> = OnceLock::new();
        Arc::clone(R4.get_or_init(|| {
            let mut library = Library::of(&packed::R4);
            library.concept_maps_of_r4 = true;
            Arc::new(library)
        }))
    }

    /// All that is compiled in, shared by all who ask: HL7's terminology over R4's.
    pub fn built_in() -> Arc<Library> {
        static ALL: OnceLock<Arc<Library>> = OnceLock::new();
        Arc::clone(ALL.get_or_init(|| {
            let mut library = Library::of(&packed::THO);
            library.base = Some(Library::r4());
            Arc::new(library)
        }))
    }

    fn of(publication: &'static packed::Publication) -> Library {
        let library = Library::default();
        {
            let mut held = library.write();
            let file = &publication.code_systems;
            for line in file.lines() {
                let entries = held.code_systems.entry(line.url.clone()).or_default();
                entries.push(CodeSystemEntry {
                    version: line.version.clone(),
                    source: CodeSystemSource::Packed(file, line),
                    built: OnceLock::new(),
                });
            }
            let file = &publication.value_sets;
            for line in file.lines() {
                let entries = held.value_sets.entry(line.url.clone()).or_default();
                entries.push(ValueSetEntry {
                    version: line.version.clone(),
                    packed: Some((file, line)),
                    read: OnceLock::new(),
                });
            }
        }
        library
    }

    /// An empty layer over another.
    pub fn over(base: Arc<Library>) -> Library {
        Library {
            base: Some(base),
            ..Library::default()
        }
    }

    /// Adds a CodeSystem, ValueSet or ConceptMap; one of the same URL and version is replaced.
    ///
    /// # Errors
    /// It is of another type, or has no URL.
    pub fn add(&self, resource: Resource) -> Result<(), AddError> {
        match resource {
            Resource::CodeSystem(code_system) => self.add_code_system(*code_system),
            Resource::ValueSet(value_set) => self.add_value_set(*value_set),
            Resource::ConceptMap(map) => self.add_concept_map(*map),
            other => Err(AddError::NotTerminology(other.type_name())),
        }
    }

    /// The same layer once more, over the same base: what is added to one is not in the other. What was read and built of
    /// what both hold is shared.
    pub fn copy(&self) -> Library {
        Library {
            base: self.base.clone(),
            concept_maps_of_r4: self.concept_maps_of_r4,
            held: RwLock::new(self.read().clone()),
            ..Library::default()
        }
    }

    /// The CodeSystem, ValueSet or ConceptMap of that canonical URL, with `|version` or without, as it is held: what is
    /// compiled in has no prose. `None` also for what came from a release.
    pub fn resource(&self, of: &str) -> Option<Resource> {
        let (url, version) = canonical::split(of);
        let value_set = || Some(Resource::from(ValueSet::clone(&*self.value_set(url, version)?)));
        let map = || {
            let maps = self.concept_maps();
            let map = maps
                .iter()
                .find(|m| m.url == *url && version.is_none_or(|v| m.version == *v))?;
            Some(Resource::from(ConceptMap::clone(map)))
        };
        let code_system = self.code_system_resource(url, version);
        let code_system = code_system.or_else(|| self.supplement(of));
        let code_system = code_system.map(|s| Resource::from(CodeSystemResource::clone(&s)));
        code_system.or_else(value_set).or_else(map)
    }

    fn code_system_resource(&self, url: &str, version: Option<&str>) -> Option<Arc<CodeSystemResource>> {
        let own = {
            let held = self.read();
            let entries = held.code_systems.get(url);
            entries.and_then(|e| newest(e, version, |e| e.version.as_deref())?.resource())
        };
        own.or_else(|| self.base.as_ref()?.code_system_resource(url, version))
    }

    /// Takes a resource out of this layer, by the URL and version it was added with; says whether there was one.
    pub fn remove(&self, url: &str, version: Option<&str>) -> bool {
        let mut held = self.write();
        let Held {
            code_systems,
            value_sets,
            supplements,
            concept_maps,
            whole,
        } = &mut *held;
        let mut removed = retain(code_systems, url, |e| e.version.as_deref() != version);
        if !code_systems.contains_key(url) {
            whole.retain(|_, system| system != url);
        }
        removed |= retain(value_sets, url, |e| e.version.as_deref() != version);
        removed |= retain(supplements, url, |s| s.version.as_str() != version);
        let before = concept_maps.len();
        concept_maps.retain(|m| m.url.as_str() != Some(url) || m.version.as_str() != version);
        removed |= concept_maps.len() < before;
        if removed {
            self.changed();
        }
        removed
    }

    fn add_code_system(&self, resource: CodeSystemResource) -> Result<(), AddError> {
        let url = resource
            .url
            .as_str()
            .ok_or(AddError::NoUrl("CodeSystem"))?
            .to_owned();
        let resource = Arc::new(resource);
        let mut held = self.write();
        if resource.content == "supplement" {
            let entries = held.supplements.entry(url).or_default();
            entries.retain(|s| s.version.as_str() != resource.version.as_str());
            entries.push(resource);
        } else {
            if let Some(whole) = resource.value_set.as_str() {
                held.whole.insert(whole.to_owned(), url.clone());
            }
            let version = resource.version.as_str().map(str::to_owned);
            let entries = held.code_systems.entry(url).or_default();
            entries.retain(|e| e.version != version);
            entries.push(CodeSystemEntry {
                version,
                source: CodeSystemSource::Resource(resource),
                built: OnceLock::new(),
            });
        }
        self.changed();
        Ok(())
    }

    fn add_value_set(&self, resource: ValueSet) -> Result<(), AddError> {
        let url = resource
            .url
            .as_str()
            .ok_or(AddError::NoUrl("ValueSet"))?
            .to_owned();
        let version = resource.version.as_str().map(str::to_owned);
        let mut held = self.write();
        let entries = held.value_sets.entry(url).or_default();
        entries.retain(|e| e.version != version);
        entries.push(ValueSetEntry {
            version,
            packed: None,
            read: OnceLock::from(Some(Arc::new(resource))),
        });
        self.changed();
        Ok(())
    }

    fn add_concept_map(&self, resource: ConceptMap) -> Result<(), AddError> {
        if resource.url.as_str().is_none() {
            return Err(AddError::NoUrl("ConceptMap"));
        }
        let mut held = self.write();
        held.concept_maps.retain(|m| {
            m.url.as_str() != resource.url.as_str() || m.version.as_str() != resource.version.as_str()
        });
        held.concept_maps.push(Arc::new(resource));
        self.changed();
        Ok(())
    }

    /// Adds a code system that was read from a release.
    pub(super) fn add_system(&self, system: CodeSystem) {
        let version = system.head.version.clone();
        let mut held = self.write();
        let entries = held.code_systems.entry(system.head.url.clone()).or_default();
        entries.retain(|e| e.version != version);
        entries.push(CodeSystemEntry {
            version,
            source: CodeSystemSource::Release,
            built: OnceLock::from(Some(Arc::new(system))),
        });
        self.changed();
    }

    /// The code system of that URL: of that version, else the newest of the uppermost layer that has one. `None` also
    /// where it is known by name only.
    pub(super) fn code_system(&self, url: &str, version: Option<&str>) -> Option<Arc<CodeSystem>> {
        let own = {
            let held = self.read();
            let entries = held.code_systems.get(url);
            entries.and_then(|e| newest(e, version, |e| e.version.as_deref())?.system())
        };
        let own = own.filter(|s| s.head.content != Content::NotPresent);
        own.or_else(|| self.base.as_ref()?.code_system(url, version))
    }

    /// The code system with supplements, which must all supplement it; `None` where it is not held as a resource.
    pub(super) fn supplemented(
        &self,
        system: &CodeSystem,
        supplements: &[&CodeSystemResource],
    ) -> Option<CodeSystem> {
        let own = {
            let held = self.read();
            let entries = held.code_systems.get(&system.head.url).map(Vec::as_slice);
            let entry = entries
                .unwrap_or_default()
                .iter()
                .find(|e| e.version == system.head.version);
            entry.and_then(CodeSystemEntry::resource)
        };
        match own {
            Some(resource) => build::code_system(&resource, supplements).ok(),
            None => self.base.as_ref()?.supplemented(system, supplements),
        }
    }

    /// The versions that are held of a code system, the newest first.
    pub(super) fn code_system_versions(&self, url: &str) -> Vec<String> {
        let mut versions = match &self.base {
            Some(base) => base.code_system_versions(url),
            None => Vec::new(),
        };
        let held = self.read();
        let own = held.code_systems.get(url).into_iter().flatten();
        versions.extend(own.filter_map(|e| e.version.clone()));
        versions.sort_by(|a, b| canonical::compare(Some(b), Some(a)));
        versions.dedup();
        versions
    }

    /// The supplement of that canonical URL.
    pub(super) fn supplement(&self, of: &str) -> Option<Arc<CodeSystemResource>> {
        let (url, version) = canonical::split(of);
        let own = {
            let held = self.read();
            let entries = held.supplements.get(url);
            entries.and_then(|e| newest(e, version, |s| s.version.as_str()).cloned())
        };
        own.or_else(|| self.base.as_ref()?.supplement(of))
    }

    /// The value set of that URL: of that version, else the newest of the uppermost layer that has one.
    pub(super) fn value_set(&self, url: &str, version: Option<&str>) -> Option<Arc<ValueSet>> {
        let own = {
            let held = self.read();
            let entries = held.value_sets.get(url);
            entries.and_then(|e| newest(e, version, |e| e.version.as_deref())?.value_set())
        };
        own.or_else(|| self.base.as_ref()?.value_set(url, version))
    }

    /// The URL of the code system that names that value set as the one of all its codes.
    pub(super) fn system_of_whole(&self, value_set: &str) -> Option<String> {
        let own = self.read().whole.get(value_set).cloned();
        own.or_else(|| self.base.as_ref()?.system_of_whole(value_set))
    }

    /// All concept maps, those of the uppermost layer first.
    pub(super) fn concept_maps(&self) -> Vec<Arc<ConceptMap>> {
        let mut maps = self.read().concept_maps.clone();
        if self.concept_maps_of_r4 {
            maps.extend(packed::concept_maps().iter().cloned());
        }
        if let Some(base) = &self.base {
            maps.extend(base.concept_maps());
        }
        maps
    }

    /// The value set of that canonical URL, compiled; kept for the next time.
    pub(super) fn compiled(&self, of: &str) -> Result<Arc<Compiled>, CompileError> {
        match self.kept(of) {
            Some(compiled) => Ok(compiled),
            None => Compiler::new(self, &[], &Versions::default()).by_canonical(of),
        }
    }

    /// The same with that version of a code system, where the value set names none.
    pub(super) fn compiled_with(
        &self,
        of: &str,
        system: &str,
        version: &str,
    ) -> Result<Arc<Compiled>, CompileError> {
        let name = format!("{of} {system}|{version}");
        if let Some(compiled) = self.kept(&name) {
            return Ok(compiled);
        }
        let generation = self.generation();
        let versions = Versions::of_code_system(system, version);
        let compiled = Compiler::new(self, &[], &versions).by_canonical(of)?;
        self.keep(&name, generation, &compiled);
        Ok(compiled)
    }

    /// A value set that was compiled since the last change. It takes part in no circle, else it would not be kept.
    pub(super) fn kept(&self, of: &str) -> Option<Arc<Compiled>> {
        let kept = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
        let (generation, compiled) = kept.get(of)?;
        (*generation == self.generation()).then(|| Arc::clone(compiled))
    }

    /// Keeps a value set that was compiled from what was held at that generation.
    pub(super) fn keep(&self, of: &str, generation: u64, compiled: &Arc<Compiled>) {
        let mut kept = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_COMPILED {
            kept.clear();
        }
        kept.insert(of.to_owned(), (generation, Arc::clone(compiled)));
    }

    /// A number that changes whenever this layer or one below changes.
    pub(super) fn generation(&self) -> u64 {
        let below = self.base.as_ref().map_or(0, |b| b.generation());
        below.wrapping_add(self.generation.load(Ordering::Acquire))
    }

    fn changed(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// A thread that panicked amid a change leaves each list whole: what it left is used.
    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn retain<T>(map: &mut HashMap<String, Vec<T>>, url: &str, keep: impl Fn(&T) -> bool) -> bool {
    let Some(entries) = map.get_mut(url) else {
        return false;
    };
    let before = entries.len();
    entries.retain(keep);
    let removed = entries.len() < before;
    if entries.is_empty() {
        map.remove(url);
    }
    removed
}

/// The newest of the versions asked for.
fn newest<'e, T>(
    entries: &'e [T],
    asked: Option<&str>,
    version: impl Fn(&T) -> Option<&str>,
) -> Option<&'e T> {
    let fits = |entry: &&T| match (asked, version(entry)) {
        (None, _) => true,
        (Some(asked), Some(held)) => canonical::matches(asked, held),
        (Some(_), None) => false,
    };
    let fitting = entries.iter().filter(fits);
    fitting.max_by(|a, b| canonical::compare(version(a), version(b)))
}

impl CodeSystemEntry {
    fn system(&self) -> Option<Arc<CodeSystem>> {
        let build = || build::code_system(&*self.resource()?, &[]).ok().map(Arc::new);
        self.built.get_or_init(build).clone()
    }

    fn resource(&self) -> Option<Arc<CodeSystemResource>> {
        match &self.source {
            CodeSystemSource::Resource(resource) => Some(Arc::clone(resource)),
            CodeSystemSource::Release => None,
            CodeSystemSource::Packed(file, line) => match file.read(&line.range)? {
                Resource::CodeSystem(resource) => Some(Arc::from(resource)),
                _ => None,
            },
        }
    }
}

impl ValueSetEntry {
    fn value_set(&self) -> Option<Arc<ValueSet>> {
        let read = || {
            let (file, line) = self.packed.as_ref()?;
            match file.read(&line.range)? {
                Resource::ValueSet(resource) => Some(Arc::from(resource)),
                _ => None,
            }
        };
        self.read.get_or_init(read).clone()
    }
}
