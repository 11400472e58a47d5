//! What a call costs over HTTP: `/filter` and `/prioritize` beside an echo of the same size.
//!
//! One server on loopback with one worker, one keep-alive connection. The echo reads a body as the
//! extender routes do and answers with as many bytes as it read, so what is beyond it is JSON, look-ups,
//! the decision and the answer. Samples are interleaved, so that whatever else the machine does falls
//! on all alike; medians are compared, and calls that took longer than 5 ms are counted. Run: `cargo bench --bench http`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod serving;
mod world;

use std::time::{Duration, Instant};

use actix_web::web::{Data, Payload, ServiceConfig, post};
use actix_web::{HttpRequest, HttpResponse};
use domicile::server::{ServerState, configure, read_body};
use serving::{Client, start};

async fn echo(state: Data<ServerState>, request: HttpRequest, payload: Payload) -> HttpResponse {
    match read_body(&request, payload, &state.bodies).await {
        Ok(body) => HttpResponse::Ok().body(body.bytes().clone()),
        Err(error) => HttpResponse::BadRequest().body(error.to_string()),
    }
}

fn routes(config: &mut ServiceConfig) {
    config.route("/echo", post().to(echo));
    configure(config);
}

fn request(path: &str, body: &[u8]) -> Vec<u8> {
    serving::request(path, "Go-http-client/1.1", body)
}

/// A call that takes longer is counted.
const LONG: Duration = Duration::from_millis(5);

fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort_unstable();
    samples[samples.len() / 2]
}

fn main() {
    println!(
        "{:>7} {:<12} {:>9} {:>12} {:>10} {:>7} {:>12} {:>7} {:>9}",
        "names",
        "route",
        "permitted",
        "answer bytes",
        "P50 µs",
        "x echo",
        "ns per name",
        "calls",
        "over 5 ms"
    );
    for (count, rounds) in [(500, 1_500), (5_000, 600), (15_000, 250)] {
        let nodes = world::nodes(count);
        let mut client = Client::connect(start(world::snapshot(&nodes), routes));
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
        let long = |samples: &Vec<Duration>| samples.iter().filter(|sample| **sample > LONG).count();
        let long: Vec<usize> = samples.iter().map(long).collect();
        let medians: Vec<Duration> = samples.into_iter().map(median).collect();
        let echo = medians[0];
        for (case, (route, permitted, _)) in cases.iter().enumerate() {
            let beyond = medians[case].as_nanos() as f64 - echo.as_nanos() as f64;
            println!(
                "{count:>7} {route:<12} {permitted:>9} {:>12} {:>10.1} {:>7.2} {:>12.1} {rounds:>7} {:>9}",
                bytes[case],
                medians[case].as_nanos() as f64 / 1e3,
                medians[case].as_nanos() as f64 / echo.as_nanos() as f64,
                beyond / count as f64,
                long[case],
            );
        }
    }
}
