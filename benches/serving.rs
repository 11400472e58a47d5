//! A server as `domicile serve` runs it, with one worker on loopback, and a keep-alive connection to it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};
use arc_swap::ArcSwapOption;
use domicile::decisions::DecisionIds;
use domicile::metrics::Metrics;
use domicile::server::{Admission, AnswerSettings, BodyBudget, Readiness, ServerState, Turns};
use domicile::snapshot::Snapshot;

use crate::world;

/// What it answers from.
pub fn state(snapshot: Snapshot) -> ServerState {
    ServerState {
        snapshots: Arc::new(ArcSwapOption::from_pointee(snapshot)),
        measured: Arc::default(),
        readiness: Arc::new(Readiness::waiting_for(Vec::<String>::new())),
        exempt_before_ready: Arc::default(),
        clock: || world::NOW.parse().expect("an instant"),
        answers: AnswerSettings::default(),
        bodies: Arc::new(BodyBudget::new(256 << 20)),
        turns: Arc::new(Turns::new(256, Duration::from_mins(1))),
        admission: Admission::default(),
        metrics: Arc::new(Metrics::new()),
        pod_events: None,
        decisions: None,
        decision_ids: DecisionIds::new(world::NOW.parse().expect("an instant")),
    }
}

/// Starts it and tells its address; it ends with the process.
pub fn start(snapshot: Snapshot, routes: fn(&mut ServiceConfig)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let state = Data::new(state(snapshot));
    std::thread::spawn(move || {
        let server = HttpServer::new(move || App::new().app_data(state.clone()).configure(routes));
        let server = server.keep_alive(Duration::from_secs(150)).tcp_nodelay(true);
        let server = server.workers(1).listen(listener).expect("listening").run();
        actix_web::rt::System::new().block_on(server).expect("serving");
    });
    address
}

/// One keep-alive connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Self {
            stream,
            buffer: vec![0; 4 << 20],
        }
    }

    fn receive(&mut self, filled: &mut usize) {
        if *filled == self.buffer.len() {
            self.buffer.resize(*filled * 2, 0);
        }
        *filled += self.stream.read(&mut self.buffer[*filled..]).expect("received");
    }

    /// Sends a whole request and reads the whole answer; gives its body.
    pub fn call(&mut self, request: &[u8]) -> &[u8] {
        self.stream.write_all(request).expect("sent");
        let mut filled = 0;
        loop {
            self.receive(&mut filled);
            let received = &self.buffer[..filled];
            let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&received[..end]).expect("a head");
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            });
            let whole = end + 4 + length.unwrap_or(0_usize);
            while filled < whole {
                self.receive(&mut filled);
            }
            return &self.buffer[end + 4..whole];
        }
    }
}

/// A request as Go's client sends it.
pub fn request(path: &str, agent: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {agent}\r\nContent-Length: {}\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
