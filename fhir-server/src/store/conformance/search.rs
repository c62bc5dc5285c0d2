//! Searches: order, pages, marks, filters, totals.

use super::fixture::{Checked, Fixture, create, delete, equal, found_names, holds, key, update};
use crate::context::{Clock, Millis};
use crate::store::{Filter, ResourceType, SearchQuery, Sort, SortKey};

const OLDEST_FIRST: Sort = Sort {
    key: SortKey::LastUpdated,
    descending: false,
};

/// Patients p0 to p9 and Observations o0 to o4, p0 deleted, p1 updated last.
async fn some_resources(f: &Fixture) -> Checked<ResourceType> {
    for n in 0..10 {
        f.write(create(&key("Patient", &format!("p{n}"))?, n)).await?;
        if n < 5 {
            f.write(create(&key("Observation", &format!("o{n}"))?, n)).await?;
        }
    }
    f.write(delete(&key("Patient", "p0")?)).await?;
    f.write(update(&key("Patient", "p1")?, 99)).await?;
    Ok(key("Patient", "p0")?.resource_type)
}

pub(super) async fn a_search_lists_current_resources_in_either_order(f: Fixture) -> Checked {
    let patient = some_resources(&f).await?;
    let mut query = SearchQuery::new(Some(patient), Filter::All, 100);
    let newest = "p1 2,p9 1,p8 1,p7 1,p6 1,p5 1,p4 1,p3 1,p2 1";
    equal(f.search(&query).await?.join(","), newest.into(), "newest first")?;
    query.sort.push(OLDEST_FIRST);
    let oldest = "p2 1,p3 1,p4 1,p5 1,p6 1,p7 1,p8 1,p9 1,p1 2";
    equal(f.search(&query).await?.join(","), oldest.into(), "oldest first")?;
    query.count = 0;
    equal(f.search(&query).await?.len(), 0, "none asked for")?;
    let all = SearchQuery::new(None, Filter::All, 100);
    equal(f.search(&all).await?.len(), 14, "every type")?;
    let found = f.snapshot().await?.search(&all).await?;
    holds(
        found.iter().all(|found| found.version.body.is_some()),
        "each with its body",
    )
}

pub(super) async fn pages_after_a_mark_leave_out_what_changed_since(f: Fixture) -> Checked {
    let patient = some_resources(&f).await?;
    for ascending in [false, true] {
        let snapshot = f.snapshot().await?;
        let mut query = SearchQuery::new(Some(patient), Filter::All, 100);
        query.sort.extend(ascending.then_some(OLDEST_FIRST));
        let whole = found_names(&snapshot.search(&query).await?);
        query.mark = Some(snapshot.high_water_mark().await?);
        drop(snapshot);
        query.count = 2;
        let mut walked = Vec::new();
        let mut round = 0;
        loop {
            let page = f.snapshot().await?.search(&query).await?;
            let Some(last) = page.last() else { break };
            query.after = Some(last.cursor.clone());
            walked.extend(found_names(&page));
            round += 1;
            f.write(create(
                &key("Patient", &format!("new-{ascending}-{round}"))?,
                round,
            ))
            .await?;
        }
        equal(walked, whole, "unchanged rows, each once")?;
    }
    Ok(())
}

