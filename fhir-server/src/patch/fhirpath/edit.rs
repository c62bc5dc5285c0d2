//! Changes to the text of a resource where a path found an element.
//!
//! In JSON an element is up to two members: `birthDate` with its value and `_birthDate` with its id and extensions; of a
//! list of primitives, two arrays whose places correspond (<https://hl7.org/fhir/R4/json.html#primitive>).
//!
//! Invariant: no empty object, empty array or array of nulls is left behind, as FHIR has none.

use fhir_model::json::{Text, Tree};
use fhir_model::path::{Location, Step};

use super::target::{Element, List};
use super::value::Fitted;

type Done = Result<(), String>;

/// `add`: appends to a list, or sets an element that is absent.
pub(super) fn add<'t>(
    document: &mut Tree<'t>,
    holder: &[Step],
    element: &Element,
    value: Fitted<'t>,
) -> Done {
    if !element.is_list() && element.count > 0 {
        return Err(format!(
            "{} is there already and does not repeat: use replace",
            element.shown()
        ));
    }
    within(document, holder, |object| put(object, element, value))
}

/// `insert`: puts an item into a list.
pub(super) fn insert<'t>(document: &mut Tree<'t>, list: &List, at: usize, value: Fitted<'t>) -> Done {
    within(document, list.holder.steps(), |object| {
        insert_item(object, at, list.length, value);
        Ok(())
    })
}

/// `delete`: takes an element out, and what is empty without it.
pub(super) fn delete(document: &mut Tree<'_>, location: Location) -> Done {
    let (holder, last) = location
        .split_last()
        .ok_or("a patch cannot delete the whole resource: use DELETE")?;
    within(document, holder.steps(), |object| {
        take(object, &last);
        Ok(())
    })
}

/// `replace`: sets an element, its id and extensions included.
pub(super) fn replace<'t>(document: &mut Tree<'t>, holder: &[Step], last: &Step, value: Fitted<'t>) -> Done {
    within(document, holder, |object| {
        match last.index {
            Some(index) => {
                let length = length_of(object, last.name);
                set_item(object, last.name, index, length, value.value);
                set_item(object, &extras_name(last.name), index, length, value.extras);
                tidy(object, last.name);
            }
            None => {
                set_single(object, last.name, value.name, value.value);
                set_single(
                    object,
                    &extras_name(last.name),
                    &extras_name(value.name),
                    value.extras,
                );
            }
        }
        Ok(())
    })
}

/// `move`: takes an item out of a list and puts it back elsewhere.
pub(super) fn shift(document: &mut Tree<'_>, list: &List, from: usize, to: usize) -> Done {
    let name = list.element.field.map_or("", |f| f.name);
    within(document, list.holder.steps(), |object| {
        for name in [name.to_owned(), extras_name(name)] {
            if let Some(Tree::Array(items)) = object.get_mut(&name) {
                while items.len() < list.length {
                    items.push(Tree::null());
                }
                if from < items.len() {
                    let item = items.remove(from);
                    items.insert(to.min(items.len()), item);
                }
            }
        }
        Ok(())
    })
}

/// Puts a value into an object: at the end of a list, or as the one value.
pub(super) fn put<'t>(object: &mut Tree<'t>, element: &Element, value: Fitted<'t>) -> Done {
    if element.is_list() {
        let length = length_of(object, value.name);
        insert_item(object, length, length, value);
        return Ok(());
    }
    let extras = extras_name(value.name);
    if object.get(value.name).is_some() || object.get(&extras).is_some() {
        return Err(format!(
            "{} does not repeat, and stands here twice",
            element.shown()
        ));
    }
    for (name, value) in [(value.name, value.value), (&extras, value.extras)] {
        if let Some(value) = value {
            object.set(name, value);
        }
    }
    Ok(())
}

/// Goes down to the object at those steps and changes it there; then takes out, on the way back, what became empty.
fn within<'t>(tree: &mut Tree<'t>, steps: &[Step], change: impl FnOnce(&mut Tree<'t>) -> Done) -> Done {
    let Some((step, rest)) = steps.split_first() else {
        return change(tree);
    };
    let lost = || format!("the text has no {} where the resource has one", step.name);
    if step.primitive {
        make_extras(tree, step);
    }
    let member = match step.primitive {
        true => extras_name(step.name),
        false => step.name.to_owned(),
    };
    let child = tree.get_mut(&member).ok_or_else(lost)?;
    let child = match (step.index, child) {
        (Some(index), Tree::Array(items)) => items.get_mut(index).ok_or_else(lost)?,
        (_, child) => child,
    };
    within(child, rest, change)?;
    if matches!(child, Tree::Object(members) if members.is_empty()) {
        match step.primitive {
            true => take_member(tree, &member, step.index),
            false => take(tree, step),
        }
        tidy(tree, step.name);
    }
    Ok(())
}

