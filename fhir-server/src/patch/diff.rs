//! The difference of two resources as a FHIRPath Patch (<https://hl7.org/fhir/R4/fhirpatch.html>): applied to the first, it
//! gives the second.
//!
//! Elements are compared one by one, as deep as they go; an element whose id changed is another one. Items of a list are
//! the same where they are equal, have the same id, or stand at the same place between such.
//!
//! Invariant: as many operations as a patch may have, and no more.

use std::collections::{HashMap, VecDeque};

use fhir_model::json::{self, Text, Tree};
use fhir_model::read::Limits;
use fhir_model::reflect::{
    Complex, Field, JsonToken, Node, Nodes, PrimitiveType, Shape, TypeKind, equal_nodes,
};
use fhir_model::{Resource, type_info};

use super::budget::MAX_OPERATIONS;

/// The resources differ in more places than a patch may change.
#[derive(Debug)]
pub(crate) struct TooMany;

type Done = Result<(), TooMany>;

/// The patch, as a Parameters resource in JSON.
///
/// # Errors
/// It would have too many operations.
pub(crate) fn diff(before: &Resource, after: &Resource) -> Result<Vec<u8>, TooMany> {
    let mut differ = Differ::default();
    differ.elements(before.type_name(), before.as_complex(), after.as_complex())?;
    let mut parameters = object([("resourceType", Tree::string("Parameters"))]);
    if !differ.operations.is_empty() {
        parameters.set("parameter", Tree::Array(differ.operations));
    }
    Ok(parameters.to_vec())
}

#[derive(Default)]
struct Differ {
    operations: Vec<Tree<'static>>,
}

impl Differ {
    fn push(&mut self, kind: &str, path: &str, more: Vec<Tree<'static>>) -> Done {
        if self.operations.len() >= MAX_OPERATIONS {
            return Err(TooMany);
        }
        let mut parts = vec![part("type", "valueCode", kind), part("path", "valueString", path)];
        parts.extend(more);
        self.operations.push(object([
            ("name", Tree::string("operation")),
            ("part", Tree::Array(parts)),
        ]));
        Ok(())
    }

