//! Parameters that the protocol itself defines (<https://hl7.org/fhir/R4/search.html#all>): `_id`, `_lastUpdated`, `_list`,
//! `_filter`, and those that are refused or not offered.

use super::escape;
use super::expression::{self, Expression, Operator};
use super::{Problem, Scope, any_of, not};
use super::{modifier, phrase};
use crate::error::{Error, ErrorCode, Result};
use crate::search::{instant, malformed};
use crate::store::{Filter, ResourceType};

type Outcome = std::result::Result<Filter, Problem>;

/// The filter of a parameter that stands by itself, never at the end of a chain; `None` where it is none of these.
pub(super) fn filter(scope: &Scope<'_>, types: &[ResourceType], name: &str, value: &str) -> Option<Outcome> {
    let (code, modifier) = super::name::apart(name);
    let outcome = match code {
        "_filter" => Expression::parse(value, scope.limits)
            .map_err(Problem::from)
            .and_then(|tests| expression::filter(scope, types, &tests)),
        "_list" => list(scope, value),
        "_query" => Err(Problem::Refused(
            Error::new(
                ErrorCode::Value,
                "_query is not offered: this server has no named queries. Search by parameters.",
            )
            .at("http._query"),
        )),
        _ => return None,
    };
    Some(match modifier {
        Some(name) => Err(modifier::refused(code, "special", "no modifier", name).into()),
        None => outcome,
    })
}

/// The filter of `_id` and `_lastUpdated`, which the store answers by itself; `None` for any other code.
pub(super) fn everywhere(
    scope: &Scope<'_>,
    code: &str,
    modifier: Option<&str>,
    value: &str,
) -> Option<Outcome> {
    let read: fn(&Scope<'_>, &str) -> Result<Filter> = match code {
        "_id" => ids,
        "_lastUpdated" => last_updated,
        _ => return None,
    };
    Some(match modifier {
        None => read(scope, value).map_err(Problem::from),
        // Every resource has both.
        Some("missing") => super::value::is_missing(code, value)
            .map(|missing| if missing { Filter::None } else { Filter::All })
            .map_err(Problem::from),
        Some("not") if code == "_id" => read(scope, value).map(not).map_err(Problem::from),
        Some(other) => {
            let (kind, taken) = match code {
                "_id" => ("token", ":missing and :not"),
                _ => ("date", ":missing alone"),
            };
            Err(modifier::refused(code, kind, taken, other).into())
        }
    })
}

/// The filter of `_text` and `_content` for a type, or for any; `None` for any other code.
pub(super) fn words(
    scope: &Scope<'_>,
    resource_type: Option<ResourceType>,
    code: &str,
    modifier: Option<&str>,
    value: &str,
) -> Option<Outcome> {
    if !matches!(code, "_text" | "_content") {
        return None;
    }
    if let Some(name) = modifier {
        return Some(Err(modifier::refused(code, "special", "no modifier", name).into()));
    }
    if !scope.limits.full_text {
        return Some(Err(Problem::Unknown(format!(
            "{code} is not offered: this server keeps no index of full text; search.full_text in its configuration switches that on."
        ))));
    }
    // `_text` is for types with narrative alone.
    if let Some(Err(unknown)) = resource_type.map(|of| scope.parameter(Some(of), code)) {
        return Some(Err(unknown));
    }
    let narrative = code == "_text";
    Some(phrase::filter(scope, code, narrative, value).map_err(Problem::from))
}

/// The same, compared as `_filter` compares.
pub(super) fn compared(scope: &Scope<'_>, code: &str, operator: Operator, value: &str) -> Option<Outcome> {
    let refuse = |takes: &str| {
        Err(Problem::Refused(expression::does_not_compare(
            code, operator, takes,
        )))
    };
    Some(match (code, operator) {
        ("_id", Operator::Eq) => ids(scope, value).map_err(Problem::from),
        ("_id", Operator::Ne) => ids(scope, value).map(not).map_err(Problem::from),
        ("_id" | "_lastUpdated", Operator::Pr) => super::value::is_missing(code, value)
            .map(|present| if present { Filter::All } else { Filter::None })
            .map_err(Problem::from),
        ("_id", _) => refuse("eq, ne and pr"),
        // What changed last is an instant, so that overlapping is being within.
        ("_lastUpdated", Operator::Po) => last_updated(scope, value).map_err(Problem::from),
        ("_lastUpdated", operator) => match operator.compare() {
            Some(_) => last_updated(scope, &format!("{}{value}", operator.name())).map_err(Problem::from),
            None => refuse("eq, ne, gt, lt, ge, le, sa, eb, ap, po and pr"),
        },
        _ => return None,
    })
}

/// The ids of a list with commas between.
fn ids(scope: &Scope<'_>, value: &str) -> Result<Filter> {
    let ids = each(scope, "_id", value)?;
    Ok(Filter::Ids(ids.into_iter().map(escape::plain).collect()))
}

fn last_updated(scope: &Scope<'_>, value: &str) -> Result<Filter> {
    let any = each(scope, "_lastUpdated", value)?
        .into_iter()
        .map(|date| instant::last_updated(date, scope.zone, scope.now))
        .collect::<Result<Vec<_>>>()?;
    Ok(any_of(any))
}

/// `_list`: the members of a List, by its id.
pub(crate) fn list(scope: &Scope<'_>, value: &str) -> Outcome {
    let lists = each(scope, "_list", value)?;
    let mut ids = Vec::with_capacity(lists.len());
    for list in lists {
        if list.starts_with('$') {
            return Err(Problem::Unknown(format!(
                "The list {:?} is not offered: this server keeps no functional lists; name a List by its id.",
                list.chars().take(40).collect::<String>()
            )));
        }
        ids.push(escape::plain(list.strip_prefix("List/").unwrap_or(list)));
    }
    let of_lists = ResourceType::from_name("List").ok_or_else(|| Error::internal("R4 without List"))?;
    let parameter = scope.parameter(Some(of_lists), "item")?;
    Ok(Filter::ReferredToBy {
        resource_type: of_lists,
        parameter: parameter.number,
        filter: Box::new(Filter::Ids(ids)),
    })
}

/// The values with commas between, within the limit; none is empty.
fn each<'v>(scope: &Scope<'_>, code: &str, value: &'v str) -> Result<Vec<&'v str>> {
    let values: Vec<&str> = escape::split(value, ',').into_iter().map(str::trim).collect();
    scope.check_values(values.len(), code)?;
    match values.iter().any(|v| v.is_empty()) {
        true => Err(malformed(code, value, "a value on each side of a comma")),
        false => Ok(values),
    }
}
