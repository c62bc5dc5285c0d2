//! What is wrong with a document: noted with its place, passed over, or the end of reading.

use super::{Outcome, Reader, Stop};
use crate::read::{Budget, Exhausted, FoundIssue, IssueKind, UnknownElement, quoted};
use crate::reflect::TypeInfo;
use crate::xml::chars::is_blank;
use crate::xml::expected::Expected;
use crate::xml::path::{Step, render};
use crate::xml::scan::{Fault, Token};
use crate::xml::tag::{Attribute, Tag};

impl<'a> Reader<'a> {
    pub(super) fn never_empty(&mut self, tag: &Tag<'a>, any: bool) -> Outcome {
        if any {
            return Ok(());
        }
        let message = "The element is empty; leave it out or give it a value, elements or extensions";
        self.issue(IssueKind::Structure, tag.start, message.to_owned())
    }

    pub(super) fn unknown_element(&mut self, info: &'static TypeInfo, tag: &Tag<'a>) -> Outcome {
        self.path.push(Step {
            name: tag.local,
            index: None,
        });
        if self.lenient {
            let path = self.path();
            let end = self.skip(tag)?;
            let raw = self.scanner.source(tag.start, end).to_owned();
            self.note_unknown(tag.start, path, raw)?;
        } else {
            self.issue(IssueKind::Unknown, tag.start, Expected::not_found(info, tag))?;
            self.skip(tag)?;
        }
        self.path.pop();
        Ok(())
    }

    pub(super) fn unknown_attribute(&mut self, type_name: &str, attribute: &Attribute<'a>) -> Outcome {
        self.path.push(Step {
            name: attribute.local,
            index: None,
        });
        if self.lenient {
            let raw = self.scanner.source(attribute.start, attribute.end()).to_owned();
            self.note_unknown(attribute.start, self.path(), raw)?;
        } else {
            let message = format!(
                "There is no attribute {} in {type_name}",
                quoted(&attribute.shown())
            );
            self.issue(IssueKind::Unknown, attribute.start, message)?;
        }
        self.path.pop();
        Ok(())
    }

    fn note_unknown(&mut self, at: usize, path: String, raw: String) -> Outcome {
        let index = self.unknown.len();
        self.pay(at, |b| b.item(index, size_of::<UnknownElement>()))?;
        self.pay(at, |b| b.boxed(path.len()))?;
        self.pay(at, |b| b.boxed(raw.len()))?;
        self.unknown.push(UnknownElement { path, raw });
        Ok(())
    }

    pub(super) fn stray_text(&mut self, raw: &'a str, start: usize) -> Outcome {
        if is_blank(raw) {
            return Ok(());
        }
        let continued = self.stray_until == start && start > 0;
        self.stray_until = start + raw.len();
        if continued {
            return Ok(());
        }
        let message = format!(
            "Text where only elements belong: {}; values stand in the attribute `value`",
            quoted(raw.trim())
        );
        self.issue(IssueKind::Structure, start, message)
    }

    /// Goes on behind the end of an element whose start tag was read; the place after it.
    pub(super) fn skip(&mut self, tag: &Tag<'a>) -> Outcome<usize> {
        let depth = self.scanner.depth();
        loop {
            match self.next()? {
                Token::End(end) if self.scanner.depth() < depth => return Ok(end.end),
                Token::Eof => return Ok(tag.end),
                _ => {}
            }
        }
    }

    pub(super) fn next(&mut self) -> Outcome<Token<'a>> {
        let token = self.scanner.next().map_err(|fault| self.stop(fault))?;
        if let Token::Start(tag) = &token {
            self.elements += 1;
            if self.elements > self.limits.elements {
                let message = format!("There are more than {} elements", self.limits.elements);
                return Err(self.stop(Fault::limit(tag.start, message)));
            }
        }
        Ok(token)
    }

    /// Takes from the budget of memory, or ends the reading.
    pub(super) fn pay(
        &mut self,
        at: usize,
        cost: impl FnOnce(&mut Budget) -> Result<(), Exhausted>,
    ) -> Outcome {
        match cost(&mut self.budget) {
            Ok(()) => Ok(()),
            Err(Exhausted) => Err(self.stop(Fault::limit(at, self.budget.message()))),
        }
    }

    /// Notes the fault that ends the reading.
    pub(super) fn stop(&mut self, fault: Fault) -> Stop {
        let path = self.path();
        self.issues.push(FoundIssue {
            kind: fault.kind,
            path,
            message: fault.message,
            offset: fault.at,
        });
        Stop
    }

    /// Notes an issue and goes on, unless there are too many.
    pub(super) fn issue(&mut self, kind: IssueKind, offset: usize, message: String) -> Outcome {
        let path = self.path();
        self.issues.push(FoundIssue {
            kind,
            path,
            message,
            offset,
        });
        if self.issues.len() >= self.limits.issues {
            Err(Stop)
        } else {
            Ok(())
        }
    }

    fn path(&self) -> String {
        render(&self.path)
    }
}
