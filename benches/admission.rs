//! What admission costs over HTTP: `/mutate` beside an echo of the same AdmissionReview.
//!
//! One server on loopback with one worker, one keep-alive connection. The echo reads the body as `/mutate` does, finds
//! the uid in it and answers `allowed: true`, which is the least that a webhook can do; what is beyond it is reading
//! the pod, the decision, the patch and the answer. Samples are interleaved, so that whatever else the machine does
//! falls on all alike; P50 and P99 are compared. Run: `cargo bench --bench admission`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod serving;
mod world;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use actix_web::web::{Data, Payload, ServiceConfig, post};
use actix_web::{HttpRequest, HttpResponse};
use domicile::admission::{Reply, read_review, write_reply};
use domicile::server::{ServerState, configure_admission, read_body};
use serde_json::{Value, json};
use serving::{Client, start};

/// How often each case is asked, after a tenth as often to warm up.
const ROUNDS: usize = 20_000;
/// Nodes of the fleet.
const NODES: usize = 5_000;
/// Reviews a second that are offered, over so many connections and for so long.
const OFFERED: u32 = 1_000;
const CONNECTIONS: u32 = 8;
const OFFERED_FOR: Duration = Duration::from_secs(5);

async fn echo(state: Data<ServerState>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let body = read_body(&request, payload, &state.bodies).await.expect("a body");
    let review = read_review(body.bytes()).expect("a review");
    HttpResponse::Ok()
        .content_type("application/json")
        .body(write_reply(review.uid(), Reply::default()))
}

fn routes(config: &mut ServiceConfig) {
    config.route("/echo", post().to(echo));
    configure_admission(config);
}

/// A review as an API server sends it, of the pod that kube-scheduler would be given.
fn review(namespace: &str, affinity: &Value) -> Vec<u8> {
    let mut offer: Value = serde_json::from_slice(&world::body(namespace, &[])).expect("a request");
    let mut pod = offer["Pod"].take();
    pod["spec"]["affinity"] = affinity.clone();
    let of_pods = json!({"group": "", "version": "v1", "resource": "pods"});
    let kind = json!({"group": "", "version": "v1", "kind": "Pod"});
    let review = json!({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": kind, "resource": of_pods, "requestKind": kind, "requestResource": of_pods,
            "namespace": namespace, "operation": "CREATE",
            "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"]},
            "object": pod, "oldObject": null, "dryRun": false,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
        },
    });
    serde_json::to_vec(&review).expect("JSON")
}

fn request(path: &str, body: &[u8]) -> Vec<u8> {
    serving::request(&format!("{path}?timeout=2s"), "kube-apiserver-admission", body)
}

/// Offers reviews at a steady pace, whether or not earlier ones are answered: how long each took from when it was due,
/// in order.
fn offer(address: SocketAddr, requests: &[Vec<u8>]) -> Vec<Duration> {
    let begin = Instant::now();
    let of_connection = |connection: u32| {
        let mut client = Client::connect(address);
        let mut took = Vec::new();
        for number in (connection..).step_by(CONNECTIONS as usize) {
            let due = begin + Duration::from_secs(1) * number / OFFERED;
            if due >= begin + OFFERED_FOR {
                return took;
            }
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            client.call(&requests[number as usize % requests.len()]);
            took.push(due.elapsed());
        }
        took
    };
    let mut took: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|connection| scope.spawn(move || of_connection(connection)))
            .collect();
        let ended = threads.into_iter().map(|thread| thread.join().expect("it ended"));
        ended.flatten().collect()
    });
    took.sort_unstable();
    took
}

fn main() {
    let term = |zone: &str| {
        json!({"matchExpressions": [
            {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]},
            {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]},
        ]})
    };
    let own = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [term("a"), term("b"), term("c")]}}});
    let bodies = [
        ("anywhere", review("anywhere", &Value::Null)),
        ("confined", review("eea", &Value::Null)),
        ("confined, three terms", review("eea", &own)),
    ];
    let address = start(world::snapshot(&world::nodes(NODES)), routes);
    let mut client = Client::connect(address);
    println!(
        "{:<22} {:>10} {:>12} {:<8} {:>9} {:>9} {:>8} {:>8}",
        "pod", "review B", "answer B", "route", "P50 µs", "P99 µs", "x P50", "x P99"
    );
    for (name, body) in &bodies {
        let requests = [request("/echo", body), request("/mutate", body)];
        let mut samples = [const { Vec::new() }; 2];
        let mut lengths = [0; 2];
        for round in 0..ROUNDS + ROUNDS / 10 {
            for (case, request) in requests.iter().enumerate() {
                let started = Instant::now();
                lengths[case] = client.call(request).len();
                if round >= ROUNDS / 10 {
                    samples[case].push(started.elapsed());
                }
            }
        }
        let micros = |case: usize, percent: usize| {
            let mut sorted: Vec<Duration> = samples[case].clone();
            sorted.sort_unstable();
            sorted[sorted.len() * percent / 100].as_nanos() as f64 / 1e3
        };
        for (case, route) in ["/echo", "/mutate"].into_iter().enumerate() {
            println!(
                "{name:<22} {:>10} {:>12} {route:<8} {:>9.1} {:>9.1} {:>8.2} {:>8.2}",
                body.len(),
                lengths[case],
                micros(case, 50),
                micros(case, 99),
                micros(case, 50) / micros(0, 50),
                micros(case, 99) / micros(0, 99),
            );
        }
    }
    let mixed: Vec<Vec<u8>> = bodies.iter().map(|(_, body)| request("/mutate", body)).collect();
    let took = offer(address, &mixed);
    println!(
        "\n{OFFERED} reviews a second for {} s: {} answered, P50 {:.1?}, P99 {:.1?}, slowest {:.1?}",
        OFFERED_FOR.as_secs(),
        took.len(),
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        took[took.len() - 1],
    );
}
