//! The one table of routes (<https://hl7.org/fhir/R4/http.html#summary>): dispatch, `Allow`, the CapabilityStatement, the
//! OpenAPI document and the metrics labels all follow from it.
//!
//! HEAD is answered wherever GET is, OPTIONS everywhere.

use actix_web::http::Method;

use crate::interaction::Interaction;

/// One row: a method on a path below the FHIR base.
#[derive(Debug)]
pub(crate) struct Route {
    /// The method.
    pub(crate) method: Method,
    /// The path below the base: literal segments, `{type}`, `{id}`, `{vid}`, `{member}`, and `{op}` for `$` and an operation's code.
    pub(crate) path: &'static str,
    /// What it asks for.
    pub(crate) interaction: Interaction,
    /// What its body is.
    pub(crate) body: BodyKind,
}

/// What the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// Not looked at.
    None,
    /// A resource; for the type Binary also content in its own media type.
    Resource,
    /// The parameters of a search as `application/x-www-form-urlencoded`.
    Form,
    /// A patch in one of its forms.
    Patch,
    /// A resource, or nothing: the arguments of an operation.
    Arguments,
}

const fn row(method: Method, path: &'static str, interaction: Interaction, body: BodyKind) -> Route {
    Route {
        method,
        path,
        interaction,
        body,
    }
}

/// Every route. Rows of one path stand together; literal segments before variables.
pub(crate) static ROUTES: &[Route] = {
    use BodyKind::{Arguments, Form, None, Resource};
    use Interaction::*;
    &[
        row(Method::GET, "/", SearchSystem, None),
        row(Method::POST, "/", Transaction, Resource),
        row(Method::GET, "/metadata", Capabilities, None),
        row(Method::GET, "/_history", HistorySystem, None),
        row(Method::POST, "/_search", SearchSystem, Form),
        row(Method::GET, "/{op}", Operation, None),
        row(Method::POST, "/{op}", Operation, Arguments),
        row(Method::GET, "/{type}", SearchType, None),
        row(Method::POST, "/{type}", Create, Resource),
        row(Method::PUT, "/{type}", Update, Resource),
        row(Method::PATCH, "/{type}", Patch, BodyKind::Patch),
        row(Method::DELETE, "/{type}", Delete, None),
        row(Method::POST, "/{type}/_search", SearchType, Form),
        row(Method::GET, "/{type}/_history", HistoryType, None),
        row(Method::GET, "/{type}/{op}", Operation, None),
        row(Method::POST, "/{type}/{op}", Operation, Arguments),
        row(Method::GET, "/{type}/{id}", Read, None),
        row(Method::PUT, "/{type}/{id}", Update, Resource),
        row(Method::PATCH, "/{type}/{id}", Patch, BodyKind::Patch),
        row(Method::DELETE, "/{type}/{id}", Delete, None),
        row(Method::GET, "/{type}/{id}/{op}", Operation, None),
        row(Method::POST, "/{type}/{id}/{op}", Operation, Arguments),
        row(Method::GET, "/{type}/{id}/_history", HistoryInstance, None),
        row(Method::GET, "/{type}/{id}/_history/{vid}", Vread, None),
        row(Method::GET, "/{type}/{id}/{member}", SearchType, None),
        row(Method::POST, "/{type}/{id}/{member}/_search", SearchType, Form),
    ]
};

/// A path of the table, with what its variables hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place<'s> {
    /// The path in the table.
    pub(crate) path: &'static str,
    /// `{type}`
    pub(crate) resource_type: Option<&'s str>,
    /// `{id}`
    pub(crate) id: Option<&'s str>,
    /// `{vid}`
    pub(crate) vid: Option<&'s str>,
    /// `{member}`: a type, or `*` for any
    pub(crate) member: Option<&'s str>,
    /// `{op}`, without its `$`
    pub(crate) operation: Option<&'s str>,
}

