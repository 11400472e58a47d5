//! Listening, and stopping in order.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};

use super::routes::{configure, configure_admin, configure_extender};
use super::state::ServerState;

/// How long an idle connection lives. Go's transport drops one after 90 seconds; were we the first to
/// drop it, a request would meet a closed connection.
const IDLE: Duration = Duration::from_secs(150);
/// How many workers the admin address has.
const ADMIN_WORKERS: usize = 1;

/// How the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunSettings {
    /// Threads that answer; `None` is one for each core.
    pub workers: Option<usize>,
    /// How long requests in flight may take to finish at a shutdown.
    pub shutdown_grace: Duration,
}

/// Serves until SIGINT or SIGTERM, then lets requests in flight finish. With an admin listener, the
/// admin routes are there and only there.
///
/// # Errors
/// Where a listener cannot be used.
pub async fn run(
    state: Data<ServerState>,
    extender: TcpListener,
    admin: Option<TcpListener>,
    settings: RunSettings,
) -> io::Result<()> {
    let Some(admin) = admin else {
        return serve(state, extender, configure, settings.workers, settings)?.await;
    };
    let extender = serve(
        state.clone(),
        extender,
        configure_extender,
        settings.workers,
        settings,
    )?;
    let admin = serve(state, admin, configure_admin, Some(ADMIN_WORKERS), settings)?;
    futures::future::try_join(extender, admin).await.map(|_| ())
}

fn serve(
    state: Data<ServerState>,
    listener: TcpListener,
    routes: fn(&mut ServiceConfig),
    workers: Option<usize>,
    settings: RunSettings,
) -> io::Result<Server> {
    let server = HttpServer::new(move || App::new().app_data(state.clone()).configure(routes))
        .keep_alive(IDLE)
        // An answer is written in one piece; its last packet must not wait for an acknowledgement.
        .tcp_nodelay(true)
        .shutdown_timeout(settings.shutdown_grace.as_secs());
    let server = match workers {
        Some(workers) => server.workers(workers.max(1)),
        None => server,
    };
    Ok(server.listen(listener)?.run())
}
