//! The database of a subcommand: the one named, or in the sandbox a temporary one that goes when it ends.

use std::fmt;
use std::sync::Arc;

use fhir_server::error::{Error, ErrorCode, Result};
use fhir_server::store::{self, DatabaseUrl, Store, StoreOptions};
use tempfile::TempDir;

/// An open database.
pub(super) struct Database {
    pub(super) store: Arc<dyn Store>,
    url: DatabaseUrl,
    /// Removed, with all in it, when this is dropped.
    temporary: Option<TempDir>,
}

impl Database {
    /// Opens the database of that URL; without one, in the sandbox, a fresh temporary one.
    pub(super) fn open(url: Option<&DatabaseUrl>, is_sandbox: bool) -> Result<Self> {
        let (url, temporary) = match url {
            Some(url) => (url.clone(), None),
            None if is_sandbox => {
                let folder = tempfile::Builder::new()
                    .prefix("fhir-sandbox-")
                    .tempdir()
                    .map_err(|cause| {
                        Error::new(
                            ErrorCode::Invalid,
                            "The system's temporary folder cannot be written to.",
                        )
                        .with_cause(cause)
                    })?;
                (
                    DatabaseUrl::Sqlite(folder.path().join("fhir.sqlite")),
                    Some(folder),
                )
            }
            None => {
                let text = "Where are the resources to be kept? Name it with --database sqlite:PATH or postgres://…, or use --sandbox.";
                return Err(Error::new(ErrorCode::Required, text));
            }
        };
        let store = store::open(&url, &StoreOptions::default())?;
        Ok(Database {
            store,
            url,
            temporary,
        })
    }
}

impl Database {
    /// Its URL.
    pub(super) fn url(&self) -> &DatabaseUrl {
        &self.url
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.url)?;
        match self.temporary {
            Some(_) => f.write_str(" (temporary: gone when the server ends)"),
            None => Ok(()),
        }
    }
}
