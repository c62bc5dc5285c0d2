//! [`Validator`] and its [`Builder`].

use std::sync::Arc;

use fhir_model::Resource;
use fhir_model::path::{self, Value as PathValue};
use fhir_model::read::ReadOptions;
use fhir_model::reflect::{Node, TypeInfo};
use jiff::Zoned;
use serde_json::Value;

use crate::canonical::Canonicals;
use crate::definition::Store;
use crate::finding::{Finding, Severity};
use crate::layer::{Layer, LayerSet};
use crate::place::Place;
use crate::profile::Found;
use crate::program::Program;
use crate::reference::Resolver;
use crate::rules::{BaseRules, TypeRules};
use crate::run::Run;
use crate::terminology::{Library, Terminology};
use crate::walk;

/// How far references are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReferenceChecks {
    /// What a reference shows by itself, and targets within the resource.
    #[default]
    Form,
    /// Targets exist.
    Exist,
}

/// What is an error and what is not, where the specification leaves it open.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What an extension is whose definition is not known.
    pub unknown_extensions: Severity,
    /// What a code is that its code system does not have, and a display that is none of the code's.
    pub unknown_codes: Severity,
    /// What an NHS number is whose check digit is wrong. Published samples contain some.
    pub nhs_numbers: Severity,
    /// Whether extensions with an example's url (`example.org`) are let pass.
    pub examples: bool,
    /// How far references are followed.
    pub references: ReferenceChecks,
    /// Whether the type that a reference names (`Patient/1`) is taken as that of its target, where the target is not at hand.
    pub trust_reference_types: bool,
    /// Whether contained resources are checked.
    pub contained: bool,
    /// Whether what looks like HTML in a markdown is an error.
    pub refuse_html_in_markdown: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            unknown_extensions: Severity::Warning,
            unknown_codes: Severity::Warning,
            nhs_numbers: Severity::Warning,
            examples: true,
            references: ReferenceChecks::Form,
            trust_reference_types: true,
            contained: true,
            refuse_html_in_markdown: false,
        }
    }
}

/// All that a validator holds.
pub(crate) struct Inner {
    pub(crate) layers: LayerSet,
    pub(crate) store: Arc<Store>,
    pub(crate) canonicals: Canonicals,
    rules: Option<Arc<BaseRules>>,
    library: Option<Arc<Library>>,
    /// Who answers instead of the library.
    own_terminology: Option<Arc<dyn Terminology>>,
    pub(crate) terminology: Option<Arc<dyn Terminology>>,
    pub(crate) resolver: Option<Arc<dyn Resolver>>,
    pub(crate) options: Options,
    pub(crate) path_limits: path::Limits,
    pub(crate) now: Option<Zoned>,
    max_findings: usize,
}

/// Checks resources against definitions. Cheap to clone; threads may share it.
#[derive(Clone)]
pub struct Validator(Arc<Inner>);

impl Default for Validator {
    fn default() -> Self {
        Validator::new()
    }
}

impl std::fmt::Debug for Validator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Validator")
            .field("layers", &self.0.layers)
            .finish_non_exhaustive()
    }
}

/// Makes a [`Validator`] that knows definitions.
pub struct Builder {
    layers: LayerSet,
    rules: Arc<BaseRules>,
    store: Store,
    canonicals: Canonicals,
    /// Code systems and value sets that are added.
    library: Arc<Library>,
    /// Who answers instead of the library.
    terminology: Option<Arc<dyn Terminology>>,
    resolver: Option<Arc<dyn Resolver>>,
    options: Options,
    now: Option<Zoned>,
    max_findings: usize,
}

impl Validator {
    /// The shape of the data only: structure and formats, by the static tables. Stops after 100 findings.
    pub fn new() -> Self {
        let inner = Inner {
            layers: LayerSet::SHAPE,
            store: Arc::default(),
            canonicals: Canonicals::default(),
            rules: None,
            library: None,
            own_terminology: None,
            terminology: None,
            resolver: None,
            options: Options::default(),
            path_limits: path::Limits::default(),
            now: None,
            max_findings: 100,
        };
        Validator(Arc::new(inner))
    }

    /// A validator with every layer, that knows the definitions of R4.
    pub fn builder() -> Builder {
        Builder {
            layers: LayerSet::ALL,
            rules: Arc::new(BaseRules::new()),
            store: Store::r4(),
            canonicals: Canonicals::default(),
            library: Arc::new(Library::over(Library::r4())),
            terminology: None,
            resolver: None,
            options: Options::default(),
            now: None,
            max_findings: 1_000,
        }
    }

