//! [`Draft`]: the rows of a resource before its terms have numbers, and [`Rows`] after that.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::term::Term;
use crate::store::number::ordered;
use crate::store::sql::PassageKey;
use crate::store::{Contained, Index, IndexValue, id};

/// A row of `label`: parameter, term, part.
pub(crate) type Label = (i32, i64, i32);
/// A row of `span`: parameter, unit, last, first, part.
pub(crate) type Span = (i32, i64, i64, i64, i32);
/// A row of `place`: parameter, part, and x, y, z as bits.
pub(crate) type Place = (i32, i32, [u64; 3]);

/// The units of spans that are none.
const DATE: i64 = 0;
const NUMBER: i64 = 1;
const NO_UNIT: i64 = 2;

/// The rows of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Its terms.
    pub(crate) labels: BTreeSet<Label>,
    /// Its dates, numbers and quantities.
    pub(crate) spans: BTreeSet<Span>,
    /// Its positions.
    pub(crate) places: BTreeSet<Place>,
    /// The words of its text; of what is in the database it is not known which.
    pub(crate) passages: BTreeMap<PassageKey, Option<Arc<str>>>,
    /// What it contains.
    pub(crate) contained: Vec<ContainedRows>,
}

#[cfg(feature = "postgres")]
impl Rows {
    /// Those that are kept of a deleted resource: without its words and what it contains.
    pub(crate) fn without_text(mut self) -> Rows {
        self.passages.clear();
        self.contained.clear();
        self
    }
}

/// A contained resource with a surrogate of its own. It keeps no rows when it changes: it is made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainedRows {
    /// What its rows are under.
    pub(crate) surrogate: i64,
    /// What it is and what it has; of what is in the database it is not known.
    pub(crate) content: Option<(ContainedKey, Rows)>,
}

/// What a contained resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainedKey {
    /// The number of its type.
    pub(crate) resource_type: i16,
    /// Its id, packed.
    pub(crate) id: Vec<u8>,
    /// What a reference to it says.
    pub(crate) fragment: Vec<u8>,
}

impl ContainedKey {
    fn of(contained: &Contained) -> Self {
        ContainedKey {
            resource_type: contained.resource_type.number(),
            id: id::pack(&contained.id),
            fragment: format!("#{}", contained.id).into_bytes(),
        }
    }
}

/// The rows of a resource, with terms by their place in a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    terms: Vec<Term>,
    labels: Vec<(i32, usize, i32)>,
    spans: Vec<(i32, Unit, i64, i64, i32)>,
    places: BTreeSet<Place>,
    passages: BTreeMap<PassageKey, Option<Arc<str>>>,
    contained: Vec<(ContainedKey, Draft)>,
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    Known(i64),
    Term(usize),
}

impl Draft {
    /// The rows of an index.
    pub(crate) fn new(index: &Index) -> Self {
        let passages = index.passages().iter().map(|passage| {
            let key = (passage.section().number(), passage.part(), passage.digest());
            (key, Some(Arc::from(passage.words())))
        });
        let contained = index.contained().iter();
        let mut draft = Draft {
            passages: passages.collect(),
            contained: contained
                .map(|one| (ContainedKey::of(one), Draft::new(&one.index)))
                .collect(),
            ..Draft::default()
        };
        let mut places = HashMap::new();
        for row in index.rows() {
            let mut term = |term: Term| {
                let count = draft.terms.len();
                let place = *places
                    .entry(term.key(crate::context::TenantId(0)))
                    .or_insert(count);
                if place == count {
                    draft.terms.push(term);
                }
                place
            };
            let (parameter, part) = (row.parameter.0, row.group);
            let label = match &row.value {
                IndexValue::String { folded, exact } => term(Term::text(folded, exact)),
                IndexValue::Token { system, code } => term(Term::token(code, system.as_deref())),
                IndexValue::Uri { uri, version } => term(Term::uri(uri, version.as_deref())),
                IndexValue::Reference {
                    resource_type,
                    id,
                    version,
                } => term(Term::reference(*resource_type, id, version.as_deref())),
                IndexValue::Date { first, last } => {
                    draft.span(parameter, Unit::Known(DATE), (*first, *last), part);
                    continue;
                }
                IndexValue::Number { low, high } => {
                    draft.span(
                        parameter,
                        Unit::Known(NUMBER),
                        (ordered(*low), ordered(*high)),
                        part,
                    );
                    continue;
                }
                IndexValue::Quantity {
                    low,
                    high,
                    system,
                    code,
                    unit,
                } => {
                    let unit = Term::unit(system.as_deref(), code.as_deref(), unit.as_deref());
                    let unit = unit.map_or(Unit::Known(NO_UNIT), |unit| Unit::Term(term(unit)));
                    draft.span(parameter, unit, (ordered(*low), ordered(*high)), part);
                    continue;
                }
                IndexValue::Position { point } => {
                    draft
                        .places
                        .insert((parameter, part, point.map(|c| (c + 0.0).to_bits())));
                    continue;
                }
            };
            draft.labels.push((parameter, label, part));
        }
        draft
    }

    /// A span that ends before it begins is turned around.
    fn span(&mut self, parameter: i32, unit: Unit, (first, last): (i64, i64), part: i32) {
        self.spans
            .push((parameter, unit, first.max(last), first.min(last), part));
    }

    /// Its terms, each once.
    pub(crate) fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Its terms, and those of what it contains.
    pub(crate) fn all_terms(&self) -> impl Iterator<Item = &Term> {
        let contained = self.contained.iter().flat_map(|(_, draft)| &draft.terms);
        self.terms.iter().chain(contained)
    }

    /// What the resource contains.
    pub(crate) fn contained(&self) -> &[(ContainedKey, Draft)] {
        &self.contained
    }

    /// The rows without those of what is contained, by the numbers of the terms in their order.
    pub(crate) fn rows(&self, numbers: &[i64]) -> Rows {
        let number = |place: usize| numbers.get(place).copied();
        let labels = self.labels.iter();
        let spans = self.spans.iter();
        Rows {
            labels: labels
                .filter_map(|&(parameter, term, part)| Some((parameter, number(term)?, part)))
                .collect(),
            spans: spans
                .filter_map(|&(parameter, unit, last, first, part)| {
                    let unit = match unit {
                        Unit::Known(unit) => unit,
                        Unit::Term(term) => number(term)?,
                    };
                    Some((parameter, unit, last, first, part))
                })
                .collect(),
            places: self.places.clone(),
            passages: self.passages.clone(),
            contained: Vec::new(),
        }
    }

    /// About how much memory it holds.
    pub(crate) fn weight(&self) -> usize {
        let bytes = |term: &Term| {
            let more = [&term.whole, &term.second, &term.third];
            term.head.len() + more.into_iter().flatten().map(Vec::len).sum::<usize>() + 160
        };
        self.terms.iter().map(bytes).sum::<usize>()
            + 48 * (self.labels.len() + self.spans.len() + self.places.len())
            + self
                .passages
                .values()
                .flatten()
                .map(|words| words.len() + 64)
                .sum::<usize>()
            + self
                .contained
                .iter()
                .map(|(_, draft)| draft.weight() + 128)
                .sum::<usize>()
    }
}
