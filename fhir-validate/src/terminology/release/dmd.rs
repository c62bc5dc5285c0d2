//! The NHS dictionary of medicines and devices in its XML form
//! (<https://www.nhsbsa.nhs.uk/pharmacies-gp-practices-and-appliance-contractors/dictionary-medicines-and-devices-dmd>).
//!
//! Held are the five classes of products, invalid ones as inactive. An actual product is a kind of its virtual one, and
//! that of its therapeutic moiety.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::ReleaseError;
use super::archive::Files;
use crate::terminology::build::Builder;
use crate::terminology::code_system::{CodeSystem, Content, Head};

const URL: &str = "https://dmd.nhs.uk";
const SNOMED: &str = "http://snomed.info/sct";
/// Bytes of the text of one element.
const MAX_TEXT: usize = 4096;

/// A class of products: the file that has it, the element of a record, and the elements of its id, name and parents.
struct Class {
    file: &'static str,
    record: &'static str,
    id: &'static str,
    /// The first that is there counts.
    names: &'static [&'static str],
    /// Products of another class that it is a kind of.
    parents: &'static [&'static str],
    /// References to other classes, kept as properties.
    properties: &'static [&'static str],
}

const CLASSES: [Class; 5] = [
    Class {
        file: "f_vtm",
        record: "VTM",
        id: "VTMID",
        names: &["NM"],
        parents: &[],
        properties: &[],
    },
    Class {
        file: "f_vmp2",
        record: "VMP",
        id: "VPID",
        names: &["NM"],
        parents: &["VTMID"],
        properties: &["VTMID"],
    },
    Class {
        file: "f_amp2",
        record: "AMP",
        id: "APID",
        names: &["DESC", "NM"],
        parents: &["VPID"],
        properties: &["VPID"],
    },
    Class {
        file: "f_vmpp",
        record: "VMPP",
        id: "VPPID",
        names: &["NM"],
        parents: &[],
        properties: &["VPID"],
    },
    Class {
        file: "f_ampp",
        record: "AMPP",
        id: "APPID",
        names: &["NM"],
        parents: &["VPPID"],
        properties: &["VPPID", "APID"],
    },
];

/// A product while the release is read.
struct Product {
    class: &'static str,
    name: String,
    invalid: bool,
    parents: Vec<String>,
    properties: Vec<(&'static str, String)>,
}

fn is_of(class: &Class, name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    file.starts_with(class.file) && file.ends_with(".xml")
}

/// Whether a file of that name is read.
pub(super) fn is_read(name: &str) -> bool {
    CLASSES.iter().any(|class| is_of(class, name))
}

pub(super) fn read(files: &mut dyn Files) -> Result<Vec<CodeSystem>, ReleaseError> {
    let names = files.names();
    let mut products: HashMap<String, Product> = HashMap::new();
    for class in &CLASSES {
        let is_of = |n: &&String| is_of(class, n);
        for name in names.iter().filter(is_of) {
            records(files, name, class, &mut products)?;
        }
    }
    if products.is_empty() {
        return Err(ReleaseError::Incomplete(
            "it has no products (f_vtm….xml, f_vmp2….xml and so on)".to_owned(),
        ));
    }
    let version = version(&names);
    let mut products: Vec<(String, Product)> = products.into_iter().collect();
    products.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    // The same codes are codes of SNOMED CT, of which this is then a part.
    Ok(vec![
        build(URL, version, Content::Complete, &products)?,
        build(SNOMED, None, Content::Fragment, &products)?,
    ])
}

/// The version by the names of the files: `f_vmp2_3070725.xml` is of week 7, 2025.
fn version(names: &[String]) -> Option<String> {
    let stem = |n: &String| {
        n.rsplit('/')
            .next()?
            .strip_suffix(".xml")?
            .rsplit('_')
            .next()
            .map(str::to_owned)
    };
    names
        .iter()
        .filter_map(stem)
        .filter(|v| v.bytes().all(|b| b.is_ascii_digit()))
        .max()
}

fn records(
    files: &mut dyn Files,
    name: &str,
    class: &'static Class,
    products: &mut HashMap<String, Product>,
) -> Result<(), ReleaseError> {
    let malformed = |why: String| ReleaseError::Malformed(format!("{name}: {why}"));
    let mut reader = Reader::from_reader(files.open(name)?);
    let mut buffer = Vec::new();
    // The elements of the record that is open, by name.
    let mut record: Option<HashMap<String, String>> = None;
    let mut element = String::new();
    loop {
        buffer.clear();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|e| malformed(e.to_string()))?;
        match event {
            Event::Eof => return Ok(()),
            Event::DocType(_) => return Err(malformed("a document type is not allowed".to_owned())),
            Event::Start(start) => {
                element = start.name().as_ref().to_owned();
                if element == class.record {
                    record = Some(HashMap::new());
                }
            }
            Event::End(end) => {
                element.clear();
                if *end.name().as_ref() == *class.record
                    && let Some(fields) = record.take()
                {
                    product(class, fields, products).map_err(&malformed)?;
                }
            }
            Event::Text(text) => {
                append(&mut record, &element, &text).map_err(&malformed)?;
            }
            Event::GeneralRef(reference) => {
                let text = match reference.resolve_char_ref() {
                    Ok(Some(c)) => c.to_string(),
                    _ => {
                        let entity: &str = &reference;
                        entity_text(entity).ok_or_else(|| malformed(format!("&{entity}; is not known")))?
                    }
                };
                append(&mut record, &element, &text).map_err(&malformed)?;
            }
            _ => {}
        }
    }
}

