//! Snapshots from differentials (<https://hl7.org/fhir/R4/profiling.html#snapshot>).
//!
//! The base's snapshot becomes a tree; each element of the differential is found in it, where need be after
//! the children of a type or a new slice were put there, and its facts are laid over what is there.
//!
//! Invariant: a snapshot has at most [`MAX_ELEMENTS`] elements, however its definitions refer to each other.

mod overlay;
mod tree;

pub(crate) use tree::{Node, segments};

use serde_json::{Value, json};

use crate::definition::{Definition, Facts, Held, Store, list, short_type, strings, text};
use tree::Segment;

/// The most elements that a snapshot may have.
pub(crate) const MAX_ELEMENTS: usize = 50_000;

/// What generating one snapshot needs.
struct Generator<'s, 'm> {
    store: &'s Store,
    making: &'m mut Vec<*const Held>,
    /// The base, where elements refer to the content of others.
    origin: Node,
    url: String,
    elements: usize,
}

/// The snapshot of a definition that has a differential only.
///
/// # Errors
/// Its base is not known, it is built on itself, it names an element that its base does not have, or it is too large; in words.
pub(crate) fn generate(definition: &Definition, store: &Store, making: &mut Vec<*const Held>) -> Result<Vec<Facts>, String> {
    let base = definition.base.as_deref().ok_or_else(|| format!("{} has neither a snapshot nor a base", definition.url))?;
    let held = store.get_any_version(base).ok_or_else(|| format!("the base {base} of {} is not known", definition.url))?;
    let mut tree = Node::build(held.snapshot(making)?).ok_or_else(|| format!("the base {base} has no elements"))?;
    if !definition.is_constraint {
        tree.name = definition.type_name.clone();
    }
    let elements = tree.count();
    let mut generator = Generator { store, making, origin: tree.clone(), url: definition.url.clone(), elements };
    for (path, facts) in segments(&definition.differential) {
        let is_new = !definition.is_constraint;
        generator.lay_over(&mut tree, &path, facts, is_new)?;
    }
    let mut out = Vec::new();
    tree.flatten("", "", &mut out);
    Ok(out)
}

