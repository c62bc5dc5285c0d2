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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Millis;
    use crate::engine::{Received, Settings};

    fn stored(text: &str) -> StoredBody {
        let received = Received::from_json(text.to_owned().into(), &Settings::default()).unwrap();
        stored_body(&received.whole().unwrap(), "new", &[]).unwrap()
    }

    /// The stored text with the stamp shown as `#`, and a full render that must be JSON.
    fn shown(text: &str) -> String {
        let body = stored(text);
        serde_json::from_slice::<serde_json::Value>(&body.render(1, Millis(0))).unwrap();
        let mut json = String::from_utf8(body.json).unwrap();
        json.insert(
            body.stamp_at as usize,
            if body.stamp_form == StampForm::Inside {
                '@'
            } else {
                '#'
            },
        );
        json
    }

    #[test]
    fn without_meta_the_stamp_goes_after_the_id() {
        assert_eq!(
            shown(r#"{ "resourceType" : "Basic", "id" : "old", "language" : "en" }"#),
            r#"{"resourceType":"Basic","id":"new",#"language":"en"}"#
        );
        assert_eq!(
            shown(r#"{"language":"en","resourceType":"Basic","implicitRules":"x:y"}"#),
            r#"{"language":"en","resourceType":"Basic","id":"new",#"implicitRules":"x:y"}"#
        );
    }

    #[test]
    fn where_the_id_is_last_the_stamp_goes_before_it() {
        assert_eq!(
            shown(r#"{"resourceType":"Basic"}"#),
            r#"{"resourceType":"Basic",#"id":"new"}"#
        );
        assert_eq!(
            shown(r#"{"language":"en","resourceType":"Basic"}"#),
            r#"{"language":"en","resourceType":"Basic",#"id":"new"}"#
        );
        assert_eq!(
            shown(r#"{"id":"a","resourceType":"Basic"}"#),
            r#"{"id":"new",#"resourceType":"Basic"}"#
        );
    }

    #[test]
    fn a_meta_of_stamps_only_goes_wherever_it_stands() {
        let meta = r#""meta" : { "versionId" : "7" , "lastUpdated" : "2020-01-01T00:00:00Z" }"#;
        for text in [
            format!(r#"{{"resourceType":"Basic",{meta},"id":"a","language":"en"}}"#),
            format!(r#"{{{meta} , "resourceType":"Basic","id":"a","language":"en"}}"#),
            format!(r#"{{"resourceType":"Basic","id":"a","language":"en" , {meta} }}"#),
        ] {
            assert_eq!(
                shown(&text),
                r#"{"resourceType":"Basic","id":"new",#"language":"en"}"#,
                "{text}"
            );
        }
        assert_eq!(
            shown(&format!(r#"{{"resourceType":"Basic",{meta}}}"#)),
            r#"{"resourceType":"Basic",#"id":"new"}"#
        );
        assert_eq!(
            shown(&format!(r#"{{{meta},"resourceType":"Basic"}}"#)),
            r#"{"resourceType":"Basic",#"id":"new"}"#
        );
    }

    #[test]
    fn other_members_of_meta_stay_in_their_order() {
        let expected = r#"{"resourceType":"Basic","id":"new","meta":{@"source":"x:y","tag":[{"code":"a"}]}}"#;
        for meta in [
            r#""versionId":"7","source":"x:y","tag":[{"code":"a"}]"#,
            r#""source":"x:y", "lastUpdated":"2020-01-01T00:00:00Z" ,"tag":[ {"code":"a"} ]"#,
            r#""source":"x:y","tag":[{"code":"a"}],"versionId":"7" "#,
            r#""lastUpdated":"2020-01-01T00:00:00Z","versionId":"7","source":"x:y","tag":[{"code":"a"}]"#,
            r#""source":"x:y","tag":[{"code":"a"}],"versionId":"7","lastUpdated":"2020-01-01T00:00:00Z""#,
            r#""source":"x:y","tag":[{"code":"a"}]"#,
        ] {
            assert_eq!(
                shown(&format!(
                    r#"{{"resourceType":"Basic","id":"a","meta":{{ {meta} }}}}"#
                )),
                expected,
                "{meta}"
            );
        }
    }

    #[test]
    fn extensions_of_the_stamps_go_with_them() {
        let text = r#"{"resourceType":"Basic","meta":{"_versionId":{"extension":[{"url":"x:y","valueUri":"x:z"}]},"source":"a:b"}}"#;
        assert_eq!(
            shown(text),
            r#"{"resourceType":"Basic","id":"new","meta":{@"source":"a:b"}}"#
        );
    }

    #[test]
    fn what_looks_like_a_stamp_elsewhere_stays() {
        let text = r#"{"resourceType":"Basic","contained":[{"resourceType":"Basic","id":"c","meta":{"versionId":"3"}}],"code":{"id":"k","text":"meta"}}"#;
        assert_eq!(
            shown(text),
            r#"{"resourceType":"Basic","id":"new",#"contained":[{"resourceType":"Basic","id":"c","meta":{"versionId":"3"}}],"code":{"id":"k","text":"meta"}}"#
        );
    }

    #[test]
    fn storing_what_was_rendered_stores_the_same() {
        for text in [
            r#"{"resourceType":"Basic"}"#,
            r#"{"language":"en","resourceType":"Basic"}"#,
            r#"{"id":"a","resourceType":"Basic","meta":{"tag":[{"code":"\u00e9\/"}]}}"#,
            r#"{"meta":{"versionId":"1"},"id":"a","resourceType":"Basic"}"#,
        ] {
            let first = stored(text);
            let rendered = String::from_utf8(first.render(3, Millis(5))).unwrap();
            assert_eq!(stored(&rendered), first, "{text}");
        }
    }

    #[test]
    fn edits_replace_strings_but_not_inside_what_goes() {
        let text = r#"{"resourceType":"Basic","meta":{"_versionId":{"extension":[{"url":"x:y","valueUri":"x:z"}]}},"implicitRules":"x:z"}"#;
        let received = Received::from_json(text.to_owned().into(), &Settings::default()).unwrap();
        let spans = text
            .match_indices("\"x:z\"")
            .map(|(at, found)| at..at + found.len());
        let edits: Vec<Edit> = spans
            .map(|span| Edit {
                span,
                text: b"\"new\"".to_vec(),
            })
            .collect();
        let body = stored_body(&received.whole().unwrap(), "i", &edits).unwrap();
        assert_eq!(
            String::from_utf8(body.json).unwrap(),
            r#"{"resourceType":"Basic","id":"i","implicitRules":"new"}"#
        );
    }
}
