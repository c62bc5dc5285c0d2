//! What the writer's thread does: batches, transactions, failures, recovery, and keeping the log short.
//!
//! Invariant: nobody is told `Ok` before COMMIT has returned without an error, and nobody is told anything that was
//! read in a transaction which was then undone.
//! Invariant: after an I/O error nothing more is written until a fresh connection has carried the whole log over into
//! the database file and synced it, and has made a durable write of its own: a kernel may forget dirty pages whose
//! sync failed, so the old connection's idea of what is on the disk is not trusted. A full disk needs no such care:
//! SQLite meets it before it syncs, and the next commit simply tries again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use diesel::result::Error as Diesel;

use super::apply::{Desk, Stop};
use super::checkpoint::Checkpoints;
use super::epochs::KnownEpochs;
use super::failure::{self, Class};
use super::link::Link;
use super::terms::Terms;
use super::writer::{Answer, Health, Job, Message, Shared};
use crate::context::Clock;
use crate::error::Result;
use crate::store::Refusal;
use crate::store::sql::Statement;
use crate::store::stamp::Generator;

/// Commits of one transaction at most.
const MOST_TASKS: usize = 256;
/// Bytes of one transaction at most, about; one commit may be larger by itself.
const MOST_BYTES: usize = 8 << 20;
/// How long the writer waits between attempts to recover.
const RECOVERY_PAUSE: Duration = Duration::from_millis(500);
/// How long the writer waits between attempts to cut a log that holds what was purged.
const SCRUB_PAUSE: Duration = Duration::from_secs(5);

/// What the thread works with.
pub(super) struct Tools {
    /// The database file.
    pub(super) path: PathBuf,
    /// The connection that writes.
    pub(super) link: Link,
    /// Makes stamps, above all that are stored.
    pub(super) stamps: Generator,
    /// Tells the time.
    pub(super) clock: Arc<dyn Clock>,
}

/// The thread's state.
pub(super) struct Work {
    path: PathBuf,
    /// `None` after an I/O error, until a fresh one has proved itself.
    link: Option<Link>,
    stamps: Generator,
    terms: Terms,
    epochs: KnownEpochs,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    checkpoints: Checkpoints,
    tried: Option<Instant>,
    /// Something was purged that may still be in the log: when it is tried next to cut that.
    scrubs_at: Option<Instant>,
}

impl Work {
    /// Work that has not begun.
    pub(super) fn new(tools: Tools, shared: Arc<Shared>) -> Self {
        Work {
            path: tools.path,
            link: Some(tools.link),
            stamps: tools.stamps,
            terms: Terms::new(),
            epochs: KnownEpochs::default(),
            clock: tools.clock,
            shared,
            checkpoints: Checkpoints::default(),
            tried: None,
            scrubs_at: None,
        }
    }

