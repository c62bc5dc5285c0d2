//! [`Ledger`]: the rows of the resources that a transaction changes, as they are and as they shall be, and the terms that it needs.
//!
//! What commits decide changes `shall` alone; [`Ledger::flush`] gives the difference as statements.
//!
//! Invariant: a number of a term is given while the tenant's row is held, and known to other transactions only after the commit.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::result::Error as Diesel;
use diesel::sql_types::{BigInt, Binary, Double, Integer, Nullable, SmallInt};
use futures_util::future::{try_join, try_join3};

use super::arrays::{Arrays, Column};
use super::changes::Changes;
use super::link::Link;
use crate::context::TenantId;
use crate::store::sql::{self, ContainedRows, Draft, Rows, Term, TermKey};

/// Terms that a process keeps in memory at most, 40 bytes each.
const MOST_KNOWN: usize = 100_000;

/// The numbers of terms that are in the database.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    of: HashMap<TermKey, i64>,
    /// Under which stamp terms of a tenant were last taken away; none ever, where it is not here.
    forgotten: HashMap<TenantId, i64>,
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, Numbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self, key: &TermKey) -> Option<i64> {
        self.lock().of.get(key).copied()
    }

    /// More that are there.
    pub(super) fn add(&self, terms: impl IntoIterator<Item = (TermKey, i64)>) {
        let mut known = self.lock();
        if known.of.len() > MOST_KNOWN {
            known.of.clear();
        }
        known.of.extend(terms);
    }

    /// Terms of the tenant were last taken away under that stamp: those that were known before may not be there any more. Said while the
    /// tenant's row is held.
    pub(super) fn as_of(&self, tenant: TenantId, forgotten: i64) {
        if forgotten == 0 {
            return;
        }
        let mut known = self.lock();
        if known.forgotten.insert(tenant, forgotten) != Some(forgotten) {
            known.of.clear();
        }
    }
}

type TermSql = (
    BigInt,
    SmallInt,
    Integer,
    Binary,
    Nullable<Binary>,
    Nullable<Binary>,
    Nullable<Binary>,
);
type TermRow = (
    i64,
    i16,
    i32,
    Vec<u8>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
);

/// The rows and terms of one transaction.
pub(super) struct Ledger<'j> {
    tenant: TenantId,
    known: &'j Known,
    numbers: HashMap<TermKey, i64>,
    /// Terms of this tenant so far.
    count: i64,
    fresh: Vec<(TermKey, i64)>,
    unwritten: Vec<(i64, &'j Term)>,
    are: HashMap<i64, Rows>,
    shall: HashMap<i64, Rows>,
}

impl<'j> Ledger<'j> {
    /// Nothing is fetched yet.
    pub(super) fn new(tenant: TenantId, known: &'j Known) -> Self {
        Ledger {
            tenant,
            known,
            numbers: HashMap::new(),
            count: 0,
            fresh: Vec::new(),
            unwritten: Vec::new(),
            are: HashMap::new(),
            shall: HashMap::new(),
        }
    }

    /// Fetches the numbers of the terms, and the rows of the resources.
    pub(super) async fn fetch(
        &mut self,
        link: &Link,
        terms: impl Iterator<Item = &'j Term>,
        resources: Vec<i64>,
    ) -> Result<(), Diesel> {
        let mut asked: HashMap<TermKey, &Term> = HashMap::new();
        for term in terms {
            let key = term.key(self.tenant);
            match self.known.number(&key) {
                Some(number) => {
                    self.numbers.insert(key, number);
                }
                None => {
                    asked.insert(key, term);
                }
            }
        }
        if !asked.is_empty() {
            self.fetch_terms(link, &asked).await?;
        }
        if !resources.is_empty() {
            self.fetch_rows(link, resources).await?;
        }
        Ok(())
    }

