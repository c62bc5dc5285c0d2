//! Rust source from the model. Tables carry `#[rustfmt::skip]` and have a line an element.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::model::{Field, Shape, Struct, Unit, Variant, value_type};
use super::{HEADER, name};
use crate::Result;

/// Files that hold tables, not types.
const TABLES: [&str; 4] = [
    "compartments",
    "implied_systems",
    "search_parameters",
    "type_infos",
];

/// Datatypes on the page of their own kind (<https://hl7.org/fhir/R4/metadatatypes.html>).
const METADATA_TYPES: [&str; 8] = [
    "ContactDetail",
    "Contributor",
    "DataRequirement",
    "Expression",
    "ParameterDefinition",
    "RelatedArtifact",
    "TriggerDefinition",
    "UsageContext",
];

/// `max_width` in `rustfmt.toml`.
const MAX_WIDTH: usize = 110;

/// Appends a line; writing to a `String` cannot fail.
macro_rules! line {
    ($out:expr) => { $out.push('\n') };
    ($out:expr, $($arg:tt)*) => {{
        let _ = writeln!($out, $($arg)*);
    }};
}

/// The file of one type.
pub(super) fn unit(unit: &Unit) -> String {
    let mut body = String::new();
    for item in &unit.structs {
        line!(body);
        structure(&mut body, unit, item);
        for field in &item.fields {
            if let Shape::Choice(variants) = &field.shape {
                line!(body);
                let enum_name = name::camel_path(&field.path);
                choice(
                    &mut body,
                    &enum_name,
                    &format!("`{}`: the types it can take.", field.path),
                    variants,
                );
                line!(body);
                variant_table(&mut body, "", &name::constant(&enum_name), &field.name, variants);
            }
        }
    }
    let mut out = file(&format!("`{}` (<{}>).", unit.name, page(unit)));
    imports(&mut out, &body);
    out + &body
}

/// The shared enum of the open type list, and a table for each name of an element that has it.
pub(super) fn any_value(units: &[Unit]) -> Result<String> {
    let mut stems: BTreeMap<&str, &[Variant]> = BTreeMap::new();
    for field in units.iter().flat_map(|u| &u.structs).flat_map(|s| &s.fields) {
        if let Shape::Open(variants) = &field.shape {
            stems.insert(&field.name, variants);
        }
    }
    let first = *stems.values().next().ok_or("no element has the open type list")?;
    if stems.values().any(|variants| *variants != first) {
        return Err("the open type lists differ".to_owned());
    }
    let mut body = String::new();
    line!(body);
    choice(
        &mut body,
        "AnyValue",
        "A value of any datatype: the open type list.",
        first,
    );
    for (stem, variants) in stems {
        line!(body);
        variant_table(&mut body, "pub(super) ", &open_table(stem), stem, variants);
    }
    let mut out = file("[`AnyValue`] (<https://hl7.org/fhir/R4/datatypes.html#open>).");
    imports(&mut out, &body);
    Ok(out + &body)
}

/// The enum over all resource types.
pub(super) fn resource(units: &[Unit]) -> String {
    let mut out = file("[`Resource`] (<https://hl7.org/fhir/R4/resourcelist.html>).");
    line!(out, "\nuse super::*;\n\ncrate::resource::resources! {{");
    for unit in units.iter().filter(|u| u.is_resource) {
        line!(out, "    {},", unit.name);
    }
    line!(out, "}}");
    out
}

/// The table behind `type_info`.
pub(super) fn type_table(units: &[Unit]) -> String {
    let mut out = file("Every type by name.");
    let mut types: Vec<&Struct> = units.iter().flat_map(|u| &u.structs).collect();
    types.sort_by(|a, b| a.path.cmp(&b.path));
    line!(out, "\nuse super::*;\nuse crate::reflect::TypeInfo;\n");
    line!(
        out,
        "/// Every resource, datatype and backbone element, sorted by name."
    );
    line!(out, "#[rustfmt::skip]");
    line!(
        out,
        "pub(crate) static TYPE_INFOS: [&TypeInfo; {}] = [",
        types.len()
    );
    for item in types {
        line!(out, "    &{},", name::constant(&item.rust_name));
    }
    line!(out, "];");
    out
}

