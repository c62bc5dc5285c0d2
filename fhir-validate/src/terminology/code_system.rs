//! A code system as it is held: all its text in one piece, concepts of fixed size, parents and children as numbers
//! (<https://hl7.org/fhir/R4/codesystem.html>).
//!
//! A concept is named by its index, in the order of the definition. Finding a code is a binary search.
//!
//! Invariant: once built, nothing changes; indexes stay valid.

use std::cmp::Ordering;
use std::collections::HashMap;

use fhir_model::{Coding, Extension};

use super::canonical;

/// How much of a code system is held (<https://hl7.org/fhir/R4/valueset-codesystem-content-mode.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// All concepts.
    Complete,
    /// Some of them: of content `fragment` or `example`.
    Fragment,
    /// None.
    NotPresent,
}

/// The facts about a code system besides its concepts.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) url: String,
    pub(super) version: Option<String>,
    pub(super) name: Option<String>,
    pub(super) language: Option<String>,
    pub(super) content: Content,
    pub(super) case_sensitive: bool,
    pub(super) status: Option<String>,
    pub(super) experimental: bool,
    /// `structuredefinition-standards-status`, where stated.
    pub(super) standards_status: Option<String>,
    /// Code and URI of the declared properties.
    pub(super) properties: Vec<(String, Option<String>)>,
}

/// A code system, ready to be asked.
#[derive(Debug)]
pub(super) struct CodeSystem {
    pub(super) head: Head,
    pub(super) text: String,
    pub(super) concepts: Vec<Concept>,
    /// All concepts by code, as [`code_order`] has it.
    pub(super) sorted: Vec<u32>,
    pub(super) designations: Vec<Held>,
    pub(super) uses: Vec<Coding>,
    pub(super) values: Vec<(Span, HeldValue)>,
    /// Extensions that go into an expansion, of concepts and of designations.
    pub(super) extensions: HashMap<Owner, Vec<Extension>>,
    pub(super) parents: Links,
    pub(super) children: Links,
}

/// What an extension is on, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Concept(u32),
    Designation(u32),
}

/// A piece of the text of a code system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) len: u32,
}

/// A concept; absent text has length zero.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Concept {
    pub(super) code: Span,
    pub(super) display: Span,
    pub(super) definition: Span,
    pub(super) status: Span,
    pub(super) designations: (u32, u32),
    pub(super) values: (u32, u32),
    pub(super) inactive: bool,
    pub(super) is_abstract: bool,
    pub(super) deprecated: bool,
}

/// A designation as held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) language: Span,
    pub(super) value: Span,
    /// Index into `uses`.
    pub(super) use_: Option<u32>,
    /// Marked as no longer to be used.
    pub(super) withdrawn: bool,
}

/// A property's value as held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeldValue {
    Code(Span),
    String(Span),
    /// System, code, display.
    Coding(Span, Span, Span),
    Integer(i32),
    Boolean(bool),
    DateTime(Span),
    Decimal(Span),
}

/// A designation of a concept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Designation<'a> {
    pub(super) language: Option<&'a str>,
    pub(super) use_: Option<&'a Coding>,
    pub(super) value: &'a str,
    pub(super) withdrawn: bool,
    pub(super) extension: &'a [Extension],
}

/// The value of a property of a concept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Code(&'a str),
    String(&'a str),
    Coding {
        system: Option<&'a str>,
        code: &'a str,
        display: Option<&'a str>,
    },
    Integer(i32),
    Boolean(bool),
    DateTime(&'a str),
    Decimal(&'a str),
}

impl Value<'_> {
    /// The value as a filter states it; a Coding by its code.
    pub(super) fn text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Value::Code(t) | Value::String(t) | Value::DateTime(t) | Value::Decimal(t) => (*t).into(),
            Value::Coding { code, .. } => (*code).into(),
            Value::Integer(i) => i.to_string().into(),
            Value::Boolean(b) => (if *b { "true" } else { "false" }).into(),
        }
    }
}

/// For each concept, others that it is linked to.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Where the targets of each begin, and the end of the last.
    starts: Vec<u32>,
    targets: Vec<u32>,
}

