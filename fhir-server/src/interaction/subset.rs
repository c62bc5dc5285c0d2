//! `_summary`, `_elements` and `_elements:exclude`: parts of a resource (<https://hl7.org/fhir/R4/search.html#summary>).
//!
//! Invariant: a part says that it is one, by the tag SUBSETTED, so that nobody sends it back as the whole.

use fhir_model::reflect::{Complex, Field, SlotMut, TypeInfo};
use fhir_model::{Coding, Meta, Resource, json};

use super::Summary;
use super::query::{Reader, malformed};
use crate::error::{Error, ErrorCode, Result};

/// How much of a resource the caller wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// All of it.
    Whole,
    /// `_summary`
    Summary(Summary),
    /// `_elements`: names of elements of the root, choices by their stem.
    Elements(Vec<String>),
    /// `_elements:exclude`, the server's own: all but those.
    Without(Vec<String>),
}

impl View {
    /// Reads `_summary`, `_elements` and `_elements:exclude`.
    pub(super) fn take(parameters: &mut Reader<'_>) -> Result<View> {
        let summary = parameters.one("_summary")?.map(parse_summary).transpose()?;
        let without = parameters.all("_elements:exclude")?;
        let elements = parameters.all("_elements")?;
        let names = |lists: &[&str]| {
            let names = lists.iter().flat_map(|list| list.split(',')).map(str::trim);
            names.filter(|n| !n.is_empty()).map(str::to_owned).collect()
        };
        match (summary, elements.as_slice(), without.as_slice()) {
            (Some(Summary::False) | None, [], []) => Ok(View::Whole),
            (Some(summary), [], []) => Ok(View::Summary(summary)),
            (None, elements, []) => Ok(View::Elements(names(elements))),
            (None, [], without) => Ok(View::Without(names(without))),
            _ => {
                let text = "_summary, _elements and _elements:exclude rule each other out: send one of them.";
                Err(Error::new(ErrorCode::Value, text).at("http._elements"))
            }
        }
    }

    /// How much of a resource of that type that was included: `_elements` is about the matches, but for names that begin with the type.
    pub(super) fn of_included(&self, type_name: &str) -> View {
        let is_named = |name: &&String| name.split_once('.').is_some_and(|(t, _)| t == type_name);
        match self {
            View::Elements(names) => match names.iter().filter(is_named).cloned().collect::<Vec<_>>() {
                named if named.is_empty() => View::Whole,
                named => View::Elements(named),
            },
            View::Without(names) => match names.iter().filter(is_named).cloned().collect::<Vec<_>>() {
                named if named.is_empty() => View::Whole,
                named => View::Without(named),
            },
            other => other.clone(),
        }
    }

    /// Whether only the number of matches is wanted.
    pub(super) fn counts(&self) -> bool {
        *self == View::Summary(Summary::Count)
    }

    /// That part of a resource in JSON.
    pub(super) fn apply(&self, json: Vec<u8>) -> Result<Vec<u8>> {
        if *self == View::Whole {
            return Ok(json);
        }
        let mut resource = json::from_slice(&json).map_err(Error::internal)?;
        tag(&mut resource);
        let root = resource.as_complex();
        let mut out = Vec::with_capacity(json.len());
        json::write_selected(root, &mut out, &mut |info, field, depth| match depth {
            0 => self.keeps(info, field),
            _ => self.keeps_within(info, field),
        });
        Ok(out)
    }

    /// Whether an element of the root stays. Its identity and what is mandatory always do; what modifies the meaning
    /// (`Patient.active`) does too, but in `text`, where a person reads the narrative and the specification says only.
    fn keeps(&self, info: &TypeInfo, field: &Field) -> bool {
        let kept = matches!(field.name, "id" | "meta") || field.min > 0;
        kept || match self {
            View::Whole | View::Summary(Summary::False) => true,
            View::Summary(Summary::True) => field.summary || field.modifier,
            View::Summary(Summary::Text) => field.name == "text",
            View::Summary(Summary::Data) => field.name != "text",
            View::Summary(Summary::Count) => false,
            View::Elements(names) => field.modifier || names.iter().any(|n| means(n, info, field)),
            View::Without(names) => field.modifier || !names.iter().any(|n| means(n, info, field)),
        }
    }

    /// Whether an element further inside stays. Extensions of what stays do, whole.
    fn keeps_within(&self, info: &TypeInfo, field: &Field) -> bool {
        *self != View::Summary(Summary::True)
            || field.summary
            || field.modifier
            || field.min > 0
            || matches!(field.name, "id" | "extension")
            || matches!(info.name, "Extension" | "Element")
    }
}

fn parse_summary(text: &str) -> Result<Summary> {
    match text {
        "true" => Ok(Summary::True),
        "text" => Ok(Summary::Text),
        "data" => Ok(Summary::Data),
        "count" => Ok(Summary::Count),
        "false" => Ok(Summary::False),
        other => Err(malformed("_summary", other, "true, text, data, count or false")),
    }
}

/// Whether a name in `_elements` means that element: `name`, `Patient.name`, `value`, `value[x]`.
fn means(name: &str, info: &TypeInfo, field: &Field) -> bool {
    let name = match name.split_once('.') {
        Some((type_name, name)) if type_name == info.name => name,
        Some(_) => return false,
        None => name,
    };
    name.strip_suffix("[x]").unwrap_or(name) == field.name
}

fn tag(resource: &mut Resource) {
    let root: &mut dyn Complex = resource.as_complex_mut();
    let Some((index, _)) = root.type_info().field("meta") else {
        return;
    };
    let Some(SlotMut::Complex(slot)) = root.slot_mut(index) else {
        return;
    };
    let Some(meta) = slot.get_or_insert().as_any_mut().downcast_mut::<Meta>() else {
        return;
    };
    meta.tag.push(Coding {
        system: "http://terminology.hl7.org/CodeSystem/v3-ObservationValue".into(),
        code: "SUBSETTED".into(),
        ..Coding::default()
    });
}
