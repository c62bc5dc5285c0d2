//! Each test on rows with what it finds and what it nearly finds, and how rows order a search.

use super::fixture::{Checked, Fixture, body, delete, equal, key};
use crate::store::{
    Compare, Criterion, Filter, Index, IndexRow, IndexValue, Key, ParameterNumber, ResourceType, SearchQuery,
    Sort, SortKey, SystemTest, Test, UnitTest, ValueKind, Write,
};

const PARAMETER: ParameterNumber = ParameterNumber(8);
const OTHER: ParameterNumber = ParameterNumber(16);

fn row(parameter: ParameterNumber, group: i32, value: IndexValue) -> IndexRow {
    IndexRow {
        parameter,
        group,
        value,
    }
}

fn code(system: Option<&str>, code: &str) -> IndexValue {
    IndexValue::Token {
        system: system.map(str::to_owned),
        code: code.to_owned(),
    }
}

/// The row of a code without a system.
pub(super) fn token(value: &str) -> Index {
    Index::new(vec![row(PARAMETER, 0, code(None, value))])
}

/// That code, of any system.
pub(super) fn is_token(value: &str) -> Filter {
    has(Test::Token {
        system: SystemTest::Any,
        code: Some(vec![value.to_owned()]),
    })
}

fn has(test: Test) -> Filter {
    Filter::Has(Criterion {
        parameter: PARAMETER,
        test,
    })
}

fn put(key: Key, index: Index, n: usize) -> Write {
    Write::Update {
        key,
        body: body(n),
        index,
        create: true,
    }
}

fn string(folded: &str, exact: &str) -> IndexValue {
    IndexValue::String {
        folded: folded.into(),
        exact: exact.into(),
    }
}

fn uri(uri: &str, version: Option<&str>) -> IndexValue {
    IndexValue::Uri {
        uri: uri.into(),
        version: version.map(str::to_owned),
    }
}

fn reference(to: &Key, version: Option<&str>) -> IndexValue {
    IndexValue::Reference {
        resource_type: to.resource_type,
        id: to.id.clone(),
        version: version.map(str::to_owned),
    }
}

fn date(first: i64, last: i64) -> IndexValue {
    IndexValue::Date { first, last }
}

fn quantity(low: f64, system: Option<&str>, code: Option<&str>, unit: Option<&str>) -> IndexValue {
    IndexValue::Quantity {
        low,
        high: low,
        system: system.map(str::to_owned),
        code: code.map(str::to_owned),
        unit: unit.map(str::to_owned),
    }
}

/// Values, a test, and the places of the values that pass it.
type Case = (Vec<IndexValue>, Test, Vec<usize>);

fn texts() -> Vec<Case> {
    let long = "a".repeat(200);
    let names = || {
        vec![
            string("smith", "Smith"),
            string("smithson", "Smithson"),
            string("blacksmith", "Blacksmith"),
            string("smi", "smi"),
            string("", ""),
            string("sm\u{0}th%_", "SM\u{0}TH%_"),
        ]
    };
    let longs = || {
        vec![
            string(&long, &long),
            string(&format!("{long}b"), &long),
            string(&long[..120], "x"),
            string(&long[..119], "y"),
        ]
    };
    vec![
        (names(), Test::StartsWith("smith".into()), vec![0, 1]),
        (names(), Test::StartsWith(String::new()), vec![0, 1, 2, 3, 4, 5]),
        (names(), Test::StartsWith("%".into()), vec![]),
        (names(), Test::Contains("smith".into()), vec![0, 1, 2]),
        (names(), Test::Contains("\u{0}th%".into()), vec![5]),
        (names(), Test::Contains("_".into()), vec![5]),
        (names(), Test::EndsWith("smith".into()), vec![0, 2]),
        (names(), Test::EndsWith(String::new()), vec![0, 1, 2, 3, 4, 5]),
        (names(), Test::Folded("smith".into()), vec![0]),
        (names(), Test::Folded(String::new()), vec![4]),
        (names(), Test::Exact("Smith".into()), vec![0]),
        (names(), Test::Exact("smith".into()), vec![]),
        (names(), Test::Exists(ValueKind::String), vec![0, 1, 2, 3, 4, 5]),
        (names(), Test::Exists(ValueKind::Token), vec![]),
        (longs(), Test::StartsWith(long.clone()), vec![0, 1]),
        (longs(), Test::StartsWith(format!("{long}b")), vec![1]),
        (longs(), Test::StartsWith(long[..120].into()), vec![0, 1, 2]),
        (longs(), Test::Folded(long.clone()), vec![0]),
        (longs(), Test::Folded(long[..120].into()), vec![2]),
        (longs(), Test::Exact(long.clone()), vec![0, 1]),
        (longs(), Test::EndsWith("ab".into()), vec![1]),
        (longs(), Test::Contains(format!("{}b", &long[..150])), vec![1]),
    ]
}

