//! [`Endpoint`]: one row of the table of routes, and the operations that it stands for.

use utoipa::openapi::Ref;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder};

use super::{example, failure, parameter, request, security, success};
use crate::http::routes::{BodyKind, ROUTES};
use crate::interaction::{Interaction, Level};
use crate::operation::{Offered, Operations};

/// The tag of operations that belong to no resource type.
pub(super) const SYSTEM: &str = "System";

/// A method on a path below the FHIR base.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// The method.
    pub(super) method: HttpMethod,
    /// The path, with `{type}`, `{id}` and `{vid}`.
    pub(super) path: &'static str,
    /// What it asks for.
    pub(super) interaction: Interaction,
    /// Whether its parameters come in a form, as those of `_search` do.
    pub(super) form: bool,
    /// The operation that it calls.
    pub(super) offered: Option<Offered>,
}

/// Every row of the table.
pub(super) fn all() -> impl Iterator<Item = Endpoint> {
    let rows = ROUTES.iter().filter_map(|route| {
        let method = match route.method.as_str() {
            "GET" => HttpMethod::Get,
            "POST" => HttpMethod::Post,
            "PUT" => HttpMethod::Put,
            "DELETE" => HttpMethod::Delete,
            "PATCH" => HttpMethod::Patch,
            _ => return None,
        };
        let form = route.body == BodyKind::Form;
        Some(Endpoint {
            method,
            path: route.path,
            interaction: route.interaction,
            form,
            offered: None,
        })
    });
    rows.flat_map(|endpoint| match endpoint.interaction {
        Interaction::Operation => endpoint.of_operations(),
        _ => vec![endpoint],
    })
}

impl Endpoint {
    /// Whether it writes what a search finds.
    pub(super) fn is_conditional(&self) -> bool {
        matches!(
            self.interaction,
            Interaction::Update | Interaction::Patch | Interaction::Delete
        ) && !self.path.contains("{id}")
    }

    /// Whether it searches a compartment.
    pub(super) fn is_compartment(&self) -> bool {
        self.path.contains("{member}")
    }

    /// One endpoint for each of the server's own operations that the row can call.
    fn of_operations(self) -> Vec<Endpoint> {
        let operations = Operations::builtin();
        let there = |offered: &&Offered| {
            offered.runs_on(self.level(), None)
                && !offered.operation.needs_resource(self.level())
                && (self.method == HttpMethod::Post || !offered.affects_state())
        };
        let one = |offered: &Offered| Endpoint {
            offered: Some(offered.clone()),
            ..self.clone()
        };
        operations.all().filter(there).map(one).collect()
    }

    fn level(&self) -> Level {
        match (self.path.contains("{id}"), self.path.contains("{type}")) {
            (true, _) => Level::Instance,
            (false, true) => Level::Type,
            (false, false) => Level::System,
        }
    }

    /// Whether it is there for that type.
    pub(super) fn is_for(&self, resource_type: &str) -> bool {
        let offered = self.offered.as_ref();
        // Only some types are the centres of compartments.
        let is_centre = || fhir_model::definitions::compartment(resource_type).is_some();
        offered.is_none_or(|offered| offered.runs_on(self.level(), Some(resource_type)))
            && (!self.is_compartment() || is_centre())
    }

    /// The path, with the operation's code in it.
    pub(super) fn path(&self) -> String {
        let code = self
            .offered
            .as_ref()
            .map_or("", |offered| offered.operation.code());
        self.path.replace("{op}", &format!("${code}"))
    }

