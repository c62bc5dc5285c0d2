//! Running the server: listeners, limits of connections, and an end without loss.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpServiceBuilder, KeepAlive};
use actix_server::{Server, ServerBuilder};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::rt::net::TcpStream;
use actix_web::{App, web};

use super::link::Link;
#[cfg(feature = "tls")]
use super::tls::Tls;
use super::wire::Wire;
use super::{State, lost, retention, sandbox, sealer};
use crate::config::Config;
use crate::error::{Error, ErrorCode, Result};
use crate::server::FhirServer;

/// How long a connection stays open after an answer whose request was not read to its end, so that the answer arrives.
const LINGER: Duration = Duration::from_secs(2);

/// A server that listens. It ends when [`Running::until`] does.
pub struct Running {
    state: Arc<State>,
    /// Where it listens; the port is the one the system chose where 0 was asked for.
    pub address: SocketAddr,
    /// Where `/metrics` listens, if anywhere.
    pub metrics_address: Option<SocketAddr>,
    main: Server,
    metrics: Option<Server>,
}

/// Begins to listen at the configured addresses.
pub(crate) fn listen(server: &FhirServer) -> Result<Running> {
    let config = server.config();
    let workers = config
        .listen
        .workers
        .unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    let (address, listener) = open(config.listen.bind)?;
    #[cfg(feature = "authority")]
    if let Some(authority) = &server.state.authority {
        authority.listens_at(address);
    }
    let mounted = server.clone();
    let app = move || {
        let server = mounted.clone();
        let state = server.state.clone();
        // Paths are tried in this order: the FHIR base first, where most requests go.
        let app = App::new().configure(|app| server.configure(app));
        #[cfg(feature = "docs")]
        let app = app
            .configure(|app| server.configure_docs(app))
            .configure(super::configure_home);
        #[cfg(feature = "authority")]
        let app = app.configure(|app| server.configure_authority(app));
        app.configure(|app| server.configure_sandbox(app))
            .configure(|app| server.configure_discovery(app))
            .configure(|app| server.configure_health(app))
            .default_service(web::to(move |request, body| lost(state.clone(), request, body)))
    };
    let connections = config.listen.max_connections.div_ceil(workers);
    let door = Door::of(config)?;
    let main = serve(builder(workers, connections, config), listener, door, app, config)?;
    let (metrics_address, metrics) = listen_metrics(server)?.unzip();
    Ok(Running {
        state: server.state.clone(),
        address,
        metrics_address,
        main,
        metrics,
    })
}

/// Health and metrics on a thread and connections of their own, so that a flood on the main listener leaves them be.
fn listen_metrics(server: &FhirServer) -> Result<Option<(SocketAddr, Server)>> {
    let config = server.config();
    let Some(bind) = config.listen.metrics_bind else {
        return Ok(None);
    };
    let (address, listener) = open(bind)?;
    let mounted = server.clone();
    let app = move || {
        let server = mounted.clone();
        App::new()
            .configure(|app| server.configure_health(app))
            .configure(|app| server.configure_metrics(app))
    };
    Ok(Some((
        address,
        serve(builder(1, 64, config), listener, Door::default(), app, config)?,
    )))
}

impl Running {
    /// Serves until `end` resolves, then ends without loss: `/readyz` says no at once, connections are taken for
    /// `shutdown.drain` more, requests under way have `shutdown.grace` to end.
    ///
    /// # Errors
    /// The server failed.
    pub async fn until(self, end: impl Future<Output = Ending> + 'static) -> Result<()> {
        let main = self.main.handle();
        let to_seal = self.state.clone();
        let state = self.state;
        actix_web::rt::spawn(async move {
            let ending = end.await;
            state.draining.store(true, Ordering::Release);
            if ending == Ending::Drained {
                let drain = state.config.shutdown.drain;
                tracing::info!(
                    seconds = drain.as_secs_f32(),
                    "shutting down: load balancers look elsewhere first"
                );
                actix_web::rt::time::sleep(drain).await;
            }
            tracing::info!("shutting down: requests under way may end");
            main.stop(true).await;
        });
        let sealing = to_seal.clone();
        let sealer = actix_web::rt::spawn(async move { sealer::tend(&sealing).await });
        let keeping = to_seal.clone();
        let retention = actix_web::rt::spawn(async move { retention::tend(&keeping).await });
        let tending = to_seal.clone();
        let spaces = actix_web::rt::spawn(async move { sandbox::tend(&tending).await });
        let metrics = self
            .metrics
            .map(|server| (server.handle(), actix_web::rt::spawn(server)));
        let served = self.main.await;
        if let Some((handle, ended)) = metrics {
            handle.stop(false).await;
            ended.await.map_err(Error::internal)?.map_err(Error::internal)?;
        }
        sealer.abort();
        retention.abort();
        spaces.abort();
        sealer::end(&to_seal).await;
        served.map_err(Error::internal)
    }
}

