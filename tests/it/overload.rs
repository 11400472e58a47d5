//! More than can be answered: what is answered is right, and all else is told so at once. How early that is, is what
//! `cargo bench --bench overload` shows.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Data;
use domicile::metrics::Metrics;
use domicile::server::{BodyBudget, Endpoint, RunSettings, ServerState, Turns, configure, run};

use crate::socket::{Connection, request};
use crate::webhook::state;
use crate::world::{NOW, fleet, policies, snapshot};

const ANSWER: &str = r#"{"NodeNames":["aws-eu-central-1-0"],"Error":""}"#;
const LIMIT: Duration = Duration::from_secs(60);

fn body() -> String {
    r#"{"Pod":{"metadata":{"name":"web","namespace":"shop","uid":"u1"}},"Nodes":null,"NodeNames":["aws-us-east-1-0","aws-eu-central-1-0"]}"#.to_owned()
}

fn ask() -> String {
    let body = body();
    request("/filter", &format!("Content-Length: {}", body.len()), &body)
}

/// Starts a server with one worker and such a line.
fn start(most_waiting: usize, longest_wait: Duration) -> (SocketAddr, Arc<Metrics>) {
    let nodes = [("aws/eu-central-1", 1), ("aws/us-east-1", 1)];
    let state = ServerState {
        turns: Arc::new(Turns::new(most_waiting, longest_wait)),
        bodies: Arc::new(BodyBudget::new(1 << 20)),
        ..state(Some(snapshot(policies(&[]), fleet(&nodes))))
    };
    let metrics = state.metrics.clone();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let settings = RunSettings {
        shutdown_grace: Duration::from_secs(1),
    };
    std::thread::spawn(move || {
        let endpoint = Endpoint::new(listener, configure).with_workers(Some(1));
        let served = run(Data::new(state), vec![endpoint], settings);
        actix_web::rt::System::new().block_on(served).unwrap();
    });
    (address, metrics)
}

fn counted(metrics: &Metrics, line: &str) -> u64 {
    let text = metrics.encode(NOW.parse().unwrap());
    let found = text
        .lines()
        .find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
    found.map_or(0, |number| number.parse().unwrap())
}

#[test]
fn what_is_too_much_is_refused_at_once_and_what_is_answered_is_right() {
    let (address, metrics) = start(2, LIMIT);
    let mut connections: Vec<Connection> = (0..40).map(|_| Connection::open(address)).collect();
    let began = Instant::now();
    let (mut answered, mut refused) = (0, 0);
    // All ask before any is read; whether they meet at the worker is for the machine to say.
    while (answered == 0 || refused == 0) && began.elapsed() < LIMIT {
        connections
            .iter_mut()
            .for_each(|connection| connection.send(&ask()));
        for connection in &mut connections {
            let (status, _, body) = connection.receive();
            match status.as_str() {
                "http/1.1 200 ok" => {
                    assert_eq!(body, ANSWER);
                    answered += 1;
                }
                "http/1.1 503 service unavailable" => {
                    let sentence = "2 requests wait to be decided already, the setting `overload.most-waiting`; try again\n";
                    assert_eq!(body, sentence);
                    refused += 1;
                }
                other => assert_eq!(other, "200 or 503", "{body}"),
            }
        }
    }
    assert!(
        answered > 0 && refused > 0,
        "{answered} answered, {refused} refused"
    );
    let line = r#"domicile_undecided_requests_total{verb="filter",code="too-many-waiting"}"#;
    assert_eq!(counted(&metrics, line), refused);
    assert_eq!(
        counted(
            &metrics,
            r#"domicile_decisions_total{verb="filter",verdict="permitted",governed="true"}"#
        ),
        answered
    );
    // Nothing is left over: the next one is answered.
    let mut after = Connection::open(address);
    after.send(&ask());
    assert_eq!(after.receive().2, ANSWER);
}

#[test]
fn who_waited_too_long_is_told_so() {
    let (address, metrics) = start(256, Duration::ZERO);
    let mut connection = Connection::open(address);
    for _ in 0..2 {
        connection.send(&ask());
        let (status, _, body) = connection.receive();
        assert_eq!(status, "http/1.1 503 service unavailable");
        assert_eq!(
            body,
            "the request waited longer than 0 ms to be decided, the setting `overload.longest-wait`; try again\n"
        );
    }
    let line = r#"domicile_undecided_requests_total{verb="filter",code="waited-too-long"}"#;
    assert_eq!(counted(&metrics, line), 2);
}

