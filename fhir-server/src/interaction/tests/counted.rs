//! A store that says what it is asked, and how many rows it answered with.

use std::sync::Mutex;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::*;
use crate::context::TenantId;
use crate::store::{
    AuditQuery, AuditRow, AuditSeal, Commit, ContainedQuery, Found, Key, LinkQuery, Marks, Outcome,
    ParameterNumber, Refusal, ResourceType, SearchQuery, Snapshot, Version,
};

/// What was asked, with the rows of the answer.
pub(super) type Asked = Arc<Mutex<Vec<(&'static str, usize)>>>;

/// Says what a store is asked for.
pub(super) struct Counted {
    inner: Arc<dyn Store>,
    asked: Asked,
}

impl Counted {
    pub(super) fn new(inner: Arc<dyn Store>, asked: Asked) -> Self {
        Counted { inner, asked }
    }
}

struct View(Box<dyn Snapshot>, Asked);

type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// How many rows an answer has.
trait Rows {
    fn rows(&self) -> usize {
        1
    }
}

impl<T> Rows for Vec<T> {
    fn rows(&self) -> usize {
        self.len()
    }
}

impl<T> Rows for Option<T> {
    fn rows(&self) -> usize {
        usize::from(self.is_some())
    }
}

impl Rows for u64 {}
impl Rows for Marks {}

impl View {
    fn tell<'a, T: Rows + 'a>(&'a self, what: &'static str, answer: Answer<'a, T>) -> Answer<'a, T> {
        async move {
            let answer = answer.await;
            let rows = answer.as_ref().map_or(0, Rows::rows);
            self.1.lock().unwrap().push((what, rows));
            answer
        }
        .boxed()
    }
}

impl Snapshot for View {
    fn read<'a>(&'a self, key: &'a Key, filter: &'a Filter) -> Answer<'a, Option<Version>> {
        self.tell("read", self.0.read(key, filter))
    }
    fn vread<'a>(&'a self, key: &'a Key, version: i64, filter: &'a Filter) -> Answer<'a, Option<Version>> {
        self.tell("vread", self.0.vread(key, version, filter))
    }
    fn history<'a>(&'a self, query: &'a HistoryQuery) -> Answer<'a, Vec<Version>> {
        self.tell("history", self.0.history(query))
    }
    fn history_total<'a>(&'a self, query: &'a HistoryQuery, limit: u64) -> Answer<'a, u64> {
        self.tell("history_total", self.0.history_total(query, limit))
    }
    fn search<'a>(&'a self, query: &'a SearchQuery) -> Answer<'a, Vec<Found>> {
        self.tell("search", self.0.search(query))
    }
    fn search_total<'a>(&'a self, query: &'a SearchQuery, limit: u64) -> Answer<'a, u64> {
        self.tell("search_total", self.0.search_total(query, limit))
    }
    fn linked<'a>(&'a self, query: &'a LinkQuery) -> Answer<'a, Vec<Version>> {
        self.tell("linked", self.0.linked(query))
    }
    fn contained<'a>(&'a self, query: &'a ContainedQuery) -> Answer<'a, Vec<(usize, String)>> {
        self.tell("contained", self.0.contained(query))
    }
    fn marks(&self) -> Answer<'_, Marks> {
        self.tell("marks", self.0.marks())
    }
    fn note(&self, of: ResourceType) -> Answer<'_, Option<Vec<u8>>> {
        self.tell("note", self.0.note(of))
    }
    fn claim<'a>(&'a self, kind: &'static str, key: &'a [u8; 32]) -> Answer<'a, Option<Vec<u8>>> {
        self.tell("claim", self.0.claim(kind, key))
    }
    fn referred<'a>(
        &'a self,
        from: &'a [Key],
        parameters: &'a [ParameterNumber],
        to: ResourceType,
    ) -> Answer<'a, Vec<String>> {
        self.tell("referred", self.0.referred(from, parameters, to))
    }
    fn audit<'a>(&'a self, query: &'a AuditQuery) -> Answer<'a, Vec<AuditRow>> {
        self.tell("audit", self.0.audit(query))
    }
    fn audit_total<'a>(&'a self, query: &'a AuditQuery) -> Answer<'a, u64> {
        self.tell("audit_total", self.0.audit_total(query))
    }
    fn audit_patients(&self, first: i64, last: i64) -> Answer<'_, Vec<(i64, String)>> {
        self.tell("audit_patients", self.0.audit_patients(first, last))
    }
    fn audit_seals(&self, from: Option<i64>, count: usize) -> Answer<'_, Vec<AuditSeal>> {
        self.tell("audit_seals", self.0.audit_seals(from, count))
    }
}

impl Store for Counted {
    fn snapshot(&self, tenant: TenantId) -> Answer<'_, Box<dyn Snapshot>> {
        async move {
            let view = self.inner.snapshot(tenant).await?;
            Ok(Box::new(View(view, self.asked.clone())) as Box<dyn Snapshot>)
        }
        .boxed()
    }
    fn commit(&self, tenant: TenantId, commit: Commit) -> BoxFuture<'_, Result<Vec<Outcome>, Refusal>> {
        self.asked.lock().unwrap().push(("commit", 0));
        self.inner.commit(tenant, commit)
    }
    fn unindexed(&self) -> Answer<'_, Vec<(TenantId, i64)>> {
        self.inner.unindexed()
    }
    fn full_text(&self) -> Answer<'_, bool> {
        self.inner.full_text()
    }
    fn defining(&self, of: ResourceType) -> Answer<'_, Vec<(TenantId, i64)>> {
        self.inner.defining(of)
    }
    fn audited(&self) -> Answer<'_, Vec<TenantId>> {
        self.inner.audited()
    }
    fn ready(&self) -> Answer<'_, ()> {
        self.inner.ready()
    }
    fn secret(&self) -> [u8; 32] {
        self.inner.secret()
    }
    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}