/// How the server is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Go on for a while, so that load balancers see `/readyz` first.
    Drained,
    /// Take no more connections at once.
    Prompt,
}

fn open(bind: SocketAddr) -> Result<(SocketAddr, TcpListener)> {
    let opened = TcpListener::bind(bind).and_then(|listener| Ok((listener.local_addr()?, listener)));
    opened.map_err(|cause| {
        let text =
            format!("The server cannot listen at {bind}: {cause}. Name another address with `listen.bind`.");
        Error::new(ErrorCode::Invalid, text)
    })
}

fn builder(workers: usize, connections: usize, config: &Config) -> ServerBuilder {
    Server::build()
        .workers(workers)
        .max_concurrent_connections(connections)
        .disable_signals()
        .shutdown_timeout(config.shutdown.grace.as_secs())
}

/// How connections are taken: as they come, or under TLS.
#[derive(Clone, Default)]
struct Door {
    #[cfg(feature = "tls")]
    tls: Option<Arc<Tls>>,
}

impl Door {
    /// As the configuration of the main listener says.
    fn of(config: &Config) -> Result<Door> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &config.listen.tls {
            let tls = Tls::open(tls, config.deadlines.header)?;
            return Ok(Door {
                tls: Some(Arc::new(tls)),
            });
        }
        #[cfg(not(feature = "tls"))]
        if config.listen.tls.is_some() {
            let text = "listen.tls is set, and this build has no TLS: build it with the feature `tls`.";
            return Err(Error::new(ErrorCode::NotSupported, text));
        }
        Ok(Door::default())
    }

    #[cfg_attr(
        not(feature = "tls"),
        expect(clippy::unused_async, reason = "there is no handshake")
    )]
    async fn open(&self, socket: TcpStream) -> std::io::Result<Link> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return tls.accept(socket).await;
        }
        Ok(Link::Plain(socket))
    }
}

/// HTTP/1.1 on that listener, each connection a [`Wire`].
fn serve<F, T, B>(
    builder: ServerBuilder,
    listener: TcpListener,
    door: Door,
    app: F,
    config: &Config,
) -> Result<Server>
where
    F: Fn() -> App<T> + Send + Clone + 'static,
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let shutdown = builder.graceful_shutdown_signal();
    let deadlines = config.deadlines.clone();
    let factory = move || {
        let shutdown = shutdown.clone();
        let deadlines = deadlines.clone();
        let app = app()
            .into_factory()
            .map_err(|error: actix_web::Error| error.error_response());
        let http = HttpServiceBuilder::<Wire<Link>, _, _>::default()
            .graceful_shutdown_signal(move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            })
            .keep_alive(KeepAlive::Timeout(deadlines.keep_alive))
            .client_request_timeout(deadlines.header)
            .client_disconnect_timeout(LINGER)
            .h1_allow_half_closed(false)
            .tcp_nodelay(true)
            .h1(map_config(app, |()| AppConfig::default()));
        let door = door.clone();
        fn_service(move |socket: TcpStream| {
            let (door, deadlines) = (door.clone(), deadlines.clone());
            async move {
                let peer = socket.peer_addr().ok();
                let link = door.open(socket).await.map_err(DispatchError::Io)?;
                Ok::<_, DispatchError>((Wire::new(link, &deadlines), peer))
            }
        })
        .and_then(http)
    };
    Ok(builder
        .listen("fhir", listener, factory)
        .map_err(Error::internal)?
        .run())
}
