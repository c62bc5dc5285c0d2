//! What one tenant holds: the conditions of a commit, and its writes.
//!
//! Invariant: nothing here waits or fails half way; who commits works on a copy and puts it in the place of what was there.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use fhir_server::context::Millis;
use fhir_server::store::scan::{Item, Model};
use fhir_server::store::{
    AuditRow, AuditSeal, Change, Claim, Epochs, Expect, Filter, Index, Key, Outcome, Owner, ResourceType,
    StoredBody, Version, Write,
};

/// All versions of a resource, the oldest first, and what it can be found by: what it was found by last, where it is deleted.
#[derive(Clone)]
pub(crate) struct Resource {
    pub(crate) versions: Vec<Version>,
    pub(crate) index: Index,
}

/// Kind and key of a claim.
type ClaimKey = (&'static str, [u8; 32]);

/// One tenant. A copy of it shares what does not change.
#[derive(Clone, Default)]
pub(crate) struct Data {
    pub(crate) resources: BTreeMap<Key, Arc<Resource>>,
    pub(crate) trail: Vec<Arc<AuditRow>>,
    pub(crate) seals: Vec<AuditSeal>,
    pub(crate) notes: HashMap<ResourceType, Vec<u8>>,
    pub(crate) epochs: Epochs,
    /// The stamp of the newest change of a resource.
    pub(crate) newest: i64,
    /// Up to which stamp resources can be found by what they hold, where that is not all.
    pub(crate) indexed_to: Option<i64>,
    /// Each with what the claims of its owner had used up with it.
    claims: HashMap<ClaimKey, (Arc<Claim>, i64)>,
    /// The last stamp given, to a note too.
    stamp: i64,
}

/// Why a write is refused.
pub(crate) enum Refused {
    /// By what is there.
    Conflict,
    /// It is of a later release than this back end knows.
    Unknown,
}

impl Data {
    pub(crate) fn current(&self, key: &Key) -> Option<&Version> {
        self.resources.get(key)?.versions.last()
    }

    /// The current version, where that is not a deletion.
    pub(crate) fn live(&self, key: &Key) -> Option<&Version> {
        self.current(key)
            .filter(|version| version.change != Change::Delete)
    }

    /// Everything current, oldest change first.
    pub(crate) fn model(&self) -> Model {
        let live = self.resources.values().filter_map(|resource| {
            let version = resource.versions.last()?;
            (version.change != Change::Delete).then(|| item(version, resource))
        });
        let mut all: Vec<Item> = live.collect();
        all.sort_by_key(|item| item.stamp);
        Model(all)
    }

    /// The resource, if the filter lets it through; one that is deleted is judged by what it was.
    pub(crate) fn visible(&self, key: &Key, filter: &Filter) -> Option<&Resource> {
        let resource = self.resources.get(key)?;
        let passes = match filter {
            Filter::All => true,
            _ => self
                .model()
                .admits(filter, &item(resource.versions.last()?, resource)),
        };
        passes.then_some(resource)
    }

    /// The claim, unless it has run out.
    pub(crate) fn claim(&self, kind: &'static str, key: &[u8; 32], now: Millis) -> Option<&Claim> {
        let (claim, _) = self.claims.get(&(kind, *key))?;
        claim.expires.is_none_or(|at| at > now).then_some(claim)
    }

    /// Whether a condition holds; if not, the version that is there instead.
    pub(crate) fn check(&self, expect: &Expect, now: Millis) -> Result<(), Option<i64>> {
        let live = |key: &Key| self.live(key).map(|version| version.version);
        let holds = match expect {
            Expect::Version(key, wanted) if live(key) != Some(*wanted) => return Err(live(key)),
            Expect::Version(..) => true,
            Expect::Absent(key) if live(key).is_some() => return Err(live(key)),
            Expect::Absent(_) => true,
            Expect::Visible(key, filter) => self.live(key).is_some() && self.visible(key, filter).is_some(),
            Expect::Matches {
                resource_type,
                filter,
                ids,
            } => {
                let model = self.model();
                let found = model.search(Some(*resource_type), filter, &[]);
                let mut found: Vec<&String> = found.iter().map(|(item, _)| &item.key.id).collect();
                let mut wanted: Vec<&String> = ids.iter().collect();
                found.sort();
                wanted.sort();
                wanted.dedup();
                found == wanted
            }
            Expect::Newest(of, stamp) => {
                let of_type = self.resources.iter().filter(|(key, _)| key.resource_type == *of);
                let stamps =
                    of_type.filter_map(|(_, resource)| resource.versions.last().map(|last| last.stamp));
                stamps.max().unwrap_or_default() == *stamp
            }
            Expect::Unclaimed(kind, key) => self.claim(kind, key, now).is_none(),
            Expect::Epoch(of, stamp) => self.epochs.of(*of) == *stamp,
            Expect::Note(of, note) => self.notes.get(of) == note.as_ref(),
            // A condition that is not known does not hold.
            _ => false,
        };
        if holds { Ok(()) } else { Err(None) }
    }

    /// Does a write; `before` is what those before it in the commit did.
    pub(crate) fn write(
        &mut self,
        write: Write,
        before: &[Outcome],
        now: Millis,
    ) -> Result<Outcome, Refused> {
        Ok(match write {
            Write::Empty { keep } => self.empty(keep),
            Write::Create { key, body, index } => match self.current(&key) {
                Some(_) => return Err(Refused::Conflict),
                None => self.push(key, Change::Create, Some((body, index)), now),
            },
            Write::Update {
                key,
                body,
                index,
                create,
            } => match self.current(&key) {
                None if !create => return Err(Refused::Conflict),
                None => self.push(key, Change::Create, Some((body, index)), now),
                Some(same) if same.body.as_ref() == Some(&body) => Outcome::Unchanged {
                    version: same.version,
                    last_updated: same.last_updated,
                },
                Some(_) => self.push(key, Change::Update, Some((body, index)), now),
            },
            Write::Delete { key } => match self.live(&key) {
                Some(_) => self.push(key, Change::Delete, None, now),
                None => Outcome::Absent,
            },
            Write::Purge { key, .. } => self.purge(&key),
            Write::Index { key, stamp, index } => {
                let is_current = self.live(&key).is_some_and(|version| version.stamp == stamp);
                let resource = self.resources.get_mut(&key).filter(|_| is_current);
                resource
                    .into_iter()
                    .for_each(|resource| Arc::make_mut(resource).index = index.clone());
                Outcome::Indexed
            }
            Write::IndexedTo(stamp) => {
                self.indexed_to = stamp;
                Outcome::Indexed
            }
            // The store keeps it, since it is of all tenants.
            Write::FullText(_) => Outcome::Indexed,
            Write::Claim(mut claim) => {
                if self.claim(claim.kind, &claim.key, now).is_some() {
                    return Err(Refused::Conflict);
                }
                self.claims
                    .retain(|_, (held, _)| held.expires.is_none_or(|at| at > now));
                claim.payload = claim.stored(before);
                let used = self.make_room(&claim);
                self.claims
                    .insert((claim.kind, claim.key), (Arc::new(claim), used));
                Outcome::Claimed
            }
            Write::Audit(entry) => {
                let stamp = self.trail.last().map_or(1, |row| row.stamp + 1);
                self.trail.push(Arc::new(AuditRow::new(stamp, now, entry)));
                Outcome::Recorded
            }
            // Rows are found by the patients that they tell of: there are no lists to bring them into.
            Write::List(_) => Outcome::Recorded,
            Write::Seal(seal) => {
                if seal.number != self.seals.last().map_or(1, |last| last.number + 1) {
                    return Err(Refused::Conflict);
                }
                self.seals.push(seal);
                Outcome::Recorded
            }
            Write::Note { of, note, moves } => {
                self.notes.insert(of, note);
                if moves {
                    self.stamp += 1;
                    self.epochs.set(of, self.epochs.next(of, self.stamp));
                }
                Outcome::Noted
            }
            _ => return Err(Refused::Unknown),
        })
    }

    /// Forgets the oldest claims of the owner beyond its bound; what its claims have used up with this one.
    fn make_room(&mut self, claim: &Claim) -> i64 {
        let Some(owner) = claim.owner else { return 0 };
        let is_owners =
            |held: &Claim| held.kind == claim.kind && held.owner.is_some_and(|other| other.key == owner.key);
        let before = self.claims.values().filter(|(held, _)| is_owners(held));
        let before = before.map(|(_, used)| *used).max().unwrap_or_default();
        let used = before.saturating_add(Owner::weight(&claim.payload));
        let floor = used.saturating_sub(owner.bytes);
        self.claims
            .retain(|_, (held, was)| !is_owners(held) || *was > floor);
        used
    }

    fn empty(&mut self, keep: &[&str]) -> Outcome {
        let live = self.resources.keys().filter(|key| self.live(key).is_some());
        let resources = i64::try_from(live.count()).unwrap_or(i64::MAX);
        self.resources.clear();
        self.notes.clear();
        self.indexed_to = None;
        self.claims.retain(|(kind, _), _| keep.contains(kind));
        self.stamp += 1;
        self.epochs.empty(self.stamp);
        self.newest = 0;
        Outcome::Emptied { resources }
    }

    fn purge(&mut self, key: &Key) -> Outcome {
        let gone = self.resources.remove(key);
        let versions = gone.map_or(0, |resource| resource.versions.len());
        if versions > 0 {
            self.stamp += 1;
            let of = key.resource_type;
            self.epochs.set(of, self.epochs.next(of, self.stamp));
            if Epochs::is_kept(of) {
                self.epochs.purge(self.stamp);
            }
        }
        Outcome::Purged {
            versions: i64::try_from(versions).unwrap_or(i64::MAX),
        }
    }

    /// Adds a version.
    fn push(
        &mut self,
        key: Key,
        change: Change,
        content: Option<(StoredBody, Index)>,
        now: Millis,
    ) -> Outcome {
        let before = self.current(&key).map(|v| (v.version, v.change, v.last_updated));
        let version = before.map_or(1, |(version, ..)| version + 1);
        let last_updated = before.map_or(now, |(.., at)| at.max(now));
        self.stamp += 1;
        self.newest = self.stamp;
        let of = key.resource_type;
        self.epochs.set(of, self.epochs.next(of, self.stamp));

        let (body, index) = content.unzip();
        let resource = self.resources.entry(key.clone()).or_insert_with(|| {
            let versions = Vec::new();
            let index = Index::default();
            Arc::new(Resource { versions, index })
        });
        let resource = Arc::make_mut(resource);
        resource.index = index.unwrap_or_else(|| resource.index.clone());
        resource
            .versions
            .push(Version::new(key, version, change, self.stamp, last_updated, body));
        match (change, before) {
            (Change::Delete, _) => Outcome::Deleted {
                version,
                last_updated,
            },
            (_, None | Some((_, Change::Delete, _))) => Outcome::Created {
                version,
                last_updated,
            },
            _ => Outcome::Updated {
                version,
                last_updated,
            },
        }
    }
}

fn item(version: &Version, resource: &Resource) -> Item {
    Item::new(
        version.key.clone(),
        version.stamp,
        version.last_updated,
        resource.index.clone(),
    )
}
