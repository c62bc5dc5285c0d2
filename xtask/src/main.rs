//! Tasks of the project; `cargo xtask` lists them.

use std::process::ExitCode;

use xtask::{Result, codegen, configuration, definitions, dictionary, openapi, tidy, workspace_root};

const USAGE: &str = "\
usage: cargo xtask <task>

  definitions --package CORE.tgz --search-parameters BUNDLE.json.gz
              trims the official R4 definitions to facts: fhir-model/definitions/r4/
  definitions-uk-core --package STU2.tgz --staging STU3.tgz
              trims UK Core to facts: fhir-validate/definitions/
  terminology --package TERMINOLOGY.tgz
              trims HL7's terminology to facts: fhir-validate/definitions/tho/
  codegen     writes fhir-model/src/generated/ from the trimmed definitions
  codegen --check
              fails if a generated file differs from what codegen would write
  openapi     writes openapi/, the OpenAPI document and the JSON Schemas
  openapi --check
              fails if a file there differs from what openapi would write
  configuration
              writes docs/configuration.md from the doc comments of the configuration and the command line
  configuration --check
              fails if it differs from what configuration would write
  tidy        checks the rules of the house that the compiler does not
  dictionary --records FOLDER --to FILE
              trains a new dictionary with which the store packs resources, on the Bundles of a folder (the sandbox's)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<()> {
    let root = workspace_root();
    match args {
        ["definitions", "--package", package, "--search-parameters", bundle] => {
            definitions::write(&root, package.as_ref(), bundle.as_ref())
        }
        ["definitions-uk-core", "--package", package, "--staging", staging] => {
            definitions::uk_core::write(&root, package.as_ref(), staging.as_ref())
        }
        ["terminology", "--package", package] => definitions::terminology::write(&root, package.as_ref()),
        ["codegen"] => codegen::write(&root),
        ["codegen", "--check"] => codegen::check(&root),
        ["openapi"] => openapi::write(&root),
        ["openapi", "--check"] => openapi::check(&root),
        ["configuration"] => configuration::write(&root),
        ["configuration", "--check"] => configuration::check(&root),
        ["tidy"] => tidy::check(&root),
        ["dictionary", "--records", records, "--to", to] => {
            dictionary::train(&root, records.as_ref(), to.as_ref())
        }
        _ => Err(USAGE.to_owned()),
    }
}
