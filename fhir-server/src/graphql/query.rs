//! [`Query`]: a parsed document, the operation to run and its variables.

use std::collections::HashMap;

use async_graphql_parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition,
    OperationType, Selection, SelectionSet,
};
use async_graphql_parser::{Positioned, parse_query};
use async_graphql_value::{ConstValue, Name, Value};

use crate::error::{Error, ErrorCode, Result};

/// Text of a query at most, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// A parsed document, the operation to run and its variables.
#[derive(Debug)]
pub(crate) struct Query {
    operation: OperationDefinition,
    fragments: HashMap<Name, Positioned<FragmentDefinition>>,
    variables: HashMap<String, ConstValue>,
}

impl Query {
    /// Reads a document. `operation` names which of several to run; `variables` is the JSON object of a request.
    ///
    /// # Errors
    /// The text is not GraphQL, is not a query, has no such operation, or lacks a variable.
    pub(crate) fn parse(
        text: &str,
        operation: Option<&str>,
        variables: Option<serde_json::Map<String, serde_json::Value>>,
    ) -> Result<Query> {
        if text.len() > MAX_TEXT {
            return Err(wrong(format!(
                "The query has {} bytes; {MAX_TEXT} are the limit.",
                text.len()
            )));
        }
        let document: ExecutableDocument =
            parse_query(text).map_err(|e| wrong(format!("The query is not GraphQL: {e}")))?;
        let operation = pick(document.operations, operation)?;
        if operation.ty != OperationType::Query {
            return Err(wrong(
                "Only queries are answered; write through the REST interactions.".into(),
            ));
        }
        let variables = bind(&operation, variables.unwrap_or_default())?;
        Ok(Query {
            operation,
            fragments: document.fragments,
            variables,
        })
    }

    /// What the operation selects.
    pub(super) fn selections(&self) -> &SelectionSet {
        &self.operation.selection_set.node
    }

    /// The fragment of that name.
    pub(super) fn fragment(&self, name: &Positioned<Name>) -> Result<&FragmentDefinition> {
        let found = self.fragments.get(&name.node).map(|f| &f.node);
        found.ok_or_else(|| {
            wrong(format!(
                "There is no fragment {:?} in the query.",
                name.node.as_str()
            ))
        })
    }

    /// An argument's value, its variables put in; `None` for null.
    pub(super) fn value(&self, value: &Value) -> Result<Option<ConstValue>> {
        let bound = value.clone().into_const_with(|name| {
            self.variables.get(name.as_str()).cloned().ok_or_else(|| {
                wrong(format!(
                    "The variable ${name} has no value: declare it and send one."
                ))
            })
        })?;
        Ok((bound != ConstValue::Null).then_some(bound))
    }

    /// Whether `@include` and `@skip` let the selection in.
    pub(super) fn is_included(&self, directives: &[Positioned<Directive>]) -> Result<bool> {
        let mut included = true;
        for directive in directives {
            let wanted = match directive.node.name.node.as_str() {
                "include" => true,
                "skip" => false,
                _ => continue,
            };
            let argument = directive.node.get_argument("if").map(|v| self.value(&v.node));
            match argument.transpose()?.flatten() {
                Some(ConstValue::Boolean(said)) => included &= said == wanted,
                _ => {
                    let name = directive.node.name.node.as_str();
                    return Err(wrong(format!("@{name} takes `if`, true or false.")));
                }
            }
        }
        Ok(included)
    }

    /// The fields that apply to a value of those types, fragments opened; `depth` counts fragments within fragments.
    pub(super) fn fields<'q>(
        &'q self,
        set: &'q SelectionSet,
        types: &[&str],
        depth: usize,
        out: &mut Vec<&'q Field>,
    ) -> Result<()> {
        if depth > MAX_FRAGMENTS || out.len() > MAX_FIELDS {
            return Err(wrong(
                "The query's fragments nest too deep, or it has too many fields.".into(),
            ));
        }
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    if self.is_included(&field.node.directives)? {
                        out.push(&field.node);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.fragment(&spread.node.fragment_name)?;
                    let applies = types.contains(&fragment.type_condition.node.on.node.as_str());
                    if applies && self.is_included(&spread.node.directives)? {
                        self.fields(&fragment.selection_set.node, types, depth + 1, out)?;
                    }
                }
                Selection::InlineFragment(inline) => {
                    let on = inline
                        .node
                        .type_condition
                        .as_ref()
                        .map(|t| t.node.on.node.as_str());
                    if on.is_none_or(|on| types.contains(&on)) && self.is_included(&inline.node.directives)? {
                        self.fields(&inline.node.selection_set.node, types, depth + 1, out)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Fragments within fragments at most.
const MAX_FRAGMENTS: usize = 16;
/// Fields of one selection at most.
const MAX_FIELDS: usize = 2_000;

fn pick(operations: DocumentOperations, name: Option<&str>) -> Result<OperationDefinition> {
    match (operations, name) {
        (DocumentOperations::Single(one), None) => Ok(one.node),
        (DocumentOperations::Single(_), Some(name)) => Err(wrong(format!(
            "The query has no operation {name:?}: it has one without a name."
        ))),
        (DocumentOperations::Multiple(mut all), Some(name)) => match all.remove(name) {
            Some(one) => Ok(one.node),
            None => Err(wrong(format!("The query has no operation {name:?}."))),
        },
        (DocumentOperations::Multiple(all), None) => {
            let mut all = all.into_iter();
            match (all.next(), all.next()) {
                (Some((_, only)), None) => Ok(only.node),
                _ => Err(wrong(
                    "The query has several operations: say which in operationName.".into(),
                )),
            }
        }
    }
}

/// The variables that the operation declares: as sent, else their defaults, else null where the type allows it.
fn bind(
    operation: &OperationDefinition,
    mut sent: serde_json::Map<String, serde_json::Value>,
) -> Result<HashMap<String, ConstValue>> {
    let mut bound = HashMap::new();
    for definition in &operation.variable_definitions {
        let name = definition.node.name.node.as_str();
        let value = match sent.remove(name) {
            Some(value) => ConstValue::from_json(value)
                .map_err(|e| wrong(format!("The variable ${name} cannot be read: {e}")))?,
            None => match &definition.node.default_value {
                Some(default) => default.node.clone(),
                None => ConstValue::Null,
            },
        };
        if value == ConstValue::Null && !definition.node.var_type.node.nullable {
            return Err(wrong(format!("The variable ${name} must have a value.")));
        }
        bound.insert(name.to_owned(), value);
    }
    // Further variables are for other operations of the document: GraphQL lets them be.
    Ok(bound)
}

/// 400, with what is wrong and the cure.
pub(super) fn wrong(text: String) -> Error {
    Error::new(ErrorCode::Value, text).at("query")
}