    async fn fetch_terms(&mut self, link: &Link, asked: &HashMap<TermKey, &Term>) -> Result<(), Diesel> {
        let terms = || asked.values();
        let query = Arrays::<TermSql>::new(
            "SELECT n.number, n.kind, n.hash, n.head, n.whole, n.second, n.third FROM unnest(?, ?, ?) AS a (kind, hash, head)\
             \x20JOIN term n ON n.tenant = ? AND n.kind = a.kind AND n.head = a.head AND n.hash = a.hash",
            [
                Column::Small(terms().map(|t| t.kind).collect()),
                Column::Int(terms().map(|t| t.hash()).collect()),
                Column::Bytes(terms().map(|t| t.head.clone()).collect()),
                Column::One(self.tenant.0),
            ],
        );
        let rows: Vec<TermRow> = link.rows_of(query).await?;
        let mut found: HashMap<(i16, i32), Vec<TermRow>> = HashMap::new();
        for row in rows {
            found.entry((row.1, row.2)).or_default().push(row);
        }
        let mut are_there = Vec::new();
        for (key, term) in asked {
            let rows = found.get(&(term.kind, term.hash())).into_iter().flatten();
            let mut same = rows.filter(|(_, _, _, head, whole, second, third)| {
                *head == term.head && *whole == term.whole && *second == term.second && *third == term.third
            });
            are_there.extend(same.next().map(|row| (*key, row.0)));
        }
        self.numbers.extend(are_there.iter().copied());
        if are_there.len() < asked.len() {
            let greatest: Option<Option<i64>> = link.first(sql::greatest_term_of(self.tenant)).await?;
            self.count = greatest.flatten().unwrap_or_default() >> sql::class::BITS;
        }
        self.known.add(are_there);
        Ok(())
    }

    async fn fetch_rows(&mut self, link: &Link, resources: Vec<i64>) -> Result<(), Diesel> {
        let of = || [Column::One(self.tenant.0), Column::Big(resources.clone())];
        let labels = Arrays::<(BigInt, Integer, BigInt, Integer)>::new(
            "SELECT l.resource, l.parameter, l.term, l.part FROM label l WHERE l.tenant = ? AND l.resource = ANY(?)",
            of(),
        );
        let spans = Arrays::<(BigInt, Integer, BigInt, BigInt, BigInt, Integer)>::new(
            "SELECT l.resource, l.parameter, l.unit, l.last, l.first, l.part FROM span l WHERE l.tenant = ?\
             \x20AND l.resource = ANY(?)",
            of(),
        );
        let places = Arrays::<(BigInt, Integer, Integer, Double, Double, Double)>::new(
            "SELECT l.resource, l.parameter, l.part, l.x, l.y, l.z FROM place l WHERE l.tenant = ? AND l.resource = ANY(?)",
            of(),
        );
        let passages = Arrays::<(BigInt, SmallInt, Integer, Binary)>::new(
            "SELECT l.resource, l.section, l.part, l.digest FROM passage l WHERE l.tenant = ? AND l.resource = ANY(?)",
            of(),
        );
        let contained = Arrays::<(BigInt, BigInt)>::new(
            "SELECT c.container, c.surrogate FROM contained c WHERE c.tenant = ? AND c.container = ANY(?)",
            of(),
        );
        let ((labels, spans, places), (passages, contained)) = try_join(
            try_join3(link.rows_of(labels), link.rows_of(spans), link.rows_of(places)),
            try_join(link.rows_of(passages), link.rows_of(contained)),
        )
        .await?;
        let passages: Vec<(i64, i16, i32, Vec<u8>)> = passages;
        for (resource, section, part, digest) in passages {
            let rows = self.are.entry(resource).or_default();
            // A digest of another size is none of ours: it differs from all.
            let key = (section, part, digest.try_into().unwrap_or_default());
            rows.passages.insert(key, None);
        }
        let contained: Vec<(i64, i64)> = contained;
        for (resource, surrogate) in contained {
            let rows = self.are.entry(resource).or_default();
            rows.contained.push(ContainedRows {
                surrogate,
                content: None,
            });
        }
        let labels: Vec<(i64, i32, i64, i32)> = labels;
        for (resource, parameter, term, part) in labels {
            let rows = self.are.entry(resource).or_default();
            rows.labels.insert((parameter, term, part));
        }
        let spans: Vec<(i64, i32, i64, i64, i64, i32)> = spans;
        for (resource, parameter, unit, last, first, part) in spans {
            let rows = self.are.entry(resource).or_default();
            rows.spans.insert((parameter, unit, last, first, part));
        }
        let places: Vec<(i64, i32, i32, f64, f64, f64)> = places;
        for (resource, parameter, part, x, y, z) in places {
            let rows = self.are.entry(resource).or_default();
            rows.places.insert((parameter, part, [x, y, z].map(f64::to_bits)));
        }
        Ok(())
    }

