//! `ValueSet/$expand` (<https://hl7.org/fhir/R4/valueset-operation-expand.html>).
//!
//! Expansions are flat: `excludeNested` changes nothing. The identifier of an expansion is made of what it holds, so
//! that the pages of one expansion agree on it.

use std::collections::BTreeMap;

use fhir_model::{
    AnyValue, Coding, Decimal, Extension, Parameters, ValueSet, ValueSetComposeIncludeConceptDesignation,
    ValueSetExpansion, ValueSetExpansionContains,
};

use super::answer::of_value;
use super::input::Input;
use super::provenance::{identifier, repeated, string, unclosed, used};
use super::{Request, members, with_own_resources};
use crate::terminology::compose::Compiler;
use crate::terminology::display;
use crate::terminology::extension::{self, Sorted};
use crate::terminology::implicit;
use crate::terminology::issue::{Cause, Refusal, no_value_set, not_compiled};
use crate::terminology::language::Languages;
use crate::terminology::set::{Compiled, Hit};

/// Codes of an expansion that is not asked for by pages, and of one page.
const MAX_SHOWN: usize = 10_000;

/// The URI of each property that an expansion may state of its own accord.
const DEFINED: [(&str, &str); 5] = [
    ("definition", "http://hl7.org/fhir/concept-properties#definition"),
    ("label", "http://hl7.org/fhir/concept-properties#label"),
    ("order", "http://hl7.org/fhir/concept-properties#order"),
    ("status", "http://hl7.org/fhir/concept-properties#status"),
    ("weight", "http://hl7.org/fhir/concept-properties#itemWeight"),
];

/// Lists the codes of a value set.
///
/// # Errors
/// The value set is not given or not held, depends on something that is not held, or is too large to be listed at once.
pub fn expand(request: &Request<'_>, parameters: &Parameters) -> Result<ValueSet, Refusal> {
    let input = Input::new(parameters);
    let library = with_own_resources(&request.library, &input)?;
    let versions = input.versions();
    let definition = match input.value_set("valueSet") {
        Some(own) => std::sync::Arc::new(own.clone()),
        None => {
            let url = input.required("url")?;
            let (url, in_url) = crate::terminology::canonical::split(url);
            let version = input.text("valueSetVersion").or(in_url);
            let held = library.value_set(url, version);
            let held = held.or_else(|| implicit::value_set(&library, url).map(std::sync::Arc::new));
            held.ok_or_else(|| Refusal::new(Cause::NotFound, no_value_set(url)))?
        }
    };
    let mut compiler = Compiler::new(&library, &definition.contained, &versions);
    let compiled = compiler
        .value_set(&definition)
        .map_err(|error| not_compiled(&error))?;
    let mut languages = input.languages(request.accept_language)?;
    if let (true, Some(own)) = (languages.is_empty(), &compiled.language) {
        languages = Languages::parse(own).unwrap_or_default();
    }
    let view = View::new(&input, languages)?;
    let hits = view.page(&compiled)?;
    let expansion = view.expansion(&compiled, hits, &input, request);
    Ok(result(
        &definition,
        expansion,
        input.boolean("includeDefinition")?,
    ))
}

/// The value set with its expansion; its definition only where that is asked for.
fn result(definition: &ValueSet, expansion: ValueSetExpansion, whole: Option<bool>) -> ValueSet {
    let mut result = if whole == Some(true) {
        definition.clone()
    } else {
        ValueSet {
            url: definition.url.clone(),
            version: definition.version.clone(),
            name: definition.name.clone(),
            title: definition.title.clone(),
            status: definition.status.clone(),
            experimental: definition.experimental.clone(),
            date: definition.date.clone(),
            ..ValueSet::default()
        }
    };
    result.id = definition.id.clone();
    if result.status.as_str().is_none() {
        result.status = "unknown".into();
    }
    result.expansion = expansion.into();
    result
}

/// What a request asks to see of a value set.
struct View {
    languages: Languages,
    filter: Vec<String>,
    active_only: bool,
    for_ui: bool,
    designations: bool,
    /// Languages, or `system|code` of uses, of designations that are asked for; empty: all.
    designation: Vec<String>,
    properties: Vec<String>,
    offset: usize,
    count: Option<usize>,
    is_paged: bool,
}

/// A page: all codes, and those to show.
struct Page<'a> {
    all: Vec<Hit<'a>>,
    shown: std::ops::Range<usize>,
}

impl<'a> Page<'a> {
    fn shown(&self) -> &[Hit<'a>] {
        self.all.get(self.shown.clone()).unwrap_or_default()
    }
}

