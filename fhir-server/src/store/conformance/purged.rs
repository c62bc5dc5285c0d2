//! Purging: nothing of a resource is left, and everything of its neighbours.

use super::fixture::{Checked, Fixture, body, create, delete, equal, holds, key, some, update};
use crate::context::TenantId;
use crate::search::registry::Registry;
use crate::store::{
    AuditAction, AuditEntry, AuditQuery, Change, Claim, Commit, Criterion, Expect, Filter, HistoryQuery,
    HistoryScope, Index, IndexRow, IndexValue, Key, Outcome, Passage, Refusal, SearchQuery, Section,
    SystemTest, Test, Write,
};

fn purge(key: &Key) -> Write {
    Write::Purge {
        key: key.clone(),
        earlier: Index::default(),
    }
}

fn told() -> Write {
    Write::Audit(AuditEntry::new(AuditAction::Delete, "somebody", b"{}".to_vec()))
}

fn history(scope: HistoryScope) -> HistoryQuery {
    HistoryQuery::new(scope, 100, Filter::All)
}

/// Rows of a patient with that family name and those words, and the filters that find them.
fn findable(family: &str, words: &str) -> Checked<(Index, [Filter; 2])> {
    let patient = key("Patient", "a")?.resource_type;
    let of = |code: &str| {
        Ok::<_, super::fixture::Failure>(some(Registry::r4().find(Some(patient), code), code)?.number)
    };
    let (gender, name) = (of("gender")?, of("family")?);
    let row = |parameter, value| IndexRow {
        parameter,
        group: 0,
        value,
    };
    let rows = vec![
        row(
            gender,
            IndexValue::Token {
                system: None,
                code: "female".to_owned(),
            },
        ),
        row(
            name,
            IndexValue::String {
                folded: family.to_owned(),
                exact: family.to_owned(),
            },
        ),
    ];
    let index = Index::new(rows).with_passages(vec![Passage::new(Section::Rest, 0, words.to_owned())]);
    let woman = Test::Token {
        system: SystemTest::Any,
        code: Some(vec!["female".to_owned()]),
    };
    let word = Filter::Words {
        phrase: vec![words.split(' ').next().unwrap_or_default().to_owned()],
        narrative: false,
    };
    let found = Filter::Has(Criterion {
        parameter: gender,
        test: woman,
    });
    Ok((index, [found, word]))
}

fn with(key: &Key, n: usize, index: &Index) -> Write {
    Write::Update {
        key: key.clone(),
        body: body(n),
        index: index.clone(),
        create: true,
    }
}

async fn found(f: &Fixture, filter: &Filter) -> Checked<Vec<String>> {
    let patient = key("Patient", "a")?.resource_type;
    f.search(&SearchQuery::new(Some(patient), filter.clone(), 10))
        .await
}

pub(super) async fn nothing_is_left_of_what_is_purged(f: Fixture) -> Checked {
    let (gone, stays, deleted) = (
        key("Patient", "gone")?,
        key("Patient", "stays")?,
        key("Patient", "deleted")?,
    );
    let (index, [woman, word]) = findable("ash", "secret words")?;
    let (other, [_, open]) = findable("birch", "open words")?;
    for n in 1..4 {
        f.write(with(&gone, n, &index)).await?;
        f.write(with(&deleted, n, &index)).await?;
    }
    f.write(with(&stays, 1, &other)).await?;
    f.write(delete(&deleted)).await?;
    equal(found(&f, &woman).await?.len(), 2, "before")?;
    let done = f
        .commit(vec![], vec![purge(&gone), purge(&deleted), told()])
        .await?;
    let versions: Vec<Option<i64>> = done
        .iter()
        .map(|outcome| match outcome {
            Outcome::Purged { versions } => Some(*versions),
            _ => None,
        })
        .collect();
    equal(versions, vec![Some(3), Some(4), None], "versions")?;
    holds(f.read(&gone).await?.is_none(), "nothing is read")?;
    holds(f.read(&deleted).await?.is_none(), "not even a deletion")?;
    for scope in [
        HistoryScope::System,
        HistoryScope::Type(gone.resource_type),
        HistoryScope::Instance(stays.clone()),
    ] {
        equal(
            f.history(&history(scope)).await?,
            vec!["stays 1".to_owned()],
            "versions",
        )?;
    }
    for key in [&gone, &deleted] {
        let left = f.history(&history(HistoryScope::Instance(key.clone()))).await?;
        equal(left, Vec::new(), "versions of what is gone")?;
    }
    equal(
        found(&f, &woman).await?,
        vec!["stays 1".to_owned()],
        "found by a shared code",
    )?;
    equal(
        found(&f, &word).await?,
        Vec::new(),
        "found by words that are gone",
    )?;
    equal(
        found(&f, &open).await?,
        vec!["stays 1".to_owned()],
        "found by its own words",
    )?;
    let trail = AuditQuery::new(Vec::new(), 100);
    equal(
        f.snapshot().await?.audit(&trail).await?.len(),
        1,
        "rows of the trail",
    )
}

