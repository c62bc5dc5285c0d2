//! Places in a text of JSON, which was read already: what is not JSON after all ends the scan.

use super::{ROOT, Tree};

/// Levels that are gone into.
const MAX_DEPTH: usize = 256;

pub(super) fn scan(text: &[u8], tree: &mut Tree) {
    let mut scanner = Scanner { text, at: 0, tree };
    scanner.space();
    scanner.tree.found(ROOT, scanner.at);
    // What ends the scan leaves the places after it at those around them.
    let _ = scanner.value(Some(ROOT), 0);
}

struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    tree: &'t mut Tree,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// A value; `place` is the one that it is of, where it is looked for.
    fn value(&mut self, place: Option<usize>, depth: usize) -> Option<()> {
        match self.peek()? {
            b'{' if depth < MAX_DEPTH => self.object(place, depth),
            b'[' if depth < MAX_DEPTH => self.array(depth, |_, _| None),
            b'{' | b'[' => None,
            b'"' => self.string().map(drop),
            _ => {
                let ends = |b: &u8| matches!(b, b',' | b'}' | b']') || b.is_ascii_whitespace();
                let rest = self.text.get(self.at..)?;
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
                Some(())
            }
        }
    }

    fn object(&mut self, place: Option<usize>, depth: usize) -> Option<()> {
        self.at += 1;
        loop {
            self.space();
            match self.peek()? {
                b'}' => break,
                b',' => self.at += 1,
                _ => {
                    let start = self.at;
                    let name = self.string()?;
                    self.space();
                    if self.peek()? != b':' {
                        return None;
                    }
                    self.at += 1;
                    self.space();
                    self.member(place, name, start, depth)?;
                }
            }
        }
        self.at += 1;
        Some(())
    }

    /// The value of a member, whose name stands at `start`.
    fn member(
        &mut self,
        place: Option<usize>,
        name: (usize, usize),
        start: usize,
        depth: usize,
    ) -> Option<()> {
        let name = self.text.get(name.0..name.1)?;
        let name = std::str::from_utf8(name).ok()?;
        // What belongs to a primitive beside its value stands in a member of the same name with a line before it.
        let name = name.strip_prefix('_').unwrap_or(name);
        let Some(place) = place.filter(|place| self.tree.looks_for(*place, name)) else {
            return self.value(None, depth + 1);
        };
        if self.peek()? == b'[' {
            return self.array(depth + 1, |tree, index| tree.child(place, name, index));
        }
        let child = self.tree.child(place, name, 0);
        if let Some(child) = child {
            self.tree.found(child, start);
        }
        self.value(child, depth + 1)
    }

    /// The items of an array, each the place that `of` gives.
    fn array(&mut self, depth: usize, of: impl Fn(&Tree, usize) -> Option<usize>) -> Option<()> {
        self.at += 1;
        let mut index = 0;
        loop {
            self.space();
            match self.peek()? {
                b']' => break,
                b',' => self.at += 1,
                _ => {
                    let place = of(self.tree, index);
                    if let Some(place) = place {
                        self.tree.found(place, self.at);
                    }
                    self.value(place, depth + 1)?;
                    index += 1;
                }
            }
        }
        self.at += 1;
        Some(())
    }

    /// Passes over a string; where its content is. A name with escapes in it is none of FHIR's.
    fn string(&mut self) -> Option<(usize, usize)> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let mut at = start;
        loop {
            match self.text.get(at)? {
                b'"' => break,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        self.at = at + 1;
        Some((start, at))
    }
}
