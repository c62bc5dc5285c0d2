//! From a path and a method to a request.

use actix_web::http::{Method, header};

use super::exchange::Exchange;
use super::routes::{Place, Route};
use super::{base_url, path, refuse};
use crate::config::Config;
use crate::error::Result;
use crate::interaction::{Interaction, Request};

/// The route that the request takes, and what its path says; `None` where it only asks which methods there are.
///
/// # Errors
/// The path leads nowhere, the method is not one of it, or the `Host` is not ours.
pub(super) fn request(
    config: &Config,
    exchange: &mut Exchange<'_>,
) -> Result<Option<(&'static Route, Request)>> {
    let http = exchange.http;
    let (mounted_at, tail) = path::below_mount(http.uri().path(), http.match_info());
    let segments = path::segments(tail)?;
    let place = Place::find(&segments).ok_or_else(|| refuse::unknown_path(&segments))?;
    let resource_type = place
        .resource_type
        .map(refuse::unless_resource_type)
        .transpose()?;
    exchange.resource_type = resource_type;
    exchange.allow = Some(place.allow());
    let Some(route) = place.route(http.method()) else {
        exchange.add(header::ALLOW, place.allow());
        return match *http.method() {
            Method::OPTIONS => Ok(None),
            ref other => Err(refuse::method(other, &place)),
        };
    };
    exchange.interaction = Some(route.interaction);
    let base = base_url::base_url(config, &exchange.mount, http, mounted_at)?;
    exchange.base = Some(base.clone());
    let mut request = Request::new(route.interaction, base);
    request.resource_type = resource_type;
    request.id = place.id.map(refuse::unless_id).transpose()?;
    request.version = place.vid.map(str::to_owned);
    request.operation = place.operation.map(str::to_owned);
    request.safe = route.method == Method::GET;
    if let Some(member) = place.member {
        compartment(&mut request, member)?;
    }
    Ok(Some((route, request)))
}

/// A search of the compartment around the resource in the path.
fn compartment(request: &mut Request, member: &str) -> Result<()> {
    request.compartment = Some(request.key()?);
    request.id = None;
    request.resource_type = match member {
        "*" => None,
        name => Some(refuse::unless_resource_type(name)?),
    };
    if request.resource_type.is_none() {
        request.interaction = Interaction::SearchSystem;
    }
    Ok(())
}
