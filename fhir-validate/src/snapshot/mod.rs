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
    /// The paths of the differential, where a choice may be named by several of its types.
    paths: Vec<String>,
}

/// The snapshot of a definition that has a differential only.
///
/// # Errors
/// Its base is not known, it is built on itself, it names an element that its base does not have, or it is too large; in words.
pub(crate) fn generate(
    definition: &Definition,
    store: &Store,
    making: &mut Vec<*const Held>,
) -> Result<Vec<Facts>, String> {
    let base = definition
        .base
        .as_deref()
        .ok_or_else(|| format!("{} has neither a snapshot nor a base", definition.url))?;
    let held = store
        .get_any_version(base)
        .ok_or_else(|| format!("the base {base} of {} is not known", definition.url))?;
    let mut tree =
        Node::build(held.snapshot(making)?).ok_or_else(|| format!("the base {base} has no elements"))?;
    if !definition.is_constraint {
        tree.name = definition.type_name.clone();
    }
    let elements = tree.count();
    let paths = definition
        .differential
        .iter()
        .filter_map(|e| text(e, "path"))
        .map(str::to_owned)
        .collect();
    let mut generator = Generator {
        store,
        making,
        origin: tree.clone(),
        url: definition.url.clone(),
        elements,
        paths,
    };
    for (path, facts) in segments(&definition.differential) {
        let is_new = !definition.is_constraint;
        generator.lay_over(&mut tree, &path, facts, is_new)?;
    }
    let mut out = Vec::new();
    tree.flatten("", "", &mut out);
    Ok(out)
}

