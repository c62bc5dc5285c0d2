//! Emptying a tenant: all or nothing, and nobody else's.

use super::fixture::{Checked, Fixture, body, create, delete, equal, holds, key, some, update};
use crate::context::TenantId;
use crate::search::registry::Registry;
use crate::store::{
    AuditAction, AuditEntry, AuditQuery, Change, Claim, Commit, Criterion, Expect, Filter, HistoryQuery,
    HistoryScope, Index, IndexRow, IndexValue, Key, Outcome, Passage, Refusal, ResourceType, SearchQuery,
    Section, SystemTest, Test, Write,
};

const EMPTY: Write = Write::Empty { keep: &["stays"] };

fn claim(kind: &'static str, n: u8) -> Write {
    Write::Claim(Claim::new(kind, [n; 32], vec![n]))
}

fn everything() -> HistoryQuery {
    HistoryQuery::new(HistoryScope::System, 100, Filter::All)
}

/// A resource with two versions, a deleted one, two claims and a row of the trail.
async fn filled(f: &Fixture) -> Checked {
    f.write(create(&key("Patient", "a")?, 1)).await?;
    f.write(update(&key("Patient", "a")?, 2)).await?;
    f.write(create(&key("Patient", "b")?, 3)).await?;
    f.write(delete(&key("Patient", "b")?)).await?;
    f.write(claim("goes", 1)).await?;
    f.write(claim("stays", 2)).await?;
    let entry = AuditEntry::new(AuditAction::Read, "somebody", b"{}".to_vec());
    f.write(Write::Audit(entry)).await?;
    Ok(())
}

async fn rows(f: &Fixture) -> Checked<usize> {
    let query = AuditQuery::new(Vec::new(), 100);
    Ok(f.snapshot().await?.audit(&query).await?.len())
}

pub(super) async fn an_emptied_tenant_holds_nothing_but_its_trail_and_the_claims_that_stay(
    f: Fixture,
) -> Checked {
    filled(&f).await?;
    let outcome = f.write(EMPTY).await?;
    holds(
        matches!(outcome, Outcome::Emptied { resources: 1 }),
        format!("{outcome:?}"),
    )?;
    equal(f.history(&everything()).await?, Vec::new(), "versions")?;
    let search = SearchQuery::new(None, Filter::All, 100);
    equal(f.search(&search).await?, Vec::new(), "resources")?;
    let gone = f.read(&key("Patient", "a")?).await?;
    holds(gone.is_none(), "nothing is read")?;
    let gone = f.read(&key("Patient", "b")?).await?;
    holds(gone.is_none(), "not even a deletion is")?;
    let view = f.snapshot().await?;
    equal(view.claim("goes", &[1; 32]).await?, None, "a claim")?;
    equal(view.claim("stays", &[2; 32]).await?, Some(vec![2]), "the other")?;
    equal(rows(&f).await?, 1, "rows of the trail")?;
    // The claim is free, and ids are as never used.
    f.write(claim("goes", 1)).await?;
    let outcome = f.write(create(&key("Patient", "b")?, 3)).await?;
    holds(
        matches!(outcome, Outcome::Created { version: 1, .. }),
        format!("{outcome:?}"),
    )
}

/// What a resource is found by: a code and a word.
fn findable() -> Checked<(Index, Filter)> {
    let patient = some(ResourceType::from_name("Patient"), "such type")?;
    let parameter = some(Registry::r4().find(Some(patient), "gender"), "such parameter")?.number;
    let row = IndexRow {
        parameter,
        group: 0,
        value: IndexValue::Token {
            system: None,
            code: "female".to_owned(),
        },
    };
    let test = Test::Token {
        system: SystemTest::Any,
        code: Some(vec!["female".to_owned()]),
    };
    let words = Passage::new(Section::Rest, 0, "well known words".to_owned());
    let index = Index::new(vec![row]).with_passages(vec![words]);
    let word = Filter::Words {
        phrase: vec!["known".to_owned()],
        narrative: false,
    };
    Ok((index, Filter::Has(Criterion { parameter, test }).and(word)))
}

pub(super) async fn what_follows_in_the_same_commit_finds_an_empty_tenant(f: Fixture) -> Checked {
    let (one, two) = (key("Patient", "a")?, key("Patient", "c")?);
    let (index, found) = findable()?;
    let of = |id: &Key, n| Write::Create {
        key: id.clone(),
        body: body(n),
        index: index.clone(),
    };
    f.write(of(&one, 1)).await?;
    f.write(update(&one, 2)).await?;
    f.clock.advance(1);
    let done = f
        .commit(vec![], vec![EMPTY, of(&one, 5), of(&two, 6), claim("goes", 1)])
        .await?;
    let versions: Vec<bool> = done
        .iter()
        .map(|outcome| matches!(outcome, Outcome::Created { version: 1, .. }))
        .collect();
    equal(versions, vec![false, true, true, false], "first versions")?;
    let read = some(f.read(&one).await?, "resource")?;
    equal(read.body, Some(body(5)), "content")?;
    let mut both = f
        .search(&SearchQuery::new(Some(one.resource_type), found, 10))
        .await?;
    both.sort();
    equal(
        both,
        vec!["a 1".to_owned(), "c 1".to_owned()],
        "found by their rows",
    )?;
    // What was there with the same content is new all the same.
    f.clock.advance(1);
    let again = f.commit(vec![], vec![EMPTY, update(&one, 5)]).await?;
    holds(
        matches!(again.last(), Some(Outcome::Created { version: 1, .. })),
        format!("{again:?}"),
    )?;
    equal(
        f.history(&everything()).await?,
        vec!["a 1".to_owned()],
        "versions",
    )
}

