//! [`StoredBody`]: an accepted resource in its one JSON form, without the version stamp.
//!
//! The stored text holds everything as received but `meta.versionId` and `meta.lastUpdated`, which the commit
//! assigns; [`StoredBody::render`] puts them in by copying, so that a read never parses.

use crate::context::Millis;

/// An accepted resource in its one JSON form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBody {
    /// JSON text without insignificant white space, `meta.versionId` and `meta.lastUpdated`.
    pub json: Vec<u8>,
    /// Byte offset in `json` where the stamp goes.
    pub stamp_at: u32,
    /// What surrounds the stamp there.
    pub stamp_form: StampForm,
}

/// What surrounds the stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampForm {
    /// The resource has no `meta`: a whole member `"meta":{…},` goes there.
    Member,
    /// The resource has a `meta` with other members: `"versionId":…,"lastUpdated":…,` goes just inside it.
    Inside,
}

impl StoredBody {
    /// The JSON as served: with `meta.versionId` and `meta.lastUpdated`.
    pub fn render(&self, version: i64, last_updated: Millis) -> Vec<u8> {
        let at = usize::try_from(self.stamp_at)
            .unwrap_or(usize::MAX)
            .min(self.json.len());
        let (head, tail) = self.json.split_at(at);
        let mut out = Vec::with_capacity(self.json.len() + 96);
        out.extend_from_slice(head);
        if self.stamp_form == StampForm::Member {
            out.extend_from_slice(b"\"meta\":{");
        }
        let stamp = format!(
            "\"versionId\":\"{version}\",\"lastUpdated\":\"{}\"",
            last_updated.to_instant()
        );
        out.extend_from_slice(stamp.as_bytes());
        out.extend_from_slice(if self.stamp_form == StampForm::Member {
            b"},"
        } else {
            b","
        });
        out.extend_from_slice(tail);
        out
    }
}
