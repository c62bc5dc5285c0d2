//! What the cases share: a store, a clock they set, and short ways to say what they do.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::context::{Clock, Millis, TenantId};
use crate::error::Error;
use crate::store::{
    Commit, Expect, Filter, Found, HistoryQuery, Index, Key, Outcome, Refusal, ResourceType, SearchQuery,
    Snapshot, StampForm, Store, StoredBody, Version, Write,
};

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(super) struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        ManualClock(AtomicI64::new(1_764_000_000_000))
    }
}

impl ManualClock {
    /// Moves it; back too.
    pub(super) fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// Why a case fails.
pub(super) struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure(format!("{error} ({:?})", error.cause))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure(format!("refused: {refusal:?}"))
    }
}

/// What a case comes to.
pub(super) type Checked<T = ()> = Result<T, Failure>;

/// Fails with both values where they differ.
pub(super) fn equal<T: PartialEq + fmt::Debug>(got: T, wanted: T, what: &str) -> Checked {
    if got == wanted {
        Ok(())
    } else {
        Err(Failure(format!("{what}: got {got:?}, wanted {wanted:?}")))
    }
}

/// Fails where it does not hold.
pub(super) fn holds(it: bool, what: impl fmt::Display) -> Checked {
    if it {
        Ok(())
    } else {
        Err(Failure(format!("does not hold: {what}")))
    }
}

/// The value, or a failure.
pub(super) fn some<T>(value: Option<T>, what: &str) -> Checked<T> {
    value.ok_or_else(|| Failure(format!("there is no {what}")))
}

/// A key of that type and id.
pub(super) fn key(resource_type: &str, id: &str) -> Checked<Key> {
    let resource_type = some(ResourceType::from_name(resource_type), "such type")?;
    Ok(Key {
        resource_type,
        id: id.into(),
    })
}

/// A small body that differs for each number.
pub(super) fn body(n: usize) -> StoredBody {
    let json = format!(r#"{{"resourceType":"Basic","code":{{"text":"number {n}"}}}}"#).into_bytes();
    StoredBody {
        json,
        stamp_at: 24,
        stamp_form: StampForm::Member,
    }
}

/// A create with that body.
pub(super) fn create(key: &Key, n: usize) -> Write {
    Write::Create {
        key: key.clone(),
        body: body(n),
        index: Index::default(),
    }
}

/// An update with that body that may create.
pub(super) fn update(key: &Key, n: usize) -> Write {
    Write::Update {
        key: key.clone(),
        body: body(n),
        index: Index::default(),
        create: true,
    }
}

/// A deletion.
pub(super) fn delete(key: &Key) -> Write {
    Write::Delete { key: key.clone() }
}

/// `id version` of each, in order.
pub(super) fn names(versions: &[Version]) -> Vec<String> {
    versions
        .iter()
        .map(|v| format!("{} {}", v.key.id, v.version))
        .collect()
}

/// The same of what a search found.
pub(super) fn found_names(found: &[Found]) -> Vec<String> {
    let names = found
        .iter()
        .map(|f| format!("{} {}", f.version.key.id, f.version.version));
    names.collect()
}

/// A store and its clock.
pub(super) struct Fixture {
    /// The store under test.
    pub(super) store: Arc<dyn Store>,
    /// Its clock.
    pub(super) clock: Arc<ManualClock>,
}

impl Fixture {
    /// A view as of now.
    pub(super) async fn snapshot(&self) -> Checked<Box<dyn Snapshot>> {
        Ok(self.store.snapshot(TenantId::DEFAULT).await?)
    }

    /// One commit.
    pub(super) async fn commit(
        &self,
        expects: Vec<Expect>,
        writes: Vec<Write>,
    ) -> Result<Vec<Outcome>, Refusal> {
        self.store
            .commit(TenantId::DEFAULT, Commit::new(expects, writes))
            .await
    }

    /// One write in one commit, a millisecond after the one before.
    pub(super) async fn write(&self, write: Write) -> Checked<Outcome> {
        self.clock.advance(1);
        let outcomes = self.commit(Vec::new(), vec![write]).await?;
        equal(outcomes.len(), 1, "outcomes of one write")?;
        some(outcomes.into_iter().next(), "outcome")
    }

    /// The current version.
    pub(super) async fn read(&self, key: &Key) -> Checked<Option<Version>> {
        Ok(self.snapshot().await?.read(key, &Filter::All).await?)
    }

    /// A history, as names.
    pub(super) async fn history(&self, query: &HistoryQuery) -> Checked<Vec<String>> {
        Ok(names(&self.snapshot().await?.history(query).await?))
    }

    /// A search, as names.
    pub(super) async fn search(&self, query: &SearchQuery) -> Checked<Vec<String>> {
        Ok(found_names(&self.snapshot().await?.search(query).await?))
    }
}

/// The version and time in an outcome.
pub(super) fn stamped(outcome: &Outcome) -> Checked<(i64, Millis)> {
    match outcome {
        Outcome::Created {
            version,
            last_updated,
        }
        | Outcome::Updated {
            version,
            last_updated,
        }
        | Outcome::Unchanged {
            version,
            last_updated,
        }
        | Outcome::Deleted {
            version,
            last_updated,
        } => Ok((*version, *last_updated)),
        other => Err(Failure(format!("{other:?} has no version"))),
    }
}
