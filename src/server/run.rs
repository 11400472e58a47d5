//! Listening at several addresses, encrypted or not, and stopping in order.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Condition, from_fn};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};

use super::state::ServerState;
use super::tls::{ServerTls, listed_clients_only, remember_client};

/// How long an idle connection lives. Go's transport drops one after 90 seconds; were we the first to
/// drop it, a request would meet a closed connection.
const IDLE: Duration = Duration::from_secs(150);

/// How long the head of the first request of a connection may take to arrive; kube-scheduler and API servers send it in
/// one packet.
const LONGEST_HEAD: Duration = Duration::from_secs(5);

/// The most connections of a worker. kube-scheduler has one for each call at a time, an API server a few; each holds at
/// most 128 KiB of a head that is not whole. Further ones wait to be accepted.
const MOST_CONNECTIONS: usize = 1_024;

/// How the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunSettings {
    /// How long requests in flight may take to finish at a shutdown.
    pub shutdown_grace: Duration,
}

/// One address and what is served there.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
    routes: fn(&mut ServiceConfig),
    workers: Option<usize>,
    tls: Option<Arc<ServerTls>>,
}

impl Endpoint {
    /// Routes at an address, unencrypted, answered by one thread for each core.
    #[must_use]
    pub fn new(listener: TcpListener, routes: fn(&mut ServiceConfig)) -> Self {
        Self {
            listener,
            routes,
            workers: None,
            tls: None,
        }
    }

    /// The same, answered by so many threads; `None` is one for each core.
    #[must_use]
    pub fn with_workers(self, workers: Option<usize>) -> Self {
        Self { workers, ..self }
    }

    /// The same, encrypted where there is something to encrypt with; HTTP/2 is offered then.
    #[must_use]
    pub fn with_tls(self, tls: Option<Arc<ServerTls>>) -> Self {
        Self { tls, ..self }
    }

    fn serve(self, state: Data<ServerState>, settings: RunSettings) -> io::Result<Server> {
        let routes = self.routes;
        let asks_who_calls = self.tls.as_ref().is_some_and(|tls| tls.client_names().is_some());
        let application = move || {
            App::new()
                .app_data(state.clone())
                .configure(routes)
                .wrap(Condition::new(asks_who_calls, from_fn(listed_clients_only)))
        };
        let tls = self.tls.clone();
        let server = HttpServer::new(application)
            .keep_alive(IDLE)
            .client_request_timeout(LONGEST_HEAD)
            .max_connections(MOST_CONNECTIONS)
            // An answer is written in one piece; its last packet must not wait for an acknowledgement.
            .tcp_nodelay(true)
            .shutdown_timeout(settings.shutdown_grace.as_secs())
            .on_connect(move |connection, data| {
                if let Some(tls) = &tls {
                    remember_client(tls, connection, data);
                }
            });
        let server = match self.workers {
            Some(workers) => server.workers(workers.max(1)),
            None => server,
        };
        let server = match &self.tls {
            Some(tls) => {
                let configuration = tls.configuration().map_err(io::Error::other)?;
                server.listen_rustls_0_23(self.listener, configuration)?
            }
            None => server.listen(self.listener)?,
        };
        Ok(server.run())
    }
}

/// Serves every endpoint until SIGINT or SIGTERM; then no connection is accepted, those that are idle are closed, and
/// requests in flight may finish.
///
/// # Errors
/// Where a listener cannot be used.
pub async fn run(
    state: Data<ServerState>,
    endpoints: Vec<Endpoint>,
    settings: RunSettings,
) -> io::Result<()> {
    let servers: Vec<Server> = endpoints
        .into_iter()
        .map(|endpoint| endpoint.serve(state.clone(), settings))
        .collect::<io::Result<_>>()?;
    futures::future::try_join_all(servers).await.map(|_| ())
}
