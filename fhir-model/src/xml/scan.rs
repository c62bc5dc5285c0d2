//! From text to tokens: quick-xml finds the markup, the checks that it leaves to its caller are made here
//! (<https://www.w3.org/TR/xml/>, <https://www.w3.org/TR/xml-names/>).
//!
//! Refused: any document type declaration (so there is nothing to expand and nothing to fetch), other encodings,
//! XML 1.1, undeclared entities and prefixes, names and characters that XML forbids. Comments and processing
//! instructions are passed over.
//!
//! Invariant: every byte is looked at a bounded number of times, and at most `max_depth` elements are open.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::chars::is_blank;
use super::prolog::{check_declaration, check_instruction};
use super::reference::{Reference, html_message, next_reference};
use super::scope::{Bound, Scope};
use super::tag::{Attribute, Tag, attributes, qualified, split_name, twice};
use crate::read::{IssueKind, quoted};

/// What makes a text unreadable: the place and the reason.
#[derive(Debug)]
pub(super) struct Fault {
    /// Ill-formed, or beyond a limit.
    pub(super) kind: IssueKind,
    /// The byte offset, a byte order mark not counted.
    pub(super) at: usize,
    /// What is wrong, and the cure where there is one.
    pub(super) message: String,
}

impl Fault {
    /// The text is not well formed, or holds what is refused.
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Fault {
            kind: IssueKind::Syntax,
            at,
            message: message.into(),
        }
    }

    /// A limit is exceeded.
    pub(super) fn limit(at: usize, message: impl Into<String>) -> Self {
        Fault {
            kind: IssueKind::Limit,
            at,
            message: message.into(),
        }
    }
}

/// What a document is made of.
#[derive(Debug)]
pub(super) enum Token<'a> {
    /// A start tag; an empty element gives one too, its end follows.
    Start(Tag<'a>),
    /// The end of the innermost open element.
    End(End),
    /// Text, or the part of it between references and sections; a reference is given as written.
    Text {
        /// As written.
        raw: &'a str,
        /// The place of its first byte.
        start: usize,
    },
    /// The end of the document, its one element closed.
    Eof,
}

/// The end of an element: the place of its `</`, and the place after its `>`. Both are the same for an empty element.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What is done with the entities of HTML.
#[derive(Debug)]
pub(super) enum HtmlEntities {
    /// They are faults, as XML has it.
    Refused,
    /// They are taken in: where each begins and ends, and its character.
    Collected(Vec<(usize, usize, char)>),
}

/// Gives the tokens of a text one by one.
pub(super) struct Scanner<'a> {
    source: &'a str,
    reader: Reader<&'a [u8]>,
    scope: Scope<'a>,
    depth: usize,
    root_seen: bool,
    pending_end: bool,
    /// How many elements may be open at once.
    pub(super) max_depth: usize,
    /// What is done with the entities of HTML.
    pub(super) html_entities: HtmlEntities,
}

