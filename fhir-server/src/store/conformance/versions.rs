//! One resource: created, read, updated, deleted, brought back.

use super::fixture::{Checked, Fixture, body, create, delete, equal, holds, key, some, stamped, update};
use crate::context::Clock;
use crate::store::{Change, Filter, Index, Outcome, Refusal, StampForm, StoredBody, Write};

pub(super) async fn a_created_resource_reads_back_as_it_was_written(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    holds(f.read(&patient).await?.is_none(), "nothing there at first")?;
    let outcome = f.write(create(&patient, 1)).await?;
    holds(
        matches!(outcome, Outcome::Created { version: 1, .. }),
        format!("{outcome:?}"),
    )?;
    let read = some(f.read(&patient).await?, "current version")?;
    equal(read.body, Some(body(1)), "body")?;
    equal(
        (read.version, read.change, read.key),
        (1, Change::Create, patient.clone()),
        "facts",
    )?;
    equal(read.last_updated, f.clock.now(), "time")?;
    equal(stamped(&outcome)?, (1, f.clock.now()), "outcome's time")?;
    let snapshot = f.snapshot().await?;
    let first = some(snapshot.vread(&patient, 1, &Filter::All).await?, "version 1")?;
    equal(first.body, Some(body(1)), "body of version 1")?;
    for other in [0, 2, -1, i64::MAX] {
        holds(
            snapshot.vread(&patient, other, &Filter::All).await?.is_none(),
            format!("no version {other}"),
        )?;
    }
    holds(
        f.read(&key("Observation", "a")?).await?.is_none(),
        "another type with that id",
    )
}

pub(super) async fn creating_under_an_id_in_use_is_refused(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    f.write(create(&patient, 1)).await?;
    let again = f.commit(Vec::new(), vec![create(&patient, 2)]).await;
    holds(
        matches!(again, Err(Refusal::Write { index: 0 })),
        format!("{again:?}"),
    )?;
    f.write(delete(&patient)).await?;
    let again = f.commit(Vec::new(), vec![create(&patient, 2)]).await;
    holds(
        matches!(again, Err(Refusal::Write { index: 0 })),
        format!("after a deletion {again:?}"),
    )
}

pub(super) async fn an_update_makes_the_next_version_and_keeps_the_earlier_ones(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    f.write(create(&patient, 1)).await?;
    for n in 2..=5 {
        let outcome = f.write(update(&patient, n)).await?;
        holds(matches!(outcome, Outcome::Updated { .. }), format!("{outcome:?}"))?;
        equal(stamped(&outcome)?.0, i64::try_from(n).unwrap_or(0), "version")?;
    }
    equal(
        f.read(&patient).await?.and_then(|v| v.body),
        Some(body(5)),
        "current body",
    )?;
    let snapshot = f.snapshot().await?;
    let mut stamps = Vec::new();
    for (n, version) in (1..=5).enumerate() {
        let v = some(
            snapshot.vread(&patient, version, &Filter::All).await?,
            "earlier version",
        )?;
        equal(v.body, Some(body(n + 1)), "earlier body")?;
        equal(
            v.change,
            if version == 1 {
                Change::Create
            } else {
                Change::Update
            },
            "change",
        )?;
        stamps.push((v.stamp, v.last_updated));
    }
    holds(
        stamps.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1),
        format!("rising stamps and times: {stamps:?}"),
    )
}

pub(super) async fn an_update_with_equal_content_writes_nothing(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    let created = f.write(create(&patient, 1)).await?;
    let mark = f.snapshot().await?.high_water_mark().await?;
    let again = f.write(update(&patient, 1)).await?;
    holds(
        matches!(again, Outcome::Unchanged { version: 1, .. }),
        format!("{again:?}"),
    )?;
    equal(
        stamped(&again)?,
        stamped(&created)?,
        "version and time as they were",
    )?;
    equal(f.snapshot().await?.high_water_mark().await?, mark, "no new stamp")?;
    let mut moved = body(1);
    moved.stamp_form = StampForm::Inside;
    let other = f
        .write(Write::Update {
            key: patient.clone(),
            body: moved,
            create: false,
            index: Index::default(),
        })
        .await?;
    holds(
        matches!(other, Outcome::Updated { version: 2, .. }),
        format!("another stamp place is a change: {other:?}"),
    )
}

pub(super) async fn an_update_of_an_unknown_id_creates_only_where_allowed(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    let strict = |n| Write::Update {
        key: patient.clone(),
        body: body(n),
        create: false,
        index: Index::default(),
    };
    let refused = f.commit(Vec::new(), vec![strict(1)]).await;
    holds(
        matches!(refused, Err(Refusal::Write { index: 0 })),
        format!("{refused:?}"),
    )?;
    holds(f.read(&patient).await?.is_none(), "nothing written")?;
    let created = f.write(update(&patient, 1)).await?;
    holds(
        matches!(created, Outcome::Created { version: 1, .. }),
        format!("{created:?}"),
    )?;
    let read = some(f.read(&patient).await?, "current version")?;
    equal(read.change, Change::Create, "change of a first version")?;
    f.write(delete(&patient)).await?;
    let back = f.write(strict(2)).await?;
    holds(
        matches!(back, Outcome::Created { version: 3, .. }),
        format!("an id used before: {back:?}"),
    )
}

