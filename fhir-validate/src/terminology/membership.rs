//! The library as the validator asks it.
//!
//! A code without a version is right if any version that is held has it: code systems lose codes as they grow, and
//! records stay.

use std::sync::Arc;

use super::code_system::{CodeSystem, Content};
use super::compose::CompileError;
use super::display::{self, Judgement};
use super::language::Languages;
use super::library::Library;
use super::near;
use super::rule::Rule;
use super::set::{Compiled, Gap, Hit, Key, Selection, Source, Verdict};
use super::{CodeQuery, Known, Membership, NotMember, Terminology, twin};

impl Terminology for Library {
    fn validate_code(&self, value_set: &str, code: &CodeQuery<'_>) -> Membership {
        let compiled = match self.compiled(value_set) {
            Ok(compiled) => compiled,
            Err(error) => return Membership::Unchecked { reason: why(&error) },
        };
        twin::member(code, |code| match code.system {
            Some(system) => match self.other_version(value_set, &compiled, system, code) {
                Some(other) => self.in_system(&other, system, code),
                None => self.in_system(&compiled, system, code),
            },
            None => inferred(&compiled, code),
        })
    }

    fn look_up(&self, code: &CodeQuery<'_>) -> Known {
        twin::known(code, |code| self.known(code))
    }
}

impl Library {
    fn known(&self, code: &CodeQuery<'_>) -> Known {
        let Some(url) = code.system else {
            return Known::Unchecked {
                reason: format!("the code '{}' has no code system", code.code),
            };
        };
        match self.code_system(url, code.version) {
            Some(system) => match self.version_with(&system, code) {
                Some(other) => known(&other, code),
                None => known(&system, code),
            },
            None => match Rule::of(url).map(|rule| rule.has(code.code)) {
                Some(Some(true)) => Known::Yes {
                    display: None,
                    display_is_right: true,
                },
                Some(Some(false)) => Known::No { near: None },
                _ => Known::Unchecked {
                    reason: not_held(url, code.version),
                },
            },
        }
    }

    /// The value set with another version of the code system, where it takes any: the one that is stated, else one that
    /// has the code where the newest does not.
    fn other_version(
        &self,
        value_set: &str,
        compiled: &Compiled,
        system: &str,
        code: &CodeQuery<'_>,
    ) -> Option<Arc<Compiled>> {
        let sources = compiled.sources();
        let source = sources.iter().find(|s| s.url() == system)?;
        let other = match code.version {
            Some(version) if source.is_version(Some(version)) => return None,
            Some(version) => self.code_system(system, Some(version))?,
            None => self.version_with(source.held()?, code)?,
        };
        let version = other.head.version.as_deref()?;
        self.compiled_with(value_set, system, version).ok()
    }

    /// Another version that has the code, where none is stated and this one does not have it.
    fn version_with(&self, system: &CodeSystem, code: &CodeQuery<'_>) -> Option<Arc<CodeSystem>> {
        if code.version.is_some() || system.find(code.code).is_some() {
            return None;
        }
        let url = &system.head.url;
        let versions = self.code_system_versions(url);
        let mut others = versions.iter().filter_map(|v| self.code_system(url, Some(v)));
        others.find(|other| other.find(code.code).is_some())
    }

    fn in_system(&self, compiled: &Compiled, system: &str, code: &CodeQuery<'_>) -> Membership {
        let key = Key {
            system,
            version: code.version,
            code: code.code,
        };
        match compiled.verdict(key) {
            Verdict::In(hit) => member(hit, code),
            Verdict::Unknown(gap) => Membership::Unchecked {
                reason: gap.to_string(),
            },
            Verdict::Out => self.outside(compiled, key),
        }
    }

    /// Why a code is not in.
    fn outside(&self, compiled: &Compiled, key: Key<'_>) -> Membership {
        let sources = compiled.sources();
        let Some(source) = sources.iter().find(|s| s.url() == key.system) else {
            let elsewhere = sources.iter().any(|s| {
                let other = Key {
                    system: s.url(),
                    version: None,
                    code: key.code,
                };
                matches!(compiled.verdict(other), Verdict::In(_))
            });
            let reason = if elsewhere {
                NotMember::WrongSystem
            } else {
                NotMember::UnknownInValueSet
            };
            return Membership::NotMember { reason, near: None };
        };
        let held = source
            .held()
            .cloned()
            .or_else(|| self.code_system(key.system, key.version));
        let near = near_in(compiled, key.code);
        let reason = match held {
            Some(held) if held.find(key.code).is_none() && held.head.content == Content::Complete => {
                match held.find_in_any_case(key.code) {
                    Some(index) => {
                        return Membership::NotMember {
                            reason: NotMember::WrongCase,
                            near: Some(held.code(index).to_owned()),
                        };
                    }
                    None => NotMember::UnknownCode,
                }
            }
            None if matches!(source, Source::Rule(_)) => NotMember::UnknownCode,
            _ => NotMember::UnknownInValueSet,
        };
        Membership::NotMember { reason, near }
    }
}

