//! The policy in every part of a query that looks at other resources: chains, `_has`, and includes.
//!
//! Invariant: a sub-select sees of a type only what the caller may find by searching that type; of a type that the caller may not search,
//! nothing. So every answer is what it would be if all the rest were not stored.

use std::collections::HashMap;

use fhir_model::definitions::SearchParamType;

use super::{Session, veil};
use crate::error::Result;
use crate::interaction::Interaction;
use crate::policy::Mask;
use crate::search::registry::Registry;
use crate::store::{ContainedQuery, Filter, Key, Link, LinkQuery, ParameterNumber, ResourceType, Version};

impl Session {
    /// The filter, with what the policy lets through ANDed into each part about resources of another type, and with what `masks`
    /// hide of the resources that it is about taken as absent.
    pub(super) fn guard(&self, filter: Filter, masks: &[Mask]) -> Filter {
        let all = |filters: Vec<Filter>| filters.into_iter().map(|f| self.guard(f, masks)).collect();
        match filter {
            Filter::And(filters) => Filter::And(all(filters)),
            Filter::Or(filters) => Filter::Or(all(filters)),
            Filter::Not(inner) => Filter::Not(Box::new(self.guard(*inner, masks))),
            Filter::RefersTo {
                parameters,
                resource_type,
                filter,
            } => {
                let seen = self.seen_of(resource_type, *filter);
                if seen == Filter::None {
                    return Filter::None;
                }
                let refers = |parameters: Vec<ParameterNumber>| match parameters.is_empty() {
                    true => Filter::None,
                    false => Filter::RefersTo {
                        parameters,
                        resource_type,
                        filter: Box::new(seen.clone()),
                    },
                };
                let (open, hidden) = veil::split(parameters, masks);
                let behind = veil::veil(refers(hidden.clone()), &hidden, masks);
                refers(open).or(behind)
            }
            Filter::ReferredToBy {
                resource_type,
                parameter,
                filter,
            } => {
                let theirs = self.masks_of(resource_type);
                let seen = self.seen_of(resource_type, *filter);
                match veil::veil(seen, &[parameter], &theirs) {
                    Filter::None => Filter::None,
                    seen => Filter::ReferredToBy {
                        resource_type,
                        parameter,
                        filter: Box::new(seen),
                    },
                }
            }
            Filter::RefersByUrl {
                parameters,
                urls,
                resource_type,
                filter,
            } => {
                let theirs = self.masks_of(resource_type);
                let seen = veil::veil(self.seen_of(resource_type, *filter), &urls, &theirs);
                let refers = |parameters: Vec<ParameterNumber>| match (parameters.is_empty(), &seen) {
                    (true, _) | (_, Filter::None) => Filter::None,
                    _ => Filter::RefersByUrl {
                        parameters,
                        urls: urls.clone(),
                        resource_type,
                        filter: Box::new(seen.clone()),
                    },
                };
                let (open, hidden) = veil::split(parameters, masks);
                let behind = veil::veil(refers(hidden.clone()), &hidden, masks);
                refers(open).or(behind)
            }
            Filter::ReferredToByUrl {
                resource_type,
                parameter,
                urls,
                filter,
            } => {
                let theirs = self.masks_of(resource_type);
                let seen = veil::veil(self.seen_of(resource_type, *filter), &[parameter], &theirs);
                match seen {
                    Filter::None => Filter::None,
                    seen => veil::veil(
                        Filter::ReferredToByUrl {
                            resource_type,
                            parameter,
                            urls: urls.clone(),
                            filter: Box::new(seen),
                        },
                        &urls,
                        masks,
                    ),
                }
            }
            Filter::Has(criterion) => {
                let parameter = criterion.parameter;
                veil::veil(Filter::Has(criterion), &[parameter], masks)
            }
            Filter::Group(parts) => {
                let parameters: Vec<_> = parts.iter().map(|part| part.parameter).collect();
                veil::veil(Filter::Group(parts), &parameters, masks)
            }
            // Of whatever parameter: some of them may be masked.
            any @ Filter::Any(_) => unmasked(any, masks),
            // What is contained is seen with its container, which is behind the filter of the query; what it refers to is not. Which parts of it
            // a mask of the container hides is not known apart.
            Filter::Contains {
                resource_type,
                filter,
            } => unmasked(
                Filter::Contains {
                    resource_type,
                    filter: Box::new(self.guard(*filter, &[])),
                },
                masks,
            ),
            Filter::RefersInside {
                parameters,
                resource_type,
                filter,
            } => unmasked(
                Filter::RefersInside {
                    parameters,
                    resource_type,
                    filter: Box::new(self.guard(*filter, &[])),
                },
                masks,
            ),
            // Words are of all elements.
            words @ Filter::Words { .. } => unmasked(words, masks),
            // What looks at the resource itself is behind the filter of the query.
            own @ (Filter::All
            | Filter::None
            | Filter::Types(_)
            | Filter::Ids(_)
            | Filter::Resource(_)
            | Filter::LastUpdated { .. }) => own,
        }
    }