impl View {
    fn new(input: &Input<'_>, languages: Languages) -> Result<Self, Refusal> {
        let filter = input.text("filter").unwrap_or("").to_lowercase();
        let (offset, count) = (input.count("offset")?, input.count("count")?);
        let designation: Vec<String> = input.texts("designation").map(str::to_owned).collect();
        Ok(View {
            languages,
            filter: filter.split_whitespace().map(str::to_owned).collect(),
            active_only: input.boolean("activeOnly")? == Some(true),
            for_ui: input.boolean("excludeNotForUI")? == Some(true),
            designations: input.boolean("includeDesignations")? == Some(true) || !designation.is_empty(),
            designation,
            properties: input.texts("property").map(str::to_owned).collect(),
            offset: offset.unwrap_or(0),
            count,
            is_paged: offset.is_some() || count.is_some(),
        })
    }

    fn page<'a>(&self, compiled: &'a Compiled) -> Result<Page<'a>, Refusal> {
        let mut hits = members::of(compiled)?;
        hits.retain(|hit| {
            let hidden = (self.active_only && hit.is_inactive()) || (self.for_ui && hit.is_abstract());
            !hidden && self.has_text(hit)
        });
        let total = hits.len();
        let left = total.saturating_sub(self.offset);
        let count = self.count.unwrap_or(left).min(left);
        if count > MAX_SHOWN {
            return Err(members::too_costly(format!(
                "The value set '{}' has {total} codes, more than the {MAX_SHOWN} that are listed at once: ask by \
                 pages, with 'count' and 'offset', or with a 'filter'",
                compiled.label
            )));
        }
        let start = self.offset.min(total);
        Ok(Page {
            all: hits,
            shown: start..start.saturating_add(count).min(total),
        })
    }

    /// Whether each word of the filter is in the code, or in one of its displays.
    fn has_text(&self, hit: &Hit<'_>) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let system = hit.source.held().map(AsRef::as_ref);
        let displays = display::displays(system, hit.concept, Some(hit));
        let texts = displays.iter().map(|d| d.text).chain(hit.code());
        let texts: Vec<String> = texts.map(str::to_lowercase).collect();
        texts
            .iter()
            .any(|text| self.filter.iter().all(|word| text.contains(word)))
    }

    fn expansion(
        &self,
        compiled: &Compiled,
        page: Page<'_>,
        input: &Input<'_>,
        request: &Request<'_>,
    ) -> ValueSetExpansion {
        let mut declared = BTreeMap::new();
        let versions = page_versions(compiled);
        let contains: Vec<_> = page
            .shown()
            .iter()
            .map(|hit| self.contains(hit, versions, &mut declared))
            .collect();
        let mut extension: Vec<Extension> = unclosed(compiled);
        extension.extend(
            declared
                .into_iter()
                .map(|(code, uri)| declared_property(&code, uri)),
        );
        let mut parameter = repeated(input);
        if !self.languages.is_empty() {
            parameter.push(string("displayLanguage", self.languages.text()));
        }
        parameter.extend(used(compiled));
        let offset = i32::try_from(self.offset).unwrap_or(i32::MAX);
        ValueSetExpansion {
            identifier: identifier(&compiled.label, &parameter, &page.all).into(),
            timestamp: request.now.clone().into(),
            total: i32::try_from(page.all.len()).unwrap_or(i32::MAX).into(),
            offset: if self.is_paged {
                offset.into()
            } else {
                Default::default()
            },
            extension,
            parameter,
            contains,
            ..ValueSetExpansion::default()
        }
    }

    fn contains(
        &self,
        hit: &Hit<'_>,
        versions: bool,
        declared: &mut BTreeMap<String, Option<String>>,
    ) -> ValueSetExpansionContains {
        let system = hit.source.held().map(AsRef::as_ref);
        let displays = display::displays(system, hit.concept, Some(hit));
        let own = hit.listed.and_then(|l| l.display.as_deref());
        let shown = match own.filter(|_| self.languages.is_empty()) {
            Some(own) => Some(own),
            None => display::best(&displays, &self.languages),
        };
        let yes = |yes: bool| if yes { true.into() } else { Default::default() };
        let version = hit.source.version().filter(|_| versions);
        let mut extension = extensions(hit);
        extension.extend(self.property_extensions(hit, declared));
        ValueSetExpansionContains {
            extension,
            system: hit.source.url().into(),
            version: version.map(Into::into).unwrap_or_default(),
            abstract_: yes(hit.is_abstract()),
            inactive: yes(hit.is_inactive()),
            code: hit.code().unwrap_or("").into(),
            display: shown.map(Into::into).unwrap_or_default(),
            designation: if self.designations {
                self.designation(hit)
            } else {
                Vec::new()
            },
            ..ValueSetExpansionContains::default()
        }
    }

    fn designation(&self, hit: &Hit<'_>) -> Vec<ValueSetComposeIncludeConceptDesignation> {
        let mut found = Vec::new();
        if let Some((system, index)) = hit.source.held().zip(hit.concept) {
            found.extend(system.designations(index).map(|d| {
                let use_: Option<Box<Coding>> = d.use_.map(|u| Box::new(u.clone()));
                ValueSetComposeIncludeConceptDesignation {
                    extension: d.extension.to_vec(),
                    language: d.language.map(Into::into).unwrap_or_default(),
                    use_,
                    value: d.value.into(),
                    ..ValueSetComposeIncludeConceptDesignation::default()
                }
            }));
        }
        for designation in hit.listed.map_or(&[][..], |l| &l.designations) {
            let mut designation = designation.clone();
            designation.extension = extension::kept_of_designation(&designation.extension);
            found.push(designation);
        }
        found.retain(|d| {
            self.designation.is_empty() || self.designation.iter().any(|asked| is_asked(asked, d))
        });
        found
    }

    fn property_extensions(
        &self,
        hit: &Hit<'_>,
        declared: &mut BTreeMap<String, Option<String>>,
    ) -> Vec<Extension> {
        let mut values: BTreeMap<String, Vec<AnyValue>> = BTreeMap::new();
        if let Some((system, index)) = hit.source.held().zip(hit.concept) {
            for (code, value) in system.values(index) {
                let asked = self.properties.iter().any(|p| p == code || p == "*");
                if asked || matches!(code, "label" | "order" | "weight") {
                    values.entry(code.to_owned()).or_default().push(of_value(value));
                }
            }
            let defined = system.definition(index);
            let asked = self.properties.iter().any(|p| p == "definition");
            if let Some(definition) = defined.filter(|_| asked) {
                let value = AnyValue::String(definition.into());
                values.insert("definition".to_owned(), vec![value]);
            }
            if let Some(status) = system.status(index).filter(|s| *s != "active") {
                values.insert("status".to_owned(), vec![AnyValue::Code(status.into())]);
            }
            for code in values.keys() {
                let own = system.head.properties.iter().find(|(c, _)| c == code);
                let uri = own.and_then(|(_, uri)| uri.clone());
                declared.entry(code.clone()).or_insert(uri);
            }
        }
        for (code, value) in hit.listed.map_or(&[][..], |l| &l.sorted) {
            values.insert((*code).to_owned(), vec![sorted_value(value)]);
            declared.entry((*code).to_owned()).or_insert(None);
        }
        let all = values.into_iter();
        all.flat_map(|(code, values)| values.into_iter().map(move |v| property(&code, v)))
            .collect()
    }
}

