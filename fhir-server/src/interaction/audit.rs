//! AuditEvent: read and searched for in the audit trail, and never written by a client
//! (<https://hl7.org/fhir/R4/auditevent.html>).
//!
//! A patient sees the rows that are about her, a privacy officer and the server's operator all, anybody else what they did themselves.
//!
//! Invariant: nobody alters the trail.

use serde_json::Value;

use super::bundle::BundleWriter;
use super::page::{self, After, Page};
use super::query::{self, Parameters, Reader, malformed};
use super::{Interaction, Payload, Request, Response, outcome, uri};
use crate::audit::event::{self, Audience};
use crate::audit::strangers::{AUTHENTICATION, LOGIN, SIGN_IN};
use crate::audit::{interaction_of, number_of};
use crate::context::{Context, Millis, Principal, PrincipalKind};
use crate::engine::{Session, not_found};
use crate::error::{Error, ErrorCode, Issue, Result};
use crate::scopes::{Permission, ScopeLevel};
use crate::search::span;
use crate::store::{AuditAction, AuditQuery, AuditTest, Key, ResourceType, is_id};

/// The role that sees the whole trail.
const PRIVACY_OFFICER: &str = "privacy-officer";

/// Whether the request is about the trail.
pub(super) fn answers(session: &Session, request: &Request) -> bool {
    let named = request.resource_type.is_some_and(|t| t.name() == "AuditEvent");
    session.is_audited() && named && request.interaction != Interaction::Operation
}

/// 200 with an AuditEvent or a Bundle of them; 405 for all that writes.
pub(super) async fn run(session: &Session, request: &Request) -> Result<Response> {
    match request.interaction {
        Interaction::Read => read(session, request).await,
        Interaction::Vread if request.version.as_deref() == Some("1") => read(session, request).await,
        Interaction::Vread => Err(not_found(&request.key()?)),
        Interaction::SearchType => search(session, request).await,
        _ => Err(Error::new(
            ErrorCode::MethodNotAllowed,
            "The audit trail is written by the server alone: AuditEvent can be read and searched for.",
        )),
    }
}

/// To whom the rows are shown, and which rows those are.
///
/// # Errors
/// What the token's scopes ask of an AuditEvent cannot be asked of a row.
fn audience(context: &Context, permission: Permission) -> Result<(Audience<'_>, Vec<AuditTest>)> {
    let principal = &context.principal;
    let mut tests = within_scopes(principal, permission)?;
    if let (PrincipalKind::Patient, Some(patient)) = (principal.kind, &principal.patient) {
        tests.push(AuditTest::Patient(vec![patient.clone()]));
        return Ok((Audience::Patient(patient), tests));
    }
    let sees_all =
        principal.kind == PrincipalKind::System || principal.roles.iter().any(|r| r == PRIVACY_OFFICER);
    if !sees_all {
        tests.push(AuditTest::Actor(vec![principal.name.clone()]));
    }
    Ok((Audience::Auditor, tests))
}

/// The rows that the scopes reach: all, or those about the patient in context. A row has no search of a scope to be held against, so
/// that a scope with one grants nothing here.
fn within_scopes(principal: &Principal, permission: Permission) -> Result<Vec<AuditTest>> {
    let Some(scopes) = &principal.scopes else {
        return Ok(Vec::new());
    };
    let granting = scopes.granting(permission, ResourceType::from_name("AuditEvent"));
    let mut plain = granting.filter(|scope| scope.restriction.is_empty()).peekable();
    if plain.peek().is_none() {
        let text = "A scope with a search cannot be held against the audit trail: ask for one without, such as \
                    patient/AuditEvent.rs.";
        return Err(Error::new(ErrorCode::InsufficientScope, text));
    }
    let of_patient = plain.all(|scope| scope.level == ScopeLevel::Patient);
    let patient = principal.patient.iter().filter(|_| of_patient);
    Ok(patient.map(|id| AuditTest::Patient(vec![id.clone()])).collect())
}

