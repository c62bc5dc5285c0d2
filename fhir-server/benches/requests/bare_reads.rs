//! The baseline of reads: an actix handler that does nothing but read a blob from SQLite by its key, on a connection of its
//! worker's own.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

diesel::table! {
    blob (id) {
        id -> Text,
        body -> Binary,
    }
}

/// A server on threads of its own.
pub(crate) struct BareReads {
    pub(crate) address: SocketAddr,
    handle: ServerHandle,
    thread: JoinHandle<()>,
}

type Shared = Rc<RefCell<SqliteConnection>>;

impl BareReads {
    /// Serves those blobs.
    pub(crate) fn start(file: &Path, blobs: &[(String, Vec<u8>)]) -> Self {
        fill(file, blobs);
        let (told, address) = mpsc::channel();
        let file = file.to_path_buf();
        let thread = std::thread::spawn(move || serve(file, told));
        let (address, handle) = address.recv().unwrap();
        BareReads {
            address,
            handle,
            thread,
        }
    }

    /// Ends it.
    pub(crate) fn end(self) {
        drop(self.handle.stop(false));
        self.thread.join().unwrap();
    }
}

fn serve(file: PathBuf, told: mpsc::Sender<(SocketAddr, ServerHandle)>) {
    actix_web::rt::System::new().block_on(async {
        let app = move || {
            let connection: Shared = Rc::new(RefCell::new(open(&file)));
            App::new()
                .app_data(connection)
                .route("/{id}", web::get().to(read))
        };
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let bound = HttpServer::new(app)
            .workers(workers)
            .disable_signals()
            .bind("127.0.0.1:0")
            .unwrap();
        let address = bound.addrs()[0];
        let server = bound.run();
        told.send((address, server.handle())).unwrap();
        server.await.unwrap();
    });
}

async fn read(request: actix_web::HttpRequest, key: web::Path<String>) -> HttpResponse {
    let connection: &Shared = request.app_data().unwrap();
    let found = blob::table
        .find(key.as_str())
        .select(blob::body)
        .first::<Vec<u8>>(&mut *connection.borrow_mut());
    match found {
        Ok(body) => HttpResponse::Ok()
            .content_type("application/fhir+json; charset=utf-8")
            .body(body),
        Err(_) => HttpResponse::NotFound().finish(),
    }
}

fn open(file: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    connection.batch_execute("PRAGMA journal_mode = WAL").unwrap();
    connection
}

fn fill(file: &Path, blobs: &[(String, Vec<u8>)]) {
    let mut connection = open(file);
    connection
        .batch_execute("CREATE TABLE blob (id TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL)")
        .unwrap();
    connection
        .transaction(|connection| {
            for (key, bytes) in blobs {
                diesel::insert_into(blob::table)
                    .values((blob::id.eq(key), blob::body.eq(bytes)))
                    .execute(connection)?;
            }
            QueryResult::Ok(())
        })
        .unwrap();
}
