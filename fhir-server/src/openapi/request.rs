//! Bodies of requests.

use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::example::Example;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType};
use utoipa::openapi::{Object, Ref, RefOr, Required, Type};

use super::endpoint::Endpoint;
use super::{example, parameter};
use crate::interaction::{Interaction, PatchForm};

/// JSON as FHIR has it.
pub(super) const JSON: &str = "application/fhir+json";
/// XML as FHIR has it.
pub(super) const XML: &str = "application/fhir+xml";

/// The body that the endpoint takes, if any.
pub(super) fn body(endpoint: &Endpoint, resource_type: Option<&'static str>) -> Option<RequestBody> {
    if endpoint.form {
        return Some(form(resource_type.is_none()));
    }
    if endpoint.interaction == Interaction::Patch {
        return Some(patch(resource_type.unwrap_or_default()));
    }
    if endpoint.interaction == Interaction::Operation {
        return arguments(endpoint);
    }
    let (schema, words, examples) = match (endpoint.interaction, resource_type) {
        (Interaction::Create, Some(name)) => {
            (name, "The new resource.", Vec::from_iter(example::created(name)))
        }
        (Interaction::Update, Some(name)) => (
            name,
            "The whole resource as it shall be.",
            Vec::from_iter(example::sandbox(name)),
        ),
        (Interaction::Batch | Interaction::Transaction, _) => {
            let examples = vec![example::TRANSACTION.to_owned(), example::BATCH.to_owned()];
            ("Bundle", "A Bundle of type `transaction` or `batch`.", examples)
        }
        _ => return None,
    };
    let body = RequestBodyBuilder::new()
        .description(Some(words))
        .required(Some(Required::True))
        .content(JSON, json(schema, &examples))
        .content(XML, xml(&examples));
    Some(body.build())
}

/// The arguments of an operation.
fn arguments(endpoint: &Endpoint) -> Option<RequestBody> {
    if endpoint.method != HttpMethod::Post {
        return None;
    }
    let offered = endpoint.offered.as_ref()?;
    let inputs = offered.definition.parameter.iter();
    let mut inputs = inputs.filter(|p| p.use_.as_str() == Some("in"));
    let required = match offered.affects_state() && inputs.any(|p| p.min.value.is_some_and(|min| min > 0)) {
        true => Required::True,
        false => Required::False,
    };
    let examples = [example::arguments(offered)];
    let body = RequestBodyBuilder::new()
        .description(Some("The arguments, as a Parameters resource."))
        .required(Some(required))
        .content(JSON, parameters(&examples))
        .content(XML, xml(&examples));
    Some(body.build())
}

/// A Parameters resource. Its schema names every datatype, which is too large for a page that shows it many times.
fn parameters(examples: &[String]) -> Content {
    let name = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["Parameters"]));
    let schema = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("resourceType", name)
        .required("resourceType");
    let content = ContentBuilder::new().schema(Some(schema));
    content
        .examples_from_iter(examples.iter().map(|name| refer(name)))
        .build()
}

/// An object of JSON.
pub(super) fn object() -> Content {
    ContentBuilder::new()
        .schema(Some(Object::with_type(Type::Object)))
        .build()
}

/// A resource of some type: what an operation answers may be another than Parameters.
pub(super) fn resource() -> Content {
    let schema = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("resourceType", Object::with_type(Type::String))
        .required("resourceType");
    ContentBuilder::new().schema(Some(schema)).build()
}

/// A list of operations (RFC 6902).
fn json_patch() -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let kinds = ["add", "remove", "replace", "move", "copy", "test"];
    let operation = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("op", text().enum_values(Some(kinds)))
        .property("path", text().description(Some("A JSON Pointer to the place.")))
        .property(
            "from",
            text().description(Some("Of `move` and `copy`: from where.")),
        )
        .property("value", ObjectBuilder::new().schema_type(SchemaType::AnyValue))
        .required("op")
        .required("path");
    ArrayBuilder::new().items(operation).into()
}

/// A patch, in each of its forms.
fn patch(resource_type: &str) -> RequestBody {
    let examples = [example::patch(resource_type)];
    let form = |schema: Schema| ContentBuilder::new().schema(Some(schema)).build();
    RequestBodyBuilder::new()
        .description(Some(
            "What shall change: RFC 6902, RFC 7396, RFC 5261, or a Parameters resource of operations on FHIRPaths.",
        ))
        .required(Some(Required::True))
        .content(PatchForm::Json.media_type(), form(json_patch()))
        .content(PatchForm::Merge.media_type(), form(Object::with_type(Type::Object).into()))
        .content(PatchForm::Xml.media_type(), form(Object::with_type(Type::String).into()))
        .content(JSON, parameters(&examples))
        .content(XML, xml(&examples))
        .build()
}

/// A resource in JSON, with examples by their names.
pub(super) fn json(schema: &str, examples: &[String]) -> Content {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema)));
    content
        .examples_from_iter(examples.iter().map(|name| refer(name)))
        .build()
}

/// A resource in XML, of which a JSON Schema can tell no more than that it is text, with the same examples.
pub(super) fn xml(examples: &[String]) -> Content {
    let content = ContentBuilder::new().schema(Some(Object::with_type(Type::String)));
    content
        .examples_from_iter(examples.iter().map(|name| refer(&example::in_xml(name))))
        .build()
}

fn refer(name: &str) -> (String, RefOr<Example>) {
    (
        name.to_owned(),
        RefOr::Ref(Ref::new(format!("#/components/examples/{name}"))),
    )
}

fn form(with_types: bool) -> RequestBody {
    let mut schema = ObjectBuilder::new().schema_type(Type::Object);
    for (name, words, property) in parameter::search_parameters() {
        if with_types || name != "_type" {
            schema = schema.property(name, described(property, words));
        }
    }
    let content = ContentBuilder::new().schema(Some(schema)).build();
    RequestBodyBuilder::new()
        .description(Some("The parameters of the search."))
        .required(Some(Required::False))
        .content("application/x-www-form-urlencoded", content)
        .build()
}

fn described(schema: utoipa::openapi::Schema, words: &str) -> utoipa::openapi::Schema {
    use utoipa::openapi::Schema;
    let words = Some(words.to_owned());
    match schema {
        Schema::Array(mut array) => {
            array.description = words;
            Schema::Array(array)
        }
        Schema::Object(mut object) => {
            object.description = words;
            Schema::Object(object)
        }
        other => other,
    }
}
