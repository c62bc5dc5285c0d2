//! Each test on rows with what it finds and what it nearly finds.

use super::fixture::{Checked, Fixture, body, delete, equal, key};
use crate::store::{
    Compare, Criterion, Filter, Index, IndexRow, IndexValue, Key, ParameterNumber, ResourceType, SearchQuery,
    SystemTest, Test, UnitTest, ValueKind, Write,
};

/// The parameter that is asked for.
pub(super) const PARAMETER: ParameterNumber = ParameterNumber(8);
/// Another.
pub(super) const OTHER: ParameterNumber = ParameterNumber(16);

/// A row.
pub(super) fn row(parameter: ParameterNumber, group: i32, value: IndexValue) -> IndexRow {
    IndexRow {
        parameter,
        group,
        value,
    }
}

/// A code.
pub(super) fn code(system: Option<&str>, code: &str) -> IndexValue {
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

/// A resource with those rows.
pub(super) fn put(key: Key, index: Index, n: usize) -> Write {
    Write::Update {
        key,
        body: body(n),
        index,
        create: true,
    }
}

/// A text.
pub(super) fn string(folded: &str, exact: &str) -> IndexValue {
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

/// A reference.
pub(super) fn reference(to: &Key, version: Option<&str>) -> IndexValue {
    IndexValue::Reference {
        resource_type: to.resource_type,
        id: to.id.clone(),
        version: version.map(str::to_owned),
    }
}

/// A time.
pub(super) fn date(first: i64, last: i64) -> IndexValue {
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
    let named = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
    let to = |ids: &[&str]| Test::ReferenceTo {
        resource_type: patients,
        ids: named(ids),
    };
    let beyond = |ids: &[&str]| Test::ReferenceBeyond {
        resource_type: patients,
        ids: named(ids),
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
        (values(), to(&["p1", "other"]), vec![0, 2]),
        (values(), to(&[&uuid.id]), vec![4]),
        (values(), to(&[]), vec![]),
        (values(), beyond(&["p1", &uuid.id]), vec![3]),
        (values(), beyond(&[]), vec![0, 2, 3, 4]),
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

/// The ids that a search finds, in its order.
pub(super) async fn ids(f: &Fixture, query: &SearchQuery) -> Checked<Vec<String>> {
    let found = f.snapshot().await?.search(query).await?;
    Ok(found.into_iter().map(|found| found.version.key.id).collect())
}