    /// The operation, for that resource type or for the whole server.
    pub(super) fn operation(&self, resource_type: Option<&'static str>) -> Operation {
        let (summary, description) = words(self, resource_type);
        let mut operation = OperationBuilder::new()
            .tag(resource_type.unwrap_or(SYSTEM))
            .operation_id(Some(self.operation_id(resource_type)))
            .summary(Some(summary))
            .description(Some(description))
            .securities(security::of(self, resource_type));
        if let Some(name) = resource_type {
            let places = parameter::in_path(self.path, example::sandbox_id(name));
            operation = places.into_iter().fold(operation, |o, place| o.parameter(place));
        }
        if let Some(offered) = self.offered.as_ref().filter(|_| self.method == HttpMethod::Get) {
            let own = parameter::of_offered(offered);
            operation = own.into_iter().fold(operation, |o, p| o.parameter(p));
        }
        for key in parameter::keys(self) {
            operation = operation.parameter_ref(Ref::new(format!("#/components/parameters/{key}")));
        }
        if let (Some(name), Interaction::SearchType, false, false) =
            (resource_type, self.interaction, self.form, self.is_compartment())
        {
            operation = parameter::of_type(name)
                .into_iter()
                .fold(operation, |o, p| o.parameter(p));
        }
        operation = operation.request_body(request::body(self, resource_type));
        for (status, response) in success::responses(self, resource_type) {
            operation = operation.response(status, response);
        }
        for status in failure::statuses(self) {
            operation = operation.response(status.to_string(), failure::reference(status));
        }
        operation.build()
    }

    fn operation_id(&self, resource_type: Option<&str>) -> String {
        let name = match self.interaction {
            Interaction::Read => "read",
            Interaction::Vread => "vread",
            Interaction::Create => "create",
            Interaction::Update if self.is_conditional() => "conditionalUpdate",
            Interaction::Patch if self.is_conditional() => "conditionalPatch",
            Interaction::Delete if self.is_conditional() => "conditionalDelete",
            Interaction::Update => "update",
            Interaction::Patch => "patch",
            Interaction::Delete => "delete",
            Interaction::HistoryInstance => "historyInstance",
            Interaction::HistoryType => "historyType",
            Interaction::HistorySystem => "historySystem",
            Interaction::SearchType if self.is_compartment() => "searchCompartment",
            Interaction::SearchType => "search",
            Interaction::SearchSystem => "searchSystem",
            Interaction::Batch | Interaction::Transaction => "batchOrTransaction",
            Interaction::Capabilities => "capabilities",
            Interaction::Operation => &self.operation_name(),
        };
        let of_resources = |o: &Offered| o.runs_on(Level::Instance, resource_type);
        let of_type = match self.level() == Level::Type && self.offered.as_ref().is_some_and(of_resources) {
            true => "OfType",
            false => "",
        };
        let by_post =
            self.method == HttpMethod::Post && self.offered.as_ref().is_some_and(|o| !o.affects_state());
        let by = if self.form || by_post { "ByPost" } else { "" };
        format!("{name}{of_type}{}{by}", resource_type.unwrap_or_default())
    }
}

impl Endpoint {
    /// The code of the operation without hyphens: `metaAdd`.
    fn operation_name(&self) -> String {
        let code = self
            .offered
            .as_ref()
            .map_or("", |offered| offered.operation.code());
        let mut name = String::new();
        let mut upper = false;
        for c in code.chars() {
            match c {
                '-' => upper = true,
                c => name.push(if std::mem::take(&mut upper) {
                    c.to_ascii_uppercase()
                } else {
                    c
                }),
            }
        }
        name
    }
}

