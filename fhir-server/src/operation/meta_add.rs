//! `$meta-add`: adds profiles, tags and security labels to a resource
//! (<https://hl7.org/fhir/R4/resource-operation-meta-add.html>). What is there already stays as it is.
//!
//! It makes a new version where it adds anything: who labelled a resource, and when, is part of its history.

use fhir_model::OperationDefinition;
use fhir_model::json::Tree;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::meta::{definition, given, same, stage};
use super::{Call, Done, Operation};
use crate::engine::Session;
use crate::error::Result;

/// `$meta-add`
pub(super) struct MetaAdd;

impl Operation for MetaAdd {
    fn code(&self) -> &'static str {
        "meta-add"
    }

    fn definition(&self) -> OperationDefinition {
        let url = "http://hl7.org/fhir/OperationDefinition/Resource-meta-add";
        OperationDefinition {
            description: "Adds profiles, tags and security labels to a resource.".into(),
            affects_state: true.into(),
            ..definition(
                "MetaAdd",
                url,
                vec![given("What to add: profile, security and tag.")],
            )
        }
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        stage(session, call, add).boxed()
    }
}

fn add(meta: &mut Tree<'_>, list: &str, item: &Tree<'_>) {
    if meta.get(list).is_none() {
        meta.set(list, Tree::Array(Vec::new()));
    }
    let length = meta.get(list).map_or(0, |list| list.items().len());
    if let Some(Tree::Array(items)) = meta.get_mut(list)
        && !items.iter().any(|known| same(known, item))
    {
        items.push(item.to_owned_tree());
        // The extensions of a list of primitives stand in a list of their own, which is as long.
        if let Some(Tree::Array(extras)) = meta.get_mut(&format!("_{list}"))
            && extras.len() == length
        {
            extras.push(Tree::null());
        }
    }
}
