//! The resources that `_include` and `_revinclude` add to a page (<https://hl7.org/fhir/R4/search.html#revinclude>), each once, within
//! limits of number and rounds; what goes beyond is said.

use std::collections::HashSet;

use super::asked::Asked;
use super::include::{Direction, Include};
use crate::engine::Session;
use crate::error::Result;
use crate::store::{Filter, Found, Key, Link, LinkQuery, ParameterNumber, ResourceType, Version};

/// What the includes add to those matches.
pub(super) async fn resources(
    session: &Session,
    asked: &mut Asked,
    matches: &[Found],
) -> Result<Vec<Version>> {
    if asked.includes.is_empty() || matches.is_empty() {
        return Ok(Vec::new());
    }
    let limits = &session.settings().search;
    let mut adding = Adding {
        session,
        known: matches.iter().map(|found| found.version.key.clone()).collect(),
        added: Vec::new(),
        limit: limits.included,
        is_full: false,
    };
    let mut from: Vec<Key> = matches.iter().map(|found| found.version.key.clone()).collect();
    let includes = std::mem::take(&mut asked.includes);
    // The round of the matches, then those of `:iterate`.
    for round in 0..=limits.iterations {
        let begin = adding.added.len();
        for include in includes.iter().filter(|i| round == 0 || i.iterate) {
            adding.follow(include, &from).await?;
        }
        from = adding.added.iter().skip(begin).map(|v| v.key.clone()).collect();
        if adding.is_full || from.is_empty() || !includes.iter().any(|i| i.iterate) {
            break;
        }
        if round == limits.iterations && adding.goes_on(&includes, &from).await? {
            asked.warn(format!(
                ":iterate is followed {} times; what lies further is not included.",
                limits.iterations
            ));
        }
    }
    if adding.is_full {
        asked.warn(format!(
            "More than {} resources would be included; the others are left out: ask for fewer matches with _count.",
            limits.included
        ));
    }
    Ok(adding.added)
}

/// Resources being added.
struct Adding<'s> {
    session: &'s Session,
    known: HashSet<Key>,
    added: Vec<Version>,
    limit: usize,
    is_full: bool,
}

impl Adding<'_> {
    /// Whether one more round would add anything.
    async fn goes_on(&self, includes: &[Include], from: &[Key]) -> Result<bool> {
        for include in includes.iter().filter(|i| i.iterate) {
            let from = include.starts(from);
            if from.is_empty() {
                continue;
            }
            // One more than are known leads to one that is not.
            let count = self.known.len().saturating_add(1);
            for link in include.links() {
                let query = LinkQuery::new(from.clone(), link, count);
                let found = self.session.linked(query).await?;
                if found.iter().any(|version| !self.known.contains(&version.key)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Adds what one include leads to from those resources.
    async fn follow(&mut self, include: &Include, from: &[Key]) -> Result<()> {
        let from = include.starts(from);
        if self.is_full || from.is_empty() {
            return Ok(());
        }
        // Those that are known already count among the rows too.
        let count = self.limit.saturating_add(self.known.len()).saturating_add(1);
        for link in include.links() {
            let query = LinkQuery::new(from.clone(), link, count);
            for version in self.session.linked(query).await? {
                if !self.known.insert(version.key.clone()) {
                    continue;
                }
                if self.added.len() == self.limit {
                    self.is_full = true;
                    return Ok(());
                }
                self.added.push(version);
            }
        }
        Ok(())
    }
}

impl Include {
    /// The resources among those that it can start from.
    fn starts(&self, from: &[Key]) -> Vec<Key> {
        let starts = |key: &&Key| match self.direction {
            Direction::Forward => self.source.is_none_or(|source| source == key.resource_type),
            Direction::Backward => self.targets.is_empty() || self.targets.contains(&key.resource_type),
        };
        from.iter().filter(starts).cloned().collect()
    }

    /// What it follows: references by id, and those by canonical URL where there may be any.
    fn links(&self) -> impl Iterator<Item = Link> {
        let by_url = !self.canonicals.is_empty() && !self.urls.is_empty();
        let by_url = by_url.then(|| self.link(&self.canonicals, &self.urls));
        std::iter::once(self.link(&self.parameters, &[])).chain(by_url)
    }

    fn link(&self, parameters: &[ParameterNumber], urls: &[ParameterNumber]) -> Link {
        let everything = |resource_type: ResourceType| (resource_type, Filter::All);
        let (parameters, urls) = (parameters.to_vec(), urls.to_vec());
        match (self.direction, self.source) {
            (Direction::Backward, Some(source)) => Link::Backward {
                parameters,
                urls,
                source,
                filter: Filter::All,
            },
            _ => Link::Forward {
                parameters,
                urls,
                targets: match self.targets.is_empty() {
                    true => ResourceType::all().map(everything).collect(),
                    false => self.targets.iter().copied().map(everything).collect(),
                },
            },
        }
    }
}
