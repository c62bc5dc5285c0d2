//! The bundle layer: what Bundles ask beyond their elements, and how references within them are resolved
//! (<https://hl7.org/fhir/R4/bundle.html#references>).

mod document;
mod entries;
mod reach;

pub(crate) use entries::Entries;

use fhir_model::Bundle;
use fhir_model::reflect::Complex;

use crate::layer::Layer;
use crate::place::{Step, text_of};
use crate::run::{Report, Run, Scope};

pub(crate) fn check(run: &mut Run, _scope: &Scope<'_>, value: &dyn Complex, entries: &Entries<'_>) {
    let Some(bundle) = value.as_any().downcast_ref::<Bundle>() else {
        return;
    };
    check_links(run, bundle);
    for (index, entry) in bundle.entry.iter().enumerate() {
        if let Some(url) = entry.full_url.as_str() {
            let resource = entry.resource.as_ref().map(|r| r.as_complex());
            let problem = full_url_problem(url, resource);
            if let Some(message) = problem {
                run.within(Step::named("entry", Some(index)), |run| {
                    run.report(Report::error(Layer::Bundle, message))
                });
            }
        }
    }
    match bundle.type_.as_str() {
        Some("document") => {
            document::check(run, bundle, entries, "Composition");
            reach::check(run, bundle, entries);
        }
        Some("message") => document::check(run, bundle, entries, "MessageHeader"),
        _ => {}
    }
}

/// A relation of a link occurs once, where it is one of paging.
fn check_links(run: &mut Run, bundle: &Bundle) {
    for (index, link) in bundle.link.iter().enumerate() {
        let Some(relation) = link.relation.as_str() else {
            continue;
        };
        let earlier = bundle.link.iter().take(index).any(|l| l.relation == relation);
        if earlier && matches!(relation, "self" | "first" | "prev" | "previous" | "next" | "last") {
            let message = format!("the link {relation:?} may occur once only");
            run.within(Step::named("link", Some(index)), |run| {
                run.report(Report::error(Layer::Bundle, message))
            });
        }
    }
}

/// What is wrong with the fullUrl of an entry.
fn full_url_problem(url: &str, resource: Option<&dyn Complex>) -> Option<String> {
    if let Some(uuid) = url.strip_prefix("urn:uuid:") {
        let groups = uuid.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
        let good = groups
            && uuid
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'));
        return (!good).then(|| format!("the fullUrl {url:?} is not a UUID in lower case"));
    }
    if !is_absolute(url) {
        return Some(format!("the fullUrl {url:?} must be absolute"));
    }
    let resource = resource?;
    let name = resource.type_info().name;
    // Only what has the look of a RESTful URL tells a type and an id.
    let named = rest_parts(url)?;
    match text_of(resource, "id") {
        Some(id) if named == (name, id) => None,
        Some(id) => Some(format!(
            "the fullUrl {url:?} has the form of a server's, so it must end with /{name}/{id}"
        )),
        None => Some(format!(
            "the fullUrl {url:?} has the form of a server's, but the resource has no id"
        )),
    }
}

/// Whether a URL has a scheme.
pub(crate) fn is_absolute(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}

/// The type and id that a URL of a RESTful server ends with.
pub(crate) fn rest_parts(url: &str) -> Option<(&str, &str)> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return None;
    }
    relative_parts(url)
}

/// The type and id at the end of a reference, its version aside.
pub(crate) fn relative_parts(reference: &str) -> Option<(&str, &str)> {
    let url = reference.split("/_history/").next().unwrap_or(reference);
    let (before, id) = url.rsplit_once('/')?;
    let name = before.rsplit('/').next()?;
    let known = fhir_model::Resource::TYPES.binary_search(&name).is_ok();
    (known && !id.is_empty()).then_some((name, id))
}
