//! `serve`: runs the server until it is told to end.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use fhir_server::FhirServer;
#[cfg(feature = "authority")]
use fhir_server::config::AppConfig;
use fhir_server::config::{Config, LogFormat};
use fhir_server::error::{Error, ErrorCode, Result};
use fhir_server::policy::Chain;
use fhir_server::server::{self, Running};
use fhir_server::store::DatabaseUrl;

use super::database::Database;
#[cfg(feature = "authority")]
use super::token;
use super::validation::ValidationArgs;
use super::{logging, sandbox, signals};

/// Serve FHIR over HTTP.
///
/// Each option can be given as an environment variable too; the option wins.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port to listen at. Port 0 lets the system choose.
    /// Default: 127.0.0.1:8080.
    #[arg(long, value_name = "ADDRESS", env = "FHIR_SERVER_BIND")]
    bind: Option<SocketAddr>,
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
    /// Where the sandbox's key for tokens is kept. Default: beside the file of its database.
    #[cfg(feature = "authority")]
    #[arg(
        long,
        value_name = "FILE",
        requires = "sandbox",
        env = "FHIR_SERVER_AUTHORITY_KEY"
    )]
    authority_key: Option<PathBuf>,
    /// An address to which the sandbox's authority lets users come back, for the public app `sandbox-app`; may be given more than once.
    #[cfg(feature = "authority")]
    #[arg(long, value_name = "URI", requires = "sandbox")]
    redirect_uri: Vec<String>,
    /// A file with the configuration, in JSON; what the command line says goes before it.
    #[arg(long, value_name = "FILE", env = "FHIR_SERVER_CONFIG")]
    config: Option<PathBuf>,
    /// The path of the FHIR base.
    #[arg(long, value_name = "PATH", env = "FHIR_SERVER_BASE_PATH")]
    base_path: Option<String>,
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
    /// The folder in which `terminology load` keeps releases of SNOMED CT and dm+d.
    #[arg(long, value_name = "FOLDER", env = "FHIR_SERVER_TERMINOLOGY")]
    terminology: Option<std::path::PathBuf>,
    /// The form of log lines, which go to standard error.
    /// Default: text.
    #[arg(long, value_name = "FORMAT", env = "FHIR_SERVER_LOG_FORMAT")]
    log_format: Option<Format>,
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
    #[cfg(feature = "authority")]
    let config = keyed(config, &database);
    server::run(serve(config, &database))
}

async fn serve(config: Config, database: &Database) -> Result<()> {
    let is_sandbox = config.sandbox.enabled;
    let mut emergency = config.emergency.settings();
    if is_sandbox && emergency.roles.is_empty() {
        emergency.roles = sandbox::EMERGENCY_ROLES.map(str::to_owned).into();
    }
    let builder = FhirServer::builder()
        .config(config)
        .store(database.store.clone())
        .samples(&sandbox::samples());
    #[cfg(feature = "authority")]
    let builder = builder.people(sandbox::people());
    let policy = match is_sandbox {
        true => Chain::sandbox(),
        false => Chain::standard(),
    };
    let builder = builder.policy(policy.opening_in_emergency(emergency));
    let server = builder.build().await?;
    if is_sandbox {
        server.fill().await?;
    }
    let running = server.listen()?;
    greet(server.config(), &running, database);
    let end = signals::end()?;
    running.until(end).await?;
    database.store.close().await;
    Ok(())
}

/// The configuration of the file, with what the command line says in its place.
fn config(args: &Args) -> Result<Config> {
    let mut config = match &args.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    if let Some(bind) = args.bind {
        config.listen.bind = bind;
    }
    if let Some(path) = &args.base_path {
        config.listen.base_path.clone_from(path);
    }
    config.listen.metrics_bind = args.metrics_bind.or(config.listen.metrics_bind);
    config.listen.public_base_url = args.public_base_url.clone().or(config.listen.public_base_url);
    config.listen.workers = args.workers.or(config.listen.workers);
    config.terminology.folder = args.terminology.clone().or(config.terminology.folder);
    args.validation.set(&mut config.validation);
    config.sandbox.enabled |= args.sandbox;
    config.sandbox.open_to_network |= args.open_to_network;
    #[cfg(feature = "authority")]
    with_authority(args, &mut config);
    match args.log_format {
        Some(Format::Text) => config.log.format = LogFormat::Text,
        Some(Format::Json) => config.log.format = LogFormat::Json,
        None => {}
    }
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
    check_reach(&config)?;
    Ok(config)
}

/// Refuses to listen where others reach it while nobody can be known.
fn check_reach(config: &Config) -> Result<()> {
    let nobody = config.tokens.issuers.is_empty() && !config.sandbox.enabled;
    if !nobody || config.listen.bind.ip().is_loopback() {
        return Ok(());
    }
    let text = format!(
        "No way to know callers is configured, so the server does not listen at {}, which others can reach. Name an issuer of access \
         tokens in the configuration (tokens.issuers), use --bind 127.0.0.1:8080, or --sandbox with --open-to-network where nothing but \
         test data is at stake.",
        config.listen.bind
    );
    Err(Error::new(ErrorCode::Invalid, text))
}

