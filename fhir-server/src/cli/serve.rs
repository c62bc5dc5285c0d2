//! `serve`: runs the server until it is told to end.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use fhir_server::FhirServer;
use fhir_server::config::{Config, LogFormat};
use fhir_server::error::{Error, ErrorCode, Result};
use fhir_server::policy::PermitAll;
use fhir_server::server::{self, Running};
use fhir_server::store::DatabaseUrl;

use super::database::Database;
use super::validation::ValidationArgs;
use super::{logging, sandbox, signals};

/// Serve FHIR over HTTP.
///
/// Each option can be given as an environment variable too; the option wins.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port to listen at. Port 0 lets the system choose.
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080",
        env = "FHIR_SERVER_BIND"
    )]
    bind: SocketAddr,
    /// Where the resources are kept: sqlite:PATH, a file that is made where it is not there, or
    /// postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, value_name = "URL", env = "FHIR_SERVER_DATABASE")]
    database: Option<DatabaseUrl>,
    /// Serve without tokens, to this machine alone, and fill an empty database with sample data. Never for real patients.
    #[arg(long, env = "FHIR_SERVER_SANDBOX")]
    sandbox: bool,
    /// Serve the sandbox to the network too, as inside a container. Everyone who reaches it can read and change
    /// everything.
    #[arg(long, requires = "sandbox", env = "FHIR_SERVER_OPEN_TO_NETWORK")]
    open_to_network: bool,
    /// The path of the FHIR base.
    #[arg(
        long,
        value_name = "PATH",
        default_value = "/fhir",
        env = "FHIR_SERVER_BASE_PATH"
    )]
    base_path: String,
    /// The FHIR base as clients see it, where a proxy stands before the server.
    #[arg(long, value_name = "URL", env = "FHIR_SERVER_PUBLIC_BASE_URL")]
    public_base_url: Option<String>,
    /// A second address for /livez, /readyz and /metrics. Without it there is no /metrics.
    #[arg(long, value_name = "ADDRESS", env = "FHIR_SERVER_METRICS_BIND")]
    metrics_bind: Option<SocketAddr>,
    /// Threads that answer requests. Default: one a processor.
    #[arg(long, value_name = "COUNT", env = "FHIR_SERVER_WORKERS")]
    workers: Option<usize>,
    /// Seconds to go on taking connections after SIGTERM, while /readyz says no. Default: 5, in the sandbox 0.
    #[arg(long, value_name = "SECONDS", env = "FHIR_SERVER_DRAIN")]
    drain: Option<u64>,
    /// The form of log lines, which go to standard error.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        env = "FHIR_SERVER_LOG_FORMAT"
    )]
    log_format: Format,
    /// What is logged: error, warn, info, debug or trace. Default: info, in the sandbox warn.
    #[arg(long, value_name = "LEVEL", env = "FHIR_SERVER_LOG")]
    log: Option<String>,
    #[command(flatten)]
    validation: ValidationArgs,
}

/// As [`LogFormat`], for the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(super) fn run(args: Args) -> Result<()> {
    let config = config(&args)?;
    logging::start(&config.log)?;
    let database = Database::open(args.database.as_ref(), config.sandbox.enabled)?;
    server::run(serve(config, &database))
}

async fn serve(config: Config, database: &Database) -> Result<()> {
    let is_sandbox = config.sandbox.enabled;
    let builder = FhirServer::builder().config(config).store(database.store.clone());
    // Outside the sandbox nobody is let in until tokens are known; there is nothing to permit.
    let server = match is_sandbox {
        true => builder.policy(PermitAll).build().await?,
        false => builder.build().await?,
    };
    if is_sandbox {
        sandbox::fill(&server).await?;
    }
    let running = server.listen()?;
    greet(server.config(), &running, database);
    let end = signals::end()?;
    running.until(end).await?;
    database.store.close().await;
    Ok(())
}

