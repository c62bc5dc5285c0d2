//! JSON Merge Patch (RFC 7396, <https://www.rfc-editor.org/rfc/rfc7396>): objects are merged, `null` takes a member out, all
//! else replaces what is there; a list always as a whole.

use fhir_model::json::Tree;

use super::budget::{Budget, Exhausted};
use crate::error::{Error, ErrorCode, Result};

/// Applies a patch to a document.
pub(super) fn apply<'t>(mut document: Tree<'t>, patch: &Tree<'t>, budget: &mut Budget) -> Result<Tree<'t>> {
    if !matches!(patch, Tree::Object(_)) {
        let hint = match patch {
            Tree::Array(_) => "; a JSON Patch is sent as application/json-patch+json",
            _ => "",
        };
        let text = format!(
            "A JSON Merge Patch of a resource is an object; this is {}{hint}.",
            patch.described()
        );
        return Err(Error::new(ErrorCode::Structure, text));
    }
    let exhausted = |_: Exhausted| Error::new(ErrorCode::TooLarge, Exhausted::MESSAGE);
    budget.grow(patch.weight()).map_err(exhausted)?;
    merge(&mut document, patch, budget).map_err(exhausted)?;
    Ok(document)
}

/// A merge nests no deeper than its deeper side, and both were read within the limit.
fn merge<'t>(
    target: &mut Tree<'t>,
    patch: &Tree<'t>,
    budget: &mut Budget,
) -> std::result::Result<(), Exhausted> {
    let Tree::Object(changes) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    if !matches!(target, Tree::Object(_)) {
        *target = Tree::Object(Vec::new());
    }
    // The names of a patch are unique, so each is looked for only among the members that were there before.
    let mut before = target.members().len();
    for (name, change) in changes {
        budget.work(before + 1)?;
        let Tree::Object(members) = target else { continue };
        let known = name.value();
        let found = members.iter().take(before).position(|(n, _)| n.is(&known));
        match found {
            Some(at) if change.is_null() => {
                members.remove(at);
                before -= 1;
            }
            Some(at) => {
                if let Some((_, value)) = members.get_mut(at) {
                    merge(value, change, budget)?;
                }
            }
            None if change.is_null() => {}
            None => {
                let mut value = Tree::null();
                merge(&mut value, change, budget)?;
                members.push((name.clone(), value));
            }
        }
    }
    Ok(())
}
