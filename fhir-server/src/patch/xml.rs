//! XML Patch (RFC 5261, <https://www.rfc-editor.org/rfc/rfc5261>) on the XML form of a resource.
//!
//! The patch is an element `diff` (or `patch`) of `add`, `replace` and `remove`, each with a path `sel` that selects exactly
//! one node. The prefixes `f` and `h` stand for the namespaces of FHIR and XHTML unless the patch declares them otherwise.
//!
//! Invariant: what the patch does not name stays as it was stored: the result takes its order and literals from there.

use std::sync::Arc;

use fhir_model::json::Tree;
use fhir_model::read::ReadOptions;
use fhir_model::xml::{Attribute, Declaration, Element, Name, Node};
use fhir_model::{json, xml};

use super::align;
use super::budget::{Bounds, Budget, Exhausted};
use super::xpath::{Part, Selected, XPath};
use super::{shortened, unreadable};
use crate::error::{Error, ErrorCode, Result};

const FHIR: &str = "http://hl7.org/fhir";
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// Applies a patch to a resource in JSON and gives its text in JSON.
pub(super) fn apply(document: &[u8], patch: &[u8], bounds: &Bounds, budget: &mut Budget) -> Result<Vec<u8>> {
    let options = ReadOptions {
        limits: bounds.limits(),
        ..ReadOptions::default()
    };
    let resource = json::read(document, &options)
        .map_err(|error| unreadable(error, "The resource cannot be patched"))?;
    let text = xml::to_vec(&resource.value).map_err(|error| {
        let text = format!(
            "The resource cannot be given as XML: {}. Send a JSON Patch.",
            error.message
        );
        Error::new(ErrorCode::Unprocessable, text).at(error.path)
    })?;
    let mut root =
        xml::read_tree(&text, &xml_limits(bounds)).map_err(|error| Error::internal(error.to_string()))?;
    let patch = xml::read_tree(patch, &bounds.limits())
        .map_err(|error| unreadable(error, "The patch cannot be read"))?;
    apply_to(&mut root, &patch, bounds, budget)?;
    let patched = xml::read(root.to_xml().as_bytes(), &options)
        .map_err(|error| unreadable(error, "The patched resource cannot be read"))?;
    let canonical = json::to_vec(&patched.value);
    let limits = bounds.limits();
    let before = Tree::read(document, &limits).map_err(|error| unreadable(error, "The resource"))?;
    let after = Tree::read(&canonical, &limits)
        .map_err(|error| unreadable(error, "The patched resource cannot be read"))?;
    Ok(align::align(&before, after).to_vec())
}

/// XHTML in narrative nests deeper than elements of FHIR may.
fn xml_limits(bounds: &Bounds) -> fhir_model::read::Limits {
    fhir_model::read::Limits {
        bytes: usize::MAX,
        depth: bounds.depth.saturating_add(256),
        elements: usize::MAX,
        ..fhir_model::read::Limits::default()
    }
}

/// Applies a patch to a document.
pub(super) fn apply_to(
    root: &mut Element,
    patch: &Element,
    bounds: &Bounds,
    budget: &mut Budget,
) -> Result<()> {
    if !matches!(&*patch.name.local, "diff" | "patch") {
        let text = format!(
            "An XML Patch is an element diff with add, replace and remove in it; this is {:?}.",
            shortened(&patch.name.local)
        );
        return Err(Error::new(ErrorCode::Structure, text));
    }
    let operations: Vec<&Element> = patch.children.iter().filter_map(Node::element).collect();
    if operations.is_empty() {
        let text = "The patch has no operations: add, replace or remove.";
        return Err(Error::new(ErrorCode::Structure, text));
    }
    bounds.check_count(operations.len())?;
    for (index, element) in operations.into_iter().enumerate() {
        let operation = Operation {
            index,
            element,
            patch,
        };
        operation.apply(root, bounds, budget)?;
    }
    Ok(())
}

