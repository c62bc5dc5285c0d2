//! The command line, one file a subcommand: its arguments, and a `run` that answers with what went wrong.
//!
//! A new subcommand is a file here, a variant of [`Command`] and an arm in [`Command::run`].

mod audit;
mod backup;
mod check;
mod database;
mod input;
mod load;
mod logging;
mod manual;
mod migrate;
#[cfg(feature = "authority")]
mod people;
mod progress;
mod restore;
mod sandbox;
mod serve;
mod signals;
mod terminology;
#[cfg(feature = "authority")]
mod token;
mod validation;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fhir_server::error::Result;

/// A FHIR R4 server.
///
/// Without arguments it serves a sandbox: sample patients in a temporary database at http://127.0.0.1:8080/fhir, open to
/// this machine alone and gone when it ends.
#[derive(Debug, Parser)]
#[command(name = "fhir-server", version, disable_help_subcommand = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  fhir-server                                    a sandbox with sample data, to look around
  fhir-server serve --sandbox --database sqlite:./fhir.sqlite
                                                 a sandbox that keeps what you write
  fhir-server load --database sqlite:./fhir.sqlite *.json.gz
                                                 fill a database from files
  curl 'http://127.0.0.1:8080/fhir/Patient?_pretty=true'
                                                 your first request";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Load(load::Args),
    Check(check::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Migrate(migrate::Args),
    Audit(audit::Args),
    Terminology(terminology::Args),
    Completions(manual::Completions),
    Manual(manual::Manual),
    #[cfg(feature = "authority")]
    Token(token::Args),
}

impl Command {
    fn run(self) -> Result<()> {
        match self {
            Command::Serve(args) => serve::run(args),
            Command::Load(args) => load::run(&args),
            Command::Check(args) => check::run(&args),
            Command::Backup(args) => backup::run(&args),
            Command::Restore(args) => restore::run(&args),
            Command::Migrate(args) => migrate::run(&args),
            Command::Audit(args) => audit::run(&args),
            Command::Terminology(args) => terminology::run(&args),
            Command::Completions(args) => manual::completions(&args),
            Command::Manual(args) => manual::manual(&args),
            #[cfg(feature = "authority")]
            Command::Token(args) => token::run(&args),
        }
    }
}

/// Reads the command line and does what it says.
pub(crate) fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = match arguments.len() {
        0 | 1 => Cli::parse_from(["fhir-server", "serve", "--sandbox"]),
        _ => Cli::parse_from(arguments),
    };
    match cli.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for issue in &error.issues {
                eprintln!("fhir-server: {}", issue.diagnostics);
            }
            if let Some(cause) = &error.cause {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_unknown_argument_is_accepted() {
        for arguments in [
            &["fhir-server", "serve", "--sandbo"][..],
            &["fhir-server", "serv"],
            &["fhir-server", "serve", "x"],
        ] {
            assert!(Cli::try_parse_from(arguments).is_err(), "{arguments:?}");
        }
    }
}
