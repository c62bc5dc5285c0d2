//! Conditions that a resource has rows that pass tests.

use super::super::list::Lists;
use super::super::statement::{Bind, Names, Statement};
use super::test::{self, Table};
use crate::store::{Criterion, Filter};

/// How many parts are looked at for one with an equal test.
const MAX_LOOKED_AT: usize = 16;
/// Parameters that are sought one by one among the rows of a resource.
const FEW_PARAMETERS: usize = 4;

/// Some of what is ORed.
pub(super) enum Part<'f> {
    /// Criteria that one look at the rows of a resource answers: on rows of one table, either of one parameter or with one test.
    Rows(Vec<&'f Criterion>),
    /// Anything else.
    Other(&'f Filter),
}

/// What is ORed, with those criteria together that can be answered so.
pub(super) fn together(any: &[Filter]) -> Vec<Part<'_>> {
    if let Some(tests) = of_one_parameter(any) {
        return vec![Part::Rows(tests)];
    }
    let mut parts: Vec<Part<'_>> = Vec::new();
    for filter in any {
        let Filter::Has(criterion) = filter else {
            parts.push(Part::Other(filter));
            continue;
        };
        // Equal tests mostly stand side by side.
        let same = parts
            .iter_mut()
            .rev()
            .take(MAX_LOOKED_AT)
            .find_map(|part| match part {
                Part::Rows(tests) => tests
                    .first()
                    .is_some_and(|first| first.test == criterion.test)
                    .then_some(tests),
                Part::Other(_) => None,
            });
        match same {
            Some(tests) => tests.push(criterion),
            None => parts.push(Part::Rows(vec![criterion])),
        }
    }
    parts
}

/// The criteria, where they are all on rows of one parameter in one table.
fn of_one_parameter(any: &[Filter]) -> Option<Vec<&Criterion>> {
    let tests: Vec<&Criterion> = any
        .iter()
        .map(|filter| match filter {
            Filter::Has(criterion) => Some(criterion),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let first = tests.first()?;
    let is_alike =
        |other: &&Criterion| other.parameter == first.parameter && Table::of(other) == Table::of(first);
    tests.iter().all(is_alike).then_some(tests)
}

/// Appends which parameter a row `@` is of, one of those of the criteria, and gives what the row has to pass one of.
pub(super) fn parameter<'t, 'a, ST>(
    out: &mut Statement<'a, ST>,
    tests: &'t [&'a Criterion],
    names: Names,
) -> &'t [&'a Criterion] {
    let Some(first) = tests.first() else {
        out.push("FALSE", []);
        return tests;
    };
    if tests.iter().all(|test| test.parameter == first.parameter) {
        out.push_as("@.parameter = ?", names, [Bind::Int(first.parameter.0)]);
        return tests;
    }
    let numbers: Vec<_> = tests.iter().map(|test| Bind::Int(test.parameter.0)).collect();
    // Of one resource, it is less work to read its rows than to look for so many parameters.
    let start = match numbers.len() > FEW_PARAMETERS && !names.resource.is_empty() {
        true => "(+@.parameter IN (",
        false => "(@.parameter IN (",
    };
    test::list(out, start, numbers, names);
    // They have one test.
    tests.get(..1).unwrap_or_default()
}

/// The resource has a row that passes one of the tests, which are a part of `together`.
pub(super) fn has_any<'a, ST>(
    out: &mut Statement<'a, ST>,
    scope: Lists,
    tests: &[&'a Criterion],
    names: Names,
) {
    let Some(first) = tests.first() else {
        return out.push("FALSE", []);
    };
    let names = names.row("l");
    open(out, Table::of(first), names);
    out.push_as("@.tenant = #.tenant AND @.resource = #.surrogate AND ", names, []);
    let tests = parameter(out, tests, names);
    out.push(" AND ", []);
    close(out, scope, tests, names);
    out.push(scope.dialect.end_of_exists(), []);
}

/// The resource has a group of rows in which each of the tests is passed.
pub(super) fn group<'a, ST>(out: &mut Statement<'a, ST>, scope: Lists, parts: &'a [Criterion], names: Names) {
    let Some((first, rest)) = parts.split_first() else {
        return out.push("TRUE", []);
    };
    let names = names.row("l");
    open(out, Table::of(first), names);
    out.push_as(
        "@.tenant = #.tenant AND @.resource = #.surrogate AND @.parameter = ? AND ",
        names,
        [Bind::Int(first.parameter.0)],
    );
    close(out, scope, &[first], names);
    others(out, scope, rest.iter());
    out.push(scope.dialect.end_of_exists(), []);
}

/// The other tests of a group, each on a row beside the row `l`.
pub(super) fn others<'a, ST>(
    out: &mut Statement<'a, ST>,
    scope: Lists,
    rest: impl Iterator<Item = &'a Criterion>,
) {
    let names = Names {
        resource: "l",
        row: "m",
    };
    for part in rest {
        out.push(" AND ", []);
        open(out, Table::of(part), names);
        out.push_as(
            "@.tenant = #.tenant AND @.resource = #.resource AND @.parameter = ? AND @.part = #.part AND ",
            names,
            [Bind::Int(part.parameter.0)],
        );
        close(out, scope, &[part], names);
        out.push(scope.dialect.end_of_exists(), []);
    }
}

fn open<ST>(out: &mut Statement<'_, ST>, table: Table, names: Names) {
    let text = match table {
        Table::Label => "EXISTS (SELECT 1 FROM label @ CROSS JOIN term n WHERE ",
        Table::Kind => "EXISTS (SELECT 1 FROM label @ WHERE ",
        Table::Span => "EXISTS (SELECT 1 FROM span @ WHERE ",
        Table::Place => "EXISTS (SELECT 1 FROM place @ WHERE ",
    };
    out.push_as(text, names, []);
}

fn close<'a, ST>(out: &mut Statement<'a, ST>, scope: Lists, tests: &[&'a Criterion], names: Names) {
    if tests
        .first()
        .is_some_and(|first| Table::of(first) == Table::Label)
    {
        // The plus keeps PostgreSQL from beginning with the term: it does not know how many resources share one, and asked all of them
        // about each.
        out.push_as("n.tenant = @.tenant AND n.number = +@.term AND ", names, []);
    }
    test::any(out, scope, tests, names);
}