/// A code without a system: the first code system of the value set that has it, and has it in the value set.
fn inferred(compiled: &Compiled, code: &CodeQuery<'_>) -> Membership {
    let mut unknown = None;
    for source in compiled.sources() {
        let key = Key {
            system: source.url(),
            version: code.version,
            code: code.code,
        };
        match compiled.verdict(key) {
            Verdict::In(hit) => return member(hit, code),
            Verdict::Unknown(gap) => unknown = unknown.or(Some(gap)),
            Verdict::Out => {}
        }
    }
    // Without any code system at all, what is missing are the imports.
    let missing = unknown.or_else(|| compiled.missing_import());
    if let Some(gap) = missing {
        return Membership::Unchecked {
            reason: gap.to_string(),
        };
    }
    let sources = compiled.sources();
    let in_any_case = sources.iter().filter_map(|s| s.held()).find_map(|s| {
        let right = s.code(s.find_in_any_case(code.code)?);
        let key = Key {
            system: &s.head.url,
            version: None,
            code: right,
        };
        matches!(compiled.verdict(key), Verdict::In(_)).then(|| right.to_owned())
    });
    if let Some(right) = in_any_case {
        return Membership::NotMember {
            reason: NotMember::WrongCase,
            near: Some(right),
        };
    }
    let is_known = sources
        .iter()
        .filter_map(|s| s.held())
        .any(|s| s.find(code.code).is_some());
    Membership::NotMember {
        reason: if is_known {
            NotMember::UnknownInValueSet
        } else {
            NotMember::UnknownCode
        },
        near: near_in(compiled, code.code),
    }
}

fn member(hit: Hit<'_>, code: &CodeQuery<'_>) -> Membership {
    // A value set that picks an abstract code itself wants it.
    if hit.is_abstract() && !hit.picked {
        return Membership::NotMember {
            reason: NotMember::Abstract,
            near: None,
        };
    }
    let system = hit.source.held().map(AsRef::as_ref);
    let display_is_right = code.display.is_none_or(|stated| {
        let displays = display::displays(system, hit.concept, Some(&hit));
        is_right(stated, &displays)
    });
    Membership::Member {
        system: hit.source.url().to_owned(),
        display: hit.display().map(str::to_owned),
        display_is_right,
        inactive: hit.is_inactive(),
    }
}

fn is_right(stated: &str, displays: &[display::Display<'_>]) -> bool {
    matches!(
        display::judge(stated, displays, &Languages::default()),
        Judgement::Right | Judgement::Withdrawn(_)
    )
}

fn known(system: &CodeSystem, code: &CodeQuery<'_>) -> Known {
    let Some(index) = system.find(code.code) else {
        if system.head.content != Content::Complete {
            return Known::Unchecked {
                reason: format!("only a part of the code system {} is held", system.canonical()),
            };
        }
        let in_other_case = system
            .find_in_any_case(code.code)
            .map(|i| system.code(i).to_owned());
        let all = || (0..system.len()).map(|i| system.code(i));
        return Known::No {
            near: in_other_case.or_else(|| near::nearest(code.code, all())),
        };
    };
    let display_is_right = code.display.is_none_or(|stated| {
        let displays = display::displays(Some(system), Some(index), None);
        is_right(stated, &displays)
    });
    Known::Yes {
        display: system.display(index).map(str::to_owned),
        display_is_right,
    }
}

/// The code of the value set's own rules that is spelled most nearly so.
fn near_in(compiled: &Compiled, code: &str) -> Option<String> {
    let all = compiled.with_imports();
    let clauses = all.iter().flat_map(|c| &c.include);
    let codes = clauses.flat_map(|clause| -> Box<dyn Iterator<Item = &str>> {
        match (&clause.selection, &clause.system) {
            (Selection::Listed(listing), _) => Box::new(listing.items.iter().map(|l| l.code.as_str())),
            (Selection::Filtered(bits), Some(Source::Held(s))) => Box::new(bits.iter().map(|i| s.code(i))),
            (Selection::All, Some(Source::Held(s))) => Box::new((0..s.len()).map(|i| s.code(i))),
            _ => Box::new(std::iter::empty()),
        }
    });
    near::nearest(code, codes)
}

fn not_held(url: &str, version: Option<&str>) -> String {
    Gap::CodeSystem {
        url: url.to_owned(),
        version: version.map(str::to_owned),
    }
    .to_string()
}

fn why(error: &CompileError) -> String {
    match error {
        CompileError::NotHeld(of) => Gap::ValueSet(of.clone()).to_string(),
        CompileError::NoSupplement(of) => format!("the code system supplement {of} is not held"),
        CompileError::Circle(urls) => {
            format!("value sets import each other in a circle: {}", urls.join(", "))
        }
        CompileError::TooLarge(what) => format!("the value set cannot be used: {what}"),
        CompileError::Version(url, held, allowed) => {
            format!("the code system {url} is held in version {held}, not {allowed}")
        }
    }
}
