//! JSON Schemas of the FHIR types (draft 2020-12, which OpenAPI 3.1 uses too), from the same tables and definitions that
//! the reader and the validator act on.
//!
//! A schema knows names, types, cardinality, the forms of primitives, choices and required codes. It does not know
//! invariants, profiles, slicing or what a reference points to. What it refuses, the specification refuses; the reverse
//! does not hold.
//!
//! ```
//! use fhir_validate::schema::{Definitions, Dialect, Schemas};
//!
//! let definitions = Definitions::r4()?;
//! let schemas = Schemas::new(&definitions, Dialect::JsonSchema).of(["Patient"]);
//! let gender = schemas["Patient"].get("properties").and_then(|p| p.get("gender")).unwrap();
//! assert_eq!(gender.to_string(), r##"{"$ref":"#/$defs/administrative-gender"}"##);
//! # Ok::<(), fhir_validate::schema::DefinitionsError>(())
//! ```

mod complex;
mod definition;
mod json;
mod primitive;
pub(crate) mod published;
mod value_set;

use std::collections::BTreeMap;

use fhir_model::Resource;
use fhir_model::reflect::{PrimitiveType, TypeInfo};

pub use definition::{Definitions, DefinitionsError};
pub use json::Json;
pub use published::published;

/// Where the schemas will stand, which decides how they refer to each other and how exact they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A document of their own: exact, for validators.
    JsonSchema,
    /// The components of an OpenAPI 3.1 document: what code generators understand and viewers can show.
    ///
    /// A resource inside another (`contained`, a Bundle's entry) is any object with a `resourceType`; a rare datatype in an
    /// extension is any object; that a choice has one type is said in words; a required primitive must have a value, where
    /// FHIR would also take an extension in its place.
    OpenApi,
}

/// Words on a type or element, by its path: `Patient`, `Patient.gender`, `Patient.deceased[x]`.
pub type Describe = fn(&str) -> Option<&'static str>;

/// Writes schemas.
#[derive(Debug)]
pub struct Schemas<'d> {
    definitions: &'d Definitions,
    dialect: Dialect,
    describe: Describe,
}

impl<'d> Schemas<'d> {
    /// Schemas in that dialect, described by facts alone.
    pub fn new(definitions: &'d Definitions, dialect: Dialect) -> Self {
        Schemas {
            definitions,
            dialect,
            describe: |_| None,
        }
    }

    /// The same, with words on types and elements.
    pub fn with_descriptions(mut self, describe: Describe) -> Self {
        self.describe = describe;
        self
    }

    /// The schemas of these types (of those that are FHIR types) and of all that they refer to, by name: types as the
    /// specification writes them (`Patient`, `Patient.contact`, `dateTime`), code lists by the id of their value set.
    pub fn of<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> BTreeMap<String, Json> {
        let mut writer = Writer {
            schemas: self,
            written: BTreeMap::new(),
            waiting: Vec::new(),
        };
        for info in names.into_iter().filter_map(fhir_model::type_info) {
            writer.refer(Target::Type(info));
        }
        while let Some((name, target)) = writer.waiting.pop() {
            let schema = writer.write(target);
            writer.written.insert(name, schema);
        }
        writer.written
    }

    /// One document for every R4 resource: its root takes any of them, `#/$defs/Patient` and so on take one type.
    pub fn document(&self) -> Json {
        let defs = self.of(Resource::TYPES.iter().copied());
        Json::object([
            (
                "$schema",
                Json::from("https://json-schema.org/draft/2020-12/schema"),
            ),
            ("title", Json::from("FHIR R4 (4.0.1) resources as JSON")),
            ("$ref", Json::from("#/$defs/Resource")),
            ("$defs", Json::Object(defs.into_iter().collect())),
        ])
    }
}

/// What a schema can refer to.
#[derive(Clone, Copy)]
enum Target<'d> {
    Type(&'static TypeInfo),
    Primitive(PrimitiveType),
    /// The codes of the value set with that canonical url and id.
    Codes(&'d str, &'d str),
    /// Any resource.
    Resource,
}

/// Writes schemas and remembers which ones they need.
struct Writer<'s, 'd> {
    schemas: &'s Schemas<'d>,
    written: BTreeMap<String, Json>,
    waiting: Vec<(String, Target<'d>)>,
}

impl<'d> Writer<'_, 'd> {
    /// A reference to the target, which will be written if it is not yet.
    fn refer(&mut self, target: Target<'d>) -> Json {
        let name = match target {
            Target::Type(info) => info.name,
            Target::Primitive(kind) => kind.name(),
            Target::Codes(_, id) => id,
            Target::Resource => "Resource",
        };
        let pointer = match self.schemas.dialect {
            Dialect::JsonSchema => "#/$defs/",
            Dialect::OpenApi => "#/components/schemas/",
        };
        if !self.written.contains_key(name) {
            // Null stands in until it is written.
            self.written.insert(name.to_owned(), Json::Null);
            self.waiting.push((name.to_owned(), target));
        }
        Json::object([("$ref", Json::from(format!("{pointer}{name}")))])
    }

    fn write(&mut self, target: Target<'d>) -> Json {
        match target {
            Target::Type(info) => self.complex(info),
            Target::Primitive(kind) => primitive::schema(self.schemas.definitions, kind),
            Target::Codes(url, _) => {
                let codes = value_set::codes(self.schemas.definitions, url).map(|c| c.codes);
                Json::object([
                    ("description", Json::from(format!("Codes of {url}"))),
                    ("type", Json::from("string")),
                    ("enum", Json::array(codes.unwrap_or_default())),
                ])
            }
            Target::Resource => self.any_resource(),
        }
    }

    /// Any resource: exact by its `resourceType`, or any object that has one.
    fn any_resource(&mut self) -> Json {
        let mut names = Json::array(Resource::TYPES.iter().copied());
        let mut schema = Json::object([
            ("type", Json::from("object")),
            ("required", Json::array(["resourceType"])),
        ]);
        if self.schemas.dialect == Dialect::OpenApi {
            schema.set(
                "description",
                "A resource of any type. Its own schema tells the rest.",
            );
            let kind = Json::object([
                ("type", Json::from("string")),
                ("enum", std::mem::replace(&mut names, Json::Null)),
            ]);
            schema.set("properties", Json::object([("resourceType", kind)]));
            schema.set("additionalProperties", true);
            return schema;
        }
        schema.set(
            "properties",
            Json::object([("resourceType", Json::object([("enum", names)]))]),
        );
        let cases = Resource::TYPES.iter().filter_map(|name| {
            let info = fhir_model::type_info(name)?;
            let named = Json::object([("const", Json::from(*name))]);
            let matches = Json::object([("properties", Json::object([("resourceType", named)]))]);
            Some(Json::object([
                ("if", matches),
                ("then", self.refer(Target::Type(info))),
            ]))
        });
        let cases: Vec<Json> = cases.collect();
        schema.set("allOf", cases);
        schema
    }
}

#[cfg(test)]
mod tests;
