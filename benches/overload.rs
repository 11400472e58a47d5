//! Several times more than can be answered: what is answered is right and early, and all else is told so as early.
//!
//! One server on loopback as `domicile serve` runs it, with one worker and the shipped limits. Capacity is what clients
//! get that ask one after another; then many connections ask without a pause, so that each wants all of it. Every
//! answer is compared with the right one, and timed from its first byte sent to its last byte received: none may take as
//! long as the shipped configuration lets kube-scheduler wait. Run: `cargo bench --bench overload`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

#[expect(dead_code, reason = "clients here ask beside each other, and not one")]
mod serving;
mod world;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Data;
use domicile::server::{Endpoint, RunSettings, Turns, configure, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// `httpTimeout` of the shipped configuration of kube-scheduler.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The shipped limits.
const MOST_WAITING: usize = 256;
const LONGEST_WAIT: Duration = Duration::from_millis(300);
const EACH: Duration = Duration::from_secs(5);
/// As many bytes as the clients here, one thread, can send well within that time; beyond it they would time themselves.
const MOST_OFFERED_BYTES: usize = 256 << 20;

fn start(nodes: &[world::Node]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut state = serving::state(world::snapshot(nodes));
    state.turns = Arc::new(Turns::new(MOST_WAITING, LONGEST_WAIT));
    let settings = RunSettings {
        shutdown_grace: Duration::from_secs(1),
    };
    std::thread::spawn(move || {
        let endpoint = Endpoint::new(listener, configure).with_workers(Some(1));
        let served = run(Data::new(state), vec![endpoint], settings);
        actix_web::rt::System::new().block_on(served).expect("serving");
    });
    address
}

/// What clients saw.
#[derive(Default)]
struct Seen {
    answered_ms: Vec<f64>,
    refused_ms: Vec<f64>,
}

/// Sends a request and reads the answer; its status and body.
async fn call(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> (u16, Vec<u8>) {
    stream.write_all(request).await.expect("sent");
    buffer.clear();
    loop {
        let read = stream.read_buf(buffer).await.expect("received");
        assert!(read > 0, "the connection was closed without an answer");
        let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end])
            .expect("a head")
            .to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let whole = end + 4 + length.unwrap_or(0_usize);
        while buffer.len() < whole {
            stream.read_buf(buffer).await.expect("received");
        }
        let status = head[9..12].parse().expect("a status");
        return (status, buffer[end + 4..whole].to_vec());
    }
}

async fn ask_for(time: Duration, address: SocketAddr, request: Arc<[u8]>, right: Option<Arc<[u8]>>) -> Seen {
    let connect = || async {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        stream
    };
    let mut stream = connect().await;
    let mut buffer = Vec::new();
    let mut seen = Seen::default();
    let began = Instant::now();
    while began.elapsed() < time {
        let asked = Instant::now();
        let (status, body) = call(&mut stream, &request, &mut buffer).await;
        let ms = asked.elapsed().as_secs_f64() * 1e3;
        match status {
            200 => {
                assert!(
                    right.as_deref().is_none_or(|right| right == body.as_slice()),
                    "a wrong answer"
                );
                seen.answered_ms.push(ms);
            }
            503 => {
                assert!(body.ends_with(b"; try again\n"));
                seen.refused_ms.push(ms);
                // What is refused before its body was read may cost the connection, as with any client of Go.
                if buffer
                    .windows(17)
                    .any(|window| window.eq_ignore_ascii_case(b"connection: close"))
                {
                    stream = connect().await;
                }
            }
            other => assert_eq!(other, 200, "{}", String::from_utf8_lossy(&body)),
        }
    }
    seen
}

fn quantile(sorted: &[f64], of: f64) -> f64 {
    let at = ((sorted.len() as f64 - 1.0).max(0.0) * of).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!(
        "{:>6} {:>12} {:>11} {:>10} {:>8} {:>8} {:>8} {:>12}",
        "names", "connections", "answered/s", "refused/s", "P50 ms", "P99 ms", "most ms", "refused most"
    );
    for names in [500, 5_000, 15_000] {
        let nodes = world::nodes(names);
        let address = start(&nodes);
        let body = world::body("eea", &nodes);
        let request: Arc<[u8]> = serving::request("/filter", "Go-http-client/1.1", &body).into();
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let (status, right) = call(&mut stream, &request, &mut Vec::new()).await;
        assert_eq!(status, 200);
        let right: Arc<[u8]> = right.into();
        let offered = |connections: &usize| connections * request.len() <= MOST_OFFERED_BYTES;
        for connections in [1, 64, 256, 1_000].into_iter().filter(offered) {
            let clients = (0..connections)
                .map(|_| tokio::spawn(ask_for(EACH, address, request.clone(), Some(right.clone()))));
            let mut all = Seen::default();
            for client in clients.collect::<Vec<_>>() {
                let seen = client.await.expect("no client fails");
                all.answered_ms.extend(seen.answered_ms);
                all.refused_ms.extend(seen.refused_ms);
            }
            all.answered_ms.sort_by(f64::total_cmp);
            all.refused_ms.sort_by(f64::total_cmp);
            let seconds = EACH.as_secs_f64();
            let (most, refused_most) = (quantile(&all.answered_ms, 1.0), quantile(&all.refused_ms, 1.0));
            println!(
                "{names:>6} {connections:>12} {:>11.0} {:>10.0} {:>8.1} {:>8.1} {most:>8.1} {refused_most:>12.1}",
                all.answered_ms.len() as f64 / seconds,
                all.refused_ms.len() as f64 / seconds,
                quantile(&all.answered_ms, 0.5),
                quantile(&all.answered_ms, 0.99),
            );
            let late = most.max(refused_most);
            assert!(late < TIMEOUT.as_secs_f64() * 1e3, "an answer took {late} ms");
        }
    }
}
