//! search of a type or the whole server (<https://hl7.org/fhir/R4/http.html#search>), by `_id` and `_lastUpdated`.
//!
//! Pages are cut by the stamp of the last change, so that a row that does not change is neither skipped nor repeated;
//! rows changed after the first page are not shown (<https://hl7.org/fhir/R4/http.html#paging>).

use super::bundle::{BundleWriter, Members};
use super::page::{self, After, Page};
use super::query::{Parameters, Reader, count, malformed};
use super::subset::View;
use super::{Payload, Request, Response, outcome, time, uri};
use crate::engine::Session;
use crate::error::{Issue, Result, Severity};
use crate::store::{Cursor, Filter, ResourceType, SearchQuery, Sort, SortKey, Version};

/// 200 with a Bundle of type searchset.
pub(super) async fn run(session: &Session, request: &Request) -> Result<Response> {
    let mut asked = Asked::read(session, request)?;
    let mark = match &asked.page {
        Some(page) => page.mark,
        None => session.high_water_mark().await?,
    };
    asked.query.mark = Some(mark);
    let total = asked.total(session).await?;
    let mut matches = match asked.query.count {
        // The policy is asked even where nothing is shown but a number.
        0 => Vec::new(),
        count => {
            session
                .search(SearchQuery {
                    count: count.saturating_add(1),
                    ..asked.query.clone()
                })
                .await?
        }
    };
    let more = matches.len() > asked.query.count;
    matches.truncate(asked.query.count);
    let mut links = vec![("self", asked.self_link(request))];
    if let Some(last) = matches.last().filter(|_| more) {
        links.push(("next", asked.next(session, &last.cursor, mark, total)?));
    }
    let mut bundle = BundleWriter::new(&session.new_id(), "searchset", session.now())?;
    bundle.total_and_links(total, &links)?;
    for found in &matches {
        bundle.entry(|members| match_entry(members, &found.version, &asked.view, &request.base))?;
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

/// `_total` (<https://hl7.org/fhir/R4/search.html#total>). An estimate is counted like the accurate number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Total {
    None,
    Counted,
}

/// What is asked, on the first page or a later one.
struct Asked {
    query: SearchQuery,
    view: View,
    total: Total,
    path: &'static str,
    url: String,
    parameters: Parameters,
    page: Option<Page>,
    issues: Vec<Issue>,
}

impl Asked {
    fn read(session: &Session, request: &Request) -> Result<Asked> {
        let path = request.resource_type.map_or("", ResourceType::name);
        let page = Page::of_request(request, path, session)?;
        let parameters = page.as_ref().map_or(&request.query, |page| &page.query);
        let mut reader = Reader::of(parameters, request.strict_handling == Some(true));
        let filter = filter(&mut reader, session, request.resource_type)?;
        let mut query = SearchQuery::new(request.resource_type, filter, count(&mut reader, session)?);
        if ascending(&mut reader)? {
            query.sort.push(Sort {
                key: SortKey::LastUpdated,
                descending: false,
            });
        }
        query.after = match page.as_ref().map(|page| &page.after) {
            Some(After::Cursor(bytes)) => Some(Cursor::from_bytes(bytes)?),
            _ => None,
        };
        let total = match reader.one("_total")? {
            None | Some("accurate" | "estimate") => Total::Counted,
            Some("none") => Total::None,
            Some(other) => return Err(malformed("_total", other, "none, estimate or accurate")),
        };
        let view = View::take(&mut reader)?;
        if view.counts() {
            query.count = 0;
        }
        let (parameters, issues) = reader.finish()?;
        let url = if path.is_empty() {
            request.base.clone()
        } else {
            format!("{}/{path}", request.base)
        };
        Ok(Asked {
            query,
            view,
            total,
            path,
            url,
            parameters,
            page,
            issues,
        })
    }

    /// How many match: as the first page told it, or counted up to the limit.
    async fn total(&mut self, session: &Session) -> Result<Option<u64>> {
        if let Some(page) = &self.page {
            return Ok(page.total);
        }
        let counts_only = self.query.count == 0;
        if self.total == Total::None && !counts_only {
            return Ok(None);
        }
        let settings = session.settings();
        let limit = if counts_only {
            settings.count_max
        } else {
            settings.total_max
        };
        let total = session
            .search_total(self.query.clone(), limit.saturating_add(1))
            .await?;
        if total > limit && counts_only {
            let text = format!("More than {limit} match; the total is not counted further.");
            self.issues
                .push(Issue::new(text).with_severity(Severity::Warning));
        }
        Ok((total <= limit).then_some(total))
    }

    fn next(&self, session: &Session, after: &Cursor, mark: i64, total: Option<u64>) -> Result<String> {
        let page = Page {
            path: self.path.to_owned(),
            query: self.parameters.clone(),
            after: After::Cursor(after.to_bytes()),
            mark,
            total,
        };
        Ok(format!(
            "{}?{}={}",
            self.url,
            page::PARAMETER,
            page.sign(session)?
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

/// The criteria: repeated parameters are ANDed, values with commas between are ORed.
fn filter(reader: &mut Reader<'_>, session: &Session, resource_type: Option<ResourceType>) -> Result<Filter> {
    let mut filter = Filter::All;
    for ids in reader.all("_id")? {
        filter = filter.and(Filter::Ids(
            ids.split(',').map(|id| id.trim().to_owned()).collect(),
        ));
    }
    for dates in reader.all("_lastUpdated")? {
        let one = |date: &str| time::last_updated(date.trim(), &session.settings().zone, session.now());
        let mut any = dates.split(',').map(one).collect::<Result<Vec<_>>>()?;
        filter = filter.and(if any.len() == 1 {
            any.remove(0)
        } else {
            Filter::Or(any)
        });
    }
    if resource_type.is_none() {
        for types in reader.all("_type")? {
            let one = |name: &str| {
                ResourceType::from_name(name).ok_or_else(|| {
                    malformed("_type", name, "names of R4 resource types, with commas between")
                })
            };
            filter = filter.and(Filter::Types(
                types.split(',').map(str::trim).map(one).collect::<Result<_>>()?,
            ));
        }
    }
    Ok(filter)
}

/// `_sort`: by the last change, newest first where nothing is said.
fn ascending(reader: &mut Reader<'_>) -> Result<bool> {
    match reader.one("_sort")? {
        None | Some("-_lastUpdated") => Ok(false),
        Some("_lastUpdated") => Ok(true),
        Some(other) => {
            let short: String = other.chars().take(60).collect();
            reader.ignore(
                "_sort",
                format!("Sorting by {short:?} is not offered; _lastUpdated and -_lastUpdated are."),
            );
            Ok(false)
        }
    }
}

fn match_entry(members: &mut Members<'_>, version: &Version, view: &View, base: &str) -> Result<()> {
    members.text("fullUrl", &format!("{base}/{}", version.key))?;
    if let Some(body) = &version.body {
        members.raw(
            "resource",
            &view.apply(body.render(version.version, version.last_updated))?,
        );
    }
    members.object("search", |search| search.text("mode", "match"))
}