#[test]
fn clients_that_are_slow_keep_nobody_waiting() {
    let (address, _) = start(2, LIMIT);
    let whole = ask();
    let (begun, rest) = whole.split_at(whole.len() - 40);
    let mut slow: Vec<Connection> = (0..200)
        .map(|number| {
            let mut connection = Connection::open(address);
            // Half a head, or half a body.
            connection.send(if number % 2 == 0 { "POST /filter HT" } else { begun });
            connection
        })
        .collect();
    let mut quick = Connection::open(address);
    for _ in 0..20 {
        quick.send(&whole);
        assert_eq!(quick.receive().2, ANSWER);
    }
    // And they are answered too once they have said all of it.
    let late = slow.last_mut().unwrap();
    late.send(rest);
    assert_eq!(late.receive().2, ANSWER);
    // A head that never comes ends in an answer, not in a connection for good.
    let (status, _, _) = slow[0].receive();
    assert_eq!(status, "http/1.1 408 request timeout");
}

#[test]
fn a_head_that_is_too_large_is_refused_and_harms_nobody() {
    let (address, _) = start(256, LIMIT);
    let mut many = Connection::open(address);
    many.send(&request("/filter", &"X: y\r\n".repeat(200), ""));
    assert_eq!(many.receive().0, "http/1.1 431 request header fields too large");
    let mut large = TcpStream::connect(address).unwrap();
    // It may be closed before all of it is written.
    let head = format!("POST /filter HTTP/1.1\r\nX: {}", "y".repeat(4 << 20));
    let _ = large.write_all(head.as_bytes());
    let mut next = Connection::open(address);
    next.send(&ask());
    assert_eq!(next.receive().2, ANSWER);
}

struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// SIGTERM: who has begun to ask is answered, nobody else is let in, connections without a request are closed, and the
/// process ends well and long before its grace is over.
#[test]
fn asked_to_stop_it_answers_what_was_begun_and_lets_nobody_in() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let process = Command::new(env!("CARGO_BIN_EXE_domicile"))
        .args(["serve", "--listen", &port.to_string()])
        .env("DOMICILE__SHUTDOWN_GRACE", "60s")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut serving = Serving(process);
    let began = Instant::now();
    let is_there = || TcpStream::connect(port).is_ok();
    while !is_there() && began.elapsed() < LIMIT {
        std::thread::sleep(Duration::from_millis(20));
    }
    let body = r#"{"Pod":{"metadata":{"name":"a","namespace":"kube-system","uid":"u"}},"Nodes":null,"NodeNames":["n"]}"#;
    let whole = request("/filter", &format!("Content-Length: {}", body.len()), body);
    let answer = r#"{"NodeNames":["n"],"Error":""}"#;
    let mut idle = Connection::open(port);
    idle.send(&whole);
    assert_eq!(idle.receive().2, answer);
    let (begun, rest) = whole.split_at(whole.len() - 40);
    let mut asking = Connection::open(port);
    asking.send(begun);
    // The worker has read that much once it has answered a whole request that came later.
    for _ in 0..2 * std::thread::available_parallelism().unwrap().get() {
        let mut later = Connection::open(port);
        later.send(&whole);
        assert_eq!(later.receive().2, answer);
    }

    let stopping = Instant::now();
    let process = serving.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &process])
            .status()
            .unwrap()
            .success()
    );
    while is_there() && stopping.elapsed() < LIMIT {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!is_there(), "it lets others in");
    assert!(
        serving.0.try_wait().unwrap().is_none(),
        "it has not waited for the answer"
    );
    asking.send(rest);
    let (status, _, body) = asking.receive();
    assert_eq!((status.as_str(), body.as_str()), ("http/1.1 200 ok", answer));
    let ended = loop {
        if let Some(status) = serving.0.try_wait().unwrap() {
            break status;
        }
        assert!(stopping.elapsed() < LIMIT, "the idle connection keeps it");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(ended.success(), "{ended}");
}
