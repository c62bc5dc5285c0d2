//! Documents: every entry belongs to the Composition by references, in either direction, or is its stylesheet
//! (<https://hl7.org/fhir/R4/documents.html#content>).
//!
//! Invariant: each resource is read once, however its references run in circles, and what many references lead to is joined once.

use std::collections::HashSet;

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
        parents: (0..entries.len()).collect(),
        joined: HashSet::new(),
    };
    // The first entry is the Composition; another test tells where it is none.
    stylesheets(run, bundle, &mut links);
    for (at, (full_url, resource)) in entries.numbered() {
        links.of(at, full_url, resource, 0);
    }
    let composition = links.root(0);
    for at in 0..entries.len() {
        if links.root(at) == composition {
            continue;
        }
        let message = "no references lead from the Composition to this entry or back, so it does not belong in the document";
        run.within(Step::named("entry", Some(entries.entry_number(at))), |run| {
            run.report(Report::error(Layer::Bundle, message));
        });
    }
}

/// The stylesheets of the document; one that is named as of the same server is in it.
fn stylesheets(run: &mut Run, bundle: &Bundle, links: &mut Links<'_, '_>) {
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
        links.join(0, found);
    }
}

/// Which entries are joined by references: each has another of the same as its parent, but for one.
struct Links<'e, 'a> {
    entries: &'e Entries<'a>,
    parents: Vec<usize>,
    /// The lists of entries that are joined among themselves already.
    joined: HashSet<*const usize>,
}

impl<'e, 'a> Links<'e, 'a> {
    /// Notes all that a resource, or a part of it, leads to.
    fn of(&mut self, at: usize, full_url: Option<&'a str>, value: &'a dyn Complex, depth: usize) {
        if depth > DEPTH {
            return;
        }
        if value.type_info().name == "Reference"
            && let Some(reference) = text_of(value, "reference").filter(|r| !r.starts_with('#'))
        {
            self.join(at, self.entries.positions(reference, full_url));
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
            "uri" | "url" | "canonical" => self.join(at, self.entries.of_url(text)),
            "xhtml" => {
                for target in targets(text).filter(|target| !target.starts_with('#')) {
                    self.join(at, self.entries.positions(target, full_url));
                }
            }
            _ => {}
        }
    }

    /// Joins an entry with all that one reference of it may mean.
    fn join(&mut self, from: usize, to: &'e [usize]) {
        let Some((first, others)) = to.split_first() else {
            return;
        };
        self.unite(from, *first);
        if self.joined.insert(to.as_ptr()) {
            others.iter().for_each(|other| self.unite(*first, *other));
        }
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(parent) = self.parents.get_mut(a.max(b)) {
            *parent = a.min(b);
        }
    }

    /// The one that stands for all that an entry is joined with.
    fn root(&mut self, mut at: usize) -> usize {
        while let Some(parent) = self.parents.get(at).copied().filter(|parent| *parent != at) {
            // The way is halved, so that the next is short.
            let above = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(shorter) = self.parents.get_mut(at) {
                *shorter = above;
            }
            at = above;
        }
        at
    }
}
