//! `$meta` on a type or on the whole server: the profiles, tags and security labels in use there
//! (<https://hl7.org/fhir/R4/resource-operation-meta.html>).
//!
//! They are found one resource after the other: each search asks for one that has something which is not known yet.
//!
//! Invariant: what only hidden resources have does not show: every search goes through the policy.

use fhir_model::json::Tree;

use super::meta::{LISTS, read, same};
use crate::engine::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::search::case;
use crate::search::registry::Registry;
use crate::store::{Criterion, Filter, ResourceType, SearchQuery, SystemTest, Test};

/// Profiles, tags and labels that are collected at most.
const MOST: usize = 500;

/// What is in use, each once, as the Meta of an answer.
pub(super) async fn meta(session: &Session, resource_type: Option<ResourceType>) -> Result<Vec<u8>> {
    let mut used = Used::default();
    loop {
        let query = SearchQuery::new(resource_type, used.filter(resource_type)?, 1);
        let found = session.search(query).await?;
        let Some(body) = found.first().and_then(|found| found.version.body.as_ref()) else {
            return Ok(used.json());
        };
        let before = used.count();
        used.add(&read(&body.json)?)?;
        if used.count() == before {
            return Err(Error::internal("an index of meta that a resource does not have"));
        }
        if used.count() > MOST {
            let text = format!("More than {MOST} profiles, tags and labels are in use: ask for one type.");
            return Err(Error::new(ErrorCode::TooCostly, text));
        }
    }
}

/// What is known so far, in the order of [`LISTS`]: JSON, and the test that finds it.
#[derive(Default)]
struct Used {
    lists: [Vec<(Vec<u8>, Test)>; LISTS.len()],
}

impl Used {
    fn count(&self) -> usize {
        self.lists.iter().map(Vec::len).sum()
    }

    /// Resources that have something else.
    fn filter(&self, resource_type: Option<ResourceType>) -> Result<Filter> {
        let mut any = Vec::new();
        for (name, known) in LISTS.iter().zip(&self.lists) {
            let code = format!("_{name}");
            let parameter = Registry::r4()
                .find(resource_type, &code)
                .ok_or_else(|| Error::internal(format!("no parameter {code}")))?;
            any.push(Filter::Has(Criterion {
                parameter: parameter.number,
                test: Test::NoneOf(known.iter().map(|(_, test)| test.clone()).collect()),
            }));
        }
        Ok(Filter::Or(any))
    }

    fn add(&mut self, resource: &Tree<'_>) -> Result<()> {
        let Some(meta) = resource.get("meta") else {
            return Ok(());
        };
        for (name, known) in LISTS.iter().zip(&mut self.lists) {
            for item in meta.get(name).map(Tree::items).unwrap_or_default() {
                let mut is_known = false;
                for (json, _) in known.iter() {
                    is_known |= same(&read(json)?, item);
                }
                if let Some(test) = test_of(item).filter(|_| !is_known) {
                    known.push((item.to_vec(), test));
                }
            }
        }
        Ok(())
    }

    fn json(&self) -> Vec<u8> {
        let lists = LISTS
            .iter()
            .zip(&self.lists)
            .filter(|(_, known)| !known.is_empty());
        let lists = lists.map(|(name, known)| {
            let items: Vec<_> = known
                .iter()
                .map(|(json, _)| String::from_utf8_lossy(json).into_owned())
                .collect();
            format!("\"{name}\":[{}]", items.join(","))
        });
        let lists: Vec<String> = lists.collect();
        format!("{{{}}}", lists.join(",")).into_bytes()
    }
}

/// What finds a profile, a tag or a label, as the index has it.
fn test_of(item: &Tree<'_>) -> Option<Test> {
    let text = |name: &str| item.get(name).and_then(|t| t.as_str().map(|t| t.into_owned()));
    if let Some(canonical) = item.as_str() {
        let whole = match canonical.split_once('#') {
            Some((whole, _)) if !whole.is_empty() => whole,
            _ => &*canonical,
        };
        let (uri, version) = whole.split_once('|').unwrap_or((whole, ""));
        let version = Some(version).filter(|version| !version.is_empty());
        return Some(Test::Uri {
            uri: uri.to_owned(),
            version: version.map(str::to_owned),
        });
    }
    let system = text("system");
    let code = text("code").unwrap_or_default();
    let spelling = case::spelling(system.as_deref(), &code).into_owned();
    matches!(item, Tree::Object(_)).then(|| Test::Token {
        system: system.map_or(SystemTest::Absent, SystemTest::Is),
        code: Some(vec![spelling]),
    })
}