/// `mod.rs`: the types are given on, the tables are for `definitions` and `type_info`.
pub(super) fn modules(modules: &[String]) -> String {
    let mut out =
        file("The types of FHIR R4 4.0.1: a struct for each resource, datatype and backbone element.");
    line!(out);
    for module in modules {
        let public = if TABLES.contains(&module.as_str()) {
            "pub(crate) "
        } else {
            ""
        };
        line!(out, "{public}mod {module};");
    }
    line!(out);
    for module in modules.iter().filter(|m| !TABLES.contains(&m.as_str())) {
        line!(out, "pub use {module}::*;");
    }
    out
}

fn file(job: &str) -> String {
    format!("{HEADER}\n//! {job}\n")
}

fn page(unit: &Unit) -> String {
    let own = format!("{}.html", unit.name.to_lowercase());
    let place = match unit.name.as_str() {
        _ if unit.is_resource => own,
        "Dosage" | "Element" | "ElementDefinition" => own,
        "MarketingStatus" | "Population" | "ProdCharacteristic" | "ProductShelfLife" | "SubstanceAmount" => {
            own
        }
        "Extension" => "extensibility.html#Extension".to_owned(),
        "Meta" => "resource.html#Meta".to_owned(),
        "Narrative" => "narrative.html#Narrative".to_owned(),
        "Reference" => "references.html#Reference".to_owned(),
        name if METADATA_TYPES.contains(&name) => format!("metadatatypes.html#{name}"),
        name => format!("datatypes.html#{name}"),
    };
    format!("https://hl7.org/fhir/R4/{place}")
}

