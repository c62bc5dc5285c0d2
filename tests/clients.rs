//! Clients that others wrote work unchanged: fhirpy and fhirclient (Python), fhir-kit-client (Node.js); and so do clients that
//! the generators of others make of the committed OpenAPI document, in TypeScript, Python and Go, in which linters find no error.
//!
//! `tests/clients/install.sh` installs them; without them each test prints a `SKIPPED (needs …)` line and passes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[expect(
    dead_code,
    reason = "the other tests that have a server process want more of it"
)]
mod process;

use std::path::{Path, PathBuf};
use std::process::Command;

use fhir_server::store::ResourceType;
use process::Server;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients")
}

/// Runs a client's script against a sandbox of its own.
fn run(needs: &str, program: &str, installed: &str, script: &str) {
    let installed = folder().join("installed").join(installed);
    if !installed.exists() {
        println!("SKIPPED (needs {needs}: tests/clients/install.sh)");
        return;
    }
    let database = tempfile::tempdir().unwrap();
    let server = Server::start(&process::sqlite(&database.path().join("clients.sqlite")), &[]);
    // A module finds what it imports beside itself.
    let copy = installed.join(script);
    std::fs::copy(folder().join(script), &copy).unwrap();
    let output = Command::new(program.replace("{installed}", &installed.display().to_string()))
        .arg(copy)
        .arg(format!("http://{}/fhir", server.address))
        .output()
        .unwrap();
    if !output.status.success() {
        panic!(
            "{script} failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn fhirpy_writes_searches_and_batches() {
    run("fhirpy", "{installed}/bin/python", "python", "fhirpy_client.py");
}

#[test]
fn fhirclient_writes_searches_and_batches() {
    run(
        "fhirclient",
        "{installed}/bin/python",
        "python",
        "fhirclient_client.py",
    );
}

#[test]
fn fhir_kit_client_writes_searches_and_batches() {
    run("fhir-kit-client", "node", "node", "fhir_kit_client.mjs");
}

/// The committed document.
fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/openapi.json")
}

/// Runs a command in a folder; fails with what it printed.
fn run_in(folder: &Path, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments);
    // No tool tells its maker that it was used.
    command.env("REDOCLY_TELEMETRY", "off").env("GOFLAGS", "-mod=mod");
    let output = command.output().unwrap();
    if !output.status.success() {
        panic!(
            "{arguments:?} failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Where something is installed, or the reason to leave the test out.
fn installed(path: &str) -> Option<PathBuf> {
    let path = folder().join("installed").join(path);
    if !path.exists() {
        println!("SKIPPED (needs {}: tests/clients/install.sh)", path.display());
        return None;
    }
    Some(path)
}

/// A program of the installed packages of Node.js.
fn node(name: &str) -> Option<PathBuf> {
    installed(&format!("node/node_modules/.bin/{name}"))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn linters_find_no_error_in_the_documents() {
    let (Some(redocly), Some(spectral)) = (node("redocly"), node("spectral")) else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut documents = vec![document()];
    for name in ["CodeSystem", "Observation", "Parameters"] {
        let resource_type = ResourceType::from_name(name).unwrap();
        let path = scratch.path().join(format!("{name}.json"));
        std::fs::write(
            &path,
            fhir_server::openapi::document_of("/fhir", resource_type).unwrap(),
        )
        .unwrap();
        documents.push(path);
    }
    let documents: Vec<&str> = documents.iter().map(|path| text(path)).collect();
    let lint =
        |program, options: &[&str]| run_in(&folder(), program, &[&["lint"], options, &documents].concat());
    lint(redocly, &["--config", "redocly.yaml"]);
    lint(
        spectral,
        &["--ruleset", "spectral.yaml", "--fail-severity", "error"],
    );
}

/// A server, and its FHIR base.
fn sandbox(database: &tempfile::TempDir) -> (Server, String) {
    let server = Server::start(&process::sqlite(&database.path().join("clients.sqlite")), &[]);
    let base = format!("http://{}/fhir", server.address);
    (server, base)
}

#[test]
fn a_client_generated_in_typescript_compiles_and_works() {
    let (Some(types), Some(client), Some(tsc)) =
        (node("openapi-typescript"), node("openapi-ts"), node("tsc"))
    else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let at = scratch.path();
    let modules = folder().join("installed/node/node_modules");
    std::os::unix::fs::symlink(modules, at.join("node_modules")).unwrap();
    for file in ["ts_client.ts", "tsconfig.json"] {
        std::fs::copy(folder().join(file), at.join(file)).unwrap();
    }
    let document = document();
    run_in(at, types, &[text(&document), "--output", "types.d.ts"]);
    run_in(at, client, &["--input", text(&document), "--output", "generated"]);
    run_in(at, tsc, &["--project", "tsconfig.json"]);
    let (_server, base) = sandbox(&scratch);
    run_in(at, "node", &["built/ts_client.js", &base]);
}

#[test]
fn a_client_generated_in_python_works() {
    let Some(bin) = installed("python/bin") else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let at = scratch.path();
    std::fs::copy(
        folder().join("generated_client.py"),
        at.join("generated_client.py"),
    )
    .unwrap();
    let config = at.join("config.yaml");
    let ruff = text(&bin.join("ruff")).to_owned();
    std::fs::write(
        &config,
        format!("post_hooks: [\"{ruff} check . --fix-only --quiet\"]\n"),
    )
    .unwrap();
    let document = document();
    let generate = [
        "generate",
        "--path",
        text(&document),
        "--output-path",
        "generated_client",
        "--meta",
        "none",
    ];
    let generate = [&generate[..], &["--config", text(&config)]].concat();
    run_in(at, bin.join("openapi-python-client"), &generate);
    let (_server, base) = sandbox(&scratch);
    run_in(at, bin.join("python"), &["generated_client.py", &base]);
}

#[test]
fn a_client_generated_in_go_compiles_and_works() {
    let Some(generator) = installed("go/oapi-codegen") else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let at = scratch.path();
    for file in ["main.go", "go.mod", "go.sum", "generate.yaml"] {
        std::fs::copy(folder().join("go").join(file), at.join(file)).unwrap();
    }
    let document = document();
    run_in(at, generator, &["-config", "generate.yaml", text(&document)]);
    run_in(at, "go", &["build", "-o", "client", "."]);
    let (_server, base) = sandbox(&scratch);
    run_in(at, at.join("client"), &[&base]);
}
