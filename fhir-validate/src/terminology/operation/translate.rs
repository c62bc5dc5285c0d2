//! `ConceptMap/$translate` (<https://hl7.org/fhir/R4/conceptmap-operation-translate.html>).

use std::sync::Arc;

use fhir_model::{
    AnyValue, Coding, ConceptMap, ConceptMapGroup, ConceptMapGroupElementTarget, ConceptMapSource,
    ConceptMapTarget, Parameters, Primitive, Str,
};

use super::answer::Answer;
use super::input::Input;
use super::{Request, with_own_resources};
use crate::terminology::canonical;
use crate::terminology::issue::Refusal;
use crate::terminology::library::Library;

/// Concept maps that may pass a code on to each other by `unmapped.url`.
const MAX_HOPS: usize = 8;

/// Translates a code by the concept maps that are held.
///
/// # Errors
/// No code is given, or the concept map that is named is not held.
pub fn translate(request: &Request<'_>, parameters: &Parameters) -> Result<Parameters, Refusal> {
    let input = Input::new(parameters);
    let library = with_own_resources(&request.library, &input)?;
    let maps = maps(&library, &input)?;
    let codes = codes(&input)?;
    let reverse = input.boolean("reverse")? == Some(true);
    let target_system = input.text("targetsystem").or_else(|| input.text("targetSystem"));
    let mut matches = Vec::new();
    for code in &codes {
        for map in &maps {
            let translation = Translation {
                library: &library,
                code,
                reverse,
                target_system,
            };
            translation.by_map(map, 0, &mut matches);
        }
    }
    Ok(answer(matches))
}

/// A code to be translated.
struct Code<'a> {
    system: Option<&'a str>,
    version: Option<&'a str>,
    code: &'a str,
}

/// One match.
struct Match {
    equivalence: String,
    concept: Option<Coding>,
    products: Vec<(String, Coding)>,
    source: Option<String>,
}

fn answer(matches: Vec<Match>) -> Parameters {
    let mut answer = Answer::default();
    let is_match =
        |m: &Match| m.concept.is_some() && !matches!(m.equivalence.as_str(), "unmatched" | "disjoint");
    let result = matches.iter().any(is_match);
    answer.boolean("result", result);
    if !result {
        answer.string("message", "No concept map that is held translates the code");
    }
    for found in matches {
        let mut parts = Answer::default();
        parts.code("equivalence", &found.equivalence);
        if let Some(concept) = found.concept {
            parts.value("concept", AnyValue::Coding(Box::new(concept)));
        }
        for (element, concept) in found.products {
            let mut product = Answer::default();
            product.uri("element", &element);
            product.value("concept", AnyValue::Coding(Box::new(concept)));
            parts.parts("product", product);
        }
        if let Some(source) = found.source {
            parts.uri("source", &source);
        }
        answer.parts("match", parts);
    }
    answer.finish()
}

/// The concept maps to use: the one that comes with the request, the one it names, or all between the two value sets.
fn maps(library: &Library, input: &Input<'_>) -> Result<Vec<Arc<ConceptMap>>, Refusal> {
    if let Some(own) = input
        .resources("conceptMap")
        .find_map(fhir_model::Resource::get::<ConceptMap>)
    {
        return Ok(vec![Arc::new(own.clone())]);
    }
    let mut maps = library.concept_maps();
    if let Some(url) = input.text("url") {
        let (bare, in_url) = canonical::split(url);
        let version = input.text("conceptMapVersion").or(in_url);
        maps.retain(|m| m.url == *bare && version.is_none_or(|v| m.version == *v));
        maps.sort_by(|a, b| canonical::compare(b.version.as_str(), a.version.as_str()));
        maps.truncate(1);
        if maps.is_empty() {
            return Err(Refusal::not_found(format!("the concept map '{url}' is not held")));
        }
        return Ok(maps);
    }
    let of = |asked: Option<&str>, stated: Option<&str>| match (asked, stated) {
        (Some(asked), Some(stated)) => canonical::split(asked).0 == canonical::split(stated).0,
        (Some(_), None) => false,
        (None, _) => true,
    };
    maps.retain(|m| of(input.text("source"), source(m)) && of(input.text("target"), target(m)));
    Ok(maps)
}

fn source(map: &ConceptMap) -> Option<&str> {
    match map.source.as_ref()? {
        ConceptMapSource::Uri(uri) | ConceptMapSource::Canonical(uri) => uri.as_str(),
    }
}

fn target(map: &ConceptMap) -> Option<&str> {
    match map.target.as_ref()? {
        ConceptMapTarget::Uri(uri) | ConceptMapTarget::Canonical(uri) => uri.as_str(),
    }
}