pub(super) async fn a_deletion_is_a_version_without_a_body(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    f.write(create(&patient, 1)).await?;
    let outcome = f.write(delete(&patient)).await?;
    holds(
        matches!(outcome, Outcome::Deleted { version: 2, .. }),
        format!("{outcome:?}"),
    )?;
    let read = some(f.read(&patient).await?, "version of the deletion")?;
    equal(
        (read.version, read.change, read.body),
        (2, Change::Delete, None),
        "deletion",
    )?;
    let first = f.snapshot().await?.vread(&patient, 1, &Filter::All).await?;
    equal(first.and_then(|v| v.body), Some(body(1)), "the version before")
}

pub(super) async fn deleting_nothing_writes_nothing(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    let outcome = f.write(delete(&patient)).await?;
    holds(matches!(outcome, Outcome::Absent), format!("{outcome:?}"))?;
    holds(f.read(&patient).await?.is_none(), "no trace")?;
    f.write(create(&patient, 1)).await?;
    f.write(delete(&patient)).await?;
    let again = f.write(delete(&patient)).await?;
    holds(
        matches!(again, Outcome::Absent),
        format!("deleted already: {again:?}"),
    )?;
    equal(
        f.read(&patient).await?.map(|v| v.version),
        Some(2),
        "one deletion",
    )
}

pub(super) async fn an_update_after_a_deletion_continues_the_count(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    f.write(create(&patient, 1)).await?;
    f.write(delete(&patient)).await?;
    let back = f.write(update(&patient, 1)).await?;
    holds(
        matches!(back, Outcome::Created { version: 3, .. }),
        format!("{back:?}"),
    )?;
    let read = some(f.read(&patient).await?, "current version")?;
    equal(
        (read.change, read.body),
        (Change::Update, Some(body(1))),
        "what came back",
    )?;
    let gone = some(
        f.snapshot().await?.vread(&patient, 2, &Filter::All).await?,
        "the deletion",
    )?;
    equal(
        (gone.change, gone.body),
        (Change::Delete, None),
        "the deletion stays",
    )
}

pub(super) async fn a_filter_hides_reads_and_versions(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    f.write(create(&patient, 1)).await?;
    f.write(update(&patient, 2)).await?;
    let snapshot = f.snapshot().await?;
    let other = Filter::Ids(vec!["b".into()]);
    holds(snapshot.read(&patient, &other).await?.is_none(), "hidden read")?;
    holds(
        snapshot.vread(&patient, 1, &other).await?.is_none(),
        "hidden earlier version",
    )?;
    holds(
        snapshot.vread(&patient, 2, &other).await?.is_none(),
        "hidden current version",
    )?;
    let own = Filter::Resource(patient.clone());
    holds(snapshot.read(&patient, &own).await?.is_some(), "visible read")?;
    holds(
        snapshot.vread(&patient, 1, &own).await?.is_some(),
        "visible earlier version",
    )
}

pub(super) async fn large_and_small_bodies_come_back_whole(f: Fixture) -> Checked {
    let varied: Vec<u8> = (0..3_000_000u32)
        .map(|i| 32 + u8::try_from(i.wrapping_mul(2_654_435_761) >> 26).unwrap_or(0))
        .collect();
    let bodies = [b"{}".to_vec(), vec![b' '; 200_000], varied];
    for (n, json) in bodies.into_iter().enumerate() {
        let binary = key("Binary", &format!("b{n}"))?;
        let stored = StoredBody {
            json,
            stamp_at: 1,
            stamp_form: StampForm::Inside,
        };
        f.write(Write::Create {
            key: binary.clone(),
            body: stored.clone(),
            index: Index::default(),
        })
        .await?;
        let read = f.read(&binary).await?.and_then(|v| v.body);
        holds(read.as_ref() == Some(&stored), format!("body {n} whole"))?;
        let again = f
            .write(Write::Update {
                key: binary,
                body: stored,
                create: false,
                index: Index::default(),
            })
            .await?;
        holds(
            matches!(again, Outcome::Unchanged { .. }),
            format!("body {n} is equal to itself: {again:?}"),
        )?;
    }
    Ok(())
}

pub(super) async fn every_kind_of_id_is_its_own(f: Fixture) -> Checked {
    let lower = "0b0e4c1e-63a5-4d61-9d2e-3a1f5c7d9e10";
    let longest = "x".repeat(64);
    let upper = lower.to_uppercase();
    let ids = [
        "1",
        "A",
        "a",
        "a.b-C",
        "abcdefghijklmnop",
        lower,
        &upper,
        &longest,
    ];
    for (n, id) in ids.iter().enumerate() {
        f.write(create(&key("Patient", id)?, n)).await?;
    }
    for (n, id) in ids.iter().enumerate() {
        let read = some(f.read(&key("Patient", id)?).await?, "resource of that id")?;
        equal(
            (read.key.id.as_str(), read.body),
            (*id, Some(body(n))),
            "id and body",
        )?;
    }
    Ok(())
}

pub(super) async fn times_never_go_back(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    let created = stamped(&f.write(create(&patient, 1)).await?)?;
    f.clock.advance(-3_600_000);
    let updated = stamped(&f.write(update(&patient, 2)).await?)?;
    holds(
        updated.1 >= created.1,
        format!("{updated:?} not before {created:?}"),
    )?;
    f.clock.advance(7_200_000);
    let later = stamped(&f.write(update(&patient, 3)).await?)?;
    equal(later, (3, f.clock.now()), "the clock's time again")
}