fn config(args: &Args) -> Result<Config> {
    if !args.sandbox && !args.bind.ip().is_loopback() {
        let text = format!(
            "No way to know callers is configured, so the server does not listen at {}, which others can reach. Use \
             --bind 127.0.0.1:8080, or --sandbox with --open-to-network where nothing but test data is at stake.",
            args.bind
        );
        return Err(Error::new(ErrorCode::Invalid, text));
    }
    let mut config = Config::default();
    config.listen.bind = args.bind;
    config.listen.metrics_bind = args.metrics_bind;
    config.listen.base_path.clone_from(&args.base_path);
    config.listen.public_base_url.clone_from(&args.public_base_url);
    config.listen.workers = args.workers;
    args.validation.set(&mut config.validation);
    config.sandbox.enabled = args.sandbox;
    config.sandbox.open_to_network = args.open_to_network;
    config.log.format = match args.log_format {
        Format::Text => LogFormat::Text,
        Format::Json => LogFormat::Json,
    };
    match (&args.log, args.sandbox) {
        (Some(level), _) => config.log.level.clone_from(level),
        (None, true) => config.log.level = "warn".into(),
        (None, false) => {}
    }
    match (args.drain, args.sandbox) {
        (Some(seconds), _) => config.shutdown.drain = Duration::from_secs(seconds),
        (None, true) => config.shutdown.drain = Duration::ZERO,
        (None, false) => {}
    }
    config.check()?;
    Ok(config)
}

/// Tells where the server is and what to try first. Where nobody listens to standard output, the server serves all the same.
fn greet(config: &Config, running: &Running, database: &Database) {
    let greeting = greeting(config, running, database);
    let mut out = std::io::stdout().lock();
    if out
        .write_all(greeting.as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        tracing::debug!("standard output is closed: no greeting");
    }
}

fn greeting(config: &Config, running: &Running, database: &Database) -> String {
    let mut lines = Vec::new();
    let host = format!("http://{}", running.address);
    let base = config
        .listen
        .public_base_url
        .clone()
        .unwrap_or_else(|| format!("{host}{}", config.listen.base_path));
    lines.push(format!("fhir-server {}", env!("CARGO_PKG_VERSION")));
    lines.push(format!("  FHIR base  {base}"));
    #[cfg(feature = "docs")]
    lines.push(format!("  API        {host}/docs/"));
    lines.push(format!("  health     {host}/readyz"));
    if let Some(address) = running.metrics_address {
        lines.push(format!("  metrics    http://{address}/metrics"));
    }
    lines.push(format!("  database   {database}"));
    match config.sandbox.enabled {
        true => {
            lines.push("The sandbox: sample data, no tokens. Never for real patients.".to_owned());
            lines.push(format!("Try:  curl '{base}/Patient?_count=2&_pretty=true'"));
        }
        false => lines.push(format!(
            "Callers without a token get 401; only {base}/metadata is open."
        )),
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn read(line: &str) -> Result<Config> {
        config(&Line::try_parse_from(line.split_whitespace()).unwrap().args)
    }

    #[test]
    fn the_defaults_are_those_of_the_configuration() {
        let config = read("serve").unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn nobody_unknown_is_served_on_the_network() {
        read("serve --bind 0.0.0.0:80").unwrap_err();
        read("serve --bind 0.0.0.0:80 --sandbox").unwrap_err();
        let open = read("serve --bind 0.0.0.0:80 --sandbox --open-to-network").unwrap();
        assert!(open.sandbox.open_to_network);
        assert!(Line::try_parse_from(["serve", "--open-to-network"]).is_err());
    }

    #[test]
    fn options_reach_the_configuration() {
        let config = read(
            "serve --bind [::1]:9 --sandbox --base-path /FHIR/R4 --public-base-url https://x.example/r4 --metrics-bind \
             127.0.0.1:0 --workers 3 --drain 7 --log-format json --log debug",
        )
        .unwrap();
        assert_eq!(config.listen.bind.to_string(), "[::1]:9");
        assert_eq!(config.listen.base_path, "/FHIR/R4");
        assert_eq!(
            config.listen.public_base_url.as_deref(),
            Some("https://x.example/r4")
        );
        assert_eq!(
            (config.listen.workers, config.shutdown.drain),
            (Some(3), Duration::from_secs(7))
        );
        assert_eq!(
            (config.log.format, config.log.level.as_str()),
            (LogFormat::Json, "debug")
        );
        assert!(read("serve --base-path fhir").is_err());
    }
}
