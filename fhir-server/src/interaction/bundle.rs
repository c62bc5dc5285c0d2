//! Writes Bundles as JSON text: stored resources are copied into it, never parsed.

use crate::context::Millis;
use crate::error::{Error, Result};

/// A Bundle being written.
pub(super) struct BundleWriter {
    out: Vec<u8>,
    entries: usize,
}

/// The members of a JSON object being written.
pub(super) struct Members<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl BundleWriter {
    /// Begins a Bundle of that type, as of that time.
    pub(super) fn new(id: &str, bundle_type: &str, at: Millis) -> Result<Self> {
        let mut out = Vec::with_capacity(4096);
        out.extend_from_slice(b"{\"resourceType\":\"Bundle\"");
        let mut members = Members {
            out: &mut out,
            first: false,
        };
        members.text("id", id)?;
        members.object("meta", |meta| meta.text("lastUpdated", &at.to_instant()))?;
        members.text("type", bundle_type)?;
        Ok(BundleWriter { out, entries: 0 })
    }

    /// How many match in all, where that is known; then the links, by relation. Before the first entry.
    pub(super) fn total_and_links(&mut self, total: Option<u64>, links: &[(&str, String)]) -> Result<()> {
        let mut members = Members {
            out: &mut self.out,
            first: false,
        };
        if let Some(total) = total {
            members.raw("total", total.to_string().as_bytes());
        }
        if links.is_empty() {
            return Ok(());
        }
        self.out.extend_from_slice(b",\"link\":[");
        for (i, (relation, url)) in links.iter().enumerate() {
            if i > 0 {
                self.out.push(b',');
            }
            braces(&mut self.out, |link| {
                link.text("relation", relation)?;
                link.text("url", url)
            })?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// Adds an entry, whose members `write` adds.
    pub(super) fn entry(&mut self, write: impl FnOnce(&mut Members<'_>) -> Result<()>) -> Result<()> {
        self.out
            .extend_from_slice(if self.entries == 0 { b",\"entry\":[" } else { b"," });
        self.entries += 1;
        braces(&mut self.out, write)
    }

    /// The whole Bundle.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out
            .extend_from_slice(if self.entries == 0 { b"}" } else { b"]}" });
        self.out
    }
}

fn braces(out: &mut Vec<u8>, write: impl FnOnce(&mut Members<'_>) -> Result<()>) -> Result<()> {
    out.push(b'{');
    write(&mut Members { out, first: true })?;
    out.push(b'}');
    Ok(())
}

impl Members<'_> {
    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// A member whose value is JSON already.
    pub(super) fn raw(&mut self, name: &str, json: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(json);
    }

    /// A member whose value is a string.
    pub(super) fn text(&mut self, name: &str, value: &str) -> Result<()> {
        self.name(name);
        serde_json::to_writer(&mut *self.out, value).map_err(Error::internal)
    }

    /// A member whose value is an object, whose members `write` adds.
    pub(super) fn object(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut Members<'_>) -> Result<()>,
    ) -> Result<()> {
        self.name(name);
        braces(self.out, write)
    }
}