/// One operation.
struct Operation<'p> {
    index: usize,
    element: &'p Element,
    patch: &'p Element,
}

impl Operation<'_> {
    fn apply(&self, root: &mut Element, bounds: &Bounds, budget: &mut Budget) -> Result<()> {
        let exhausted = |_: Exhausted| self.fails(ErrorCode::TooLarge, Exhausted::MESSAGE);
        let allowed: &[&str] = match &*self.element.name.local {
            "add" => &["sel", "pos", "type"],
            "replace" => &["sel"],
            "remove" => &["sel", "ws"],
            _ => return Err(self.fails(ErrorCode::Structure, "an operation is add, replace or remove")),
        };
        if let Some(odd) = self
            .element
            .attributes
            .iter()
            .find(|a| !allowed.contains(&&*a.name.local))
        {
            let why = format!("there is no attribute {:?} here", shortened(&odd.name.local));
            return Err(self.fails(ErrorCode::Structure, &why));
        }
        let sel = self.element.attribute("sel");
        let sel = sel.ok_or_else(|| self.fails(ErrorCode::Structure, "the attribute sel is missing"))?;
        let path = XPath::parse(sel, &|prefix| self.namespace(prefix))
            .map_err(|why| self.fails(ErrorCode::Structure, &why))?;
        let mut found = path.select(root, budget).map_err(exhausted)?;
        let selected = match (found.pop(), found.len()) {
            (Some(one), 0) => one,
            (None, _) => {
                return Err(self.unfit("the path selects nothing; elements of FHIR have the prefix f"));
            }
            (Some(_), more) => {
                let why = format!(
                    "the path selects {} nodes, and must select one: narrow it by a position such as [1]",
                    more + 1
                );
                return Err(self.unfit(&why));
            }
        };
        budget.grow(self.element.weight()).map_err(exhausted)?;
        let depth = selected.way.len() + self.element.depth();
        // Each element of FHIR is at most one level of JSON; the narrative is text there.
        if depth > bounds.depth.saturating_add(256) {
            return Err(self.fails(ErrorCode::TooLarge, "the result would nest too deep"));
        }
        match &*self.element.name.local {
            "add" => self.add(root, &selected),
            "replace" => self.replace(root, &selected),
            _ => self.remove(root, &selected),
        }
    }

    /// The namespace of a prefix in a path: as declared at the operation or the patch.
    fn namespace(&self, prefix: &str) -> Option<Arc<str>> {
        let declared = [self.element, self.patch].into_iter().find_map(|element| {
            let declared = element.declarations.iter().find(|d| d.prefix == prefix)?;
            Some(declared.namespace.clone())
        });
        declared.or(match prefix {
            "" => Some(Arc::from("")),
            "f" => Some(Arc::from(FHIR)),
            "h" => Some(Arc::from(XHTML)),
            _ => None,
        })
    }

    fn add(&self, root: &mut Element, selected: &Selected) -> Result<()> {
        let kind = self.element.attribute("type");
        let position = self.element.attribute("pos");
        if let Some(kind) = kind {
            if position.is_some() {
                return Err(self.fails(ErrorCode::Structure, "type and pos exclude each other"));
            }
            let target = self.whole(root, selected)?;
            return self.add_named(target, kind);
        }
        let new = self.content();
        match position {
            None => {
                let target = self.whole(root, selected)?;
                target.children.extend(new);
                join(&mut target.children);
            }
            Some("prepend") => {
                let target = self.whole(root, selected)?;
                target.children.splice(0..0, new);
                join(&mut target.children);
            }
            Some(side @ ("before" | "after")) => {
                let (siblings, at) = self.siblings(root, selected)?;
                let at = if side == "after" { at + 1 } else { at };
                siblings.splice(at..at, new);
                join(siblings);
            }
            Some(other) => {
                let why = format!("pos is prepend, before or after, not {:?}", shortened(other));
                return Err(self.fails(ErrorCode::Structure, &why));
            }
        }
        Ok(())
    }

    /// Adds an attribute or the declaration of a namespace.
    fn add_named(&self, target: &mut Element, kind: &str) -> Result<()> {
        let value = self.text()?;
        let kind = kind
            .strip_prefix("attribute::")
            .map_or_else(|| kind.to_owned(), |name| format!("@{name}"));
        if let Some(prefix) = kind.strip_prefix("namespace::") {
            if target.declarations.iter().any(|d| d.prefix == prefix) {
                return Err(self.unfit("the element declares that prefix already"));
            }
            target.declarations.push(Declaration {
                prefix: self.checked_name(prefix)?,
                namespace: value.into(),
            });
            return Ok(());
        }
        let Some(name) = kind.strip_prefix('@') else {
            let why = "type is @ and the name of an attribute, or namespace:: and a prefix";
            return Err(self.fails(ErrorCode::Structure, why));
        };
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let namespace = match prefix {
            "" => Some(Arc::from("")),
            prefix => self.namespace(prefix),
        };
        let undeclared = || {
            self.fails(
                ErrorCode::Structure,
                "the prefix of the attribute is not declared",
            )
        };
        let name = Name {
            prefix: prefix.to_owned(),
            local: self.checked_name(local)?,
            namespace: namespace.ok_or_else(undeclared)?,
        };
        if target.attributes.iter().any(|a| a.name == name) {
            return Err(self.unfit("the element has that attribute already: use replace"));
        }
        target.attributes.push(Attribute { name, value });
        Ok(())
    }

    fn replace(&self, root: &mut Element, selected: &Selected) -> Result<()> {
        match selected.part {
            Part::Attribute(at) => {
                let value = self.text()?;
                let element = element_mut(root, &selected.way).ok_or_else(|| self.lost())?;
                let attribute = element.attributes.get_mut(at).ok_or_else(|| self.lost())?;
                attribute.value = value;
                Ok(())
            }
            Part::Declaration(_) => {
                Err(self.unfit("a declared namespace cannot be replaced here: replace the element"))
            }
            Part::Whole => self.replace_node(root, selected),
        }
    }

    fn replace_node(&self, root: &mut Element, selected: &Selected) -> Result<()> {
        let mut new: Vec<Node> = self.content();
        let wrong = |what: &str| {
            let why = format!("{what} is replaced by exactly one, and nothing else");
            self.fails(ErrorCode::Structure, &why)
        };
        if selected.way.is_empty() {
            new.retain(|node| !is_blank(node));
            let (Some(Node::Element(element)), true) = (new.pop(), new.is_empty()) else {
                return Err(wrong("an element"));
            };
            *root = element;
            return Ok(());
        }
        let (siblings, at) = self.siblings(root, selected)?;
        let old = siblings.get(at).ok_or_else(|| self.lost())?;
        if matches!(old, Node::Text(_)) {
            let text: Vec<Node> = new.into_iter().filter(|n| matches!(n, Node::Text(_))).collect();
            siblings.splice(at..=at, text);
            join(siblings);
            return Ok(());
        }
        new.retain(|node| !is_blank(node));
        let (one, kind) = (new.pop(), std::mem::discriminant(old));
        match one {
            Some(one) if new.is_empty() && std::mem::discriminant(&one) == kind => {
                siblings.splice(at..=at, [one]);
                Ok(())
            }
            _ => Err(wrong("a node")),
        }
    }

    fn remove(&self, root: &mut Element, selected: &Selected) -> Result<()> {
        let space = self.element.attribute("ws");
        if space.is_some_and(|ws| !matches!(ws, "before" | "after" | "both")) {
            return Err(self.fails(ErrorCode::Structure, "ws is before, after or both"));
        }
        match selected.part {
            Part::Attribute(at) | Part::Declaration(at) => {
                let element = element_mut(root, &selected.way).ok_or_else(|| self.lost())?;
                match selected.part {
                    Part::Attribute(_) if at < element.attributes.len() => {
                        drop(element.attributes.remove(at))
                    }
                    Part::Declaration(_) if at < element.declarations.len() => {
                        drop(element.declarations.remove(at))
                    }
                    _ => return Err(self.lost()),
                }
                Ok(())
            }
            Part::Whole if selected.way.is_empty() => {
                Err(self.unfit("the whole resource cannot be removed by a patch: use DELETE"))
            }
            Part::Whole => {
                let (siblings, at) = self.siblings(root, selected)?;
                if matches!(space, Some("after" | "both")) && siblings.get(at + 1).is_some_and(is_blank) {
                    siblings.remove(at + 1);
                }
                if at < siblings.len() {
                    siblings.remove(at);
                }
                let before = at.checked_sub(1);
                if let Some(before) = before.filter(|_| matches!(space, Some("before" | "both")))
                    && siblings.get(before).is_some_and(is_blank)
                {
                    siblings.remove(before);
                }
                join(siblings);
                Ok(())
            }
        }
    }

    /// The element that is selected.
    fn whole<'r>(&self, root: &'r mut Element, selected: &Selected) -> Result<&'r mut Element> {
        let element = match selected.part {
            Part::Whole => element_mut(root, &selected.way),
            _ => None,
        };
        element.ok_or_else(|| self.unfit("the path must select an element"))
    }

    /// The list in which the selected node stands, and its place in it.
    fn siblings<'r>(&self, root: &'r mut Element, selected: &Selected) -> Result<(&'r mut Vec<Node>, usize)> {
        let (at, above) = match selected.part {
            Part::Whole => selected.way.split_last(),
            _ => None,
        }
        .ok_or_else(|| self.unfit("beside this nothing can stand"))?;
        let parent = element_mut(root, above).ok_or_else(|| self.lost())?;
        Ok((&mut parent.children, *at))
    }

    /// What the operation holds; its elements take the namespaces of the patch with them.
    fn content(&self) -> Vec<Node> {
        self.element.children.clone()
    }

    /// What the operation holds, as the value of an attribute.
    fn text(&self) -> Result<String> {
        match self.element.children.iter().any(|n| n.element().is_some()) {
            true => Err(self.fails(ErrorCode::Structure, "an attribute holds text, and no elements")),
            false => Ok(self.element.text()),
        }
    }

    fn checked_name(&self, name: &str) -> Result<String> {
        let good = name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
            && name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        match good {
            true => Ok(name.to_owned()),
            false => Err(self.fails(ErrorCode::Structure, "the name in type is no name of XML")),
        }
    }

    fn unfit(&self, why: &str) -> Error {
        self.fails(ErrorCode::Unprocessable, why)
    }

    fn lost(&self) -> Error {
        Error::internal("a node that a path selected is not there")
    }

    fn fails(&self, code: ErrorCode, why: &str) -> Error {
        let (index, name) = (self.index, shortened(&self.element.name.local));
        let sel = shortened(self.element.attribute("sel").unwrap_or_default());
        let text = format!("Operation {index} ({name} at `{sel}`): {why}. Nothing was changed.");
        Error::new(code, text)
    }
}

fn element_mut<'r>(root: &'r mut Element, way: &[usize]) -> Option<&'r mut Element> {
    let mut at = root;
    for index in way {
        at = match at.children.get_mut(*index)? {
            Node::Element(element) => element,
            _ => return None,
        };
    }
    Some(at)
}

fn is_blank(node: &Node) -> bool {
    matches!(node, Node::Text(text) if text.trim_ascii().is_empty())
}

/// Joins texts that stand side by side: to XPath they are one node.
fn join(nodes: &mut Vec<Node>) {
    let mut joined: Vec<Node> = Vec::with_capacity(nodes.len());
    for node in nodes.drain(..) {
        match (joined.last_mut(), node) {
            (Some(Node::Text(before)), Node::Text(after)) => before.push_str(&after),
            (_, node) => joined.push(node),
        }
    }
    *nodes = joined;
}