    /// A builder of a validator that knows all that this one knows, and what is added. What this one has compiled is shared,
    /// so that it costs little: one for each tenant, or whenever a definition is added.
    pub fn extend(&self) -> Builder {
        let inner = &self.0;
        Builder {
            layers: inner.layers,
            rules: inner.rules.clone().unwrap_or_else(|| Arc::new(BaseRules::new())),
            store: Store::upon(Arc::clone(&inner.store)),
            canonicals: inner.canonicals.clone(),
            library: Arc::new(Library::over(inner.library.clone().unwrap_or_else(Library::r4))),
            terminology: inner.own_terminology.clone(),
            resolver: inner.resolver.clone(),
            options: inner.options.clone(),
            now: inner.now.clone(),
            max_findings: inner.max_findings,
        }
    }

    /// The code systems and value sets that it knows; `None` where it checks shape only.
    pub fn library(&self) -> Option<&Arc<Library>> {
        self.0.library.as_ref()
    }

    /// The same, but it stops after that many findings. What the validator has worked out so far is worked out again.
    pub fn with_max_findings(self, max: usize) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(inner) => Validator(Arc::new(Inner {
                max_findings: max,
                ..inner
            })),
            // Only a validator that is shared cannot be changed; it keeps its own limit.
            Err(shared) => Validator(shared),
        }
    }

    /// Everything that is wrong with the resource, up to the limit. No error among it means valid.
    pub fn validate(&self, resource: &Resource) -> Vec<Finding> {
        self.validate_against(resource, &[])
    }

    /// The same, also against profiles that the resource does not claim.
    pub fn validate_against(&self, resource: &Resource, profiles: &[String]) -> Vec<Finding> {
        let value = resource.as_complex();
        let mut run = Run::new(Place::new(value.type_info()), self.0.max_findings);
        walk::resource(&mut run, value, &self.0, profiles, walk::PlaceIn::default());
        run.findings
    }

    /// The type that a profile is about; `None` where it is not known.
    pub fn type_of(&self, canonical: &str) -> Option<String> {
        self.0.type_of_profile(canonical).map(str::to_owned)
    }

    /// The snapshot of a structure definition: as published, or generated from its differential; each element as JSON.
    ///
    /// # Errors
    /// The definition is not known, or its snapshot cannot be generated; why, in words.
    pub fn snapshot(&self, canonical: &str) -> Result<Vec<Value>, String> {
        let held = self
            .0
            .store
            .get(canonical)
            .ok_or_else(|| format!("{canonical} is not known"))?;
        let elements = held.snapshot(&mut Vec::new())?;
        Ok(elements.iter().cloned().map(Value::Object).collect())
    }

    /// URL and version of each structure definition that is known.
    pub fn structures(&self) -> Vec<(String, Option<String>)> {
        self.0.store.canonicals()
    }

    /// A structure definition as JSON text: what is built in has facts alone.
    pub fn structure_text(&self, canonical: &str) -> Option<String> {
        self.0.store.get(canonical).map(|held| held.text())
    }
}

impl Builder {
    /// Leaves a layer out.
    pub fn without(mut self, layer: Layer) -> Self {
        self.layers = self.layers.without(layer);
        self
    }

    /// Adds a conformance resource as JSON: a StructureDefinition, or another that is found by its url, such as a
    /// Questionnaire. Replaces one of the same url and version.
    pub fn definition(mut self, value: Value) -> Self {
        self.add(value);
        self
    }

    /// Adds a StructureDefinition of that url and version as its text in JSON, which is read when it is first asked for.
    /// Replaces one of the same url and version.
    pub fn structure(mut self, url: &str, version: Option<&str>, text: Arc<str>) -> Self {
        self.store.add_text(url, version, text);
        self
    }

    /// Adds a resource that is found by that url and version, such as a Questionnaire, and shares it. It is found before others of the
    /// same url.
    pub fn resource(mut self, url: &str, version: Option<&str>, resource: Arc<Resource>) -> Self {
        self.canonicals.share(url, version, resource);
        self
    }

    /// Notes that the library has a resource of that url and type, such as a ValueSet.
    pub fn held(mut self, url: &str, kind: &str) -> Self {
        self.canonicals.note(url, kind);
        self
    }

    fn add(&mut self, value: Value) {
        match value.get("resourceType").and_then(Value::as_str) {
            Some("StructureDefinition") => self.store.add(value),
            Some("CodeSystem" | "ValueSet" | "ConceptMap") => {
                let read = fhir_model::json::read(value.to_string().as_bytes(), &ReadOptions::lenient());
                self.canonicals.add(value);
                // What has no url is found by nobody.
                let _ = read.map(|read| self.library.add(read.value));
            }
            _ => self.canonicals.add(value),
        }
    }

