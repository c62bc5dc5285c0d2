//! `$meta-delete`: takes profiles, tags and security labels off a resource
//! (<https://hl7.org/fhir/R4/resource-operation-meta-delete.html>). What is not there needs no taking off.

use fhir_model::OperationDefinition;
use fhir_model::json::Tree;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::meta::{definition, given, same, stage};
use super::{Call, Done, Operation};
use crate::engine::Session;
use crate::error::Result;

/// `$meta-delete`
pub(super) struct MetaDelete;

impl Operation for MetaDelete {
    fn code(&self) -> &'static str {
        "meta-delete"
    }

    fn definition(&self) -> OperationDefinition {
        let url = "http://hl7.org/fhir/OperationDefinition/Resource-meta-delete";
        let words = "What to take off: profile by its URL, security and tag by system and code.";
        OperationDefinition {
            description: "Takes profiles, tags and security labels off a resource.".into(),
            affects_state: true.into(),
            ..definition("MetaDelete", url, vec![given(words)])
        }
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        stage(session, call, delete).boxed()
    }
}

fn delete(meta: &mut Tree<'_>, list: &str, item: &Tree<'_>) {
    let extras = format!("_{list}");
    while let Some(at) = meta
        .get(list)
        .and_then(|list| list.items().iter().position(|known| same(known, item)))
    {
        for name in [list, &extras] {
            if let Some(Tree::Array(items)) = meta.get_mut(name)
                && at < items.len()
            {
                items.remove(at);
            }
        }
    }
    for name in [list, &extras] {
        if meta
            .get(name)
            .is_some_and(|list| list.items().iter().all(Tree::is_null))
        {
            meta.remove(name);
        }
    }
}
