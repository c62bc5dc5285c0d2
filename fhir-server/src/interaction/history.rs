//! history of a resource, a type or the server, newest version first (<https://hl7.org/fhir/R4/http.html#history>).
//!
//! Versions never change and new ones have greater stamps, so a page goes on below the last stamp of the page before.

use super::bundle::{BundleWriter, Members};
use super::page::{self, After, Page};
use super::query::{Parameters, Reader, count};
use super::search::scope as scope_of;
use super::{Interaction, Payload, Request, Response, entry, outcome, uri};
use crate::engine::{Session, not_found};
use crate::error::{Issue, Result};
use crate::search::criteria::{self, Problem};
use crate::search::instant::Span;
use crate::search::registry::Registry;
use crate::store::{Change, Filter, HistoryQuery, HistoryScope, Version};

/// 200 with a Bundle of type history; 404 where the resource never existed for the caller.
pub(super) async fn run(session: &Session, request: &Request) -> Result<Response> {
    let asked = Asked::read(session, request)?;
    if let HistoryScope::Instance(key) = &asked.query.scope
        && !session.has_history(key).await?
    {
        return Err(not_found(key));
    }
    let mut versions = session.history(asked.one_more()).await?;
    let more = versions.len() > asked.query.count;
    versions.truncate(asked.query.count);
    let count = versions.len();
    let limit = session.settings().total_max;
    let total = match &asked.page {
        Some(page) => page.total,
        None => {
            let total = session
                .history_total(asked.query.clone(), limit.saturating_add(1))
                .await?;
            (total <= limit).then_some(total)
        }
    };
    let next = match versions.last().filter(|_| more) {
        Some(last) => Some(asked.next(session, last.stamp, total)?),
        None => None,
    };
    let mut links = vec![("self", asked.self_link(request))];
    links.extend(next.map(|url| ("next", url)));
    let outcome = (!asked.issues.is_empty())
        .then(|| outcome::operation_outcome(None, &asked.issues, &session.settings().outcome, None));
    let (id, at, base, path) = (session.new_id(), session.now(), request.base.clone(), asked.path);
    let write = move || {
        let mut bundle = BundleWriter::new(&id, "history", at)?;
        bundle.total_and_links(total, &links)?;
        for version in &versions {
            bundle.entry(|members| history_entry(members, version, &base))?;
        }
        if let Some(outcome) = &outcome {
            bundle.entry(|members| outcome_entry(members, outcome, &path))?;
        }
        Ok(bundle.finish())
    };
    Ok(Response::new(
        200,
        Payload::Json(session.written(count, write).await?),
    ))
}

/// What is asked, on the first page or a later one.
struct Asked {
    query: HistoryQuery,
    url: String,
    path: String,
    parameters: Parameters,
    page: Option<Page>,
    issues: Vec<Issue>,
}

impl Asked {
    fn read(session: &Session, request: &Request) -> Result<Asked> {
        let (scope, path) = scope(request)?;
        let page = Page::of_request(request, &path, session)?;
        let parameters = page.as_ref().map_or(&request.query, |page| &page.query);
        let mut reader = Reader::of(parameters, request.strict_handling == Some(true));
        let mut query = HistoryQuery::new(scope, count(&mut reader, session)?, Filter::All);
        let zone = &session.settings().zone;
        if let Some(since) = reader.one("_since")? {
            query.since = Some(Span::parse("_since", since, zone)?.first());
        }
        if let Some(at) = reader.one("_at")? {
            let at = Span::parse("_at", at, zone)?;
            query.at = Some((at.first(), at.last()));
        }
        if let Some(sort) = reader.one("_sort")?.filter(|s| *s != "-_lastUpdated") {
            reader.ignore(
                "_sort",
                format!("_sort={sort} is not offered: a history goes from the newest version to the oldest."),
            );
        }
        if let Some(of) = reader.one("_list")? {
            match criteria::list(&scope_of(session, Registry::r4()), of) {
                Ok(members) => query.filter = members,
                Err(Problem::Unknown(why)) => reader.ignore("_list", why),
                Err(Problem::Refused(error)) => return Err(error),
            }
        }
        let (parameters, issues) = reader.finish()?;
        query.before = match page.as_ref().map(|page| &page.after) {
            Some(After::Stamp(stamp)) => Some(*stamp),
            _ => None,
        };
        let url = format!("{}/{path}", request.base);
        Ok(Asked {
            query,
            url,
            path,
            parameters,
            page,
            issues,
        })
    }

    fn one_more(&self) -> HistoryQuery {
        HistoryQuery {
            count: self.query.count.saturating_add(1),
            ..self.query.clone()
        }
    }

    fn next(&self, session: &Session, after: i64, total: Option<u64>) -> Result<String> {
        let page = Page {
            path: self.path.clone(),
            query: self.parameters.clone(),
            after: After::Stamp(after),
            mark: 0,
            total,
            part: None,
        };
        Ok(format!(
            "{}?{}={}",
            self.url,
            page::PARAMETER,
            page.seal(session)?
        ))
    }

    fn self_link(&self, request: &Request) -> String {
        let parameters = if self.page.is_some() {
            &request.query
        } else {
            &self.parameters
        };
        uri::with_query(self.url.clone(), parameters)
    }
}

/// What the history is of, and its path below the base.
fn scope(request: &Request) -> Result<(HistoryScope, String)> {
    Ok(match request.interaction {
        Interaction::HistoryInstance => {
            let key = request.key()?;
            let path = format!("{key}/_history");
            (HistoryScope::Instance(key), path)
        }
        Interaction::HistoryType => {
            let resource_type = request.the_type()?;
            (
                HistoryScope::Type(resource_type),
                format!("{}/_history", resource_type.name()),
            )
        }
        _ => (HistoryScope::System, "_history".to_owned()),
    })
}

/// What was not followed. An entry of a history has a request and a response (bdl-3, bdl-4): here those of the history itself.
fn outcome_entry(members: &mut Members<'_>, outcome: &[u8], path: &str) -> Result<()> {
    members.raw("resource", outcome);
    members.object("request", |request| {
        request.text("method", "GET")?;
        request.text("url", path)
    })?;
    members.object("response", |response| response.text("status", "200 OK"))
}

fn history_entry(members: &mut Members<'_>, version: &Version, base: &str) -> Result<()> {
    let key = &version.key;
    members.text("fullUrl", &format!("{base}/{key}"))?;
    if let Some(body) = &version.body {
        members.raw("resource", &body.render(version.version, version.last_updated));
    }
    let (method, url, status) = match version.change {
        Change::Create => ("POST", key.resource_type.name().to_owned(), "201 Created"),
        Change::Update => ("PUT", key.to_string(), "200 OK"),
        Change::Delete => ("DELETE", key.to_string(), "204 No Content"),
    };
    members.object("request", |request| {
        request.text("method", method)?;
        request.text("url", &url)
    })?;
    members.object("response", |response| {
        response.text("status", status)?;
        response.text("etag", &entry::etag(version.version, version.masked))?;
        response.text("lastModified", &version.last_updated.to_instant())
    })
}