    /// What of a type passes the filter of a sub-select and may be found by searching the type.
    fn seen_of(&self, resource_type: ResourceType, filter: Filter) -> Filter {
        let masks = self.masks_of(resource_type);
        self.guard(filter, &masks).and(self.findable(resource_type))
    }

    /// What the caller may find by searching a type; nothing where the policy denies it or cannot decide.
    pub(super) fn findable(&self, resource_type: ResourceType) -> Filter {
        self.permit(Interaction::SearchType, Some(resource_type))
            .unwrap_or(Filter::None)
    }

    /// The resources that are linked to some, as far as the caller may find them by searching their type.
    ///
    /// # Errors
    /// Writes are staged and not committed, or the store failed.
    pub(crate) async fn linked(&self, query: LinkQuery) -> Result<Vec<Version>> {
        self.nothing_staged()?;
        self.prepare().await?;
        let LinkQuery { from, link, count } = query;
        match link {
            Link::Forward {
                parameters,
                urls,
                targets,
            } => {
                let seen = targets.into_iter().filter_map(|(resource_type, filter)| {
                    let filter = self.seen_of(resource_type, filter);
                    (filter != Filter::None).then_some((resource_type, filter))
                });
                let targets: Vec<_> = seen.collect();
                self.linked_forward(from, (parameters, urls, targets), count)
                    .await
            }
            Link::Backward {
                parameters,
                urls,
                source,
                filter,
            } => {
                let masks = self.masks_of(source);
                let (open, hidden) = veil::split(parameters, &masks);
                let seen = self.seen_of(source, filter);
                let mut found = Vec::new();
                for parameters in [open, hidden] {
                    let filter = veil::veil(seen.clone(), &parameters, &masks);
                    if parameters.is_empty() || filter == Filter::None {
                        continue;
                    }
                    let link = Link::Backward {
                        parameters,
                        urls: urls.clone(),
                        source,
                        filter,
                    };
                    found.push(LinkQuery::new(from.clone(), link, count));
                }
                self.all_linked(found, count).await
            }
        }
    }

    /// What some resources contain that passes, as far as the caller may find the containers by searching everything: the place of the
    /// container, and the id within it.
    ///
    /// # Errors
    /// The policy denies it, writes are staged and not committed, or the store failed.
    pub(crate) async fn contained(&self, mut query: ContainedQuery) -> Result<Vec<(usize, String)>> {
        self.nothing_staged()?;
        self.prepare().await?;
        let seen = self.permitted(Interaction::SearchSystem, None)?;
        query.visible = unmasked(query.visible, &seen.masks).and(seen.filter.clone());
        query.filter = self.guard(query.filter, &[]);
        self.snapshot().await?.contained(&query).await
    }

