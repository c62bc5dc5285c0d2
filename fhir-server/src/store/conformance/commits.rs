//! Commits: conditions, all or nothing, neighbours, tenants, views.

use super::fixture::{Checked, Fixture, body, create, delete, equal, holds, key, update};
use crate::context::TenantId;
use crate::store::{Claim, Commit, Expect, Filter, HistoryQuery, HistoryScope, Refusal, SearchQuery, Write};

pub(super) async fn conditions_on_versions_hold_or_stop_the_commit(f: Fixture) -> Checked {
    let (a, b, gone) = (
        key("Patient", "a")?,
        key("Patient", "b")?,
        key("Patient", "gone")?,
    );
    f.write(create(&a, 1)).await?;
    f.write(update(&a, 2)).await?;
    f.write(create(&gone, 1)).await?;
    f.write(delete(&gone)).await?;
    let version = |key: &_, v| Expect::Version(Clone::clone(key), v);
    let absent = |key: &_| Expect::Absent(Clone::clone(key));
    let cases = [
        (version(&a, 2), None),
        (version(&a, 1), Some(Some(2))),
        (version(&a, 3), Some(Some(2))),
        (version(&b, 1), Some(None)),
        (version(&gone, 2), Some(None)),
        (absent(&b), None),
        (absent(&gone), None),
        (absent(&a), Some(Some(2))),
    ];
    for (n, (expect, wanted)) in cases.into_iter().enumerate() {
        let fresh = key("Basic", &format!("case{n}"))?;
        let what = format!("{expect:?}");
        let result = f.commit(vec![expect], vec![create(&fresh, n)]).await;
        match (result, wanted) {
            (Ok(_), None) => {}
            (Err(Refusal::Expectation { index: 0, current }), Some(wanted)) => equal(current, wanted, &what)?,
            (other, _) => return holds(false, format!("{what}: {other:?}")),
        }
        equal(f.read(&fresh).await?.is_some(), wanted.is_none(), &what)?;
    }
    let result = f
        .commit(vec![version(&a, 2), absent(&a)], vec![update(&a, 3)])
        .await;
    holds(
        matches!(result, Err(Refusal::Expectation { index: 1, .. })),
        format!("the second fails: {result:?}"),
    )
}

pub(super) async fn a_condition_on_visibility_uses_the_filter(f: Fixture) -> Checked {
    let (a, gone) = (key("Patient", "a")?, key("Patient", "gone")?);
    f.write(create(&a, 1)).await?;
    f.write(create(&gone, 1)).await?;
    f.write(delete(&gone)).await?;
    let visible = |key: &_, filter| vec![Expect::Visible(Clone::clone(key), filter)];
    f.commit(visible(&a, Filter::All), vec![update(&a, 2)]).await?;
    f.commit(
        visible(&a, Filter::Types(vec![a.resource_type])),
        vec![update(&a, 3)],
    )
    .await?;
    let hidden = [
        visible(&a, Filter::None),
        visible(&a, Filter::Ids(vec!["b".into()])),
        visible(&gone, Filter::All),
        visible(&key("Patient", "never")?, Filter::All),
    ];
    for expects in hidden {
        let what = format!("{expects:?}");
        let result = f.commit(expects, vec![update(&a, 4)]).await;
        let refused = matches!(
            result,
            Err(Refusal::Expectation {
                index: 0,
                current: None
            })
        );
        holds(refused, format!("{what}: {result:?}"))?;
    }
    equal(f.read(&a).await?.map(|v| v.version), Some(3), "version")
}

pub(super) async fn a_commit_that_fails_at_any_write_leaves_nothing(f: Fixture) -> Checked {
    let (taken, kept) = (key("Patient", "taken")?, key("Patient", "kept")?);
    f.write(create(&taken, 1)).await?;
    f.write(create(&kept, 1)).await?;
    const WRITES: usize = 12;
    for failing in 0..WRITES {
        let mut writes = Vec::new();
        for n in 0..WRITES {
            let fresh = key("Observation", &format!("o{failing}-{n}"))?;
            writes.push(match n {
                _ if n == failing => create(&taken, 9),
                1 => update(&kept, 100 + failing),
                2 => delete(&kept),
                3 => Write::Claim(Claim::new("atomic", [1; 32], vec![])),
                _ => create(&fresh, n),
            });
        }
        let result = f.commit(vec![], writes).await;
        let wanted = matches!(result, Err(Refusal::Write { index }) if index == failing);
        holds(wanted, format!("write {failing} fails: {result:?}"))?;
        let snapshot = f.snapshot().await?;
        let all = SearchQuery::new(None, Filter::All, 100);
        equal(snapshot.search_total(&all, 100).await?, 2, "resources")?;
        let history = HistoryQuery::new(HistoryScope::System, 100, Filter::All);
        equal(snapshot.history_total(&history, 100).await?, 2, "versions")?;
        equal(snapshot.claim("atomic", &[1; 32]).await?, None, "claim")?;
        let read = f.read(&kept).await?;
        equal(
            read.map(|v| (v.version, v.body)),
            Some((1, Some(body(1)))),
            "what was there",
        )?;
    }
    Ok(())
}

