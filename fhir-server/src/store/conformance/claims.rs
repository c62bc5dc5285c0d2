//! Claims: rows that only one can hold.

use super::fixture::{Checked, Fixture, create, delete, equal, holds, key, update};
use crate::context::{Clock, Millis};
use crate::store::{Claim, Expect, Outcome, Owner, Refusal, Write};

fn claim(n: u8, payload: &[u8]) -> Write {
    Write::Claim(Claim::new("case", [n; 32], payload.to_vec()))
}

pub(super) async fn a_claim_is_held_by_one(f: Fixture) -> Checked {
    equal(f.snapshot().await?.claim("case", &[1; 32]).await?, None, "free")?;
    let outcome = f.write(claim(1, b"mine")).await?;
    holds(matches!(outcome, Outcome::Claimed), format!("{outcome:?}"))?;
    let again = f.commit(vec![], vec![claim(1, b"mine")]).await;
    holds(
        matches!(again, Err(Refusal::Write { index: 0 })),
        format!("{again:?}"),
    )?;
    equal(
        f.snapshot().await?.claim("case", &[1; 32]).await?,
        Some(b"mine".to_vec()),
        "payload",
    )?;
    f.write(claim(2, b"")).await?;
    let kind = Write::Claim(Claim::new("other", [1; 32], vec![]));
    f.write(kind).await?;
    let free = Expect::Unclaimed("case", [3; 32]);
    f.commit(vec![free], vec![claim(3, b"")]).await?;
    let held = f.commit(vec![Expect::Unclaimed("case", [3; 32])], vec![]).await;
    let refused = matches!(
        held,
        Err(Refusal::Expectation {
            index: 0,
            current: None
        })
    );
    holds(refused, format!("{held:?}"))
}

pub(super) async fn a_claim_keeps_what_was_done_before_it(f: Fixture) -> Checked {
    let (patient, other) = (key("Patient", "a")?, key("Patient", "b")?);
    f.write(create(&patient, 1)).await?;
    let mut keeps = Claim::new("case", [1; 32], b"mine".to_vec());
    keeps.outcomes = true;
    let writes = vec![update(&patient, 2), delete(&other), Write::Claim(keeps)];
    let done = f.commit(vec![], writes).await;
    holds(done.is_ok(), format!("{done:?}"))?;
    let outcomes = done.unwrap_or_default();
    let held = f
        .snapshot()
        .await?
        .claim("case", &[1; 32])
        .await?
        .unwrap_or_default();
    let kept = held.strip_prefix(b"mine").unwrap_or_default();
    let kept: Vec<_> = kept.chunks(Outcome::KEPT).map(Outcome::of_kept).collect();
    let done: Vec<_> = outcomes.iter().take(2).cloned().map(Some).collect();
    equal(format!("{kept:?}"), format!("{done:?}"), "outcomes")
}

pub(super) async fn a_claim_falls_with_its_commit(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    f.write(create(&patient, 1)).await?;
    let result = f.commit(vec![], vec![claim(1, b""), create(&patient, 2)]).await;
    holds(
        matches!(result, Err(Refusal::Write { index: 1 })),
        format!("{result:?}"),
    )?;
    equal(
        f.snapshot().await?.claim("case", &[1; 32]).await?,
        None,
        "free again",
    )?;
    let fresh = key("Patient", "b")?;
    f.write(claim(2, b"")).await?;
    let result = f.commit(vec![], vec![create(&fresh, 1), claim(2, b"")]).await;
    holds(
        matches!(result, Err(Refusal::Write { index: 1 })),
        format!("{result:?}"),
    )?;
    holds(
        f.read(&fresh).await?.is_none(),
        "nothing written beside a held claim",
    )
}