    /// The rows that a draft comes to; what it contains gets new surrogates.
    pub(super) fn rows(&mut self, draft: &'j Draft, surrogates: &mut dyn FnMut() -> i64) -> Rows {
        let numbers: Vec<i64> = draft.terms().iter().map(|term| self.number(term)).collect();
        let mut rows = draft.rows(&numbers);
        for (key, draft) in draft.contained() {
            let surrogate = surrogates();
            let content = self.rows(draft, surrogates);
            rows.contained.push(ContainedRows {
                surrogate,
                content: Some((key.clone(), content)),
            });
        }
        rows
    }

    /// The number of a term that was fetched, if it is in the database.
    pub(super) fn known(&self, term: &Term) -> Option<i64> {
        self.numbers.get(&term.key(self.tenant)).copied()
    }

    fn number(&mut self, term: &'j Term) -> i64 {
        let key = term.key(self.tenant);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        self.count += 1;
        let number = term.number(self.count);
        self.numbers.insert(key, number);
        self.fresh.push((key, number));
        self.unwritten.push((number, term));
        number
    }

    /// The rows of a resource as far as has been said.
    pub(super) fn of(&self, resource: i64) -> Rows {
        let rows = self.shall.get(&resource).or_else(|| self.are.get(&resource));
        rows.cloned().unwrap_or_default()
    }

    /// Says what the rows of a resource shall be; what was said before, if anything was.
    pub(super) fn set(&mut self, resource: i64, rows: Rows) -> Option<Rows> {
        self.shall.insert(resource, rows)
    }

    /// Takes that back.
    pub(super) fn reset(&mut self, resource: i64, rows: Option<Rows>) {
        match rows {
            Some(rows) => self.shall.insert(resource, rows),
            None => self.shall.remove(&resource),
        };
    }

    /// No resource has rows any more; those that were known.
    pub(super) fn forget(&mut self) -> HashMap<i64, Rows> {
        self.shall.clear();
        std::mem::take(&mut self.are)
    }

    /// Those are the rows that there are.
    pub(super) fn remember(&mut self, are: HashMap<i64, Rows>) {
        self.shall.clear();
        self.are = are;
    }

    /// The terms that this transaction has made.
    pub(super) fn into_fresh(self) -> Vec<(TermKey, i64)> {
        self.fresh
    }

    /// The statements that make the rows what they shall be.
    pub(super) fn flush(&mut self) -> Vec<Arrays> {
        let mut statements = Vec::new();
        let unwritten = std::mem::take(&mut self.unwritten);
        if !unwritten.is_empty() {
            statements.push(insert_terms(self.tenant, &unwritten));
        }
        let (mut gone, mut new) = (Changes::default(), Changes::default());
        for (resource, shall) in std::mem::take(&mut self.shall) {
            let are = self.are.remove(&resource).unwrap_or_default();
            gone.add(resource, &are, &shall);
            new.add(resource, &shall, &are);
            gone.add_contained(resource, &are);
            new.add_contained(resource, &shall);
            self.are.insert(resource, shall);
        }
        gone.delete(self.tenant, &mut statements);
        new.insert(self.tenant, &mut statements);
        statements
    }
}

fn insert_terms(tenant: TenantId, terms: &[(i64, &Term)]) -> Arrays {
    let all = || terms.iter().map(|(_, term)| *term);
    Arrays::new(
        "INSERT INTO term (tenant, number, kind, hash, head, whole, second, third) SELECT ?, a.number, a.kind, a.hash,\
         \x20a.head, a.whole, a.second, a.third FROM unnest(?, ?, ?, ?, ?, ?, ?)\
         \x20AS a (number, kind, hash, head, whole, second, third)",
        [
            Column::One(tenant.0),
            Column::Big(terms.iter().map(|(number, _)| *number).collect()),
            Column::Small(all().map(|t| t.kind).collect()),
            Column::Int(all().map(Term::hash).collect()),
            Column::Bytes(all().map(|t| t.head.clone()).collect()),
            Column::MaybeBytes(all().map(|t| t.whole.clone()).collect()),
            Column::MaybeBytes(all().map(|t| t.second.clone()).collect()),
            Column::MaybeBytes(all().map(|t| t.third.clone()).collect()),
        ],
    )
}
