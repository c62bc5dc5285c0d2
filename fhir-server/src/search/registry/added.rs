//! SearchParameters that a tenant stores (<https://hl7.org/fhir/R4/searchparameter.html>), as parameters of the registry.
//!
//! Invariant: what is not fully understood adds nothing; it is told why.
//! Invariant: a parameter that R4 defines cannot be changed or hidden by one that is stored.

use std::borrow::Cow;

use fhir_model::SearchParameter;
use fhir_model::definitions::{self, SearchParamType};
use fhir_model::path::Expression;

use super::plan::{branches, is_for};
use super::{Parameter, Part, Registry};
use crate::store::{ParameterNumber, ResourceType};

/// The greatest number of stored SearchParameters that take effect for a tenant.
pub(crate) const MOST_ADDED: usize = 1_000;
/// The longest code.
const MOST_CODE: usize = 64;

/// A stored SearchParameter.
#[derive(Clone, Debug)]
pub(crate) struct Added {
    /// Its logical id.
    pub(crate) id: String,
    /// The stamp of its current version, or of the newest component's where that is greater.
    pub(crate) stamp: i64,
    /// Its canonical URL.
    pub(crate) url: String,
    /// Its name in a query.
    pub(crate) code: String,
    /// What it comes to, one for each of its base types.
    pub(crate) parameters: Vec<Parameter>,
    /// Whether it takes effect.
    pub(crate) standing: Standing,
}

/// Whether a stored SearchParameter takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is answered.
    InUse,
    /// Resources are being indexed for it.
    Indexing,
    /// That has not begun.
    Waiting,
    /// Its status is not `active`.
    Inactive,
    /// It is one of R4's own, which the server knows without it.
    OfR4,
    /// It cannot take effect: why.
    Faulty(String),
}

impl Standing {
    /// As a code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Standing::InUse => "in-use",
            Standing::Indexing => "being-indexed",
            Standing::Waiting => "waiting",
            Standing::Inactive => "inactive",
            Standing::OfR4 => "defined-by-r4",
            Standing::Faulty(_) => "faulty",
        }
    }
}

/// What is wrong with a SearchParameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The element, below the resource.
    pub(crate) element: String,
    /// What, and the cure, as sentences.
    pub(crate) text: String,
}

fn fault(element: impl Into<String>, text: String) -> Fault {
    Fault {
        element: element.into(),
        text,
    }
}

/// The stored SearchParameter as it stands by itself: what it comes to, without numbers, beside those that are known.
///
/// # Errors
/// Why it cannot take effect.
pub(crate) fn read(
    definition: &SearchParameter,
    id: &str,
    known: &Registry,
) -> Result<(Standing, Vec<Parameter>), Fault> {
    if definition.status.as_str() != Some("active") {
        return Ok((Standing::Inactive, Vec::new()));
    }
    let url = definition.url.as_str().unwrap_or_default();
    if let Some(r4) = definitions::search_parameter(url) {
        return same_as_r4(definition, r4).map(|()| (Standing::OfR4, Vec::new()));
    }
    let kind = kind_of(definition)?;
    let code = code_of(definition)?;
    let targets = targets_of(definition)?;
    let components = components_of(definition, kind, known)?;
    let expression = expression_of(definition)?;
    let of = |(place, base): (usize, &str)| -> Result<Parameter, Fault> {
        let element = format!("base[{place}]");
        let resource_type = base_of(base).ok_or_else(|| {
            fault(
                &element,
                format!("R4 has no resource type {base:?}: name one, such as Patient."),
            )
        })?;
        refuse_clash(known, resource_type, code, (id, url))?;
        finds_something(&expression, resource_type)?;
        Ok(Parameter {
            number: ParameterNumber(0),
            code: Cow::Owned(code.to_owned()),
            url: Cow::Owned(url.to_owned()),
            resource_type,
            kind,
            targets: targets.clone(),
            components: components.clone(),
            expression: Some(Cow::Owned(expression.clone())),
        })
    };
    let mut bases: Vec<&str> = definition.base.iter().filter_map(|b| b.as_str()).collect();
    if bases.is_empty() {
        let text = "A search parameter is of at least one resource type: name it in `base`.";
        return Err(fault("base", text.into()));
    }
    if bases.iter().any(|base| base_of(base) == Some(None)) {
        // One of every type is of each.
        bases.retain(|base| base_of(base) == Some(None));
        bases.truncate(1);
    }
    let parameters = bases.into_iter().enumerate().map(of);
    Ok((Standing::Waiting, parameters.collect::<Result<Vec<_>, Fault>>()?))
}

/// R4's own definitions may be stored, as packages bring them along; what they say is what the server does anyway.
fn same_as_r4(definition: &SearchParameter, r4: &definitions::SearchParameter) -> Result<(), Fault> {
    let differs = [
        ("code", definition.code.as_str(), Some(r4.code)),
        ("type", definition.type_.as_str(), Some(r4.type_.code())),
        ("expression", definition.expression.as_str(), r4.expression),
    ];
    match differs.into_iter().find(|(_, stored, known)| stored != known) {
        None => Ok(()),
        Some((element, ..)) => Err(fault(
            element,
            format!(
                "{} is a search parameter of R4 itself, with another {element}: give one that differs a url and a code of its own.",
                r4.url
            ),
        )),
    }
}

const KINDS: [SearchParamType; 8] = [
    SearchParamType::Number,
    SearchParamType::Date,
    SearchParamType::String,
    SearchParamType::Token,
    SearchParamType::Reference,
    SearchParamType::Composite,
    SearchParamType::Quantity,
    SearchParamType::Uri,
];

