//! The narrative layer: links of narratives lead somewhere, and what profiles ask of languages and sources
//! (<https://hl7.org/fhir/R4/narrative.html>).
//!
//! The allow-list of elements and attributes is in the invariant `txt-1`, which the FHIRPath function `htmlChecks()` tests.

use fhir_model::reflect::{Complex, Node, Nodes};

use crate::layer::Layer;
use crate::place::{complexes, text_of};
use crate::program::{NarrativeRule, Program};
use crate::run::{Report, Run, Scope};

/// The namespace of narratives.
const XHTML: &str = "http://www.w3.org/1999/xhtml";
/// Schemes that a reader of a narrative can follow.
const SCHEMES: [&str; 9] = [
    "http", "https", "mailto", "tel", "sms", "data", "ftp", "cid", "fax",
];

pub(crate) fn check(run: &mut Run, scope: &Scope<'_>, resource: &dyn Complex) {
    let Some(div) = div_of(resource) else { return };
    let is_xhtml = tags(div).next().is_some_and(|root| {
        root.name.contains(':')
            || root
                .attributes()
                .any(|(name, value)| name == "xmlns" && value == XHTML)
    });
    if !is_xhtml && !div.trim().is_empty() {
        let message = format!("a narrative is XHTML: its div has the namespace {XHTML} (xmlns)");
        run.report_in("text.div", Report::error(Layer::Narrative, message));
    }
    for tag in tags(div) {
        for (name, target) in tag.attributes() {
            if matches!(name, "href" | "src") {
                check_link(run, scope, resource, target, tag.name == "img");
            }
        }
    }
}

/// What the links and images of a narrative lead to.
pub(crate) fn targets(div: &str) -> impl Iterator<Item = &str> {
    let is_link = |(name, _): &(&str, &str)| matches!(*name, "href" | "src");
    tags(div)
        .flat_map(|tag| tag.attributes())
        .filter(is_link)
        .map(|(_, target)| target)
}

fn div_of(resource: &dyn Complex) -> Option<&str> {
    text_of(complexes(resource, "text").next()?, "div")
}

fn check_link(run: &mut Run, scope: &Scope<'_>, resource: &dyn Complex, target: &str, is_image: bool) {
    if let Some(id) = target.strip_prefix('#') {
        let outermost = scope.container.unwrap_or(resource);
        let is_there = id.is_empty()
            || has_anchor(resource, id)
            || has_anchor(outermost, id)
            || scope
                .bundle
                .is_some_and(|b| b.resources().any(|r| has_anchor(r, id)));
        if !is_there {
            let message = format!(
                "the link {target:?} leads to nothing: no element of the narrative has that id or name"
            );
            run.report_in("text.div", Report::error(Layer::Narrative, message));
        }
        return;
    }
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    let Some(scheme) = scheme.filter(|s| {
        !s.is_empty()
            && s.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    }) else {
        return;
    };
    if !is_image && !SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
        let message = format!(
            "the link {target:?} cannot be followed: use one of {}",
            SCHEMES.join(", ")
        );
        run.report_in("text.div", Report::error(Layer::Narrative, message));
    }
}

/// Whether a resource has an element, a contained resource or an anchor of that id.
fn has_anchor(resource: &dyn Complex, id: &str) -> bool {
    let in_text = |div: &str| {
        tags(div).any(|tag| {
            tag.attributes()
                .any(|(name, value)| matches!(name, "id" | "name") && value == id)
        })
    };
    div_of(resource).is_some_and(in_text) || has_id(resource, id, 0)
}

fn has_id(value: &dyn Complex, id: &str, depth: usize) -> bool {
    if depth > 64 {
        return false;
    }
    let fields = 0..value.type_info().fields.len();
    text_of(value, "id") == Some(id)
        || fields.flat_map(|i| Nodes::of(value, i)).any(|node| match node {
            Node::Complex(inner) => has_id(inner, id, depth + 1),
            Node::Primitive(_, primitive) => primitive.extras().is_some_and(|e| e.id.as_deref() == Some(id)),
        })
}

