//! Prints a [`Test`] as a condition on a row, alias `@`, and its term, alias `n`.

use super::super::index::{BOUND, REFERENCE, class, kind};
use super::super::list::Lists;
use super::super::statement::{Bind, Names, Statement};
use super::MAX_PADDED;
use crate::store::number::ordered;
use crate::store::{Compare, Criterion, ResourceType, SystemTest, Test, UnitTest, ValueKind};

/// Where the rows are that a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// Labels with their terms.
    Label,
    /// Labels alone.
    Kind,
    /// Dates, numbers, quantities.
    Span,
    /// Positions.
    Place,
}

impl Table {
    /// Of that test.
    pub(super) fn of(criterion: &Criterion) -> Table {
        Table::of_test(&criterion.test)
    }

    fn of_test(test: &Test) -> Table {
        match test {
            // Terms are tested beside labels, so where one needs terms, all have them.
            Test::Every(all) => {
                let mut tables = all.iter().map(Table::of_test);
                let first = tables.next().unwrap_or(Table::Label);
                tables.fold(first, |table, other| match (table, other) {
                    (Table::Kind, Table::Label) => Table::Label,
                    _ => table,
                })
            }
            Test::Exists(ValueKind::Date | ValueKind::Number | ValueKind::Quantity)
            | Test::Date(..)
            | Test::Number(..)
            | Test::Quantity(..) => Table::Span,
            Test::Exists(ValueKind::Position) | Test::Near { .. } => Table::Place,
            Test::Exists(_) => Table::Kind,
            _ => Table::Label,
        }
    }
}

/// One of the tests is passed.
pub(super) fn any<'a, ST>(out: &mut Statement<'a, ST>, scope: Lists, tests: &[&'a Criterion], names: Names) {
    match tests {
        [] => out.push("FALSE", []),
        [one] => test(out, scope, (Table::of(one), &one.test), names),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            out.push("(", []);
            any(out, scope, left, names);
            out.push(" OR ", []);
            any(out, scope, right, names);
            out.push(")", []);
        }
    }
}

/// The test on a row of that table.
fn test<'a, ST>(out: &mut Statement<'a, ST>, scope: Lists, (table, test): (Table, &'a Test), names: Names) {
    match test {
        Test::Every(all) => every(out, scope, (table, all), names),
        Test::Exists(kind) => exists(out, *kind, names),
        Test::NoneOf(tests) => none_of(out, scope, tests, names),
        Test::StartsWith(_) | Test::EndsWith(_) | Test::Contains(_) | Test::Folded(_) | Test::Exact(_) => {
            text(out, scope, test);
        }
        Test::Token { system, code } => token(out, system, code.as_deref()),
        Test::Reference { types, id, version } => {
            let every: Vec<Bind<'_>> = (1..=ResourceType::count())
                .map(|t| Bind::Small(REFERENCE + t))
                .collect();
            let kinds = if types.is_empty() { every } else { kinds(types) };
            list(out, "(n.kind IN (", kinds, names);
            out.push(" AND ", []);
            whole(out, crate::store::id::pack(id));
            version_is(out, version.as_deref());
        }
        Test::ReferenceType(types) => list(out, "(n.kind IN (", kinds(types), names),
        Test::Uri { uri, version } => {
            out.push("(n.kind = 2 AND ", []);
            whole(out, uri.as_bytes().to_vec());
            version_is(out, version.as_deref());
            out.push(")", []);
        }
        Test::UriBelow(root) => below(out, root),
        Test::UriAbove(roots) => {
            out.push("(n.kind = 2 AND ", []);
            one_of(out, roots);
            out.push(")", []);
        }
        Test::Date(compare, a, b) => {
            out.push_as("(@.unit = 0 AND ", names, []);
            span(out, *compare, (*a, *b), names);
            out.push(")", []);
        }
        Test::Number(compare, a, b) => {
            out.push_as("(@.unit = 1 AND ", names, []);
            span(out, *compare, (ordered(*a), ordered(*b)), names);
            out.push(")", []);
        }
        Test::Quantity(compare, a, b, measured) => {
            out.push("(", []);
            unit(out, scope, measured, names);
            out.push(" AND ", []);
            span(out, *compare, (ordered(*a), ordered(*b)), names);
            out.push(")", []);
        }
        Test::Near { point, chord2 } => near(out, *point, *chord2, names),
    }
}

/// All of the tests; values of two kinds are never one.
fn every<'a, ST>(out: &mut Statement<'a, ST>, scope: Lists, (table, all): (Table, &'a [Test]), names: Names) {
    let fits = |one: &Test| match (table, Table::of_test(one)) {
        (Table::Label, Table::Kind) => true,
        (table, of) => table == of,
    };
    if !all.iter().all(fits) {
        return out.push("FALSE", []);
    }
    out.push("(TRUE", []);
    for one in all {
        out.push(" AND ", []);
        test(out, scope, (table, one), names);
    }
    out.push(")", []);
}

