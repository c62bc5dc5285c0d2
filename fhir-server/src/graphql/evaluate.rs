//! Evaluates a checked query: walks the elements that it selects and writes what it finds.
//!
//! The directives of FHIR (<https://hl7.org/fhir/R4/graphql.html#list>): `@first` keeps one value of a list, `@flatten` puts an element's
//! own elements in its place, `@singleton` makes a list that flattening made a single value again, `@slice` adds a path's value to the
//! names.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql_parser::types::{Field, SelectionSet};
use fhir_model::reflect::{Complex, JsonToken, Node, Nodes};
use fhir_model::{Reference, Resource};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::argument::Arguments;
use super::filter::{Filter, Marks, slice_of};
use super::output::{Item, Object, quoted};
use super::query::{Query, wrong};
use super::select::{self, Child, ChildKind};
use super::{Records, Start};
use crate::error::{Error, ErrorCode, Result};

/// Values written at most.
const MAX_VALUES: usize = 100_000;
/// Reads and searches at most.
const MAX_RECORDS: usize = 200;

/// One evaluation, with what it has used of its limits.
pub(super) struct Evaluator<'q> {
    pub(super) query: &'q Query,
    pub(super) records: &'q dyn Records,
    values: AtomicUsize,
    asked: AtomicUsize,
}

/// A value and the resource that it is in, which has what `#id` refers to.
#[derive(Clone, Copy)]
pub(super) struct Focus<'a> {
    value: &'a dyn Complex,
    resource: &'a dyn Complex,
}

impl<'a> Focus<'a> {
    pub(super) fn whole(resource: &'a dyn Complex) -> Self {
        Focus {
            value: resource,
            resource,
        }
    }
}

/// What flattened elements hand to those in their place.
#[derive(Clone, Default)]
pub(super) struct Inherited {
    is_list: bool,
    suffix: String,
}

impl<'q> Evaluator<'q> {
    pub(super) fn new(query: &'q Query, records: &'q dyn Records) -> Self {
        Evaluator {
            query,
            records,
            values: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
        }
    }

    /// The JSON text of `data`.
    pub(super) async fn run(&self, start: Start<'_>) -> Result<String> {
        let mut data = Object::default();
        let set = self.query.selections();
        match start {
            Start::Resource(resource) => {
                let focus = Focus::whole(resource.as_complex());
                self.object(focus, set, Inherited::default(), &mut data).await?;
            }
            Start::System => {
                let mut fields = Vec::new();
                self.query.fields(set, &["Query"], 0, &mut fields)?;
                for field in fields {
                    let child = select::system_child(field.name.node.as_str());
                    if matches!(child, Some(Child::TypeName)) {
                        data.add(alias(field), Item::Text(quoted("Query")), false, false)?;
                        continue;
                    }
                    self.records_field(field, child, None, &mut data).await?;
                }
            }
        }
        let mut text = String::new();
        data.write(&mut text);
        Ok(text)
    }

