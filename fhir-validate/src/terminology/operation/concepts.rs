//! Lists of codes, as searches need them: the codes of a value set, those below a code, those above it
//! (<https://hl7.org/fhir/R4/search.html#token>).
//!
//! Invariant: a list is whole or refused, never cut.

use super::members;
use crate::terminology::bits::Bits;
use crate::terminology::code_system::{CodeSystem, Content};
use crate::terminology::issue::{Cause, Issue, Refusal, no_code_system, not_compiled};
use crate::terminology::library::Library;

impl Library {
    /// System and code of each member of the value set of that canonical URL, at most `limit`.
    ///
    /// # Errors
    /// The value set is not held, depends on something that is not held, or has more codes.
    pub fn members(&self, value_set: &str, limit: usize) -> Result<Vec<(String, String)>, Refusal> {
        let compiled = self.compiled(value_set).map_err(|error| not_compiled(&error))?;
        let hits = members::of(&compiled)?;
        if hits.len() > limit {
            let text = format!(
                "The value set '{value_set}' has {} codes; {limit} may be asked for at once",
                hits.len()
            );
            return Err(members::too_costly(text));
        }
        let pair = |hit: &crate::terminology::set::Hit<'_>| {
            Some((hit.source.url().to_owned(), hit.code()?.to_owned()))
        };
        Ok(hits.iter().filter_map(pair).collect())
    }

    /// The code and all codes of its system that it subsumes, at most `limit`.
    ///
    /// # Errors
    /// The code system is not held, or not whole, or does not have the code; or there are more codes.
    pub fn below(&self, system: &str, code: &str, limit: usize) -> Result<Vec<String>, Refusal> {
        self.linked(system, code, limit, CodeSystem::children)
    }

    /// The code and all codes of its system that subsume it, at most `limit`.
    ///
    /// # Errors
    /// As [`Library::below`].
    pub fn above(&self, system: &str, code: &str, limit: usize) -> Result<Vec<String>, Refusal> {
        self.linked(system, code, limit, CodeSystem::parents)
    }

    fn linked(
        &self,
        system: &str,
        code: &str,
        limit: usize,
        links: for<'s> fn(&'s CodeSystem, u32) -> &'s [u32],
    ) -> Result<Vec<String>, Refusal> {
        let (url, version) = crate::terminology::canonical::split(system);
        let not_held = || no_code_system(url, version, &self.code_system_versions(url));
        let held = self.code_system(url, version);
        let held = held.ok_or_else(|| Refusal::new(Cause::NotFound, not_held()))?;
        if held.head.content != Content::Complete {
            let text = format!(
                "Only a part of the CodeSystem '{}' is held, so what lies above and below its codes is not known",
                held.canonical()
            );
            return Err(Refusal::new(
                Cause::NotFound,
                Issue::error("not-found", "not-found", "", text),
            ));
        }
        let start = held.find(code).ok_or_else(|| {
            let text = format!("Unknown code '{code}' in the CodeSystem '{}'", held.canonical());
            let issue = Issue::error("not-found", "invalid-code", "Unknown_Code_in_Version", text);
            Refusal::new(Cause::NotFound, issue)
        })?;
        let mut seen = Bits::none(held.len());
        seen.add(start);
        let mut found = vec![start];
        let mut at = 0;
        while let Some(index) = found.get(at).copied() {
            found.extend(links(&held, index).iter().filter(|other| seen.add(**other)));
            if found.len() > limit {
                let text = format!("More than {limit} codes are linked to '{code}' of '{url}'");
                return Err(members::too_costly(text));
            }
            at += 1;
        }
        Ok(found
            .into_iter()
            .map(|index| held.code(index).to_owned())
            .collect())
    }
}
