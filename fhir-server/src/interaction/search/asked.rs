//! [`Asked`]: what a search asks for, of the first page or a later one.

use std::cell::Cell;

use super::contained::Inside;
use super::everything::Everything;
use super::include::Include;
use super::{compartment, explain, sort};
use crate::engine::Session;
use crate::error::{Issue, Result, Severity};
use crate::interaction::page::{self, After, Page};
use crate::interaction::query::{Parameters, Reader, count, malformed};
use crate::interaction::subset::View;
use crate::interaction::{Request, uri};
use crate::search::criteria::{self, Problem, Scope};
use crate::search::narrow;
use crate::search::registry::Registry;
use crate::store::{Cursor, Filter, Found, ResourceType, SearchQuery};

/// `_total` (<https://hl7.org/fhir/R4/search.html#total>). An estimate is counted like the accurate number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Total {
    None,
    Counted,
}

/// What is asked.
pub(super) struct Asked {
    pub(super) query: SearchQuery,
    pub(super) view: View,
    pub(super) page: Option<Page>,
    pub(super) includes: Vec<Include>,
    /// What contained resources are asked for.
    pub(super) inside: Option<Inside>,
    /// How it is answered is told instead of the answer.
    pub(super) explain: bool,
    /// What is told beside the results.
    pub(super) issues: Vec<Issue>,
    total: Total,
    path: String,
    url: String,
    /// The parameters that were followed.
    parameters: Parameters,
}

/// What parameters are read against.
pub(in crate::interaction) fn scope<'s>(session: &'s Session, registry: &'s Registry) -> Scope<'s> {
    let settings = session.settings();
    Scope {
        registry,
        terminology: session.terminology(),
        limits: &settings.search,
        zone: &settings.zone,
        now: session.now(),
        bases: session.bases(),
        spent: Cell::new(0),
    }
}

impl Asked {
    /// Reads a request, as it stands or as one for everything around a resource.
    pub(super) async fn read(session: &Session, request: &Request, of: Option<&Everything>) -> Result<Asked> {
        let registry = session.searchable().await?;
        Asked::read_against(session, &registry, request, of)
    }

    fn read_against(
        session: &Session,
        registry: &Registry,
        request: &Request,
        of: Option<&Everything>,
    ) -> Result<Asked> {
        let path = of.map_or_else(|| path(request), Everything::path);
        let page = Page::of_request(request, &path, session)?;
        let parameters = page.as_ref().map_or(&request.query, |page| &page.query);
        let scope = scope(session, registry);
        criteria::check_number(&scope, parameters.len())?;
        let mut reader = Reader::of(
            parameters,
            request
                .strict_handling
                .unwrap_or(session.settings().strict_handling),
        );
        let explain = explain::read(&mut reader, session)?;
        let types = types(&mut reader, request.resource_type)?;
        let named = match request.resource_type {
            None if !types.is_empty() => Filter::Types(types.clone()),
            _ => Filter::All,
        };
        let mut query = SearchQuery::new(request.resource_type, named, count(&mut reader, session)?);
        query.sort = sort::read(&mut reader, &scope, &types)?;
        query.after = match page.as_ref().map(|page| &page.after) {
            Some(After::Cursor(bytes)) => Some(Cursor::from_bytes(bytes)?),
            _ => None,
        };
        let total = total(&mut reader)?;
        let view = View::take(&mut reader)?;
        if view.counts() {
            query.count = 0;
        }
        let special = of.is_some() || request.compartment.is_some();
        let mut inside = Inside::read(&mut reader, request, special)?;
        let (around, mut includes) = match of {
            Some(everything) => everything.read(&mut reader, &scope, &types)?,
            None => (Filter::All, Vec::new()),
        };
        let (filter, asked) = criteria(&mut reader, &scope, &types)?;
        let mut filter = narrow(scope.registry, &types, filter);
        includes.extend(asked);
        if let Some(inside) = &mut inside {
            filter = inside.of(filter, &query.sort)?;
            query.resource_type = None;
        }
        query.filter = query.filter.and(around);
        if let Some(centre) = &request.compartment {
            let members = compartment::filter(scope.registry, centre, request.resource_type)?;
            query.filter = query.filter.and(members);
        }
        query.filter = query.filter.and(filter);
        let (parameters, issues) = reader.finish()?;
        let url = match path.as_str() {
            "" => request.base.clone(),
            path => format!("{}/{path}", request.base),
        };
        Ok(Asked {
            query,
            view,
            page,
            includes,
            inside,
            explain,
            issues,
            total,
            path,
            url,
            parameters,
        })
    }

    /// How many match: as the first page told it, as many as are on a page that holds all, or counted up to the limit.
    pub(super) async fn total(&mut self, session: &Session, all: Option<usize>) -> Result<Option<u64>> {
        if let Some(page) = &self.page {
            return Ok(page.total);
        }
        let Some(limit) = self.limit_of_total(session) else {
            return Ok(None);
        };
        let known = all.and_then(|all| u64::try_from(all).ok());
        if let Some(known) = known.filter(|known| *known <= limit) {
            return Ok(Some(known));
        }
        let counts_only = self.query.count == 0;
        let total = session
            .search_total(self.query.clone(), limit.saturating_add(1))
            .await?;
        if total > limit && counts_only {
            self.warn(format!(
                "More than {limit} match; the total is not counted further."
            ));
        }
        Ok((total <= limit).then_some(total))
    }

