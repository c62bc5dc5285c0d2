//! [`Arguments`]: the parameters of a call, checked against the OperationDefinition
//! (<https://hl7.org/fhir/R4/operations.html#request>).
//!
//! They come in a Parameters resource, as parameters of the URL where they are primitives, or as the resource that is the
//! parameter `resource`, or the only parameter of its type.
//!
//! Invariant: what the definition does not name is refused, never passed over.

use fhir_model::read::{IssueKind, ReadIssue, ReadOptions};
use fhir_model::reflect::{Node, Nodes, PrimitiveType};
use fhir_model::{
    AnyValue, OperationDefinition, OperationDefinitionParameter, Parameters, ParametersParameter, json,
};
use fhir_model::{Resource, type_info};

use super::Operation;
use crate::engine::{Settings, read_partial, unreadable};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Request, RequestBody};

/// The arguments of a call.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    given: Vec<ParametersParameter>,
    /// The parameters that go to a search.
    search: Vec<(String, String)>,
    /// How many came in a Parameters resource: they are the last, in its order.
    in_parameters: usize,
    /// What is wrong with the parts of the resource that could not be read, by places within the resource.
    unread: Vec<ReadIssue>,
}

impl Arguments {
    /// All arguments of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a ParametersParameter> {
        self.given.iter().filter(move |p| p.name.as_str() == Some(name))
    }

    /// The first argument of that name.
    pub fn one(&self, name: &str) -> Option<&ParametersParameter> {
        self.given.iter().find(|p| p.name.as_str() == Some(name))
    }

    /// The text of a primitive argument.
    pub fn text(&self, name: &str) -> Option<String> {
        match value_of(self.one(name)?)? {
            Node::Primitive(_, primitive) => primitive.text().map(std::borrow::Cow::into_owned),
            Node::Complex(_) => None,
        }
    }

    /// The texts of all primitive arguments of that name, in order.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let text = |parameter| match value_of(parameter)? {
            Node::Primitive(_, primitive) => primitive.text().map(std::borrow::Cow::into_owned),
            Node::Complex(_) => None,
        };
        self.all(name).filter_map(text).collect()
    }

    /// Those that came in a Parameters resource, in its order.
    pub(crate) fn of_body(&self) -> &[ParametersParameter] {
        let start = self.given.len().saturating_sub(self.in_parameters);
        self.given.get(start..).unwrap_or_default()
    }

    /// All arguments, in order: those of the URL, then those of the body.
    pub fn given(&self) -> &[ParametersParameter] {
        &self.given
    }

    /// The parameters that are for a search.
    pub(crate) fn search_parameters(&self) -> &[(String, String)] {
        &self.search
    }

    /// What is wrong with the parts of the argument `resource` that could not be read and are left out of it: for an operation
    /// that judges the text of its body.
    pub(crate) fn unread(&self) -> &[ReadIssue] {
        &self.unread
    }

    /// Reads and checks the arguments of a request. Where the operation takes those of a search too, primitives that the definition
    /// does not name are kept for the search, which checks them.
    pub(crate) fn read(
        definition: &OperationDefinition,
        request: &Request,
        settings: &Settings,
        operation: &dyn Operation,
    ) -> Result<Self> {
        let searches = operation.takes_search_parameters();
        let mut arguments = Arguments::default();
        for (name, value) in &request.query {
            let known = inputs(&definition.parameter);
            match searches && !known.iter().any(|p| p.name.as_str() == Some(name)) {
                true => arguments.search.push((name.clone(), value.clone())),
                false => arguments.given.push(of_url(definition, name, value)?),
            }
        }
        if let Some(body) = &request.body {
            let Body {
                mut given,
                are_parameters,
                unread,
            } = of_body(definition, body, settings)?;
            if !operation.judges_text() && !unread.is_empty() {
                return Err(unreadable(unread));
            }
            arguments.unread = unread;
            if searches {
                let known = inputs(&definition.parameter);
                given.retain(|parameter| match for_a_search(&known, parameter) {
                    Some(pair) => {
                        arguments.search.push(pair);
                        false
                    }
                    None => true,
                });
            }
            arguments.in_parameters = if are_parameters { given.len() } else { 0 };
            arguments.given.extend(given);
        }
        let given: Vec<&ParametersParameter> = arguments.given.iter().collect();
        check(&inputs(&definition.parameter), &given, "Parameters.parameter")?;
        Ok(arguments)
    }
}

fn inputs(parameters: &[OperationDefinitionParameter]) -> Vec<&OperationDefinitionParameter> {
    let is_input = |p: &&OperationDefinitionParameter| p.use_.as_str() == Some("in");
    parameters.iter().filter(is_input).collect()
}

