//! [`Terms`]: the numbers of terms that the writer knows.
//!
//! Invariant: a number is known only as long as its row is in the database or in the transaction that is open.

use std::collections::HashMap;

use diesel::QueryResult;

use super::link::Link;
use crate::context::TenantId;
use crate::store::sql::{self, Term, TermKey};

/// Terms that are kept in memory at most, 40 bytes each.
const MOST_KNOWN: usize = 50_000;

/// The numbers that are known.
pub(super) struct Terms {
    known: HashMap<TermKey, i64>,
    /// Those of the transaction that is open.
    fresh: Vec<TermKey>,
    /// Terms made so far, of all tenants.
    count: Option<i64>,
}

type Candidate = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);

impl Terms {
    /// None are known.
    pub(super) fn new() -> Self {
        Terms {
            known: HashMap::new(),
            fresh: Vec::new(),
            count: None,
        }
    }

    /// The number of a term; makes one where it has none.
    pub(super) fn number(&mut self, link: &mut Link, tenant: TenantId, term: &Term) -> QueryResult<i64> {
        let key = term.key(tenant);
        if let Some(number) = self.known.get(&key) {
            return Ok(*number);
        }
        let number = match self.find(link, tenant, term)? {
            Some(number) => number,
            None => {
                let number = term.number(self.next(link)?);
                link.run(sql::insert_term(tenant, number, term))?;
                self.fresh.push(key);
                number
            }
        };
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        self.known.insert(key, number);
        Ok(number)
    }

    /// The number of a term that is in the database.
    pub(super) fn find(&self, link: &mut Link, tenant: TenantId, term: &Term) -> QueryResult<Option<i64>> {
        let candidates: Vec<Candidate> = link.rows(sql::term(tenant, term))?;
        let same = candidates.into_iter().find(|(_, whole, second, third)| {
            *whole == term.whole && *second == term.second && *third == term.third
        });
        Ok(same.map(|(number, ..)| number))
    }

    fn next(&mut self, link: &mut Link) -> QueryResult<i64> {
        let count = match self.count {
            Some(count) => count,
            None => {
                let greatest: Option<Option<i64>> = link.first(sql::greatest_term())?;
                greatest.flatten().unwrap_or_default() >> sql::class::BITS
            }
        };
        self.count = Some(count + 1);
        Ok(count + 1)
    }

    /// The transaction was committed.
    pub(super) fn keep(&mut self) {
        self.fresh.clear();
    }

    /// Terms may be gone from the database: each is looked for again.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// The transaction, or the end of it, was undone: what it made may be gone.
    pub(super) fn undo(&mut self) {
        for key in self.fresh.drain(..) {
            self.known.remove(&key);
        }
    }
}
