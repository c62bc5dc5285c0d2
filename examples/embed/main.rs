//! A trust's own service that serves FHIR beside its own pages: its sign-in says who calls, its policy says what they may
//! do, and its own page reads through the same door as everybody else.
//!
//! ```sh
//! curl -H 'Authorization: Bearer of-dr-ashworth' http://127.0.0.1:8090/records/fhir/Patient
//! curl -H 'Authorization: Bearer of-dr-ashworth' http://127.0.0.1:8090/label/SOME-ID
//! ```

use actix_web::dev::{Service, ServiceRequest};
use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, HttpServer, web};
use fhir_model::{MedicationRequest, Patient, json};
use fhir_server::context::{Principal, PrincipalKind};
use fhir_server::error::{Error, ErrorCode, Issue, Result};
use fhir_server::interaction::{Interaction, Payload, Request, dispatch};
use fhir_server::policy::{Access, Decision, Policy};
use fhir_server::store::{self, DatabaseUrl, Filter, ResourceType, StoreOptions};
use fhir_server::{Context, FhirServer};

/// Clinicians may do everything but delete; nobody else may do anything.
struct Wards;

impl Policy for Wards {
    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision> {
        let is_clinician = context.principal.kind == PrincipalKind::Clinician;
        if is_clinician && access.interaction != Interaction::Delete {
            return Ok(Decision::permit(Filter::All));
        }
        let reason = "The wards' clinicians may read and write, and nobody may delete.".to_owned();
        Ok(Decision::Deny { reason })
    }
}

/// A rule of the trust's own: whoever prescribes says how it is taken.
fn prescriber(context: &Context, request: &MedicationRequest) -> Result<Vec<Issue>> {
    match request.dosage_instruction.is_empty() {
        false => Ok(Vec::new()),
        true => {
            let text = format!(
                "{} must say how it is taken: dosageInstruction.",
                context.principal.name
            );
            Err(Error::new(ErrorCode::Unprocessable, text).at("MedicationRequest.dosageInstruction"))
        }
    }
}

/// Who calls. Here stands your own sign-in.
fn caller(request: &ServiceRequest) -> Option<Principal> {
    let token = request.headers().get("Authorization")?.to_str().ok()?;
    match token {
        "Bearer of-dr-ashworth" => Some(Principal::new("dr-ashworth", PrincipalKind::Clinician)),
        _ => None,
    }
}

/// A page of the trust's own: what stands on a patient's wristband.
async fn label(request: HttpRequest, server: web::Data<FhirServer>, id: web::Path<String>) -> HttpResponse {
    let Some(principal) = request.extensions().get::<Principal>().cloned() else {
        return HttpResponse::Unauthorized().finish();
    };
    match name_of(&server, principal, id.into_inner()).await {
        Ok(name) => HttpResponse::Ok().body(name),
        Err(error) => HttpResponse::NotFound().body(error.to_string()),
    }
}

async fn name_of(server: &FhirServer, principal: Principal, id: String) -> Result<String> {
    let mut request = Request::new(Interaction::Read, "");
    request.resource_type = ResourceType::from_name("Patient");
    request.id = Some(id);
    let mut session = server.session(Context::new(principal, "label"));
    let Payload::Json(text) = dispatch(&mut session, &request).await?.payload else {
        return Ok(String::new());
    };
    let resource = json::from_slice(&text).map_err(fhir_server::Error::internal)?;
    let name = resource.get::<Patient>().and_then(|patient| patient.name.first());
    let given = name.and_then(|name| name.given.first()?.as_str()).unwrap_or("?");
    let family = name.and_then(|name| name.family.as_str()).unwrap_or("?");
    Ok(format!("{family}, {given}"))
}

