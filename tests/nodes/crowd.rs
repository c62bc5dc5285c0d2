//! Clients that all do something at the same moment, round after round.

use std::sync::Barrier;

use crate::client::{Client, Reply};
use crate::process::Choices;

/// The most clients of a round.
pub(crate) const MOST: usize = 64;

/// In each round between 8 and 64 clients, over all the nodes in turn, send what `request` says at once; `check` is given what each was
/// answered.
pub(crate) fn race(
    nodes: &[String],
    rounds: usize,
    seed: u64,
    request: impl Fn(usize, usize, &mut Client) -> Reply + Sync,
    mut check: impl FnMut(usize, Vec<Reply>),
) {
    let sizes = sizes(rounds, seed);
    let barrier = Barrier::new(MOST + 1);
    let (answers, answered) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for number in 0..MOST {
            let (barrier, sizes, request, answers) = (&barrier, &sizes, &request, answers.clone());
            scope.spawn(move || {
                let mut client = Client::new(&nodes[number % nodes.len()]);
                for (round, size) in sizes.iter().enumerate() {
                    barrier.wait();
                    if number < *size {
                        answers.send(request(round, number, &mut client)).unwrap();
                    }
                }
            });
        }
        for (round, size) in sizes.iter().enumerate() {
            barrier.wait();
            let replies = (0..*size).map(|_| answered.recv().unwrap());
            check(round, replies.collect());
        }
    });
}

fn sizes(rounds: usize, seed: u64) -> Vec<usize> {
    let mut choices = Choices(seed);
    let mut size = || 8 + usize::try_from(choices.below(57)).unwrap();
    (0..rounds).map(|_| size()).collect()
}
