//! Searches on one connection: first what drives them is chosen, then they run.

use super::failure;
use super::link::Link;
use crate::error::Result;
use crate::store::sql::{self, Choice, Edge, FEW, Lists, Reach, SortedRow, VersionRow, Way};
use crate::store::{Explanation, Found, SearchQuery};

/// A page of current resources.
pub(super) fn page(link: &mut Link, lists: Lists, query: &SearchQuery) -> Result<Vec<Found>> {
    query.check()?;
    let choice = chosen(link, lists, Choice::of_page(&query.filter))?;
    match sql::in_order_of_changes(query) {
        Some(ascending) => by_change(link, lists, query, (&choice, ascending)),
        None => by_keys(link, lists, query, &choice),
    }
}

fn by_change(
    link: &mut Link,
    lists: Lists,
    query: &SearchQuery,
    (choice, ascending): (&Choice<'_>, bool),
) -> Result<Vec<Found>> {
    let (way, otherwise) = choice.ways(query);
    let rows = link.rows(lists.by_change(query, &way, ascending)?);
    let mut rows: Vec<VersionRow> = rows.map_err(failure::error)?;
    if let Some(way) = otherwise.filter(|_| rows.len() < query.count) {
        let more = link.first(lists.goes_on(query, ascending, FEW)?);
        let more: Option<i64> = more.map_err(failure::error)?;
        if more.is_some() {
            let all = link.rows(lists.by_change(query, &way, ascending)?);
            rows = all.map_err(failure::error)?;
        }
    }
    let versions = rows.into_iter().map(sql::version_of);
    versions.map(|v| Ok(sql::found(query, v?))).collect()
}

fn by_keys(link: &mut Link, lists: Lists, query: &SearchQuery, choice: &Choice<'_>) -> Result<Vec<Found>> {
    if choice.few().is_none()
        && let Some(edge) = lists.edge(query, Reach::Far)?
    {
        let edge = link.first(edge).map_err(failure::error)?;
        if let Some(edge) = edge.and_then(|found| Edge::new(query, found)) {
            let way = Way::Until(edge);
            let rows = link.rows(lists.by_keys(query, &way)?);
            let rows: Vec<SortedRow> = rows.map_err(failure::error)?;
            if rows.len() >= query.count {
                return found(query, rows);
            }
        }
    }
    let (way, _) = choice.ways(query);
    let rows = link.rows(lists.by_keys(query, &way)?);
    found(query, rows.map_err(failure::error)?)
}

fn found(query: &SearchQuery, rows: Vec<SortedRow>) -> Result<Vec<Found>> {
    let rows = rows.into_iter();
    rows.map(|row| sql::found_sorted(query, row)).collect()
}

/// How many match, up to the limit.
pub(super) fn total(link: &mut Link, lists: Lists, query: &SearchQuery, most: u64) -> Result<u64> {
    let way = of_all(link, lists, query)?;
    let row = link.first(lists.search_total(query, &way, most)?);
    let row: Option<i64> = row.map_err(failure::error)?;
    Ok(row.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
}

/// How a page, and its total where a limit is given, is answered; it is run for that, and what is asked is noted.
pub(super) fn explain(
    link: &mut Link,
    lists: Lists,
    query: &SearchQuery,
    limit: Option<u64>,
) -> Result<Explanation> {
    query.check()?;
    link.note();
    let answered = answered(link, lists, query, limit);
    let statements = link.noted();
    Ok(Explanation {
        statements,
        ..answered?
    })
}

fn answered(link: &mut Link, lists: Lists, query: &SearchQuery, limit: Option<u64>) -> Result<Explanation> {
    let choice = chosen(link, lists, Choice::of_page(&query.filter))?;
    match sql::in_order_of_changes(query) {
        Some(ascending) => by_change(link, lists, query, (&choice, ascending))?,
        None => by_keys(link, lists, query, &choice)?,
    };
    if let Some(limit) = limit {
        total(link, lists, query, limit)?;
    }
    Ok(choice.explanation(query))
}

/// The packed ids of what matches, as many as the query asks for.
pub(super) fn matches(link: &mut Link, lists: Lists, query: &SearchQuery) -> Result<Vec<Vec<u8>>> {
    let way = of_all(link, lists, query)?;
    let rows = link.rows(lists.matches(query, &way)?);
    rows.map_err(failure::error)
}

/// How a search that looks at all that match comes by them.
fn of_all<'f>(link: &mut Link, lists: Lists, query: &'f SearchQuery) -> Result<Way<'f>> {
    let choice = chosen(link, lists, Choice::of_all(&query.filter))?;
    Ok(choice.best().map_or(Way::Walk, Way::Drive))
}

fn chosen<'f>(link: &mut Link, lists: Lists, mut choice: Choice<'f>) -> Result<Choice<'f>> {
    while let Some(question) = choice.question(lists) {
        let counts = link.rows(question);
        choice.answer(counts.map_err(failure::error)?);
    }
    Ok(choice)
}
