//! What a snapshot is asked for: [`HistoryQuery`], [`SearchQuery`] with its [`Sort`], [`LinkQuery`].

use std::sync::Arc;

use super::{
    Change, Cursor, Filter, Index, IndexValue, Key, ParameterNumber, Place, ResourceType, ValueKind, Version,
};
use crate::context::Millis;
use crate::error::{Error, ErrorCode, Result};

/// Which versions a history lists, newest first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HistoryQuery {
    /// All versions of a resource, of a type, or of the tenant.
    pub scope: HistoryScope,
    /// Only versions written at or after.
    pub since: Option<Millis>,
    /// Only versions that were current at some time of this span (first and last millisecond).
    pub at: Option<(Millis, Millis)>,
    /// Only versions with a smaller stamp (the last one of the page before).
    pub before: Option<i64>,
    /// How many at most.
    pub count: usize,
    /// What the caller may see.
    pub filter: Filter,
}

impl HistoryQuery {
    /// The newest `count` versions of the scope that the filter lets through.
    pub fn new(scope: HistoryScope, count: usize, filter: Filter) -> Self {
        HistoryQuery {
            scope,
            since: None,
            at: None,
            before: None,
            count,
            filter,
        }
    }
}

/// Which resources may have to be taken away for good.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ErasureQuery {
    /// What is looked for.
    pub which: Erasable,
    /// How many at most.
    pub count: usize,
}

impl ErasureQuery {
    /// So many of them at most, in any order.
    pub fn new(which: Erasable, count: usize) -> Self {
        ErasureQuery { which, count }
    }

    /// For back ends: whether a resource is looked for, by its current version and what it can be found by, or could when it was deleted.
    pub fn finds(&self, current: &Version, index: &Index) -> bool {
        match &self.which {
            Erasable::Of {
                parameter,
                to,
                shared,
            } => {
                let rows = index.rows().iter().filter(|row| row.parameter == *parameter);
                let named = rows.filter_map(|row| match &row.value {
                    IndexValue::Reference {
                        resource_type, id, ..
                    } if *resource_type == to.resource_type => Some(*id == to.id),
                    _ => None,
                });
                let named: Vec<bool> = named.collect();
                named.contains(&true) && named.contains(&false) == *shared
            }
            Erasable::Deleted(before) => current.change == Change::Delete && current.last_updated < *before,
        }
    }
}

/// What is looked for to be taken away for good.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Erasable {
    /// What has a row of that parameter that refers to `to`, or had one when it was deleted.
    Of {
        /// the parameter
        parameter: ParameterNumber,
        /// what is referred to
        to: Key,
        /// whether such a row refers to another resource of that type too
        shared: bool,
    },
    /// What was deleted before that time.
    Deleted(Millis),
}

/// What a history is of.
#[derive(Clone, Debug)]
pub enum HistoryScope {
    /// One resource.
    Instance(Key),
    /// One type.
    Type(ResourceType),
    /// Everything of the tenant.
    System,
}

/// Which current resources a search lists, and in which order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchQuery {
    /// The type; `None` is every type.
    pub resource_type: Option<ResourceType>,
    /// Criteria and what the caller may see, ANDed.
    pub filter: Filter,
    /// First by the first, then by the next; what is equal in all of them, newest change first. At most [`MAX_SORTS`] keys.
    pub sort: Vec<Sort>,
    /// Continue after the row with that cursor.
    pub after: Option<Cursor>,
    /// Leave out rows changed after that stamp (the high-water mark of the first page).
    pub mark: Option<i64>,
    /// Keys of the order, by their place, that count as missing for resources that the filter beside them lets through.
    pub absent: Vec<(usize, Filter)>,
    /// How many at most.
    pub count: usize,
}

/// Keys that one search may sort by.
pub const MAX_SORTS: usize = 6;

impl SearchQuery {
    /// The newest `count` resources that the filter lets through.
    pub fn new(resource_type: Option<ResourceType>, filter: Filter, count: usize) -> Self {
        SearchQuery {
            resource_type,
            filter,
            sort: Vec::new(),
            after: None,
            mark: None,
            absent: Vec::new(),
            count,
        }
    }

