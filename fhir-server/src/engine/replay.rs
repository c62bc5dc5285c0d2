//! Writes that are sent again: what a write is known by is a claim of its own commit, and what the commit did is kept behind it.
//!
//! Invariant: a write and the memory of it stand or fall together; of the same write sent at the same time one is done.
//! Invariant: what is remembered for one caller is bounded, and no caller makes the server forget what another wrote.

use sha2::{Digest, Sha256};

use super::Session;
use super::write::Staged;
use crate::context::Millis;
use crate::error::{Error, ErrorCode, Result};
use crate::store::{Claim, Commit, Expect, Key, Outcome, Owner, ResourceType, Write};

/// The kind of its claims.
const KIND: &str = "reply";

/// What the next commit is to be remembered by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remembered {
    /// A digest of the caller, the request and its key.
    pub(crate) key: [u8; 32],
    /// A digest of the body.
    pub(crate) body: [u8; 32],
    /// A digest of the caller.
    caller: [u8; 32],
    /// Another with the same key was first.
    lost: bool,
}

impl Remembered {
    pub(crate) fn new(key: [u8; 32], body: [u8; 32], caller: [u8; 32]) -> Self {
        Remembered {
            key,
            body,
            caller,
            lost: false,
        }
    }

    /// What an entry of the same request is known by.
    pub(crate) fn of_entry(&self, index: usize) -> Self {
        let parts = [&self.key[..], &index.to_be_bytes()];
        Remembered::new(digest(&parts), self.body, self.caller)
    }
}

/// What a write did that was sent before.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The digest of its body.
    pub(crate) body: [u8; 32],
    /// What was written, in the order of the commit.
    pub(crate) done: Vec<Done>,
}

/// One resource that it wrote.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// The entry of a Bundle that asked for it.
    pub(crate) entry: Option<usize>,
    /// The resource; `None` for what is none.
    pub(crate) key: Option<Key>,
    /// What was done to it.
    pub(crate) outcome: Outcome,
}

/// A digest of parts that cannot run into each other.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Session {
    /// The next commit is to be remembered by that, or by nothing.
    pub(crate) fn remember(&mut self, remembered: Option<Remembered>) {
        self.remembered = remembered;
    }

    /// What the next commit is to be remembered by.
    pub(crate) fn remembered(&self) -> Option<Remembered> {
        self.remembered
    }

    /// Whether a commit failed since the same request was done already.
    pub(crate) fn was_done(&self) -> bool {
        self.remembered.is_some_and(|remembered| remembered.lost)
    }

    /// What the same request did before, within the time that it is remembered.
    pub(crate) async fn reply(&self, remembered: &Remembered) -> Result<Option<Reply>> {
        let held = self.claim(KIND, &remembered.key).await?;
        held.map(|held| Reply::read(&held).ok_or_else(|| Error::internal("a reply that cannot be read")))
            .transpose()
    }

    /// Adds the claim to the commit; the place of its expectation.
    pub(super) fn claim_reply(&self, staged: &[Staged], commit: &mut Commit) -> Option<usize> {
        let remembered = self.remembered?;
        let keep = i64::try_from(self.settings().replay.as_millis()).unwrap_or(i64::MAX);
        let mut claim = Claim::new(KIND, remembered.key, written(&remembered, staged));
        claim.expires = Some(Millis(self.now().0.saturating_add(keep)));
        claim.outcomes = true;
        claim.owner = Some(Owner {
            key: remembered.caller,
            bytes: i64::try_from(self.settings().replay_bytes).unwrap_or(i64::MAX),
        });
        commit.expects.push(Expect::Unclaimed(KIND, remembered.key));
        commit.writes.push(Write::Claim(claim));
        Some(commit.expects.len() - 1)
    }

    /// Notes that another was first.
    pub(super) fn lost_reply(&mut self) -> Error {
        if let Some(remembered) = &mut self.remembered {
            remembered.lost = true;
        }
        let text = "The same request is being answered: send it again for its answer.";
        Error::new(ErrorCode::Unavailable, text)
    }
}

/// The body's digest, how many writes there are, and what each is of.
fn written(remembered: &Remembered, staged: &[Staged]) -> Vec<u8> {
    let writes: Vec<&Staged> = staged.iter().filter(|one| one.write.is_some()).collect();
    let mut text = remembered.body.to_vec();
    text.extend(u32::try_from(writes.len()).unwrap_or_default().to_be_bytes());
    for one in writes {
        let entry = one
            .entry
            .map_or(u32::MAX, |entry| u32::try_from(entry).unwrap_or(u32::MAX));
        text.extend(entry.to_be_bytes());
        let of = one.key.as_ref().map_or(0, |key| key.resource_type.number());
        text.extend(of.to_be_bytes());
        let id = one.key.as_ref().map_or("", |key| key.id.as_str());
        // Ids have 64 letters at most.
        text.push(u8::try_from(id.len()).unwrap_or_default());
        text.extend(id.as_bytes());
    }
    text
}

impl Reply {
    fn read(held: &[u8]) -> Option<Reply> {
        let (body, mut rest) = held.split_first_chunk::<32>()?;
        let count = u32::from_be_bytes(take(&mut rest)?);
        let mut of = Vec::new();
        for _ in 0..count {
            let entry = u32::from_be_bytes(take(&mut rest)?);
            let resource_type = ResourceType::from_number(i16::from_be_bytes(take(&mut rest)?));
            let [length] = take(&mut rest)?;
            let (id, after) = rest.split_at_checked(usize::from(length))?;
            rest = after;
            let id = str::from_utf8(id).ok()?.to_owned();
            let key = resource_type
                .filter(|_| !id.is_empty())
                .map(|resource_type| Key { resource_type, id });
            of.push((usize::try_from(entry).ok().filter(|_| entry != u32::MAX), key));
        }
        let outcomes = rest.chunks_exact(Outcome::KEPT).map(Outcome::of_kept);
        let done = of.into_iter().zip(outcomes).map(|((entry, key), outcome)| {
            let outcome = outcome?;
            Some(Done { entry, key, outcome })
        });
        Some(Reply {
            body: *body,
            done: done.collect::<Option<_>>()?,
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*taken)
}