    /// What resources refer to; of those that a mask covers, not by what it hides.
    async fn linked_forward(
        &self,
        from: Vec<Key>,
        (parameters, urls, targets): (
            Vec<ParameterNumber>,
            Vec<ParameterNumber>,
            Vec<(ResourceType, Filter)>,
        ),
        count: usize,
    ) -> Result<Vec<Version>> {
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let mut types: Vec<ResourceType> = from.iter().map(|key| key.resource_type).collect();
        types.sort_unstable();
        types.dedup();
        let masks: Vec<Mask> = types.into_iter().flat_map(|t| self.masks_of(t)).collect();
        let mut behind = HashMap::new();
        for mask in &masks {
            for key in self.covered(mask, &from).await? {
                behind.entry(key).or_insert_with(Vec::new).push(mask);
            }
        }
        let (covered, open): (Vec<Key>, Vec<Key>) =
            from.into_iter().partition(|key| behind.contains_key(key));
        let query = |from: Vec<Key>, parameters: Vec<ParameterNumber>| {
            let link = Link::Forward {
                parameters,
                urls: urls.clone(),
                targets: targets.clone(),
            };
            LinkQuery::new(from, link, count)
        };
        let mut queries = Vec::new();
        if !open.is_empty() {
            queries.push(query(open, parameters.clone()));
        }
        for key in covered {
            let hiding = behind.remove(&key).unwrap_or_default();
            let of_type = || {
                let all = Registry::r4().of(key.resource_type);
                all.filter(|p| p.kind == SearchParamType::Reference && p.is_indexed())
                    .map(|p| p.number)
                    .collect()
            };
            let mut left = if parameters.is_empty() {
                of_type()
            } else {
                parameters.clone()
            };
            left.retain(|parameter| !hiding.iter().any(|mask| mask.hides(*parameter)));
            if !left.is_empty() {
                queries.push(query(vec![key], left));
            }
        }
        self.all_linked(queries, count).await
    }

    /// What several queries for links find, each once, newest change first.
    async fn all_linked(&self, queries: Vec<LinkQuery>, count: usize) -> Result<Vec<Version>> {
        let mut found: Vec<Version> = Vec::new();
        let several = queries.len() > 1;
        for query in queries {
            found.extend(self.snapshot().await?.linked(&query).await?);
        }
        if several {
            found.sort_by_key(|version| std::cmp::Reverse(version.stamp));
            found.dedup_by_key(|version| version.stamp);
            found.truncate(count);
        }
        self.has_seen(&found);
        for version in &mut found {
            let masks = self.masks_of(version.key.resource_type);
            veil::mask(version, &masks)?;
        }
        self.hush(&mut found).await?;
        Ok(found)
    }
}

