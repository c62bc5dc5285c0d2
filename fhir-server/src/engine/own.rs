//! Whether a resource that is not stored yet lies within what the caller may write.
//!
//! Invariant: what a filter cannot tell, it does not let through, also where it stands behind a `Not`.
//! Invariant: what is found in other resources is an expectation of the commit.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::Session;
use super::conditions::{self, Reason};
use crate::error::Result;
use crate::policy::Access;
use crate::store::{Expect, Filter, Index, IndexValue, Key, ParameterNumber, ResourceType, SearchQuery};

/// What is to be written, and what its admission rests on.
struct Content<'c> {
    key: &'c Key,
    index: &'c Index,
    expects: Vec<(Expect, Reason)>,
}

impl Session {
    /// Refuses what lies outside; gives what the commit has to find unchanged.
    ///
    /// # Errors
    /// It lies outside, the policy denies it, or the store failed.
    pub(super) async fn check_own(
        &self,
        access: &Access<'_>,
        key: &Key,
        index: &Index,
    ) -> Result<Vec<(Expect, Reason)>> {
        let filter = self.permit_access(&access.of_content())?;
        let mut content = Content {
            key,
            index,
            expects: Vec::new(),
        };
        match self.lets(&filter, &mut content).await? {
            true => Ok(content.expects),
            false => Err(conditions::outside(&key.to_string())),
        }
    }

    /// Whether the filter lets the content through.
    fn lets<'a>(&'a self, filter: &'a Filter, content: &'a mut Content<'_>) -> BoxFuture<'a, Result<bool>> {
        async move {
            Ok(match filter {
                Filter::And(all) => {
                    for one in all {
                        if !self.lets(one, content).await? {
                            return Ok(false);
                        }
                    }
                    true
                }
                Filter::Or(any) => {
                    for one in any {
                        if self.lets(one, content).await? {
                            return Ok(true);
                        }
                    }
                    false
                }
                Filter::Not(inner) => !self.lets(inner, content).await?,
                Filter::RefersTo {
                    parameters,
                    resource_type,
                    filter,
                } => self.refers(content, (parameters, *resource_type), filter).await?,
                // Who refers to it refers to what is stored under its id.
                Filter::ReferredToBy { .. } => {
                    let same = Filter::Resource(content.key.clone()).and(filter.clone());
                    self.expect_found(content, content.key.resource_type, same, 1)
                        .await?
                }
                own => own.admits_rows(content.key, self.now(), content.index),
            })
        }
        .boxed()
    }

    /// Whether the content refers, by one of the parameters, to a stored resource that the filter lets through.
    async fn refers(
        &self,
        content: &mut Content<'_>,
        (parameters, resource_type): (&[ParameterNumber], ResourceType),
        filter: &Filter,
    ) -> Result<bool> {
        let mut ids: Vec<String> = Vec::new();
        for row in content.index.rows() {
            match &row.value {
                IndexValue::Reference {
                    resource_type: of,
                    id,
                    ..
                } if parameters.contains(&row.parameter) && *of == resource_type => ids.push(id.clone()),
                _ => {}
            }
        }
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(false);
        }
        let count = ids.len();
        let found = Filter::Ids(ids).and(filter.clone());
        self.expect_found(content, resource_type, found, count).await
    }

    /// Whether anything is found, and the expectation that it stays so.
    async fn expect_found(
        &self,
        content: &mut Content<'_>,
        resource_type: ResourceType,
        filter: Filter,
        count: usize,
    ) -> Result<bool> {
        let query = SearchQuery::new(Some(resource_type), filter.clone(), count);
        let found = self.snapshot().await?.search(&query).await?;
        let ids: Vec<String> = found.into_iter().map(|found| found.version.key.id).collect();
        let any = !ids.is_empty();
        let expect = Expect::Matches {
            resource_type,
            filter,
            ids,
        };
        content.expects.push((expect, Reason::Own));
        Ok(any)
    }
}
