//! Many at once.

use std::sync::Arc;

use futures_util::future::join_all;

use super::fixture::{Checked, Fixture, body, create, equal, holds, key, update};
use crate::context::TenantId;
use crate::store::{
    Claim, Commit, Expect, Filter, HistoryQuery, HistoryScope, Key, Outcome, Refusal, SearchQuery, Store,
    Write,
};

const CLIENTS: usize = 32;

type Result = std::result::Result<Vec<Outcome>, Refusal>;

async fn at_once(f: &Fixture, commits: Vec<Commit>) -> Vec<Result> {
    let tasks = commits.into_iter().map(|commit| {
        let store: Arc<dyn Store> = f.store.clone();
        tokio::spawn(async move { store.commit(TenantId::DEFAULT, commit).await })
    });
    let fault = |e| Err(Refusal::Failed(crate::error::Error::internal(e)));
    join_all(tasks)
        .await
        .into_iter()
        .map(|joined| joined.unwrap_or_else(fault))
        .collect()
}

/// Every version from the newest to 1, with times that never rise.
async fn unbroken(f: &Fixture, key: &Key, newest: usize) -> Checked {
    let query = HistoryQuery::new(HistoryScope::Instance(key.clone()), 100_000, Filter::All);
    let versions = f.snapshot().await?.history(&query).await?;
    let numbers: Vec<_> = versions.iter().map(|v| v.version).collect();
    let wanted: Vec<_> = (1..=newest).rev().filter_map(|n| i64::try_from(n).ok()).collect();
    equal(numbers, wanted, "versions")?;
    holds(
        versions.is_sorted_by(|a, b| a.last_updated >= b.last_updated && a.stamp > b.stamp),
        "times in order",
    )
}

pub(super) async fn of_racing_conditional_updates_one_wins_a_version(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    f.write(create(&patient, 0)).await?;
    const ROUNDS: usize = 20;
    for round in 1..=ROUNDS {
        f.clock.advance(if round % 3 == 0 { -2 } else { 1 });
        let version = i64::try_from(round).unwrap_or(0);
        let commits = (0..CLIENTS)
            .map(|client| {
                Commit::new(
                    vec![Expect::Version(patient.clone(), version)],
                    vec![update(&patient, round * 1_000 + client)],
                )
            })
            .collect();
        let results = at_once(&f, commits).await;
        let winners: Vec<_> = (0..CLIENTS)
            .filter(|&c| results.get(c).is_some_and(|r| r.is_ok()))
            .collect();
        equal(winners.len(), 1, "winners")?;
        let lost = |r: &Result| matches!(r, Err(Refusal::Expectation { index: 0, current: Some(c) }) if *c == version + 1);
        equal(
            results.iter().filter(|r| lost(r)).count(),
            CLIENTS - 1,
            "told of the winner's version",
        )?;
        let read = f.read(&patient).await?.and_then(|v| v.body);
        equal(
            read,
            winners.first().map(|c| body(round * 1_000 + c)),
            "the winner's content",
        )?;
    }
    unbroken(&f, &patient, ROUNDS + 1).await
}

pub(super) async fn racing_updates_make_one_unbroken_history(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    const ROUNDS: usize = 10;
    for round in 0..ROUNDS {
        let commits = (0..CLIENTS)
            .map(|client| Commit::new(vec![], vec![update(&patient, round * 1_000 + client)]))
            .collect();
        let results = at_once(&f, commits).await;
        equal(
            results.iter().filter(|r| r.is_ok()).count(),
            CLIENTS,
            "all serialised",
        )?;
    }
    unbroken(&f, &patient, ROUNDS * CLIENTS).await
}

pub(super) async fn of_racing_creates_one_wins(f: Fixture) -> Checked {
    for round in 0..20 {
        let patient = key("Patient", &format!("p{round}"))?;
        let commits = (0..CLIENTS)
            .map(|client| {
                Commit::new(
                    if client % 2 == 0 {
                        vec![]
                    } else {
                        vec![Expect::Absent(patient.clone())]
                    },
                    vec![create(&patient, client)],
                )
            })
            .collect();
        let results = at_once(&f, commits).await;
        equal(results.iter().filter(|r| r.is_ok()).count(), 1, "winners")?;
        let other_fault = results.iter().any(|r| matches!(r, Err(Refusal::Failed(_))));
        holds(!other_fault, format!("losers are told why: {results:?}"))?;
    }
    Ok(())
}

pub(super) async fn of_racing_claims_one_wins(f: Fixture) -> Checked {
    for round in 0..20u8 {
        let mut commits = Vec::new();
        for client in 0..CLIENTS {
            let fresh = key("Patient", &format!("p{round}-{client}"))?;
            let claim = Claim::new("race", [round; 32], vec![]);
            commits.push(Commit::new(
                vec![],
                vec![create(&fresh, client), Write::Claim(claim)],
            ));
        }
        let results = at_once(&f, commits).await;
        equal(results.iter().filter(|r| r.is_ok()).count(), 1, "winners")?;
    }
    let all = SearchQuery::new(None, Filter::All, 1);
    equal(
        f.snapshot().await?.search_total(&all, 10_000).await?,
        20,
        "one resource a round",
    )
}

pub(super) async fn what_was_acknowledged_is_seen_at_once(f: Fixture) -> Checked {
    let f = Arc::new(f);
    let clients = (0..8).map(|client| {
        let f = f.clone();
        tokio::spawn(async move {
            for round in 0..25 {
                let id = format!("c{client}-{round}");
                let patient = key("Patient", &id)?;
                f.commit(vec![], vec![create(&patient, round)]).await?;
                let snapshot = f.snapshot().await?;
                let read = snapshot.read(&patient, &Filter::All).await?;
                equal(read.and_then(|v| v.body), Some(body(round)), "read")?;
                let found = SearchQuery::new(Some(patient.resource_type), Filter::Ids(vec![id]), 10);
                equal(snapshot.search(&found).await?.len(), 1, "search")?;
                let history = HistoryQuery::new(HistoryScope::Instance(patient), 10, Filter::All);
                equal(snapshot.history(&history).await?.len(), 1, "history")?;
            }
            Checked::Ok(())
        })
    });
    for joined in join_all(clients).await {
        joined.map_err(crate::error::Error::internal)??;
    }
    Ok(())
}
