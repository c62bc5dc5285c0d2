//! search of a type or the whole server (<https://hl7.org/fhir/R4/http.html#search>).
//!
//! Pages are cut by a cursor in the order asked for, so that a row that does not change is neither skipped nor repeated; rows changed
//! after the first page are not shown (<https://hl7.org/fhir/R4/http.html#paging>).

mod asked;
pub(crate) mod compartment;
mod contained;
mod everything;
mod explain;
mod include;
mod linked;
mod searchset;
mod sort;

pub(super) use asked::scope;
pub(crate) use everything::Everything;
pub(crate) use explain::SCOPE as EXPLAIN_SCOPE;

use self::asked::Asked;
use self::contained::{Entry, Inside};
use self::searchset::{Searchset, entry};
use super::bundle::BundleWriter;
use super::subset::View;
use super::{Payload, Request, Response, outcome};
use crate::engine::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::store::{Found, SearchQuery, Version};

/// 200 with a Bundle of type searchset.
pub(super) async fn run(session: &Session, request: &Request) -> Result<Response> {
    let asked = Asked::read(session, request, None).await?;
    answer(session, request, asked).await
}

/// The same for everything around a patient or an encounter.
pub(crate) async fn everything(session: &Session, request: &Request, of: Everything) -> Result<Response> {
    let asked = Asked::read(session, request, Some(&of)).await?;
    answer(session, request, asked).await
}

/// A Bundle of type searchset that holds those resources and no more.
pub(crate) fn bundle_of(session: &Session, base: &str, matches: &[Version]) -> Result<Vec<u8>> {
    let mut bundle = BundleWriter::new(&session.new_id(), "searchset", session.now())?;
    bundle.total_and_links(u64::try_from(matches.len()).ok(), &[])?;
    for version in matches {
        bundle.entry(|members| entry(members, version, &View::Whole, base, "match"))?;
    }
    Ok(bundle.finish())
}

/// One page of matches, without what stands around them.
pub(crate) struct Matched {
    /// In order.
    pub(crate) matches: Vec<Found>,
    /// How many match in all, where that is counted.
    pub(crate) total: Option<u64>,
    /// How many a page has.
    pub(crate) size: usize,
    /// What `_page` takes for the next one.
    pub(crate) next: Option<String>,
}

/// The matches of one page.
pub(crate) async fn page(session: &Session, request: &Request) -> Result<Matched> {
    let mut asked = Asked::read(session, request, None).await?;
    if asked.explain {
        let text = "How a search is answered is told of a search alone: send it by itself.";
        return Err(Error::new(ErrorCode::Value, text).at("http._explain"));
    }
    let (matches, total, next) = matched(session, &mut asked).await?;
    Ok(Matched {
        matches,
        total,
        size: asked.query.count,
        next,
    })
}

/// The matches of a page, how many there are in all, and the token of the next page.
async fn matched(session: &Session, asked: &mut Asked) -> Result<(Vec<Found>, Option<u64>, Option<String>)> {
    let mark = match &asked.page {
        Some(page) => page.mark,
        None => session.high_water_mark().await?,
    };
    asked.query.mark = Some(mark);
    let mut matches = matches(session, asked).await?;
    let more = matches.len() > asked.query.count;
    // A first page that holds all that matches tells how many do.
    let is_whole = asked.page.is_none() && asked.query.count > 0 && !more;
    let total = asked.total(session, is_whole.then_some(matches.len())).await?;
    matches.truncate(asked.query.count);
    let next = match matches.last().filter(|_| more) {
        Some(last) => asked.next(session, Some(&last.cursor), None, total)?,
        None => None,
    };
    Ok((matches, total, next))
}

async fn answer(session: &Session, request: &Request, mut asked: Asked) -> Result<Response> {
    if asked.explain {
        return explain::answer(session, request, &asked).await;
    }
    let (mut matches, mut total, mut next) = matched(session, &mut asked).await?;
    let alone = asked.inside.clone().filter(|inside| inside.alone);
    let parts = match &alone {
        Some(inside) => Some(parts(session, &mut asked, inside, &mut matches, &mut next).await?),
        None => None,
    };
    if let Some(entries) = &parts
        && next.is_none()
        && asked.page.is_none()
    {
        total = total.or(u64::try_from(entries.len()).ok());
    }
    if matches.is_empty()
        && asked.inside.is_none()
        && total.unwrap_or(0) == 0
        && let Some(built_in) = asked.built_in(session, request)?
    {
        total = total.map(|_| 1);
        if asked.query.count > 0 {
            matches.push(built_in);
        }
    }
    let mut links = vec![("self", asked.self_link(request))];
    links.extend(next.map(|token| ("next", asked.page_link(&token))));
    let included = linked::resources(session, &mut asked, &matches).await?;
    let whole = || (0..matches.len()).map(|place| (place, Entry::Whole)).collect();
    let entries = parts.unwrap_or_else(whole);
    let outcome = (!asked.issues.is_empty())
        .then(|| outcome::operation_outcome(None, &asked.issues, &session.settings().outcome, None));
    let count = entries.len() + included.len();
    let searchset = Searchset {
        id: session.new_id(),
        at: session.now(),
        base: request.base.clone(),
        view: asked.view,
        total,
        links,
        matches,
        entries,
        included,
        outcome,
    };
    let json = session.written(count, move || searchset.write()).await?;
    Ok(Response::new(200, Payload::Json(json)))
}

/// What stands alone of the matches, as many as a page has. Where there is more, the next page goes on there, even within a container.
async fn parts(
    session: &Session,
    asked: &mut Asked,
    inside: &Inside,
    matches: &mut Vec<Found>,
    next: &mut Option<String>,
) -> Result<Vec<(usize, Entry)>> {
    let first = matches.first().map(|found| found.version.key.to_string());
    let shown = asked.page.as_ref().and_then(|page| page.part.clone());
    // A container that changed since is not shown any more, and the next one from its beginning.
    let skip = shown.map_or(0, |(key, shown)| if first == Some(key) { shown } else { 0 });
    let (entries, rest) = inside.entries(session, matches, asked.query.count, skip).await?;
    if let Some((place, shown)) = rest {
        let before = place.checked_sub(1).and_then(|place| matches.get(place));
        let after = before
            .map(|found| found.cursor.clone())
            .or_else(|| asked.query.after.clone());
        let container = matches.get(place).filter(|_| shown > 0);
        let part = container.map(|found| (found.version.key.to_string(), shown));
        let total = asked.page.as_ref().and_then(|page| page.total);
        *next = asked.next(session, after.as_ref(), part, total)?;
    }
    matches.truncate(entries.last().map_or(0, |(place, _)| place + 1));
    Ok(entries)
}

/// The page, and one more where there is one.
async fn matches(session: &Session, asked: &Asked) -> Result<Vec<Found>> {
    match asked.query.count {
        0 => Ok(Vec::new()),
        count => {
            let query = SearchQuery {
                count: count.saturating_add(1),
                ..asked.query.clone()
            };
            session.search(query).await
        }
    }
}