pub(super) async fn a_purged_id_is_as_never_used_and_is_found_again_by_the_same_rows(f: Fixture) -> Checked {
    let (one, two) = (key("Patient", "one")?, key("Patient", "two")?);
    let (index, [woman, word]) = findable("ash", "secret words")?;
    f.write(with(&one, 1, &index)).await?;
    f.write(purge(&one)).await?;
    let again = f.write(purge(&one)).await?;
    holds(
        matches!(again, Outcome::Purged { versions: 0 }),
        format!("{again:?}"),
    )?;
    for key in [&one, &two] {
        let outcome = f.write(with(key, 1, &index)).await?;
        holds(
            matches!(outcome, Outcome::Created { version: 1, .. }),
            format!("{outcome:?}"),
        )?;
    }
    for filter in [woman, word] {
        let mut both = found(&f, &filter).await?;
        both.sort();
        equal(both, vec!["one 1".to_owned(), "two 1".to_owned()], "found")?;
    }
    Ok(())
}

pub(super) async fn a_purge_falls_with_its_commit_and_stands_where_it_may(f: Fixture) -> Checked {
    let (one, two) = (key("Patient", "one")?, key("Patient", "two")?);
    let (index, [woman, _]) = findable("ash", "secret words")?;
    f.write(with(&one, 1, &index)).await?;
    f.write(with(&one, 2, &index)).await?;
    let claim = || Write::Claim(Claim::new("held", [1; 32], vec![1]));
    f.write(claim()).await?;
    let held = f.commit(vec![], vec![purge(&one), claim()]).await;
    holds(
        matches!(held, Err(Refusal::Write { index: 1 })),
        format!("{held:?}"),
    )?;
    let unmet = f
        .commit(vec![Expect::Version(one.clone(), 1)], vec![purge(&one)])
        .await;
    holds(
        matches!(unmet, Err(Refusal::Expectation { index: 0, .. })),
        format!("{unmet:?}"),
    )?;
    for (writes, index) in [
        (vec![told(), purge(&one)], 1),
        (vec![purge(&one), create(&two, 1)], 1),
        (vec![purge(&one), told(), purge(&two)], 2),
        (vec![purge(&one), Write::Empty { keep: &[] }], 1),
    ] {
        let misplaced = f.commit(vec![], writes).await;
        let is_it = matches!(&misplaced, Err(Refusal::Write { index: at }) if *at == index);
        holds(is_it, format!("{misplaced:?}"))?;
    }
    equal(found(&f, &woman).await?, vec!["one 2".to_owned()], "found")?;
    let there = some(f.read(&one).await?, "resource")?;
    equal((there.version, there.change), (2, Change::Update), "version")?;
    let next = f.write(update(&one, 7)).await?;
    holds(
        matches!(next, Outcome::Updated { version: 3, .. }),
        format!("{next:?}"),
    )
}

pub(super) async fn a_purge_leaves_other_tenants_and_views_of_before_alone(f: Fixture) -> Checked {
    let one = key("Patient", "one")?;
    let other = TenantId(7);
    f.write(create(&one, 1)).await?;
    f.store
        .commit(other, Commit::new(vec![], vec![create(&one, 1)]))
        .await?;
    let view = f.snapshot().await?;
    holds(view.read(&one, &Filter::All).await?.is_some(), "before")?;
    f.write(purge(&one)).await?;
    let kept = view.vread(&one, 1, &Filter::All).await?;
    holds(kept.is_some(), "a view of before keeps it")?;
    let there = f.store.snapshot(other).await?.read(&one, &Filter::All).await?;
    holds(there.is_some(), "resource of another tenant")
}

pub(super) async fn purging_a_definition_moves_its_epoch(f: Fixture) -> Checked {
    let (definition, patient) = (key("ValueSet", "a")?, key("Patient", "a")?);
    let of = definition.resource_type;
    f.write(create(&definition, 1)).await?;
    f.write(create(&patient, 1)).await?;
    let note = Write::Note {
        of,
        note: vec![7],
        moves: false,
    };
    f.write(note).await?;
    let before = f.snapshot().await?.marks().await?.epochs;
    f.write(purge(&patient)).await?;
    let same = f.snapshot().await?.marks().await?.epochs;
    equal(same, before, "epochs after a patient")?;
    f.write(purge(&definition)).await?;
    let view = f.snapshot().await?;
    let after = view.marks().await?.epochs;
    holds(after.of(of) > before.of(of), "the epoch has risen")?;
    holds(after.emptied() > before.emptied(), "nobody goes on from what was")?;
    equal(view.note(of).await?, Some(vec![7]), "the note")
}
