//! What the caller is told of a commit that wrote nothing.

use super::super::{conditions, place};
use super::Staged;
use crate::error::{Error, ErrorCode};
use crate::store::{Refusal, Write};

/// What the caller is told of a commit that wrote nothing.
pub(super) fn refused(staged: &[Staged], refusal: Refusal) -> Error {
    let (found, error) = match refusal {
        Refusal::Failed(error) => return error,
        Refusal::Expectation { index, current } => {
            let all = staged
                .iter()
                .flat_map(|s| s.expects.iter().map(move |(_, reason)| (s, reason)));
            match all.into_iter().nth(index) {
                Some((one, reason)) => (one, conditions::unmet(one.key.as_ref(), reason, current)),
                // What the policy went by.
                None => {
                    let text = "What you may see was changed by another request meanwhile: send yours again.";
                    return Error::new(ErrorCode::Conflict, text);
                }
            }
        }
        Refusal::Write { index } => match staged.iter().filter(|s| s.write.is_some()).nth(index) {
            Some(one) => (one, refused_write(one)),
            None => return Error::internal("a commit refused a write that it was not given"),
        },
    };
    match found.entry {
        Some(entry) => place::in_entry(error, entry),
        None => error,
    }
}

fn refused_write(one: &Staged) -> Error {
    match &one.write {
        Some(Write::Update { key, .. }) => Error::new(
            ErrorCode::MethodNotAllowed,
            format!(
                "There is no {key}, and this server does not let clients choose ids: create it with POST to {}.",
                key.resource_type.name()
            ),
        ),
        Some(Write::Create { key, .. }) => Error::new(
            ErrorCode::Conflict,
            format!(
                "The id chosen for a new {} is in use: send the request again.",
                key.resource_type.name()
            ),
        ),
        _ => Error::new(
            ErrorCode::Conflict,
            "Another request did the same before this one.",
        ),
    }
}
