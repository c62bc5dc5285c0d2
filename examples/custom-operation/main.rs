//! An operation of one's own: `GET [base]/Patient/[id]/$age` gives the age of a patient in years.
//!
//! Its definition is all that the server goes by: the route, the check of arguments, the CapabilityStatement and the question to the
//! policy follow from it. What it reads it reads as the caller.

use fhir_model::{
    AnyValue, OperationDefinition, OperationDefinitionParameter, Parameters, ParametersParameter, Patient,
    Resource, json,
};
use fhir_server::FhirServer;
use fhir_server::config::Config;
use fhir_server::engine::Session;
use fhir_server::error::{Error, ErrorCode, Result};
use fhir_server::interaction::{Payload, Response};
use fhir_server::operation::{Call, Done, Operation};
use fhir_server::policy::PermitAll;
use fhir_server::store::{self, DatabaseUrl, StoreOptions};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// `$age`
struct Age;

impl Operation for Age {
    fn code(&self) -> &'static str {
        "age"
    }

    fn definition(&self) -> OperationDefinition {
        OperationDefinition {
            name: "Age".into(),
            status: "active".into(),
            kind: "operation".into(),
            description: "The age of a patient in years.".into(),
            affects_state: false.into(),
            resource: vec!["Patient".into()],
            system: false.into(),
            type_: false.into(),
            instance: true.into(),
            parameter: vec![OperationDefinitionParameter {
                name: "years".into(),
                use_: "out".into(),
                min: 1.into(),
                max: "1".into(),
                type_: "integer".into(),
                ..OperationDefinitionParameter::default()
            }],
            ..OperationDefinition::default()
        }
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        async move {
            let key = call.the_key()?;
            let body = session.read(key).await?.and_then(|version| version.body);
            let body = body.ok_or_else(|| Error::new(ErrorCode::NotFound, format!("There is no {key}.")))?;
            let resource = json::from_slice(&body.json).map_err(Error::internal)?;
            let patient = resource.get::<Patient>();
            let born = patient.and_then(|patient| patient.birth_date.value.as_ref().map(ToString::to_string));
            let born = born.ok_or_else(|| {
                let text = format!("{key} has no birthDate.");
                Error::new(ErrorCode::Unprocessable, text).at("Patient.birthDate")
            })?;
            let parameter = ParametersParameter {
                name: "years".into(),
                value: Some(AnyValue::Integer(
                    years(&born, &session.now().to_instant()).into(),
                )),
                ..ParametersParameter::default()
            };
            let answer = Resource::from(Parameters {
                parameter: vec![parameter],
                ..Parameters::default()
            });
            Ok(Done::Answer(Response::new(
                200,
                Payload::Json(json::to_vec(&answer)),
            )))
        }
        .boxed()
    }
}

/// Whole years from a date to a day, both as text that begins with the year.
fn years(born: &str, today: &str) -> i32 {
    let year = |text: &str| {
        text.get(..4)
            .and_then(|year| year.parse::<i32>().ok())
            .unwrap_or_default()
    };
    let rest = |text: &str| text.get(4..10).unwrap_or_default().to_owned();
    let before_birthday = rest(today) < rest(born);
    year(today) - year(born) - i32::from(before_birthday)
}

async fn server(database: &DatabaseUrl) -> Result<FhirServer> {
    let store = store::open(database, &StoreOptions::default())?;
    let mut config = Config::default();
    config.sandbox.enabled = true;
    let builder = FhirServer::builder().config(config).store(store);
    builder.policy(PermitAll).operation(Age).build().await
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "operation.sqlite".to_owned());
    let database: DatabaseUrl = format!("sqlite:{path}").parse()?;
    fhir_server::server::run(async {
        let running = server(&database).await?.listen()?;
        println!("http://127.0.0.1:8080/fhir/Patient/SOME-ID/$age");
        running.until(std::future::pending()).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::App;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};

    #[actix_web::test]
    async fn the_operation_is_offered_and_answers() {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::Sqlite(folder.path().join("operation.sqlite"));
        let server = server(&database).await.unwrap();
        let app = init_service(App::new().configure(|app| server.configure(app))).await;
        let send = |request: TestRequest| {
            call_service(&app, request.insert_header(("Host", "localhost")).to_request())
        };

        let patient = r#"{"resourceType":"Patient","id":"a","birthDate":"2000-02-03"}"#;
        let put = TestRequest::put().uri("/fhir/Patient/a").set_payload(patient);
        let put = put.insert_header(("Content-Type", "application/fhir+json"));
        assert_eq!(send(put).await.status(), 201);
        let answer = send(TestRequest::get().uri("/fhir/Patient/a/$age")).await;
        assert_eq!(answer.status(), 200);
        let text = read_body(answer).await;
        assert!(
            str::from_utf8(&text).unwrap().contains("\"valueInteger\":"),
            "{text:?}"
        );
        let offered = read_body(send(TestRequest::get().uri("/fhir/metadata")).await).await;
        assert!(str::from_utf8(&offered).unwrap().contains("\"name\":\"age\""));
        assert_eq!(
            send(TestRequest::get().uri("/fhir/Patient/b/$age"))
                .await
                .status(),
            404
        );
    }

    #[test]
    fn an_age_counts_whole_years() {
        assert_eq!(years("2000-02-03", "2026-02-02T00:00:00Z"), 25);
        assert_eq!(years("2000-02-03", "2026-02-03T00:00:00Z"), 26);
    }
}
