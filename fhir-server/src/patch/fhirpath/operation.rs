//! One operation of a FHIRPath Patch: its parts, read and checked, and what it does.

use std::borrow::Cow;

use fhir_model::Resource;
use fhir_model::json::Tree;
use fhir_model::path::Limits;

use super::value::Value;
use super::{edit, target};
use crate::error::{Error, ErrorCode, Result};
use crate::patch::shortened;

/// One operation.
pub(super) struct Operation<'p, 't> {
    pub(super) index: usize,
    path: Cow<'p, str>,
    action: Action<'p, 't>,
}

enum Action<'p, 't> {
    Add {
        name: Cow<'p, str>,
        value: Value<'p, 't>,
    },
    Insert {
        at: usize,
        value: Value<'p, 't>,
    },
    Delete,
    Replace {
        value: Value<'p, 't>,
    },
    Move {
        from: usize,
        to: usize,
    },
}

/// The place of an operation in the patch.
pub(super) fn place(index: usize) -> String {
    format!("Parameters.parameter[{index}]")
}

/// What an operation asks, and with which parts besides `type` and `path`.
const PARTS: [(&str, &[&str]); 5] = [
    ("add", &["name", "value"]),
    ("insert", &["index", "value"]),
    ("delete", &[]),
    ("replace", &["value"]),
    ("move", &["source", "destination"]),
];

impl<'p, 't> Operation<'p, 't> {
    /// Reads an operation of a Parameters resource that was read strictly before.
    pub(super) fn read(index: usize, parameter: &'p Tree<'t>) -> Result<Self> {
        let parts = Parts { index, parameter };
        let name = parameter.get("name").and_then(Tree::as_str).unwrap_or_default();
        if name != "operation" {
            let name = shortened(&name);
            return Err(parts.wrong(&format!(
                "each parameter of a FHIRPath Patch is named operation, not {name:?}"
            )));
        }
        let kind = parts.text("type")?;
        let Some((kind, others)) = PARTS.iter().find(|(known, _)| *known == kind) else {
            let kind = shortened(&kind);
            return Err(parts.wrong(&format!(
                "type is add, insert, delete, replace or move, not {kind:?}"
            )));
        };
        parts.check_names(kind, others)?;
        let value = || parts.required("value").and_then(|part| Value::read(part, &parts));
        let action = match *kind {
            "add" => Action::Add {
                name: parts.text("name")?,
                value: value()?,
            },
            "insert" => Action::Insert {
                at: parts.number("index")?,
                value: value()?,
            },
            "replace" => Action::Replace { value: value()? },
            "move" => Action::Move {
                from: parts.number("source")?,
                to: parts.number("destination")?,
            },
            _ => Action::Delete,
        };
        Ok(Operation {
            index,
            path: parts.text("path")?,
            action,
        })
    }

    /// The memory that its value takes.
    pub(super) fn weight(&self) -> usize {
        match &self.action {
            Action::Add { value, .. } | Action::Insert { value, .. } | Action::Replace { value } => {
                value.weight()
            }
            Action::Delete | Action::Move { .. } => 0,
        }
    }

    /// Does it: `resource` is the typed form of the document.
    pub(super) fn apply(&self, document: &mut Tree<'t>, resource: &Resource, limits: &Limits) -> Result<()> {
        let unfit = |why: String| self.fails(ErrorCode::Unprocessable, &why);
        match &self.action {
            Action::Add { name, value } => {
                let holder = target::one(&self.path, resource, limits)
                    .and_then(|found| found.ok_or_else(|| target::nothing(&self.path)))
                    .map_err(unfit)?;
                let element = holder.element(name).map_err(unfit)?;
                let value = value.fit(&element).map_err(unfit)?;
                edit::add(document, holder.location.steps(), &element, value).map_err(unfit)
            }
            Action::Insert { at, value } => {
                let list = target::list(&self.path, resource, limits).map_err(unfit)?;
                if *at > list.length {
                    return Err(unfit(format!(
                        "index {at} is beyond the end of the list, which has {} items",
                        list.length
                    )));
                }
                let value = value.fit(&list.element).map_err(unfit)?;
                edit::insert(document, &list, *at, value).map_err(unfit)
            }
            Action::Delete => match target::one(&self.path, resource, limits).map_err(unfit)? {
                // What is not there needs no deleting.
                None => Ok(()),
                Some(found) => edit::delete(document, found.location).map_err(unfit),
            },
            Action::Replace { value } => {
                let found = target::one(&self.path, resource, limits)
                    .and_then(|found| found.ok_or_else(|| target::nothing(&self.path)))
                    .map_err(unfit)?;
                let (holder, last) = found.location.split_last().ok_or_else(|| {
                    unfit("the whole resource cannot be replaced by a patch: send it with PUT".to_owned())
                })?;
                let value = value.fit(&target::Element::of_step(&last)).map_err(unfit)?;
                edit::replace(document, holder.steps(), &last, value).map_err(unfit)
            }
            Action::Move { from, to } => {
                let list = target::list(&self.path, resource, limits).map_err(unfit)?;
                for (name, at) in [("source", from), ("destination", to)] {
                    if *at >= list.length {
                        return Err(unfit(format!(
                            "{name} {at} is no item of the list, which has {} items, the first of them 0",
                            list.length
                        )));
                    }
                }
                edit::shift(document, &list, *from, *to).map_err(unfit)
            }
        }
    }

