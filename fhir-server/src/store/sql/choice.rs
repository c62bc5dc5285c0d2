//! [`Choice`]: which part of its filter drives a search, by how many resources each gives.
//!
//! Parts of which an index gives the resources are counted, first until they are more than very few, and only where none gives so few,
//! up to [`FEW`]. A count reads no more rows of an index than that, so that choosing costs the same whatever the size of the database.

use diesel::sql_types::BigInt;

use super::filter::{self, Candidate};
use super::list::Lists;
use super::search::{in_order_of_changes, names_resources};
use super::statement::{Bind, Statement};
use crate::store::{Explanation, Filter, SearchQuery};

/// How many resources the part that drives a page in the order of changes gives at most: sorting them takes less time than
/// looking for as many as a page has among all.
pub(crate) const FEW: i64 = if SMALL { 6 } else { 5_000 };
/// A part that gives so few drives the search, whatever others give.
const VERY_FEW: i64 = if SMALL { 2 } else { 50 };
/// Tests, which have little data, go every way.
const SMALL: bool = cfg!(test);
/// The beginnings of the counts of one question; there are no more.
const COUNTS: [&str; 4] = [
    "SELECT CAST(0 AS bigint), (SELECT count(*) FROM (SELECT 1 FROM (",
    " UNION ALL SELECT CAST(1 AS bigint), (SELECT count(*) FROM (SELECT 1 FROM (",
    " UNION ALL SELECT CAST(2 AS bigint), (SELECT count(*) FROM (SELECT 1 FROM (",
    " UNION ALL SELECT CAST(3 AS bigint), (SELECT count(*) FROM (SELECT 1 FROM (",
];

/// A statement that counts: places among the candidates, and how many each gives.
pub(crate) type Question<'f> = Statement<'f, (BigInt, BigInt)>;

/// Which part of a filter drives a search.
pub(crate) struct Choice<'f> {
    candidates: Vec<Candidate<'f>>,
    /// How many each gives, as far as that is counted.
    counts: Vec<Option<i64>>,
    round: Round,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    VeryFew,
    Few,
    Done,
}

impl<'f> Choice<'f> {
    /// For a search that looks at all that match.
    pub(crate) fn of_all(filter: &'f Filter) -> Self {
        let mut choice = Choice::new(filter);
        if choice.candidates.len() <= 1 {
            choice.round = Round::Done;
        }
        choice
    }

    /// For a search that may stop when its page is full.
    pub(crate) fn of_page(filter: &'f Filter) -> Self {
        Choice::new(filter)
    }

    fn new(filter: &'f Filter) -> Self {
        let mut candidates = match names_resources(filter) {
            // The key's index gives them.
            true => Vec::new(),
            false => filter::candidates(filter),
        };
        candidates.truncate(COUNTS.len());
        let direct = candidates
            .iter()
            .filter(|candidate| candidate.is_direct())
            .count();
        let round = match (candidates.len(), direct) {
            (0, _) => Round::Done,
            (1, _) | (_, 0) => Round::Few,
            _ => Round::VeryFew,
        };
        Choice {
            counts: vec![None; candidates.len()],
            candidates,
            round,
        }
    }

    /// The statement that counts what has to be counted next.
    pub(crate) fn question(&self, lists: Lists) -> Option<Question<'f>> {
        let most = match self.round {
            Round::VeryFew => VERY_FEW + 1,
            Round::Few => FEW + 1,
            Round::Done => return None,
        };
        let mut out = Statement::new("", []);
        let mut is_first = true;
        for (candidate, count) in self.candidates.iter().zip(COUNTS) {
            if self.round == Round::VeryFew && !candidate.is_direct() {
                continue;
            }
            out.push(
                if is_first {
                    count.trim_start_matches(" UNION ALL ")
                } else {
                    count
                },
                [],
            );
            is_first = false;
            filter::set(&mut out, lists, candidate.part);
            out.push(") e LIMIT ?) c)", [Bind::Big(most)]);
        }
        Some(out)
    }

    /// How many there are.
    pub(crate) fn answer(&mut self, counts: Vec<(i64, i64)>) {
        for (place, count) in counts {
            let place = usize::try_from(place).ok();
            if let Some(known) = place.and_then(|place| self.counts.get_mut(place)) {
                *known = Some(count);
            }
        }
        let least = self.counts.iter().flatten().min();
        self.round = match self.round {
            Round::VeryFew if least.is_none_or(|least| *least > VERY_FEW) => Round::Few,
            _ => Round::Done,
        };
    }

    /// The part that gives the fewest, if any part gives them from an index.
    pub(crate) fn best(&self) -> Option<Candidate<'f>> {
        let counted = self.candidates.iter().zip(&self.counts);
        let least = counted.min_by_key(|(_, count)| count.unwrap_or(i64::MAX));
        least.map(|(candidate, _)| *candidate)
    }

    /// The same, if it gives few.
    pub(crate) fn few(&self) -> Option<Candidate<'f>> {
        let counted = self.candidates.iter().zip(&self.counts);
        let few = counted.filter_map(|(candidate, count)| Some((candidate, (*count)?)));
        let least = few.min_by_key(|(_, count)| *count);
        least
            .filter(|(_, count)| *count <= FEW)
            .map(|(candidate, _)| *candidate)
    }

    /// How a page is looked for at first, and how where that does not fill it.
    pub(crate) fn ways(&self, query: &SearchQuery) -> (Way<'f>, Option<Way<'f>>) {
        match (in_order_of_changes(query), self.few(), self.best()) {
            (_, Some(few), _) => (Way::Drive(few), None),
            (Some(_), None, Some(best)) => (Way::WalkSome(FEW), Some(Way::Drive(best))),
            (None, None, Some(best)) => (Way::Drive(best), None),
            (_, None, None) => (Way::Walk, None),
        }
    }

    /// What was thought of, and what became of it; the statements are not in it.
    pub(crate) fn explanation(&self, query: &SearchQuery) -> Explanation {
        let count = |count: &Option<i64>| count.and_then(|count| u64::try_from(count).ok());
        let parts = self.candidates.iter().zip(&self.counts);
        let driven_by = match self.ways(query) {
            (Way::Drive(of), _) => format!("the index of part {}", self.place(of)),
            (Way::WalkSome(most), Some(Way::Drive(of))) => format!(
                "the index of changes for {most} resources, then the index of part {}",
                self.place(of)
            ),
            _ if in_order_of_changes(query).is_none() && !names_resources(&query.filter) => {
                "the index of the first key of the order where it has one, else all resources".to_owned()
            }
            _ if names_resources(&query.filter) => "the index of ids".to_owned(),
            _ => "the index of changes".to_owned(),
        };
        Explanation {
            considered: parts
                .map(|(candidate, n)| (candidate.part.clone(), count(n)))
                .collect(),
            driven_by,
            ..Explanation::default()
        }
    }

    /// The place of a candidate, from 1.
    fn place(&self, of: Candidate<'_>) -> usize {
        let place = self
            .candidates
            .iter()
            .position(|candidate| std::ptr::eq(candidate.part, of.part));
        place.map_or(0, |place| place + 1)
    }
}

/// How the resources are come by that a search looks at.
#[derive(Clone, Debug)]
pub(crate) enum Way<'f> {
    /// All there are, in the order of changes.
    Walk,
    /// So many of them.
    WalkSome(i64),
    /// What a part of the filter gives.
    Drive(Candidate<'f>),
    /// What comes first in the order asked for.
    Until(super::edge::Edge),
}