fn codes() -> Vec<Case> {
    let values = || {
        vec![
            code(None, "a"),
            code(Some("http://s"), "a"),
            code(Some("http://s/2"), "a"),
            code(Some("http://s"), "A"),
            code(Some("http://s"), "ab"),
            code(Some("http://s"), ""),
        ]
    };
    let asked = |system: SystemTest, codes: Option<&[&str]>| Test::Token {
        system,
        code: codes.map(|codes| codes.iter().map(|c| (*c).to_owned()).collect()),
    };
    let is = || SystemTest::Is("http://s".into());
    vec![
        (values(), asked(SystemTest::Any, Some(&["a"])), vec![0, 1, 2]),
        (values(), asked(SystemTest::Absent, Some(&["a"])), vec![0]),
        (values(), asked(is(), Some(&["a"])), vec![1]),
        (values(), asked(is(), Some(&["a", "A"])), vec![1, 3]),
        (values(), asked(is(), Some(&[""])), vec![5]),
        (values(), asked(is(), Some(&[])), vec![]),
        (values(), asked(is(), None), vec![1, 3, 4, 5]),
        (values(), asked(SystemTest::Absent, None), vec![0]),
        (values(), asked(SystemTest::Any, None), vec![0, 1, 2, 3, 4, 5]),
        (values(), Test::Folded("a".into()), vec![]),
        (values(), Test::StartsWith("a".into()), vec![]),
    ]
}

fn uris() -> Vec<Case> {
    let values = || {
        vec![
            uri("http://x/a", None),
            uri("http://x/a", Some("1")),
            uri("http://x/a/b", None),
            uri("http://x/ab", None),
            uri("http://x", None),
            uri("http://x/a#f", None),
        ]
    };
    let asked = |uri: &str, version: Option<&str>| Test::Uri {
        uri: uri.into(),
        version: version.map(str::to_owned),
    };
    vec![
        (values(), asked("http://x/a", None), vec![0, 1]),
        (values(), asked("http://x/a", Some("1")), vec![1]),
        (values(), asked("http://x/a", Some("2")), vec![]),
        (values(), asked("http://x/", None), vec![]),
        (values(), Test::UriBelow("http://x/a".into()), vec![0, 1, 2, 5]),
        (values(), Test::UriBelow("http://x/".into()), vec![0, 1, 2, 3, 5]),
        (
            values(),
            Test::UriAbove(vec![
                "http://x/a/b".into(),
                "http://x/a".into(),
                "http://x".into(),
            ]),
            vec![0, 1, 2, 4],
        ),
        (values(), Test::UriAbove(vec![]), vec![]),
    ]
}

