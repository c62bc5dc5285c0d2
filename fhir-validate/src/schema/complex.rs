//! Schemas of resources, datatypes and backbone elements (<https://hl7.org/fhir/R4/json.html>).

use fhir_model::reflect::{Field, PrimitiveType, Shape, TypeInfo, TypeKind, Variant};

use super::definition::ElementFacts;
use super::json::Json;
use super::{Dialect, Target, Writer, value_set};

/// The datatypes of extensions that OpenAPI components show in full. All of them would draw most of the datatypes into every
/// type, in each other and without end, and tools that resolve references by copying would never be done.
const SHOWN_IN_EXTENSIONS: [&str; 6] = [
    "CodeableConcept",
    "Coding",
    "Identifier",
    "Period",
    "Quantity",
    "Reference",
];

/// What is written of one type so far.
#[derive(Default)]
struct Members {
    properties: Vec<(String, Json)>,
    required: Vec<Json>,
    /// What `required` alone cannot say.
    conditions: Vec<Json>,
}

impl<'d> Writer<'_, 'd> {
    /// The schema of a type with elements.
    pub(super) fn complex(&mut self, info: &'static TypeInfo) -> Json {
        let mut members = Members::default();
        if info.kind == TypeKind::Resource {
            let kind = Json::object([("type", Json::from("string")), ("const", Json::from(info.name))]);
            members.properties.push(("resourceType".into(), kind));
            members.required.push(Json::from("resourceType"));
        }
        for field in info.fields {
            self.element(info, field, &mut members);
        }
        let mut schema = Json::Object(Vec::new());
        if let Some(words) = (self.schemas.describe)(info.name) {
            schema.set("description", words);
        }
        schema.set("type", "object");
        schema.set("properties", Json::Object(members.properties));
        if !members.required.is_empty() {
            schema.set("required", members.required);
        }
        if !members.conditions.is_empty() {
            schema.set("allOf", members.conditions);
        }
        schema.set("additionalProperties", false);
        schema
    }

    fn element(&mut self, info: &TypeInfo, field: &'static Field, members: &mut Members) {
        let definitions = self.schemas.definitions;
        let is_choice = matches!(field.shape, Shape::Choice(_));
        let path = format!(
            "{}.{}{}",
            info.name,
            field.name,
            if is_choice { "[x]" } else { "" }
        );
        let facts = definitions.element(&path);
        let words = self.words(&path, field, facts);
        if let Shape::Choice(variants) = &field.shape {
            for variant in *variants {
                if self.only_names(info, variant) {
                    let words = format!("A {}.", variant.type_name);
                    let object = Json::object([("type", "object".into()), ("description", words.into())]);
                    members.properties.push((variant.name.to_owned(), object));
                    continue;
                }
                self.property(variant.name, &variant.shape, field, facts, &words, members);
            }
            self.one_of(field, variants, members);
        } else {
            self.property(field.name, &field.shape, field, facts, &words, members);
            if field.min > 0 {
                self.require(field, members);
            }
        }
    }

    /// Whether a value of an extension is told by its type's name alone.
    fn only_names(&self, info: &TypeInfo, variant: &Variant) -> bool {
        self.schemas.dialect == Dialect::OpenApi
            && info.name == "Extension"
            && matches!(variant.shape, Shape::Complex(_))
            && !SHOWN_IN_EXTENSIONS.contains(&variant.type_name)
    }

    /// Adds the property, and the `_name` beside a primitive that can have an id and extensions.
    fn property(
        &mut self,
        name: &str,
        shape: &'static Shape,
        field: &Field,
        facts: Option<&'d ElementFacts>,
        words: &str,
        members: &mut Members,
    ) {
        let value = self.value(shape, facts);
        let has_sibling = has_sibling(shape, field);
        let mut property = if field.is_list() {
            list(value, has_sibling)
        } else {
            value
        };
        if !words.is_empty() {
            property.set("description", words);
        }
        members.properties.push((name.to_owned(), property));
        if has_sibling && let Some(element) = fhir_model::type_info("Element") {
            let element = self.refer(Target::Type(element));
            let sibling = if field.is_list() {
                list(element, true)
            } else {
                element
            };
            members.properties.push((format!("_{name}"), sibling));
        }
    }

    /// The schema of one value of the element.
    fn value(&mut self, shape: &'static Shape, facts: Option<&'d ElementFacts>) -> Json {
        match shape {
            Shape::Primitive(kind) => {
                let codes = (*kind == PrimitiveType::Code)
                    .then(|| self.required_codes(facts))
                    .flatten();
                self.refer(codes.unwrap_or(Target::Primitive(*kind)))
            }
            Shape::Complex(info) => self.refer(Target::Type(info)),
            Shape::Resource => self.refer(Target::Resource),
            // A choice inside a choice does not exist.
            Shape::Choice(_) => Json::Bool(true),
        }
    }

    fn required_codes(&self, facts: Option<&'d ElementFacts>) -> Option<Target<'d>> {
        let binding = facts?.binding.as_ref().filter(|b| b.strength == "required")?;
        let url = binding.value_set.as_deref()?;
        let codes = value_set::codes(self.schemas.definitions, url)?;
        Some(Target::Codes(url, codes.id))
    }

    fn require(&self, field: &Field, members: &mut Members) {
        if self.schemas.dialect == Dialect::JsonSchema && has_sibling(&field.shape, field) {
            members.conditions.push(present(field.name, true));
        } else {
            members.required.push(Json::from(field.name));
        }
    }

    /// One type of a choice at most, or exactly one.
    fn one_of(&self, field: &Field, variants: &'static [Variant], members: &mut Members) {
        if self.schemas.dialect == Dialect::OpenApi {
            return;
        }
        let mut cases: Vec<Json> = variants
            .iter()
            .map(|v| present(v.name, has_sibling(&v.shape, field)))
            .collect();
        if field.min == 0 {
            let any = Json::object([("anyOf", Json::from(cases.clone()))]);
            cases.push(Json::object([("not", any)]));
        }
        members
            .conditions
            .push(Json::object([("oneOf", Json::from(cases))]));
    }

    /// What a reader must know beyond the schema: our words, then the facts.
    fn words(&self, path: &str, field: &Field, facts: Option<&ElementFacts>) -> String {
        let mut words: Vec<String> = (self.schemas.describe)(path)
            .map(str::to_owned)
            .into_iter()
            .collect();
        if let Some(facts) = facts {
            if !facts.targets.is_empty() {
                let mut targets = facts.targets.clone();
                targets.sort_unstable();
                targets.dedup();
                let targets = if targets == ["Resource"] {
                    "Any".to_owned()
                } else {
                    targets.join(" | ")
                };
                words.push(format!("Reference({targets})."));
            }
            if let Some(binding) = facts.binding.as_ref()
                && self.required_codes(Some(facts)).is_none()
                && let Some(url) = &binding.value_set
            {
                words.push(format!("Codes: {url} ({}).", binding.strength));
            }
        }
        if self.schemas.dialect == Dialect::OpenApi {
            if matches!(field.shape, Shape::Choice(_)) {
                let count = if field.min > 0 { "exactly" } else { "at most" };
                words.push(format!("`{path}`: send {count} one of its types."));
            }
            if field.modifier {
                words.push("Modifier: changes what the rest means.".to_owned());
            }
        }
        words.join(" ")
    }
}

/// Whether `_name` may stand beside the property (<https://hl7.org/fhir/R4/json.html#primitive>).
fn has_sibling(shape: &Shape, field: &Field) -> bool {
    matches!(shape, Shape::Primitive(kind) if *kind != PrimitiveType::Xhtml) && !field.attribute
}

/// A list; one of primitives may have gaps, where the other of `name` and `_name` has the content.
fn list(item: Json, gaps: bool) -> Json {
    let null = || Json::object([("type", Json::from("null"))]);
    let item = if gaps {
        Json::object([("anyOf", Json::from(vec![item, null()]))])
    } else {
        item
    };
    Json::object([
        ("type", Json::from("array")),
        ("minItems", Json::from(1)),
        ("items", item),
    ])
}

/// That the element is there, by value or by what stands beside it.
fn present(name: &str, has_sibling: bool) -> Json {
    let required = |name: String| Json::object([("required", Json::array([name]))]);
    if has_sibling {
        let either = vec![required(name.to_owned()), required(format!("_{name}"))];
        Json::object([("anyOf", Json::from(either))])
    } else {
        required(name.to_owned())
    }
}