    /// Works until told to end or until nobody can ask any more.
    pub(super) fn run(&mut self, queue: &Receiver<Message>) {
        let _mark = EndMark(self.shared.clone());
        loop {
            let (jobs, go_on) = collect(queue);
            let weight = jobs.iter().map(|job| job.weight).sum();
            let now = Instant::now();
            let (late, in_time): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.task.is_late(now));
            answer_all(late, Class::Busy);
            if !in_time.is_empty() {
                self.serve(in_time);
            }
            self.shared.let_go(weight);
            if !go_on {
                break;
            }
        }
        if let Some(link) = &mut self.link {
            self.checkpoints.last(link);
        }
    }

    /// Carries the jobs out and answers them.
    fn serve(&mut self, jobs: Vec<Job>) {
        let Some(mut link) = self.link.take().or_else(|| self.recover()) else {
            return answer_all(jobs, Class::Io);
        };
        let result = catch_unwind(AssertUnwindSafe(|| self.transact(&mut link, &jobs)));
        if !matches!(result, Ok(Ok(_))) {
            self.terms.undo();
            self.epochs.undo();
        }
        match result {
            Ok(Ok(answers)) => {
                self.terms.keep();
                self.shared.set_health(Health::Good);
                let bytes = jobs.iter().map(|job| job.weight).sum();
                self.scrub(&mut link, jobs.iter().any(|job| job.task.purges()));
                for (job, answer) in jobs.into_iter().zip(answers) {
                    // A caller that went away needs no answer.
                    let _ = job.reply.send(answer);
                }
                self.checkpoints.after_commit(&mut link, bytes);
                self.link = Some(link);
            }
            Ok(Err(error)) => {
                let class = self.true_class(failure::class(&error));
                tracing::error!(?class, %error, commits = jobs.len(), "a transaction failed and was undone");
                if matches!(class, Class::Full | Class::Busy) {
                    self.link = Some(link);
                }
                self.fail(jobs, class);
            }
            Err(_) => {
                tracing::error!(
                    commits = jobs.len(),
                    "a panic in the writer; its transaction is undone"
                );
                self.fail(jobs, Class::Io);
            }
        }
    }

    /// One transaction with all jobs in it; an error means that nothing of it was committed.
    fn transact(&mut self, link: &mut Link, jobs: &[Job]) -> std::result::Result<Vec<Answer>, Diesel> {
        link.run(Statement::new("BEGIN IMMEDIATE", []))?;
        let mut desk = Desk {
            link,
            terms: &mut self.terms,
            epochs: &mut self.epochs,
            stamps: &mut self.stamps,
            clock: self.clock.as_ref(),
        };
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            match desk.apply(&job.task) {
                Ok(outcomes) => answers.push(Ok(outcomes)),
                Err(Stop::Refused(refusal)) => answers.push(Err(refusal)),
                Err(Stop::Broken(error)) => {
                    undo(link);
                    return Err(error);
                }
            }
        }
        link.run(Statement::new("COMMIT", []))
            .inspect_err(|_| undo(link))?;
        Ok(answers)
    }

    /// What was purged leaves the index of words and the log before that is answered; where readers are in the way of that, with a commit
    /// some seconds later.
    fn scrub(&mut self, link: &mut Link, purged: bool) {
        let now = Instant::now();
        let is_time = purged || self.scrubs_at.is_some_and(|at| at <= now);
        if !is_time {
            return;
        }
        let words = if purged { scrub(link) } else { Ok(()) };
        match words.and_then(|()| self.checkpoints.cut(link)) {
            Ok(true) => self.scrubs_at = None,
            failed => {
                let error = failed.err().map(|error| error.to_string());
                tracing::warn!(
                    error,
                    "what was purged is still in the database's log: it is cut later"
                );
                self.scrubs_at = Some(now + SCRUB_PAUSE);
            }
        }
    }

    fn fail(&self, jobs: Vec<Job>, class: Class) {
        self.shared.set_health(match class {
            Class::Full => Health::Full,
            Class::Busy => Health::Good,
            _ => Health::Broken,
        });
        answer_all(jobs, class);
    }

    /// SQLite reports an exceeded quota as an I/O error: a file of our own beside the database tells them apart.
    fn true_class(&self, class: Class) -> Class {
        match class {
            Class::Io => probe(&self.path)
                .err()
                .map_or(class, |e| failure::class_of_io(&e)),
            class => class,
        }
    }

    /// A fresh connection that has proved that it may write: see the header.
    fn recover(&mut self) -> Option<Link> {
        if self.tried.is_some_and(|at| at.elapsed() < RECOVERY_PAUSE) {
            return None;
        }
        let result = self.proven_link();
        self.tried = Some(Instant::now());
        match result {
            Ok(link) => {
                tracing::info!("the database takes writes again");
                self.tried = None;
                Some(link)
            }
            Err(error) => {
                tracing::warn!(%error, "the database does not take writes yet");
                None
            }
        }
    }

    fn proven_link(&mut self) -> Result<Link> {
        let mut link = Link::bare(&self.path)?.into_writer()?;
        self.checkpoints.all(&mut link)?;
        link.batch("UPDATE server SET value = randomblob(16) WHERE name = 'probe'")
            .map_err(failure::error)?;
        Ok(link)
    }
}

/// Waits for a job, then takes all that wait, up to the limits of one transaction; whether to go on after them.
fn collect(queue: &Receiver<Message>) -> (Vec<Job>, bool) {
    let mut jobs = Vec::new();
    let mut weight = 0;
    let Ok(mut message) = queue.recv() else {
        return (jobs, false);
    };
    loop {
        match message {
            Message::Close => return (jobs, false),
            Message::Job(job) => {
                weight += job.weight;
                jobs.push(job);
            }
        }
        if jobs.len() >= MOST_TASKS || weight >= MOST_BYTES {
            return (jobs, true);
        }
        match queue.try_recv() {
            Ok(next) => message = next,
            Err(_) => return (jobs, true),
        }
    }
}

fn answer_all(jobs: Vec<Job>, class: Class) {
    for job in jobs {
        // A caller that went away needs no answer.
        let _ = job
            .reply
            .send(Err(Refusal::Failed(failure::error_of_class(class))));
    }
}

/// Writes the index of words anew, without those that were deleted in it.
fn scrub(link: &mut Link) -> Result<()> {
    let sql = "INSERT INTO passage_words (passage_words) VALUES ('optimize')";
    link.run(Statement::new(sql, [])).map_err(failure::error)?;
    Ok(())
}

/// Ends a transaction that failed; SQLite may have done so already.
fn undo(link: &mut Link) {
    if let Err(error) = link.run(Statement::new("ROLLBACK", [])) {
        tracing::debug!(%error, "nothing to roll back");
    }
}

/// Writes and removes a small file beside the database.
fn probe(database: &Path) -> std::io::Result<()> {
    let mut name = database.as_os_str().to_owned();
    name.push("-probe");
    let written = std::fs::File::create(&name).and_then(|mut file| {
        std::io::Write::write_all(&mut file, &[0; 16_384])?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(&name);
    written.and(removed)
}

/// Says that the thread has ended, however it ends.
struct EndMark(Arc<Shared>);

impl Drop for EndMark {
    fn drop(&mut self) {
        self.0.set_health(Health::Ended);
    }
}