/// The value of a parameter, whatever its type.
fn value_of(parameter: &ParametersParameter) -> Option<Node<'_>> {
    let (field, _) = type_info("Parameters.parameter")?.field("value")?;
    Nodes::of(parameter, field).next()
}

/// Name and value, where the definition does not name it and a search may.
fn for_a_search(
    known: &[&OperationDefinitionParameter],
    parameter: &ParametersParameter,
) -> Option<(String, String)> {
    let name = parameter.name.as_str()?;
    if known.iter().any(|p| p.name.as_str() == Some(name)) || !parameter.part.is_empty() {
        return None;
    }
    match value_of(parameter)? {
        Node::Primitive(_, primitive) => Some((name.to_owned(), primitive.text()?.into_owned())),
        Node::Complex(_) => None,
    }
}

/// A parameter of the URL: a primitive, of the type that the definition says.
fn of_url(definition: &OperationDefinition, name: &str, value: &str) -> Result<ParametersParameter> {
    let place = || format!("http.{name}");
    let known = inputs(&definition.parameter);
    let Some(wanted) = known.iter().find(|p| p.name.as_str() == Some(name)) else {
        return Err(unknown(name, &known).at(place()));
    };
    let kind = wanted.type_.as_str().unwrap_or_default();
    let Some(primitive) = PrimitiveType::from_name(kind) else {
        let text = format!(
            "The parameter {name} is of type {kind}, which a URL cannot hold: send it by POST in a Parameters."
        );
        return Err(Error::new(ErrorCode::Value, text).at(place()));
    };
    let literal = match primitive.json_token() {
        fhir_model::reflect::JsonToken::String => serde_json::Value::from(value).to_string(),
        _ => value.to_owned(),
    };
    let text = format!(
        r#"{{"resourceType":"Parameters","parameter":[{{"name":{},"value{}":{literal}}}]}}"#,
        serde_json::Value::from(name),
        capitalised(kind)
    );
    let read = json::read(text.as_bytes(), &ReadOptions::default()).ok();
    let parameters = read.and_then(|read| read.value.get::<Parameters>().cloned());
    parameters
        .and_then(|mut parameters| parameters.parameter.pop())
        .ok_or_else(|| {
            let shown: String = value.chars().take(60).collect();
            let text = format!("The value {shown:?} of the parameter {name} is no {kind}.");
            Error::new(ErrorCode::Value, text).at(place())
        })
}

/// The arguments in a body.
struct Body {
    given: Vec<ParametersParameter>,
    /// Whether it is a Parameters resource.
    are_parameters: bool,
    unread: Vec<ReadIssue>,
}

/// The arguments in a body. What could not be read is an error, unless it is a part of the parameter `resource`.
fn of_body(definition: &OperationDefinition, body: &RequestBody, settings: &Settings) -> Result<Body> {
    let partial = read_partial(body, settings)?;
    let is_over = |issue: &ReadIssue| matches!(issue.kind, IssueKind::Limit | IssueKind::Syntax);
    let Some(resource) = partial.value.filter(|_| !partial.issues.iter().any(is_over)) else {
        return Err(unreadable(partial.issues));
    };
    if let Some(parameters) = resource.get::<Parameters>() {
        let parameter = parameters.parameter.clone();
        return Ok(Body {
            unread: within_resource(&parameter, partial.issues)?,
            given: parameter,
            are_parameters: true,
        });
    }
    let found = resource.type_name();
    if let Some(name) = name_of_body(definition, found) {
        let resource = ParametersParameter {
            name: name.into(),
            resource: Some(resource),
            ..ParametersParameter::default()
        };
        return Ok(Body {
            given: vec![resource],
            are_parameters: false,
            unread: partial.issues,
        });
    }
    if !partial.issues.is_empty() {
        return Err(unreadable(partial.issues));
    }
    let code = definition.code.as_str().unwrap_or_default();
    let text = format!("The operation ${code} takes a Parameters resource; this is a {found}.");
    Err(Error::new(ErrorCode::Invalid, text).at(found))
}

/// Issues of the parameter `resource`, by places within it; others are an error.
fn within_resource(given: &[ParametersParameter], mut issues: Vec<ReadIssue>) -> Result<Vec<ReadIssue>> {
    let index = given.iter().position(|p| p.name.as_str() == Some("resource"));
    let resource = index.and_then(|i| Some((i, given.get(i)?.resource.as_ref()?)));
    let rebased = |issue: &ReadIssue| {
        let (index, resource) = resource?;
        let rest = issue
            .path
            .strip_prefix(&format!("Parameters.parameter[{index}].resource"))?;
        (rest.is_empty() || rest.starts_with('.')).then(|| format!("{}{rest}", resource.type_name()))
    };
    let places: Option<Vec<String>> = issues.iter().map(rebased).collect();
    let Some(places) = places else {
        return Err(unreadable(issues));
    };
    for (issue, place) in issues.iter_mut().zip(places) {
        issue.path = place;
    }
    Ok(issues)
}

