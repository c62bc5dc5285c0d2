//! JSON Patch (RFC 6902, <https://www.rfc-editor.org/rfc/rfc6902>).
//!
//! Invariant: operations are done in order, each on what the one before left; one that fails fails the patch.

use std::borrow::Cow;

use fhir_model::json::Tree;

use super::budget::{Bounds, Budget, Exhausted};
use super::pointer::{Miss, Pointer};
use super::{shortened, shown};
use crate::error::{Error, ErrorCode, Result};

/// Applies a patch to a document.
pub(super) fn apply<'t>(
    mut document: Tree<'t>,
    patch: &Tree<'t>,
    bounds: &Bounds,
    budget: &mut Budget,
) -> Result<Tree<'t>> {
    let Tree::Array(operations) = patch else {
        let hint = match patch {
            Tree::Object(_) => "; a JSON Merge Patch is sent as application/merge-patch+json",
            _ => "",
        };
        let text = format!(
            "A JSON Patch is an array of operations; this is {}{hint}.",
            patch.described()
        );
        return Err(Error::new(ErrorCode::Structure, text));
    };
    bounds.check_count(operations.len())?;
    let operations: Vec<Operation<'_, 't>> = operations
        .iter()
        .enumerate()
        .map(|(index, operation)| Operation::read(index, operation))
        .collect::<Result<_>>()?;
    for operation in &operations {
        operation
            .apply(&mut document, bounds, budget)
            .map_err(|miss| operation.failed(miss))?;
    }
    Ok(document)
}

/// One operation.
struct Operation<'p, 't> {
    index: usize,
    name: &'static str,
    /// The pointer as written, for messages.
    written: String,
    path: Pointer,
    action: Action<'p, 't>,
}

enum Action<'p, 't> {
    Add(&'p Tree<'t>),
    Remove,
    Replace(&'p Tree<'t>),
    Move(Pointer),
    Copy(Pointer),
    Test(&'p Tree<'t>),
}

/// Why an operation cannot be done.
enum Failure {
    Miss(Miss),
    /// `from` leads nowhere.
    From(Miss),
    Unequal(String),
    TooDeep(usize),
}

impl From<Miss> for Failure {
    fn from(miss: Miss) -> Self {
        Failure::Miss(miss)
    }
}

impl From<Exhausted> for Failure {
    fn from(exhausted: Exhausted) -> Self {
        Failure::Miss(exhausted.into())
    }
}

impl<'p, 't> Operation<'p, 't> {
    /// Reads an operation; members that RFC 6902 does not define are passed over, as it demands.
    fn read(index: usize, operation: &'p Tree<'t>) -> Result<Self> {
        let wrong = |text: String| Error::new(ErrorCode::Structure, format!("Operation {index}: {text}"));
        if !matches!(operation, Tree::Object(_)) {
            return Err(wrong(format!(
                "each is an object with op and path; this is {}.",
                operation.described()
            )));
        }
        let text = |name: &str| -> Result<Cow<'p, str>> {
            match operation.get(name) {
                Some(Tree::String(text)) => Ok(text.value()),
                Some(other) => Err(wrong(format!(
                    "{name} is a string; this is {}.",
                    other.described()
                ))),
                None => Err(wrong(format!("the member {name} is missing."))),
            }
        };
        let pointer = |name: &str| -> Result<(String, Pointer)> {
            let written = text(name)?;
            let pointer = Pointer::parse(&written)
                .map_err(|why| wrong(format!("{name} {:?}: {why}.", shortened(&written))))?;
            Ok((shortened(&written), pointer))
        };
        let value = || {
            let missing = || wrong("the member value is missing.".to_owned());
            operation.get("value").ok_or_else(missing)
        };
        let op = text("op")?;
        let (name, action) = match &*op {
            "add" => ("add", Action::Add(value()?)),
            "remove" => ("remove", Action::Remove),
            "replace" => ("replace", Action::Replace(value()?)),
            "move" => ("move", Action::Move(pointer("from")?.1)),
            "copy" => ("copy", Action::Copy(pointer("from")?.1)),
            "test" => ("test", Action::Test(value()?)),
            other => {
                let other = shortened(other);
                return Err(wrong(format!(
                    "op is add, remove, replace, move, copy or test, not {other:?}."
                )));
            }
        };
        let (written, path) = pointer("path")?;
        if let Action::Move(from) = &action
            && path.is_within(from)
        {
            return Err(wrong(format!(
                "a value cannot be moved into itself, to {written:?}."
            )));
        }
        Ok(Operation {
            index,
            name,
            written,
            path,
            action,
        })
    }

    fn apply(
        &self,
        document: &mut Tree<'t>,
        bounds: &Bounds,
        budget: &mut Budget,
    ) -> std::result::Result<(), Failure> {
        let path = &self.path;
        match &self.action {
            Action::Add(value) => {
                let value = self.checked((*value).clone(), bounds)?;
                budget.grow(value.weight())?;
                path.add(document, value, budget)?;
            }
            Action::Replace(value) => {
                let value = self.checked((*value).clone(), bounds)?;
                budget.grow(value.weight())?;
                path.replace(document, value, budget)?;
            }
            Action::Remove => drop(path.remove(document, budget)?),
            Action::Move(from) => {
                let value = from.remove(document, budget).map_err(Failure::From)?;
                budget.work(value.weight())?;
                path.add(document, self.checked(value, bounds)?, budget)?;
            }
            Action::Copy(from) => {
                let value = from.find(document, budget).map_err(Failure::From)?;
                budget.grow(value.weight())?;
                let value = self.checked(value.clone(), bounds)?;
                path.add(document, value, budget)?;
            }
            Action::Test(expected) => {
                let found = path.find(document, budget)?;
                budget.work(expected.weight())?;
                if !found.same(expected) {
                    return Err(Failure::Unequal(format!(
                        "the test fails: there is {}, and {} was expected",
                        shown(found),
                        shown(expected)
                    )));
                }
            }
        }
        Ok(())
    }

    /// A value that does not nest too deep at the place where it goes.
    fn checked(&self, value: Tree<'t>, bounds: &Bounds) -> std::result::Result<Tree<'t>, Failure> {
        match value.depth() + self.path.depth() <= bounds.depth {
            true => Ok(value),
            false => Err(Failure::TooDeep(bounds.depth)),
        }
    }

    fn failed(&self, failure: Failure) -> Error {
        let (code, why) = match failure {
            Failure::Miss(Miss::Nowhere(why)) => (ErrorCode::Unprocessable, why),
            Failure::From(Miss::Nowhere(why)) => (ErrorCode::Unprocessable, format!("from: {why}")),
            Failure::Miss(Miss::Exhausted) | Failure::From(Miss::Exhausted) => {
                (ErrorCode::TooLarge, Exhausted::MESSAGE.to_owned())
            }
            Failure::Unequal(why) => (ErrorCode::Unprocessable, why),
            Failure::TooDeep(depth) => (
                ErrorCode::TooLarge,
                format!("the result would nest deeper than {depth} levels"),
            ),
        };
        let (index, name, written) = (self.index, self.name, &self.written);
        let text = format!("Operation {index} ({name} {written:?}): {why}. Nothing was changed.");
        Error::new(code, text)
    }
}
