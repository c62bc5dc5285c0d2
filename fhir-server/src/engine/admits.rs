//! What a filter says of a resource that is not stored yet, or not in a database.

use crate::context::Millis;
use crate::store::{Filter, Key};

impl Filter {
    /// Whether it lets through a resource of that key, changed at that time.
    pub(crate) fn admits(&self, key: &Key, last_updated: Millis) -> bool {
        match self {
            Filter::All => true,
            Filter::None => false,
            Filter::And(all) => all.iter().all(|f| f.admits(key, last_updated)),
            Filter::Or(any) => any.iter().any(|f| f.admits(key, last_updated)),
            Filter::Not(not) => !not.admits(key, last_updated),
            Filter::Types(types) => types.contains(&key.resource_type),
            Filter::Ids(ids) => ids.contains(&key.id),
            Filter::Resource(one) => one == key,
            Filter::LastUpdated { from, to } => {
                from.is_none_or(|from| from <= last_updated) && to.is_none_or(|to| last_updated <= to)
            }
            // What is not stored has no rows and no links yet.
            Filter::Has(_) | Filter::Group(_) | Filter::RefersTo { .. } | Filter::ReferredToBy { .. } => {
                false
            }
        }
    }
}
