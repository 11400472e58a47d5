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

mod world;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::{self, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use arc_swap::ArcSwapOption;
use domicile::admission::{Reply, read_review, write_reply};
use domicile::decisions::DecisionIds;
use domicile::metrics::Metrics;
use domicile::server::{
    Admission, AnswerSettings, BodyBudget, Readiness, ServerState, configure_admission, read_body,
};
use domicile::snapshot::Snapshot;
use serde_json::{Value, json};

/// How often each case is asked, after a tenth as often to warm up.
const ROUNDS: usize = 20_000;
/// Nodes of the fleet.
const NODES: usize = 5_000;

async fn echo(state: Data<ServerState>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let body = read_body(&request, payload, &state.bodies).await.expect("a body");
    let review = read_review(body.bytes()).expect("a review");
    HttpResponse::Ok()
        .content_type("application/json")
        .body(write_reply(review.uid(), Reply::default()))
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
        admission: Admission::default(),
        metrics: Arc::new(Metrics::new()),
        pod_events: None,
        decisions: None,
        decision_ids: DecisionIds::new(world::NOW.parse().expect("an instant")),
    });
    std::thread::spawn(move || {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .route("/echo", web::post().to(echo))
                .configure(configure_admission)
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
            buffer: vec![0; 1 << 20],
        }
    }

    /// Sends a whole request and reads the whole answer; gives the length of its body.
    fn call(&mut self, request: &[u8]) -> usize {
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
                let line = line.to_ascii_lowercase();
                line.strip_prefix("content-length: ")?.parse().ok()
            });
            let length = length.unwrap_or(0_usize);
            while filled < end + 4 + length {
                filled += self.stream.read(&mut self.buffer[filled..]).expect("received");
            }
            return length;
        }
    }
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
    let head = format!(
        "POST {path}?timeout=2s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: kube-apiserver-admission\r\nContent-Length: {}\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
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
    let mut client = Client::connect(start(world::snapshot(&world::nodes(NODES))));
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
                lengths[case] = client.call(request);
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
}