fn references() -> Checked<Vec<Case>> {
    let (patient, group) = (key("Patient", "p1")?, key("Group", "p1")?);
    let (patients, groups) = (patient.resource_type, group.resource_type);
    let uuid = key("Patient", "8f0e6d2a-1b3c-4d5e-9f60-718293a4b5c6")?;
    let longer = key("Patient", "p10")?;
    let values = || {
        vec![
            reference(&patient, None),
            reference(&group, None),
            reference(&patient, Some("2")),
            reference(&longer, None),
            reference(&uuid, None),
            uri("Patient/p1", None),
        ]
    };
    let asked = |types: &[ResourceType], id: &str, version: Option<&str>| Test::Reference {
        types: types.to_vec(),
        id: id.into(),
        version: version.map(str::to_owned),
    };
    Ok(vec![
        (values(), asked(&[], "p1", None), vec![0, 1, 2]),
        (values(), asked(&[patients], "p1", None), vec![0, 2]),
        (values(), asked(&[patients, groups], "p1", None), vec![0, 1, 2]),
        (values(), asked(&[patients], "p1", Some("2")), vec![2]),
        (values(), asked(&[patients], &uuid.id, None), vec![4]),
        (
            values(),
            asked(&[patients], &uuid.id.to_uppercase(), None),
            vec![],
        ),
        (values(), Test::ReferenceType(vec![groups]), vec![1]),
        (values(), Test::ReferenceType(vec![]), vec![]),
        (values(), Test::Exists(ValueKind::Reference), vec![0, 1, 2, 3, 4]),
        (values(), Test::Exists(ValueKind::Uri), vec![5]),
    ])
}

fn spans() -> Vec<Case> {
    // Around [10, 20]: within, equal, across its ends, beyond them, open.
    let values = || {
        vec![
            date(12, 15),
            date(10, 20),
            date(5, 12),
            date(15, 25),
            date(1, 9),
            date(21, 30),
            date(i64::MIN, 9),
            date(21, i64::MAX),
            date(i64::MIN, i64::MAX),
        ]
    };
    let wanted = [
        (Compare::Eq, vec![0, 1]),
        (Compare::Ne, vec![2, 3, 4, 5, 6, 7, 8]),
        (Compare::Gt, vec![3, 5, 7, 8]),
        (Compare::Lt, vec![2, 4, 6, 8]),
        (Compare::Ge, vec![0, 1, 3, 5, 7, 8]),
        (Compare::Le, vec![0, 1, 2, 4, 6, 8]),
        (Compare::Sa, vec![5, 7]),
        (Compare::Eb, vec![4, 6]),
        (Compare::Ap, vec![0, 1, 2, 3, 8]),
    ];
    let mut cases: Vec<Case> = wanted
        .into_iter()
        .map(|(compare, wanted)| (values(), Test::Date(compare, 10, 20), wanted))
        .collect();
    let numbers = || {
        let ranges = [
            (0.1, 0.1),
            (0.05, 0.15),
            (-0.0, 0.0),
            (-1.0, -0.5),
            (f64::NEG_INFINITY, 5.0),
        ];
        ranges
            .map(|(low, high)| IndexValue::Number { low, high })
            .to_vec()
    };
    cases.push((numbers(), Test::Number(Compare::Eq, 0.05, 0.15), vec![0, 1]));
    cases.push((numbers(), Test::Number(Compare::Eq, 0.0, 0.0), vec![2]));
    cases.push((numbers(), Test::Number(Compare::Lt, -0.4, -0.4), vec![3, 4]));
    cases.push((numbers(), Test::Number(Compare::Gt, 0.15, 0.15), vec![4]));
    cases.push((numbers(), Test::Date(Compare::Gt, i64::MIN, i64::MIN), vec![]));
    cases
}

