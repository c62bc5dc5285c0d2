//! The audit trail: rows that stay, in the order of commits, and seals that follow each other.

use super::fixture::{Checked, Fixture, create, equal, holds, key};
use crate::context::TenantId;
use crate::store::{
    Aspect, AuditAction, AuditEntry, AuditLists, AuditQuery, AuditRow, AuditSeal, AuditTest, AuditWaiting,
    Index, IndexRow, IndexValue, Outcome, ParameterNumber, Refusal, ResourceType, Write,
};

fn entry(actor: &str, patients: &[&str]) -> AuditEntry {
    let mut entry = AuditEntry::new(AuditAction::Read, actor, actor.as_bytes().to_vec());
    entry.patients = patients.iter().map(|&id| id.to_owned()).collect();
    entry
}

async fn rows(f: &Fixture, tests: Vec<AuditTest>) -> Checked<Vec<AuditRow>> {
    Ok(f.snapshot().await?.audit(&AuditQuery::new(tests, 100)).await?)
}

fn actors(rows: &[AuditRow]) -> Vec<&str> {
    rows.iter().map(|row| row.entry.actor.as_str()).collect()
}

pub(super) async fn a_row_is_written_with_its_commit_or_not_at_all(f: Fixture) -> Checked {
    let patient = key("Patient", "a")?;
    let outcomes = f
        .commit(
            vec![],
            vec![create(&patient, 1), Write::Audit(entry("dr-a", &["a"]))],
        )
        .await?;
    holds(
        matches!(outcomes.as_slice(), [Outcome::Created { .. }, Outcome::Recorded]),
        format!("{outcomes:?}"),
    )?;
    let refused = f
        .commit(
            vec![],
            vec![Write::Audit(entry("dr-b", &["a"])), create(&patient, 2)],
        )
        .await;
    holds(
        matches!(refused, Err(Refusal::Write { index: 1 })),
        format!("{refused:?}"),
    )?;
    f.write(Write::Audit(entry("dr-c", &[]))).await?;
    let found = rows(&f, vec![]).await?;
    equal(actors(&found), vec!["dr-c", "dr-a"], "newest first")?;
    holds(
        found.is_sorted_by(|newer, older| newer.stamp > older.stamp),
        "stamps rise",
    )?;
    let links = f.snapshot().await?.audit_patients(0, i64::MAX).await?;
    let expected = vec![(found.last().map_or(0, |row| row.stamp), "a".to_owned())];
    equal(links, expected, "links to patients")
}

