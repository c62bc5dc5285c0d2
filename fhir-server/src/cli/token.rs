//! `token`: an access token for somebody of the sandbox, to try requests with.

use std::io::Write as _;
use std::path::PathBuf;

use fhir_server::authority::{self, Wanted};
use fhir_server::error::{Error, ErrorCode, Result};
use fhir_server::scopes::Scopes;
use fhir_server::store::DatabaseUrl;

use super::sandbox;

/// Print an access token for somebody of a sandbox that keeps its database.
///
/// The server with that database, started with `serve --sandbox --database …`, takes it for an hour.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Who: an id of the sandbox's records such as prac-helen-ashworth, or one of dr-a, dr-b, receptionist, researcher, privacy-officer, patient-1, patient-2, proxy.
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// What the token allows, as scopes of SMART. Default: all that the person may grant.
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// The patient in context, by id. A patient's and a proxy's own is theirs.
    #[arg(long, value_name = "ID")]
    patient: Option<String>,
    /// The purpose of use. Default: TREAT for staff, HRESCH for the researcher, HCOMPL for the privacy officer, PATRQT for patients, FAMRQT for proxies.
    #[arg(long, value_name = "CODE")]
    purpose: Option<String>,
    /// The FHIR base that it is for.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/fhir")]
    base: String,
    /// The database of the sandbox, beside which the key is.
    #[arg(long, value_name = "URL", env = "FHIR_SERVER_DATABASE")]
    database: Option<DatabaseUrl>,
    /// The key, where it is elsewhere.
    #[arg(long, value_name = "FILE", env = "FHIR_SERVER_AUTHORITY_KEY")]
    authority_key: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let token = make(args)?;
    writeln!(std::io::stdout().lock(), "{token}").map_err(Error::internal)
}

fn make(args: &Args) -> Result<String> {
    let key = key_file(args.authority_key.as_ref(), args.database.as_ref()).ok_or_else(|| {
        let text = "Which sandbox is it for? Name its database with --database sqlite:PATH, or the key with --authority-key FILE.";
        Error::new(ErrorCode::Required, text)
    })?;
    let people = sandbox::people();
    let person = people
        .iter()
        .find(|person| person.is_called(&args.person))
        .ok_or_else(|| {
            let names: Vec<_> = people.iter().map(|person| person.user.id.as_str()).collect();
            let text = format!(
                "There is no `{}` in the sandbox; there are: {}.",
                args.person,
                names.join(", ")
            );
            Error::new(ErrorCode::NotFound, text)
        })?;
    let mut wanted = Wanted::new(person.clone(), args.base.clone());
    if let Some(text) = &args.scope {
        let scopes = Scopes::read(text);
        if scopes.resources.len() + scopes.other.len() != text.split_whitespace().count() {
            let text = format!(
                "`{text}` holds something that is no scope of SMART, such as patient/Observation.rs, or one of them twice."
            );
            return Err(Error::new(ErrorCode::Value, text));
        }
        wanted.scopes = scopes;
    }
    wanted.patient = args.patient.clone().or(wanted.patient);
    wanted.purpose = args.purpose.clone().or(wanted.purpose);
    authority::mint(&key, &wanted)
}

/// Where the key of the authority is kept: as named, else beside the file of the database.
pub(super) fn key_file(named: Option<&PathBuf>, database: Option<&DatabaseUrl>) -> Option<PathBuf> {
    match (named, database) {
        (Some(path), _) => Some(path.clone()),
        (None, Some(DatabaseUrl::Sqlite(path))) => {
            let mut name = path.file_name()?.to_owned();
            name.push(".authority-key");
            Some(path.with_file_name(name))
        }
        (None, _) => None,
    }
}
