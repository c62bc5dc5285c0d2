//! Operations (<https://hl7.org/fhir/R4/operations.html>): what the server does beside the interactions, one file each: its
//! OperationDefinition and what it does. Routes, arguments, CapabilityStatement and OpenAPI follow from the definitions.
//!
//! Invariant: an operation runs only after the policy permitted it, with arguments that its definition allows; it reads and
//! writes through the session, and each read and write is decided there as well.

pub(crate) mod arguments;
mod batch_validate_code;
mod check;
mod diff;
mod everything;
mod expand;
mod graphql;
mod lastn;
mod lookup;
mod meta;
mod meta_add;
mod meta_delete;
mod meta_used;
#[cfg(feature = "docs")]
mod openapi;
pub(crate) mod purge;
mod status;
mod subsumes;
pub(crate) mod terminology;
mod translate;
mod validate;
mod validate_code;

use std::sync::Arc;

use fhir_model::{
    OperationDefinition, OperationDefinitionParameter, Parameters, ParametersParameter, Resource, json,
};
use futures_util::future::BoxFuture;

pub use arguments::Arguments;

use crate::engine::{Session, Ticket, Written};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Level, Payload, Request, RequestBody, Response};
use crate::store::{Key, ResourceType};

/// One operation.
pub trait Operation: Send + Sync {
    /// Its name in a URL, without the `$`.
    fn code(&self) -> &'static str;
    /// What it takes and gives, and on what it runs: `system`, `type`, `instance`, `resource`, `affectsState` and the
    /// parameters are what the server goes by.
    fn definition(&self) -> OperationDefinition;
    /// The arguments in a body of JSON that is no resource, as parameters of a URL; `None` where it takes no such body.
    ///
    /// # Errors
    /// The body is not of the form that the operation takes.
    fn arguments_of_json(&self, _body: &[u8]) -> Option<Result<Vec<(String, String)>>> {
        None
    }

    /// Whether a call may also have the search parameters of the type that it is on, in the URL.
    fn takes_search_parameters(&self) -> bool {
        false
    }
    /// Whether a body is taken of which a part cannot be read as FHIR: the operation is given the rest, and what is wrong with
    /// that part.
    fn judges_text(&self) -> bool {
        false
    }
    /// Whether a call on that level means nothing without a resource in its body.
    fn needs_resource(&self, _level: Level) -> bool {
        false
    }
    /// The scope that a caller needs, where that is one of its own and no scope for the type helps.
    fn scope(&self) -> Option<&'static str> {
        None
    }
    /// A value for an argument, such as a page of documentation tries; it runs on any resource.
    fn example(&self, _parameter: &str) -> Option<&'static str> {
        None
    }
    /// Does it. The policy has permitted it, and the arguments are as the definition allows.
    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>>;
}

/// One call of an operation.
#[non_exhaustive]
pub struct Call<'c> {
    /// On what.
    pub level: Level,
    /// The type in the URL.
    pub resource_type: Option<ResourceType>,
    /// The resource in the URL.
    pub key: Option<Key>,
    /// The arguments.
    pub arguments: &'c Arguments,
    /// The request, for its conditions.
    pub(crate) request: &'c Request,
    /// The entry of the transaction that asks.
    pub(crate) entry: Option<usize>,
}

impl Call<'_> {
    /// The resource in the URL.
    ///
    /// # Errors
    /// The call is not on one: a fault of the definition.
    pub fn the_key(&self) -> Result<&Key> {
        self.key
            .as_ref()
            .ok_or_else(|| Error::internal("an operation on a resource without one"))
    }
}

impl Call<'_> {
    /// The text of the body, in JSON or XML.
    pub(crate) fn text(&self) -> &[u8] {
        match &self.request.body {
            Some(RequestBody::Fhir(_, text)) => text,
            _ => &[],
        }
    }
}

/// What an operation did.
#[non_exhaustive]
pub enum Done {
    /// It has its answer.
    Answer(Response),
    /// It has staged a write, and answers once that is committed.
    Staged(Staged),
}

/// A staged write of an operation.
pub struct Staged {
    pub(crate) ticket: Ticket,
    pub(crate) answer: fn(&Written) -> Result<Response>,
}

/// An operation that a server offers.
#[derive(Clone)]
pub(crate) struct Offered {
    pub(crate) definition: Arc<OperationDefinition>,
    pub(crate) operation: Arc<dyn Operation>,
}

/// The operations that a server offers, in the order of their codes. Two may share a code, on different types.
#[derive(Clone, Default)]
pub struct Operations(Vec<Offered>);

/// The server's own operations.
fn builtin() -> Vec<Arc<dyn Operation>> {
    vec![
        Arc::new(batch_validate_code::operation()),
        Arc::new(check::Check),
        Arc::new(diff::Diff),
        Arc::new(everything::Everything),
        Arc::new(expand::operation()),
        Arc::new(graphql::GraphQl),
        Arc::new(lastn::LastN),
        Arc::new(lookup::operation()),
        Arc::new(meta::MetaOperation),
        Arc::new(meta_add::MetaAdd),
        Arc::new(meta_delete::MetaDelete),
        #[cfg(feature = "docs")]
        Arc::new(openapi::OpenApi),
        Arc::new(purge::Purge),
        Arc::new(status::Status),
        Arc::new(subsumes::operation()),
        Arc::new(translate::operation()),
        Arc::new(validate::Validate),
        Arc::new(validate_code::in_code_system()),
        Arc::new(validate_code::in_value_set()),
    ]
}

