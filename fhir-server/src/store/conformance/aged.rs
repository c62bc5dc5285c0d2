//! A little of everything that a database may hold, for tests that change its schema.

use super::fixture::{body, create, delete, update};
use crate::context::TenantId;
use crate::store::{Claim, Commit, DEFINITIONS, Key, Refusal, ResourceType, Store, Write};

/// Forty patients with earlier versions and five that were deleted, definitions and claims, for two tenants.
pub(crate) async fn history_to_migrate(store: &dyn Store) -> Result<(), Refusal> {
    for tenant in [TenantId::DEFAULT, TenantId(2)] {
        let mut commits = Vec::new();
        let key = |name: &str, id: String| Key {
            resource_type: ResourceType::from_name(name).unwrap(),
            id,
        };
        for n in 0..45 {
            let patient = key("Patient", format!("p{n}"));
            commits.push(vec![create(&patient, n)]);
            commits.push(vec![update(&patient, n + 100)]);
            if n >= 40 {
                commits.push(vec![delete(&patient)]);
            }
        }
        for name in DEFINITIONS {
            let definition = key(name, "d".into());
            commits.push(vec![create(&definition, 1)]);
            commits.push(vec![update(&definition, 2)]);
        }
        let mut large = body(7);
        large.json.resize(300_000, b' ');
        commits.push(vec![Write::Update {
            key: key("Basic", "9b1f0c3e-2f4b-4a67-9a55-0d0c5a3d9f10".into()),
            body: large,
            index: crate::store::Index::default(),
            create: true,
        }]);
        let claims = (0..3).map(|n| Write::Claim(Claim::new("aged", [n; 32], vec![n])));
        commits.push(claims.collect());
        for writes in commits {
            store.commit(tenant, Commit::new(Vec::new(), writes)).await?;
        }
    }
    Ok(())
}