/// The authority's key is kept beside the database, a temporary one too, so that `token` finds it.
#[cfg(feature = "authority")]
fn keyed(mut config: Config, database: &Database) -> Config {
    if config.authority.enabled && config.authority.key_file.is_none() {
        config.authority.key_file = token::key_file(None, Some(database.url()));
    }
    config
}

/// The sandbox on loopback has an authority of its own.
#[cfg(feature = "authority")]
fn with_authority(args: &Args, config: &mut Config) {
    let authority = &mut config.authority;
    authority.enabled |= args.sandbox && config.listen.bind.ip().is_loopback();
    authority.key_file = args.authority_key.clone().or(authority.key_file.take());
    if !args.redirect_uri.is_empty() {
        authority
            .apps
            .push(AppConfig::new("sandbox-app", args.redirect_uri.clone()));
    }
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
    let scheme = if config.listen.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let host = format!("{scheme}://{}", running.address);
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
            lines.push("The sandbox: sample data, no token needed. Never for real patients.".to_owned());
            lines.push(format!("Try:  curl '{base}/Patient?_count=2&_pretty=true'"));
            #[cfg(feature = "authority")]
            if let (true, Some(key)) = (config.authority.enabled, &config.authority.key_file) {
                lines.push(format!(
                    "As somebody:  fhir-server token --as dr-a --base {base} --authority-key {}",
                    key.display()
                ));
            }
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

    /// A configuration in a file with that mode, and what reading it says.
    fn of_file(text: &str, mode: u32, line: &str) -> std::result::Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        read(&format!("{line} --config {}", path.display())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_configures_and_the_command_line_goes_before_it() {
        let text = r#"{"listen":{"bind":"127.0.0.1:1","base_path":"/r4"},"interactions":{"page_default":7}}"#;
        let config = of_file(text, 0o600, "serve").unwrap();
        assert_eq!(config.listen.bind.to_string(), "127.0.0.1:1");
        assert_eq!(config.interactions.page_default, 7);
        let config = of_file(text, 0o644, "serve --bind 127.0.0.1:2").unwrap();
        assert_eq!(config.listen.bind.to_string(), "127.0.0.1:2");
        assert_eq!(config.listen.base_path, "/r4");
    }

    #[test]
    fn what_is_unsafe_does_not_start_s_092() {
        let issuer = r#"{"issuer":"http://as.example","keys_file":"k"}"#;
        for (text, line, word) in [
            ("{}", "serve --bind 0.0.0.0:80", "No way to know callers"),
            ("{}", "serve --bind [::]:80", "No way to know callers"),
            (
                "{}",
                "serve --bind 10.0.0.1:80 --sandbox",
                "The sandbox asks nobody",
            ),
            (
                r#"{"sandbox":{"enabled":true},"listen":{"bind":"0.0.0.0:80"}}"#,
                "serve",
                "The sandbox asks nobody",
            ),
            (r#"{"token":{}}"#, "serve", "unknown field `token`"),
            (r#"{"tokens":{"issuer":[]}}"#, "serve", "unknown field `issuer`"),
            (
                &format!(r#"{{"tokens":{{"issuers":[{issuer}]}}}}"#),
                "serve",
                "must be an https URL",
            ),
            (
                r#"{"listen":{"allowed_origins":["*"]}}"#,
                "serve",
                "There is no wildcard",
            ),
            (
                r#"{"outbound":{"allow":["https://*"]}}"#,
                "serve",
                "There is no wildcard",
            ),
            (
                r#"{"authority":{"enabled":true}}"#,
                "serve",
                "without sandbox.enabled",
            ),
            (
                r#"{"authority":{"enabled":true},"listen":{"bind":"0.0.0.0:80"}}"#,
                "serve --sandbox --open-to-network",
                "authority.open_to_network",
            ),
            (
                r#"{"listen":{"bind":"127.0.0.1:1"},"listen":{}}"#,
                "serve",
                "duplicate field",
            ),
            ("{", "serve", "cannot be read"),
        ] {
            let error = of_file(text, 0o600, line).unwrap_err();
            assert!(error.contains(word), "{text} {line}: {error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_configuration_that_others_can_change_is_not_used_s_092() {
        for mode in [0o666, 0o620, 0o602] {
            assert!(
                of_file("{}", mode, "serve").unwrap_err().contains("chmod"),
                "{mode:o}"
            );
        }
        assert!(read("serve --config does-not-exist.json").is_err());
    }

    #[cfg(feature = "authority")]
    #[test]
    fn the_sandbox_on_loopback_has_an_authority() {
        let config =
            read("serve --sandbox --redirect-uri http://localhost:3000/cb --authority-key k").unwrap();
        assert!(config.authority.enabled);
        assert_eq!(
            config.authority.key_file.as_deref(),
            Some(std::path::Path::new("k"))
        );
        assert_eq!(
            config.authority.apps[0].redirect_uris,
            ["http://localhost:3000/cb"]
        );
        assert!(!read("serve").unwrap().authority.enabled);
        let open = read("serve --sandbox --bind 0.0.0.0:1 --open-to-network").unwrap();
        assert!(!open.authority.enabled, "only on loopback unless it is asked for");
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
