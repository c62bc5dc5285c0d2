//! [`Entries`]: the resources of a Bundle, found by their fullUrl.

use std::collections::HashMap;

use fhir_model::reflect::Complex;
use fhir_model::{Bundle, Resource};

use super::{is_absolute, relative_parts, rest_parts};
use crate::place::{complexes, text_of};

/// The entries of a Bundle that have resources.
pub(crate) struct Entries<'a> {
    all: Vec<(Option<&'a str>, &'a Resource)>,
    /// The number of each among the entries of the Bundle.
    numbers: Vec<usize>,
    by_url: HashMap<&'a str, Namesakes<'a>>,
    /// By type and id.
    by_id: HashMap<&'a str, HashMap<&'a str, Namesakes<'a>>>,
}

/// The positions of entries that share a name, so that no reference has to look through them.
#[derive(Default)]
struct Namesakes<'a> {
    all: Vec<usize>,
    by_version: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Namesakes<'a> {
    fn push(&mut self, position: usize, version: Option<&'a str>) {
        self.all.push(position);
        if let Some(version) = version {
            self.by_version.entry(version).or_default().push(position);
        }
    }
}

/// What a reference leads to within a Bundle.
pub(crate) enum Hit<'a> {
    None,
    One(&'a Resource),
    /// Several, and nothing tells which is meant.
    Many(usize),
}

impl<'a> Entries<'a> {
    /// The entries, if the value is a Bundle.
    pub(crate) fn of(value: &'a dyn Complex) -> Option<Entries<'a>> {
        let bundle = value.as_any().downcast_ref::<Bundle>()?;
        let mut entries = Entries {
            all: Vec::new(),
            numbers: Vec::new(),
            by_url: HashMap::new(),
            by_id: HashMap::new(),
        };
        for (number, entry) in bundle.entry.iter().enumerate() {
            let Some(resource) = &entry.resource else { continue };
            let url = entry.full_url.as_str();
            let (position, version) = (entries.all.len(), version_of(resource));
            if let Some(url) = url {
                entries.by_url.entry(url).or_default().push(position, version);
            }
            if let Some(id) = text_of(resource.as_complex(), "id") {
                let named = entries.by_id.entry(resource.type_name()).or_default();
                named.entry(id).or_default().push(position, version);
            }
            entries.all.push((url, resource));
            entries.numbers.push(number);
        }
        Some(entries)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The number of a resource's entry among all entries of the Bundle.
    pub(super) fn entry_number(&self, position: usize) -> usize {
        self.numbers.get(position).copied().unwrap_or(position)
    }

    /// Each with its position and fullUrl.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, (Option<&'a str>, &'a dyn Complex))> {
        let plain = |(url, resource): &(Option<&'a str>, &'a Resource)| (*url, resource.as_complex());
        self.all.iter().map(plain).enumerate()
    }

    /// The positions of all that have that very fullUrl.
    pub(super) fn of_url(&self, url: &str) -> &[usize] {
        self.by_url
            .get(url)
            .map(|named| named.all.as_slice())
            .unwrap_or_default()
    }

    /// The positions of all that a reference in the entry of that fullUrl may mean, whatever their versions.
    pub(super) fn positions(&self, reference: &str, from: Option<&str>) -> &[usize] {
        let plain = reference.split(['#', '|']).next().unwrap_or(reference);
        let named = self.namesakes(plain.split("/_history/").next().unwrap_or(plain), from);
        named.map(|named| named.all.as_slice()).unwrap_or_default()
    }

    /// Entries without a fullUrl are known by type and id, to entries that have none either.
    fn namesakes(&self, url: &str, from: Option<&str>) -> Option<&Namesakes<'a>> {
        if is_absolute(url) {
            return self.by_url.get(url);
        }
        if let Some(base) = from.and_then(base_of) {
            return self.by_url.get(format!("{base}{url}").as_str());
        }
        let (name, id) = relative_parts(url).filter(|_| from.is_none())?;
        self.by_id.get(name)?.get(id)
    }

    /// The resources.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &'a dyn Complex> {
        self.all.iter().map(|(_, resource)| resource.as_complex())
    }

    /// The fullUrl of the entry that holds that very resource.
    pub(crate) fn full_url_of(&self, value: &dyn Complex) -> Option<&'a str> {
        self.all
            .iter()
            .find(|(_, r)| std::ptr::addr_eq(r.as_complex(), value))?
            .0
    }

    /// The one resource that a reference in the entry of that fullUrl leads to.
    pub(crate) fn find(&self, reference: &str, from: Option<&str>) -> Option<&'a dyn Complex> {
        self.resource(reference, from).map(Resource::as_complex)
    }

    /// The one resource that a reference in the entry of that fullUrl leads to.
    pub(crate) fn resource(&self, reference: &str, from: Option<&str>) -> Option<&'a Resource> {
        match self.hit(reference, from) {
            Hit::One(resource) => Some(resource),
            Hit::None | Hit::Many(_) => None,
        }
    }

    /// What a reference in the entry of that fullUrl leads to.
    pub(crate) fn hit(&self, reference: &str, from: Option<&str>) -> Hit<'a> {
        let reference = reference.split('#').next().unwrap_or(reference);
        let (url, version) = match reference.split_once("/_history/") {
            Some((url, version)) => (url, Some(version)),
            None => (reference, None),
        };
        let named = self.namesakes(url, from);
        let fitting = named.and_then(|named| match version {
            Some(version) => named.by_version.get(version),
            None => Some(&named.all),
        });
        match fitting.map(Vec::as_slice).unwrap_or_default() {
            [] => Hit::None,
            [one] => self
                .all
                .get(*one)
                .map_or(Hit::None, |(_, resource)| Hit::One(resource)),
            several => Hit::Many(several.len()),
        }
    }
}

/// The base of a RESTful fullUrl, with its slash.
fn base_of(full_url: &str) -> Option<&str> {
    let (name, id) = rest_parts(full_url)?;
    let url = full_url.split("/_history/").next().unwrap_or(full_url);
    url.strip_suffix(id)?.strip_suffix('/')?.strip_suffix(name)
}

fn version_of(resource: &Resource) -> Option<&str> {
    complexes(resource.as_complex(), "meta")
        .next()
        .and_then(|m| text_of(m, "versionId"))
}