fn codes<'a>(input: &Input<'a>) -> Result<Vec<Code<'a>>, Refusal> {
    let of = |coding: &'a Coding| {
        Some(Code {
            system: coding.system.as_str(),
            version: coding.version.as_str(),
            code: coding.code.as_str()?,
        })
    };
    let codes: Vec<Code<'a>> = if let Some(concept) = input.codeable_concept("codeableConcept") {
        concept.coding.iter().filter_map(of).collect()
    } else if let Some(coding) = input.coding("coding") {
        of(coding).into_iter().collect()
    } else {
        let code = input.text("code").map(|code| Code {
            system: input.text("system"),
            version: input.text("version"),
            code,
        });
        code.into_iter().collect()
    };
    if codes.is_empty() {
        return Err(Refusal::invalid(
            "the code is missing: give 'code' and 'system', 'coding', or 'codeableConcept'",
        ));
    }
    Ok(codes)
}

struct Translation<'a> {
    library: &'a Library,
    code: &'a Code<'a>,
    reverse: bool,
    target_system: Option<&'a str>,
}

impl Translation<'_> {
    fn by_map(&self, map: &ConceptMap, hops: usize, matches: &mut Vec<Match>) {
        for group in &map.group {
            let (from, version, to) = match self.reverse {
                true => (
                    group.target.as_str(),
                    &group.target_version,
                    group.source.as_str(),
                ),
                false => (
                    group.source.as_str(),
                    &group.source_version,
                    group.target.as_str(),
                ),
            };
            let is_other = |asked: Option<&str>, stated: Option<&str>| {
                asked.is_some_and(|asked| stated.is_some_and(|stated| stated != asked))
            };
            if is_other(self.code.system, from)
                || is_other(self.code.version, version.as_str())
                || is_other(self.target_system, to)
            {
                continue;
            }
            if self.reverse {
                self.backwards(map, group, matches);
            } else if !self.forwards(map, group, matches) {
                self.unmapped(map, group, hops, matches);
            }
        }
    }

    /// Adds the targets of the code; says whether the group has the code.
    fn forwards(&self, map: &ConceptMap, group: &ConceptMapGroup, matches: &mut Vec<Match>) -> bool {
        let mut found = false;
        for element in group.element.iter().filter(|e| e.code == *self.code.code) {
            found = true;
            matches.extend(element.target.iter().map(|target| {
                Match {
                    equivalence: target.equivalence.as_str().unwrap_or("equivalent").to_owned(),
                    concept: target
                        .code
                        .as_str()
                        .map(|_| concept(&group.target, &target.code, &target.display)),
                    products: products(target),
                    source: map.url.as_str().map(str::to_owned),
                }
            }));
        }
        found
    }

    fn backwards(&self, map: &ConceptMap, group: &ConceptMapGroup, matches: &mut Vec<Match>) {
        for element in &group.element {
            for target in element.target.iter().filter(|t| t.code == *self.code.code) {
                matches.push(Match {
                    equivalence: turned(target.equivalence.as_str().unwrap_or("equivalent")).to_owned(),
                    concept: Some(concept(&group.source, &element.code, &element.display)),
                    products: Vec::new(),
                    source: map.url.as_str().map(str::to_owned),
                });
            }
        }
    }

    /// What the group says to do with codes that it does not have.
    fn unmapped(&self, map: &ConceptMap, group: &ConceptMapGroup, hops: usize, matches: &mut Vec<Match>) {
        let Some(unmapped) = &group.unmapped else { return };
        let source = map.url.as_str().map(str::to_owned);
        let one = |equivalence: &str, code: Primitive<Str>, display: &Primitive<Str>| Match {
            equivalence: equivalence.to_owned(),
            concept: Some(concept(&group.target, &code, display)),
            products: Vec::new(),
            source: source.clone(),
        };
        match unmapped.mode.as_str() {
            Some("provided") => matches.push(one("equal", self.code.code.into(), &Primitive::default())),
            Some("fixed") => matches.push(one("inexact", unmapped.code.clone(), &unmapped.display)),
            Some("other-map") if hops < MAX_HOPS => {
                let (url, version) = canonical::split(unmapped.url.as_str().unwrap_or(""));
                let maps = self.library.concept_maps();
                let mut fitting = maps.iter().filter(|m| m.url == *url);
                if let Some(other) = fitting.find(|m| version.is_none_or(|v| m.version == *v)) {
                    self.by_map(other, hops + 1, matches);
                }
            }
            _ => {}
        }
    }
}

fn concept(system: &Primitive<Str>, code: &Primitive<Str>, display: &Primitive<Str>) -> Coding {
    Coding {
        system: system.clone(),
        code: code.clone(),
        display: display.clone(),
        ..Coding::default()
    }
}

fn products(target: &ConceptMapGroupElementTarget) -> Vec<(String, Coding)> {
    let products = target.product.iter().filter_map(|p| {
        let coding = concept(&p.system, &p.value, &p.display);
        Some((p.property.as_str()?.to_owned(), coding))
    });
    products.collect()
}

/// The equivalence seen from the other side.
fn turned(equivalence: &str) -> &str {
    match equivalence {
        "wider" => "narrower",
        "narrower" => "wider",
        "subsumes" => "specializes",
        "specializes" => "subsumes",
        other => other,
    }
}