impl Generator<'_, '_> {
    fn lay_over(
        &mut self,
        root: &mut Node,
        path: &[Segment<'_>],
        facts: &Facts,
        is_new: bool,
    ) -> Result<(), String> {
        let mut node = root;
        let steps = path.get(1..).unwrap_or_default();
        for (depth, step) in steps.iter().enumerate() {
            if node.children.is_empty() {
                self.expand(node)?;
            }
            let is_last = depth + 1 == steps.len();
            node = match self.child(node, step) {
                Some((index, implied)) => {
                    let child = node
                        .children
                        .get_mut(index)
                        .ok_or("an element is not where it was")?;
                    let implied = implied.filter(|name| {
                        !self.is_whole_choice(child, path.get(..=depth).unwrap_or_default(), name)
                    });
                    if let Some(name) = implied.as_deref().filter(|_| is_last && step.slice.is_none()) {
                        self.require_variant(child, path.get(..=depth).unwrap_or_default(), name, facts);
                    }
                    let slice = step.slice.map(str::to_owned).or(implied);
                    match slice {
                        Some(slice) => self.slice(child, &slice)?,
                        None => child,
                    }
                }
                None if is_new && is_last => {
                    node.children.push(Node {
                        name: step.name.to_owned(),
                        ..Node::default()
                    });
                    node.children.last_mut().ok_or("an element is not where it was")?
                }
                None => {
                    let names: Vec<&str> = path.iter().map(|s| s.name).collect();
                    return Err(format!(
                        "{} names the element {}, which its base does not have",
                        self.url,
                        names.join(".")
                    ));
                }
            };
        }
        overlay::lay(node, facts, &self.url);
        self.bound_extension(node, facts);
        Ok(())
    }

    /// The child that a step means, and the slice that it implies: `valueQuantity` is a slice of `value[x]` by type.
    fn child(&self, node: &Node, step: &Segment<'_>) -> Option<(usize, Option<String>)> {
        if let Some(index) = node.children.iter().position(|c| c.name == step.name) {
            return Some((index, None));
        }
        for (index, child) in node.children.iter().enumerate() {
            let Some(kind) = child
                .name
                .strip_suffix("[x]")
                .and_then(|stem| step.name.strip_prefix(stem))
            else {
                continue;
            };
            let types = list(child.facts.get("type"));
            let names = |t: &&Value| {
                t.get("code")
                    .and_then(Value::as_str)
                    .is_some_and(|code| same_type(code, kind))
            };
            if types.iter().any(|t| names(&t)) {
                let is_whole = types.len() == 1;
                return Some((index, (!is_whole).then(|| step.name.to_owned())));
            }
        }
        // A choice may also be written as its stem, or with `[x]` where the base names one type only.
        let stem = step.name.strip_suffix("[x]");
        let index = node
            .children
            .iter()
            .position(|c| stem == Some(c.name.as_str()) || c.name.strip_suffix("[x]") == Some(step.name))?;
        Some((index, None))
    }

    /// Whether `valueQuantity` is all that is said of a choice: then it narrows the choice to that type, and makes no slice.
    fn is_whole_choice(&self, choice: &mut Node, parent: &[Segment<'_>], name: &str) -> bool {
        let Some(stem) = choice.name.strip_suffix("[x]") else {
            return false;
        };
        // At the top a slice by type is made, even of the only type, as the publisher of guides does; the rules are the same.
        if parent.iter().all(|s| s.slice.is_none())
            || !choice.slices.is_empty()
            || choice.facts.contains_key("slicing")
        {
            return false;
        }
        if self.names_other(parent, stem, name) {
            return false;
        }
        let kind = name.get(stem.len()..).unwrap_or_default();
        narrow(choice, kind);
        true
    }

    /// A type that is required, where no other is named, is the only one of the choice.
    fn require_variant(&self, choice: &mut Node, parent: &[Segment<'_>], name: &str, facts: &Facts) {
        let Some(stem) = choice.name.strip_suffix("[x]").map(str::to_owned) else {
            return;
        };
        let is_required = facts
            .get("min")
            .and_then(Value::as_u64)
            .is_some_and(|min| min > 0);
        if !is_required || self.names_other(parent, &stem, name) {
            return;
        }
        let kind = name.get(stem.len()..).unwrap_or_default();
        narrow(choice, kind);
        choice.facts.insert("min".into(), Value::from(1));
        choice.facts.insert("slicing".into(), json!({"discriminator": [{"type": "type", "path": "$this"}], "ordered": false, "rules": "closed"}));
    }

    /// Whether the differential names the choice below that parent in another way too.
    fn names_other(&self, parent: &[Segment<'_>], stem: &str, name: &str) -> bool {
        let parent = parent.iter().map(|s| s.name).collect::<Vec<_>>().join(".");
        let mut names = self
            .paths
            .iter()
            .filter_map(|p| p.strip_prefix(&parent)?.strip_prefix('.')?.split('.').next());
        names.any(|other| {
            let rest = other.strip_prefix(stem).filter(|_| other != name);
            rest.is_some_and(|rest| rest == "[x]" || rest.starts_with(|c: char| c.is_ascii_uppercase()))
        })
    }

    /// The slice of that name, made where it is not there; `a/b` is the slice `b` of the slice `a`.
    fn slice<'n>(&mut self, head: &'n mut Node, name: &str) -> Result<&'n mut Node, String> {
        let parent = name
            .rsplit_once('/')
            .map(|(parent, _)| parent)
            .filter(|p| head.slice_named(p).is_some());
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
        head.slices
            .get_mut(index)
            .ok_or_else(|| "a slice is not where it was".into())
    }

    /// A slice of an extension occurs as often as the extension's own definition allows, where nothing else is said.
    fn bound_extension(&self, node: &mut Node, facts: &Facts) {
        if node.slice.is_none()
            || facts.contains_key("max")
            || !matches!(node.name.as_str(), "extension" | "modifierExtension")
        {
            return;
        }
        let [kind] = list(facts.get("type")) else { return };
        let profile = strings(kind.get("profile"));
        let definition = profile
            .first()
            .and_then(|p| self.store.get_any_version(p))
            .and_then(|h| h.definition());
        let root = definition.and_then(|d| d.snapshot.first().or_else(|| d.differential.first()));
        if let Some(max) = root.and_then(|r| r.get("max")) {
            node.facts.insert("max".into(), max.clone());
        }
    }

    /// Puts the children of its type, of its type's profile, or of the element that it refers to, below an element.
    fn expand(&mut self, node: &mut Node) -> Result<(), String> {
        if let Some(reference) = text(&node.facts, "contentReference") {
            let target = reference.split('#').nth(1).unwrap_or_default();
            node.children = self
                .origin
                .find_id(target)
                .map(|n| n.children.clone())
                .unwrap_or_default();
            return self.grow(node.count());
        }
        let types = list(node.facts.get("type"));
        let code = match types {
            [one] => one.get("code").and_then(Value::as_str).unwrap_or("Element"),
            [first, rest @ ..] if rest.iter().all(|t| t.get("code") == first.get("code")) => {
                first.get("code").and_then(Value::as_str).unwrap_or("Element")
            }
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
            Err(_) => self
                .store
                .of_type(short_type(code))
                .and_then(|h| Node::build(h.snapshot(self.making).ok()?)),
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
            return Err(format!(
                "the snapshot of {} grows past {MAX_ELEMENTS} elements",
                self.url
            ));
        }
        Ok(())
    }
}

/// Leaves a choice the one type.
fn narrow(choice: &mut Node, kind: &str) {
    let types = list(choice.facts.get("type")).iter();
    let own: Vec<Value> = types
        .filter(|t| {
            t.get("code")
                .and_then(Value::as_str)
                .is_some_and(|c| same_type(c, kind))
        })
        .cloned()
        .collect();
    choice.facts.insert("type".into(), Value::from(own));
}

/// Whether a capitalised type, as in `valueDateTime`, is the one with that code.
fn same_type(code: &str, capitalised: &str) -> bool {
    let code = short_type(code);
    code.len() == capitalised.len()
        && code.get(1..) == capitalised.get(1..)
        && code.get(..1).map(str::to_uppercase).as_deref() == capitalised.get(..1)
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
