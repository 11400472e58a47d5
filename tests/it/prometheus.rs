//! A Prometheus that answers badly: a stub on loopback, asked by the real client.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domicile::prometheus::{Answers, BaseUrl, EndLabels, PrometheusSettings, Queries, QueryName, Unit, ask};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

const GOOD: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"from":"a","to":"b"},"value":[1,"0.1"]}]}}"#;

/// What the stub does with a request.
#[derive(Clone)]
enum Behaviour {
    Say(String),
    HangUp,
    Silence,
    Endless,
}

fn response(status: &str, headers: &str, body: &str) -> Behaviour {
    let length = body.len();
    Behaviour::Say(format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n{body}"
    ))
}

/// A server of one behaviour, and the heads of the requests that it got.
struct Stub {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

fn stub(behaviour: Behaviour) -> Stub {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let requests: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = requests.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (behaviour, told) = (behaviour.clone(), told.clone());
            std::thread::spawn(move || behave(stream.unwrap(), &behaviour, &told));
        }
    });
    Stub { address, requests }
}

fn head(reader: &mut impl std::io::BufRead) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|read| read > 0) {}
    head
}

fn behave(stream: TcpStream, behaviour: &Behaviour, told: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    told.lock().unwrap().push(head(&mut reader));
    let mut stream = reader.into_inner();
    match behaviour {
        Behaviour::Say(text) => {
            let _ = stream.write_all(text.as_bytes());
        }
        Behaviour::HangUp => {}
        Behaviour::Silence => {
            let _ = stream.read(&mut [0; 1]);
        }
        Behaviour::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[");
            let spaces = vec![b' '; 1 << 20];
            while stream.write_all(&spaces).is_ok() {}
        }
    }
}

fn source(url: &str) -> PrometheusSettings {
    PrometheusSettings {
        name: "stub".into(),
        url: BaseUrl::parse(url).unwrap(),
        interval: Duration::from_secs(30),
        timeout: Duration::from_secs(5),
        queries: Queries {
            p50: r#"avg by (from, to) (rtt{job="a&b"}) + 1"#.to_owned(),
            p95: None,
            samples: None,
            reachable: None,
        },
        labels: EndLabels {
            from: "from".to_owned(),
            to: "to".to_owned(),
        },
        unit: Unit::Seconds,
        bearer_token_file: None,
        ca_file: None,
    }
}

fn of(stub: &Stub) -> PrometheusSettings {
    source(&format!("http://{}", stub.address))
}

#[tokio::main(flavor = "current_thread")]
async fn asked(source: &PrometheusSettings) -> Answers {
    ask(source).await
}

/// The outcome of the only query, and the sentence about it.
fn failure(source: &PrometheusSettings) -> (&'static str, String) {
    let failure = asked(source)
        .remove(&QueryName::P50)
        .unwrap()
        .expect_err("a failure");
    (failure.outcome(), failure.to_string())
}

#[test]
fn every_query_is_asked_at_once_as_it_was_written() {
    let stub = stub(response("200 OK", "", GOOD));
    let mut source = source(&format!("http://{}/prefix/", stub.address));
    source.queries.reachable = Some("up\n".to_owned());
    let answers = asked(&source);
    assert_eq!(answers.len(), 2);
    assert!(
        answers
            .values()
            .all(|answer| answer.as_ref().unwrap().series.len() == 1)
    );
    let mut lines: Vec<String> = stub
        .requests
        .lock()
        .unwrap()
        .iter()
        .map(|head| head.lines().next().unwrap().to_owned())
        .collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "GET /prefix/api/v1/query?timeout=5000ms&query=avg%20by%20%28from%2C%20to%29%20%28rtt%7Bjob%3D%22a%26b%22%7D%29%20%2B%201 HTTP/1.1",
            "GET /prefix/api/v1/query?timeout=5000ms&query=up%0A HTTP/1.1",
        ]
    );
    let heads = stub.requests.lock().unwrap().concat().to_lowercase();
    assert!(!heads.contains("authorization"), "{heads}");
}

