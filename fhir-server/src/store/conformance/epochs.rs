//! Epochs: set by whoever writes a definition, seen with everything else.

use super::fixture::{Checked, Fixture, create, delete, equal, holds, key, update};
use crate::context::TenantId;
use crate::store::{DEFINITIONS, Epochs, Expect, Key, Outcome, Refusal, ResourceType, Write};

async fn epochs(f: &Fixture) -> Checked<Epochs> {
    Ok(f.snapshot().await?.marks().await?.epochs)
}

/// The newest stamp, and the epoch of that type.
async fn tip(f: &Fixture, of: ResourceType) -> Checked<(i64, i64)> {
    let marks = f.snapshot().await?.marks().await?;
    Ok((marks.newest, marks.epochs.of(of)))
}

pub(super) async fn every_change_of_a_definition_moves_the_epoch_of_its_type_alone(f: Fixture) -> Checked {
    equal(epochs(&f).await?, Epochs::default(), "of an empty database")?;
    for name in DEFINITIONS {
        let definition = key(name, "a")?;
        let of = definition.resource_type;
        for write in [
            create(&definition, 1),
            update(&definition, 2),
            delete(&definition),
            update(&definition, 3),
        ] {
            let mut wanted = epochs(&f).await?;
            f.write(write.clone()).await?;
            let (newest, epoch) = tip(&f, of).await?;
            equal(epoch, newest, &format!("{write:?}"))?;
            wanted.set(of, newest);
            equal(epochs(&f).await?, wanted, "those of other types stay")?;
        }
    }
    let before = epochs(&f).await?;
    f.write(create(&key("Patient", "a")?, 1)).await?;
    f.write(update(&key("ValueSet", "a")?, 3)).await?;
    f.write(delete(&key("ValueSet", "never")?)).await?;
    equal(epochs(&f).await?, before, "nothing of them changed")?;
    let others = f.store.snapshot(TenantId(7)).await?.marks().await?;
    equal(others.epochs, Epochs::default(), "of another tenant")
}

pub(super) async fn an_epoch_falls_with_its_commit(f: Fixture) -> Checked {
    let (one, two) = (key("SearchParameter", "one")?, key("SearchParameter", "two")?);
    f.write(create(&one, 1)).await?;
    let before = epochs(&f).await?;
    let refused = f.commit(vec![], vec![create(&two, 1), create(&one, 2)]).await;
    holds(
        matches!(refused, Err(Refusal::Write { index: 1 })),
        format!("{refused:?}"),
    )?;
    equal(epochs(&f).await?, before, "after a refusal")?;
    // The writer's own idea of it too.
    let expect = Expect::Epoch(one.resource_type, before.of(one.resource_type));
    f.commit(vec![expect], vec![create(&two, 1)]).await?;
    let (newest, epoch) = tip(&f, one.resource_type).await?;
    equal(epoch, newest, "after the next commit")
}

pub(super) async fn a_commit_that_expects_an_epoch_is_refused_under_another(f: Fixture) -> Checked {
    let definition = key("SearchParameter", "a")?;
    let expect = |stamp| vec![Expect::Epoch(definition.resource_type, stamp)];
    let patient = |n: usize| -> Checked<Key> { key("Patient", &format!("p{n}")) };
    f.commit(expect(0), vec![create(&patient(0)?, 0)]).await?;
    f.write(create(&definition, 1)).await?;
    let first = epochs(&f).await?.of(definition.resource_type);
    f.write(update(&definition, 2)).await?;
    let second = epochs(&f).await?.of(definition.resource_type);
    holds(0 < first && first < second, format!("{first} and {second} rise"))?;
    for (n, stamp) in [(1, 0), (2, first), (3, second + 1)] {
        let result = f.commit(expect(stamp), vec![create(&patient(n)?, n)]).await;
        let is_refused = matches!(
            result,
            Err(Refusal::Expectation {
                index: 0,
                current: None
            })
        );
        holds(is_refused, format!("{stamp}: {result:?}"))?;
    }
    f.commit(expect(second), vec![create(&patient(4)?, 4)]).await?;
    // A definition and what expects the epoch before it may come in one commit.
    f.commit(
        expect(second),
        vec![update(&definition, 3), create(&patient(5)?, 5)],
    )
    .await?;
    let late = f.commit(expect(second), vec![create(&patient(6)?, 6)]).await;
    holds(
        matches!(late, Err(Refusal::Expectation { .. })),
        format!("{late:?}"),
    )
}

pub(super) async fn a_view_keeps_its_epochs(f: Fixture) -> Checked {
    let definition = key("StructureDefinition", "a")?;
    f.write(create(&definition, 1)).await?;
    let view = f.snapshot().await?;
    let before = view.marks().await?;
    f.write(update(&definition, 2)).await?;
    equal(view.marks().await?, before, "of the view")?;
    holds(epochs(&f).await? != before.epochs, "a fresh view sees the change")
}

pub(super) async fn a_note_about_definitions_is_kept_and_moves_the_epoch_where_it_shall(
    f: Fixture,
) -> Checked {
    let of = key("SearchParameter", "a")?.resource_type;
    let note = |text: &str, moves| Write::Note {
        of,
        note: text.as_bytes().to_vec(),
        moves,
    };
    let expect = |text: Option<&str>| vec![Expect::Note(of, text.map(|text| text.as_bytes().to_vec()))];
    equal(f.snapshot().await?.note(of).await?, None, "at first")?;
    equal(f.store.defining(of).await?, vec![], "tenants")?;
    f.commit(expect(None), vec![note("one", false)]).await?;
    equal(f.snapshot().await?.note(of).await?, Some(b"one".to_vec()), "note")?;
    equal(epochs(&f).await?.of(of), 0, "epoch")?;
    for wrong in [None, Some("two")] {
        let refused = f.commit(expect(wrong), vec![note("never", true)]).await;
        holds(
            matches!(
                refused,
                Err(Refusal::Expectation {
                    index: 0,
                    current: None
                })
            ),
            format!("{wrong:?}: {refused:?}"),
        )?;
    }
    let noted = f.commit(expect(Some("one")), vec![note("two", true)]).await?;
    holds(matches!(noted.as_slice(), [Outcome::Noted]), format!("{noted:?}"))?;
    let moved = epochs(&f).await?.of(of);
    holds(moved > 0, "the epoch moves")?;
    f.write(create(&key("SearchParameter", "a")?, 1)).await?;
    let after = epochs(&f).await?.of(of);
    holds(after > moved, format!("{after} is after {moved}"))?;
    equal(
        f.snapshot().await?.note(of).await?,
        Some(b"two".to_vec()),
        "a definition leaves it",
    )?;
    equal(
        f.store.defining(of).await?,
        vec![(TenantId::DEFAULT, after)],
        "tenants",
    )
}