/// The `use` lines for what the body names, in the order that rustfmt sorts them.
fn imports(out: &mut String, body: &str) {
    let reflect = [
        ("Field", "Field::new"),
        ("PrimitiveType as P", "(P::"),
        ("Shape", "Shape::"),
        ("TypeInfo", "TypeInfo {"),
        ("TypeKind", "TypeKind::"),
        ("Variant", "[Variant;"),
    ];
    let values = [
        ("Date", "<Date>"),
        ("DateTime", "<DateTime>"),
        ("Decimal", "<Decimal>"),
        ("Instant", "<Instant>"),
        ("Primitive", "Primitive<"),
        ("Str", "<Str>"),
        ("Time", "<Time>"),
    ];
    let used = |names: &[(&'static str, &str)]| -> Vec<&str> {
        names
            .iter()
            .filter(|(_, use_)| body.contains(use_))
            .map(|(name, _)| *name)
            .collect()
    };
    let reflect = format!("use crate::reflect::{{{}}};", used(&reflect).join(", "));
    line!(out, "\nuse super::*;");
    match used(&values).as_slice() {
        [] => line!(out, "{reflect}"),
        [one] => line!(out, "use crate::{one};\n{reflect}"),
        many => line!(out, "{reflect}\nuse crate::{{{}}};", many.join(", ")),
    }
}

fn structure(out: &mut String, unit: &Unit, item: &Struct) {
    line!(out, "/// {}", job(unit, item));
    line!(out, "#[derive(Clone, Default)]");
    line!(out, "pub struct {} {{", item.rust_name);
    for field in &item.fields {
        line!(out, "    /// {}", description(field));
        field_line(out, &name::field(&field.name), &field_type(field));
    }
    line!(out, "}}\n");
    let table = name::constant(&item.rust_name);
    line!(out, "crate::complex! {{");
    line!(out, "    {}, {table};", item.rust_name);
    for (index, field) in item.fields.iter().enumerate() {
        line!(out, "    {index} {},", name::field(&field.name));
    }
    line!(out, "}}\n");
    line!(out, "/// The facts of [`{}`].", item.rust_name);
    line!(out, "#[rustfmt::skip]");
    line!(out, "pub static {table}: TypeInfo = TypeInfo {{");
    line!(out, "    name: \"{}\",", item.path);
    line!(out, "    kind: TypeKind::{},", item.kind);
    line!(out, "    base: \"{}\",", item.base);
    line!(out, "    fields: &[");
    for field in &item.fields {
        line!(out, "        {},", row(field));
    }
    line!(out, "    ],\n}};");
}

fn job(unit: &Unit, item: &Struct) -> String {
    match item.kind {
        "Resource" => format!("The resource [`{}`]({}).", item.path, page(unit)),
        "DataType" => format!("The datatype [`{}`]({}).", item.path, page(unit)),
        _ => format!(
            "The elements of `{}`, part of [`{}`]({}).",
            item.path,
            unit.name,
            page(unit)
        ),
    }
}

/// A field, on two lines where one would be too wide for rustfmt.
fn field_line(out: &mut String, field: &str, field_type: &str) {
    let line = format!("    pub {field}: {field_type},");
    if line.len() <= MAX_WIDTH {
        line!(out, "{line}");
    } else {
        line!(out, "    pub {field}:\n        {field_type},");
    }
}

/// `` `Patient.gender` 0..1 code; required <http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1> ``
fn description(field: &Field) -> String {
    let max = field.max.map_or("*".to_owned(), |max| max.to_string());
    let mut text = format!("`{}` {}..{max} {}", field.path, field.min, field.types);
    if let Some((strength, Some(value_set))) = &field.binding {
        let _ = write!(text, "; {strength} <{value_set}>");
    }
    text
}

fn field_type(field: &Field) -> String {
    match (&field.shape, field.is_list()) {
        (Shape::Primitive(_), _) if field.attribute => "Option<Str>".to_owned(),
        (Shape::Primitive(t), false) => format!("Primitive<{}>", value_type(t)),
        (Shape::Primitive(t), true) => format!("Vec<Primitive<{}>>", value_type(t)),
        (Shape::Complex(t), false) => format!("Option<Box<{t}>>"),
        (Shape::Complex(t), true) => format!("Vec<{t}>"),
        (Shape::Choice(_), _) => format!("Option<{}>", name::camel_path(&field.path)),
        (Shape::Open(_), _) => "Option<AnyValue>".to_owned(),
        (Shape::Resource, false) => "Option<Resource>".to_owned(),
        (Shape::Resource, true) => "Vec<Resource>".to_owned(),
    }
}

fn row(field: &Field) -> String {
    let shape = match &field.shape {
        Shape::Primitive(t) => format!("Shape::Primitive(P::{})", name::capital(t)),
        Shape::Complex(t) => format!("Shape::Complex(&{})", name::constant(t)),
        Shape::Choice(_) => format!(
            "Shape::Choice(&{})",
            name::constant(&name::camel_path(&field.path))
        ),
        Shape::Open(_) => format!("Shape::Choice(&any_value::{})", open_table(&field.name)),
        Shape::Resource => "Shape::Resource".to_owned(),
    };
    let max = field.max.map_or("Field::MANY".to_owned(), |max| max.to_string());
    let mut row = format!("Field::new(\"{}\", {}, {max}, {shape})", field.name, field.min);
    for (set, flag) in [
        (field.summary, "summary"),
        (field.modifier, "modifier"),
        (field.attribute, "attribute"),
    ] {
        if set {
            let _ = write!(row, ".{flag}()");
        }
    }
    row
}

fn open_table(stem: &str) -> String {
    format!("ANY_{}", name::constant(stem))
}

fn choice(out: &mut String, enum_name: &str, doc: &str, variants: &[Variant]) {
    line!(out, "/// {doc}");
    line!(out, "#[derive(Clone)]");
    line!(out, "pub enum {enum_name} {{");
    for variant in variants {
        line!(out, "    /// {}", variant.type_name);
        let content = match variant.is_primitive {
            true => format!("Primitive<{}>", value_type(&variant.type_name)),
            false => format!("Box<{}>", variant.type_name),
        };
        line!(out, "    {}({content}),", name::capital(&variant.type_name));
    }
    line!(out, "}}\n");
    line!(out, "crate::choice! {{");
    line!(out, "    {enum_name};");
    for (index, variant) in variants.iter().enumerate() {
        let kind = if variant.is_primitive { 'P' } else { 'C' };
        line!(out, "    {index} {kind} {},", name::capital(&variant.type_name));
    }
    line!(out, "}}");
}

fn variant_table(out: &mut String, public: &str, table: &str, stem: &str, variants: &[Variant]) {
    line!(out, "#[rustfmt::skip]");
    line!(out, "{public}static {table}: [Variant; {}] = [", variants.len());
    for variant in variants {
        let t = &variant.type_name;
        let shape = match variant.is_primitive {
            true => format!("Shape::Primitive(P::{})", name::capital(t)),
            false => format!("Shape::Complex(&{})", name::constant(t)),
        };
        let json = format!("{stem}{}", name::capital(t));
        line!(
            out,
            "    Variant {{ name: \"{json}\", type_name: \"{t}\", shape: {shape} }},"
        );
    }
    line!(out, "];");
}