/// The parameter that a body of that type is: `resource`, else the only one of the type.
fn name_of_body<'d>(definition: &'d OperationDefinition, found: &str) -> Option<&'d str> {
    let inputs = inputs(&definition.parameter);
    let any = inputs.iter().find(|p| p.name.as_str() == Some("resource"));
    let mut of_type = inputs.iter().filter(|p| p.type_.as_str() == Some(found));
    let only = || match (of_type.next(), of_type.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    };
    any.or_else(only)?.name.as_str()
}

/// Names, numbers and types, also those of the parts.
fn check(wanted: &[&OperationDefinitionParameter], given: &[&ParametersParameter], path: &str) -> Result<()> {
    for (index, parameter) in given.iter().enumerate() {
        let name = parameter.name.as_str().unwrap_or_default();
        let place = format!("{path}[{index}]");
        let Some(known) = wanted.iter().find(|p| p.name.as_str() == Some(name)) else {
            return Err(unknown(name, wanted).at(place));
        };
        check_type(known, parameter, &place)?;
        let parts: Vec<&ParametersParameter> = parameter.part.iter().collect();
        let known: Vec<&OperationDefinitionParameter> = known.part.iter().collect();
        check(&known, &parts, &format!("{place}.part"))?;
    }
    for parameter in wanted {
        let name = parameter.name.as_str().unwrap_or_default();
        let count = given.iter().filter(|p| p.name.as_str() == Some(name)).count();
        let least = usize::try_from(parameter.min.value.unwrap_or(0)).unwrap_or(0);
        let most = parameter.max.as_str().and_then(|max| max.parse::<usize>().ok());
        if count < least {
            let text = format!("The parameter {name} is missing.");
            return Err(Error::new(ErrorCode::Required, text).at(path));
        }
        if let Some(most) = most.filter(|most| count > *most) {
            let text = format!("The parameter {name} is there {count} times; at most {most} are taken.");
            return Err(Error::new(ErrorCode::Invalid, text).at(path));
        }
    }
    Ok(())
}

fn unknown(name: &str, wanted: &[&OperationDefinitionParameter]) -> Error {
    let shown: String = name.chars().take(60).collect();
    let names: Vec<&str> = wanted.iter().filter_map(|p| p.name.as_str()).collect();
    let known = match names.is_empty() {
        true => "it takes none".to_owned(),
        false => format!("it takes {}", names.join(", ")),
    };
    Error::new(
        ErrorCode::Invalid,
        format!("The operation has no parameter {shown:?}; {known}."),
    )
}

fn check_type(wanted: &OperationDefinitionParameter, given: &ParametersParameter, place: &str) -> Result<()> {
    let name = wanted.name.as_str().unwrap_or_default();
    let kind = wanted.type_.as_str();
    let found = found_type(given);
    let fits = match (kind, &given.resource) {
        (None, _) => given.value.is_none() && given.resource.is_none(),
        (Some("Resource" | "Any"), Some(_)) => true,
        (Some(kind), Some(resource)) => resource.type_name() == kind,
        (Some(kind), None) => given.value.is_some() && is_a(found, kind),
    };
    match fits {
        true => Ok(()),
        false => {
            let kind = kind.unwrap_or("of parts only");
            let text = format!("The parameter {name} is of type {kind}; {found} was sent.");
            Err(Error::new(ErrorCode::Invalid, text).at(place))
        }
    }
}

/// The type of what a parameter holds.
fn found_type(parameter: &ParametersParameter) -> &'static str {
    let value: &Option<AnyValue> = &parameter.value;
    match (&parameter.resource, value) {
        (Some(resource), _) => Resource::type_name(resource),
        (None, Some(_)) => value_of(parameter).map_or("nothing", Node::type_name),
        (None, None) => "nothing",
    }
}

/// Whether the types are the same, or one primitive specialises the other: `uri` for `canonical`, `string` for `code`.
fn is_a(found: &str, wanted: &str) -> bool {
    if found == wanted || wanted == "Element" {
        return true;
    }
    let of = PrimitiveType::from_name;
    let related = |a: &str, b: &str| of(a).and_then(PrimitiveType::base) == of(b) && of(b).is_some();
    related(found, wanted) || related(wanted, found)
}

/// With a capital first letter, as in `valueCode`.
pub(crate) fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(chars)
        .collect()
}
