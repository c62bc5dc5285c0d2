//! Parameters in the path, the query and the headers.

use fhir_model::OperationDefinitionParameter;
use fhir_model::reflect::{JsonToken, PrimitiveType};
use serde_json::Value;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};

use super::endpoint::Endpoint;
use crate::http::provoke;
use crate::interaction::Interaction;
use crate::operation::Offered;
use crate::search::registry::Registry;
use crate::store::ResourceType;

const ID_PATTERN: &str = r"^[A-Za-z0-9\-.]{1,64}$";
/// Entity tags, as the server reads them.
const TAGS_PATTERN: &str = r#"^(\*|(W/)?"[A-Za-z0-9\-.]{1,64}"(, *(W/)?"[A-Za-z0-9\-.]{1,64}")*)$"#;
const KEY_PATTERN: &str = r"^[ -~]{1,128}$";

/// Parameters that operations refer to, by the key that stands in `components`.
pub(super) fn all() -> Vec<(&'static str, Parameter)> {
    let query = |key, name, words, schema| (key, parameter(ParameterIn::Query, name, words, schema).build());
    let header = |key, name, words| (key, parameter(ParameterIn::Header, name, words, text()).build());
    let tags = |key, name, words| {
        let schema = text().pattern(Some(TAGS_PATTERN));
        (key, parameter(ParameterIn::Header, name, words, schema).build())
    };
    let mut all: Vec<_> = search_parameters()
        .into_iter()
        .map(|(name, words, schema)| (name, listed(name, words, schema)))
        .collect();
    all.extend([
        query("format", "_format", "The format of the answer; goes before `Accept`.", one_of(&["json", "xml"])),
        query("pretty", "_pretty", "Indents the answer.", one_of(&["true", "false"])),
        query(
            "view",
            "_summary",
            "A part of the resource, tagged `SUBSETTED`: `true` the elements of the summary, `text` narrative and \
             mandatory elements, `data` all but the narrative.",
            one_of(&["true", "text", "data", "false"]),
        ),
        query("since", "_since", "Versions from this time on, such as `2026-11-23T09:30:00Z`.", text()),
        query("at", "_at", "Versions that were current at some time within this one, such as `2026-11`.", text()),
        query("list", "_list", "Versions of the members of a List, by its id.", text()),
        query("mode", "mode", "Which statement; both give the same.", one_of(&["full", "normative"])),
        tags("ifMatch", "If-Match", "The version you read, as its `ETag`: `W/\"3\"`. 412 where it is no longer current."),
        tags(
            "ifNoneMatchRead",
            "If-None-Match",
            "The version you have, as its `ETag`: `W/\"3\"`. 304 where it is still current.",
        ),
        tags("ifNoneMatchWrite", "If-None-Match", "`*`: only if there is no such resource yet; else 412."),
        header(
            "ifModifiedSince",
            "If-Modified-Since",
            "An HTTP date. 304 where the resource has not changed since; not looked at beside `If-None-Match`.",
        ),
        header(
            "preferReturn",
            "Prefer",
            "What the answer holds: `return=representation` the resource (default), `return=minimal` nothing, \
             `return=OperationOutcome` a remark.",
        ),
        header(
            "preferHandling",
            "Prefer",
            "What becomes of an unknown parameter: `handling=lenient` reports it (default), `handling=strict` refuses the \
             request.",
        ),
        (
            "idempotencyKey",
            parameter(
                ParameterIn::Header,
                "Idempotency-Key",
                "A key of yours, such as a UUID. The same request with the same key is done once within a day, and answered \
                 each time as that once. With another body it is 422. Without it an `X-Request-ID` of yours does the same.",
                text().pattern(Some(KEY_PATTERN)),
            )
            .build(),
        ),
        header(
            "provenance",
            "X-Provenance",
            "A Provenance as JSON, without `target`: it is stored with the write, about the versions that the write makes. Where \
             `recorded` is left out, it is now.",
        ),
        ("provoke", provoked()),
        (
            "requestId",
            parameter(
                ParameterIn::Header,
                "X-Request-ID",
                "A UUID of yours that names this request in logs; the server makes one otherwise. A write that is sent again with the \
                 same one and the same body is done once.",
                ObjectBuilder::new().schema_type(Type::String).pattern(Some(
                    "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$",
                )),
            )
            .build(),
        ),
    ]);
    all
}

/// What makes failures happen in the sandbox.
fn provoked() -> Parameter {
    let values = provoke::VALUES.iter();
    let values: Vec<String> = values.map(|(value, what)| format!("`{value}` {what}")).collect();
    let words = format!(
        "In the sandbox alone, refused with 400 elsewhere: what shall happen to the request. {}.",
        values.join("; ")
    );
    let schema = text().pattern(Some(provoke::PATTERN));
    parameter(ParameterIn::Header, "X-Sandbox-Provoke", &words, schema).build()
}

