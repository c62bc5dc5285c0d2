//! [`Searchset`]: a page as the Bundle it is sent as.

use super::contained::{self, Entry};
use crate::context::Millis;
use crate::error::Result;
use crate::interaction::bundle::{BundleWriter, Members};
use crate::interaction::subset::View;
use crate::store::{Found, Version};

/// All that is written.
pub(super) struct Searchset {
    pub(super) id: String,
    pub(super) at: Millis,
    pub(super) base: String,
    pub(super) view: View,
    /// How many match in all, where that is known.
    pub(super) total: Option<u64>,
    /// By relation.
    pub(super) links: Vec<(&'static str, String)>,
    pub(super) matches: Vec<Found>,
    /// What is shown of the matches, by their places.
    pub(super) entries: Vec<(usize, Entry)>,
    pub(super) included: Vec<Version>,
    /// What is told beside them.
    pub(super) outcome: Option<Vec<u8>>,
}

impl Searchset {
    /// The JSON.
    pub(super) fn write(&self) -> Result<Vec<u8>> {
        let (view, base) = (&self.view, self.base.as_str());
        let mut bundle = BundleWriter::new(&self.id, "searchset", self.at)?;
        bundle.total_and_links(self.total, &self.links)?;
        for (place, what) in &self.entries {
            let Some(found) = self.matches.get(*place) else {
                continue;
            };
            let version = &found.version;
            match what {
                Entry::Whole => bundle.entry(|members| entry(members, version, view, base, "match"))?,
                Entry::Part(id) => bundle.entry(|members| part(members, version, view, base, id))?,
            }
        }
        for version in &self.included {
            let view = view.of_included(version.key.resource_type.name());
            bundle.entry(|members| entry(members, version, &view, base, "include"))?;
        }
        if let Some(outcome) = &self.outcome {
            bundle.entry(|members| {
                members.raw("resource", outcome);
                members.object("search", |search| search.text("mode", "outcome"))
            })?;
        }
        Ok(bundle.finish())
    }
}

/// What a resource contains, as a match of its own.
fn part(members: &mut Members<'_>, version: &Version, view: &View, base: &str, id: &str) -> Result<()> {
    members.text("fullUrl", &format!("{base}/{}#{id}", version.key))?;
    if let Some(json) = contained::part(version, id)? {
        members.raw("resource", &view.apply(json)?);
    }
    members.object("search", |search| search.text("mode", "match"))
}

/// A resource.
pub(super) fn entry(
    members: &mut Members<'_>,
    version: &Version,
    view: &View,
    base: &str,
    mode: &str,
) -> Result<()> {
    members.text("fullUrl", &format!("{base}/{}", version.key))?;
    if let Some(body) = &version.body {
        members.raw(
            "resource",
            &view.apply(body.render(version.version, version.last_updated))?,
        );
    }
    members.object("search", |search| search.text("mode", mode))
}
