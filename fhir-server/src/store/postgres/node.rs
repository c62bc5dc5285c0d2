//! The lease on a node number: ten bits of each stamp, so that it tells which process gave it.
//!
//! The lease runs by the database's clock and is renewed by `watch`. Stamps are unique without it, because they are given
//! under the tenant's row; a process whose lease ran out while it slept does no harm.

use diesel::sql_types::SmallInt;

use super::failure;
use super::link::Link;
use crate::error::{Error, ErrorCode, Result};
use crate::store::sql::{Bind, Statement};

/// How long a lease lasts, in milliseconds.
const LASTS: i64 = 60_000;

/// A process's lease.
pub(super) struct Lease {
    holder: String,
    number: Option<i16>,
}

impl Lease {
    /// A lease of this process on nothing yet.
    pub(super) fn new() -> Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|e| Error::internal(e.to_string()))?;
        Ok(Lease {
            holder: format!(
                "process {} {:016x}",
                std::process::id(),
                u64::from_be_bytes(random)
            ),
            number: None,
        })
    }

    /// Renews the lease, or takes one; the number.
    pub(super) async fn renew(&mut self, link: &Link) -> Result<u16> {
        if let Some(number) = self.number
            && self.renewed(link, number).await?
        {
            return leased(number);
        }
        // Another process may take the same number at the same time.
        for _ in 0..16 {
            if let Some(number) = self.take(link).await? {
                self.number = Some(number);
                return leased(number);
            }
        }
        let what = "All 1,024 node numbers of the database are taken by other server processes.";
        Err(Error::new(ErrorCode::Unavailable, what))
    }

    async fn renewed(&self, link: &Link, number: i16) -> Result<bool> {
        let statement = Statement::new(
            "UPDATE node SET leased_until = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + ?\
             \x20WHERE number = ? AND holder = ?",
            [Bind::Big(LASTS), Bind::Small(number), Bind::Text(&self.holder)],
        );
        Ok(link.run(statement).await.map_err(failure::error)? == 1)
    }

    /// The least number that is free.
    async fn take(&self, link: &Link) -> Result<Option<i16>> {
        let statement = Statement::<SmallInt>::new(
            "WITH clock (now) AS (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint)\
             \x20INSERT INTO node AS n (number, holder, leased_until)\
             \x20SELECT g.number, ?, c.now + ? FROM generate_series(0, 1023) AS g (number), clock c\
             \x20WHERE NOT EXISTS (SELECT 1 FROM node t WHERE t.number = g.number AND t.leased_until > c.now)\
             \x20ORDER BY g.number LIMIT 1\
             \x20ON CONFLICT (number) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until\
             \x20WHERE n.leased_until <= (SELECT c.now FROM clock c) RETURNING n.number",
            [Bind::Text(&self.holder), Bind::Big(LASTS)],
        );
        link.first(statement).await.map_err(failure::error)
    }

    /// Gives the number back.
    pub(super) async fn end(&self, link: &Link) -> Result<()> {
        let statement = Statement::new(
            "UPDATE node SET leased_until = 0 WHERE holder = ?",
            [Bind::Text(&self.holder)],
        );
        link.run(statement).await.map_err(failure::error)?;
        Ok(())
    }
}

fn leased(number: i16) -> Result<u16> {
    u16::try_from(number).map_err(Error::internal)
}