impl Links {
    /// From pairs of source and target, sorted and without repeats; sources are below `len`.
    pub(super) fn new(len: u32, mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = Vec::with_capacity(len as usize + 1);
        let mut at = 0;
        for index in 0..=len {
            while pairs.get(at).is_some_and(|(source, _)| *source < index) {
                at += 1;
            }
            starts.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        let targets = pairs.into_iter().map(|(_, target)| target).collect();
        Links { starts, targets }
    }

    /// Where the targets of each begin, and the targets.
    pub(super) fn parts(&self) -> (&[u32], &[u32]) {
        (&self.starts, &self.targets)
    }

    /// Of what [`Links::parts`] gave.
    pub(super) fn of_parts(starts: Vec<u32>, targets: Vec<u32>) -> Self {
        Links { starts, targets }
    }

    pub(super) fn of(&self, index: u32) -> &[u32] {
        let bound = |i: usize| self.starts.get(i).map(|s| *s as usize);
        match (bound(index as usize), bound(index as usize + 1)) {
            (Some(start), Some(end)) => self.targets.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// By letters without regard to case first, so that one search serves both kinds of code systems.
pub(super) fn code_order(a: &str, b: &str) -> Ordering {
    fold_order(a, b).then_with(|| a.cmp(b))
}

fn fold_order(a: &str, b: &str) -> Ordering {
    let folded = |s: &'_ str| s.bytes().map(|b| b.to_ascii_lowercase()).collect::<Vec<u8>>();
    if a.is_ascii() && b.is_ascii() {
        let (a, b) = (a.bytes(), b.bytes());
        return a
            .map(|x| x.to_ascii_lowercase())
            .cmp(b.map(|x| x.to_ascii_lowercase()));
    }
    folded(&a.to_lowercase()).cmp(&folded(&b.to_lowercase()))
}

impl CodeSystem {
    /// How many concepts there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.concepts.len()).unwrap_or(u32::MAX)
    }

    /// `url|version`.
    pub(super) fn canonical(&self) -> String {
        canonical::join(&self.head.url, self.head.version.as_deref())
    }

    /// The concept of that code; other letters are taken if the code system is not case sensitive.
    pub(super) fn find(&self, code: &str) -> Option<u32> {
        let exact = self
            .sorted
            .binary_search_by(|i| code_order(self.code(*i), code))
            .ok();
        match exact.and_then(|at| self.sorted.get(at)) {
            Some(index) => Some(*index),
            None if !self.head.case_sensitive => self.find_in_any_case(code),
            None => None,
        }
    }

    /// The first concept of that code, whatever the case of its letters.
    pub(super) fn find_in_any_case(&self, code: &str) -> Option<u32> {
        let at = self
            .sorted
            .partition_point(|i| fold_order(self.code(*i), code) == Ordering::Less);
        let index = *self.sorted.get(at)?;
        (fold_order(self.code(index), code) == Ordering::Equal).then_some(index)
    }

    pub(super) fn concept(&self, index: u32) -> Option<&Concept> {
        self.concepts.get(index as usize)
    }

    pub(super) fn str(&self, span: Span) -> &str {
        let start = span.start as usize;
        self.text
            .get(start..start.saturating_add(span.len as usize))
            .unwrap_or("")
    }

    pub(super) fn optional(&self, span: Span) -> Option<&str> {
        (span.len > 0).then(|| self.str(span))
    }

    fn span_of(&self, index: u32, span: impl Fn(&Concept) -> Span) -> Option<&str> {
        self.concept(index).and_then(|c| self.optional(span(c)))
    }

    pub(super) fn code(&self, index: u32) -> &str {
        self.span_of(index, |c| c.code).unwrap_or("")
    }

    pub(super) fn display(&self, index: u32) -> Option<&str> {
        self.span_of(index, |c| c.display)
    }

    pub(super) fn definition(&self, index: u32) -> Option<&str> {
        self.span_of(index, |c| c.definition)
    }

    /// The code of its `status` property, or its standards status.
    pub(super) fn status(&self, index: u32) -> Option<&str> {
        self.span_of(index, |c| c.status)
    }

    pub(super) fn is_inactive(&self, index: u32) -> bool {
        self.concept(index).is_some_and(|c| c.inactive)
    }

    pub(super) fn is_abstract(&self, index: u32) -> bool {
        self.concept(index).is_some_and(|c| c.is_abstract)
    }

    pub(super) fn is_deprecated(&self, index: u32) -> bool {
        self.concept(index).is_some_and(|c| c.deprecated)
    }

    pub(super) fn parents(&self, index: u32) -> &[u32] {
        self.parents.of(index)
    }

    pub(super) fn children(&self, index: u32) -> &[u32] {
        self.children.of(index)
    }

    /// Its designations, without the display.
    pub(super) fn designations(&self, index: u32) -> impl Iterator<Item = Designation<'_>> {
        let (start, end) = self.concept(index).map_or((0, 0), |c| c.designations);
        (start..end).filter_map(|at| {
            let held = self.designations.get(at as usize)?;
            let extension = self.extensions.get(&Owner::Designation(at));
            Some(Designation {
                language: self.optional(held.language),
                use_: held.use_.and_then(|u| self.uses.get(u as usize)),
                value: self.str(held.value),
                withdrawn: held.withdrawn,
                extension: extension.map_or(&[], Vec::as_slice),
            })
        })
    }

    /// Its properties, each a code and a value.
    pub(super) fn values(&self, index: u32) -> impl Iterator<Item = (&str, Value<'_>)> {
        let (start, end) = self.concept(index).map_or((0, 0), |c| c.values);
        let held = self.values.get(start as usize..end as usize).unwrap_or_default();
        held.iter()
            .map(|(property, value)| (self.str(*property), self.value(*value)))
    }

    fn value(&self, held: HeldValue) -> Value<'_> {
        match held {
            HeldValue::Code(t) => Value::Code(self.str(t)),
            HeldValue::String(t) => Value::String(self.str(t)),
            HeldValue::DateTime(t) => Value::DateTime(self.str(t)),
            HeldValue::Decimal(t) => Value::Decimal(self.str(t)),
            HeldValue::Integer(i) => Value::Integer(i),
            HeldValue::Boolean(b) => Value::Boolean(b),
            HeldValue::Coding(system, code, display) => Value::Coding {
                system: self.optional(system),
                code: self.str(code),
                display: self.optional(display),
            },
        }
    }

    /// Extensions of the concept that go into an expansion.
    pub(super) fn extensions(&self, index: u32) -> &[Extension] {
        self.extensions
            .get(&Owner::Concept(index))
            .map_or(&[], Vec::as_slice)
    }

    /// Whether one is an ancestor of the other, or the other itself; ends also where the links run in circles.
    pub(super) fn subsumes(&self, ancestor: u32, descendant: u32) -> bool {
        let mut seen = super::bits::Bits::none(self.len());
        let mut open = vec![descendant];
        while let Some(index) = open.pop() {
            if index == ancestor {
                return true;
            }
            if seen.add(index) {
                open.extend_from_slice(self.parents(index));
            }
        }
        false
    }
}