impl Operations {
    /// The server's own.
    pub fn builtin() -> Self {
        builtin()
            .into_iter()
            .fold(Operations::default(), Operations::with)
    }

    /// The same and one more, in the place of those with the same code on a type that it is on too.
    pub fn with(mut self, operation: Arc<dyn Operation>) -> Self {
        let mut definition = operation.definition();
        definition.code = operation.code().into();
        self.0.retain(|known| {
            known.operation.code() != operation.code() || !share_a_type(&known.definition, &definition)
        });
        self.0.push(Offered {
            definition: Arc::new(definition),
            operation,
        });
        self.0.sort_by_key(|offered| offered.operation.code());
        self
    }

    /// Every operation.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Offered> {
        self.0.iter()
    }

    /// An operation of that code, as in the URL but for the `$`, wherever it runs.
    pub(crate) fn find(&self, code: &str) -> Option<&Offered> {
        self.0.iter().find(|offered| offered.operation.code() == code)
    }

    /// The operation of that code that runs on that level, and on that type.
    pub(crate) fn find_on(&self, code: &str, level: Level, resource_type: Option<&str>) -> Option<&Offered> {
        let of_code = self.0.iter().filter(|offered| offered.operation.code() == code);
        of_code
            .into_iter()
            .find(|offered| offered.runs_on(level, resource_type))
    }
}

/// Whether there is a type that both run on.
fn share_a_type(a: &OperationDefinition, b: &OperationDefinition) -> bool {
    let is_any = |name: &str| matches!(name, "Resource" | "DomainResource");
    let types = |d: &OperationDefinition| -> Vec<String> {
        d.resource
            .iter()
            .filter_map(|t| t.as_str().map(str::to_owned))
            .collect()
    };
    let (a, b) = (types(a), types(b));
    // Without types both are on the server alone.
    (a.is_empty() && b.is_empty())
        || a.iter().any(|t| is_any(t) && !b.is_empty() || b.contains(t))
        || b.iter().any(|t| is_any(t) && !a.is_empty())
}

impl Offered {
    /// Whether it runs on that level, and on that type.
    pub(crate) fn runs_on(&self, level: Level, resource_type: Option<&str>) -> bool {
        let definition = &self.definition;
        let levelled = match level {
            Level::System => &definition.system,
            Level::Type => &definition.type_,
            Level::Instance => &definition.instance,
        };
        let typed = |name: &str| {
            let known = |t: &str| t == name || matches!(t, "Resource" | "DomainResource");
            definition.resource.iter().filter_map(|t| t.as_str()).any(known)
        };
        levelled.value == Some(true) && resource_type.is_none_or(typed)
    }

    /// Whether its answer is JSON that is not FHIR: a parameter of any type, named `return`.
    #[cfg(feature = "docs")]
    pub(crate) fn answers_plain_json(&self) -> bool {
        let outputs = self.definition.parameter.iter();
        let mut outputs = outputs.filter(|p| p.use_.as_str() == Some("out"));
        outputs.any(|p| p.name.as_str() == Some("return") && p.type_.as_str() == Some("Any"))
    }

    /// Whether it changes anything, so that GET cannot ask for it.
    pub(crate) fn affects_state(&self) -> bool {
        self.definition.affects_state.value == Some(true)
    }
}

/// The answer with those parameters; that of an operation whose one parameter is a resource named `return` is the
/// resource (<https://hl7.org/fhir/R4/operations.html#response>).
pub fn answer(mut parameters: Vec<ParametersParameter>) -> Response {
    let whole = match parameters.as_mut_slice() {
        [only] if only.name.as_str() == Some("return") => only.resource.take(),
        _ => None,
    };
    let resource = whole.unwrap_or_else(|| {
        Resource::from(Parameters {
            parameter: parameters,
            ..Parameters::default()
        })
    });
    Response::new(200, Payload::Json(json::to_vec(&resource)))
}

/// A parameter of a definition; `bounds` are least and greatest number.
fn parameter(
    name: &str,
    direction: &str,
    bounds: (i32, &str),
    kind: &str,
    documentation: &str,
) -> OperationDefinitionParameter {
    OperationDefinitionParameter {
        name: name.into(),
        use_: direction.into(),
        min: bounds.0.into(),
        max: bounds.1.into(),
        type_: kind.into(),
        documentation: documentation.into(),
        ..OperationDefinitionParameter::default()
    }
}

/// What the caller is told of an operation that the server does not offer there.
pub(crate) fn not_offered(
    operations: &Operations,
    code: &str,
    level: Level,
    resource_type: Option<&str>,
) -> Error {
    let shown: String = code.chars().filter(|c| !c.is_control()).take(80).collect();
    let place = match (level, resource_type) {
        (Level::System, _) | (_, None) => "the whole server".to_owned(),
        (Level::Type, Some(name)) => format!("the type {name}"),
        (Level::Instance, Some(name)) => format!("a resource of type {name}"),
    };
    let text = match operations.find(code) {
        Some(_) => {
            format!("The operation `${shown}` does not run on {place}; `metadata` lists where it does.")
        }
        None => format!("The server offers no operation `${shown}`; `metadata` lists what it offers."),
    };
    Error::new(ErrorCode::NotSupported, text).at("http.url")
}
