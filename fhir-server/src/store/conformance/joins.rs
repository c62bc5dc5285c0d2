//! Rows that go together: groups of a composite, chains through other resources, and the order that rows give a search.

use super::cases::{OTHER, PARAMETER, code, date, ids, is_token, put, reference, row, string, token};
use super::fixture::{Checked, Fixture, delete, equal, key};
use crate::store::{
    Compare, Criterion, Filter, Index, Key, SearchQuery, Sort, SortKey, SystemTest, Test, ValueKind,
};

pub(super) async fn a_composite_matches_within_one_group_only(f: Fixture) -> Checked {
    let pressures = |systolic: i64, diastolic: i64| {
        Index::new(vec![
            row(PARAMETER, 1, code(None, "systolic")),
            row(OTHER, 1, date(systolic, systolic)),
            row(PARAMETER, 2, code(None, "diastolic")),
            row(OTHER, 2, date(diastolic, diastolic)),
        ])
    };
    f.write(put(key("Observation", "a")?, pressures(140, 80), 1))
        .await?;
    f.write(put(key("Observation", "b")?, pressures(110, 140), 2))
        .await?;
    let parts = |name: &str, above: i64| {
        vec![
            Criterion {
                parameter: PARAMETER,
                test: Test::Token {
                    system: SystemTest::Any,
                    code: Some(vec![name.into()]),
                },
            },
            Criterion {
                parameter: OTHER,
                test: Test::Date(Compare::Gt, above, above),
            },
        ]
    };
    for (name, above, wanted) in [
        ("systolic", 130, "a"),
        ("diastolic", 130, "b"),
        ("systolic", 100, "b,a"),
        ("pulse", 1, ""),
    ] {
        let query = SearchQuery::new(None, Filter::Group(parts(name, above)), 9);
        equal(
            ids(&f, &query).await?.join(","),
            wanted.into(),
            &format!("{name} above {above}"),
        )?;
        let turned = parts(name, above).into_iter().rev().collect();
        let query = SearchQuery::new(None, Filter::Group(turned), 9);
        equal(
            ids(&f, &query).await?.join(","),
            wanted.into(),
            &format!("above {above}, {name}"),
        )?;
    }
    Ok(())
}

pub(super) async fn chains_go_through_current_resources_only(f: Fixture) -> Checked {
    let (patient, observation) = (key("Patient", "p")?, key("Observation", "o")?);
    let to = |key: &Key| Index::new(vec![row(OTHER, 0, reference(key, None))]);
    f.write(put(patient.clone(), token("red"), 1)).await?;
    f.write(put(observation.clone(), to(&patient), 2)).await?;
    f.write(put(key("Observation", "q")?, to(&key("Patient", "gone")?), 3))
        .await?;
    let chain = |code: &str| Filter::RefersTo {
        parameters: vec![OTHER],
        resource_type: patient.resource_type,
        filter: Box::new(is_token(code)),
    };
    let back = Filter::ReferredToBy {
        resource_type: observation.resource_type,
        parameter: OTHER,
        filter: Box::new(Filter::All),
    };
    let query = |filter: Filter| SearchQuery::new(None, filter, 9);
    equal(
        ids(&f, &query(chain("red"))).await?.join(","),
        "o".into(),
        "the chain holds",
    )?;
    equal(
        ids(&f, &query(chain("blue"))).await?.len(),
        0,
        "of another colour",
    )?;
    equal(
        ids(&f, &query(back.clone())).await?.join(","),
        "p".into(),
        "and back",
    )?;
    let there_and_back = Filter::ReferredToBy {
        resource_type: observation.resource_type,
        parameter: OTHER,
        filter: Box::new(chain("red")),
    };
    equal(
        ids(&f, &query(there_and_back)).await?.join(","),
        "p".into(),
        "there and back",
    )?;
    f.write(delete(&observation)).await?;
    equal(ids(&f, &query(back)).await?.len(), 0, "what referred is deleted")?;
    f.write(put(observation, to(&patient), 4)).await?;
    f.write(delete(&patient)).await?;
    equal(
        ids(&f, &query(chain("red"))).await?.len(),
        0,
        "what is referred to is deleted",
    )
}

pub(super) async fn values_of_a_parameter_order_a_search(f: Fixture) -> Checked {
    let named = |names: &[&str]| {
        names
            .iter()
            .map(|n| row(PARAMETER, 0, string(n, n)))
            .collect::<Vec<_>>()
    };
    for (n, names) in [&["b", "y"][..], &["a"], &[], &["b"], &["c", "a"]]
        .into_iter()
        .enumerate()
    {
        let mut rows = named(names);
        rows.push(row(OTHER, 0, date(n as i64 % 2, n as i64 % 2)));
        f.write(put(key("Patient", &n.to_string())?, Index::new(rows), n))
            .await?;
    }
    let by = |parameter, kind, descending| Sort {
        key: SortKey::Parameter { parameter, kind },
        descending,
    };
    let name = |descending| by(PARAMETER, ValueKind::String, descending);
    let day = |descending| by(OTHER, ValueKind::Date, descending);
    for (sort, wanted) in [
        (vec![name(false)], "4,1,3,0,2"),
        (vec![name(true)], "0,4,3,1,2"),
        (vec![name(false), day(true)], "1,4,3,0,2"),
        (vec![day(false), name(true)], "0,4,2,3,1"),
        (vec![day(true), name(false)], "1,3,4,0,2"),
    ] {
        for count in [1, 2, 9] {
            let mut query = SearchQuery::new(None, Filter::All, count);
            query.sort.clone_from(&sort);
            let mut walked = Vec::new();
            for _ in 0..9 {
                let page = f.snapshot().await?.search(&query).await?;
                query.after = page.last().map(|found| found.cursor.clone());
                walked.extend(page.into_iter().map(|found| found.version.key.id));
                if query.after.is_none() {
                    break;
                }
            }
            equal(
                walked.join(","),
                wanted.into(),
                &format!("{sort:?}, pages of {count}"),
            )?;
        }
    }
    Ok(())
}