/// Only rows with terms come here: what passes none of the tests.
fn none_of<'a, ST>(out: &mut Statement<'a, ST>, scope: Lists, tests: &'a [Test], names: Names) {
    out.push("NOT (FALSE", []);
    let of_terms = |one: &&Test| matches!(Table::of_test(one), Table::Label | Table::Kind);
    for one in tests.iter().filter(of_terms) {
        out.push(" OR coalesce(", []);
        test(out, scope, (Table::Label, one), names);
        out.push(", FALSE)", []);
    }
    out.push(")", []);
}

fn exists<ST>(out: &mut Statement<'_, ST>, kind: ValueKind, names: Names) {
    let class = match kind {
        ValueKind::String => class::TEXT,
        ValueKind::Token => class::TOKEN,
        ValueKind::Uri => class::URI,
        ValueKind::Reference => class::REFERENCE,
        ValueKind::Date => return out.push_as("@.unit = 0", names, []),
        ValueKind::Number => return out.push_as("@.unit = 1", names, []),
        ValueKind::Quantity => return out.push_as("@.unit >= 2", names, []),
        ValueKind::Position => return out.push("TRUE", []),
    };
    out.push_as("(@.term & 7) = ?", names, [Bind::Big(class)]);
}

fn kinds(types: &[ResourceType]) -> Vec<Bind<'static>> {
    types
        .iter()
        .map(|t| Bind::Small(REFERENCE + t.number()))
        .collect()
}

fn text<'a, ST>(out: &mut Statement<'a, ST>, scope: Lists, test: &'a Test) {
    out.push("(n.kind = 0 AND ", []);
    match test {
        Test::StartsWith(start) => prefix(out, start.as_bytes().to_vec()),
        Test::Folded(folded) => whole(out, folded.as_bytes().to_vec()),
        Test::Exact(exact) => out.push("n.second = ?", [Bind::Bytes(exact.as_bytes())]),
        Test::Contains(part) | Test::EndsWith(part) if part.is_empty() => out.push("TRUE", []),
        Test::Contains(part) => out.push(scope.dialect.contains(), [Bind::Bytes(part.as_bytes())]),
        Test::EndsWith(end) => {
            let length = Bind::Int(i32::try_from(end.len()).unwrap_or(i32::MAX));
            out.push(
                "(length(coalesce(n.whole, n.head)) >= ? AND substr(coalesce(n.whole, n.head),\
                 \x20length(coalesce(n.whole, n.head)) - ? + 1) = ?)",
                [length.clone(), length, Bind::Bytes(end.as_bytes())],
            );
        }
        _ => out.push("FALSE", []),
    }
    out.push(")", []);
}

fn token<'a, ST>(out: &mut Statement<'a, ST>, system: &'a SystemTest, code: Option<&'a [String]>) {
    out.push("(n.kind = 1", []);
    if let Some(spellings) = code {
        out.push(" AND ", []);
        one_of(out, spellings);
    }
    match system {
        SystemTest::Any => {}
        SystemTest::Absent => out.push(" AND n.second IS NULL", []),
        SystemTest::Is(system) => out.push(" AND n.second = ?", [Bind::Bytes(system.as_bytes())]),
    }
    out.push(")", []);
}

fn version_is<'a, ST>(out: &mut Statement<'a, ST>, version: Option<&'a str>) {
    if let Some(version) = version {
        out.push(" AND n.second = ?", [Bind::Bytes(version.as_bytes())]);
    }
}

/// The term's text is one of those.
fn one_of<'a, ST>(out: &mut Statement<'a, ST>, texts: &'a [String]) {
    if texts.iter().any(|text| text.len() > BOUND) {
        out.push("(FALSE", []);
        for text in texts {
            out.push(" OR ", []);
            whole(out, text.as_bytes().to_vec());
        }
        return out.push(")", []);
    }
    let texts = texts.iter().map(|text| Bind::Bytes(text.as_bytes())).collect();
    list(
        out,
        "(n.whole IS NULL AND n.head IN (",
        texts,
        Names::resource("r"),
    );
}

/// The term's text is that.
fn whole<ST>(out: &mut Statement<'_, ST>, text: Vec<u8>) {
    match text.get(..BOUND) {
        Some(head) if text.len() > BOUND => {
            let head = head.to_vec();
            out.push(
                "(n.head = ? AND n.whole = ?)",
                [Bind::Owned(head), Bind::Owned(text)],
            );
        }
        _ => out.push("(n.head = ? AND n.whole IS NULL)", [Bind::Owned(text)]),
    }
}

/// The term's text begins so.
fn prefix<ST>(out: &mut Statement<'_, ST>, start: Vec<u8>) {
    match start.get(..BOUND) {
        Some(head) if start.len() > BOUND => {
            let head = head.to_vec();
            let length = i32::try_from(start.len()).unwrap_or(i32::MAX);
            out.push(
                "(n.head = ? AND substr(n.whole, 1, ?) = ?)",
                [Bind::Owned(head), Bind::Int(length), Bind::Owned(start)],
            );
        }
        _ => match after_all_that_begin(&start) {
            Some(end) => out.push(
                "(n.head >= ? AND n.head < ?)",
                [Bind::Owned(start), Bind::Owned(end)],
            ),
            None => out.push("n.head >= ?", [Bind::Owned(start)]),
        },
    }
}

