//! One request and its answer as HTTP sees them: what both share, and what every answer carries.

use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::mount::Mount;
use super::query::Query;
use super::state::State;
use super::{cors, ids, negotiate};
use crate::config::LimitsConfig;
use crate::error::Result;
use crate::interaction::{Format, Interaction};
use crate::store::ResourceType;

/// What is known of a request while it is answered.
pub(crate) struct Exchange<'r> {
    pub(crate) http: &'r HttpRequest,
    pub(crate) start: Instant,
    pub(crate) request_id: String,
    pub(crate) correlation_id: Option<String>,
    /// All `Accept` lines as one list.
    accept: Option<String>,
    /// `_format`, as soon as it is known.
    pub(crate) format_parameter: Option<String>,
    /// `_pretty`, as soon as it is known.
    pub(crate) pretty: bool,
    /// The base that it came to.
    pub(crate) mount: Mount,
    pub(crate) interaction: Option<Interaction>,
    pub(crate) resource_type: Option<ResourceType>,
    /// The FHIR base as the client sees it, as soon as it is known.
    pub(crate) base: Option<String>,
    /// The methods of the path, as soon as it is known.
    pub(crate) allow: Option<String>,
    /// Headers for the answer, whether it succeeds or not.
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl<'r> Exchange<'r> {
    pub(crate) fn open(http: &'r HttpRequest) -> Self {
        Exchange {
            http,
            start: Instant::now(),
            request_id: ids::request_id(http.headers()),
            correlation_id: None,
            accept: accept(http.headers()),
            format_parameter: None,
            pretty: false,
            mount: Mount::default(),
            interaction: None,
            resource_type: None,
            base: None,
            allow: None,
            headers: Vec::new(),
        }
    }

    pub(crate) fn accept(&self) -> Option<&str> {
        self.accept.as_deref()
    }

    /// The parameters of the URL; what they say of the format counts even where one of them cannot be read.
    pub(crate) fn read_query(&mut self, limits: &LimitsConfig) -> Result<Query> {
        let mut query = Query::default();
        let read = query.add(self.http.uri().query().unwrap_or_default(), limits);
        self.follow(&query);
        read.map(|()| query)
    }

    /// Takes over what the parameters say of the format.
    pub(crate) fn follow(&mut self, query: &Query) {
        self.pretty = query.pretty;
        self.format_parameter.clone_from(&query.format);
    }

    /// Adds a header to the answer, whatever it will be, if its value can stand in one.
    pub(crate) fn add(&mut self, name: HeaderName, value: String) {
        self.headers
            .extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
    }

    /// The format of an error's answer.
    pub(crate) fn error_format(&self) -> Format {
        negotiate::error_format(self.format_parameter.as_deref(), self.accept())
    }

    /// Adds what every answer carries.
    pub(crate) fn complete(&mut self, state: &State, answer: &mut HeaderMap) {
        answer.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        answer.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if state.config.listen.tls.is_some() {
            let lasting = HeaderValue::from_static("max-age=31536000");
            answer.insert(header::STRICT_TRANSPORT_SECURITY, lasting);
        }
        answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer.insert(header::VARY, HeaderValue::from_static("Accept"));
        let ids = [
            (ids::REQUEST_ID, Some(&self.request_id)),
            (ids::CORRELATION_ID, self.correlation_id.as_ref()),
        ];
        for (name, id) in ids {
            if let Some(value) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
                answer.insert(name, value);
            }
        }
        let public = self.interaction == Some(Interaction::Capabilities);
        let allow = self.allow.as_deref().unwrap_or_default();
        cors::add(&state.config.listen, self.http.headers(), public, allow, answer);
        for (name, value) in self.headers.drain(..) {
            answer.insert(name, value);
        }
    }

    /// Counts and logs the answer. Neither path nor query is logged: they may tell about a patient.
    pub(crate) fn record(&self, state: &State, status: u16) {
        let took = self.start.elapsed();
        state
            .metrics
            .record(self.interaction, self.resource_type, status, took);
        tracing::info!(
            request_id = %self.request_id,
            correlation_id = self.correlation_id.as_deref(),
            interaction = self.interaction.map_or("none", Interaction::code),
            resource_type = self.resource_type.map(ResourceType::name),
            status,
            millis = took.as_secs_f64() * 1000.0,
            "answered"
        );
    }
}

fn accept(headers: &HeaderMap) -> Option<String> {
    let lines: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .filter_map(|v| v.to_str().ok())
        .collect();
    (!lines.is_empty()).then(|| lines.join(","))
}
