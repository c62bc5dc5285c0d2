//! The policy in every part of a query that looks at other resources: chains, `_has`, and includes.
//!
//! Invariant: a sub-select sees of a type only what the caller may find by searching that type; of a type that the caller may not search,
//! nothing. So every answer is what it would be if all the rest were not stored.

use super::Session;
use crate::error::Result;
use crate::interaction::Interaction;
use crate::store::{Filter, Link, LinkQuery, ResourceType, Version};

impl Session {
    /// The filter, with what the policy lets through ANDed into each part about resources of another type.
    pub(super) fn guard(&self, filter: Filter) -> Filter {
        let all = |filters: Vec<Filter>| filters.into_iter().map(|f| self.guard(f)).collect();
        match filter {
            Filter::And(filters) => Filter::And(all(filters)),
            Filter::Or(filters) => Filter::Or(all(filters)),
            Filter::Not(inner) => Filter::Not(Box::new(self.guard(*inner))),
            Filter::RefersTo {
                parameters,
                resource_type,
                filter,
            } => match self.guard(*filter).and(self.findable(resource_type)) {
                Filter::None => Filter::None,
                seen => Filter::RefersTo {
                    parameters,
                    resource_type,
                    filter: Box::new(seen),
                },
            },
            Filter::ReferredToBy {
                resource_type,
                parameter,
                filter,
            } => match self.guard(*filter).and(self.findable(resource_type)) {
                Filter::None => Filter::None,
                seen => Filter::ReferredToBy {
                    resource_type,
                    parameter,
                    filter: Box::new(seen),
                },
            },
            Filter::RefersByUrl {
                parameters,
                urls,
                resource_type,
                filter,
            } => match self.guard(*filter).and(self.findable(resource_type)) {
                Filter::None => Filter::None,
                seen => Filter::RefersByUrl {
                    parameters,
                    urls,
                    resource_type,
                    filter: Box::new(seen),
                },
            },
            Filter::ReferredToByUrl {
                resource_type,
                parameter,
                urls,
                filter,
            } => match self.guard(*filter).and(self.findable(resource_type)) {
                Filter::None => Filter::None,
                seen => Filter::ReferredToByUrl {
                    resource_type,
                    parameter,
                    urls,
                    filter: Box::new(seen),
                },
            },
            // What looks at the resource itself is behind the filter of the query.
            own @ (Filter::All
            | Filter::None
            | Filter::Types(_)
            | Filter::Ids(_)
            | Filter::Resource(_)
            | Filter::LastUpdated { .. }
            | Filter::Has(_)
            | Filter::Group(_)) => own,
        }
    }

    /// What the caller may find by searching a type; nothing where the policy denies it or cannot decide.
    fn findable(&self, resource_type: ResourceType) -> Filter {
        self.permit(Interaction::SearchType, Some(resource_type))
            .unwrap_or(Filter::None)
    }

    /// The resources that are linked to some, as far as the caller may find them by searching their type.
    ///
    /// # Errors
    /// Writes are staged and not committed, or the store failed.
    pub(crate) async fn linked(&self, mut query: LinkQuery) -> Result<Vec<Version>> {
        self.nothing_staged()?;
        let mut is_empty = false;
        query.link = match query.link {
            Link::Forward {
                parameters,
                urls,
                targets,
            } => {
                let targets = self.seen_of(targets);
                is_empty |= targets.is_empty();
                Link::Forward {
                    parameters,
                    urls,
                    targets,
                }
            }
            Link::Backward {
                parameters,
                urls,
                source,
                filter,
            } => {
                let filter = self.guard(filter).and(self.findable(source));
                is_empty |= filter == Filter::None;
                Link::Backward {
                    parameters,
                    urls,
                    source,
                    filter,
                }
            }
        };
        match is_empty {
            true => Ok(Vec::new()),
            false => self.snapshot().await?.linked(&query).await,
        }
    }

    /// The types of which anything can be seen, with what can.
    fn seen_of(&self, targets: Vec<(ResourceType, Filter)>) -> Vec<(ResourceType, Filter)> {
        let seen = targets.into_iter().map(|(resource_type, filter)| {
            (
                resource_type,
                self.guard(filter).and(self.findable(resource_type)),
            )
        });
        seen.filter(|(_, filter)| *filter != Filter::None).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::memory::MemoryStore;
    use super::super::{Engine, Settings};
    use super::*;
    use crate::context::{Context, Principal, SystemClock};
    use crate::policy::{Access, Decision, Policy};
    use crate::store::{Aspect, ParameterNumber};

    /// Lets some patients through, every organization, and denies all else.
    struct Some1;

    impl Policy for Some1 {
        fn decide(&self, _: &Context, access: &Access) -> Result<Decision> {
            Ok(match access.resource_type.map(ResourceType::name) {
                Some("Patient") => Decision::Permit { filter: seen() },
                Some("Organization") => Decision::Permit { filter: Filter::All },
                _ => Decision::Deny { reason: "no".into() },
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
        Engine::new(store, Arc::new(Some1), Settings::default())
            .session(Context::new(Principal::sandbox_clinician(), "r"))
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
            _ => true,
        }
    }

    #[test]
    fn the_policy_is_in_every_part_about_other_resources() {
        let session = session();
        for wrap in [refers_to, referred_to_by] {
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
                        Filter::And(vec![
                            asked(),
                            Filter::Not(Box::new(wrap(name, wrap("Patient", inner.clone())))),
                        ]),
                    ];
                    for filter in deep {
                        let guarded = session.guard(filter.clone());
                        assert!(is_guarded(&guarded), "{filter:?} became {guarded:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_type_that_may_not_be_searched_is_empty() {
        let session = session();
        assert_eq!(session.guard(refers_to("Observation", Filter::All)), Filter::None);
        let not = Filter::Not(Box::new(referred_to_by("Observation", Filter::All)));
        assert_eq!(session.guard(not), Filter::Not(Box::new(Filter::None)));
    }

    #[test]
    fn what_is_about_the_resource_itself_stays() {
        let own = Filter::And(vec![asked(), Filter::Not(Box::new(Filter::All))]);
        assert_eq!(session().guard(own.clone()), own);
    }
}
