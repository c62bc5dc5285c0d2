//! The sandbox's sample data: invented people with numbers of the range reserved for tests, written through the engine
//! when the database is empty.

use fhir_server::FhirServer;
use fhir_server::context::{Context, Principal};
use fhir_server::error::{Error, Result};
use fhir_server::interaction::{Format, Interaction, Payload, Request, RequestBody, dispatch};

/// Transactions, in the order in which they refer to each other.
const BUNDLES: &[(&str, &[u8])] = &[
    (
        "1-organisations",
        include_bytes!("../../sandbox/1-organisations.json"),
    ),
    ("2-patients", include_bytes!("../../sandbox/2-patients.json")),
    ("3-records", include_bytes!("../../sandbox/3-records.json")),
    ("4-bookings", include_bytes!("../../sandbox/4-bookings.json")),
    ("5-consents", include_bytes!("../../sandbox/5-consents.json")),
];

/// Who can log in.
#[cfg(feature = "authority")]
pub(super) fn people() -> Vec<fhir_server::authority::Person> {
    super::people::of_bundles(BUNDLES)
}

/// What the references of the sample data are relative to; they stay relative, so it shows nowhere.
const BASE: &str = "http://localhost/fhir";

/// Fills an empty database.
pub(super) async fn fill(server: &FhirServer) -> Result<()> {
    if !is_empty(server).await? {
        return Ok(());
    }
    for (name, bundle) in BUNDLES {
        let mut request = Request::new(Interaction::Transaction, BASE);
        request.body = Some(RequestBody::Fhir(Format::Json, bytes::Bytes::from_static(bundle)));
        let mut session = server.session(Context::new(
            Principal::system("sandbox"),
            format!("sandbox-{name}"),
        ));
        dispatch(&mut session, &request)
            .await
            .map_err(|error| Error::internal(format!("sandbox data {name}: {error}")))?;
    }
    Ok(())
}

/// Whether nothing was ever written: what its owner deleted does not come back.
async fn is_empty(server: &FhirServer) -> Result<bool> {
    let mut request = Request::new(Interaction::HistorySystem, BASE);
    request.query.push(("_count".into(), "1".into()));
    let mut session = server.session(Context::new(Principal::system("sandbox"), "sandbox-is-empty"));
    let response = dispatch(&mut session, &request).await?;
    let Payload::Json(json) = response.payload else {
        return Ok(false);
    };
    let bundle = fhir_model::json::from_slice(&json).map_err(|cause| Error::internal(cause.to_string()))?;
    Ok(bundle
        .get::<fhir_model::Bundle>()
        .is_some_and(|bundle| bundle.entry.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::database::Database;
    use fhir_server::Config;
    use fhir_server::policy::Chain;

    async fn open(database: &Database) -> FhirServer {
        let mut config = Config::default();
        config.sandbox.enabled = true;
        let builder = FhirServer::builder().config(config).store(database.store.clone());
        builder.policy(Chain::sandbox()).build().await.unwrap()
    }

    async fn count(server: &FhirServer) -> u64 {
        let mut request = Request::new(Interaction::SearchSystem, BASE);
        request.query.push(("_summary".into(), "count".into()));
        let mut session = server.session(Context::new(Principal::system("test"), "test"));
        let Payload::Json(json) = dispatch(&mut session, &request).await.unwrap().payload else {
            panic!("no Bundle")
        };
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        json["total"].as_u64().unwrap()
    }

    #[test]
    fn an_empty_database_is_filled_once() {
        let database = Database::open(None, true).unwrap();
        fhir_server::server::run(async {
            let server = open(&database).await;
            assert_eq!(count(&server).await, 0);
            fill(&server).await.unwrap();
            let filled = count(&server).await;
            assert!(filled > 100, "{filled}");
            fill(&server).await.unwrap();
            assert_eq!(count(&server).await, filled);
            database.store.close().await;
        });
    }
}