impl Generator<'_, '_> {
    fn lay_over(&mut self, root: &mut Node, path: &[Segment<'_>], facts: &Facts, is_new: bool) -> Result<(), String> {
        let mut node = root;
        let steps = path.get(1..).unwrap_or_default();
        for (depth, step) in steps.iter().enumerate() {
            if node.children.is_empty() {
                self.expand(node)?;
            }
            let is_last = depth + 1 == steps.len();
            node = match self.child(node, step) {
                Some((index, implied)) => {
                    let child = node.children.get_mut(index).ok_or("an element is not where it was")?;
                    let slice = step.slice.map(str::to_owned).or(implied);
                    match slice {
                        Some(slice) => self.slice(child, &slice)?,
                        None => child,
                    }
                }
                None if is_new && is_last => {
                    node.children.push(Node { name: step.name.to_owned(), ..Node::default() });
                    node.children.last_mut().ok_or("an element is not where it was")?
                }
                None => {
                    let names: Vec<&str> = path.iter().map(|s| s.name).collect();
                    return Err(format!("{} names the element {}, which its base does not have", self.url, names.join(".")));
                }
            };
        }
        overlay::lay(node, facts, &self.url);
        Ok(())
    }

    /// The child that a step means, and the slice that it implies: `valueQuantity` is a slice of `value[x]` by type.
    fn child(&self, node: &Node, step: &Segment<'_>) -> Option<(usize, Option<String>)> {
        if let Some(index) = node.children.iter().position(|c| c.name == step.name) {
            return Some((index, None));
        }
        for (index, child) in node.children.iter().enumerate() {
            let Some(kind) = child.name.strip_suffix("[x]").and_then(|stem| step.name.strip_prefix(stem)) else { continue };
            let types = list(child.facts.get("type"));
            let names = |t: &&Value| t.get("code").and_then(Value::as_str).is_some_and(|code| same_type(code, kind));
            if types.iter().any(|t| names(&t)) {
                let is_whole = types.len() == 1;
                return Some((index, (!is_whole).then(|| step.name.to_owned())));
            }
        }
        // A choice may also be written as its stem, or with `[x]` where the base names one type only.
        let stem = step.name.strip_suffix("[x]");
        let index = node.children.iter().position(|c| stem == Some(c.name.as_str()) || c.name.strip_suffix("[x]") == Some(step.name))?;
        Some((index, None))
    }

    /// The slice of that name, made where it is not there; `a/b` is the slice `b` of the slice `a`.
    fn slice<'n>(&mut self, head: &'n mut Node, name: &str) -> Result<&'n mut Node, String> {
        let parent = name.rsplit_once('/').map(|(parent, _)| parent).filter(|p| head.slice_named(p).is_some());
        if let Some(parent) = parent {
            let index = head.slice_named(parent).ok_or("a slice is not where it was")?;
            let head = head.slices.get_mut(index).ok_or("a slice is not where it was")?;
            return self.own_slice(head, name);
        }
        self.own_slice(head, name)
    }

    fn own_slice<'n>(&mut self, head: &'n mut Node, name: &str) -> Result<&'n mut Node, String> {
        let index = match head.slice_named(name) {
            Some(index) => index,
            None => {
                let made = overlay::new_slice(head, name);
                self.grow(made.count())?;
                head.slices.push(made);
                head.slices.len() - 1
            }
        };
        head.slices.get_mut(index).ok_or_else(|| "a slice is not where it was".into())
    }

    /// Puts the children of its type, of its type's profile, or of the element that it refers to, below an element.
    fn expand(&mut self, node: &mut Node) -> Result<(), String> {
        if let Some(reference) = text(&node.facts, "contentReference") {
            let target = reference.split('#').nth(1).unwrap_or_default();
            node.children = self.origin.find_id(target).map(|n| n.children.clone()).unwrap_or_default();
            return self.grow(node.count());
        }
        let types = list(node.facts.get("type"));
        let code = match types {
            [one] => one.get("code").and_then(Value::as_str).unwrap_or("Element"),
            [first, rest @ ..] if rest.iter().all(|t| t.get("code") == first.get("code")) => first.get("code").and_then(Value::as_str).unwrap_or("Element"),
            _ => "Element",
        };
        let profile = match types {
            [one] => strings(one.get("profile")).into_iter().next(),
            _ => None,
        };
        let held = profile.and_then(|p| self.store.get_any_version(p.split('#').next().unwrap_or(&p)));
        let held = held.or_else(|| self.store.of_type(short_type(code)));
        let Some(held) = held else { return Ok(()) };
        let tree = match held.snapshot(self.making) {
            Ok(elements) => Node::build(elements),
            // A profile that is built by way of this one: its type's own elements must do.
            Err(_) => self.store.of_type(short_type(code)).and_then(|h| Node::build(h.snapshot(self.making).ok()?)),
        };
        if let Some(tree) = tree {
            self.grow(tree.count())?;
            node.children = tree.children;
        }
        Ok(())
    }

    fn grow(&mut self, by: usize) -> Result<(), String> {
        self.elements += by;
        if self.elements > MAX_ELEMENTS {
            return Err(format!("the snapshot of {} grows past {MAX_ELEMENTS} elements", self.url));
        }
        Ok(())
    }
}

/// Whether a capitalised type, as in `valueDateTime`, is the one with that code.
fn same_type(code: &str, capitalised: &str) -> bool {
    let code = short_type(code);
    code.len() == capitalised.len() && code.get(1..) == capitalised.get(1..) && code.get(..1).map(str::to_uppercase).as_deref() == capitalised.get(..1)
}

/// The slicing that is meant where slices come without one: extensions by url, choices by type.
fn default_slicing(name: &str) -> Option<Value> {
    let (kind, path) = match name {
        "extension" | "modifierExtension" => ("value", "url"),
        _ if name.ends_with("[x]") => ("type", "$this"),
        _ => return None,
    };
    Some(json!({"discriminator": [{"type": kind, "path": path}], "ordered": false, "rules": "open"}))
}
