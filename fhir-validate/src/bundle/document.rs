//! Documents and messages: the first entry, and what it refers to, are in the Bundle
//! (<https://hl7.org/fhir/R4/documents.html#content>, <https://hl7.org/fhir/R4/messaging.html>).

use fhir_model::Bundle;
use fhir_model::reflect::{Complex, Node, Nodes};

use super::entries::{Entries, Hit};
use super::is_absolute;
use crate::layer::Layer;
use crate::place::{Step, complexes, text_of};
use crate::run::{Report, Run};

/// Elements of a Composition whose targets belong to the document.
const OF_COMPOSITION: [&str; 8] = [
    "subject",
    "encounter",
    "author",
    "party",
    "custodian",
    "detail",
    "focus",
    "entry",
];
/// Elements of a MessageHeader whose targets belong to the message.
const OF_MESSAGE: [&str; 7] = [
    "focus",
    "author",
    "enterer",
    "responsible",
    "sender",
    "receiver",
    "target",
];

pub(super) fn check(run: &mut Run, bundle: &Bundle, entries: &Entries<'_>, first: &str) {
    let entry = bundle.entry.first();
    let Some(resource) = entry.and_then(|e| e.resource.as_ref()).map(|r| r.as_complex()) else {
        let message = format!("the first entry must be a {first}");
        return run.report_in("entry[0]", Report::error(Layer::Bundle, message));
    };
    if resource.type_info().name != first {
        let message = format!(
            "the first entry must be a {first}, not a {}",
            resource.type_info().name
        );
        return run.report_in("entry[0].resource", Report::error(Layer::Bundle, message));
    }
    let full_url = entry.and_then(|e| e.full_url.as_str());
    let names: &[&str] = if first == "Composition" {
        &OF_COMPOSITION
    } else {
        &OF_MESSAGE
    };
    run.place.push(Step::named("entry", Some(0)));
    run.place.push(Step::named("resource", None));
    references(run, entries, resource, full_url, names, first);
    run.place.pop();
    run.place.pop();
}

/// Looks for references in the named elements, and in those of parts.
fn references(
    run: &mut Run,
    entries: &Entries<'_>,
    value: &dyn Complex,
    full_url: Option<&str>,
    names: &[&str],
    first: &str,
) {
    for (index, field) in value.type_info().fields.iter().enumerate() {
        if matches!(field.name, "contained" | "extension" | "modifierExtension") {
            continue;
        }
        for (position, node) in Nodes::of(value, index).enumerate() {
            let Node::Complex(inner) = node else { continue };
            run.place.push(Step::to(value, index, field, position));
            match inner.type_info().name {
                "Reference" if names.contains(&field.name) => reference(run, entries, inner, full_url, first),
                name if name.starts_with(first) => references(run, entries, inner, full_url, names, first),
                _ => {}
            }
            run.place.pop();
        }
    }
}

fn reference(run: &mut Run, entries: &Entries<'_>, value: &dyn Complex, full_url: Option<&str>, first: &str) {
    let Some(reference) = text_of(value, "reference").filter(|r| !r.starts_with('#')) else {
        return;
    };
    match entries.hit(reference, full_url) {
        Hit::One(_) => {}
        Hit::Many(count) => {
            let message = format!(
                "the reference {reference:?} has {count} matches in the Bundle; a fullUrl and version may occur once only"
            );
            run.report(Report::error(Layer::Bundle, message));
        }
        Hit::None => {
            let message = format!(
                "what the {first} refers to by {reference:?} is not in the Bundle{}",
                near(entries, reference)
            );
            let is_outside = is_absolute(reference) && !reference.starts_with("urn:");
            let report = if is_outside {
                Report::warning(Layer::Bundle, message)
            } else {
                Report::error(Layer::Bundle, message)
            };
            run.report(report);
        }
    }
}

/// A resource of that type and id is there under another fullUrl.
fn near(entries: &Entries<'_>, reference: &str) -> String {
    let Some((name, id)) = super::relative_parts(reference) else {
        return String::new();
    };
    let is_it = |r: &dyn Complex| r.type_info().name == name && text_of(r, "id") == Some(id);
    if entries.resources().any(is_it) {
        return format!("; a {name} with the id {id} is, but its fullUrl, or its version, is another");
    }
    let meta = entries
        .resources()
        .any(|r| complexes(r, "meta").any(|m| text_of(m, "versionId").is_some()));
    if meta {
        "; the versions of its entries were looked at".into()
    } else {
        String::new()
    }
}
