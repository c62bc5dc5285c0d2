//! `_sort` (<https://hl7.org/fhir/R4/search.html#sort>): codes of parameters with commas between, each after a `-` where the greatest
//! comes first.

use crate::error::{Error, ErrorCode, Result};
use crate::interaction::query::Reader;
use crate::search::criteria::Scope;
use crate::store::{ParameterNumber, ResourceType, Sort, SortKey, ValueKind};

/// The order asked for; empty is the newest change first. What cannot be sorted by is reported, and the order then left aside as a whole.
pub(super) fn read(reader: &mut Reader<'_>, scope: &Scope<'_>, types: &[ResourceType]) -> Result<Vec<Sort>> {
    let Some(text) = reader.one("_sort")? else {
        return Ok(Vec::new());
    };
    let keys: Vec<&str> = text.split(',').map(str::trim).collect();
    if keys.len() > scope.limits.sort {
        let text = format!(
            "_sort has {} keys; the limit is {}.",
            keys.len(),
            scope.limits.sort
        );
        return Err(Error::new(ErrorCode::TooCostly, text).at("http._sort"));
    }
    let mut order = Vec::with_capacity(keys.len());
    for key in keys {
        let (descending, code) = key.strip_prefix('-').map_or((false, key), |code| (true, code));
        match sort_key(scope, types, code) {
            Ok(key) => order.push(Sort { key, descending }),
            Err(why) => {
                reader.ignore("_sort", why);
                return Ok(Vec::new());
            }
        }
    }
    Ok(order)
}

fn sort_key(scope: &Scope<'_>, types: &[ResourceType], code: &str) -> std::result::Result<SortKey, String> {
    match code {
        "_lastUpdated" => return Ok(SortKey::LastUpdated),
        "_id" => return Ok(SortKey::Id),
        _ => {}
    }
    let first = sortable(scope, types.first().copied(), code)?;
    let mut parameters = vec![first.0];
    for one in types.iter().skip(1) {
        let (number, kind) = sortable(scope, Some(*one), code)?;
        if kind != first.1 {
            let short: String = code.chars().take(60).collect();
            return Err(format!(
                "Sorting by {short:?} is not offered across these types: its values are of several kinds."
            ));
        }
        parameters.push(number);
    }
    parameters.sort_unstable();
    parameters.dedup();
    let kind = first.1;
    Ok(match parameters.as_slice() {
        [parameter] => SortKey::Parameter {
            parameter: *parameter,
            kind,
        },
        several => SortKey::AnyParameter {
            parameters: several.into(),
            kind,
        },
    })
}

/// The parameter of a type, or of every type, whose values have an order.
fn sortable(
    scope: &Scope<'_>,
    resource_type: Option<ResourceType>,
    code: &str,
) -> std::result::Result<(ParameterNumber, ValueKind), String> {
    let short: String = code.chars().take(60).collect();
    let Some(parameter) = scope.registry.find(resource_type, code) else {
        return Err(match resource_type {
            Some(t) => format!(
                "Sorting by {short:?} is not offered: it is no search parameter of {}.",
                t.name()
            ),
            None => format!(
                "Sorting by {short:?} is not offered: across all types only parameters that all of them have can be sorted by; \
                 name the types in _type."
            ),
        });
    };
    match parameter.value_kinds().first() {
        Some(&kind) if parameter.is_indexed() && kind != ValueKind::Position => Ok((parameter.number, kind)),
        _ => Err(format!(
            "Sorting by {short:?} is not offered: values of type {} have no order.",
            parameter.kind.code()
        )),
    }
}