pub(super) async fn every_test_of_the_trail_selects_what_it_says(f: Fixture) -> Checked {
    let observation = ResourceType::from_name("Observation");
    let long = "a-patient-with-an-id-that-is-longer-than-sixteen-bytes";
    let uuid = "5b9c8a4e-8a3f-4a71-9d0e-2f6c5d1b7e90";
    let mut first = entry("dr-a", &[long, "2"]);
    (first.resource_type, first.id) = (observation, Some(uuid.to_owned()));
    first.interaction = 7;
    let mut second = entry("dr-b", &[uuid]);
    (second.resource_type, second.action, second.outcome) = (observation, AuditAction::Create, 4);
    let third = entry("dr-a", &[]);
    for one in [&first, &second, &third] {
        f.clock.advance(1);
        f.write(Write::Audit(one.clone())).await?;
    }
    let all = rows(&f, vec![]).await?;
    let read: Vec<_> = all.iter().rev().map(|row| row.entry.clone()).collect();
    let bare = |mut entry: AuditEntry| {
        entry.patients.clear();
        entry
    };
    equal(
        read,
        vec![bare(first), bare(second), bare(third)],
        "what was written",
    )?;
    let stamp = |n: usize| all.iter().rev().nth(n).map_or(0, |row| row.stamp);
    let own = |text: &str| text.to_owned();
    let of_type = observation.ok_or_else(|| crate::error::Error::internal("no Observation"))?;
    let cases: Vec<(AuditTest, &[usize])> = vec![
        (AuditTest::Patient(vec![own(long)]), &[0]),
        (AuditTest::Patient(vec![own("2"), own(uuid)]), &[1, 0]),
        (AuditTest::Patient(vec![own("nobody")]), &[]),
        (AuditTest::Actor(vec![own("dr-a")]), &[2, 0]),
        (AuditTest::Resource(vec![(of_type, None)]), &[1, 0]),
        (AuditTest::Resource(vec![(of_type, Some(own(uuid)))]), &[0]),
        (AuditTest::Action(vec![AuditAction::Create]), &[1]),
        (AuditTest::Outcome(vec![4, 8]), &[1]),
        (AuditTest::Interaction(vec![7]), &[0]),
        (AuditTest::Stamp(vec![stamp(0), stamp(2)]), &[2, 0]),
        (AuditTest::Between(stamp(1), i64::MAX), &[2, 1]),
        (AuditTest::Between(0, stamp(1)), &[1, 0]),
    ];
    for (test, expected) in cases {
        let expected: Vec<i64> = expected.iter().map(|&n| stamp(n)).collect();
        let found = rows(&f, vec![test.clone()]).await?;
        equal(
            found.iter().map(|row| row.stamp).collect::<Vec<_>>(),
            expected.clone(),
            &format!("{test:?}"),
        )?;
        let total = f
            .snapshot()
            .await?
            .audit_total(&AuditQuery::new(vec![test.clone()], 100))
            .await?;
        equal(total, expected.len() as u64, &format!("total of {test:?}"))?;
    }
    let mut query = AuditQuery::new(vec![], 2);
    query.oldest_first = true;
    let oldest = f.snapshot().await?.audit(&query).await?;
    equal(
        oldest.iter().map(|row| row.stamp).collect::<Vec<_>>(),
        vec![stamp(0), stamp(1)],
        "oldest first",
    )
}

pub(super) async fn a_row_is_found_by_its_patients_before_while_and_after_it_is_listed(
    f: Fixture,
) -> Checked {
    for (actor, patients) in [
        ("dr-a", &["1", "2", "3"][..]),
        ("dr-b", &["11", "A"]),
        ("dr-c", &[]),
        ("dr-d", &["1"]),
    ] {
        f.write(Write::Audit(entry(actor, patients))).await?;
    }
    let all = f.snapshot().await?.audit_patients(0, i64::MAX).await?;
    equal(all.len(), 6, "places")?;
    let as_before = async |when: &str| {
        for (id, expected) in [
            ("1", &["dr-d", "dr-a"][..]),
            ("2", &["dr-a"]),
            ("11", &["dr-b"]),
            ("A", &["dr-b"]),
            ("a", &[]),
            ("/", &[]),
        ] {
            let tests = vec![AuditTest::Patient(vec![id.to_owned()])];
            let found = rows(&f, tests.clone()).await?;
            equal(actors(&found), expected.to_vec(), &format!("{when}, {id}"))?;
            let total = f
                .snapshot()
                .await?
                .audit_total(&AuditQuery::new(tests, 9))
                .await?;
            equal(
                total,
                expected.len() as u64,
                &format!("{when}, how many for {id}"),
            )?;
        }
        let listed = f.snapshot().await?.audit_patients(0, i64::MAX).await?;
        equal(listed, all.clone(), when)
    };
    as_before("before").await?;
    let list = async |places: Vec<(i64, String)>, listed: Vec<i64>| {
        let write = Write::List(AuditLists { places, listed });
        f.write(write).await
    };
    // Each round takes the oldest that wait, one row at least; a store that lists at once has none.
    let mut listed = Vec::new();
    loop {
        let waiting = f.snapshot().await?.audit_waiting(2).await?;
        let Some(AuditWaiting { stamp, patients }) = waiting.first().cloned() else {
            break;
        };
        holds(waiting.len() <= 2, format!("{waiting:?}"))?;
        holds(!listed.contains(&stamp), format!("{stamp} waits again"))?;
        let places: Vec<_> = patients.into_iter().map(|id| (stamp, id)).collect();
        list(places.iter().take(1).cloned().collect(), vec![]).await?;
        as_before("half listed").await?;
        list(places, vec![stamp]).await?;
        as_before("listed").await?;
        listed.push(stamp);
    }
    holds(
        listed.is_empty() || listed.len() == 3,
        format!("{} rows waited", listed.len()),
    )
}

