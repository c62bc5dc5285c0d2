//! search of a type or the whole server (<https://hl7.org/fhir/R4/http.html#search>).
//!
//! Pages are cut by a cursor in the order asked for, so that a row that does not change is neither skipped nor repeated; rows changed
//! after the first page are not shown (<https://hl7.org/fhir/R4/http.html#paging>).

mod asked;
mod compartment;
mod include;
mod linked;
mod sort;

pub(super) use asked::scope;

use self::asked::Asked;
use super::bundle::{BundleWriter, Members};
use super::subset::View;
use super::{Payload, Request, Response, outcome};
use crate::engine::Session;
use crate::error::Result;
use crate::store::{Found, SearchQuery, Version};

/// 200 with a Bundle of type searchset.
pub(super) async fn run(session: &Session, request: &Request) -> Result<Response> {
    let mut asked = Asked::read(session, request)?;
    let mark = match &asked.page {
        Some(page) => page.mark,
        None => session.high_water_mark().await?,
    };
    asked.query.mark = Some(mark);
    let total = asked.total(session).await?;
    let mut matches = matches(session, &asked).await?;
    let more = matches.len() > asked.query.count;
    matches.truncate(asked.query.count);
    let mut links = vec![("self", asked.self_link(request))];
    if let Some(last) = matches.last().filter(|_| more)
        && let Some(next) = asked.next(session, &last.cursor, mark, total)?
    {
        links.push(("next", next));
    }
    let included = linked::resources(session, &mut asked, &matches).await?;
    let mut bundle = BundleWriter::new(&session.new_id(), "searchset", session.now())?;
    bundle.total_and_links(total, &links)?;
    for found in &matches {
        bundle.entry(|members| entry(members, &found.version, &asked.view, &request.base, "match"))?;
    }
    for version in &included {
        let view = asked.view.of_included(version.key.resource_type.name());
        bundle.entry(|members| entry(members, version, &view, &request.base, "include"))?;
    }
    if !asked.issues.is_empty() {
        let outcome = outcome::operation_outcome(None, &asked.issues, &session.settings().outcome, None);
        bundle.entry(|members| {
            members.raw("resource", &outcome);
            members.object("search", |search| search.text("mode", "outcome"))
        })?;
    }
    Ok(Response::new(200, Payload::Json(bundle.finish())))
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

fn entry(members: &mut Members<'_>, version: &Version, view: &View, base: &str, mode: &str) -> Result<()> {
    members.text("fullUrl", &format!("{base}/{}", version.key))?;
    if let Some(body) = &version.body {
        members.raw(
            "resource",
            &view.apply(body.render(version.version, version.last_updated))?,
        );
    }
    members.object("search", |search| search.text("mode", mode))
}