/// The parameters of a search, in the URL or in a form: name, words, schema.
pub(super) fn search_parameters() -> Vec<(&'static str, &'static str, Schema)> {
    let ids = ArrayBuilder::new().items(text().pattern(Some(ID_PATTERN)));
    let dates = ArrayBuilder::new().items(text().examples(["ge2026-01-01", "lt2026-11-23T09:30:00Z"]));
    let names = || ArrayBuilder::new().items(text());
    vec![
        (
            "_id",
            "The ids of the resources wanted, with commas between.",
            ids.into(),
        ),
        (
            "_lastUpdated",
            "When the resource last changed: a date, or a part of one, after a prefix (`eq`, `ne`, `gt`, `lt`, `ge`, `le`, \
             `sa`, `eb`, `ap`). Twice makes a range: `_lastUpdated=ge2026-01&_lastUpdated=lt2026-02`.",
            dates.into(),
        ),
        (
            "_type",
            "The resource types wanted, with commas between.",
            names().into(),
        ),
        (
            "_count",
            "Entries a page. 0 asks for the total alone.",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(0.0))
                .into(),
        ),
        (
            "_sort",
            "Codes of search parameters, `_lastUpdated` or `_id`, in the order of their weight; after a `-` the greatest comes first. What has \
             no value comes last. Without it the newest change comes first.",
            names().into(),
        ),
        (
            "_include",
            "Adds what the matches refer to by a search parameter: `Type:code`, `Type:code:TargetType`, `Type:*` or `*`. As \
             `_include:iterate` also what that refers to.",
            text().into(),
        ),
        (
            "_revinclude",
            "Adds what refers to the matches by a search parameter: `Type:code` or `Type:*`. As `_revinclude:iterate` also what refers to \
             that.",
            text().into(),
        ),
        (
            "_has",
            "Only what a resource that passes refers to: `_has:Type:link:code=value`, such as `_has:Observation:patient:code=8480-6`.",
            text().into(),
        ),
        (
            "_filter",
            "An expression, such as `name co \"pet\" and birthdate ge 2014-10-10`; with `and`, `or`, `not (…)`, parentheses and paths \
             such as `patient.name`.",
            text().into(),
        ),
        (
            "_text",
            "Words and \"phrases\" of the narrative, with `AND`, `OR`, `NOT` and parentheses; whole words. Where `search.full_text` is on.",
            text().into(),
        ),
        (
            "_content",
            "The same of all text of a resource. Where `search.full_text` is on.",
            text().into(),
        ),
        (
            "_contained",
            "Whether resources of the type that others contain are searched: instead of the others (`true`), or with them (`both`).",
            one_of(&["false", "true", "both"]).into(),
        ),
        (
            "_containedType",
            "What stands for a contained resource that matches: its container, or the contained resource alone.",
            one_of(&["container", "contained"]).into(),
        ),
        (
            "_total",
            "Whether `Bundle.total` is wanted. It is counted up to 10,000; with more matches there is none.",
            one_of(&["none", "estimate", "accurate"]).into(),
        ),
        (
            "_summary",
            "A part of each resource, tagged `SUBSETTED`: `true` the elements of the summary, `text` narrative and mandatory \
             elements, `data` all but the narrative; `count` only the number of matches.",
            one_of(&["true", "text", "data", "count", "false"]).into(),
        ),
        (
            "_elements",
            "Elements wanted, with commas between, such as `identifier,name`. What is mandatory or modifies the meaning \
             comes too. Not together with `_summary`. `_elements:exclude`, the server's own, gives all but those.",
            names().into(),
        ),
        (
            "_explain",
            "`true` answers how the search is answered instead of what it finds, as Parameters: what was understood, the parts that an index \
             gives and how many each gives, what drives the search, each statement with the database's plan, and the rows looked at. For those \
             who operate the server: a program that acts for no user, with the scope `operator/explain`; 403 for anybody else.",
            one_of(&["true", "false"]).into(),
        ),
    ]
}

