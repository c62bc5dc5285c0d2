//! Searches on one connection: first what drives them is chosen, then they run.

use super::failure;
use super::link::Link;
use crate::error::Result;
use crate::store::sql::{self, Choice, Lists, SortedRow, VersionRow};
use crate::store::{Filter, Found, SearchQuery};

/// A page of current resources.
pub(super) async fn page(link: &Link, lists: Lists, query: &SearchQuery) -> Result<Vec<Found>> {
    query.check()?;
    let drive = choose(link, lists, &query.filter).await?.of_page(query);
    match sql::in_order_of_changes(query) {
        Some(ascending) => {
            let rows = link.rows(lists.by_change(query, drive, ascending)?).await;
            let rows: Vec<VersionRow> = rows.map_err(failure::error)?;
            let versions = rows.into_iter().map(sql::version_of);
            versions.map(|v| Ok(sql::found(query, v?))).collect()
        }
        None => {
            let rows = link.rows(lists.by_keys(query, drive)?).await;
            let rows: Vec<SortedRow> = rows.map_err(failure::error)?;
            rows.into_iter()
                .map(|row| sql::found_sorted(query, row))
                .collect()
        }
    }
}

/// How many match, up to the limit.
pub(super) async fn total(link: &Link, lists: Lists, query: &SearchQuery, most: u64) -> Result<u64> {
    let drive = choose(link, lists, &query.filter).await?.of_all();
    let row = link.first(lists.search_total(query, drive, most)?).await;
    let row: Option<i64> = row.map_err(failure::error)?;
    Ok(row.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
}

/// The packed ids of what matches, as many as the query asks for.
pub(super) async fn matches(link: &Link, lists: Lists, query: &SearchQuery) -> Result<Vec<Vec<u8>>> {
    let drive = choose(link, lists, &query.filter).await?.of_all();
    let rows = link.rows(lists.matches(query, drive)?).await;
    rows.map_err(failure::error)
}

async fn choose<'f>(link: &Link, lists: Lists, filter: &'f Filter) -> Result<Choice<'f>> {
    let mut choice = Choice::new(filter);
    while let Some(question) = choice.question(lists) {
        let count: Option<i64> = link.first(question).await.map_err(failure::error)?;
        choice.answer(count.unwrap_or_default());
    }
    Ok(choice)
}
