//! The server under measurement, mounted in a service that says who asks.

use std::net::SocketAddr;
use std::sync::mpsc;

use actix_web::dev::Service;
use actix_web::{App, HttpMessage, HttpServer};
use fhir_server::store::{self, DatabaseUrl, StoreOptions};
use fhir_server::{Config, FhirServer};
use tokio::sync::oneshot;

use crate::callers::{self, Rules};
use crate::server::Served;

/// Serves that database until it is told to end.
pub(crate) fn start(url: DatabaseUrl) -> Served {
    Served::by(move |told, ended| serve(url, told, ended))
}

async fn serve(url: DatabaseUrl, told: mpsc::Sender<SocketAddr>, ended: oneshot::Receiver<()>) {
    let store = store::open(&url, &StoreOptions::default()).unwrap();
    let builder = FhirServer::builder()
        .config(Config::default())
        .store(store.clone());
    let fhir = builder.policy(Rules::new()).build().await.unwrap();
    let mounted = fhir.clone();
    let http = HttpServer::new(move || {
        let fhir = mounted.clone();
        App::new()
            .wrap_fn(|request, next| {
                let name = request.headers().get(callers::HEADER);
                let name = name.and_then(|name| name.to_str().ok()).unwrap_or_default();
                let principal = callers::principal(name);
                request.extensions_mut().insert(principal);
                next.call(request)
            })
            .configure(move |app| fhir.configure(app))
    });
    let http = http.workers(2).bind("127.0.0.1:0").unwrap();
    told.send(http.addrs()[0]).unwrap();
    let running = http.disable_signals().run();
    let handle = running.handle();
    let tending = actix_web::rt::spawn(async move { fhir.tend().await });
    let ending = actix_web::rt::spawn(async move {
        ended.await.unwrap();
        handle.stop(false).await;
    });
    running.await.unwrap();
    ending.await.unwrap();
    tending.abort();
    store.close().await;
}
