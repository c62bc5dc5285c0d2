//! Random UUIDs, without a call of the system for each.
//!
//! Invariant: all 122 bits of each come from the system's generator, so that no id can be told from others.

use std::cell::RefCell;

use uuid::{Builder, Uuid};

/// UUIDs made at once.
const BATCH: usize = 64;

thread_local! {
    static READY: RefCell<Vec<Uuid>> = const { RefCell::new(Vec::new()) };
}

/// A random UUID (version 4).
pub(crate) fn uuid() -> Uuid {
    READY.with_borrow_mut(|ready| {
        if ready.is_empty() {
            fill(ready);
        }
        // Where the system gave no bytes, the crate tries itself, and panics if it has to.
        ready.pop().unwrap_or_else(Uuid::new_v4)
    })
}

fn fill(ready: &mut Vec<Uuid>) {
    let mut bytes = [0; 16 * BATCH];
    if getrandom::fill(&mut bytes).is_ok() {
        let (all, _) = bytes.as_chunks::<16>();
        ready.extend(all.iter().map(|one| Builder::from_random_bytes(*one).into_uuid()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_are_the_same_and_all_are_of_version_4() {
        let made = || (0..10 * BATCH).map(|_| uuid()).collect::<Vec<_>>();
        let elsewhere = std::thread::spawn(made).join().unwrap();
        let all: Vec<Uuid> = made().into_iter().chain(elsewhere).collect();
        assert!(all.iter().all(|one| one.get_version_num() == 4));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