fn quantities() -> Vec<Case> {
    const UCUM: Option<&str> = Some("http://unitsofmeasure.org");
    let values = || {
        vec![
            quantity(5.4, UCUM, Some("mg"), Some("milligram")),
            quantity(5.4, UCUM, Some("g"), Some("mg")),
            quantity(5.4, Some("http://other"), Some("mg"), None),
            quantity(5.4, None, None, Some("mg")),
            quantity(5.4, None, None, None),
            quantity(5.5, UCUM, Some("mg"), None),
        ]
    };
    let coded = || UnitTest::Coded {
        system: UCUM.unwrap_or_default().into(),
        code: "mg".into(),
    };
    let asked = |unit: UnitTest| Test::Quantity(Compare::Eq, 5.35, 5.45, unit);
    vec![
        (values(), asked(UnitTest::Any), vec![0, 1, 2, 3, 4]),
        (values(), asked(coded()), vec![0]),
        (values(), asked(UnitTest::Named("mg".into())), vec![0, 1, 2, 3]),
        (values(), asked(UnitTest::Named("milligram".into())), vec![0]),
        (values(), Test::Quantity(Compare::Gt, 5.4, 5.4, coded()), vec![5]),
        (
            values(),
            Test::Exists(ValueKind::Quantity),
            vec![0, 1, 2, 3, 4, 5],
        ),
        (values(), Test::Number(Compare::Gt, 0.0, 0.0), vec![]),
    ]
}

fn positions() -> Vec<Case> {
    let values = || {
        let points = [
            [1.0, 0.0, 0.0],
            [0.0, 1.0, 0.0],
            [0.6, 0.8, 0.0],
            [-1.0, 0.0, 0.0],
        ];
        points.map(|point| IndexValue::Position { point }).to_vec()
    };
    let near = |chord2| Test::Near {
        point: [1.0, 0.0, 0.0],
        chord2,
    };
    vec![
        (values(), near(0.0), vec![0]),
        (values(), near(0.81), vec![0, 2]),
        (values(), near(2.0), vec![0, 1, 2]),
        (values(), near(4.0), vec![0, 1, 2, 3]),
        (values(), Test::Exists(ValueKind::Position), vec![0, 1, 2, 3]),
    ]
}

pub(super) async fn each_test_finds_what_it_says_and_not_what_is_near(f: Fixture) -> Checked {
    let mut cases = [texts(), codes(), uris(), spans(), quantities(), positions()].concat();
    cases.extend(references()?);
    for (values, test, wanted) in cases {
        let what = format!("{test:?}");
        for (n, value) in values.iter().enumerate() {
            // The same value of another parameter is not to be found.
            let rows = vec![row(PARAMETER, 0, value.clone()), row(OTHER, 0, code(None, "z"))];
            let other = vec![row(OTHER, 0, value.clone())];
            f.write(put(key("Basic", &n.to_string())?, Index::new(rows), n))
                .await?;
            f.write(put(key("Flag", &n.to_string())?, Index::new(other), n))
                .await?;
        }
        for (filter, is_not) in [
            (has(test.clone()), false),
            (Filter::Not(Box::new(has(test))), true),
        ] {
            let basic = Some(key("Basic", "0")?.resource_type);
            let query = SearchQuery::new(basic, filter.clone(), 100);
            let mut found = ids(&f, &query).await?;
            found.sort();
            let wanted = (0..values.len()).filter(|n| wanted.contains(n) != is_not);
            let wanted: Vec<String> = wanted.map(|n| n.to_string()).collect();
            equal(found, wanted, &format!("{what}, negated: {is_not}"))?;
            let flags = SearchQuery::new(Some(key("Flag", "0")?.resource_type), filter, 100);
            let count = if is_not { values.len() } else { 0 };
            equal(
                ids(&f, &flags).await?.len(),
                count,
                &format!("{what} of another parameter"),
            )?;
        }
        for n in 0..values.len() {
            f.write(delete(&key("Basic", &n.to_string())?)).await?;
            f.write(delete(&key("Flag", &n.to_string())?)).await?;
        }
    }
    Ok(())
}

async fn ids(f: &Fixture, query: &SearchQuery) -> Checked<Vec<String>> {
    let found = f.snapshot().await?.search(query).await?;
    Ok(found.into_iter().map(|found| found.version.key.id).collect())
}

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