/// The least bytes that are after all that begin with those; `None` where none are.
fn after_all_that_begin(start: &[u8]) -> Option<Vec<u8>> {
    let last = start.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut end = start.get(..=last)?.to_vec();
    if let Some(byte) = end.last_mut() {
        *byte += 1;
    }
    Some(end)
}

/// The uri is that one, or goes on from it where a part of a uri may end.
fn below<ST>(out: &mut Statement<'_, ST>, root: &str) {
    const SEPARATORS: [char; 5] = ['/', ':', '#', '?', '.'];
    out.push("(n.kind = 2 AND (", []);
    if root.ends_with(SEPARATORS) {
        prefix(out, root.as_bytes().to_vec());
    } else {
        whole(out, root.as_bytes().to_vec());
        for separator in SEPARATORS {
            out.push(" OR ", []);
            prefix(out, format!("{root}{separator}").into_bytes());
        }
    }
    out.push("))", []);
}

/// The span `[first, last]` compares so with `[a, b]`. What each says of `last` alone comes first: it is in the index.
fn span<ST>(out: &mut Statement<'_, ST>, compare: Compare, (a, b): (i64, i64), names: Names) {
    let (a, b) = (Bind::Big(a), Bind::Big(b));
    match compare {
        Compare::Eq => out.push_as(
            "@.last >= ? AND @.last <= ? AND @.first >= ?",
            names,
            [a.clone(), b, a],
        ),
        Compare::Ne => out.push_as("(@.first < ? OR @.last > ?)", names, [a, b]),
        Compare::Gt => out.push_as("@.last > ?", names, [b]),
        Compare::Lt => out.push_as("@.first < ?", names, [a]),
        Compare::Ge => out.push_as(
            "@.last >= ? AND (@.last > ? OR @.first >= ?)",
            names,
            [a.clone(), b, a],
        ),
        Compare::Le => out.push_as(
            "(@.first < ? OR (@.first >= ? AND @.last <= ?))",
            names,
            [a.clone(), a, b],
        ),
        Compare::Sa => out.push_as("@.last > ? AND @.first > ?", names, [b.clone(), b]),
        Compare::Eb => out.push_as("@.last < ?", names, [a]),
        Compare::Ap => out.push_as("@.last >= ? AND @.first <= ?", names, [a, b]),
    }
}

fn unit<'a, ST>(out: &mut Statement<'a, ST>, scope: Lists, test: &'a UnitTest, names: Names) {
    match test {
        UnitTest::Any => out.push_as("@.unit >= 2", names, []),
        UnitTest::Coded { system, code } => {
            out.push_as(
                "@.unit IN (SELECT n.number FROM term n WHERE n.tenant = ? AND n.kind = ? AND ",
                names,
                [Bind::Big(scope.tenant.0), Bind::Small(kind::UNIT)],
            );
            whole(out, code.as_bytes().to_vec());
            out.push(" AND n.second = ?)", [Bind::Bytes(system.as_bytes())]);
        }
        UnitTest::Named(name) => {
            out.push_as(
                "@.unit IN (SELECT n.number FROM term n WHERE n.tenant = ? AND n.kind = ? AND ",
                names,
                [Bind::Big(scope.tenant.0), Bind::Small(kind::UNIT)],
            );
            whole(out, name.as_bytes().to_vec());
            out.push(
                " UNION ALL SELECT n.number FROM term n WHERE n.tenant = ? AND n.kind IN (3, 4) AND n.third = ?)",
                [Bind::Big(scope.tenant.0), Bind::Bytes(name.as_bytes())],
            );
        }
    }
}

fn near<ST>(out: &mut Statement<'_, ST>, point: [f64; 3], chord2: f64, names: Names) {
    let [x, y, z] = point.map(Bind::Real);
    let [_, _, height] = point;
    // A little more than the distance, for the sake of what rounding does.
    let reach = chord2.max(0.0).sqrt() * (1.0 + 1e-9) + 1e-12;
    out.push_as(
        "(@.z >= ? AND @.z <= ? AND (@.x - ?) * (@.x - ?) + (@.y - ?) * (@.y - ?) + (@.z - ?) * (@.z - ?) <= ?)",
        names,
        [
            Bind::Real(height - reach),
            Bind::Real(height + reach),
            x.clone(),
            x,
            y.clone(),
            y,
            z.clone(),
            z,
            Bind::Real(chord2),
        ],
    );
}

/// `start` with the values and two closing parentheses after it.
pub(in crate::store::sql) fn list<'a, ST>(
    out: &mut Statement<'a, ST>,
    start: &'static str,
    mut values: Vec<Bind<'a>>,
    names: Names,
) {
    let Some(last) = values.last().cloned() else {
        return out.push("FALSE", []);
    };
    if values.len() <= MAX_PADDED {
        values.resize(values.len().next_power_of_two(), last);
    } else {
        out.once();
    }
    out.push_as(start, names, []);
    for (i, value) in values.into_iter().enumerate() {
        out.push(if i == 0 { "?" } else { ", ?" }, [value]);
    }
    out.push("))", []);
}