pub(super) async fn a_refused_commit_does_not_touch_its_neighbours(f: Fixture) -> Checked {
    let taken = key("Patient", "taken")?;
    f.write(create(&taken, 1)).await?;
    let mut commits = Vec::new();
    for n in 0..60 {
        let mut writes = vec![create(&key("Observation", &format!("o{n}"))?, n)];
        if n % 3 == 0 {
            writes.push(create(&taken, n));
        }
        commits.push(f.commit(vec![], writes));
    }
    let results = futures_util::future::join_all(commits).await;
    for (n, result) in results.into_iter().enumerate() {
        let there = f.read(&key("Observation", &format!("o{n}"))?).await?.is_some();
        equal(
            (result.is_ok(), there),
            (n % 3 != 0, n % 3 != 0),
            &format!("commit {n}"),
        )?;
    }
    Ok(())
}

pub(super) async fn tenants_do_not_see_each_other(f: Fixture) -> Checked {
    let other = TenantId(7_000_000_000);
    let a = key("Patient", "a")?;
    f.write(create(&a, 1)).await?;
    f.write(Write::Claim(Claim::new("k", [3; 32], vec![1]))).await?;
    let snapshot = f.store.snapshot(other).await?;
    holds(snapshot.read(&a, &Filter::All).await?.is_none(), "read")?;
    holds(snapshot.vread(&a, 1, &Filter::All).await?.is_none(), "vread")?;
    equal(
        snapshot
            .search_total(&SearchQuery::new(None, Filter::All, 9), 9)
            .await?,
        0,
        "search",
    )?;
    let history = HistoryQuery::new(HistoryScope::System, 9, Filter::All);
    equal(snapshot.history(&history).await?.len(), 0, "history")?;
    equal(snapshot.claim("k", &[3; 32]).await?, None, "claim")?;
    equal(snapshot.high_water_mark().await?, 0, "mark")?;
    drop(snapshot);
    let writes = vec![create(&a, 2), Write::Claim(Claim::new("k", [3; 32], vec![2]))];
    f.store
        .commit(other, Commit::new(vec![Expect::Absent(a.clone())], writes))
        .await?;
    f.store
        .commit(other, Commit::new(vec![], vec![update(&a, 3)]))
        .await?;
    f.store
        .commit(other, Commit::new(vec![], vec![delete(&a)]))
        .await?;
    let read = f.read(&a).await?;
    equal(
        read.map(|v| (v.version, v.body)),
        Some((1, Some(body(1)))),
        "the first tenant's own",
    )?;
    equal(
        f.snapshot().await?.claim("k", &[3; 32]).await?,
        Some(vec![1]),
        "the first tenant's claim",
    )
}

pub(super) async fn a_snapshot_does_not_move(f: Fixture) -> Checked {
    let (a, b) = (key("Patient", "a")?, key("Patient", "b")?);
    f.write(create(&a, 1)).await?;
    let view = f.snapshot().await?;
    equal(
        view.read(&a, &Filter::All).await?.map(|v| v.version),
        Some(1),
        "before",
    )?;
    f.write(update(&a, 2)).await?;
    f.write(create(&b, 1)).await?;
    f.write(Write::Claim(Claim::new("k", [3; 32], vec![1]))).await?;
    equal(
        view.read(&a, &Filter::All).await?.map(|v| v.version),
        Some(1),
        "the same view",
    )?;
    holds(view.read(&b, &Filter::All).await?.is_none(), "nothing new")?;
    equal(
        view.search_total(&SearchQuery::new(None, Filter::All, 9), 9)
            .await?,
        1,
        "nothing new to find",
    )?;
    equal(view.claim("k", &[3; 32]).await?, None, "no new claim")?;
    equal(f.read(&a).await?.map(|v| v.version), Some(2), "a new view")
}

pub(super) async fn a_commit_whose_time_has_passed_writes_nothing(f: Fixture) -> Checked {
    let a = key("Patient", "a")?;
    let mut late = Commit::new(vec![], vec![create(&a, 1)]);
    late.deadline = Some(std::time::Instant::now());
    let result = f.store.commit(TenantId::DEFAULT, late).await;
    let busy = matches!(&result, Err(Refusal::Failed(e)) if e.code.facts().status == 503);
    holds(busy, format!("{result:?}"))?;
    holds(f.read(&a).await?.is_none(), "nothing written")?;
    let mut early = Commit::new(vec![], vec![create(&a, 1)]);
    early.deadline = std::time::Instant::now().checked_add(std::time::Duration::from_secs(3_600));
    f.store.commit(TenantId::DEFAULT, early).await?;
    holds(f.read(&a).await?.is_some(), "written in time")
}

pub(super) async fn one_snapshot_answers_several_questions_at_once(f: Fixture) -> Checked {
    for n in 0..50 {
        f.write(create(&key("Patient", &format!("p{n}"))?, n)).await?;
    }
    let snapshot = f.snapshot().await?;
    let all = SearchQuery::new(None, Filter::All, 1_000);
    let history = HistoryQuery::new(HistoryScope::System, 1_000, Filter::All);
    let p7 = key("Patient", "p7")?;
    for _ in 0..20 {
        let searches = futures_util::future::join_all((0..4).map(|_| snapshot.search(&all)));
        let totals = futures_util::future::join_all((0..4).map(|_| snapshot.history_total(&history, 1_000)));
        let read = snapshot.read(&p7, &Filter::All);
        let (searches, totals, read) = futures_util::future::join3(searches, totals, read).await;
        for found in searches {
            equal(found?.len(), 50, "search")?;
        }
        for total in totals {
            equal(total?, 50, "total")?;
        }
        equal(read?.map(|v| v.version), Some(1), "read")?;
    }
    Ok(())
}
