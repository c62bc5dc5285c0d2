//! A batch: the commits of one tenant that wait, in one transaction.
//!
//! A transaction is four exchanges with the database, however many commits are in it: begin and take the tenant's row; fetch
//! what the commits are about; write; commit.
//!
//! Invariant: nobody is told `Ok` before COMMIT has been answered, and nobody is told anything that was read in a
//! transaction which was then undone.
//! Invariant: what may have been committed is not done again, and not called unchanged.

use std::time::{Duration, Instant};

use diesel::result::Error as Diesel;
use futures_util::future::join;
use tokio::sync::oneshot;

use super::core::Core;
use super::desk::{Desk, Stop};
use super::failure::{self, Class};
use super::link::Link;
use super::pool::Lent;
use super::task::Task;
use super::tenant;
use crate::context::TenantId;
use crate::error::Error;
use crate::store::sql::TermKey;
use crate::store::{Outcome, Refusal};

/// Transactions that are tried for one batch, at most.
const MOST_TRIES: u32 = 8;
/// Those limits hold until the transaction ends. A writer that stops in the middle of one does not keep the others out for long.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = 1000; SET LOCAL statement_timeout = 30000; \
                     SET LOCAL idle_in_transaction_session_timeout = 5000";

/// What became of a commit.
pub(super) type Answer = Result<Vec<Outcome>, Refusal>;

/// A commit that waits.
pub(super) struct Job {
    /// What to do.
    pub(super) task: Task,
    /// About how much memory it holds.
    pub(super) weight: usize,
    /// Who waits.
    pub(super) reply: oneshot::Sender<Answer>,
}

/// Why a transaction did not go through.
enum Broken {
    /// Nothing of it was committed.
    Undone(Class, Error),
    /// Nobody knows.
    Unknown,
}

impl From<Diesel> for Broken {
    fn from(error: Diesel) -> Self {
        Broken::Undone(failure::class(&error), failure::error(error))
    }
}

/// Carries the jobs out and answers them.
pub(super) async fn serve(core: &Core, tenant: TenantId, mut jobs: Vec<Job>) {
    for tries in 1.. {
        jobs = without_late(jobs);
        if jobs.is_empty() {
            return;
        }
        let (class, error) = match transact(core, tenant, &jobs).await {
            Ok(answers) => return answer(jobs, answers),
            Err(Broken::Unknown) => return answer_all(jobs, failure::unknown),
            Err(Broken::Undone(class, error)) => (class, error),
        };
        let may_go_on = match class {
            Class::Again | Class::Busy => tries < MOST_TRIES,
            // A lost connection may have been an old one.
            Class::Gone => tries < 3 && core.is_up(),
            _ => false,
        };
        if may_go_on {
            pause(tries).await;
        } else if jobs.len() == 1 || matches!(class, Class::Again | Class::Busy | Class::Gone | Class::Full) {
            return refuse(jobs, class, error);
        } else {
            return one_by_one(core, tenant, jobs).await;
        }
    }
}

/// One of them made the transaction fail; the others shall not suffer for it.
async fn one_by_one(core: &Core, tenant: TenantId, jobs: Vec<Job>) {
    for job in jobs {
        Box::pin(serve(core, tenant, vec![job])).await;
    }
}

/// Longer each time, and not the same for all.
async fn pause(tries: u32) {
    let mut random = [0; 1];
    // Without random bytes all wait alike.
    let spread = getrandom::fill(&mut random).map_or(0, |()| u64::from(random[0] % 16));
    tokio::time::sleep(Duration::from_millis(u64::from(tries) * 10 + spread)).await;
}

/// One transaction with all jobs in it.
async fn transact(core: &Core, tenant: TenantId, jobs: &[Job]) -> Result<Vec<Answer>, Broken> {
    let gone = |error| Broken::Undone(Class::Gone, error);
    let lent = core
        .guarded(core.writers.lend())
        .await
        .and_then(|lent| lent)
        .map_err(gone)?;
    let worked = core
        .guarded(work(core, &lent, tenant, jobs))
        .await
        .map_err(gone)?;
    let (answers, wrote, fresh) = match worked {
        Ok(worked) => worked,
        Err(broken) => {
            end(core, lent).await;
            return Err(broken);
        }
    };
    if !wrote {
        end(core, lent).await;
        return Ok(answers);
    }
    commit(core, lent).await?;
    core.terms.add(fresh);
    Ok(answers)
}

