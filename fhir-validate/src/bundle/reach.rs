//! Documents: every entry belongs to the Composition by references, in either direction, or is its stylesheet
//! (<https://hl7.org/fhir/R4/documents.html#content>).
//!
//! Invariant: each resource is read once, however its references run in circles.

use std::collections::HashMap;

use fhir_model::Bundle;
use fhir_model::primitive::Scalar;
use fhir_model::reflect::{Complex, Node, Nodes};

use super::entries::Entries;
use crate::layer::Layer;
use crate::narrative::targets;
use crate::place::{Step, text_of};
use crate::run::{Report, Run};

/// Elements within elements that are looked into.
const DEPTH: usize = 64;

pub(super) fn check(run: &mut Run, bundle: &Bundle, entries: &Entries<'_>) {
    let mut links = Links {
        entries,
        joined: vec![Vec::new(); entries.len()],
        places: entries.places(),
    };
    let mut reached = vec![false; entries.len()];
    let mut waiting: Vec<usize> = (0..entries.len().min(1)).collect();
    stylesheets(run, bundle, &links, &mut waiting);
    for (at, (full_url, resource)) in entries.numbered() {
        links.of(at, full_url, resource, 0);
    }
    while let Some(at) = waiting.pop() {
        let Some(seen) = reached.get_mut(at).filter(|seen| !**seen) else {
            continue;
        };
        *seen = true;
        waiting.extend(links.joined.get(at).into_iter().flatten());
    }
    // The first entry is the Composition; another test tells where it is none.
    let unreached = reached.iter().enumerate().filter(|(_, reached)| !**reached);
    let numbers: Vec<usize> = unreached.map(|(at, _)| entries.entry_number(at)).collect();
    for number in numbers {
        let message = "no references lead from the Composition to this entry or back, so it does not belong in the document";
        run.within(Step::named("entry", Some(number)), |run| {
            run.report(Report::error(Layer::Bundle, message));
        });
    }
}

/// The stylesheets of the document; one that is named as of the same server is in it.
fn stylesheets(run: &mut Run, bundle: &Bundle, links: &Links<'_, '_>, waiting: &mut Vec<usize>) {
    let from = bundle.entry.first().and_then(|e| e.full_url.as_str());
    for (index, link) in bundle.link.iter().enumerate() {
        let Some(url) = link.url.as_str().filter(|_| link.relation == "stylesheet") else {
            continue;
        };
        let found = links.entries.positions(url, from);
        if found.is_empty() && !super::is_absolute(url) {
            let message = format!("the stylesheet {url:?} is not in the Bundle");
            run.within(Step::named("link", Some(index)), |run| {
                run.report_in("url", Report::error(Layer::Bundle, message));
            });
        }
        waiting.extend(found);
    }
}

/// Which entries refer to which.
struct Links<'e, 'a> {
    entries: &'e Entries<'a>,
    joined: Vec<Vec<usize>>,
    /// Entries by fullUrl.
    places: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Links<'_, 'a> {
    /// Notes all that a resource, or a part of it, leads to.
    fn of(&mut self, at: usize, full_url: Option<&'a str>, value: &'a dyn Complex, depth: usize) {
        if depth > DEPTH {
            return;
        }
        if value.type_info().name == "Reference"
            && let Some(reference) = text_of(value, "reference").filter(|r| !r.starts_with('#'))
        {
            for to in self.entries.positions(reference, full_url) {
                self.join(at, to);
            }
        }
        for node in (0..value.type_info().fields.len()).flat_map(|index| Nodes::of(value, index)) {
            match node {
                Node::Complex(inner) => self.of(at, full_url, inner, depth + 1),
                Node::Primitive(kind, primitive) => {
                    if let Some(Scalar::String(text)) = primitive.scalar() {
                        self.of_text(at, full_url, kind.name(), text);
                    }
                    if let Some(extras) = primitive.extras() {
                        self.of(at, full_url, extras, depth + 1);
                    }
                }
            }
        }
    }

    fn of_text(&mut self, at: usize, full_url: Option<&str>, kind: &str, text: &str) {
        match kind {
            "uri" | "url" | "canonical" => {
                for to in self.places.get(text).cloned().unwrap_or_default() {
                    self.join(at, to);
                }
            }
            "xhtml" => {
                let all = targets(text).filter(|target| !target.starts_with('#'));
                for to in all
                    .flat_map(|target| self.entries.positions(target, full_url))
                    .collect::<Vec<_>>()
                {
                    self.join(at, to);
                }
            }
            _ => {}
        }
    }

    fn join(&mut self, from: usize, to: usize) {
        for (a, b) in [(from, to), (to, from)] {
            if let Some(joined) = self.joined.get_mut(a).filter(|j| j.last() != Some(&b)) {
                joined.push(b);
            }
        }
    }
}
