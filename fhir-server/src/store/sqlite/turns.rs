//! [`Turn`]: lists and counts that run long take turns on all processors but one, so that what is short finds one free.
//!
//! Invariant: whoever waits is served in the order of waiting; a turn is given back however the statement ends.

use std::collections::VecDeque;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often one that waits looks whether it has been given up.
const LOOK: Duration = Duration::from_millis(10);

/// Those of the process, whose processors they are.
static TURNS: LazyLock<Turns> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Turns::new(processors.saturating_sub(1).max(1))
});

struct Turns {
    line: Mutex<Line>,
    changed: Condvar,
}

struct Line {
    free: usize,
    waiting: VecDeque<u64>,
    last: u64,
}

/// The right to run long; given back when dropped.
#[derive(Debug)]
pub(super) struct Turn(());

impl Turn {
    /// Waits for one; `None` where it was given up before.
    pub(super) fn wait(given_up: impl Fn() -> bool) -> Option<Turn> {
        TURNS.wait(given_up).then_some(Turn(()))
    }

    /// Whether another waits for one.
    pub(super) fn is_wanted() -> bool {
        !TURNS.line().waiting.is_empty()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURNS.give_back();
    }
}

impl Turns {
    fn new(free: usize) -> Self {
        Turns {
            line: Mutex::new(Line {
                free,
                waiting: VecDeque::new(),
                last: 0,
            }),
            changed: Condvar::new(),
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, given_up: impl Fn() -> bool) -> bool {
        let mut line = self.line();
        line.last += 1;
        let number = line.last;
        line.waiting.push_back(number);
        loop {
            let is_served = line.free > 0 && line.waiting.front() == Some(&number);
            if is_served || given_up() {
                line.waiting.retain(|other| *other != number);
                line.free -= usize::from(is_served);
                // Who is next may be served too.
                self.changed.notify_all();
                return is_served;
            }
            let waited = self.changed.wait_timeout(line, LOOK);
            line = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn give_back(&self) {
        self.line().free += 1;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_run_than_there_are_turns_and_all_are_served() {
        let turns = Arc::new(Turns::new(2));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (turns, running, most) = (turns.clone(), running.clone(), most.clone());
                std::thread::spawn(move || {
                    for _ in 0..50 {
                        assert!(turns.wait(|| false));
                        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                        turns.give_back();
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
        assert_eq!(turns.line().free, 2);
    }

    #[test]
    fn one_that_is_given_up_leaves_the_line_to_the_others() {
        let turns = Arc::new(Turns::new(1));
        assert!(turns.wait(|| false));
        let given_up = Arc::new(AtomicBool::new(false));
        let first = std::thread::spawn({
            let (turns, given_up) = (turns.clone(), given_up.clone());
            move || turns.wait(|| given_up.load(Ordering::SeqCst))
        });
        let wait_for = |waiting: usize| {
            while turns.line().waiting.len() != waiting {
                std::thread::yield_now();
            }
        };
        wait_for(1);
        let second = std::thread::spawn({
            let turns = turns.clone();
            move || turns.wait(|| false)
        });
        wait_for(2);
        given_up.store(true, Ordering::SeqCst);
        assert!(!first.join().unwrap());
        turns.give_back();
        assert!(second.join().unwrap());
    }
}