/// The keys of the parameters of an endpoint, in the order in which they are shown.
pub(super) fn keys(endpoint: &Endpoint) -> Vec<&'static str> {
    use Interaction as I;
    const SEARCH: [&str; 14] = [
        "_id",
        "_lastUpdated",
        "_has",
        "_filter",
        "_text",
        "_content",
        "_include",
        "_revinclude",
        "_count",
        "_sort",
        "_total",
        "_summary",
        "_elements",
        "_explain",
    ];
    let mut keys: Vec<&str> = match endpoint.interaction {
        I::Read | I::Vread => vec!["view", "_elements", "ifNoneMatchRead", "ifModifiedSince"],
        I::Create => vec!["preferReturn"],
        I::Update | I::Patch | I::Delete if endpoint.is_conditional() => {
            vec!["_id", "ifMatch", "preferReturn"]
        }
        I::Update => vec!["ifMatch", "ifNoneMatchWrite", "preferReturn"],
        I::Patch | I::Delete => vec!["ifMatch", "preferReturn"],
        I::HistoryInstance | I::HistoryType | I::HistorySystem => vec!["since", "at", "list", "_count"],
        I::SearchType | I::SearchSystem if endpoint.form => vec!["preferHandling"],
        I::SearchType if endpoint.is_compartment() => SEARCH.into_iter().chain(["preferHandling"]).collect(),
        I::SearchType => SEARCH
            .into_iter()
            .chain(["_contained", "_containedType", "preferHandling"])
            .collect(),
        I::SearchSystem => SEARCH.into_iter().chain(["_type", "preferHandling"]).collect(),
        I::Batch | I::Transaction => vec!["preferReturn"],
        I::Capabilities => vec!["mode", "view", "_elements"],
        I::Operation => match &endpoint.offered {
            Some(offered) if offered.affects_state() => vec!["ifMatch"],
            _ => Vec::new(),
        },
    };
    if matches!(
        endpoint.interaction,
        I::Create | I::Update | I::Patch | I::Delete | I::Batch | I::Transaction
    ) {
        keys.extend(["idempotencyKey", "provenance"]);
    }
    keys.extend(["format", "pretty", "requestId", "provoke"]);
    keys
}

/// The search parameters that R4 defines for a type, those of every type apart.
pub(super) fn of_type(name: &str) -> Vec<Parameter> {
    let Some(resource_type) = ResourceType::from_name(name) else {
        return Vec::new();
    };
    let of_type = Registry::r4().of(resource_type);
    let own = of_type.filter(|p| p.resource_type.is_some() && p.is_indexed());
    own.map(|p| {
        let targets: Vec<&str> = p.targets.iter().map(|t| t.name()).collect();
        let words = match targets.is_empty() {
            true => format!("Of type {}.", p.kind.code()),
            false => format!("Of type {}: {}.", p.kind.code(), targets.join(", ")),
        };
        parameter(ParameterIn::Query, &p.code, &words, text()).build()
    })
    .collect()
}

/// The parameters of an operation that a URL can hold.
pub(super) fn of_offered(offered: &Offered) -> Vec<Parameter> {
    let inputs = offered
        .definition
        .parameter
        .iter()
        .filter(|p| p.use_.as_str() == Some("in"));
    let one = |p: &OperationDefinitionParameter| {
        let kind = PrimitiveType::from_name(p.type_.as_str()?)?;
        let schema = match kind.json_token() {
            JsonToken::String => Type::String,
            JsonToken::Number => Type::Number,
            JsonToken::Boolean => Type::Boolean,
        };
        let (name, words) = (p.name.as_str()?, p.documentation.as_str().unwrap_or_default());
        let schema = ObjectBuilder::new().schema_type(schema);
        let is_required = p.min.value.unwrap_or(0) > 0;
        let required = if is_required {
            Required::True
        } else {
            Required::False
        };
        let example = offered.operation.example(name).map(serde_json::Value::from);
        let built = parameter(ParameterIn::Query, name, words, schema);
        Some(built.required(required).example(example).build())
    };
    inputs.filter_map(one).collect()
}

/// The variables of a path below a type; the examples exist in the sandbox, where it has resources of the type.
pub(super) fn in_path(path: &str, sandbox_id: Option<&str>) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    if path.contains("{id}") {
        let schema = text().pattern(Some(ID_PATTERN));
        let id = parameter(ParameterIn::Path, "id", "The id of the resource.", schema);
        parameters.push(
            id.example(Some(Value::from(sandbox_id.unwrap_or("example"))))
                .build(),
        );
    }
    if path.contains("{vid}") {
        let schema = text().pattern(Some("^[1-9][0-9]*$"));
        let vid = parameter(ParameterIn::Path, "vid", "The number of the version.", schema);
        parameters.push(vid.example(Some(Value::from("1"))).build());
    }
    if path.contains("{member}") {
        let words = "The type wanted, or `*` for all.";
        let member = parameter(ParameterIn::Path, "member", words, text());
        parameters.push(member.example(Some(Value::from("*"))).build());
    }
    parameters
}

/// A parameter of a search. Lists have commas between, but for `_lastUpdated`, which is repeated.
fn listed(name: &'static str, words: &'static str, schema: Schema) -> Parameter {
    let is_list = matches!(schema, Schema::Array(_));
    let parameter = parameter(ParameterIn::Query, name, words, schema);
    match is_list {
        true => parameter
            .style(Some(ParameterStyle::Form))
            .explode(Some(name == "_lastUpdated"))
            .build(),
        false => parameter.build(),
    }
}

fn parameter(place: ParameterIn, name: &str, words: &str, schema: impl Into<Schema>) -> ParameterBuilder {
    let required = if place == ParameterIn::Path {
        Required::True
    } else {
        Required::False
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(words))
        .schema(Some(schema.into()))
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn one_of(values: &[&str]) -> ObjectBuilder {
    text().enum_values(Some(values.iter().copied()))
}
