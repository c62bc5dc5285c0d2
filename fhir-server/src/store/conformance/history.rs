//! Histories: of a resource, of a type, of everything.

use super::fixture::{Checked, Fixture, create, delete, equal, key, names, update};
use crate::context::{Clock, Millis};
use crate::store::{Filter, HistoryQuery, HistoryScope};

/// a1 o1 a2 b1 -a3 a4 o2, a millisecond apart; the time of the first.
async fn seven_changes(f: &Fixture) -> Checked<Millis> {
    let (a, b, o) = (
        key("Patient", "a")?,
        key("Patient", "b")?,
        key("Observation", "o")?,
    );
    let start = Millis(f.clock.now().0 + 1);
    f.write(create(&a, 1)).await?;
    f.write(create(&o, 1)).await?;
    f.write(update(&a, 2)).await?;
    f.write(create(&b, 1)).await?;
    f.write(delete(&a)).await?;
    f.write(update(&a, 4)).await?;
    f.write(update(&o, 2)).await?;
    Ok(start)
}

fn query(scope: HistoryScope) -> HistoryQuery {
    HistoryQuery::new(scope, 100, Filter::All)
}

pub(super) async fn a_history_lists_versions_newest_first_at_three_levels(f: Fixture) -> Checked {
    seven_changes(&f).await?;
    let (a, patient) = (key("Patient", "a")?, key("Patient", "a")?.resource_type);
    let of = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
    let system = f.history(&query(HistoryScope::System)).await?;
    equal(
        system,
        of(&["o 2", "a 4", "a 3", "b 1", "a 2", "o 1", "a 1"]),
        "of everything",
    )?;
    let of_type = f.history(&query(HistoryScope::Type(patient))).await?;
    equal(of_type, of(&["a 4", "a 3", "b 1", "a 2", "a 1"]), "of Patient")?;
    let of_one = f.history(&query(HistoryScope::Instance(a))).await?;
    equal(of_one, of(&["a 4", "a 3", "a 2", "a 1"]), "of one")?;
    let never = f
        .history(&query(HistoryScope::Instance(key("Patient", "never")?)))
        .await?;
    equal(never, Vec::new(), "of what never was")
}

pub(super) async fn history_pages_neither_skip_nor_repeat(f: Fixture) -> Checked {
    seven_changes(&f).await?;
    let a = key("Patient", "a")?;
    let scopes = [
        HistoryScope::System,
        HistoryScope::Type(a.resource_type),
        HistoryScope::Instance(a),
    ];
    for scope in scopes {
        let whole = f.history(&query(scope.clone())).await?;
        for count in 1..=whole.len() {
            let mut page = HistoryQuery::new(scope.clone(), count, Filter::All);
            let mut walked = Vec::new();
            loop {
                let versions = f.snapshot().await?.history(&page).await?;
                let Some(last) = versions.last() else { break };
                page.before = Some(last.stamp);
                walked.extend(names(&versions));
            }
            equal(&walked, &whole, "pages and the whole")?;
        }
    }
    Ok(())
}

pub(super) async fn since_and_at_choose_versions_by_time(f: Fixture) -> Checked {
    let start = seven_changes(&f).await?;
    let after = |millis: i64| Millis(start.0 + millis);
    let mut since = query(HistoryScope::System);
    since.since = Some(after(4));
    equal(
        f.history(&since).await?.join(","),
        "o 2,a 4,a 3".into(),
        "since the deletion",
    )?;
    since.since = Some(after(7));
    equal(f.history(&since).await?.len(), 0, "since after all")?;
    // What was current in the third and fourth millisecond.
    let mut at = query(HistoryScope::System);
    at.at = Some((after(2), after(3)));
    equal(
        f.history(&at).await?.join(","),
        "b 1,a 2,o 1".into(),
        "at the third and fourth",
    )?;
    at.at = Some((after(-5), after(-1)));
    equal(f.history(&at).await?.len(), 0, "at before all")?;
    at.at = Some((after(1_000), after(2_000)));
    equal(
        f.history(&at).await?.join(","),
        "o 2,a 4,b 1".into(),
        "at after all: the current ones",
    )?;
    at.scope = HistoryScope::Instance(key("Patient", "a")?);
    at.at = Some((after(0), after(2)));
    equal(
        f.history(&at).await?.join(","),
        "a 2,a 1".into(),
        "of one, at the first three",
    )?;
    at.at = Some((after(4), after(4)));
    equal(
        f.history(&at).await?.join(","),
        "a 3".into(),
        "a deletion counts as a version",
    )
}

pub(super) async fn a_history_shows_only_what_the_filter_lets_through(f: Fixture) -> Checked {
    seven_changes(&f).await?;
    let mut query = query(HistoryScope::System);
    query.filter = Filter::Types(vec![key("Observation", "o")?.resource_type]);
    equal(f.history(&query).await?.join(","), "o 2,o 1".into(), "one type")?;
    equal(
        f.snapshot().await?.history_total(&query, 100).await?,
        2,
        "its total",
    )?;
    query.filter = Filter::Not(Box::new(Filter::Ids(vec!["a".into()])));
    equal(
        f.history(&query).await?.join(","),
        "o 2,b 1,o 1".into(),
        "all but one",
    )?;
    query.filter = Filter::None;
    equal(f.history(&query).await?.len(), 0, "nothing")?;
    query.scope = HistoryScope::Instance(key("Patient", "a")?);
    query.filter = Filter::Ids(vec!["b".into()]);
    equal(f.history(&query).await?.len(), 0, "hidden one")
}

pub(super) async fn history_totals_stop_at_the_limit(f: Fixture) -> Checked {
    seven_changes(&f).await?;
    let a = key("Patient", "a")?;
    let snapshot = f.snapshot().await?;
    let mut system = query(HistoryScope::System);
    equal(snapshot.history_total(&system, 1_000).await?, 7, "of everything")?;
    equal(snapshot.history_total(&system, 3).await?, 3, "up to the limit")?;
    system.before = Some(1);
    system.count = 1;
    equal(
        snapshot.history_total(&system, 1_000).await?,
        7,
        "whatever the page",
    )?;
    equal(
        snapshot
            .history_total(&query(HistoryScope::Type(a.resource_type)), 9)
            .await?,
        5,
        "of a type",
    )?;
    equal(
        snapshot
            .history_total(&query(HistoryScope::Instance(a)), 9)
            .await?,
        4,
        "of one",
    )
}