pub(super) async fn every_filter_selects_what_it_says(f: Fixture) -> Checked {
    let start = f.clock.now();
    let patient = some_resources(&f).await?;
    let observation = key("Observation", "o0")?.resource_type;
    let ids = |ids: &[&str]| Filter::Ids(ids.iter().map(|i| i.to_string()).collect());
    let time = |from: Option<i64>, to: Option<i64>| Filter::LastUpdated {
        from: from.map(|n| Millis(start.0 + n)),
        to: to.map(|n| Millis(start.0 + n)),
    };
    let not = |inner: Filter| Filter::Not(Box::new(inner));
    let cases = [
        (Filter::All, 14),
        (Filter::None, 0),
        (not(Filter::All), 0),
        (not(Filter::None), 14),
        (Filter::And(vec![]), 14),
        (Filter::Or(vec![]), 0),
        (Filter::Types(vec![]), 0),
        (Filter::Types(vec![patient]), 9),
        (Filter::Types(vec![patient, observation]), 14),
        (not(Filter::Types(vec![patient])), 5),
        (ids(&[]), 0),
        (ids(&["p2", "o1", "p0", "nobody"]), 2),
        (not(ids(&["p2", "o1"])), 12),
        (Filter::Resource(key("Patient", "p3")?), 1),
        (Filter::Resource(key("Patient", "o3")?), 0),
        (
            Filter::And(vec![Filter::Types(vec![patient]), ids(&["p2", "o1"])]),
            1,
        ),
        (
            Filter::Or(vec![Filter::Resource(key("Patient", "p3")?), ids(&["o1", "o2"])]),
            3,
        ),
        (
            Filter::And(vec![
                Filter::Or(vec![ids(&["p2"]), ids(&["o1"])]),
                not(ids(&["o1"])),
            ]),
            1,
        ),
        (
            not(Filter::And(vec![
                Filter::Types(vec![patient]),
                not(ids(&["p2", "p3"])),
            ])),
            7,
        ),
        (time(None, None), 14),
        (time(Some(17), Some(17)), 1),
        (time(Some(18), None), 0),
        (time(None, Some(2)), 1),
        (time(Some(2), Some(4)), 2),
        (time(None, Some(-1_000_000_000_000)), 0),
        (time(Some(9_000_000_000_000), None), 0),
    ];
    for (filter, wanted) in cases {
        let query = SearchQuery::new(None, filter.clone(), 100);
        equal(f.search(&query).await?.len(), wanted, &format!("{filter:?}"))?;
        let total = f.snapshot().await?.search_total(&query, 100).await?;
        equal(total, wanted as u64, &format!("total of {filter:?}"))?;
    }
    Ok(())
}

pub(super) async fn a_filter_of_any_size_is_answered_or_refused(f: Fixture) -> Checked {
    some_resources(&f).await?;
    for size in [1, 3, 64, 65, 1_000, 20_000] {
        let mut many: Vec<String> = (0..size).map(|n| format!("x{n}")).collect();
        many.push("p2".into());
        let list = SearchQuery::new(None, Filter::Ids(many.clone()), 100);
        equal(
            f.search(&list).await?.join(","),
            "p2 1".into(),
            &format!("{size} ids"),
        )?;
        let leaves = many.into_iter().map(|id| Filter::Ids(vec![id])).collect();
        let tree = SearchQuery::new(None, Filter::Or(leaves), 100);
        match f.snapshot().await?.search(&tree).await {
            Ok(found) => equal(
                found_names(&found).join(","),
                "p2 1".into(),
                &format!("{size} leaves"),
            )?,
            Err(e) => holds(
                size > 500 && e.code.facts().status == 400,
                format!("{size} leaves: {e}"),
            )?,
        }
    }
    let huge = SearchQuery::new(
        None,
        Filter::Ids((0..1_000_000).map(|n| n.to_string()).collect()),
        100,
    );
    match f.snapshot().await?.search(&huge).await {
        Ok(found) => equal(found_names(&found).len(), 0, "a million ids of nobody")?,
        Err(e) => holds(
            e.code.facts().status == 400,
            format!("a million ids are the caller's fault: {e}"),
        )?,
    }
    equal(
        f.search(&SearchQuery::new(None, Filter::All, 100)).await?.len(),
        14,
        "and nothing is the worse for it",
    )
}

pub(super) async fn totals_count_what_the_search_would_list(f: Fixture) -> Checked {
    let patient = some_resources(&f).await?;
    let snapshot = f.snapshot().await?;
    let mut query = SearchQuery::new(Some(patient), Filter::All, 2);
    equal(snapshot.search_total(&query, 1_000).await?, 9, "all of the type")?;
    equal(snapshot.search_total(&query, 4).await?, 4, "up to the limit")?;
    let page = snapshot.search(&query).await?;
    query.after = page.last().map(|found| found.cursor.clone());
    equal(
        snapshot.search_total(&query, 1_000).await?,
        9,
        "whatever the page",
    )?;
    query.mark = page.last().map(|found| found.version.stamp);
    equal(snapshot.search_total(&query, 1_000).await?, 8, "as of the mark")
}

pub(super) async fn the_mark_rises_with_every_change(f: Fixture) -> Checked {
    let a = key("Patient", "a")?;
    let mut marks = vec![f.snapshot().await?.high_water_mark().await?];
    for write in [create(&a, 1), update(&a, 2), delete(&a), update(&a, 3)] {
        f.write(write).await?;
        let snapshot = f.snapshot().await?;
        marks.push(snapshot.high_water_mark().await?);
        equal(
            f.read(&a).await?.map(|v| v.stamp),
            marks.last().copied(),
            "the newest change's stamp",
        )?;
    }
    holds(marks.is_sorted_by(|a, b| a < b), format!("{marks:?}"))
}