/// Summary and description.
fn words(endpoint: &Endpoint, resource_type: Option<&str>) -> (String, String) {
    let name = resource_type.unwrap_or_default();
    let one = with_article(name);
    let (summary, description) = match endpoint.interaction {
        Interaction::Read => (
            format!("Read {one}"),
            "The current version. With `If-None-Match` or `If-Modified-Since` the answer is 304 where you have it already.",
        ),
        Interaction::Vread => (
            format!("Read a version of {one}"),
            "One version, as it was. Versions never change, so they may be kept for ever.",
        ),
        Interaction::Create => (
            format!("Create {one}"),
            "The server makes the id and tells it in `Location`; an id in the body is not kept.",
        ),
        Interaction::Update if endpoint.is_conditional() => (
            format!("Update the {name} that a search finds"),
            "The query names the resource, as in `?identifier=system|value`: one match is updated, without a match the resource is \
             created, with several the answer is 412.",
        ),
        Interaction::Patch if endpoint.is_conditional() => (
            format!("Patch the {name} that a search finds"),
            "The query names the resource, as in `?identifier=system|value`: one match is patched; without a match the answer is 404, with \
             several 412.",
        ),
        Interaction::Delete if endpoint.is_conditional() => (
            format!("Delete the {name} that a search finds"),
            "The query names the resource, as in `?identifier=system|value`. With several matches the answer is 412, but where the server is \
             configured to delete several.",
        ),
        Interaction::Update => (
            format!("Update {one}"),
            "Replaces the whole resource; its `id` must be that of the URL. Send the version you read in `If-Match`. Where \
             nothing changed, no version is made. Whether an id that was never used is created (201) or refused (405) is a \
             matter of configuration; the sandbox creates.",
        ),
        Interaction::Patch => (
            format!("Patch {one}"),
            "Changes what the patch names and leaves all else as it is, byte for byte: a JSON Patch, a JSON Merge Patch, an XML \
             Patch, or a Parameters resource with a FHIRPath Patch. Type, id and version cannot be changed. Without \
             `If-Match` the patch is applied to the version that is current; where nothing changed, no version is made.",
        ),
        Interaction::Delete => (
            format!("Delete {one}"),
            "Reads answer 410 and searches leave it out from then on; its history stays. Deleting what is not there is no error.",
        ),
        Interaction::HistoryInstance => (
            format!("History of {one}"),
            "All versions, the newest first, deletions included.",
        ),
        Interaction::HistoryType => (
            format!("History of every {name}"),
            "All versions of all resources of the type, the newest first.",
        ),
        Interaction::HistorySystem => (
            "History of the server".to_owned(),
            "All versions of all resources, the newest first.",
        ),
        Interaction::SearchType if endpoint.is_compartment() => (
            format!("Search the compartment of {one}"),
            "What belongs to it: of one type, with that type's parameters, or, with `*`, of all types.",
        ),
        Interaction::SearchType if endpoint.form => (
            format!("Search for {name} by POST"),
            "As the search by GET, with the parameters in a form, so that they stay out of logs of URLs.",
        ),
        Interaction::SearchType => (
            format!("Search for {name}"),
            "Different parameters are ANDed, values with commas between are ORed. An unknown parameter is left out and \
             reported in the Bundle, or refused with `Prefer: handling=strict`.",
        ),
        Interaction::SearchSystem if endpoint.form => (
            "Search across types by POST".to_owned(),
            "As the search by GET, with the parameters in a form, so that they stay out of logs of URLs.",
        ),
        Interaction::SearchSystem => (
            "Search across types".to_owned(),
            "As the search of a type; `_type` names the types wanted.",
        ),
        Interaction::Batch | Interaction::Transaction => (
            "Many requests at once".to_owned(),
            "A Bundle of type `transaction` is done as a whole or not at all, and its entries may refer to each other by \
             `urn:uuid:`. In a `batch` each entry stands alone. The answers come in the order of the entries. At most 5,000 \
             entries.",
        ),
        Interaction::Capabilities => (
            "What the server offers".to_owned(),
            "The CapabilityStatement: types, interactions, search parameters, formats. Open to everybody.",
        ),
        Interaction::Operation => {
            let code = endpoint
                .offered
                .as_ref()
                .map_or("", |offered| offered.operation.code());
            let words = endpoint
                .offered
                .as_ref()
                .and_then(|offered| offered.definition.description.as_str());
            let method = if endpoint.method == HttpMethod::Post {
                " by POST"
            } else {
                ""
            };
            (
                format!(
                    "Operation ${code} on {}{method}",
                    resource_type.map_or("the server".to_owned(), |name| format!("a {name}"))
                ),
                words.unwrap_or_default(),
            )
        }
    };
    (summary, description.to_owned())
}

/// The type with its article: `an Encounter`.
fn with_article(name: &str) -> String {
    match name.starts_with(['A', 'E', 'I', 'O']) {
        true => format!("an {name}"),
        false => format!("a {name}"),
    }
}
