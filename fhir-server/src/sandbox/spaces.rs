//! [`Spaces`]: a sandbox for each developer. A space is a tenant that is filled when it is opened and emptied when it is closed.
//!
//! Which spaces there are is one note in the database, so that all processes on it agree. Tenants are given again: of what the audit trail
//! tells, a space shows what happened since it was opened.
//!
//! Invariant: there are never more spaces than are configured, and nobody is let into one before it is filled.

use serde::{Deserialize, Serialize};

use super::{Reset, Samples};
use crate::config::{SPACES, SandboxConfig};
use crate::context::{Context, Millis, Principal, TenantId};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::store::ResourceType;

/// Whose note it is: no space has this number.
const NOTES: TenantId = TenantId(SPACES);
/// How often a change is tried while others change the note too.
const ATTEMPTS: usize = 32;
/// A use is noted once in so many milliseconds at most.
const NOTED_EVERY: i64 = 60_000;

/// A space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Space {
    pub(crate) name: String,
    tenant: i64,
    /// When it was opened, in milliseconds since 1970.
    pub(crate) began: i64,
    /// When it was used last, about.
    pub(crate) used: i64,
    /// Whether it is filled.
    ready: bool,
}

impl Space {
    /// Whose store it is.
    pub(crate) fn tenant(&self) -> TenantId {
        TenantId(self.tenant)
    }
}

/// The spaces of a sandbox.
pub(crate) struct Spaces<'s> {
    pub(crate) engine: &'s Engine,
    pub(crate) samples: &'s Samples,
    pub(crate) config: &'s SandboxConfig,
}

/// Whether a space may have that name.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl Spaces<'_> {
    /// The space of that name, which is used now; `None` where there is none.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn find(&self, name: &str, now: Millis) -> Result<Option<Space>> {
        let (_, all) = self.read().await?;
        let found = all.into_iter().find(|space| space.name == name && space.ready);
        let found = found.filter(|space| !self.is_idle(space, now));
        if let Some(space) = &found
            && space.used.saturating_add(NOTED_EVERY) <= now.0
        {
            self.change(|all| {
                let used = all.iter_mut().filter(|space| space.name == name);
                used.for_each(|space| space.used = space.used.max(now.0));
                Ok(())
            })
            .await?;
        }
        Ok(found)
    }

    /// Opens the space of that name, with the samples in it; what it did, unless there is one already.
    ///
    /// # Errors
    /// All spaces are taken, or the store failed.
    pub(crate) async fn open(&self, name: &str, caller: &Context) -> Result<(Space, Option<Reset>)> {
        let now = caller.clock.now();
        self.sweep(now).await?;
        let space = self.change(|all| self.take(all, name, now)).await?;
        if space.ready {
            return Ok((space, None));
        }
        let context = caller.clone().of_tenant(space.tenant());
        let reset = self.samples.reset(self.engine, &context).await?;
        self.change(|all| {
            let opened = all
                .iter_mut()
                .filter(|one| one.tenant == space.tenant && one.name == name);
            opened.for_each(|space| space.ready = true);
            Ok(())
        })
        .await?;
        Ok((space, Some(reset)))
    }

    /// The space of that name, one that is free, or a refusal.
    fn take(&self, all: &mut Vec<Space>, name: &str, now: Millis) -> Result<Space> {
        if let Some(space) = all.iter().find(|space| space.name == name) {
            return Ok(space.clone());
        }
        let is_free = |number: &i64| all.iter().all(|space| space.tenant != *number);
        let most = i64::try_from(self.config.spaces).unwrap_or(i64::MAX);
        let free = (SPACES + 1..=SPACES.saturating_add(most)).find(is_free);
        let Some(tenant) = free else {
            let text = format!(
                "All {most} spaces of this sandbox are taken: close one with DELETE, or wait until one has not been used for a while."
            );
            return Err(Error::new(ErrorCode::Conflict, text));
        };
        let space = Space {
            name: name.to_owned(),
            tenant,
            began: now.0,
            used: now.0,
            ready: false,
        };
        all.push(space.clone());
        Ok(space)
    }

    /// Closes the space of that name; how many resources went, or `None` where there is none.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn close(&self, name: &str, caller: &Context) -> Result<Option<i64>> {
        let close = |all: &mut Vec<Space>| {
            let mut found = all.iter_mut().filter(|space| space.name == name);
            Ok(found.next().map(|space| {
                space.ready = false;
                space.clone()
            }))
        };
        let Some(space) = self.change(close).await? else {
            return Ok(None);
        };
        let context = caller.clone().of_tenant(space.tenant());
        let removed = self.samples.clear(self.engine, &context).await?;
        // Its tenant is given to nobody else before nothing is in it.
        self.change(|all| {
            all.retain(|one| one.ready || one.tenant != space.tenant);
            Ok(())
        })
        .await?;
        Ok(Some(removed))
    }

    /// Closes what nobody has used for long.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn sweep(&self, now: Millis) -> Result<()> {
        let (_, all) = self.read().await?;
        for space in all.iter().filter(|space| self.is_idle(space, now)) {
            let caller = Context::new(Principal::system("sandbox"), "sandbox-idle");
            tracing::info!(space = %space.name, "a space of the sandbox is closed: nobody uses it");
            self.close(&space.name, &caller).await?;
        }
        Ok(())
    }

    fn is_idle(&self, space: &Space, now: Millis) -> bool {
        now.0 > self.idle_at(space).0
    }

    /// When it is closed unless somebody uses it.
    pub(crate) fn idle_at(&self, space: &Space) -> Millis {
        let idle = i64::try_from(self.config.space_idle.as_millis()).unwrap_or(i64::MAX);
        Millis(space.used.saturating_add(idle))
    }

    async fn read(&self) -> Result<(Option<Vec<u8>>, Vec<Space>)> {
        let note = self.engine.noted(NOTES, beside()?).await?;
        let all = match &note {
            Some(text) => serde_json::from_slice(text).map_err(Error::internal)?,
            None => Vec::new(),
        };
        Ok((note, all))
    }

    /// Changes what is noted, upon what others have changed meanwhile.
    async fn change<T>(&self, change: impl Fn(&mut Vec<Space>) -> Result<T>) -> Result<T> {
        for _ in 0..ATTEMPTS {
            let (before, mut all) = self.read().await?;
            let changed = change(&mut all)?;
            let note = serde_json::to_vec(&all).map_err(Error::internal)?;
            if before.as_ref() == Some(&note) || self.engine.note(NOTES, beside()?, before, note).await? {
                return Ok(changed);
            }
        }
        let text = "Others open and close spaces at the same time. Try again.";
        Err(Error::new(ErrorCode::Unavailable, text))
    }
}

/// The type beside which it is noted.
fn beside() -> Result<ResourceType> {
    ResourceType::from_name("Basic").ok_or_else(|| Error::internal("no type Basic"))
}