    /// What the caller is told of it.
    pub(super) fn fails(&self, code: ErrorCode, why: &str) -> Error {
        let kind = match &self.action {
            Action::Add { .. } => "add",
            Action::Insert { .. } => "insert",
            Action::Delete => "delete",
            Action::Replace { .. } => "replace",
            Action::Move { .. } => "move",
        };
        let (index, path) = (self.index, shortened(&self.path));
        let text = format!("Operation {index} ({kind} at `{path}`): {why}. Nothing was changed.");
        Error::new(code, text).at(place(index))
    }
}

/// The parts of one operation.
pub(super) struct Parts<'p, 't> {
    index: usize,
    parameter: &'p Tree<'t>,
}

impl<'p, 't> Parts<'p, 't> {
    /// What the caller is told of an operation that is not well formed.
    pub(super) fn wrong(&self, why: &str) -> Error {
        let text = format!("Operation {}: {why}.", self.index);
        Error::new(ErrorCode::Structure, text).at(place(self.index))
    }

    fn all(&self) -> &'p [Tree<'t>] {
        self.parameter.get("part").map(Tree::items).unwrap_or_default()
    }

    fn check_names(&self, kind: &str, others: &[&str]) -> Result<()> {
        let mut seen: Vec<Cow<'_, str>> = Vec::new();
        for part in self.all() {
            let name = part.get("name").and_then(Tree::as_str).unwrap_or_default();
            if !matches!(&*name, "type" | "path") && !others.contains(&&*name) {
                let mut wanted = vec!["type", "path"];
                wanted.extend(others);
                return Err(self.wrong(&format!(
                    "an operation of type {kind} has the parts {}, and no {:?}",
                    wanted.join(", "),
                    shortened(&name)
                )));
            }
            if seen.contains(&name) {
                return Err(self.wrong(&format!("the part {name:?} stands here twice")));
            }
            seen.push(name);
        }
        Ok(())
    }

    fn required(&self, name: &str) -> Result<&'p Tree<'t>> {
        let is = |part: &&Tree<'t>| part.get("name").and_then(Tree::as_str).is_some_and(|n| n == name);
        let found = self.all().iter().find(is);
        found.ok_or_else(|| self.wrong(&format!("the part {name} is missing")))
    }

    /// The one value of a part, of whatever type.
    fn value(&self, name: &str) -> Result<&'p Tree<'t>> {
        let members = self.required(name)?.members();
        let value = members.iter().find(|(n, _)| n.value().starts_with("value"));
        value
            .map(|(_, value)| value)
            .ok_or_else(|| self.wrong(&format!("the part {name} has no value")))
    }

    fn text(&self, name: &str) -> Result<Cow<'p, str>> {
        let value = self.value(name)?;
        value
            .as_str()
            .ok_or_else(|| self.wrong(&format!("{name} is a string; this is {}", value.described())))
    }

    fn number(&self, name: &str) -> Result<usize> {
        let value = self.value(name)?;
        let number = match value {
            Tree::Word(word) => word.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| {
            let shown = crate::patch::shown(value);
            self.wrong(&format!(
                "{name} is a whole number from 0 on, as valueInteger; this is {shown}"
            ))
        })
    }
}
