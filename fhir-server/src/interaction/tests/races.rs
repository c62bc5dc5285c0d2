//! Writes that lose a race: another comes between what they looked at and their commit. They are done as if they came after it.

use std::sync::Mutex;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use super::patches::{replace, server};
use super::*;
use crate::context::TenantId;
use crate::policy::{Access, Decision, Mask};
use crate::store::{Commit, Filter, Key, Outcome, Refusal, ResourceType, Snapshot, Write};

/// What comes between.
enum Other {
    /// Something that the last expectation of the commit depends on.
    Anything,
    /// That write.
    Wrote(Write),
}

/// A store in which others come between, one before each commit, the last of them first.
struct Contended {
    inner: Arc<dyn Store>,
    others: Mutex<Vec<Other>>,
}

impl Store for Contended {
    fn snapshot(&self, tenant: TenantId) -> BoxFuture<'_, Result<Box<dyn Snapshot>, Error>> {
        self.inner.snapshot(tenant)
    }
    fn commit(&self, tenant: TenantId, commit: Commit) -> BoxFuture<'_, Result<Vec<Outcome>, Refusal>> {
        match self.others.lock().unwrap().pop() {
            None => self.inner.commit(tenant, commit),
            Some(Other::Anything) => ready(Err(Refusal::Expectation {
                index: commit.expects.len() - 1,
                current: Some(9),
            }))
            .boxed(),
            Some(Other::Wrote(write)) => {
                let other = Commit {
                    writes: vec![write],
                    ..Commit::default()
                };
                let other = self.inner.commit(tenant, other);
                async move {
                    other.await?;
                    self.inner.commit(tenant, commit).await
                }
                .boxed()
            }
        }
    }
    fn unindexed(&self) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>, Error>> {
        self.inner.unindexed()
    }
    fn audited(&self) -> BoxFuture<'_, Result<Vec<TenantId>, Error>> {
        self.inner.audited()
    }
    fn full_text(&self) -> BoxFuture<'_, Result<bool, Error>> {
        self.inner.full_text()
    }
    fn defining(&self, of: ResourceType) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>, Error>> {
        self.inner.defining(of)
    }
    fn secret(&self) -> [u8; 32] {
        self.inner.secret()
    }
    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.inner.ready()
    }
    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}

/// A server over the same data, where those come between.
fn contended(
    calm: &TestServer,
    others: Vec<Other>,
    settings: Settings,
    policy: Arc<dyn Policy>,
) -> TestServer {
    let store = Contended {
        inner: calm.store.clone(),
        others: Mutex::new(others),
    };
    TestServer::over(Arc::new(store), calm.clock.clone(), settings, policy)
}

#[test]
fn a_patch_is_applied_again_only_where_no_version_was_named() {
    let sent = |times: usize, patch: &Request| {
        let others = (0..times).map(|_| Other::Anything).collect();
        contended(&server(), others, Settings::default(), Arc::new(PermitAll)).send(patch)
    };
    let mut patch = replace("/status", "\"amended\"");
    assert_eq!(sent(5, &patch).unwrap().version, Some(2));
    assert_eq!(told(sent(1000, &patch)), (409, "conflict", String::new()));
    patch.if_match = versions(&["1"]);
    assert_eq!(told(sent(1, &patch)).0, 409);
    patch.if_match = Some(EntityTags::Any);
    assert_eq!(sent(1, &patch).unwrap().version, Some(2));
}

/// Hides what has one id, and where patients with a label are.
struct HidesSome;

impl Policy for HidesSome {
    fn decide(&self, _: &Context, _: &Access<'_>) -> Result<Decision, Error> {
        let patient = ResourceType::from_name("Patient").unwrap();
        let label = [("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R")];
        let seen = Filter::Not(Box::new(Filter::Ids(vec!["hidden".into()])));
        Ok(Decision::permit(seen).with_mask(Mask::new(patient, &label, &["address"])))
    }
}

/// What a request for `Patient/p` answers where somebody deletes it between its look and its commit.
fn beside_a_deletion(client_ids: bool, request: &Request) -> (u16, String) {
    let calm = TestServer::lenient();
    calm.put("Patient/p", &PATIENT.replacen('{', r#"{"id":"p","#, 1))
        .unwrap();
    let settings = Settings {
        update_as_create: true,
        client_ids,
        ..Settings::default()
    };
    let key = Key {
        resource_type: ResourceType::from_name("Patient").unwrap(),
        id: "p".into(),
    };
    let others = vec![Other::Wrote(Write::Delete { key })];
    let server = contended(&calm, others, settings, Arc::new(HidesSome));
    match server.send(request) {
        Ok(response) => (response.status, String::new()),
        Err(error) => (error.code.facts().status, error.to_string()),
    }
}

#[test]
fn what_loses_a_race_to_a_deletion_is_done_as_if_it_came_after() {
    let update = || {
        with_body(
            request("PUT", "Patient/p"),
            &PATIENT.replacen('{', r#"{"id":"p","#, 1),
        )
    };
    assert_eq!(beside_a_deletion(true, &update()), (201, String::new()));
    assert_eq!(beside_a_deletion(false, &update()).0, 404);
    let mut bound = update();
    bound.if_match = versions(&["1"]);
    let (status, text) = beside_a_deletion(true, &bound);
    assert!(
        status == 412 && text.contains("does not exist"),
        "{status} {text}"
    );
    assert_eq!(beside_a_deletion(true, &request("DELETE", "Patient/p")).0, 204);
    let mut bound = request("DELETE", "Patient/p");
    bound.if_match = versions(&["1"]);
    assert_eq!(beside_a_deletion(true, &bound).0, 412);
}
