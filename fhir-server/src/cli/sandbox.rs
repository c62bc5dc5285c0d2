//! The sandbox's sample data: invented people with numbers of the range reserved for tests.

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

/// Roles, as SNOMED CT codes, that open records in an emergency: general practitioner, emergency department physician.
pub(super) const EMERGENCY_ROLES: [&str; 2] = ["62247001", "309294001"];

/// Who can log in.
#[cfg(feature = "authority")]
pub(super) fn people() -> Vec<fhir_server::authority::Person> {
    super::people::of_bundles(BUNDLES)
}

/// The same, for the server to write.
pub(super) fn samples() -> Vec<&'static [u8]> {
    BUNDLES.iter().map(|(_, bundle)| *bundle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::database::Database;
    use fhir_server::context::{Context, Principal};
    use fhir_server::interaction::{Interaction, Payload, Request, dispatch};
    use fhir_server::policy::Chain;
    use fhir_server::{Config, FhirServer};

    const BASE: &str = "http://localhost/fhir";

    async fn open(database: &Database) -> FhirServer {
        let mut config = Config::default();
        config.sandbox.enabled = true;
        let builder = FhirServer::builder()
            .config(config)
            .store(database.store.clone())
            .samples(&samples());
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
            assert!(server.fill().await.unwrap());
            let filled = count(&server).await;
            assert!(filled > 100, "{filled}");
            assert!(!server.fill().await.unwrap());
            assert_eq!(count(&server).await, filled);
            database.store.close().await;
        });
    }
}