/// Makes sure that there is an object for the id and extensions of a primitive.
fn make_extras(tree: &mut Tree<'_>, step: &Step) {
    let name = extras_name(step.name);
    let empty = || Tree::Object(Vec::new());
    let Some(index) = step.index else {
        if tree.get(&name).is_none() {
            tree.set(&name, empty());
        }
        return;
    };
    let length = length_of(tree, step.name);
    if tree.get(&name).is_none() {
        tree.set(&name, Tree::Array(Vec::new()));
    }
    if let Some(Tree::Array(items)) = tree.get_mut(&name) {
        while items.len() < length {
            items.push(Tree::null());
        }
        if let Some(item) = items.get_mut(index).filter(|item| item.is_null()) {
            *item = empty();
        }
    }
}

/// Takes the element of a step out of its object.
fn take(object: &mut Tree<'_>, step: &Step) {
    for name in [step.name.to_owned(), extras_name(step.name)] {
        take_member(object, &name, step.index);
    }
    tidy(object, step.name);
}

fn take_member(object: &mut Tree<'_>, name: &str, index: Option<usize>) {
    match (index, object.get_mut(name)) {
        (Some(index), Some(Tree::Array(items))) => {
            if index < items.len() {
                items.remove(index);
            }
        }
        _ => drop(object.remove(name)),
    }
}

/// Drops arrays that hold nothing any more; an item of a list of primitives may be null only where it has extensions.
fn tidy(object: &mut Tree<'_>, name: &str) {
    for name in [name.to_owned(), extras_name(name)] {
        let empty = match object.get(&name) {
            Some(Tree::Array(items)) => items.iter().all(Tree::is_null),
            _ => false,
        };
        if empty {
            object.remove(&name);
        }
    }
}

fn insert_item<'t>(object: &mut Tree<'t>, at: usize, length: usize, value: Fitted<'t>) {
    let extras = extras_name(value.name);
    for (name, value) in [(value.name, value.value), (&extras, value.extras)] {
        if value.is_none() && object.get(name).is_none() {
            continue;
        }
        if object.get(name).is_none() {
            object.set(name, Tree::Array(Vec::new()));
        }
        if let Some(Tree::Array(items)) = object.get_mut(name) {
            while items.len() < length {
                items.push(Tree::null());
            }
            items.insert(at.min(items.len()), value.unwrap_or(Tree::null()));
        }
    }
}

fn set_item<'t>(object: &mut Tree<'t>, name: &str, index: usize, length: usize, value: Option<Tree<'t>>) {
    if value.is_none() && object.get(name).is_none() {
        return;
    }
    if object.get(name).is_none() {
        object.set(name, Tree::Array(Vec::new()));
    }
    if let Some(Tree::Array(items)) = object.get_mut(name) {
        while items.len() < length {
            items.push(Tree::null());
        }
        if let Some(item) = items.get_mut(index) {
            *item = value.unwrap_or(Tree::null());
        }
    }
}

/// Sets a member in its place, under the name of its new type.
fn set_single<'t>(object: &mut Tree<'t>, old: &str, new: &str, value: Option<Tree<'t>>) {
    let Some(value) = value else {
        object.remove(old);
        return;
    };
    let Tree::Object(members) = object else { return };
    match members.iter_mut().find(|(name, _)| name.is(old)) {
        Some(member) => {
            if old != new {
                member.0 = Text::of(new);
            }
            member.1 = value;
        }
        None => members.push((Text::of(new), value)),
    }
}

/// The member with the id and extensions of a primitive.
fn extras_name(name: &str) -> String {
    format!("_{name}")
}

/// Items of a list, those with extensions only among them.
fn length_of(object: &Tree<'_>, name: &str) -> usize {
    let of = |name: &str| object.get(name).map_or(0, |list| list.items().len());
    of(name).max(of(&extras_name(name)))
}
