//! `If-Match` and `If-None-Match` of a write, turned into expectations that the commit checks.

use crate::error::{Error, ErrorCode};
use crate::interaction::EntityTags;
use crate::store::{Expect, Key, Version};

/// The conditions that a write carries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    /// `If-Match`
    pub(crate) if_match: Option<EntityTags>,
    /// `If-None-Match`
    pub(crate) if_none_match: Option<EntityTags>,
}

/// Why an expectation is there, which decides what the caller is told when it does not hold.
#[derive(Clone, Debug)]
pub(super) enum Reason {
    /// `If-Match` names this version.
    Match(String),
    /// `If-Match: *`
    MatchAny,
    /// `If-None-Match` names versions that are not there, and the one that is must stay meanwhile.
    NoneMatch,
    /// `If-None-Match: *`
    NoneMatchAny,
    /// A search finds what it found before.
    Matches,
    /// The version that a patch or an operation was applied to, or what a write found before: that the caller sees the
    /// resource, and all of it, or that it is not there.
    Changed,
    /// The caller sees all of the resource, and does not replace what they do not see: found before the commit.
    Whole,
    /// A new resource lies within what the caller may write.
    Own,
    /// A claim is free.
    Unclaimed,
}

impl Conditions {
    /// What the caller is told when `If-Match` was sent for what does not exist for them.
    pub(super) fn unmet_for_nothing(&self, key: &Key) -> Error {
        let reason = match &self.if_match {
            Some(EntityTags::Versions(tags)) => Reason::Match(tags.join("\", \"")),
            _ => Reason::MatchAny,
        };
        unmet(Some(key), &reason, None)
    }

    /// Refuses where they do not hold for the live version, before anything is made of it.
    pub(crate) fn check(&self, key: &Key, current: &Version) -> Result<(), Error> {
        let named = |tags: &[String]| tags.iter().any(|t| number(t) == Some(current.version));
        let reason = match (&self.if_match, &self.if_none_match) {
            (Some(EntityTags::Versions(tags)), _) if !named(tags) => Reason::Match(tags.join("\", \"")),
            (_, Some(EntityTags::Any)) => Reason::NoneMatchAny,
            (_, Some(EntityTags::Versions(tags))) if named(tags) => Reason::NoneMatch,
            _ => return Ok(()),
        };
        Err(unmet(Some(key), &reason, Some(current.version)))
    }

    /// Whether the current version must be known to turn them into expectations.
    pub(super) fn need_current(&self) -> bool {
        let several = matches!(&self.if_match, Some(EntityTags::Versions(v)) if v.len() != 1);
        several || matches!(self.if_none_match, Some(EntityTags::Versions(_)))
    }

    /// The expectations, where `current` is the live version if it had to be known.
    pub(super) fn expects(
        &self,
        key: &Key,
        current: Option<&Version>,
    ) -> Result<Vec<(Expect, Reason)>, Error> {
        let mut expects = Vec::new();
        match &self.if_match {
            None => {}
            Some(EntityTags::Any) => {
                let filter = crate::store::Filter::All;
                expects.push((Expect::Visible(key.clone(), filter), Reason::MatchAny));
            }
            Some(EntityTags::Versions(tags)) => {
                let wanted = match tags.as_slice() {
                    [tag] => Some(tag),
                    several => several.iter().find(|t| number(t) == current.map(|c| c.version)),
                };
                let sent = tags.join("\", \"");
                // No version has the number 0, so a tag that is no number of ours never matches.
                let version = wanted.and_then(|t| number(t)).unwrap_or(0);
                expects.push((Expect::Version(key.clone(), version), Reason::Match(sent)));
            }
        }
        match &self.if_none_match {
            None => {}
            Some(EntityTags::Any) => expects.push((Expect::Absent(key.clone()), Reason::NoneMatchAny)),
            Some(EntityTags::Versions(tags)) => match current {
                Some(c) if tags.iter().any(|t| number(t) == Some(c.version)) => {
                    return Err(unmet(Some(key), &Reason::NoneMatch, Some(c.version)));
                }
                Some(c) => expects.push((Expect::Version(key.clone(), c.version), Reason::NoneMatch)),
                None => expects.push((Expect::Absent(key.clone()), Reason::NoneMatch)),
            },
        }
        Ok(expects)
    }
}

/// The version that an entity tag names; `None` where it is none of ours.
fn number(tag: &str) -> Option<i64> {
    let number: i64 = tag.parse().ok().filter(|n| *n > 0)?;
    (number.to_string() == tag).then_some(number)
}

/// What the caller is told when an expectation does not hold.
pub(super) fn unmet(key: Option<&Key>, reason: &Reason, current: Option<i64>) -> Error {
    let name = key.map(Key::to_string).unwrap_or_default();
    let failed = |text: String, at: &str| Error::new(ErrorCode::PreconditionFailed, text).at(at);
    match (reason, current) {
        (Reason::Match(sent), Some(current)) => failed(
            format!(
                "If-Match asks for version \"{sent}\" of {name}; its current version is \"{current}\". Read it again, \
                 apply the change to what you read, and send it with If-Match: W/\"{current}\"."
            ),
            "http.if-match",
        ),
        (Reason::Match(sent), None) => failed(
            format!("If-Match asks for version \"{sent}\" of {name}, which does not exist."),
            "http.if-match",
        ),
        (Reason::MatchAny, _) => failed(
            format!("If-Match: * asks that {name} exists, and it does not."),
            "http.if-match",
        ),
        (Reason::NoneMatchAny, Some(current)) => failed(
            format!(
                "If-None-Match: * asks that {name} does not exist; its current version is \"{current}\"."
            ),
            "http.if-none-match",
        ),
        (Reason::NoneMatchAny | Reason::NoneMatch, _) => failed(
            format!(
                "{name} has a version that If-None-Match excludes, or was changed meanwhile: read it again."
            ),
            "http.if-none-match",
        ),
        (Reason::Changed, _) => Error::new(
            ErrorCode::Conflict,
            format!("{name} was changed by another request meanwhile: send yours again."),
        ),
        (Reason::Whole, _) => Error::new(
            ErrorCode::PreconditionFailed,
            format!(
                "You see only a part of {name}, as its labels restrict it: what you would send back lacks the rest. It can be changed \
                 by those who see all of it."
            ),
        ),
        (Reason::Own, _) => outside(&name),
        (Reason::Matches, _) => Error::new(
            ErrorCode::Conflict,
            "What the condition matches was changed meanwhile: send the request again.",
        ),
        (Reason::Unclaimed, _) => Error::new(
            ErrorCode::Conflict,
            "Another request did the same before this one.",
        ),
    }
}

/// What the caller is told of a resource that they may not write so.
pub(super) fn outside(name: &str) -> Error {
    Error::new(
        ErrorCode::Forbidden,
        format!("{name} would lie outside of what you may write."),
    )
}

/// What the caller is told of a resource that is not there, or not for them.
pub(crate) fn not_found(key: &Key) -> Error {
    Error::new(ErrorCode::NotFound, format!("There is no {key}."))
}
