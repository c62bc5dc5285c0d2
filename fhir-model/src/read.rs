//! What the readers of JSON and XML share: options, limits, and issues that name their place.
//!
//! Invariant: whatever the input, a reader ends in time linear in its length and memory bounded by it.

mod budget;

use std::fmt;

use crate::spelling;

pub(crate) use budget::{Budget, Exhausted};

/// How a reader treats what the definitions do not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownElements {
    /// Strict: unknown elements are errors, each named. The server reads only so.
    #[default]
    Refuse,
    /// Lenient: unknown elements are left out of the value and listed in [`Read::unknown`].
    Report,
}

/// Bounds on what is read. Exceeding one is an error.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Levels of objects, arrays and elements within each other.
    pub depth: usize,
    /// Elements in all.
    pub elements: usize,
    /// Bytes of memory for each byte of text, counted by the sizes of the values that are built (64 KiB are always
    /// allowed). Records as people write them take 2 to 10.
    pub expansion: usize,
    /// Issues kept; reading stops at the first beyond.
    pub issues: usize,
}

impl Default for Limits {
    /// 16 MiB, 64 levels, 2,000,000 elements, 32 bytes of memory for each of text, 100 issues.
    fn default() -> Self {
        Limits {
            bytes: 16 << 20,
            depth: 64,
            elements: 2_000_000,
            expansion: 32,
            issues: 100,
        }
    }
}

/// Options of a reader. The default is strict with the default limits.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Strict or lenient.
    pub unknown: UnknownElements,
    /// Bounds.
    pub limits: Limits,
}

impl ReadOptions {
    /// The default limits, unknown elements reported instead of refused.
    pub fn lenient() -> Self {
        ReadOptions {
            unknown: UnknownElements::Report,
            ..Self::default()
        }
    }
}

/// What a reader gives: the value, and in lenient mode what was left out of it.
#[derive(Clone, Debug)]
pub struct Read<T> {
    /// The typed value.
    pub value: T,
    /// Unknown elements, in the order met; always empty in strict mode.
    pub unknown: Vec<UnknownElement>,
}

/// What could be read of a text that is not right as a whole, and all that is wrong with it.
#[derive(Clone, Debug)]
pub struct Partial<T> {
    /// What could be read; what could not is left out of it, but for items of lists, which keep their places. `None` where reading
    /// ended before the end of the text.
    pub value: Option<T>,
    /// Unknown elements, where they are reported instead of refused.
    pub unknown: Vec<UnknownElement>,
    /// Every problem found, in the order of the text, up to the limit. None means that the whole text was read.
    pub issues: Vec<ReadIssue>,
}

impl<T> Partial<T> {
    /// All or nothing: the value where nothing is wrong.
    pub(crate) fn whole(self) -> Result<Read<T>, ReadError> {
        match self.value {
            Some(value) if self.issues.is_empty() => Ok(Read {
                value,
                unknown: self.unknown,
            }),
            _ => Err(ReadError { issues: self.issues }),
        }
    }
}

/// An element that the definitions do not have, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownElement {
    /// Its place, such as `Patient.contact[0].nickname`.
    pub path: String,
    /// Its text: JSON, or XML.
    pub raw: String,
}

/// What kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssueKind {
    /// The text is not well-formed.
    Syntax,
    /// An element or attribute that the definitions do not have.
    Unknown,
    /// The same member or single element twice, or two types of one choice.
    Duplicate,
    /// The right element in the wrong form: an object for a string, an empty array.
    Structure,
    /// The right element in the wrong place among its siblings, which matters in XML. It was read all the same.
    Order,
    /// A value that is not of its type's form.
    Value,
    /// A limit was exceeded.
    Limit,
}

/// One problem in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadIssue {
    /// What kind.
    pub kind: IssueKind,
    /// The place as a FHIRPath, such as `Patient.name[0].given[1]`; empty where nothing was read yet.
    pub path: String,
    /// What is wrong, with the value, and what was expected.
    pub message: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

impl fmt::Display for ReadIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{} (line {}, column {})", self.message, self.line, self.column)
    }
}

/// Why a text was not read: at least one issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Every problem found, in the order of the text, up to the limit.
    pub issues: Vec<ReadIssue>,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, issue) in self.issues.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{issue}")?;
        }
        Ok(())
    }
}
impl std::error::Error for ReadError {}

/// A problem whose place in the text is still a byte offset.
#[derive(Clone, Debug)]
pub(crate) struct FoundIssue {
    pub(crate) kind: IssueKind,
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) offset: usize,
}

/// Turns offsets into lines and columns in one pass over the text.
pub(crate) fn locate(text: &[u8], found: Vec<FoundIssue>) -> ReadError {
    let mut order: Vec<usize> = found.iter().map(|f| f.offset.min(text.len())).collect();
    order.sort_unstable();
    let mut places = Vec::with_capacity(order.len());
    let (mut line, mut column, mut at) = (1u32, 1u32, 0usize);
    for offset in order {
        for byte in text.get(at..offset).unwrap_or_default() {
            if *byte == b'\n' {
                line = line.saturating_add(1);
                column = 1;
            } else if *byte & 0xC0 != 0x80 {
                column = column.saturating_add(1);
            }
        }
        at = at.max(offset);
        places.push((offset, line, column));
    }
    let place = |offset: usize| {
        let i = places.partition_point(|(o, _, _)| *o < offset);
        places.get(i).map_or((1, 1), |(_, l, c)| (*l, *c))
    };
    let mut issues: Vec<(usize, ReadIssue)> = found
        .into_iter()
        .map(|f| {
            let offset = f.offset.min(text.len());
            let (line, column) = place(offset);
            (
                offset,
                ReadIssue {
                    kind: f.kind,
                    path: f.path,
                    message: f.message,
                    line,
                    column,
                },
            )
        })
        .collect();
    issues.sort_by_key(|(offset, _)| *offset);
    ReadError {
        issues: issues.into_iter().map(|(_, issue)| issue).collect(),
    }
}

/// A value for a message: in quotes, at most 60 characters of it.
pub(crate) fn quoted(value: &str) -> String {
    let mut short: String = value.chars().take(60).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// `; did you mean "name"?` where a known name is near, else nothing.
pub(crate) fn did_you_mean<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    if wrong.len() > 60 {
        return String::new();
    }
    let near = |name: &&str| -> Option<usize> {
        let distance = spelling::distance(wrong, name);
        (distance <= (wrong.len() / 2).clamp(0, 2)).then_some(distance)
    };
    let best = known.into_iter().filter_map(|n| near(&n).map(|d| (d, n))).min();
    best.map_or_else(String::new, |(_, name)| format!("; did you mean {name:?}?"))
}