    pub(super) fn object<'a>(
        &'a self,
        focus: Focus<'a>,
        set: &'a SelectionSet,
        inherited: Inherited,
        out: &'a mut Object,
    ) -> BoxFuture<'a, Result<()>> {
        async move {
            let info = focus.value.type_info();
            let mut fields = Vec::new();
            self.query.fields(set, &select::types(info), 0, &mut fields)?;
            for field in fields {
                let name = field.name.node.as_str();
                // A field that is not of this type is one of another type that could have been here.
                match select::child(info, name) {
                    None => {}
                    Some(Child::TypeName) => {
                        self.count()?;
                        out.add(
                            &key(field, &inherited),
                            Item::Text(quoted(info.name)),
                            false,
                            false,
                        )?;
                    }
                    Some(Child::Target) => self.target(focus, field, &inherited, out).await?,
                    Some(Child::Element {
                        field: at,
                        kind,
                        is_list,
                    }) => {
                        let nodes = values(focus.value, at, name);
                        let plain = matches!(kind, ChildKind::Primitive);
                        self.element(focus, field, nodes, plain, is_list, &inherited, out)
                            .await?;
                    }
                    Some(Child::Extras { field: at, is_list }) => {
                        let extras = extras(focus.value, at);
                        self.element(focus, field, extras, false, is_list, &inherited, out)
                            .await?;
                    }
                    child => {
                        self.records_field(field, child, Some(focus.resource), out)
                            .await?
                    }
                }
            }
            Ok(())
        }
        .boxed()
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what an element is takes that many words"
    )]
    async fn element(
        &self,
        focus: Focus<'_>,
        field: &Field,
        nodes: Vec<Node<'_>>,
        is_plain: bool,
        is_list: bool,
        inherited: &Inherited,
        out: &mut Object,
    ) -> Result<()> {
        let marks = Marks::of(self.query, field)?;
        let mut nodes = Filter::of(self.query, field)?.apply(nodes, focus.resource)?;
        if marks.first {
            nodes.truncate(1);
        }
        let is_list = (is_list && !marks.first) || inherited.is_list;
        for (index, node) in nodes.into_iter().enumerate() {
            let mut suffix = inherited.suffix.clone();
            if let Some(path) = &marks.slice {
                suffix.push('.');
                suffix.push_str(&slice_of(path, node, index, focus.resource)?);
            }
            self.count()?;
            match node {
                Node::Complex(value) if !is_plain => {
                    let inner = Focus { value, ..focus };
                    let set = &field.selection_set.node;
                    if marks.flatten {
                        self.object(inner, set, Inherited { is_list, suffix }, out)
                            .await?;
                        continue;
                    }
                    let mut object = Object::default();
                    self.object(inner, set, Inherited::default(), &mut object).await?;
                    let name = format!("{}{suffix}", alias(field));
                    out.add(&name, Item::Object(object), is_list, marks.singleton)?;
                }
                Node::Primitive(kind, value) => {
                    let Some(text) = value.text() else { continue };
                    let text = match kind.json_token() {
                        JsonToken::String => quoted(&text),
                        _ => text.into_owned(),
                    };
                    let name = format!("{}{suffix}", alias(field));
                    out.add(&name, Item::Text(text), is_list, marks.singleton)?;
                }
                Node::Complex(_) => {}
            }
        }
        Ok(())
    }

    /// `resource(optional, type)` of a Reference.
    async fn target(
        &self,
        focus: Focus<'_>,
        field: &Field,
        inherited: &Inherited,
        out: &mut Object,
    ) -> Result<()> {
        let mut arguments = Arguments::of(self.query, field)?;
        let optional = arguments.flag("optional")?;
        let wanted = arguments.text("type")?;
        none_left(arguments, field)?;
        let reference = focus.value.as_any().downcast_ref::<Reference>();
        let Some(text) = reference.and_then(|r| r.reference.as_str()) else {
            return Ok(());
        };
        let stored;
        let resource = match text.strip_prefix('#') {
            Some(id) => contained(focus.resource, id),
            None => {
                stored = self.ask(self.records.read(text)).await?;
                stored.as_ref().map(Resource::as_complex)
            }
        };
        let Some(resource) = resource else {
            return match optional {
                true => Ok(()),
                false => Err(Error::new(
                    ErrorCode::Value,
                    format!("There is no resource {text:?} to resolve: mark it resource(optional: true) to go on without."),
                )
                .at("query")),
            };
        };
        if wanted.is_some_and(|wanted| wanted != resource.type_info().name) {
            return Ok(());
        }
        let marks = Marks::of(self.query, field)?;
        let inner = Focus {
            value: resource,
            resource: if text.starts_with('#') {
                focus.resource
            } else {
                resource
            },
        };
        self.count()?;
        let set = &field.selection_set.node;
        if marks.flatten {
            return self.object(inner, set, inherited.clone(), out).await;
        }
        let mut object = Object::default();
        self.object(inner, set, Inherited::default(), &mut object).await?;
        if object.is_empty() {
            return Ok(());
        }
        out.add(
            &key(field, inherited),
            Item::Object(object),
            inherited.is_list,
            marks.singleton,
        )
    }

    pub(super) async fn ask<T>(&self, question: BoxFuture<'_, Result<T>>) -> Result<T> {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= MAX_RECORDS {
            return Err(wrong(format!(
                "The query takes more than {MAX_RECORDS} reads and searches; ask for less at once."
            )));
        }
        question.await
    }

    pub(super) fn count(&self) -> Result<()> {
        match self.values.fetch_add(1, Ordering::Relaxed) >= MAX_VALUES {
            true => Err(wrong(format!(
                "The answer has more than {MAX_VALUES} values; ask for less at once."
            ))),
            false => Ok(()),
        }
    }
}

/// The values of an element; none where it is a choice that holds another type than the one named.
fn values<'a>(value: &'a dyn Complex, field: usize, name: &str) -> Vec<Node<'a>> {
    let found = Nodes::of(value, field);
    if found.name == name {
        found.collect()
    } else {
        Vec::new()
    }
}

/// The ids and extensions of an element's primitives.
fn extras(value: &dyn Complex, field: usize) -> Vec<Node<'_>> {
    let extras = Nodes::of(value, field).filter_map(|node| match node {
        Node::Primitive(_, value) => value.extras(),
        Node::Complex(_) => None,
    });
    extras.map(|e| Node::Complex(e)).collect()
}

fn contained<'a>(resource: &'a dyn Complex, id: &str) -> Option<&'a dyn Complex> {
    let (at, _) = resource.type_info().field("contained")?;
    let mut all = Nodes::of(resource, at).filter_map(|node| match node {
        Node::Complex(resource) => Some(resource),
        Node::Primitive(..) => None,
    });
    all.find(|c| id_of(*c).as_deref() == Some(id))
}

/// The id of a resource.
pub(super) fn id_of(resource: &dyn Complex) -> Option<String> {
    let (at, _) = resource.type_info().field("id")?;
    match Nodes::of(resource, at).next()? {
        Node::Primitive(_, id) => id.text().map(|t| t.into_owned()),
        Node::Complex(_) => None,
    }
}

/// The name of a field in the answer.
pub(super) fn alias(field: &Field) -> &str {
    field.response_key().node.as_str()
}

fn key(field: &Field, inherited: &Inherited) -> String {
    format!("{}{}", alias(field), inherited.suffix)
}

/// Refuses arguments that nobody took.
pub(super) fn none_left(arguments: Arguments, field: &Field) -> Result<()> {
    match arguments.rest()?.first() {
        None => Ok(()),
        Some((name, _)) => Err(wrong(format!("{} takes no argument {name:?}.", field.name.node))),
    }
}
