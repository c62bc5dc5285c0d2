//! `completions` and `manual`: what a shell completes, and the manual pages, made from the command line itself.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use fhir_server::error::{Error, ErrorCode, Result};

/// Print what completes the command line in a shell.
///
/// For bash: `fhir-server completions bash > /etc/bash_completion.d/fhir-server`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write one for each subcommand into a folder.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Manual {
    /// The folder; it must be there.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub(super) fn completions(args: &Completions) -> Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "fhir-server", &mut text);
    print(&text)
}

pub(super) fn manual(args: &Manual) -> Result<()> {
    let command = super::Cli::command();
    let Some(folder) = &args.folder else {
        return print(&page(command)?);
    };
    let mut pages = vec![("fhir-server".to_owned(), command.clone())];
    for one in command.get_subcommands() {
        let name = format!("fhir-server-{}", one.get_name());
        pages.push((name.clone(), one.clone().display_name(name)));
    }
    for (name, command) in pages {
        let file = folder.join(format!("{name}.1"));
        std::fs::write(&file, page(command)?).map_err(|cause| {
            let text = format!("{} cannot be written.", file.display());
            Error::new(ErrorCode::Invalid, text).with_cause(cause)
        })?;
    }
    Ok(())
}

fn page(command: Command) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(command).render(&mut text).map_err(Error::internal)?;
    Ok(text)
}

fn print(text: &[u8]) -> Result<()> {
    std::io::stdout().write_all(text).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn every_shell_gets_completions_that_name_the_subcommands() {
        for shell in Shell::value_variants() {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut crate::cli::Cli::command(), "fhir-server", &mut text);
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains("serve") && text.contains("terminology"), "{shell}");
        }
    }

    #[test]
    fn there_is_a_manual_page_for_each_subcommand() {
        let folder = tempfile::tempdir().unwrap();
        let args = Manual {
            folder: Some(folder.path().to_owned()),
        };
        manual(&args).unwrap();
        let serve = std::fs::read_to_string(folder.path().join("fhir-server-serve.1")).unwrap();
        assert!(serve.contains("FHIR_SERVER_BIND"), "{serve}");
        let pages = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(pages, crate::cli::Cli::command().get_subcommands().count() + 1);
    }
}