async fn read(session: &Session, request: &Request) -> Result<Response> {
    session.permit(request.interaction, request.resource_type)?;
    let key = request.key()?;
    let (shown_to, mut tests) = audience(session.context(), Permission::Read)?;
    let stamp = event::stamp_of(&key.id).ok_or_else(|| not_found(&key))?;
    tests.push(AuditTest::Stamp(vec![stamp]));
    let rows = session.audit_rows(&AuditQuery::new(tests, 1)).await?;
    let row = rows.first().ok_or_else(|| not_found(&key))?;
    let json = serde_json::to_vec(&event::of_row(row, shown_to, &request.base)?).map_err(Error::internal)?;
    let mut response = Response::new(200, Payload::Json(json));
    response.version = Some(1);
    response.last_modified = Some(row.at);
    Ok(response)
}

async fn search(session: &Session, request: &Request) -> Result<Response> {
    session.permit(request.interaction, request.resource_type)?;
    let mut asked = Asked::read(session, request)?;
    let (shown_to, of_audience) = audience(session.context(), Permission::Search)?;
    asked.query.tests.extend(of_audience);
    let (mark, total) = asked.first_page(session).await?;
    let mut query = asked.query.clone();
    query.tests.push(asked.rest(mark));
    query.count = asked.query.count.saturating_add(1);
    let mut rows = match asked.query.count {
        0 => Vec::new(),
        _ => session.audit_rows(&query).await?,
    };
    let more = rows.len() > asked.query.count;
    rows.truncate(asked.query.count);
    let mut links = vec![("self", asked.self_link(request))];
    if let Some(last) = rows.last().filter(|_| more) {
        links.push(("next", asked.next(session, (last.stamp, mark), total)?));
    }
    let mut bundle = BundleWriter::new(&session.new_id(), "searchset", session.now())?;
    bundle.total_and_links(total, &links)?;
    for row in &rows {
        let resource = event::of_row(row, shown_to, &request.base)?;
        bundle.entry(|members| {
            members.text(
                "fullUrl",
                &format!("{}/AuditEvent/{}", request.base, event::id_of(row)),
            )?;
            members.raw("resource", &text(&resource)?);
            members.object("search", |search| search.text("mode", "match"))
        })?;
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

fn text(resource: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec(resource).map_err(Error::internal)
}

/// What is asked, on the first page or a later one.
struct Asked {
    query: AuditQuery,
    url: String,
    path: String,
    parameters: Parameters,
    page: Option<Page>,
    counts: bool,
    issues: Vec<Issue>,
}

impl Asked {
    fn read(session: &Session, request: &Request) -> Result<Asked> {
        let path = match &request.compartment {
            Some(centre) => format!("{centre}/AuditEvent"),
            None => "AuditEvent".to_owned(),
        };
        let page = Page::of_request(request, &path, session)?;
        let parameters = page.as_ref().map_or(&request.query, |page| &page.query);
        let mut reader = Reader::of(parameters, request.strict_handling == Some(true));
        let mut tests = Vec::new();
        if let Some(centre) = &request.compartment {
            tests.push(of_compartment(centre)?);
        }
        for (name, read) in PARAMETERS {
            for value in reader.all(name)? {
                tests.push(read(session, name, value)?);
            }
        }
        let oldest_first = match reader.one("_sort")? {
            None | Some("-date" | "-_lastUpdated") => false,
            Some("date" | "_lastUpdated") => true,
            Some(other) => {
                return Err(malformed(
                    "_sort",
                    other,
                    "date, -date, _lastUpdated or -_lastUpdated",
                ));
            }
        };
        let only_count = match reader.one("_summary")? {
            None | Some("false") => false,
            Some("count") => true,
            Some(other) => return Err(malformed("_summary", other, "count or false here")),
        };
        let counts = match reader.one("_total")? {
            None | Some("accurate" | "estimate") => true,
            Some("none") => only_count,
            Some(other) => return Err(malformed("_total", other, "none, estimate or accurate")),
        };
        let count = query::count(&mut reader, session)?;
        let mut query = AuditQuery::new(tests, if only_count { 0 } else { count });
        query.oldest_first = oldest_first;
        let (parameters, issues) = reader.finish()?;
        let url = format!("{}/{path}", request.base);
        Ok(Asked {
            query,
            url,
            path,
            parameters,
            page,
            counts,
            issues,
        })
    }

    /// The last row that the pages show, and how many match up to there.
    async fn first_page(&self, session: &Session) -> Result<(i64, Option<u64>)> {
        if let Some(page) = &self.page {
            return Ok((page.mark, page.total));
        }
        let newest = session.audit_rows(&AuditQuery::new(Vec::new(), 1)).await?;
        let mark = newest.first().map_or(0, |row| row.stamp);
        if !self.counts {
            return Ok((mark, None));
        }
        let most = session.settings().total_max;
        let mut query = self.query.clone();
        query.tests.push(AuditTest::Between(0, mark));
        query.count = usize::try_from(most.saturating_add(1)).unwrap_or(usize::MAX);
        let total = session.audit_total(&query).await?;
        Ok((mark, (total <= most).then_some(total)))
    }

    /// The rows after the page before.
    fn rest(&self, mark: i64) -> AuditTest {
        match (
            self.page.as_ref().map(|page| &page.after),
            self.query.oldest_first,
        ) {
            (Some(After::Stamp(stamp)), true) => AuditTest::Between(stamp.saturating_add(1), mark),
            (Some(After::Stamp(stamp)), false) => AuditTest::Between(0, stamp.saturating_sub(1).min(mark)),
            _ => AuditTest::Between(0, mark),
        }
    }

    fn next(&self, session: &Session, (after, mark): (i64, i64), total: Option<u64>) -> Result<String> {
        let page = Page {
            path: self.path.clone(),
            query: self.parameters.clone(),
            after: After::Stamp(after),
            mark,
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
        let parameters = match self.page {
            Some(_) => &request.query,
            None => &self.parameters,
        };
        uri::with_query(self.url.clone(), parameters)
    }
}

type ReadTest = fn(&Session, &str, &str) -> Result<AuditTest>;

/// The search parameters of AuditEvent that the trail can answer.
const PARAMETERS: [(&str, ReadTest); 11] = [
    ("patient", patient),
    ("entity", entity),
    ("date", written),
    ("_lastUpdated", written),
    ("action", action),
    ("outcome", outcome_of),
    ("subtype", subtype),
    ("altid", actor),
    ("agent-name", actor),
    ("_id", ids),
    ("type", kind),
];

fn of_compartment(centre: &Key) -> Result<AuditTest> {
    match centre.resource_type.name() {
        "Patient" => Ok(AuditTest::Patient(vec![centre.id.clone()])),
        other => {
            let text = format!(
                "The audit trail is kept by patient, not by {other}: use AuditEvent?entity={centre}."
            );
            Err(Error::new(ErrorCode::NotSupported, text))
        }
    }
}

fn patient(_: &Session, name: &str, value: &str) -> Result<AuditTest> {
    let one = |text: &str| {
        let id = text.strip_prefix("Patient/").unwrap_or(text);
        match is_id(id) {
            true => Ok(id.to_owned()),
            false => Err(malformed(name, text, "Patient/ and an id")),
        }
    };
    Ok(AuditTest::Patient(
        value.split(',').map(one).collect::<Result<_>>()?,
    ))
}

fn entity(_: &Session, name: &str, value: &str) -> Result<AuditTest> {
    let keys: Vec<Key> = value
        .split(',')
        .map(|one| key(one).ok_or_else(|| malformed(name, one, "a type and an id, such as Observation/1")))
        .collect::<Result<_>>()?;
    let all_patients = keys.iter().all(|key| key.resource_type.name() == "Patient");
    Ok(match all_patients {
        true => AuditTest::Patient(keys.into_iter().map(|key| key.id).collect()),
        false => AuditTest::Resource(
            keys.into_iter()
                .map(|key| (key.resource_type, Some(key.id)))
                .collect(),
        ),
    })
}

fn key(text: &str) -> Option<Key> {
    let (name, id) = text.split_once('/')?;
    let resource_type = ResourceType::from_name(name)?;
    is_id(id).then(|| Key {
        resource_type,
        id: id.to_owned(),
    })
}

fn written(session: &Session, name: &str, value: &str) -> Result<AuditTest> {
    let (prefix, text) = match value.get(..2) {
        Some(prefix) if prefix.bytes().all(|b| b.is_ascii_lowercase()) => value.split_at(2),
        _ => ("eq", value),
    };
    let expected = "a date, after an optional prefix eq, gt, ge, lt, le, sa or eb";
    let (first, last) =
        span::of_date_text(text, &session.settings().zone).map_err(|_| malformed(name, value, expected))?;
    let between = |from: i64, to: i64| Ok(AuditTest::Written(Millis(from), Millis(to)));
    match prefix {
        "eq" => between(first, last),
        "gt" | "sa" => between(last.saturating_add(1), i64::MAX),
        "ge" => between(first, i64::MAX),
        "lt" | "eb" => between(0, first.saturating_sub(1)),
        "le" => between(0, last),
        _ => Err(malformed(name, value, expected)),
    }
}

/// The code of a token, whatever its system.
fn code(text: &str) -> &str {
    text.rsplit_once('|').map_or(text, |(_, code)| code)
}

fn action(_: &Session, name: &str, value: &str) -> Result<AuditTest> {
    let one = |text: &str| {
        let known = AuditAction::ALL
            .into_iter()
            .find(|action| action.code() == code(text));
        known.ok_or_else(|| malformed(name, text, "C, R, U, D or E"))
    };
    Ok(AuditTest::Action(
        value.split(',').map(one).collect::<Result<_>>()?,
    ))
}

fn outcome_of(_: &Session, name: &str, value: &str) -> Result<AuditTest> {
    let one = |text: &str| match code(text).parse::<i16>() {
        Ok(number @ (0 | 4 | 8 | 12)) => Ok(number),
        _ => Err(malformed(name, text, "0, 4, 8 or 12")),
    };
    Ok(AuditTest::Outcome(
        value.split(',').map(one).collect::<Result<_>>()?,
    ))
}

fn subtype(_: &Session, name: &str, value: &str) -> Result<AuditTest> {
    let one = |text: &str| {
        if code(text) == LOGIN {
            return Ok(SIGN_IN);
        }
        let all = (1..).map_while(interaction_of);
        let known = all
            .into_iter()
            .find(|interaction| interaction.code() == code(text));
        known
            .map(number_of)
            .ok_or_else(|| malformed(name, text, "an interaction such as read, search-type or update"))
    };
    Ok(AuditTest::Interaction(
        value.split(',').map(one).collect::<Result<_>>()?,
    ))
}

fn actor(_: &Session, _: &str, value: &str) -> Result<AuditTest> {
    Ok(AuditTest::Actor(
        value.split(',').map(|one| code(one).to_owned()).collect(),
    ))
}

fn ids(_: &Session, _: &str, value: &str) -> Result<AuditTest> {
    Ok(AuditTest::Stamp(
        value.split(',').filter_map(event::stamp_of).collect(),
    ))
}

/// Rows of interactions are of the type `rest`; counts of requests of nobody who is known are failed sign-ins.
fn kind(_: &Session, _: &str, value: &str) -> Result<AuditTest> {
    let asks = |wanted: &str| value.split(',').any(|one| code(one) == wanted);
    let interactions = (0..).take_while(|n| *n == 0 || interaction_of(*n).is_some());
    let mut numbers: Vec<i16> = interactions.filter(|_| asks("rest")).collect();
    numbers.extend(asks(AUTHENTICATION).then_some(SIGN_IN));
    Ok(match numbers.is_empty() {
        true => AuditTest::Stamp(Vec::new()),
        false => AuditTest::Interaction(numbers),
    })
}
