//! `audit`: verifies the audit trail of a database.

use std::path::PathBuf;

use clap::Subcommand;
use fhir_server::audit::verify::Verified;
use fhir_server::config::Config;
use fhir_server::engine::{Engine, Settings};
use fhir_server::error::{Error, ErrorCode, Result};
use fhir_server::policy::Chain;
use fhir_server::server;
use fhir_server::store::DatabaseUrl;
use std::sync::Arc;

use super::database::Database;
use super::logging;

/// Look after the audit trail.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Clone, Debug, Subcommand)]
enum Task {
    Verify(Verify),
}

/// Read every row and every seal of the audit trail and say where they do not belong together: a row that was changed, removed,
/// put in or swapped, a seal that was made anew, an end that was cut off. An SQLite file that a server has open is refused.
///
/// Rows after the last seal are counted; nothing vouches for them yet. Exit code 0: nothing is wrong.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  fhir-server audit verify --database sqlite:./fhir.sqlite
  fhir-server audit verify --database sqlite:./fhir.sqlite --heads /safe/place/heads.txt")]
struct Verify {
    /// The database: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, value_name = "URL", env = "FHIR_SERVER_DATABASE")]
    database: DatabaseUrl,
    /// The file to which the server gave out heads (`audit.heads`): only with it can a trail be told from one that was made anew
    /// or cut off.
    #[arg(long, value_name = "FILE")]
    heads: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let mut config = Config::default();
    config.log.level = "warn".into();
    logging::start(&config.log)?;
    match &args.task {
        Task::Verify(verify) => self::verify(verify),
    }
}

fn verify(args: &Verify) -> Result<()> {
    let heads = match &args.heads {
        Some(path) => read_heads(path)?,
        None => Vec::new(),
    };
    let database = Database::open(Some(&args.database), false)?;
    let all = server::run(async {
        let engine = Engine::new(
            database.store.clone(),
            Arc::new(Chain::default()),
            Settings::default(),
        );
        let verified = engine.verify_audit(&heads).await;
        database.store.close().await;
        verified
    })?;
    let mut findings = 0;
    for trail in &all {
        print!("{}", report(trail));
        findings += trail.findings.len();
    }
    if all.is_empty() {
        println!("There is no audit trail in this database.");
    }
    match findings {
        0 => Ok(()),
        _ => Err(Error::new(
            ErrorCode::Invalid,
            "The audit trail is not what it was when it was sealed.",
        )),
    }
}

fn report(trail: &Verified) -> String {
    let mut text = format!(
        "tenant {}: {} rows under {} seals are as they were sealed, {} are not sealed yet\n",
        trail.tenant, trail.sealed, trail.seals, trail.unsealed
    );
    if let Some((number, head)) = &trail.head {
        text.push_str(&format!("  head of seal {number}: {head}\n"));
    }
    for finding in &trail.findings {
        text.push_str(&format!("  WRONG: {finding}\n"));
    }
    text
}

/// Lines of tenant, number, head and time.
fn read_heads(path: &std::path::Path) -> Result<Vec<(i64, i64, String)>> {
    let unusable = |text: String| Error::new(ErrorCode::Invalid, text);
    let text = std::fs::read_to_string(path)
        .map_err(|cause| unusable(format!("{} cannot be read: {cause}", path.display())))?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(n, line)| {
            let mut words = line.split_whitespace();
            let (tenant, number, head) = (words.next(), words.next(), words.next());
            let parsed = || Some((tenant?.parse().ok()?, number?.parse().ok()?, head?.to_owned()));
            parsed().ok_or_else(|| {
                let wanted = "a tenant, a number and a head";
                unusable(format!("{}:{}: this is not {wanted}", path.display(), n + 1))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir_server::Context;
    use fhir_server::FhirServer;
    use fhir_server::context::Principal;
    use fhir_server::interaction::{Interaction, Request, dispatch};
    use fhir_server::policy::PermitAll;
    use fhir_server::store::ResourceType;

    /// A database with a trail under one seal; the line that its head was given out by.
    fn trail(url: &DatabaseUrl) -> String {
        let database = Database::open(Some(url), false).unwrap();
        server::run(async {
            let builder = FhirServer::builder().config(Config::default());
            let server = builder
                .store(database.store.clone())
                .policy(PermitAll)
                .build()
                .await
                .unwrap();
            let mut request = Request::new(Interaction::SearchType, "http://localhost/fhir");
            request.resource_type = ResourceType::from_name("Patient");
            let mut session = server.session(Context::new(Principal::sandbox_clinician(), "r"));
            dispatch(&mut session, &request).await.unwrap();
            let engine = Engine::new(
                database.store.clone(),
                Arc::new(Chain::default()),
                Settings::default(),
            );
            engine.seal().await.unwrap();
            let verified = engine.verify_audit(&[]).await.unwrap();
            database.store.close().await;
            let (number, head) = verified.first().and_then(|trail| trail.head.clone()).unwrap();
            format!("1 {number} {head} 2026-11-26T06:30:00.000Z\n")
        })
    }

    #[test]
    fn a_trail_verifies_with_its_heads_and_not_with_others() {
        let folder = tempfile::TempDir::new().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("a.sqlite"));
        let line = trail(&url);
        let heads = folder.path().join("heads.txt");
        let verify = |heads: Option<PathBuf>| {
            self::verify(&Verify {
                database: url.clone(),
                heads,
            })
        };
        verify(None).unwrap();
        std::fs::write(&heads, &line).unwrap();
        verify(Some(heads.clone())).unwrap();
        std::fs::write(&heads, line.replace(" 1 ", " 2 ")).unwrap();
        let error = verify(Some(heads.clone())).unwrap_err();
        assert!(error.to_string().contains("not what it was"), "{error}");
        std::fs::write(&heads, "1 one\n").unwrap();
        let error = verify(Some(heads.clone())).unwrap_err();
        assert!(error.to_string().contains(":1: this is not"), "{error}");
        verify(Some(folder.path().join("none"))).unwrap_err();
    }
}