pub(super) async fn a_claim_that_has_run_out_is_free(f: Fixture) -> Checked {
    let until = |millis: i64, n: u8| {
        let mut claim = Claim::new("case", [n; 32], vec![n]);
        claim.expires = Some(Millis(f.clock.now().0 + millis));
        Write::Claim(claim)
    };
    for n in 0..20 {
        f.commit(vec![], vec![until(10, n)]).await?;
    }
    f.commit(vec![], vec![until(1_000, 50), claim(60, b"for good")])
        .await?;
    f.clock.advance(9);
    let held = f.commit(vec![], vec![until(10, 1)]).await;
    holds(
        matches!(held, Err(Refusal::Write { index: 0 })),
        format!("held to the last: {held:?}"),
    )?;
    f.clock.advance(1);
    equal(
        f.snapshot().await?.claim("case", &[1; 32]).await?,
        None,
        "run out",
    )?;
    f.commit(vec![Expect::Unclaimed("case", [1; 32])], vec![until(10, 1)])
        .await?;
    equal(
        f.snapshot().await?.claim("case", &[1; 32]).await?,
        Some(vec![1]),
        "taken anew",
    )?;
    equal(
        f.snapshot().await?.claim("case", &[50; 32]).await?,
        Some(vec![50]),
        "another still held",
    )?;
    equal(
        f.snapshot().await?.claim("case", &[60; 32]).await?,
        Some(b"for good".to_vec()),
        "for good",
    )
}

pub(super) async fn the_oldest_claims_of_an_owner_give_way_and_nobody_elses(f: Fixture) -> Checked {
    // Three claims of 72 bytes and a row each.
    let bytes = 3 * (72 + Owner::ROW);
    let owned = |kind: &'static str, owner: u8, n: u8, length: usize| {
        let mut claim = Claim::new(kind, [n; 32], vec![n; length]);
        claim.owner = Some(Owner {
            key: [owner; 32],
            bytes,
        });
        claim.expires = Some(Millis(f.clock.now().0 + 1_000));
        Write::Claim(claim)
    };
    let held = async |kind: &'static str, all: std::ops::Range<u8>| {
        let snapshot = f.snapshot().await?;
        let mut held = Vec::new();
        for n in all {
            held.extend(snapshot.claim(kind, &[n; 32]).await?.map(|_| n));
        }
        Ok::<_, super::fixture::Failure>(held)
    };
    f.write(claim(40, b"nobody's")).await?;
    f.write(owned("case", 2, 30, 72)).await?;
    f.write(owned("other", 1, 20, 72)).await?;
    for n in 0..3 {
        f.write(owned("case", 1, n, 72)).await?;
    }
    equal(
        held("case", 0..50).await?,
        vec![0, 1, 2, 30, 40],
        "as many as may be",
    )?;
    f.commit(vec![], vec![owned("case", 1, 3, 72), owned("case", 1, 4, 72)])
        .await?;
    equal(
        held("case", 0..50).await?,
        vec![2, 3, 4, 30, 40],
        "the oldest are gone",
    )?;
    let refused = f.commit(vec![], vec![owned("case", 1, 5, 72), owned("case", 1, 4, 72)]);
    holds(refused.await.is_err(), "4 is held")?;
    equal(
        held("case", 0..50).await?,
        vec![2, 3, 4, 30, 40],
        "a refusal takes nothing away",
    )?;
    f.commit(
        vec![Expect::Unclaimed("case", [0; 32])],
        vec![owned("case", 1, 0, 72)],
    )
    .await?;
    equal(held("case", 0..50).await?, vec![0, 3, 4, 30, 40], "taken anew")?;
    f.write(owned("case", 1, 6, 5_000)).await?;
    equal(
        held("case", 0..50).await?,
        vec![6, 30, 40],
        "one that is too large is alone",
    )?;
    f.write(owned("case", 1, 7, 72)).await?;
    equal(
        held("case", 0..50).await?,
        vec![6, 7, 30, 40],
        "little came after it",
    )?;
    f.commit(vec![], vec![owned("case", 1, 8, 72), owned("case", 1, 9, 72)])
        .await?;
    equal(
        held("case", 0..50).await?,
        vec![7, 8, 9, 30, 40],
        "it gives way like any other",
    )?;
    f.clock.advance(1_000);
    for n in 10..16 {
        f.write(owned("case", 1, n, 72)).await?;
    }
    equal(
        held("case", 0..50).await?,
        vec![13, 14, 15, 40],
        "after the others ran out",
    )?;
    equal(
        held("other", 0..50).await?,
        Vec::new(),
        "of another kind, run out",
    )
}
