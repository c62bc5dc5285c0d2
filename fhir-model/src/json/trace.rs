//! Where in the text a server may have to change something: ids, meta, references.

use std::ops::Range;

/// Places in the text of a resource, as byte ranges.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The resource itself first; then, for a Bundle, the resource of each entry that has one, in order.
    pub resources: Vec<ResourceSpan>,
    /// String literals that may hold a reference, in the order of the text.
    pub links: Vec<Link>,
}

/// Where a resource stands in the text.
#[derive(Clone, Debug)]
pub struct ResourceSpan {
    /// The index in `Bundle.entry`; `None` for the resource that was read.
    pub entry: Option<usize>,
    /// The whole object, braces included.
    pub span: Range<usize>,
    /// The member `"resourceType": "…"`.
    pub resource_type: Range<usize>,
    /// The member `"id": "…"`.
    pub id: Option<Range<usize>>,
    /// The member `"meta": {…}`.
    pub meta: Option<MetaSpan>,
}

/// Where the meta of a resource stands in the text.
#[derive(Clone, Debug)]
pub struct MetaSpan {
    /// The member, from its name's opening quote.
    pub member: Range<usize>,
    /// The object, braces included.
    pub value: Range<usize>,
    /// The members `versionId` and `lastUpdated` and their extensions, in the order of the text.
    pub stamps: Vec<Range<usize>>,
    /// How many other members it has.
    pub others: usize,
}

/// A string literal that may hold a reference.
#[derive(Clone, Debug)]
pub struct Link {
    /// The literal, quotes included.
    pub span: Range<usize>,
    /// What it is.
    pub kind: LinkKind,
}

/// What a string literal that may hold a reference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// `Reference.reference`
    Reference,
    /// An element of type uri, url, oid or uuid.
    Uri,
    /// `Narrative.div`, whose `href` and `src` may hold references.
    Narrative,
}