    /// Adds UK Core: STU2 2.0.2, and as drafts, whose rules only warn, the profiles of STU3 on types that STU2 has none for.
    pub fn uk_core(mut self) -> Self {
        for (line, is_draft) in crate::uk_core::structures() {
            self.store.add_line(line, is_draft);
        }
        for line in crate::uk_core::terminology() {
            if let Ok(value) = serde_json::from_str(line) {
                self.add(value);
            }
        }
        self
    }

    /// Adds every definition of packages.
    pub fn package(mut self, package: crate::package::Package) -> Self {
        for value in package.resources {
            self.add(value);
        }
        self
    }

    /// Sets the library of code systems and value sets; what is added after this is added to it, and whoever shares it has
    /// that too.
    pub fn library(mut self, library: Arc<Library>) -> Self {
        self.library = library;
        self
    }

    /// Sets who answers about codes, instead of what is built in and added.
    pub fn terminology(mut self, terminology: Arc<dyn Terminology>) -> Self {
        self.terminology = Some(terminology);
        self
    }

    /// Sets who finds the targets of references.
    pub fn resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// Sets what is an error and what is not.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Sets what `now()` and `today()` of invariants answer.
    pub fn now(mut self, now: Zoned) -> Self {
        self.now = Some(now);
        self
    }

    /// Stops after that many findings; 1,000 without it.
    pub fn max_findings(mut self, max: usize) -> Self {
        self.max_findings = max;
        self
    }

    /// The validator.
    pub fn build(self) -> Validator {
        let library = self.library;
        let held = Arc::clone(&library) as Arc<dyn Terminology>;
        Validator(Arc::new(Inner {
            layers: self.layers,
            store: Arc::new(self.store),
            canonicals: self.canonicals,
            rules: Some(self.rules),
            library: Some(library),
            terminology: Some(self.terminology.clone().unwrap_or(held)),
            own_terminology: self.terminology,
            resolver: self.resolver,
            options: self.options,
            path_limits: path::Limits {
                steps: 2_000_000,
                ..path::Limits::default()
            },
            now: self.now,
            max_findings: self.max_findings,
        }))
    }
}

impl Inner {
    /// The base rules of a type, where base definitions are checked.
    pub(crate) fn rules_of(&self, info: &'static TypeInfo) -> Option<&TypeRules> {
        self.rules.as_ref()?.of(info, &self.store)
    }

    /// Whether more than shape is checked.
    pub(crate) fn is_full(&self) -> bool {
        self.rules.is_some()
    }

    /// The program of a profile, where it is known and can be used.
    pub(crate) fn program(&self, canonical: &str) -> Option<&Program> {
        match self.find_program(canonical) {
            Found::Program(program) => Some(program),
            _ => None,
        }
    }

    /// The program of a profile, or why there is none.
    pub(crate) fn find_program(&self, canonical: &str) -> Found<'_> {
        match self.store.get(canonical).map(|held| held.program()) {
            Some(Ok(program)) => Found::Program(program),
            Some(Err(reason)) => Found::Broken(reason),
            None => Found::Unknown,
        }
    }

    /// The type of the conformance resource of a canonical, where it is known.
    pub(crate) fn kind_of(&self, canonical: &str) -> Option<&str> {
        let structure = || {
            self.store
                .get_any_version(canonical)
                .map(|_| "StructureDefinition")
        };
        self.canonicals
            .kind(canonical)
            .or_else(structure)
            .or_else(|| self.store.kind_of_r4(canonical))
    }

    /// The type that a profile constrains or a definition defines.
    pub(crate) fn type_of_profile(&self, canonical: &str) -> Option<&str> {
        self.store
            .get_any_version(canonical)?
            .definition()
            .map(|d| d.type_name.as_str())
    }

    /// The type, where the canonical is that of a base type and no profile.
    pub(crate) fn type_of_base(&self, canonical: &str) -> Option<&str> {
        let definition = self.store.get_any_version(canonical)?.definition()?;
        (!definition.is_constraint).then_some(definition.type_name.as_str())
    }
}

impl path::Profiles for Inner {
    fn conforms_to(&self, value: &PathValue<'_>, profile: &str) -> Option<bool> {
        let Some(Node::Complex(complex)) = value.node() else {
            return None;
        };
        self.program(profile)?;
        let mut run = Run::new(Place::new(complex.type_info()), 10);
        Some(run.aside(complex.type_info(), |run| {
            crate::reference::fit_alone(run, self, complex, profile)
        }))
    }
}

impl path::Terminology for Inner {
    fn member_of(&self, coded: &PathValue<'_>, value_set: &str) -> Option<bool> {
        crate::binding::member_of(self.terminology.as_deref()?, value_set, coded)
    }

    fn subsumes(&self, _ancestor: &PathValue<'_>, _descendant: &PathValue<'_>) -> Option<bool> {
        None
    }
}