/// Everything but COMMIT; whether there is something to commit.
async fn work(
    core: &Core,
    lent: &Lent,
    tenant: TenantId,
    jobs: &[Job],
) -> Result<(Vec<Answer>, bool, Vec<(TermKey, i64)>), Broken> {
    let link = lent.link().map_err(|error| Broken::Undone(Class::Other, error))?;
    let (last_stamp, forgotten) = begin(link, tenant).await?;
    core.terms.as_of(tenant, forgotten);
    let node = core.node.load(std::sync::atomic::Ordering::Relaxed);
    let mut desk = Desk::new(link, tenant, core.clock.as_ref(), &core.terms, (node, last_stamp));
    desk.fetch(jobs.iter().map(|job| &job.task)).await?;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        match desk.decide(&job.task).await {
            Ok(outcomes) => answers.push(Ok(outcomes)),
            Err(Stop::Refused(refusal)) => answers.push(Err(refusal)),
            Err(Stop::Broken(error)) => return Err(error.into()),
        }
    }
    let (wrote, fresh) = desk.finish().await?;
    Ok((answers, wrote, fresh))
}

/// Begins the transaction and takes the tenant's row; its last stamp, and that under which terms were last taken away.
async fn begin(link: &Link, tenant: TenantId) -> Result<(i64, i64), Diesel> {
    let (begun, held) = join(link.batch(BEGIN), link.first(tenant::hold(tenant))).await;
    begun?;
    if let Some(stamps) = held? {
        return Ok(stamps);
    }
    link.run(tenant::make(tenant)).await?;
    let stamps: Option<(i64, i64)> = link.first(tenant::hold(tenant)).await?;
    stamps.ok_or(Diesel::NotFound)
}

/// Undoes what the transaction did, and lets go of the connection.
async fn end(core: &Core, lent: Lent) {
    let Ok(link) = lent.link() else { return };
    // A connection that does not get that far is not used again.
    if let Ok(Ok(())) = core.guarded(link.batch("ROLLBACK")).await {
        lent.give_back();
    }
}

async fn commit(core: &Core, lent: Lent) -> Result<(), Broken> {
    let link = lent.link().map_err(|error| Broken::Undone(Class::Other, error))?;
    match core.guarded(link.batch("COMMIT")).await {
        Ok(Ok(())) => {
            lent.give_back();
            Ok(())
        }
        Ok(Err(error)) => match failure::class(&error) {
            Class::Gone | Class::Ended | Class::Other => {
                tracing::error!(%error, "the connection was lost at a commit: what became of it is not known");
                Err(Broken::Unknown)
            }
            // The database says that it has undone it.
            Class::Full | Class::Busy | Class::Again | Class::Unique => Err(error.into()),
        },
        Err(_) => {
            tracing::error!("the database did not answer a commit: what became of it is not known");
            Err(Broken::Unknown)
        }
    }
}

fn without_late(jobs: Vec<Job>) -> Vec<Job> {
    let now = Instant::now();
    let (late, in_time): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.task.is_late(now));
    answer_all(late, || failure::error_of_class(Class::Busy));
    in_time
}

fn answer(jobs: Vec<Job>, answers: Vec<Answer>) {
    for (job, answer) in jobs.into_iter().zip(answers) {
        // A caller that went away needs no answer.
        let _ = job.reply.send(answer);
    }
}

fn answer_all(jobs: Vec<Job>, error: impl Fn() -> Error) {
    for job in jobs {
        // As above.
        let _ = job.reply.send(Err(Refusal::Failed(error())));
    }
}

/// The first gets the error with its cause.
fn refuse(jobs: Vec<Job>, class: Class, error: Error) {
    let mut first = Some(error);
    for job in jobs {
        let error = first.take().unwrap_or_else(|| failure::error_of_class(class));
        // As above.
        let _ = job.reply.send(Err(Refusal::Failed(error)));
    }
}
