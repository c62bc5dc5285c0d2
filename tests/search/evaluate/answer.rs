//! What a whole query must answer: total, and each page with its matches in order and what is included.

use std::collections::BTreeSet;

use fhir_model::definitions::{SearchParamType, compartment, search_parameters_of};

use super::{World, parameter, reference};
use crate::query::{Include, Place, Query};

/// Matches of a page where nothing is said.
const PAGE: usize = 50;
/// Rounds of `:iterate`.
const ROUNDS: usize = 3;

/// Stands among what is included where `:iterate` would lead on and is not followed.
pub(crate) const GOES_ON: &str = ":iterate goes on";

/// What must come back.
#[derive(Debug, PartialEq)]
pub(crate) struct Expected {
    pub(crate) total: Option<usize>,
    /// Matches in order, and what is included in no order.
    pub(crate) pages: Vec<(Vec<String>, BTreeSet<String>)>,
}

impl World {
    pub(crate) fn answer(&self, query: &Query) -> Expected {
        let passes = |at: &usize| {
            self.is_there(*at, &query.place) && query.criteria.iter().all(|c| self.passes(*at, c))
        };
        let matches: Vec<usize> = (0..self.held.len()).filter(passes).collect();
        let total = Some(matches.len());
        if query.counts_only || query.count == Some(0) {
            return Expected {
                total,
                pages: vec![(Vec::new(), BTreeSet::new())],
            };
        }
        let ordered = self.ordered(matches, &query.sort);
        let mut pages: Vec<_> = ordered
            .chunks(query.count.unwrap_or(PAGE))
            .map(|page| self.page(page, query))
            .collect();
        if pages.is_empty() {
            pages.push((Vec::new(), BTreeSet::new()));
        }
        Expected {
            total: total.filter(|_| query.total != Some("none")),
            pages,
        }
    }

    fn page(&self, matches: &[usize], query: &Query) -> (Vec<String>, BTreeSet<String>) {
        let key = |at: &usize| self.held[*at].key();
        let (added, goes_on) = self.included(matches, &query.includes);
        let mut included: BTreeSet<String> = added.iter().map(key).collect();
        included.extend(goes_on.then(|| GOES_ON.to_owned()));
        (matches.iter().map(key).collect(), included)
    }

    fn is_there(&self, at: usize, place: &Place) -> bool {
        let kind = &self.held[at].kind;
        match place {
            Place::Type(only) => kind == only,
            Place::Types(kinds) => kinds.is_empty() || kinds.contains(kind),
            Place::Compartment(centre, only) => {
                only.as_ref().is_none_or(|only| kind == only) && self.is_member(at, centre)
            }
        }
    }

    /// Whether a resource is the centre of a compartment or refers to it as the compartment's definition says.
    fn is_member(&self, at: usize, centre: &str) -> bool {
        let (kind, id) = centre.split_once('/').unwrap();
        let held = &self.held[at];
        let codes = compartment(kind).unwrap().params(&held.kind);
        let parameters = codes.iter().filter_map(|code| parameter(&held.kind, code));
        held.key() == centre
            || parameters
                .into_iter()
                .any(|parameter| self.refers(parameter, at, kind, id))
    }

    /// What the includes add to a page, and whether a further round of `:iterate` would add more.
    fn included(&self, matches: &[usize], includes: &[Include]) -> (BTreeSet<usize>, bool) {
        let mut known: BTreeSet<usize> = matches.iter().copied().collect();
        let mut from: Vec<usize> = matches.to_vec();
        for round in 0.. {
            let followed = includes.iter().filter(|include| round == 0 || include.iterate);
            let added: BTreeSet<usize> = followed
                .flat_map(|include| from.iter().flat_map(|at| self.follow(*at, include)))
                .filter(|at| !known.contains(at))
                .collect();
            if added.is_empty() || round > ROUNDS {
                let included = known.into_iter().filter(|at| !matches.contains(at));
                return (included.collect(), !added.is_empty());
            }
            known.extend(&added);
            from = added.into_iter().collect();
        }
        unreachable!("rounds end")
    }

    /// The resources that an include leads to from one.
    fn follow(&self, at: usize, include: &Include) -> Vec<usize> {
        let held = &self.held[at];
        if !include.is_back {
            return match include.source.as_ref().is_none_or(|source| *source == held.kind) {
                true => self.led_to(at, include),
                false => Vec::new(),
            };
        }
        let sources =
            (0..self.held.len()).filter(|from| include.source.as_ref() == Some(&self.held[*from].kind));
        let to_here = sources.filter(|from| self.led_to(*from, include).contains(&at));
        to_here.collect()
    }

    /// The resources that one refers to by the parameters of an include.
    fn led_to(&self, at: usize, include: &Include) -> Vec<usize> {
        let links = search_parameters_of(&self.held[at].kind).filter(|p| {
            p.type_ == SearchParamType::Reference && (include.code == "*" || include.code == p.code)
        });
        let mut found = Vec::new();
        for parameter in links {
            let targets = self.values(parameter, at);
            for (kind, id) in targets.iter().filter_map(reference::target) {
                let is_wanted = include.target.as_ref().is_none_or(|target| *target == kind);
                let may_be = parameter.target.is_empty() || parameter.target.contains(&kind.as_str());
                found.extend(self.find(&kind, &id).filter(|_| is_wanted && may_be));
            }
        }
        found
    }
}