/// The filter for resources that no mask covers.
fn unmasked(filter: Filter, masks: &[Mask]) -> Filter {
    let uncovered = |filter: Filter, mask: &Mask| filter.and(mask.rows().not());
    masks.iter().fold(filter, uncovered)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::memory::MemoryStore;
    use super::super::{Engine, Settings};
    use super::*;
    use crate::context::{Context, Principal, SystemClock};
    use crate::policy::{Access, Decision, Policy};
    use crate::store::Aspect;

    /// Lets some patients through, every organization, and denies all else.
    struct Some1;

    impl Policy for Some1 {
        fn decide(&self, _: &Context, access: &Access<'_>) -> Result<Decision> {
            Ok(match access.resource_type.map(ResourceType::name) {
                Some("Patient") => Decision::permit(seen()),
                Some("Organization") => Decision::permit(Filter::All),
                _ => Decision::deny("no"),
            })
        }
    }

    fn seen() -> Filter {
        Filter::Ids(vec!["seen".into()])
    }

    fn asked() -> Filter {
        Filter::Ids(vec!["asked".into()])
    }

    fn session() -> Session {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let session = Engine::new(store, Arc::new(Some1), Settings::default())
            .session(Context::new(Principal::sandbox_clinician(), "r"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(session.prepare()).unwrap();
        session
    }

    fn refers_to(name: &str, filter: Filter) -> Filter {
        Filter::RefersTo {
            parameters: vec![ParameterNumber::new(1, Aspect::Value)],
            resource_type: ResourceType::from_name(name).unwrap(),
            filter: Box::new(filter),
        }
    }

    fn referred_to_by(name: &str, filter: Filter) -> Filter {
        Filter::ReferredToBy {
            parameter: ParameterNumber::new(1, Aspect::Value),
            resource_type: ResourceType::from_name(name).unwrap(),
            filter: Box::new(filter),
        }
    }

    fn by_url(name: &str, filter: Filter) -> Filter {
        Filter::RefersByUrl {
            parameters: vec![ParameterNumber::new(1, Aspect::Value)],
            urls: vec![ParameterNumber::new(2, Aspect::Value)],
            resource_type: ResourceType::from_name(name).unwrap(),
            filter: Box::new(filter),
        }
    }

    fn back_by_url(name: &str, filter: Filter) -> Filter {
        Filter::ReferredToByUrl {
            parameter: ParameterNumber::new(1, Aspect::Value),
            urls: vec![ParameterNumber::new(2, Aspect::Value)],
            resource_type: ResourceType::from_name(name).unwrap(),
            filter: Box::new(filter),
        }
    }

    /// Every part about other resources ends with what may be seen of them.
    fn is_guarded(filter: &Filter) -> bool {
        match filter {
            Filter::And(all) | Filter::Or(all) => all.iter().all(is_guarded),
            Filter::Not(inner) => is_guarded(inner),
            Filter::RefersTo {
                resource_type,
                filter,
                ..
            }
            | Filter::ReferredToBy {
                resource_type,
                filter,
                ..
            }
            | Filter::RefersByUrl {
                resource_type,
                filter,
                ..
            }
            | Filter::ReferredToByUrl {
                resource_type,
                filter,
                ..
            } => {
                let ends = match resource_type.name() {
                    "Organization" => true,
                    "Patient" => match filter.as_ref() {
                        Filter::And(all) => all.contains(&seen()),
                        one => *one == seen(),
                    },
                    _ => false,
                };
                ends && is_guarded(filter)
            }
            Filter::Contains { filter, .. } | Filter::RefersInside { filter, .. } => is_guarded(filter),
            _ => true,
        }
    }

    #[test]
    fn the_policy_is_in_every_part_about_other_resources() {
        let session = session();
        for wrap in [refers_to, referred_to_by, by_url, back_by_url] {
            for inner in [
                Filter::All,
                asked(),
                refers_to("Patient", asked()),
                referred_to_by("Organization", asked()),
            ] {
                for name in ["Patient", "Organization", "Observation"] {
                    let deep = [
                        wrap(name, inner.clone()),
                        Filter::Not(Box::new(wrap(name, inner.clone()))),
                        Filter::Or(vec![asked(), wrap(name, inner.clone())]),
                        Filter::Contains {
                            resource_type: ResourceType::from_name("Patient").unwrap(),
                            filter: Box::new(wrap(name, inner.clone())),
                        },
                        Filter::RefersInside {
                            parameters: Vec::new(),
                            resource_type: ResourceType::from_name("Patient").unwrap(),
                            filter: Box::new(wrap(name, inner.clone())),
                        },
                        Filter::And(vec![
                            asked(),
                            Filter::Not(Box::new(wrap(name, wrap("Patient", inner.clone())))),
                        ]),
                    ];
                    for filter in deep {
                        let guarded = session.guard(filter.clone(), &[]);
                        assert!(is_guarded(&guarded), "{filter:?} became {guarded:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_type_that_may_not_be_searched_is_empty() {
        let session = session();
        assert_eq!(
            session.guard(refers_to("Observation", Filter::All), &[]),
            Filter::None
        );
        let not = Filter::Not(Box::new(referred_to_by("Observation", Filter::All)));
        assert_eq!(session.guard(not, &[]), Filter::Not(Box::new(Filter::None)));
    }

    #[test]
    fn what_is_about_the_resource_itself_stays() {
        let own = Filter::And(vec![asked(), Filter::Not(Box::new(Filter::All))]);
        assert_eq!(session().guard(own.clone(), &[]), own);
    }
}