/// Checks what extensions of a profile ask of the narrative.
pub(crate) fn controlled(run: &mut Run, program: &Program, rule: &NarrativeRule, resource: &dyn Complex) {
    let Some(div) = div_of(resource) else { return };
    let about = |message: String| Report::error(Layer::Narrative, message).rule(program.url.as_str());
    let sections = sections(div);
    let languages: Vec<&str> = sections.iter().filter_map(|s| s.language).collect();
    let language = text_of(resource, "language");
    let by = &program.canonical;
    let problem = match rule.language.as_deref() {
        Some("_no") if !languages.is_empty() => Some(format!(
            "the narrative has sections by language, which the profile {by} prohibits"
        )),
        Some("_yes") if languages.is_empty() => Some(format!(
            "the narrative has no sections by language, which the profile {by} requires"
        )),
        Some("_resource") if !language.is_some_and(|l| languages.contains(&l)) => Some(format!(
            "the narrative has no section in the resource's language, which the profile {by} requires"
        )),
        Some(wanted) if !wanted.starts_with('_') && !languages.contains(&wanted) => Some(format!(
            "the narrative has no section in the language {wanted:?}, which the profile {by} requires"
        )),
        _ => None,
    };
    if let Some(message) = problem {
        run.report_in("text", about(message));
    }
    if rule.source.is_some() && (sections.iter().any(|s| !s.has_source) || has_loose_text(div)) {
        let message = format!(
            "a part of the narrative has no class that tells its source (boilerplate, generated, original), which the profile {by} requires"
        );
        run.report_in("text", about(message));
    }
}

/// A section of a narrative: an element directly below its div.
struct Section<'d> {
    language: Option<&'d str>,
    has_source: bool,
}

fn sections(div: &str) -> Vec<Section<'_>> {
    let mut depth = 0usize;
    let mut all = Vec::new();
    for tag in tags(div) {
        if tag.is_end {
            depth = depth.saturating_sub(1);
            continue;
        }
        if depth == 1 {
            let find = |wanted: &str| {
                tag.attributes()
                    .find(|(name, _)| *name == wanted)
                    .map(|(_, value)| value)
            };
            let class = find("class").unwrap_or_default();
            all.push(Section {
                language: find("lang").or_else(|| find("xml:lang")),
                has_source: class
                    .split_ascii_whitespace()
                    .any(|c| matches!(c, "boilerplate" | "generated" | "original")),
            });
        }
        if !tag.is_empty {
            depth += 1;
        }
    }
    all
}

/// Whether there is text directly below the div.
fn has_loose_text(div: &str) -> bool {
    let (mut depth, mut rest) = (0usize, div);
    while let Some((before, after)) = rest.split_once('<') {
        if depth == 1 && !before.trim().is_empty() {
            return true;
        }
        let Some((inside, following)) = after.split_once('>') else {
            return false;
        };
        if inside.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if !inside.ends_with('/') && !inside.starts_with(['!', '?']) {
            depth += 1;
        }
        rest = following;
    }
    false
}

/// A tag of a narrative, which is well-formed.
struct Tag<'d> {
    name: &'d str,
    inside: &'d str,
    is_end: bool,
    is_empty: bool,
}

impl<'d> Tag<'d> {
    /// Names and values, entities not replaced.
    fn attributes(&self) -> impl Iterator<Item = (&'d str, &'d str)> + use<'d> {
        let mut rest = self.inside;
        std::iter::from_fn(move || {
            let (name, after) = rest.split_once('=')?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let (value, following) = after.get(1..)?.split_once(quote)?;
            rest = following;
            Some((name.trim(), value))
        })
    }
}

fn tags(div: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut rest = div;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once('<')?;
            if let Some(comment) = after.strip_prefix("!--") {
                rest = comment.split_once("-->")?.1;
                continue;
            }
            let end = end_of_tag(after)?;
            let (inside, following) = (after.get(..end)?, after.get(end + 1..)?);
            rest = following;
            let is_end = inside.starts_with('/');
            let is_empty = inside.ends_with('/');
            let inside = inside.trim_matches('/');
            let (name, inside) = inside
                .split_once(|c: char| c.is_ascii_whitespace())
                .unwrap_or((inside, ""));
            return Some(Tag {
                name,
                inside,
                is_end,
                is_empty,
            });
        }
    })
}

/// The first `>` outside quotes.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (index, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(index),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}
