//! What a call costs over HTTP: `/filter` and `/prioritize` beside an echo of the same size.
//!
//! One server on loopback with one worker, one keep-alive connection. The echo reads a body as the
//! extender routes do and answers with as many bytes as it read, so what is beyond it is JSON, look-ups,
//! the decision and the answer. Samples are interleaved, so that whatever else the machine does falls
//! on all alike; medians are compared. Run: `cargo bench --bench http`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod world;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::{self, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use arc_swap::ArcSwapOption;
use domicile::decisions::DecisionIds;
use domicile::metrics::Metrics;
use domicile::server::{Admission, AnswerSettings, BodyBudget, Readiness, ServerState, configure, read_body};
use domicile::snapshot::Snapshot;

async fn echo(state: Data<ServerState>, request: HttpRequest, payload: Payload) -> HttpResponse {
    match read_body(&request, payload, &state.bodies).await {
        Ok(body) => HttpResponse::Ok().body(body.bytes().clone()),
        Err(error) => HttpResponse::BadRequest().body(error.to_string()),
    }
}

fn start(snapshot: Snapshot) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let state = Data::new(ServerState {
        snapshots: Arc::new(ArcSwapOption::from_pointee(snapshot)),
        measured: Arc::default(),
        readiness: Arc::new(Readiness::waiting_for(Vec::<String>::new())),
        exempt_before_ready: Arc::default(),
        clock: || world::NOW.parse().expect("an instant"),
        answers: AnswerSettings::default(),
        bodies: Arc::new(BodyBudget::new(256 << 20)),
        metrics: Arc::new(Metrics::new()),
        pod_events: None,
        decisions: None,
        decision_ids: DecisionIds::new(world::NOW.parse().expect("an instant")),
        admission: Admission::default(),
    });
    std::thread::spawn(move || {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .route("/echo", web::post().to(echo))
                .configure(configure)
        });
        let server = server.keep_alive(Duration::from_secs(150)).tcp_nodelay(true);
        let server = server.workers(1).listen(listener).expect("listening").run();
        actix_web::rt::System::new().block_on(server).expect("serving");
    });
    address
}

/// One keep-alive connection.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Self {
            stream,
            buffer: vec![0; 4 << 20],
        }
    }

    /// Sends a whole request and reads the whole answer; gives its body.
    fn call(&mut self, request: &[u8]) -> &[u8] {
        self.stream.write_all(request).expect("sent");
        let mut filled = 0;
        loop {
            filled += self.stream.read(&mut self.buffer[filled..]).expect("received");
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
                filled += self.stream.read(&mut self.buffer[filled..]).expect("received");
            }
            return &self.buffer[end + 4..whole];
        }
    }
}

fn request(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {}\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort_unstable();
    samples[samples.len() / 2]
}

fn main() {
    println!(
        "{:>7} {:<12} {:>9} {:>12} {:>10} {:>7} {:>12}",
        "names", "route", "permitted", "answer bytes", "P50 µs", "x echo", "ns per name"
    );
    for (count, rounds) in [(500, 1_500), (5_000, 600), (15_000, 250)] {
        let nodes = world::nodes(count);
        let mut client = Client::connect(start(world::snapshot(&nodes)));
        let tenth = world::body("eea", &nodes);
        let all = world::body("anywhere", &nodes);
        let cases = [
            ("/echo", "-", request("/echo", &all)),
            ("/filter", "10%", request("/filter", &tenth)),
            ("/filter", "100%", request("/filter", &all)),
            ("/prioritize", "10%", request("/prioritize", &tenth)),
            ("/prioritize", "100%", request("/prioritize", &all)),
        ];
        let mut samples: Vec<Vec<Duration>> = vec![Vec::with_capacity(rounds); cases.len()];
        let mut bytes = vec![0; cases.len()];
        for round in 0..rounds + rounds / 10 {
            for (case, (_, _, request)) in cases.iter().enumerate() {
                let started = Instant::now();
                let length = client.call(request).len();
                // The first tenth warms up.
                if round >= rounds / 10 {
                    samples[case].push(started.elapsed());
                }
                bytes[case] = length;
            }
        }
        let medians: Vec<Duration> = samples.into_iter().map(median).collect();
        let echo = medians[0];
        for (case, (route, permitted, _)) in cases.iter().enumerate() {
            let beyond = medians[case].as_nanos() as f64 - echo.as_nanos() as f64;
            println!(
                "{count:>7} {route:<12} {permitted:>9} {:>12} {:>10.1} {:>7.2} {:>12.1}",
                bytes[case],
                medians[case].as_nanos() as f64 / 1e3,
                medians[case].as_nanos() as f64 / echo.as_nanos() as f64,
                beyond / count as f64,
            );
        }
    }
}
