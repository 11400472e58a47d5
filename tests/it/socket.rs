//! The server on a real socket: connections that stay open, bodies that never come, two addresses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use arc_swap::ArcSwapOption;
use domicile::decisions::DecisionIds;
use domicile::metrics::Metrics;
use domicile::server::{
    Admission, AnswerSettings, BodyBudget, Endpoint, Readiness, RunSettings, ServerState, Turns,
    configure_admin, configure_extender, run,
};

use crate::world::{NOW, fleet, policies, snapshot};

const BODY: &str = r#"{"Pod":{"metadata":{"name":"web","namespace":"shop","uid":"u1"}},"Nodes":null,"NodeNames":["aws-us-east-1-0","aws-eu-central-1-0"]}"#;
const ANSWER: &str = r#"{"NodeNames":["aws-eu-central-1-0"],"Error":""}"#;

/// Starts a server with a limit of a thousand bytes; gives the addresses for kube-scheduler and operators.
fn start() -> (SocketAddr, SocketAddr) {
    start_with_limit(1_000)
}

fn start_with_limit(body_limit_bytes: usize) -> (SocketAddr, SocketAddr) {
    let world = snapshot(
        policies(&[]),
        fleet(&[("aws/eu-central-1", 1), ("aws/us-east-1", 1)]),
    );
    let state = Data::new(ServerState {
        snapshots: Arc::new(ArcSwapOption::from_pointee(world)),
        measured: Arc::default(),
        readiness: Arc::new(Readiness::waiting_for(Vec::<String>::new())),
        exempt_before_ready: Arc::default(),
        clock: || NOW.parse().unwrap(),
        answers: AnswerSettings::default(),
        metrics: Arc::new(Metrics::new()),
        pod_events: None,
        decisions: None,
        decision_ids: DecisionIds::new(NOW.parse().unwrap()),
        bodies: Arc::new(BodyBudget::new(body_limit_bytes)),
        turns: Arc::new(Turns::new(256, Duration::from_mins(1))),
        admission: Admission::default(),
    });
    let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (extender, admin) = (bind(), bind());
    let addresses = (extender.local_addr().unwrap(), admin.local_addr().unwrap());
    let settings = RunSettings {
        shutdown_grace: Duration::from_secs(1),
    };
    std::thread::spawn(move || {
        let endpoints = vec![
            Endpoint::new(extender, configure_extender).with_workers(Some(1)),
            Endpoint::new(admin, configure_admin).with_workers(Some(1)),
        ];
        let served = run(state, endpoints, settings);
        actix_web::rt::System::new().block_on(served).unwrap();
    });
    addresses
}

pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    pub fn send(&mut self, bytes: &str) {
        self.0.get_mut().write_all(bytes.as_bytes()).unwrap();
    }

    /// The first line, the header lines and the body, which must be as long as it was announced.
    pub fn receive(&mut self) -> (String, Vec<String>, String) {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_ascii_lowercase()),
            }
        }
        let length = lines
            .iter()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.expect("every answer has a Content-Length")];
        self.0.read_exact(&mut body).unwrap();
        (lines.remove(0), lines, String::from_utf8(body).unwrap())
    }
}

pub fn request(path: &str, header: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n{header}\r\n\r\n{body}")
}

#[test]
fn one_connection_serves_one_call_after_another_whatever_their_outcome() {
    let (address, _) = start();
    let mut connection = Connection::open(address);
    let length = format!("Content-Length: {}", BODY.len());
    for _ in 0..3 {
        connection.send(&request("/filter", &length, BODY));
        let (status, headers, body) = connection.receive();
        assert_eq!(status, "http/1.1 200 ok");
        assert!(
            !headers.iter().any(|line| line.starts_with("transfer-encoding")),
            "{headers:?}"
        );
        assert_eq!(body, ANSWER);
        connection.send(&request("/filter", "Content-Length: 1", "{"));
        let (status, _, body) = connection.receive();
        assert_eq!(status, "http/1.1 400 bad request");
        assert_eq!(body, "the body is not valid JSON at byte 1\n");
    }
}

#[test]
fn a_body_in_pieces_and_one_without_a_length_are_read_whole() {
    let (address, _) = start();
    let mut connection = Connection::open(address);
    let length = format!("Content-Length: {}", BODY.len());
    let whole = request("/filter", &length, BODY);
    for piece in whole.as_bytes().chunks(40) {
        connection.send(std::str::from_utf8(piece).unwrap());
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(connection.receive().2, ANSWER);

    let (first, second) = BODY.split_at(30);
    let chunked = format!(
        "{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    connection.send(&request("/filter", "Transfer-Encoding: chunked", &chunked));
    assert_eq!(connection.receive().2, ANSWER);
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_sent() {
    let (address, _) = start();
    let mut connection = Connection::open(address);
    connection.send(&request("/filter", "Content-Length: 1001", ""));
    let (status, _, body) = connection.receive();
    assert_eq!(status, "http/1.1 413 payload too large");
    assert_eq!(
        body,
        "the body is larger than 1000 bytes, the setting `body-limit-bytes`\n"
    );
}

#[test]
fn bodies_in_flight_share_the_limit_and_give_it_back() {
    let (address, admin) = start();
    let length = format!("Content-Length: {}", BODY.len());
    let mut slow = Connection::open(address);
    slow.send(&request("/filter", "Content-Length: 950", "{"));
    // The two connections race: wait until the slow body is held.
    let (status, body) = loop {
        let mut other = Connection::open(address);
        other.send(&request("/filter", &length, BODY));
        let (status, _, body) = other.receive();
        if status != "http/1.1 200 ok" {
            break (status, body);
        }
    };
    assert_eq!(status, "http/1.1 503 service unavailable");
    assert!(
        body.starts_with("the bodies in flight together are larger than 1000 bytes"),
        "{body}"
    );
    drop(slow);
    let mut connection = Connection::open(admin);
    connection.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(connection.receive().2, "ok\n");
    let answered = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        let mut after = Connection::open(address);
        after.send(&request("/filter", &length, BODY));
        after.receive().2 == ANSWER
    });
    assert!(answered, "the limit was not given back");
}

/// What is being sent when others hold the budget is more than what fits between client and server: a connection that
/// were closed then would break the sending, and nobody would read why.
#[test]
fn a_body_that_is_refused_for_others_may_be_sent_whole_and_is_told_why() {
    let (address, _) = start_with_limit(32 << 20);
    let mut slow = Connection::open(address);
    slow.send(&request("/filter", "Content-Length: 30000000", "{"));
    let padded = format!("{}{BODY}", " ".repeat(20 << 20));
    let length = format!("Content-Length: {}", padded.len());
    let mut other = Connection::open(address);
    let body = loop {
        other.send(&request("/filter", &length, &padded));
        let (status, _, body) = other.receive();
        // The two connections race.
        if status != "http/1.1 200 ok" {
            break body;
        }
    };
    assert!(
        body.starts_with("the bodies in flight together are larger than"),
        "{body}"
    );
    let length = format!("Content-Length: {}", BODY.len());
    other.send(&request("/filter", &length, BODY));
    assert_eq!(other.receive().2, ANSWER);
}

#[test]
fn operators_have_an_address_of_their_own() {
    let (extender, admin) = start();
    for (address, path, expected) in [
        (admin, "/readyz", "http/1.1 200 ok"),
        (admin, "/metrics", "http/1.1 200 ok"),
        (extender, "/readyz", "http/1.1 404 not found"),
    ] {
        let mut connection = Connection::open(address);
        connection.send(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(connection.receive().0, expected, "{path}");
    }
}