fn kind_of(definition: &SearchParameter) -> Result<SearchParamType, Fault> {
    let named = definition.type_.as_str().unwrap_or_default();
    KINDS
        .into_iter()
        .find(|kind| kind.code() == named)
        .ok_or_else(|| {
            let known: Vec<_> = KINDS.iter().map(|kind| kind.code()).collect();
            let text = format!(
                "A search parameter of type {named:?} cannot be added: it is one of {}.",
                known.join(", ")
            );
            fault("type", text)
        })
}

fn code_of(definition: &SearchParameter) -> Result<&str, Fault> {
    let code = definition.code.as_str().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let begins = code.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && code.chars().all(is_plain) && code.len() <= MOST_CODE {
        return Ok(code);
    }
    let text = format!(
        "{code:?} cannot be the name of a parameter in a query: begin it with a letter, go on with letters, digits, `-` and `_`, \
         at most {MOST_CODE} in all."
    );
    Err(fault("code", text))
}

fn targets_of(definition: &SearchParameter) -> Result<Vec<ResourceType>, Fault> {
    let mut targets = Vec::new();
    for (place, name) in definition.target.iter().filter_map(|t| t.as_str()).enumerate() {
        match base_of(name) {
            // One that stands for all is no restriction.
            Some(None) => return Ok(Vec::new()),
            Some(Some(target)) => targets.push(target),
            None => {
                let text = format!("R4 has no resource type {name:?}: name one, such as Patient.");
                return Err(fault(format!("target[{place}]"), text));
            }
        }
    }
    targets.sort_unstable();
    targets.dedup();
    Ok(targets)
}

/// The type of that name; within, `None` stands for every type.
fn base_of(name: &str) -> Option<Option<ResourceType>> {
    match name {
        "Resource" | "DomainResource" => Some(None),
        name => ResourceType::from_name(name).map(Some),
    }
}

fn expression_of(definition: &SearchParameter) -> Result<String, Fault> {
    let expression = definition.expression.as_str().unwrap_or_default();
    if expression.trim().is_empty() {
        let text = "The FHIRPath expression is missing that finds the values: such as `Patient.name.given`.";
        return Err(fault("expression", text.into()));
    }
    compiles("expression", expression)?;
    Ok(expression.to_owned())
}

fn compiles(element: &str, expression: &str) -> Result<Vec<Expression>, Fault> {
    branches(expression).map_err(|error| {
        fault(
            element,
            format!("The expression is not one of FHIRPath: {error}."),
        )
    })
}

/// An expression that speaks of other types alone would find nothing, for ever.
fn finds_something(expression: &str, resource_type: Option<ResourceType>) -> Result<(), Fault> {
    let Some(resource_type) = resource_type else {
        return Ok(());
    };
    let branches = compiles("expression", expression)?;
    match branches.iter().any(|branch| is_for(branch, resource_type)) {
        true => Ok(()),
        false => {
            let name = resource_type.name();
            let text = format!("No branch of the expression is about {name}: begin one with `{name}.`.");
            Err(fault("expression", text))
        }
    }
}

fn components_of(
    definition: &SearchParameter,
    kind: SearchParamType,
    known: &Registry,
) -> Result<Vec<Part>, Fault> {
    let is_composite = kind == SearchParamType::Composite;
    if is_composite == definition.component.is_empty() {
        let text = "Components belong to a search parameter of type composite, which has at least one.";
        return Err(fault("component", text.into()));
    }
    let part = |(place, component): (usize, &fhir_model::SearchParameterComponent)| -> Result<Part, Fault> {
        let element = format!("component[{place}]");
        let url = component.definition.as_str().unwrap_or_default();
        let (kind, targets) = known.kind_of(url).ok_or_else(|| {
            let text = format!("No search parameter {url:?} is known: store it first.");
            fault(format!("{element}.definition"), text)
        })?;
        if kind == SearchParamType::Composite {
            let text = format!("{url} is a composite itself, which cannot be a part of another.");
            return Err(fault(format!("{element}.definition"), text));
        }
        let expression = component.expression.as_str().unwrap_or_default();
        compiles(&format!("{element}.expression"), expression)?;
        Ok(Part {
            parameter: ParameterNumber(0),
            kind,
            targets,
            expression: Cow::Owned(expression.to_owned()),
        })
    };
    definition.component.iter().enumerate().map(part).collect()
}

fn refuse_clash(
    known: &Registry,
    resource_type: Option<ResourceType>,
    code: &str,
    (id, url): (&str, &str),
) -> Result<(), Fault> {
    if let Some(other) = known
        .added()
        .iter()
        .find(|a| a.takes_effect() && a.url == url && a.id != id)
    {
        let text = format!(
            "SearchParameter/{} has the same url and is active: change that one.",
            other.id
        );
        return Err(fault("url", text));
    }
    let Some(taken_by) = known.holder(resource_type, code, id) else {
        return Ok(());
    };
    let of = resource_type.map_or("a resource type", ResourceType::name);
    let text = format!("The code {code:?} stands for {taken_by} on {of} already: choose another.");
    Err(fault("code", text))
}

impl Added {
    /// Whether it is answered, or shall be.
    pub(crate) fn takes_effect(&self) -> bool {
        matches!(
            self.standing,
            Standing::InUse | Standing::Indexing | Standing::Waiting
        )
    }

    /// Whether it is one of that type, or of every type.
    pub(super) fn is_of(&self, resource_type: Option<ResourceType>) -> bool {
        let of = |p: &Parameter| p.resource_type.is_none() || p.resource_type == resource_type;
        self.parameters.iter().any(of)
    }
}