    /// The elements of two values of one type. What goes, goes last: a value that is empty meanwhile would be gone.
    fn elements(&mut self, path: &str, before: &dyn Complex, after: &dyn Complex) -> Done {
        for gone in [false, true] {
            for (index, field) in before.type_info().fields.iter().enumerate() {
                let (mut old, mut new) = (Nodes::of(before, index), Nodes::of(after, index));
                if gone != (new.count_all() == 0) {
                    continue;
                }
                let below = format!("{path}.{}", field.name);
                if field.is_list() {
                    self.list(
                        path,
                        &below,
                        field,
                        &old.collect::<Vec<_>>(),
                        &new.collect::<Vec<_>>(),
                    )?;
                    continue;
                }
                match (old.next(), new.next()) {
                    (None, None) => {}
                    (Some(_), None) => self.push("delete", &below, Vec::new())?,
                    (None, Some(new)) => self.add(path, field, new)?,
                    (Some(old), Some(new)) => self.one(&below, old, new)?,
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &str, field: &Field, new: Node<'_>) -> Done {
        let name = part("name", "valueString", field.name);
        self.push("add", path, vec![name, value("value", new)])
    }

    /// An element that is there before and after.
    fn one(&mut self, path: &str, old: Node<'_>, new: Node<'_>) -> Done {
        if equal_nodes(old, new) {
            return Ok(());
        }
        match (old, new) {
            (Node::Complex(a), Node::Complex(b)) if a.type_info() == b.type_info() && !others(old, new) => {
                self.elements(path, a, b)
            }
            _ => self.push("replace", path, vec![value("value", new)]),
        }
    }

    fn list(&mut self, path: &str, below: &str, field: &Field, old: &[Node<'_>], new: &[Node<'_>]) -> Done {
        let partners = partners(old, new);
        let mut kept = vec![false; old.len()];
        for partner in partners.iter().flatten() {
            if let Some(kept) = kept.get_mut(*partner) {
                *kept = true;
            }
        }
        // What the list holds as the operations so far leave it; new items have no place in the old list.
        let mut current: Vec<Option<usize>> = Vec::with_capacity(old.len());
        for (index, kept) in kept.into_iter().enumerate() {
            match kept {
                true => current.push(Some(index)),
                false => self.push("delete", &format!("{below}[{}]", current.len()), Vec::new())?,
            }
        }
        for (index, (node, partner)) in new.iter().zip(partners).enumerate() {
            let Some(partner) = partner else {
                if index == current.len() {
                    self.add(path, field, *node)?;
                } else {
                    let at = part_of_number("index", index);
                    self.push("insert", below, vec![at, value("value", *node)])?;
                }
                current.insert(index.min(current.len()), None);
                continue;
            };
            if current.get(index) != Some(&Some(partner)) {
                let from = current.iter().position(|p| *p == Some(partner)).unwrap_or(index);
                let places = vec![
                    part_of_number("source", from),
                    part_of_number("destination", index),
                ];
                self.push("move", below, places)?;
                if from < current.len() {
                    let moved = current.remove(from);
                    current.insert(index.min(current.len()), moved);
                }
            }
            if let Some(before) = old.get(partner) {
                self.one(&format!("{below}[{index}]"), *before, *node)?;
            }
        }
        Ok(())
    }
}

/// For each new item the old one that it was, if it was one.
fn partners(old: &[Node<'_>], new: &[Node<'_>]) -> Vec<Option<usize>> {
    let mut partners = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    let mut pair = |at: usize, with: usize, partners: &mut Vec<Option<usize>>| {
        if let (Some(place), Some(taken)) = (partners.get_mut(at), taken.get_mut(with))
            && place.is_none()
            && !*taken
        {
            (*place, *taken) = (Some(with), true);
        }
    };
    let mut equal: HashMap<Vec<u8>, VecDeque<usize>> = HashMap::new();
    for (index, node) in old.iter().enumerate() {
        equal
            .entry(value("", *node).to_vec())
            .or_default()
            .push_back(index);
    }
    for (index, node) in new.iter().enumerate() {
        if let Some(with) = equal
            .get_mut(&value("", *node).to_vec())
            .and_then(VecDeque::pop_front)
        {
            pair(index, with, &mut partners);
        }
    }
    let by_id: HashMap<String, usize> = old
        .iter()
        .enumerate()
        .filter_map(|(index, node)| Some((id(*node)?, index)))
        .collect();
    for (index, node) in new.iter().enumerate() {
        if let Some(with) = id(*node).and_then(|id| by_id.get(&id)) {
            pair(index, *with, &mut partners);
        }
    }
    for (index, (a, b)) in old.iter().zip(new).enumerate() {
        if !others(*a, *b) && a.type_name() == b.type_name() {
            pair(index, index, &mut partners);
        }
    }
    // A list of which nothing stays is never empty meanwhile: one item takes the place of another.
    if partners.iter().all(Option::is_none) && !old.is_empty() {
        pair(0, 0, &mut partners);
    }
    partners
}

/// Whether the ids of two elements tell that they are not the same one.
fn others(a: Node<'_>, b: Node<'_>) -> bool {
    matches!((id(a), id(b)), (Some(a), Some(b)) if a != b)
}

fn id(node: Node<'_>) -> Option<String> {
    let complex: &dyn Complex = match node {
        Node::Complex(complex) => complex,
        Node::Primitive(_, primitive) => primitive.extras()?,
    };
    let (index, _) = complex.type_info().field("id")?;
    match Nodes::of(complex, index).next()? {
        Node::Primitive(_, id) => id.text().map(std::borrow::Cow::into_owned),
        Node::Complex(_) => None,
    }
}

fn object<const N: usize>(members: [(&str, Tree<'static>); N]) -> Tree<'static> {
    Tree::Object(
        members
            .into_iter()
            .map(|(name, value)| (Text::of(name), value))
            .collect(),
    )
}

fn part(name: &str, member: &str, text: &str) -> Tree<'static> {
    object([("name", Tree::string(name)), (member, Tree::string(text))])
}

fn part_of_number(name: &str, number: usize) -> Tree<'static> {
    let number = Tree::Word(number.to_string().into());
    object([("name", Tree::string(name)), ("valueInteger", number)])
}

/// A value as a parameter of that name: by its type where `value[x]` has that, else by its parts. Values nest no deeper
/// than they were read.
fn value(name: &str, node: Node<'_>) -> Tree<'static> {
    let mut part = object([("name", Tree::string(name))]);
    match node {
        Node::Primitive(kind, primitive) => {
            // The div of a narrative is the one xhtml, and xhtml is no type of value[x].
            let kind = if kind == PrimitiveType::Xhtml {
                PrimitiveType::String
            } else {
                kind
            };
            let member = format!("value{}", capitalised(kind.name()));
            if let Some(text) = primitive.text() {
                let literal = match kind.json_token() {
                    JsonToken::String => Tree::string(&text),
                    JsonToken::Number | JsonToken::Boolean => Tree::Word(text.into_owned().into()),
                };
                part.set(&member, literal);
            }
            if let Some(extras) = primitive.extras() {
                part.set(&format!("_{member}"), tree(extras));
            }
        }
        Node::Complex(complex) if complex.type_info().kind == TypeKind::Resource => {
            part.set("resource", tree(complex));
        }
        Node::Complex(complex) if is_open(complex.type_info().name) => {
            part.set(&format!("value{}", complex.type_info().name), tree(complex));
        }
        Node::Complex(complex) => {
            let fields = complex.type_info().fields.iter().enumerate();
            let parts = fields
                .flat_map(|(index, field)| Nodes::of(complex, index).map(|node| value(field.name, node)));
            part.set("part", Tree::Array(parts.collect()));
        }
    }
    part
}

/// Whether `value[x]` of a parameter has that type (<https://hl7.org/fhir/R4/datatypes.html#open>).
fn is_open(type_name: &str) -> bool {
    let field = type_info("Parameters.parameter").and_then(|info| info.field("value"));
    match field.map(|(_, field)| &field.shape) {
        Some(Shape::Choice(variants)) => variants.iter().any(|v| v.type_name == type_name),
        _ => false,
    }
}

fn tree(complex: &dyn Complex) -> Tree<'static> {
    let limits = Limits {
        bytes: usize::MAX,
        depth: 256,
        elements: usize::MAX,
        ..Limits::default()
    };
    let json = json::to_vec_of(complex);
    // What the writer writes is JSON.
    Tree::read(&json, &limits).map_or_else(|_| Tree::null(), |tree| tree.to_owned_tree())
}

fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}