pub(super) async fn trails_of_tenants_are_apart(f: Fixture) -> Checked {
    f.write(Write::Audit(entry("dr-a", &["1"]))).await?;
    let other = TenantId(77);
    let commit = crate::store::Commit::new(vec![], vec![Write::Audit(entry("dr-b", &["1"]))]);
    f.store.commit(other, commit).await?;
    let about = vec![AuditTest::Patient(vec!["1".to_owned()])];
    equal(
        actors(&rows(&f, about.clone()).await?),
        vec!["dr-a"],
        "one tenant's",
    )?;
    let theirs = f
        .store
        .snapshot(other)
        .await?
        .audit(&AuditQuery::new(about, 9))
        .await?;
    equal(actors(&theirs), vec!["dr-b"], "the other's")?;
    let mut tenants = f.store.audited().await?;
    tenants.sort();
    equal(tenants, vec![TenantId::DEFAULT, other], "tenants with a trail")
}

pub(super) async fn seals_follow_each_other_by_number(f: Fixture) -> Checked {
    let seal = |number: i64| AuditSeal {
        number,
        first: number * 10,
        last: number * 10 + 5,
        count: 3,
        root: [1; 32],
        head: [u8::try_from(number).unwrap_or(0); 32],
    };
    equal(
        f.snapshot().await?.audit_seals(None, 1).await?,
        vec![],
        "none yet",
    )?;
    let early = f.commit(vec![], vec![Write::Seal(seal(2))]).await;
    holds(
        matches!(early, Err(Refusal::Write { index: 0 })),
        format!("{early:?}"),
    )?;
    for number in 1..=3 {
        f.write(Write::Seal(seal(number))).await?;
    }
    let again = f.commit(vec![], vec![Write::Seal(seal(3))]).await;
    holds(
        matches!(again, Err(Refusal::Write { index: 0 })),
        format!("{again:?}"),
    )?;
    equal(
        f.snapshot().await?.audit_seals(None, 1).await?,
        vec![seal(3)],
        "the last",
    )?;
    equal(
        f.snapshot().await?.audit_seals(Some(2), 5).await?,
        vec![seal(2), seal(3)],
        "from the second",
    )
}

pub(super) async fn what_resources_refer_to_is_told_whether_stored_or_not(f: Fixture) -> Checked {
    let patient =
        ResourceType::from_name("Patient").ok_or_else(|| crate::error::Error::internal("no Patient"))?;
    let subject = ParameterNumber::new(900, Aspect::Value);
    let other = ParameterNumber::new(901, Aspect::Value);
    let refers = |parameter, id: &str| IndexRow {
        parameter,
        group: 0,
        value: IndexValue::Reference {
            resource_type: patient,
            id: id.to_owned(),
            version: None,
        },
    };
    let rows = [
        ("one", vec![refers(subject, "a"), refers(other, "b")]),
        ("two", vec![refers(subject, "a"), refers(subject, "c")]),
        ("three", vec![refers(subject, "d")]),
    ];
    for (id, rows) in rows {
        let mut write = create(&key("Observation", id)?, 1);
        if let Write::Create { index, .. } = &mut write {
            *index = Index::new(rows);
        }
        f.write(write).await?;
    }
    let from = [
        key("Observation", "one")?,
        key("Observation", "two")?,
        key("Observation", "nine")?,
    ];
    let mut found = f.snapshot().await?.referred(&from, &[subject], patient).await?;
    found.sort();
    equal(found, vec!["a".to_owned(), "c".to_owned()], "patients of the two")?;
    let nothing = f.snapshot().await?.referred(&from, &[], patient).await?;
    equal(nothing, vec![], "by no parameter")
}