#[test]
fn each_bad_answer_has_its_sentence() {
    for (behaviour, outcome, expected) in [
        (
            response(
                "400 Bad Request",
                "",
                r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#,
            ),
            "refused",
            "Prometheus refuses the query (bad_data): parse error",
        ),
        (
            response("200 OK", "", "<html>"),
            "unreadable",
            "is not that of the HTTP API",
        ),
        (
            response("503 Service Unavailable", "", "away"),
            "http-status",
            "HTTP status 503",
        ),
        (
            response("302 Found", "Location: http://127.0.0.1:1/\r\n", ""),
            "http-status",
            "HTTP status 302",
        ),
        (Behaviour::HangUp, "no-answer", "there is no answer: "),
        (
            Behaviour::Say("what?\r\n\r\n".to_owned()),
            "no-answer",
            "there is no answer: ",
        ),
        (
            Behaviour::Say(format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{GOOD}")),
            "no-answer",
            "there is no answer: ",
        ),
        (
            Behaviour::Endless,
            "too-large",
            "the answer has more than 67108864 bytes: ask for fewer series",
        ),
    ] {
        let (found, sentence) = failure(&of(&stub(behaviour)));
        assert_eq!(found, outcome, "{sentence}");
        assert!(sentence.contains(expected), "{sentence}");
        assert!(!sentence.contains('\n'), "{sentence}");
    }
}

#[test]
fn nobody_waits_longer_than_the_timeout() {
    let mut source = of(&stub(Behaviour::Silence));
    source.timeout = Duration::from_millis(200);
    let begun = Instant::now();
    assert_eq!(
        failure(&source),
        ("timeout", "there is no answer within 200ms".to_owned())
    );
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[test]
fn where_nobody_listens_there_is_no_answer() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let (outcome, sentence) = failure(&source(&format!("http://127.0.0.1:{port}")));
    assert_eq!(outcome, "no-answer");
    assert!(sentence.contains("onnection refused"), "{sentence}");
}

#[test]
fn a_token_is_read_at_each_poll_sent_and_never_told() {
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    let stub = stub(response("401 Unauthorized", "", "no"));
    let mut source = of(&stub);
    source.bearer_token_file = Some(token.clone());

    let (outcome, sentence) = failure(&source);
    assert_eq!(outcome, "credentials");
    assert!(sentence.starts_with(&format!("the token in `{}` cannot be used: ", token.display())));
    assert!(
        stub.requests.lock().unwrap().is_empty(),
        "nothing is asked without it"
    );

    for text in ["s3cret\n", "renewed"] {
        std::fs::write(&token, text).unwrap();
        let (outcome, sentence) = failure(&source);
        assert_eq!(outcome, "http-status");
        assert!(!sentence.contains(text.trim()), "{sentence}");
        let last = stub.requests.lock().unwrap().last().unwrap().clone();
        assert!(
            last.to_lowercase()
                .contains(&format!("authorization: bearer {}\r\n", text.trim()))
        );
    }
    for (text, expected) in [
        ("", "the file is empty"),
        ("s3cr\net", "characters that no header may have"),
    ] {
        std::fs::write(&token, text).unwrap();
        let (outcome, sentence) = failure(&source);
        assert_eq!(outcome, "credentials");
        assert!(
            sentence.contains(expected) && !sentence.contains("s3cr"),
            "{sentence}"
        );
    }
}

#[test]
fn a_redirect_is_a_failure_and_takes_no_token_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    std::fs::write(&token, "s3cret").unwrap();
    let elsewhere = stub(response("200 OK", "", GOOD));
    let location = format!("Location: http://{}/\r\n", elsewhere.address);
    let mut source = of(&stub(response("307 Temporary Redirect", &location, "")));
    source.bearer_token_file = Some(token);
    assert_eq!(failure(&source).0, "http-status");
    assert!(elsewhere.requests.lock().unwrap().is_empty());
}

/// A server with a certificate of an authority of its own, and a file with that authority.
fn encrypted(directory: &std::path::Path) -> (SocketAddr, PathBuf) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_file = directory.join("ca.crt");
    std::fs::write(&ca_file, authority.self_signed(&authority_key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut reader = BufReader::new(rustls::StreamOwned::new(connection, stream.unwrap()));
            if head(&mut reader).is_empty() {
                continue;
            }
            let length = GOOD.len();
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{GOOD}");
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            reader.get_mut().conn.send_close_notify();
            let _ = reader.get_mut().flush();
        }
    });
    (address, ca_file)
}

#[test]
fn an_authority_of_ones_own_is_trusted_where_it_is_named_and_only_there() {
    let directory = tempfile::tempdir().unwrap();
    let (address, ca_file) = encrypted(directory.path());
    let mut source = source(&format!("https://localhost:{}", address.port()));
    let (outcome, sentence) = failure(&source);
    // A machine without any authority of its own cannot even begin.
    assert!(["no-answer", "credentials"].contains(&outcome), "{sentence}");

    source.ca_file = Some(ca_file.clone());
    let answers = asked(&source);
    let answer = answers[&QueryName::P50].as_ref().unwrap();
    assert_eq!(answer.series.len(), 1);

    for (text, expected) in [
        ("", "it holds no certificate in PEM form"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "cannot be used",
        ),
    ] {
        std::fs::write(&ca_file, text).unwrap();
        let (outcome, sentence) = failure(&source);
        assert_eq!(outcome, "credentials");
        assert!(sentence.contains(expected), "{sentence}");
    }
}