    /// Up to how many matches are counted; `None` where they are not.
    pub(super) fn limit_of_total(&self, session: &Session) -> Option<u64> {
        // Containers are counted, not what stands alone from each.
        if self.inside.as_ref().is_some_and(|inside| inside.alone) {
            return None;
        }
        let settings = session.settings();
        match (self.query.count, self.total) {
            (0, _) => Some(settings.count_max),
            (_, Total::None) => None,
            (_, Total::Counted) => Some(settings.total_max),
        }
    }

    /// What is built in under the URL that is asked for, where nothing else is asked but a version.
    pub(super) fn built_in(&self, session: &Session, request: &Request) -> Result<Option<Found>> {
        let (mut url, mut version) = (None, None);
        for (name, value) in &self.parameters {
            match name.as_str() {
                "url" => url = Some(value.as_str()),
                "version" => version = Some(value.as_str()),
                "_summary" | "_elements" | "_elements:exclude" | "_count" | "_total" | "_sort" => {}
                _ => return Ok(None),
            }
        }
        let (Some(of), Some(url), None) = (request.resource_type, url, &self.page) else {
            return Ok(None);
        };
        let found = session.built_in_of_url(of, url, version)?;
        Ok(found.map(|version| Found {
            cursor: Cursor {
                values: Vec::new(),
                stamp: version.stamp,
            },
            version,
        }))
    }

    /// Adds a warning to the answer.
    pub(super) fn warn(&mut self, text: String) {
        self.issues
            .push(Issue::new(text).with_severity(Severity::Warning));
    }

    /// The token of the next page; none where it would be too long to be sent back.
    pub(super) fn next(
        &mut self,
        session: &Session,
        after: Option<&Cursor>,
        part: Option<(String, usize)>,
        total: Option<u64>,
    ) -> Result<Option<String>> {
        let page = Page {
            path: self.path.clone(),
            query: self.parameters.clone(),
            after: after.map_or(After::Nothing, |after| After::Cursor(after.to_bytes())),
            mark: self.query.mark.unwrap_or_default(),
            total,
            part,
        };
        let token = page.seal(session)?;
        if token.len() > page::MAX_TOKEN {
            self.warn(
                "There are more matches, but the query is too long for a link to the next page: ask for fewer values."
                    .to_owned(),
            );
            return Ok(None);
        }
        Ok(Some(token))
    }

    /// The link to the page of that token.
    pub(super) fn page_link(&self, token: &str) -> String {
        format!("{}?{}={token}", self.url, page::PARAMETER)
    }

    pub(super) fn self_link(&self, request: &Request) -> String {
        let parameters = if self.page.is_some() {
            &request.query
        } else {
            &self.parameters
        };
        uri::with_query(self.url.clone(), parameters)
    }
}

/// The path below the base.
fn path(request: &Request) -> String {
    match (&request.compartment, request.resource_type) {
        (Some(centre), Some(member)) => format!("{centre}/{}", member.name()),
        (Some(centre), None) => format!("{centre}/*"),
        (None, Some(of_type)) => of_type.name().to_owned(),
        (None, None) => String::new(),
    }
}

/// The types whose parameters may be used; none is every type.
fn types(reader: &mut Reader<'_>, resource_type: Option<ResourceType>) -> Result<Vec<ResourceType>> {
    if let Some(one) = resource_type {
        return Ok(vec![one]);
    }
    let one = |name: &str| {
        ResourceType::from_name(name)
            .ok_or_else(|| malformed("_type", name, "names of R4 resource types, with commas between"))
    };
    let mut both: Option<Vec<ResourceType>> = None;
    for names in reader.all("_type")? {
        let mut types = names
            .split(',')
            .map(str::trim)
            .map(one)
            .collect::<Result<Vec<_>>>()?;
        types.sort_unstable();
        types.dedup();
        // Sent twice, it must hold both times.
        types.retain(|t| both.as_ref().is_none_or(|both| both.contains(t)));
        if types.is_empty() {
            return Err(malformed(
                "_type",
                names,
                "a type that the other _type names too: no resource has two types",
            ));
        }
        both = Some(types);
    }
    Ok(both.unwrap_or_default())
}

fn total(reader: &mut Reader<'_>) -> Result<Total> {
    match reader.one("_total")? {
        None | Some("accurate" | "estimate") => Ok(Total::Counted),
        Some("none") => Ok(Total::None),
        Some(other) => Err(malformed("_total", other, "none, estimate or accurate")),
    }
}

/// All that is left: criteria and includes.
fn criteria(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    types: &[ResourceType],
) -> Result<(Filter, Vec<Include>)> {
    let mut filter = Filter::All;
    let mut includes = Vec::new();
    for (place, name, value) in reader.left() {
        if value.trim().is_empty() {
            reader.set_aside(name, format!("The parameter {name} has no value."));
            continue;
        }
        if let Some(include) = Include::read(scope, name, value)? {
            includes.push(include);
            reader.take(place);
            continue;
        }
        match criteria::filter(scope, types, name, value) {
            Ok(one) => {
                filter = filter.and(one);
                reader.take(place);
            }
            Err(Problem::Unknown(why)) => reader.set_aside(name, why),
            Err(Problem::Refused(error)) => return Err(error),
        }
    }
    super::include::check_number(scope, includes.len())?;
    Ok((filter, includes))
}