fn entity_text(entity: &str) -> Option<String> {
    let text = match entity {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return None,
    };
    Some(text.to_owned())
}

fn append(record: &mut Option<HashMap<String, String>>, element: &str, text: &str) -> Result<(), String> {
    let Some(fields) = record.as_mut().filter(|_| !element.is_empty()) else {
        return Ok(());
    };
    let field = fields.entry(element.to_owned()).or_default();
    if field.len() + text.len() > MAX_TEXT {
        return Err(format!("{element} has more than {MAX_TEXT} bytes"));
    }
    field.push_str(text);
    Ok(())
}

fn product(
    class: &'static Class,
    mut fields: HashMap<String, String>,
    products: &mut HashMap<String, Product>,
) -> Result<(), String> {
    let mut take = |name: &str| {
        fields
            .remove(name)
            .map(|t| t.trim().to_owned())
            .filter(|t| !t.is_empty())
    };
    let id = take(class.id).ok_or_else(|| format!("a {} has no {}", class.record, class.id))?;
    let names: Vec<String> = class.names.iter().filter_map(|n| take(n)).collect();
    let invalid = take("INVALID").as_deref() == Some("1");
    let related = class.properties.iter().filter_map(|p| Some((*p, take(p)?)));
    let properties: Vec<(&'static str, String)> = related.collect();
    let parents = properties.iter().filter(|(p, _)| class.parents.contains(p));
    let parents = parents.map(|(_, code)| code.clone()).collect();
    products.insert(
        id,
        Product {
            class: class.record,
            name: names.into_iter().next().unwrap_or_default(),
            invalid,
            parents,
            properties,
        },
    );
    Ok(())
}

fn build(
    url: &str,
    version: Option<String>,
    content: Content,
    products: &[(String, Product)],
) -> Result<CodeSystem, ReleaseError> {
    let mut builder = Builder::new(Head {
        url: url.to_owned(),
        version,
        name: Some("DictionaryOfMedicinesAndDevices".to_owned()),
        language: Some("en".to_owned()),
        content,
        case_sensitive: true,
        status: Some("active".to_owned()),
        experimental: false,
        standards_status: None,
        properties: Vec::new(),
    });
    let place: HashMap<&str, u32> = products
        .iter()
        .zip(0u32..)
        .map(|((id, _), at)| (id.as_str(), at))
        .collect();
    for (id, product) in products {
        let index = builder.concept(id, Some(&product.name), None);
        if product.invalid {
            builder.set_inactive();
        }
        builder.code_property("class", product.class);
        for (property, code) in &product.properties {
            builder.code_property(property, code);
        }
        for parent in product.parents.iter().filter_map(|p| place.get(p.as_str())) {
            builder.link(index, *parent);
        }
    }
    builder
        .finish()
        .map_err(|_| ReleaseError::TooLarge("more than 4 GiB of names".to_owned()))
}