/// The whole service.
fn service(server: &FhirServer, app: &mut web::ServiceConfig) {
    let records = web::scope("/records")
        .configure(|app| server.configure_docs(app))
        .configure(|app| server.configure(app));
    let known = web::scope("")
        .wrap_fn(|request, next| {
            if let Some(principal) = caller(&request) {
                request.extensions_mut().insert(principal);
            }
            next.call(request)
        })
        .service(records)
        .route("/label/{id}", web::get().to(label));
    app.app_data(web::Data::new(server.clone())).service(known);
}

async fn server(database: &DatabaseUrl) -> Result<FhirServer> {
    let store = store::open(database, &StoreOptions::default())?;
    let builder = FhirServer::builder().store(store).policy(Wards);
    builder.on_write::<MedicationRequest>(prescriber).build().await
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    actix_web::rt::System::new().block_on(async {
        let path = std::env::args()
            .nth(1)
            .unwrap_or_else(|| "embed.sqlite".to_owned());
        let server = server(&format!("sqlite:{path}").parse()?).await?;
        let tended = server.clone();
        actix_web::rt::spawn(async move { tended.tend().await });
        let app = move || App::new().configure(|app| service(&server, app));
        println!("http://127.0.0.1:8090/records/docs/");
        Ok(HttpServer::new(app).bind(("127.0.0.1", 8090))?.run().await?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};

    const BODY: &str = r#"{"resourceType":"Patient","name":[{"family":"Khan","given":["Amira"]}]}"#;

    #[actix_web::test]
    async fn the_trusts_page_shows_what_came_in_by_fhir() {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::Sqlite(folder.path().join("embed.sqlite"));
        let server = server(&database).await.unwrap();
        let app = init_service(App::new().configure(|app| service(&server, app))).await;
        let token = ("Authorization", "Bearer of-dr-ashworth");
        let send = |request: TestRequest| {
            call_service(&app, request.insert_header(("Host", "localhost")).to_request())
        };

        let create = || TestRequest::post().uri("/records/fhir/Patient").set_payload(BODY);
        let create = || create().insert_header(("Content-Type", "application/fhir+json"));
        assert_eq!(send(create()).await.status(), 401);
        let created = send(create().insert_header(token)).await;
        assert_eq!(created.status(), 201);
        let location = created
            .headers()
            .get("Location")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let (base, rest) = location.split_once("/Patient/").unwrap();
        assert_eq!(base, "http://localhost/records/fhir");
        let id = rest.split('/').next().unwrap();

        let label = |id: &str| TestRequest::get().uri(&format!("/label/{id}"));
        assert_eq!(send(label(id)).await.status(), 401);
        let shown = send(label(id).insert_header(token)).await;
        assert_eq!(
            (shown.status().as_u16(), &*read_body(shown).await),
            (200, &b"Khan, Amira"[..])
        );
        assert_eq!(send(label("nobody").insert_header(token)).await.status(), 404);

        let prescription = |dosage: &str| {
            let body = format!(
                r#"{{"resourceType":"MedicationRequest","status":"active","intent":"order",{dosage}
                "medicationCodeableConcept":{{"text":"Paracetamol"}},"subject":{{"reference":"Patient/{id}"}}}}"#
            );
            let post = TestRequest::post().uri("/records/fhir/MedicationRequest");
            post.insert_header(("Content-Type", "application/fhir+json"))
                .insert_header(token)
                .set_payload(body)
        };
        let refused = send(prescription("")).await;
        assert_eq!(refused.status(), 422);
        let body = read_body(refused).await;
        assert!(
            str::from_utf8(&body)
                .unwrap()
                .contains("dr-ashworth must say how it is taken")
        );
        let taken = prescription(r#""dosageInstruction":[{"text":"One at night"}],"#);
        assert_eq!(send(taken).await.status(), 201);

        let delete = TestRequest::delete().uri(&format!("/records/fhir/Patient/{id}"));
        assert_eq!(send(delete.insert_header(token)).await.status(), 403);
        let document = send(TestRequest::get().uri("/records/openapi.json")).await;
        assert!(
            str::from_utf8(&read_body(document).await)
                .unwrap()
                .contains("\"url\": \"/records/fhir\"")
        );
    }
}
