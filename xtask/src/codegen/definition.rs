//! The parts of a StructureDefinition that code is written from.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StructureDefinition {
    #[serde(rename = "type")]
    pub type_name: String,
    pub kind: String,
    #[serde(rename = "abstract")]
    pub is_abstract: bool,
    pub base_definition: Option<String>,
    #[serde(default)]
    pub snapshot: Elements,
}

#[derive(Deserialize, Default)]
pub(super) struct Elements {
    pub element: Vec<Element>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Element {
    pub path: String,
    #[serde(default)]
    pub min: u32,
    #[serde(default)]
    pub max: String,
    pub base: Option<Base>,
    pub content_reference: Option<String>,
    #[serde(default, rename = "type")]
    pub types: Vec<Type>,
    pub binding: Option<Binding>,
    #[serde(default)]
    pub is_modifier: bool,
    #[serde(default)]
    pub is_summary: bool,
    #[serde(default)]
    pub representation: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Base {
    pub path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Type {
    pub code: String,
    #[serde(default)]
    pub target_profile: Vec<String>,
    #[serde(default)]
    pub extension: Vec<Extension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Extension {
    pub url: String,
    pub value_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Binding {
    pub strength: String,
    pub value_set: Option<String>,
}