fn sorted_value(value: &Sorted) -> AnyValue {
    match value {
        Sorted::Text(text) => AnyValue::String(text.as_str().into()),
        Sorted::Number(number) => match number.parse::<Decimal>() {
            Ok(number) => AnyValue::Decimal(number.into()),
            Err(_) => AnyValue::String(number.as_str().into()),
        },
    }
}

fn property(code: &str, value: AnyValue) -> Extension {
    Extension {
        url: Some(extension::CONTAINS_PROPERTY.into()),
        extension: vec![
            extension::new("code", AnyValue::Code(code.into())),
            extension::new("value", value),
        ],
        ..Extension::default()
    }
}

fn declared_property(code: &str, uri: Option<String>) -> Extension {
    let defined = DEFINED
        .iter()
        .find(|(c, _)| *c == code)
        .map(|(_, uri)| (*uri).to_owned());
    let uri = defined.or(uri);
    let mut parts = vec![extension::new("code", AnyValue::Code(code.into()))];
    parts.extend(uri.map(|uri| extension::new("uri", AnyValue::Uri(uri.into()))));
    Extension {
        url: Some(extension::PROPERTY.into()),
        extension: parts,
        ..Extension::default()
    }
}

/// Those of the code system, then those of the value set, which replace them.
fn extensions(hit: &Hit<'_>) -> Vec<Extension> {
    let mut found = hit.listed.map(|l| l.extensions.clone()).unwrap_or_default();
    if let Some((system, index)) = hit.source.held().zip(hit.concept) {
        let own = system.extensions(index).iter();
        let new: Vec<_> = own
            .filter(|x| !found.iter().any(|f| f.url == x.url))
            .cloned()
            .collect();
        found.extend(new);
    }
    found
}

/// Whether a designation is of the language or the use asked for.
fn is_asked(asked: &str, designation: &ValueSetComposeIncludeConceptDesignation) -> bool {
    let (system, code) = asked.rsplit_once('|').unwrap_or(("", asked));
    if system.is_empty() || system == "urn:ietf:bcp:47" {
        let languages = Languages::parse(code).unwrap_or_default();
        return designation
            .language
            .as_str()
            .is_some_and(|l| languages.rank(l).is_some());
    }
    let use_ = designation.use_.as_ref();
    use_.is_some_and(|u| u.system == *system && u.code == *code)
}

/// Whether two versions of one code system are in it, so that each code must say of which it is.
fn page_versions(compiled: &Compiled) -> bool {
    let sources = compiled.sources();
    sources.iter().enumerate().any(|(at, source)| {
        sources
            .iter()
            .skip(at + 1)
            .any(|other| other.url() == source.url() && other.version() != source.version())
    })
}