impl<'a> Scanner<'a> {
    /// Over a text that [`super::chars::decode`] let pass.
    pub(super) fn new(source: &'a str, max_depth: usize) -> Self {
        let mut reader = Reader::from_str(source);
        reader.config_mut().check_comments = true;
        Scanner {
            source,
            reader,
            scope: Scope::default(),
            depth: 0,
            root_seen: false,
            pending_end: false,
            max_depth,
            html_entities: HtmlEntities::Refused,
        }
    }

    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The text between two places.
    pub(super) fn source(&self, start: usize, end: usize) -> &'a str {
        self.source.get(start..end).unwrap_or_default()
    }

    /// What a prefix stands for at this point.
    pub(super) fn resolve(&self, prefix: &str) -> Option<Bound> {
        self.scope.resolve(prefix)
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// The next token.
    ///
    /// # Errors
    /// The text is not well formed or holds what is refused; there is no going on.
    pub(super) fn next(&mut self) -> Result<Token<'a>, Fault> {
        let start = self.position();
        if std::mem::take(&mut self.pending_end) {
            return Ok(self.close(start, start));
        }
        loop {
            if let Some(token) = self.step()? {
                return Ok(token);
            }
        }
    }

    /// One event; `None` for what is passed over.
    fn step(&mut self) -> Result<Option<Token<'a>>, Fault> {
        let start = self.position();
        self.refuse_declaration(start)?;
        let event = match self.reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                let at = usize::try_from(self.reader.error_position()).unwrap_or(start);
                // The text may quote a name of any length.
                let shown: String = error.to_string().chars().take(200).collect();
                return Err(Fault::new(at, format!("This is not XML: {shown}")));
            }
        };
        let end = self.position();
        match event {
            Event::Start(_) => self.open(start, end, 1).map(Some),
            Event::Empty(_) => {
                self.pending_end = true;
                self.open(start, end, 2).map(Some)
            }
            Event::End(_) => Ok(Some(self.close(start, end))),
            Event::Text(_) => self.text(start, end).map(Some),
            Event::CData(_) => self.content(start, end).map(Some),
            Event::GeneralRef(_) => {
                self.check_references(self.source(start, end), start)?;
                self.content(start, end).map(Some)
            }
            Event::Comment(_) => Ok(None),
            Event::Decl(_) => check_declaration(self.source(start, end), start).map(|()| None),
            Event::PI(_) => check_instruction(self.source(start, end), start).map(|()| None),
            Event::DocType(_) => Err(doctype(start)),
            Event::Eof => self.finish(start).map(Some),
        }
    }

    /// Refuses `<!DOCTYPE` and its kin before anything of their content is looked at.
    fn refuse_declaration(&self, at: usize) -> Result<(), Fault> {
        let Some(declaration) = self.source.get(at..).and_then(|rest| rest.strip_prefix("<!")) else {
            return Ok(());
        };
        if declaration.starts_with("--") || declaration.starts_with("[CDATA[") {
            Ok(())
        } else {
            Err(doctype(at))
        }
    }

    /// A start tag between two places; `tail` is the length of `>` or `/>`.
    fn open(&mut self, start: usize, end: usize, tail: usize) -> Result<Token<'a>, Fault> {
        if self.depth == 0 && self.root_seen {
            return Err(Fault::new(
                start,
                "A second element after the document's only one".to_owned(),
            ));
        }
        if self.depth >= self.max_depth {
            return Err(Fault::limit(
                start,
                format!("Elements are nested deeper than {} levels", self.max_depth),
            ));
        }
        self.root_seen = true;
        self.depth += 1;
        let inside = self.source(start + 1, end.saturating_sub(tail));
        let name = inside
            .split(|c: char| c.is_ascii_whitespace())
            .next()
            .unwrap_or_default();
        let (prefix, local) = split_name(name, start + 1)?;
        let rest = inside.get(name.len()..).unwrap_or_default();
        let attributes = attributes(rest, start + 1 + name.len())?;
        self.check_attributes(&attributes)?;
        let Some(bound) = self.scope.resolve(prefix) else {
            return Err(undeclared(prefix, local, start));
        };
        Ok(Token::Start(Tag {
            prefix,
            local,
            bound,
            attributes,
            start,
            end,
        }))
    }

    fn check_attributes(&mut self, attributes: &[Attribute<'a>]) -> Result<(), Fault> {
        for attribute in attributes {
            self.check_references(attribute.raw, attribute.value_start)?;
            if attribute.declared().is_some() {
                self.scope.declare(attribute, self.depth)?;
            }
        }
        let mut seen: Vec<(usize, &str)> = Vec::new();
        for attribute in attributes
            .iter()
            .filter(|a| !a.prefix.is_empty() && a.declared().is_none())
        {
            let Some(bound) = self.scope.resolve(attribute.prefix) else {
                return Err(undeclared(attribute.prefix, attribute.local, attribute.start));
            };
            if seen.contains(&(bound.number, attribute.local)) {
                return Err(twice(attribute));
            }
            seen.push((bound.number, attribute.local));
        }
        Ok(())
    }

    fn close(&mut self, start: usize, end: usize) -> Token<'a> {
        self.depth = self.depth.saturating_sub(1);
        self.scope.leave(self.depth);
        Token::End(End { start, end })
    }

    fn text(&mut self, start: usize, end: usize) -> Result<Token<'a>, Fault> {
        let raw = self.source(start, end);
        if let Some(at) = memchr::memmem::find(raw.as_bytes(), b"]]>") {
            return Err(Fault::new(start + at, "`]]>` in text; write ]]&gt;".to_owned()));
        }
        if self.depth == 0 && is_blank(raw) {
            return Ok(Token::Text { raw, start });
        }
        self.content(start, end)
    }

    /// Text, a section or a reference, none of which may stand outside the document's element.
    fn content(&mut self, start: usize, end: usize) -> Result<Token<'a>, Fault> {
        if self.depth == 0 {
            return Err(Fault::new(
                start,
                "Text outside the document's element".to_owned(),
            ));
        }
        Ok(Token::Text {
            raw: self.source(start, end),
            start,
        })
    }

    fn check_references(&mut self, text: &str, offset: usize) -> Result<(), Fault> {
        let mut from = 0;
        while let Some(found) =
            next_reference(text, from).map_err(|(at, message)| Fault::new(offset + at, message))?
        {
            from = found.end();
            if let Reference::Html(c) = found.reference {
                match &mut self.html_entities {
                    HtmlEntities::Collected(all) => all.push((offset + found.at, offset + from, c)),
                    HtmlEntities::Refused => {
                        return Err(Fault::new(offset + found.at, html_message(found.name, c)));
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(&self, at: usize) -> Result<Token<'a>, Fault> {
        match (self.depth, self.root_seen) {
            (0, true) => Ok(Token::Eof),
            (0, false) => Err(Fault::new(at, "There is no element".to_owned())),
            (open, _) => Err(Fault::new(
                at,
                format!("The document ends with {open} elements still open"),
            )),
        }
    }
}

fn doctype(at: usize) -> Fault {
    Fault::new(
        at,
        "A document type declaration (<!DOCTYPE) is not accepted".to_owned(),
    )
}

fn undeclared(prefix: &str, local: &str, at: usize) -> Fault {
    Fault::new(
        at,
        format!(
            "The prefix of {} is not declared",
            quoted(&qualified(prefix, local))
        ),
    )
}