    /// For back ends: refuses an order that cannot be, and a cursor of another.
    ///
    /// # Errors
    /// It sorts by too many keys or by positions, or goes on after a row of another order.
    pub fn check(&self) -> Result<()> {
        let refuse = |text: &str| Err(Error::new(ErrorCode::Value, text));
        if self.sort.len() > MAX_SORTS {
            return refuse("A search sorts by six keys at most; name fewer in _sort.");
        }
        if self.sort.iter().any(Sort::is_of_places) {
            return refuse("Positions have no order: sort by something else.");
        }
        let fits = |(sort, place): (&Sort, &Place)| match place {
            Place::Missing => true,
            Place::Number(_) => sort.is_number(),
            Place::Bytes(_) => !sort.is_number(),
        };
        match &self.after {
            Some(after)
                if after.values.len() != self.sort.len()
                    || !self.sort.iter().zip(&after.values).all(fits) =>
            {
                refuse("The page is of another order: begin again with the first page.")
            }
            _ => Ok(()),
        }
    }
}

/// One key of an order (<https://hl7.org/fhir/R4/search.html#sort>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// Greatest first.
    pub descending: bool,
}

impl Sort {
    /// Whether its places are numbers; otherwise they are bytes.
    pub(crate) fn is_number(&self) -> bool {
        match self.key {
            SortKey::LastUpdated => true,
            SortKey::Id => false,
            SortKey::Parameter { kind, .. } | SortKey::AnyParameter { kind, .. } => {
                matches!(kind, ValueKind::Date | ValueKind::Number | ValueKind::Quantity)
            }
        }
    }

    fn is_of_places(&self) -> bool {
        let kind = match self.key {
            SortKey::Parameter { kind, .. } | SortKey::AnyParameter { kind, .. } => Some(kind),
            _ => None,
        };
        kind == Some(ValueKind::Position)
    }
}

/// What to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SortKey {
    /// The time of the last change, and of equal times the order of the changes: no two resources are equal in it.
    LastUpdated,
    /// The logical id, bytewise as the store writes it: a UUID as its 16 bytes.
    Id,
    /// A parameter's values of one kind. Of several, ascending takes the least and descending the greatest; a resource without
    /// any comes last in both directions. Text, folded, and codes count with their first [`SORTED_BYTES`], spans and ranges with
    /// their first end ascending and their last descending, a reference with the id that it names.
    Parameter {
        /// which
        parameter: ParameterNumber,
        /// of which values; positions have no order
        kind: ValueKind,
    },
    /// The same of several parameters, all of which count: one for each of the types that are searched.
    AnyParameter {
        /// which
        parameters: Arc<[ParameterNumber]>,
        /// of which values; positions have no order
        kind: ValueKind,
    },
}

/// How many bytes of a text count in an order.
pub const SORTED_BYTES: usize = 120;

/// A resource that a search found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found {
    /// Its current version.
    pub version: Version,
    /// Its place in the order.
    pub cursor: Cursor,
}

impl Found {
    /// For back ends.
    pub fn new(version: Version, cursor: Cursor) -> Self {
        Found { version, cursor }
    }
}

/// Which current resources are linked to some: `_include` and `_revinclude`
/// (<https://hl7.org/fhir/R4/search.html#revinclude>).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LinkQuery {
    /// From where.
    pub from: Vec<Key>,
    /// By what.
    pub link: Link,
    /// How many at most: those changed last.
    pub count: usize,
}

impl LinkQuery {
    /// At most `count` resources that the link gives from those.
    pub fn new(from: Vec<Key>, link: Link, count: usize) -> Self {
        LinkQuery { from, link, count }
    }
}

/// Which contained resources of some resources pass (<https://hl7.org/fhir/R4/search.html#contained>).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ContainedQuery {
    /// Within which resources.
    pub containers: Vec<Key>,
    /// Their type.
    pub resource_type: ResourceType,
    /// What they must be.
    pub filter: Filter,
    /// What the containers must be for the caller to see them.
    pub visible: Filter,
    /// How many at most.
    pub count: usize,
}

impl ContainedQuery {
    /// At most `count` contained resources of the type that the filter lets through.
    pub fn new(containers: Vec<Key>, resource_type: ResourceType, filter: Filter, count: usize) -> Self {
        ContainedQuery {
            containers,
            resource_type,
            filter,
            visible: Filter::All,
            count,
        }
    }
}

/// A kind of link.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Link {
    /// To what they refer to (`_include`).
    Forward {
        /// by these reference parameters; none is all there are
        parameters: Vec<ParameterNumber>,
        /// by canonical URL, where there are any: what URLs of the targets are found by
        urls: Vec<ParameterNumber>,
        /// to resources of these types that the filter with it lets through
        targets: Vec<(ResourceType, Filter)>,
    },
    /// To what refers to them (`_revinclude`).
    Backward {
        /// by these reference parameters
        parameters: Vec<ParameterNumber>,
        /// by canonical URL, where there are any: what URLs of those resources are found by
        urls: Vec<ParameterNumber>,
        /// of that type
        source: ResourceType,
        /// that it lets through
        filter: Filter,
    },
}
