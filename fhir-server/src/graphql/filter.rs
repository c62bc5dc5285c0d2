//! Which values of an element are wanted, and how they are written: the arguments and directives of its field
//! (<https://hl7.org/fhir/R4/graphql.html#list>).

use async_graphql_parser::types::Field;
use fhir_model::path::{Environment, Expression};
use fhir_model::reflect::{Complex, Node, Nodes};

use super::argument::Arguments;
use super::query::{Query, wrong};
use super::select::{self, Child, ChildKind};
use crate::error::Result;

/// The directives of a field.
#[derive(Default)]
pub(super) struct Marks {
    pub(super) first: bool,
    pub(super) flatten: bool,
    pub(super) singleton: bool,
    pub(super) slice: Option<String>,
}

impl Marks {
    pub(super) fn of(query: &Query, field: &Field) -> Result<Marks> {
        let mut marks = Marks::default();
        for directive in &field.directives {
            match directive.node.name.node.as_str() {
                "first" => marks.first = true,
                "flatten" => marks.flatten = true,
                "singleton" => marks.singleton = true,
                "slice" => {
                    let path = directive.node.get_argument("path").map(|v| query.value(&v.node));
                    match path.transpose()?.flatten() {
                        Some(async_graphql_value::ConstValue::String(path)) => marks.slice = Some(path),
                        _ => return Err(wrong("@slice takes a path, as text.".into())),
                    }
                }
                "include" | "skip" => {}
                other => return Err(wrong(format!("There is no directive @{other}."))),
            }
        }
        Ok(marks)
    }
}

/// Which values of an element are wanted: `_offset`, `_count`, `fhirpath`, and elements with their values.
pub(super) struct Filter {
    offset: usize,
    count: usize,
    path: Option<Expression>,
    equal: Vec<(String, String)>,
}

impl Filter {
    pub(super) fn of(query: &Query, field: &Field) -> Result<Filter> {
        let mut arguments = Arguments::of(query, field)?;
        let path = arguments.text("fhirpath")?;
        let path = path.map(|path| {
            Expression::compile(&path)
                .map_err(|e| wrong(format!("The fhirpath of {} is wrong: {e}", field.name.node)))
        });
        Ok(Filter {
            offset: arguments.number("_offset")?.unwrap_or(0),
            count: arguments.number("_count")?.unwrap_or(usize::MAX),
            path: path.transpose()?,
            equal: arguments.rest()?,
        })
    }

    pub(super) fn apply<'a>(&self, nodes: Vec<Node<'a>>, resource: &dyn Complex) -> Result<Vec<Node<'a>>> {
        let mut kept = Vec::new();
        for node in nodes {
            if self.passes(node, resource)? {
                kept.push(node);
            }
        }
        Ok(kept.into_iter().skip(self.offset).take(self.count).collect())
    }

    fn passes(&self, node: Node<'_>, resource: &dyn Complex) -> Result<bool> {
        for (name, wanted) in &self.equal {
            let Node::Complex(value) = node else {
                return Err(wrong(format!(
                    "A plain value has no element {name:?} to filter by."
                )));
            };
            let info = value.type_info();
            let Some(Child::Element {
                field,
                kind: ChildKind::Primitive,
                ..
            }) = select::child(info, name)
            else {
                return Err(wrong(format!(
                    "{} has no plain element {name:?} to filter by.",
                    info.name
                )));
            };
            let mut values = Nodes::of(value, field);
            let has = values
                .any(|v| matches!(v, Node::Primitive(_, p) if p.text().is_some_and(|t| *t == **wanted)));
            if !has {
                return Ok(false);
            }
        }
        match &self.path {
            None => Ok(true),
            Some(path) => {
                let environment = Environment::new().with_resource(Node::Complex(resource));
                path.is_true(node, &environment)
                    .map_err(|e| wrong(format!("The fhirpath filter failed: {e}")))
            }
        }
    }
}

/// What `@slice` adds to the names of an element's value.
pub(super) fn slice_of(path: &str, node: Node<'_>, index: usize, resource: &dyn Complex) -> Result<String> {
    if path == "$index" {
        return Ok(index.to_string());
    }
    let failed = |e| wrong(format!("The path of @slice is wrong: {e}"));
    let expression = Expression::compile(path).map_err(failed)?;
    let environment = Environment::new().with_resource(Node::Complex(resource));
    let found = expression.evaluate(node, &environment).map_err(failed)?;
    let text = found.first().and_then(|v| v.text().map(|t| t.into_owned()));
    Ok(text.unwrap_or_default())
}