impl<'s> Place<'s> {
    /// The path of the table that these segments name.
    pub(crate) fn find(segments: &'s [String]) -> Option<Self> {
        let mut tried = "";
        for route in ROUTES {
            if route.path != tried {
                tried = route.path;
                if let Some(place) = Place::match_path(route.path, segments) {
                    return Some(place);
                }
            }
        }
        None
    }

    fn match_path(path: &'static str, segments: &'s [String]) -> Option<Self> {
        let mut place = Place {
            path,
            resource_type: None,
            id: None,
            vid: None,
            member: None,
            operation: None,
        };
        let mut rest = segments.iter();
        for expected in path.split('/').filter(|s| !s.is_empty()) {
            let found = rest.next()?.as_str();
            if expected == "{op}" {
                place.operation = Some(found.strip_prefix('$')?);
                continue;
            }
            let variable = match expected {
                "{type}" => &mut place.resource_type,
                "{id}" => &mut place.id,
                "{vid}" => &mut place.vid,
                "{member}" => &mut place.member,
                literal if literal == found => continue,
                _ => return None,
            };
            if found.starts_with(['_', '$']) {
                return None;
            }
            *variable = Some(found);
        }
        rest.next().is_none().then_some(place)
    }

    /// The row for that method; HEAD is answered as GET.
    pub(crate) fn route(&self, method: &Method) -> Option<&'static Route> {
        let method = if *method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        ROUTES.iter().find(|r| r.path == self.path && r.method == *method)
    }

    /// The methods of this path, for `Allow`.
    pub(crate) fn allow(&self) -> String {
        let mut allow = String::with_capacity(64);
        for route in ROUTES.iter().filter(|r| r.path == self.path) {
            allow.push_str(route.method.as_str());
            allow.push_str(if route.method == Method::GET {
                ", HEAD, "
            } else {
                ", "
            });
        }
        allow + "OPTIONS"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(path: &str) -> Vec<String> {
        path.split('/')
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn interaction(method: Method, path: &str) -> Option<Interaction> {
        Some(Place::find(&segments(path))?.route(&method)?.interaction)
    }

    #[test]
    fn each_route_finds_itself() {
        for route in ROUTES {
            let path = route
                .path
                .replace("{type}", "Patient")
                .replace("{id}", "a1")
                .replace("{vid}", "2")
                .replace("{member}", "Observation")
                .replace("{op}", "$meta");
            assert_eq!(
                interaction(route.method.clone(), &path),
                Some(route.interaction),
                "{route:?}"
            );
        }
    }

    #[test]
    fn rows_of_one_path_stand_together_and_no_row_repeats() {
        let mut paths: Vec<_> = ROUTES.iter().map(|r| r.path).collect();
        paths.dedup();
        let together = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), together);
        for (i, a) in ROUTES.iter().enumerate() {
            assert!(
                ROUTES
                    .iter()
                    .skip(i + 1)
                    .all(|b| a.path != b.path || a.method != b.method),
                "{a:?}"
            );
        }
    }

    #[test]
    fn variables_take_their_values() {
        let path = segments("Patient/p-1/_history/3");
        let place = Place::find(&path).unwrap();
        assert_eq!(
            (place.resource_type, place.id, place.vid),
            (Some("Patient"), Some("p-1"), Some("3"))
        );
    }

    #[test]
    fn head_is_get_and_allow_names_all() {
        assert_eq!(interaction(Method::HEAD, "Patient/1"), Some(Interaction::Read));
        let path = segments("Patient/1");
        assert_eq!(
            Place::find(&path).unwrap().allow(),
            "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
        );
        assert_eq!(interaction(Method::PATCH, "Patient"), Some(Interaction::Patch));
        assert_eq!(interaction(Method::GET, "Patient/_search"), None);
    }

    #[test]
    fn names_of_the_protocol_are_never_ids() {
        for path in [
            "_unknown",
            "$a/b",
            "Patient/_x",
            "Patient/$validate/1",
            "Patient/1/_history/2/$meta",
            "Patient/1/_x",
        ] {
            assert!(Place::find(&segments(path)).is_none(), "{path}");
        }
    }
}
