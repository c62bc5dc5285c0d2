//! From the text received to the [`StoredBody`]: one pass that copies, drops white space and makes few changes.
//!
//! Changed are `id`, `meta.versionId` and `meta.lastUpdated`, and the strings that the caller names as edits. All else
//! (key order, strings and their escapes, numbers) is copied byte for byte.
//!
//! The stamp's place depends on the text alone: just inside a `meta` that has other members; else right after `id`; else
//! (where `id` is the last member) right before it. So sending back what a read gave stores the same bytes again.
//!
//! Invariant: nothing here parses; the spans come from the one reading of the text.

use std::ops::Range;

use fhir_model::json::{MetaSpan, ResourceSpan, compact};

use super::Part;
use crate::error::{Error, Result};
use crate::store::{StampForm, StoredBody};

/// A string literal of the text to be replaced, quotes included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// Its place in the text.
    pub(crate) span: Range<usize>,
    /// What stands there instead: JSON.
    pub(crate) text: Vec<u8>,
}

/// The stored form of a resource under that id. `edits` are in the order of the text.
pub(crate) fn stored_body(part: &Part<'_>, id: &str, edits: &[Edit]) -> Result<StoredBody> {
    let id_member = format!("\"id\":\"{id}\"").into_bytes();
    let mut copy = Copy {
        text: part.text,
        at: part.span.span.start,
        out: Vec::with_capacity(part.span.span.len()),
    };
    let mut stamp = None;
    let mut id_at = None;
    for change in changes(part.span, edits) {
        match change {
            Change::Id(span) => {
                copy.up_to(span.start)?;
                id_at = Some(copy.out.len());
                copy.replace(span, &id_member)?;
            }
            Change::IdAfterType(at) => {
                copy.up_to(at)?;
                copy.out.push(b',');
                id_at = Some(copy.out.len());
                copy.out.extend_from_slice(&id_member);
            }
            Change::DropMember(span) => copy.drop_member(span)?,
            Change::MetaOpens(at) => {
                copy.up_to(at)?;
                stamp = Some((copy.out.len(), StampForm::Inside));
            }
            Change::Text(edit) => copy.replace(edit.span.clone(), &edit.text)?,
        }
    }
    copy.up_to(part.span.span.end)?;
    let json = copy.out;
    let (at, stamp_form) = match (stamp, id_at) {
        (Some(stamp), _) => stamp,
        (None, Some(id_at)) => (stamp_by_id(&json, id_at, id_member.len()), StampForm::Member),
        (None, None) => return Err(Error::internal("a stored form without an id")),
    };
    let stamp_at = u32::try_from(at).map_err(Error::internal)?;
    Ok(StoredBody {
        json,
        stamp_at,
        stamp_form,
    })
}

/// Right after the member `id` and its comma; right before it where it is the last member.
fn stamp_by_id(json: &[u8], id_at: usize, id_length: usize) -> usize {
    let after = id_at + id_length;
    if json.get(after) == Some(&b',') {
        after + 1
    } else {
        id_at
    }
}

/// One change to the text.
enum Change<'e> {
    /// The member `id`.
    Id(Range<usize>),
    /// There is no member `id`: it goes after `resourceType`, which ends there.
    IdAfterType(usize),
    /// A member that goes, with its comma.
    DropMember(Range<usize>),
    /// A `meta` that stays: its members begin there.
    MetaOpens(usize),
    /// A string.
    Text(&'e Edit),
}

impl Change<'_> {
    fn at(&self) -> usize {
        match self {
            Change::Id(span) | Change::DropMember(span) => span.start,
            Change::IdAfterType(at) | Change::MetaOpens(at) => *at,
            Change::Text(edit) => edit.span.start,
        }
    }
}

/// All changes, in the order of the text.
fn changes<'e>(span: &ResourceSpan, edits: &'e [Edit]) -> Vec<Change<'e>> {
    let dropped = match &span.meta {
        Some(MetaSpan {
            member, others: 0, ..
        }) => std::slice::from_ref(member),
        Some(MetaSpan { stamps, .. }) => stamps.as_slice(),
        None => &[],
    };
    let stays = |edit: &&Edit| !dropped.iter().any(|d| d.contains(&edit.span.start));
    let mut changes: Vec<Change<'e>> = edits.iter().filter(stays).map(Change::Text).collect();
    changes.push(match &span.id {
        Some(id) => Change::Id(id.clone()),
        None => Change::IdAfterType(span.resource_type.end),
    });
    if let Some(meta) = span.meta.as_ref().filter(|m| m.others > 0) {
        changes.push(Change::MetaOpens(meta.value.start + 1));
    }
    changes.extend(dropped.iter().cloned().map(Change::DropMember));
    // Sorting is stable, so that a meta opens before its first member goes.
    changes.sort_by_key(Change::at);
    changes
}

/// Copies text to the output, white space dropped.
struct Copy<'t> {
    text: &'t [u8],
    at: usize,
    out: Vec<u8>,
}

impl Copy<'_> {
    fn up_to(&mut self, end: usize) -> Result<()> {
        let piece = self.text.get(self.at..end);
        let piece = piece.ok_or_else(|| Error::internal("spans of a body are out of order"))?;
        self.out.extend_from_slice(&compact(piece));
        self.at = end;
        Ok(())
    }

    fn replace(&mut self, span: Range<usize>, with: &[u8]) -> Result<()> {
        self.up_to(span.start)?;
        self.out.extend_from_slice(with);
        self.at = span.end;
        Ok(())
    }

    /// Leaves out a member with the comma after it, or else the comma before it.
    fn drop_member(&mut self, span: Range<usize>) -> Result<()> {
        self.up_to(span.start)?;
        self.at = span.end;
        let rest = self.text.get(span.end..).unwrap_or_default();
        let space = rest.len() - rest.trim_ascii_start().len();
        if rest.get(space) == Some(&b',') {
            self.at = span.end + space + 1;
        } else if self.out.last() == Some(&b',') {
            self.out.pop();
        }
        Ok(())
    }
}
