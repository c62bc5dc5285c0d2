//! `_explain`: instead of its results, how a search is answered: what was understood, which index answers it, the database's plan and the
//! rows that were looked at. An extension of this server's.
//!
//! Invariant: an operator alone is told. Numbers of rows tell of what a caller may not see, so that no token of a patient's or a user's is
//! enough, whatever its other scopes.

use fhir_model::{AnyValue, Parameters, ParametersParameter, Resource, json};

use super::asked::Asked;
use crate::engine::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::query::{Reader, malformed};
use crate::interaction::{Payload, Request, Response};
use crate::search::describe;
use crate::store::{self, SearchQuery};

/// The scope that makes a program an operator.
pub(crate) const SCOPE: &str = "operator/explain";

/// Reads `_explain`.
///
/// # Errors
/// It is neither `true` nor `false`, or the caller is no operator.
pub(super) fn read(reader: &mut Reader<'_>, session: &Session) -> Result<bool> {
    match reader.one("_explain")? {
        None | Some("false") => Ok(false),
        Some("true") if session.context().principal.operates(SCOPE) => Ok(true),
        Some("true") => Err(Error::new(
            ErrorCode::Forbidden,
            format!(
                "_explain is for those who operate the server: a program that acts for no user, with the scope {SCOPE}. Search \
                 without it."
            ),
        )
        .at("http._explain")),
        Some(other) => Err(malformed("_explain", other, "true or false")),
    }
}

/// 200 with Parameters.
pub(super) async fn answer(session: &Session, request: &Request, asked: &Asked) -> Result<Response> {
    let limit = asked.limit_of_total(session).map(|limit| limit.saturating_add(1));
    let query = SearchQuery {
        count: asked.query.count.saturating_add(1),
        ..asked.query.clone()
    };
    let (seen, explanation) = session.explain(query, limit).await?;
    let names = describe::Names::new(crate::search::registry::Registry::r4());
    let mut parameter = vec![
        text("query", asked.self_link(request)),
        text("understood", names.text(&seen)),
    ];
    for issue in &asked.issues {
        parameter.push(text("issue", issue.diagnostics.clone()));
    }
    for (filter, count) in &explanation.considered {
        let count = match count {
            None => "not counted".to_owned(),
            Some(count) => format!("{count} as far as counted"),
        };
        parameter.push(parts(
            "part",
            vec![text("filter", names.text(filter)), text("gives", count)],
        ));
    }
    parameter.push(text("drivenBy", explanation.driven_by.clone()));
    parameter.extend(explanation.statements.iter().map(statement));
    let answer = Resource::from(Parameters {
        parameter,
        ..Parameters::default()
    });
    Ok(Response::new(200, Payload::Json(json::to_vec(&answer))))
}

fn statement(asked: &store::Asked) -> ParametersParameter {
    parts(
        "statement",
        vec![
            text("sql", asked.sql.clone()),
            text("plan", asked.plan.join("\n")),
            text("rows", asked.rows.to_string()),
            text("lookedAt", asked.looked_at.to_string()),
            text("milliseconds", format!("{:.3}", asked.took.as_secs_f64() * 1e3)),
        ],
    )
}

fn text(name: &str, value: String) -> ParametersParameter {
    ParametersParameter {
        name: name.into(),
        value: Some(AnyValue::String(value.into())),
        ..ParametersParameter::default()
    }
}

fn parts(name: &str, part: Vec<ParametersParameter>) -> ParametersParameter {
    ParametersParameter {
        name: name.into(),
        part,
        ..ParametersParameter::default()
    }
}
