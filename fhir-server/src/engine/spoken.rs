//! [`spoken`]: the references in a stored text and what they say in words, found without parsing it: most texts that are read have nothing to
//! take out.
//!
//! Invariant: a text from which words are cut, or into which they are put, is otherwise the same byte for byte.

use std::ops::Range;

use crate::store::StoredBody;

/// An object with a `reference`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Spoken {
    /// What it refers to.
    pub(super) reference: String,
    /// The byte after the value of `reference`.
    pub(super) end: usize,
    /// The value of `display`, as it is written.
    pub(super) display: Option<Range<usize>>,
    /// What has to go for `display` and what extends it to be absent.
    pub(super) cuts: Vec<Range<usize>>,
}

impl Spoken {
    /// Whether it has words.
    pub(super) fn says(&self) -> bool {
        !self.cuts.is_empty()
    }
}

/// The references of a text, which is JSON without insignificant white space, as it is stored.
pub(super) fn spoken(json: &[u8]) -> Vec<Spoken> {
    let mut scan = Scan {
        json,
        at: 0,
        found: Vec::new(),
    };
    scan.value();
    scan.found
}

/// Cuts that out.
pub(super) fn without(body: &mut StoredBody, mut cuts: Vec<Range<usize>>) {
    cuts.sort_by_key(|cut| cut.start);
    for cut in cuts.into_iter().rev() {
        let length = cut.len();
        if usize::try_from(body.stamp_at).is_ok_and(|at| cut.end <= at) {
            body.stamp_at -= u32::try_from(length).unwrap_or_default();
        }
        body.json.drain(cut);
    }
}

/// Puts a `display` with that value in after the reference that ends there.
pub(super) fn insert(body: &mut StoredBody, end: usize, value: &[u8]) {
    let member = [b",\"display\":", value].concat();
    if usize::try_from(body.stamp_at).is_ok_and(|at| end <= at) {
        body.stamp_at += u32::try_from(member.len()).unwrap_or_default();
    }
    body.json.splice(end..end, member);
}

struct Scan<'j> {
    json: &'j [u8],
    at: usize,
    found: Vec<Spoken>,
}

impl<'j> Scan<'j> {
    fn next(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    fn value(&mut self) {
        match self.next() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => {
                self.string();
            }
            _ => self.skip(|byte| matches!(byte, b',' | b'}' | b']')),
        }
    }

    fn object(&mut self) {
        self.at += 1;
        let (mut reference, mut end, mut display, mut cuts) = (None, 0, None, Vec::new());
        // Of a member after one that stays, the comma before it goes; of others that after it.
        let mut one_stays = false;
        while self.next() == Some(b'"') {
            let begin = self.at;
            let name = self.string();
            // The colon.
            self.at += 1;
            let value = self.at;
            match (name, self.next()) {
                (b"reference", Some(b'"')) => {
                    reference = Some(self.string());
                    end = self.at;
                }
                _ => self.value(),
            }
            if matches!(name, b"display" | b"_display") {
                if name == b"display" {
                    display = Some(value..self.at);
                }
                cuts.push(match one_stays {
                    true => begin - 1..self.at,
                    false => begin..self.at + 1,
                });
            } else {
                one_stays = true;
            }
            if self.next() != Some(b',') {
                break;
            }
            self.at += 1;
        }
        self.at += 1;
        if let Some(reference) = reference.and_then(plain) {
            self.found.push(Spoken {
                reference,
                end,
                display,
                cuts,
            });
        }
    }

    fn array(&mut self) {
        self.at += 1;
        loop {
            match self.next() {
                Some(b',') => self.at += 1,
                None | Some(b']' | b'}') => break,
                Some(_) => self.value(),
            }
        }
        self.at += 1;
    }

    /// What stands between the quotes, as it is written.
    fn string(&mut self) -> &'j [u8] {
        self.at += 1;
        let begin = self.at;
        loop {
            self.skip(|byte| matches!(byte, b'"' | b'\\'));
            match self.next() {
                // The escape and what it escapes.
                Some(b'\\') => self.at += 2,
                _ => break,
            }
        }
        let text = self.json.get(begin..self.at).unwrap_or_default();
        self.at += 1;
        text
    }

    /// Goes on to the first byte that ends it, or to the end.
    fn skip(&mut self, ends: impl Fn(u8) -> bool) {
        let rest = self.json.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| ends(*byte));
        self.at += length.unwrap_or(rest.len());
    }
}

/// A string without its escapes.
fn plain(written: &[u8]) -> Option<String> {
    let quoted = [b"\"", written, b"\""].concat();
    serde_json::from_slice(&quoted).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StampForm;

    fn body(text: &str, stamp_at: u32) -> StoredBody {
        StoredBody {
            json: text.as_bytes().to_vec(),
            stamp_at,
            stamp_form: StampForm::Member,
        }
    }

    #[test]
    fn words_are_cut_and_put_back_and_all_else_stays() {
        let said = r#"{"a":[{"reference":"Patient/1","display":"A \"b\" {"}],"b":{"display":"x","_display":{"extension":[{"url":"u"}]},"reference":"Patient/2","id":"i"},"c":{"code":"x","display":"of a code"},"d":{"type":"T","display":"","reference":"Patient\/3","_display":null,"identifier":{"assigner":{"reference":"Patient/4","display":"in it"}}},"n":-1.50e3,"t":[true,null,[],{}]}"#;
        let cut = r#"{"a":[{"reference":"Patient/1"}],"b":{"reference":"Patient/2","id":"i"},"c":{"code":"x","display":"of a code"},"d":{"type":"T","reference":"Patient\/3","identifier":{"assigner":{"reference":"Patient/4"}}},"n":-1.50e3,"t":[true,null,[],{}]}"#;
        let at = |text: &str| u32::try_from(text.find(r#""n":"#).unwrap()).unwrap();
        let found = spoken(said.as_bytes());
        let names: Vec<&str> = found.iter().map(|spoken| spoken.reference.as_str()).collect();
        assert_eq!(names, ["Patient/1", "Patient/2", "Patient/4", "Patient/3"]);
        assert!(found.iter().all(Spoken::says));
        let mut silenced = body(said, at(said));
        without(
            &mut silenced,
            found.iter().flat_map(|spoken| spoken.cuts.clone()).collect(),
        );
        assert_eq!(silenced, body(cut, at(cut)));
        let silent = spoken(cut.as_bytes());
        assert!(!silent.iter().any(Spoken::says));
        let again = r#"{"a":[{"reference":"Patient/1","display":"A \"b\" {"}],"b":"#;
        let words = said.as_bytes().get(found[0].display.clone().unwrap()).unwrap();
        insert(&mut silenced, silent[0].end, words);
        assert!(silenced.json.starts_with(again.as_bytes()));
        assert_eq!(
            silenced.stamp_at,
            at(std::str::from_utf8(&silenced.json).unwrap())
        );
    }

    #[test]
    fn what_is_no_json_ends() {
        for text in [
            "",
            "{",
            "[",
            "\"",
            "{\"a",
            "{\"a\":",
            "[1",
            "{\"a\":[{]}",
            "}",
            "\"\\",
            "[,,,",
            "{\"display\":\"x",
        ] {
            assert_eq!(spoken(text.as_bytes()), Vec::new(), "{text}");
        }
    }
}