pub(super) async fn a_view_of_before_an_emptying_keeps_what_it_has(f: Fixture) -> Checked {
    filled(&f).await?;
    let view = f.snapshot().await?;
    // A view is of the moment of its first question.
    let patient = key("Patient", "a")?;
    holds(view.read(&patient, &Filter::All).await?.is_some(), "before")?;
    f.write(EMPTY).await?;
    let kept = some(view.read(&patient, &Filter::All).await?, "resource in the view")?;
    equal((kept.version, kept.change), (2, Change::Update), "version")?;
    equal(
        view.history(&everything()).await?.len(),
        4,
        "versions in the view",
    )
}

pub(super) async fn an_emptying_falls_with_its_commit(f: Fixture) -> Checked {
    filled(&f).await?;
    f.write(create(&key("ValueSet", "a")?, 9)).await?;
    let epochs = f.snapshot().await?.marks().await?.epochs;
    let before = f.history(&everything()).await?;
    let new = key("Patient", "new")?;
    let refused = f
        .commit(vec![], vec![EMPTY, create(&new, 1), create(&new, 2)])
        .await;
    holds(
        matches!(refused, Err(Refusal::Write { index: 2 })),
        format!("{refused:?}"),
    )?;
    let held = f.commit(vec![], vec![EMPTY, claim("stays", 2)]).await;
    holds(
        matches!(held, Err(Refusal::Write { index: 1 })),
        format!("{held:?}"),
    )?;
    let expects = vec![Expect::Version(key("Patient", "a")?, 1)];
    let unmet = f.commit(expects, vec![EMPTY]).await;
    holds(
        matches!(unmet, Err(Refusal::Expectation { index: 0, .. })),
        format!("{unmet:?}"),
    )?;
    let misplaced = f.commit(vec![], vec![create(&new, 1), EMPTY]).await;
    holds(
        matches!(misplaced, Err(Refusal::Write { index: 1 })),
        format!("{misplaced:?}"),
    )?;
    equal(f.history(&everything()).await?, before, "versions")?;
    let view = f.snapshot().await?;
    equal(view.claim("goes", &[1; 32]).await?, Some(vec![1]), "claim")?;
    equal(view.marks().await?.epochs, epochs, "epochs")?;
    let outcome = f.write(update(&key("Patient", "a")?, 7)).await?;
    holds(
        matches!(outcome, Outcome::Updated { version: 3, .. }),
        format!("{outcome:?}"),
    )
}

pub(super) async fn an_emptying_moves_every_epoch_and_forgets_what_was_noted(f: Fixture) -> Checked {
    let definition = key("SearchParameter", "a")?;
    let of = definition.resource_type;
    f.write(create(&definition, 1)).await?;
    let note = Write::Note {
        of,
        note: vec![7],
        moves: false,
    };
    f.write(note).await?;
    let before = f.snapshot().await?.marks().await?.epochs;
    equal(before.emptied(), 0, "never emptied")?;
    f.write(EMPTY).await?;
    let view = f.snapshot().await?;
    let after = view.marks().await?.epochs;
    holds(after.of(of) > before.of(of), "the epoch has risen")?;
    holds(after.emptied() > 0, "it is told when")?;
    equal(view.note(of).await?, None, "the note")?;
    equal(view.marks().await?.newest, 0, "nothing has a stamp")?;
    let stale = f
        .commit(
            vec![Expect::Epoch(of, before.of(of))],
            vec![create(&definition, 1)],
        )
        .await;
    holds(
        matches!(stale, Err(Refusal::Expectation { index: 0, .. })),
        format!("{stale:?}"),
    )?;
    f.write(EMPTY).await?;
    let again = f.snapshot().await?.marks().await?.epochs;
    holds(again.emptied() > after.emptied(), "each time is its own")
}

pub(super) async fn an_emptying_leaves_other_tenants_alone(f: Fixture) -> Checked {
    filled(&f).await?;
    let other = TenantId(7);
    let writes = vec![create(&key("Patient", "a")?, 1), claim("goes", 1)];
    f.store.commit(other, Commit::new(vec![], writes)).await?;
    f.write(EMPTY).await?;
    let view = f.store.snapshot(other).await?;
    let there = view.read(&key("Patient", "a")?, &Filter::All).await?;
    holds(there.is_some(), "resource of another tenant")?;
    equal(view.claim("goes", &[1; 32]).await?, Some(vec![1]), "its claim")?;
    equal(view.marks().await?.epochs.emptied(), 0, "when it was emptied")
}
