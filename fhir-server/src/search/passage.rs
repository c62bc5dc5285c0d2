//! [`passages`]: the words of a resource as the full-text index keeps them (<https://hl7.org/fhir/R4/search.html#content>): those of its
//! narrative for `_text`, and with them those of all its other values for `_content`.
//!
//! Invariant: words of two values never stand beside each other. Invariant: passages follow from the resource alone.

use std::collections::HashMap;

use fhir_model::reflect::{Complex, Node, Nodes, PrimitiveType};
use fhir_model::{Resource, primitive::Scalar};

use super::narrative;
use super::words::words;
use crate::store::{GAP, Index, MAX_PHRASE, Passage, Section};

/// Words of a passage at most.
const MAX_WORDS: usize = 8_000;
/// How often one word may stand in a passage: PostgreSQL keeps no more places of a word.
const MAX_REPEATS: usize = 255;
/// Bytes of a passage at most.
const MAX_BYTES: usize = 256 * 1024;

/// The index of a resource with the words of its text, where they are kept.
pub(crate) fn with_words(index: Index, resource: &Resource, kept: bool) -> Index {
    match kept {
        true => index.with_passages(passages(resource)),
        false => index,
    }
}

/// The passages of a resource.
fn passages(resource: &Resource) -> Vec<Passage> {
    let mut narrative = Cutter::new(Section::Narrative);
    let mut rest = Cutter::new(Section::Rest);
    collect(resource.as_complex(), true, &mut narrative, &mut rest);
    let mut passages = narrative.finish();
    passages.extend(rest.finish());
    passages
}

/// The values of an element and all below it. `whole` is the resource itself.
fn collect(complex: &dyn Complex, whole: bool, narrative: &mut Cutter, rest: &mut Cutter) {
    let info = complex.type_info();
    for (index, field) in info.fields.iter().enumerate() {
        // What the server sets is no content.
        if info.name == "Meta" && ["versionId", "lastUpdated"].contains(&field.name) {
            continue;
        }
        // What a reference says of another resource is that one's content: who may not see it must not find it by its words.
        if info.name == "Reference" && field.name == "display" {
            continue;
        }
        for node in Nodes::of(complex, index) {
            match node {
                Node::Primitive(PrimitiveType::Base64Binary | PrimitiveType::Boolean, _) => {}
                Node::Primitive(PrimitiveType::Xhtml, value) => {
                    if let Some(Scalar::String(text)) = value.scalar() {
                        rest_or(narrative, rest, whole).add(&narrative::text(text));
                    }
                }
                Node::Primitive(_, value) => {
                    if let Some(text) = value.scalar().map(Scalar::text) {
                        rest.add(&text);
                    }
                }
                Node::Complex(inner) => {
                    let narrated = whole && field.name == "text" && inner.type_info().name == "Narrative";
                    collect(inner, narrated, narrative, rest);
                }
            }
        }
    }
}

fn rest_or<'c>(narrative: &'c mut Cutter, rest: &'c mut Cutter, narrated: bool) -> &'c mut Cutter {
    match narrated {
        true => narrative,
        false => rest,
    }
}

/// Cuts words into passages of bounded size, each of which begins with the last words of the one before, so that a phrase is whole in one.
struct Cutter {
    section: Section,
    done: Vec<Passage>,
    words: Vec<String>,
    bytes: usize,
    repeats: HashMap<String, usize>,
}

impl Cutter {
    fn new(section: Section) -> Self {
        Cutter {
            section,
            done: Vec::new(),
            words: Vec::new(),
            bytes: 0,
            repeats: HashMap::new(),
        }
    }

    fn add(&mut self, text: &str) {
        let words = words(text);
        if words.is_empty() {
            return;
        }
        if !self.words.is_empty() {
            self.push(GAP.to_owned());
        }
        words.into_iter().for_each(|word| self.push(word));
    }

    fn push(&mut self, word: String) {
        let repeats = self.repeats.get(&word).copied().unwrap_or_default();
        let is_full = self.words.len() >= MAX_WORDS || self.bytes + word.len() > MAX_BYTES;
        if is_full || (word != GAP && repeats >= MAX_REPEATS) {
            self.cut();
        }
        self.bytes += word.len() + 1;
        *self.repeats.entry(word.clone()).or_default() += 1;
        self.words.push(word);
    }

    fn cut(&mut self) {
        let words = std::mem::take(&mut self.words);
        let keep = words.len().saturating_sub(MAX_PHRASE - 1);
        self.done.push(self.passage(&words));
        self.bytes = 0;
        self.repeats.clear();
        for word in words.into_iter().skip(keep) {
            self.bytes += word.len() + 1;
            *self.repeats.entry(word.clone()).or_default() += 1;
            self.words.push(word);
        }
    }

    fn passage(&self, words: &[String]) -> Passage {
        let part = i32::try_from(self.done.len()).unwrap_or(i32::MAX);
        Passage::new(self.section, part, words.join(" "))
    }

    fn finish(mut self) -> Vec<Passage> {
        let words = std::mem::take(&mut self.words);
        if !words.is_empty() {
            self.done.push(self.passage(&words));
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir_model::json;

    fn of(json: &str) -> Vec<(Section, String)> {
        let resource: Resource = json::from_slice(json.as_bytes()).unwrap();
        let passages = passages(&resource).into_iter();
        passages
            .map(|p| (p.section(), p.words().replace(GAP, "|")))
            .collect()
    }

    #[test]
    fn the_narrative_stands_apart_and_all_else_counts_as_content() {
        let found = of(
            r#"{"resourceType":"Patient","id":"a","meta":{"versionId":"7","lastUpdated":"2026-01-01T00:00:00Z"},
            "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Bone <b>me</b>tastases</p><p>liver</p></div>"},
            "contained":[{"resourceType":"Organization","id":"o","text":{"status":"generated",
            "div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">inside</div>"},"name":"Acme Ltd"}],
            "active":true,"name":[{"family":"Ash","given":["Ann"]}],"photo":[{"data":"aGVsbG8="}]}"#,
        );
        assert_eq!(
            found,
            [
                (Section::Narrative, "bone metastases liver".to_owned()),
                (
                    Section::Rest,
                    "a | generated | o | generated | inside | acme ltd | ash | ann".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn what_is_said_beside_a_reference_is_content_of_what_it_refers_to() {
        let found = of(
            r#"{"resourceType":"Encounter","status":"planned","reasonReference":[{"reference":"Condition/1","display":"HIV clinic"}],
            "type":[{"coding":[{"display":"Visit"}]}]}"#,
        );
        assert_eq!(
            found,
            [(Section::Rest, "planned | visit | condition 1".to_owned())]
        );
    }

    #[test]
    fn a_long_text_is_cut_so_that_every_phrase_is_whole_somewhere() {
        let words: Vec<String> = (0..20_000).map(|n| format!("w{}", n % 9_000)).collect();
        let text = words.join(" ");
        let found = of(&format!(
            r#"{{"resourceType":"Basic","code":{{"text":"{text} {}"}}}}"#,
            "the ".repeat(600)
        ));
        assert!(found.len() > 3, "{}", found.len());
        for start in (0..words.len() - MAX_PHRASE).step_by(7) {
            let phrase = words[start..start + MAX_PHRASE].join(" ");
            assert!(found.iter().any(|(_, text)| text.contains(&phrase)), "{start}");
        }
        for (_, text) in &found {
            assert!(text.split(' ').count() <= MAX_WORDS && text.len() <= MAX_BYTES + 200);
            assert!(text.split(' ').filter(|word| *word == "the").count() <= MAX_REPEATS);
        }
    }
}
