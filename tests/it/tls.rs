//! Encrypted addresses on real sockets: certificates that are swapped under load, and who is let in.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::web::Data;
use arc_swap::ArcSwapOption;
use domicile::decisions::DecisionIds;
use domicile::files::{SourceWatch, WatchSettings, watch_files};
use domicile::metrics::Metrics;
use domicile::server::{
    Admission, AnswerSettings, BodyBudget, ClientSettings, Endpoint, Readiness, RunSettings, ServerState,
    TlsAddress, TlsHealth, TlsKeeper, TlsSettings, Turns, configure, run,
};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use serde_json::{Value, json};

use crate::world::{NOW, fleet, policies, snapshot};

const BODY: &str = r#"{"Pod":{"metadata":{"name":"web","namespace":"shop","uid":"u1"}},"Nodes":null,"NodeNames":["aws-us-east-1-0","aws-eu-central-1-0"]}"#;
const ANSWER: &str = r#"{"NodeNames":["aws-eu-central-1-0"],"Error":""}"#;
const HOST: &str = "domicile.test";
const PATIENCE: Duration = Duration::from_secs(30);

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key as PEM.
#[derive(Clone)]
struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, name);
        Self {
            pem: parameters.self_signed(&key).unwrap().pem(),
            issuer: Issuer::new(parameters, key),
        }
    }

    fn sign(&self, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        change(&mut parameters);
        Pair {
            certificate: parameters.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    fn server(&self) -> Pair {
        self.sign(|parameters| {
            parameters.subject_alt_names = vec![SanType::DnsName(HOST.try_into().unwrap())];
            parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        })
    }

    fn client(&self, common_name: &str, names: Vec<SanType>) -> Pair {
        self.sign(|parameters| {
            parameters
                .distinguished_name
                .push(DnType::CommonName, common_name);
            parameters.subject_alt_names = names;
            parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        })
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap())
            .unwrap();
        roots
    }
}

/// A mounted Secret: a directory for each version, and the link `..data` that kubelet swaps.
struct Mounted {
    directory: tempfile::TempDir,
    versions: AtomicUsize,
}

impl Mounted {
    fn new(pair: &Pair, authority: Option<&str>) -> Self {
        let mounted = Self {
            directory: tempfile::tempdir().unwrap(),
            versions: AtomicUsize::new(0),
        };
        for name in ["tls.crt", "tls.key", "ca.crt"] {
            symlink(format!("..data/{name}"), mounted.path(name)).unwrap();
        }
        mounted.swap(&pair.certificate, &pair.key, authority);
        mounted
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn settings(&self, clients: Option<&[&str]>) -> TlsSettings {
        TlsSettings {
            certificate: self.path("tls.crt"),
            key: self.path("tls.key"),
            clients: clients.map(|names| ClientSettings {
                authority: self.path("ca.crt"),
                names: names.iter().map(|name| (*name).to_owned()).collect(),
            }),
        }
    }

    fn swap(&self, certificate: &str, key: &str, authority: Option<&str>) {
        let version = self.versions.fetch_add(1, Ordering::Relaxed);
        let root = self.directory.path();
        let fresh = format!("..version-{version}");
        std::fs::create_dir(root.join(&fresh)).unwrap();
        for (name, text) in [
            ("tls.crt", Some(certificate)),
            ("tls.key", Some(key)),
            ("ca.crt", authority),
        ] {
            if let Some(text) = text {
                std::fs::write(root.join(&fresh).join(name), text).unwrap();
            }
        }
        let old = std::fs::read_link(root.join("..data")).ok();
        symlink(&fresh, root.join("..data_tmp")).unwrap();
        std::fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        if let Some(old) = old {
            std::fs::remove_dir_all(root.join(old)).unwrap();
        }
    }

    /// Writes one file in place, as an editor would.
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }
}

struct Server {
    address: SocketAddr,
    keeper: Option<TlsKeeper>,
    metrics: Arc<Metrics>,
}

impl Server {
    fn start(settings: TlsSettings) -> Self {
        let metrics = Arc::new(Metrics::new());
        let keeper =
            TlsKeeper::open(TlsAddress::Extender, settings, metrics.tls(), Timestamp::now()).unwrap();
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
            metrics: metrics.clone(),
            pod_events: None,
            decisions: None,
            decision_ids: DecisionIds::new(NOW.parse().unwrap()),
            bodies: Arc::new(BodyBudget::new(1_000_000)),
            turns: Arc::new(Turns::new(256, Duration::from_mins(1))),
            admission: Admission::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let endpoint = Endpoint::new(listener, configure)
            .with_workers(Some(2))
            .with_tls(Some(keeper.tls()));
        std::thread::spawn(move || {
            let settings = RunSettings {
                shutdown_grace: Duration::from_secs(1),
            };
            let served = run(state, vec![endpoint], settings);
            actix_web::rt::System::new().block_on(served).unwrap();
        });
        Self {
            address,
            keeper: Some(keeper),
            metrics,
        }
    }

    fn look(&mut self) -> TlsHealth {
        self.keeper.as_mut().unwrap().look(Timestamp::now()).clone()
    }

    fn watch(&mut self) -> SourceWatch {
        let mut keeper = self.keeper.take().unwrap();
        let every = WatchSettings::every(Duration::from_millis(100));
        watch_files("tls", keeper.files(), every, move || {
            keeper.look(Timestamp::now());
        })
        .unwrap()
    }

    /// The figure of a metric whose line begins so.
    fn metric(&self, line: &str) -> Option<i64> {
        let text = self.metrics.encode(Timestamp::now());
        let value = text.lines().find_map(|found| found.strip_prefix(line))?;
        value.trim().parse().ok()
    }
}

fn configuration(
    roots: RootCertStore,
    client: Option<&Pair>,
    versions: &[&'static SupportedProtocolVersion],
    protocol: &str,
) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut configuration = match client {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![pair.der()], key).unwrap()
        }
    };
    configuration.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Arc::new(configuration)
}

const BOTH_VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

struct Connection(BufReader<StreamOwned<ClientConnection, TcpStream>>);

impl Connection {
    fn open(address: SocketAddr, configuration: Arc<ClientConfig>) -> Result<Self, std::io::Error> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut tls = ClientConnection::new(configuration, ServerName::try_from(HOST).unwrap())
            .map_err(std::io::Error::other)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)?;
        }
        Ok(Self(BufReader::new(StreamOwned::new(tls, stream))))
    }

    fn certificate(&self) -> CertificateDer<'static> {
        let chain = self.0.get_ref().conn.peer_certificates().unwrap();
        chain.first().unwrap().clone().into_owned()
    }

    /// Asks, and gives the status line and the body.
    fn ask(&mut self) -> Result<(String, String), std::io::Error> {
        use std::io::BufRead as _;

        let length = BODY.len();
        let request =
            format!("POST /filter HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n{BODY}");
        self.0.get_mut().write_all(request.as_bytes())?;
        self.0.get_mut().flush()?;
        let mut lines: Vec<String> = Vec::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_ascii_lowercase()),
            }
        }
        let length = lines
            .iter()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.expect("every answer has a Content-Length")];
        self.0.read_exact(&mut body)?;
        Ok((lines.remove(0), String::from_utf8(body).unwrap()))
    }
}

/// One question on a connection of its own: what was answered, or how it failed.
fn ask_once(address: SocketAddr, configuration: &Arc<ClientConfig>) -> Result<(String, String), String> {
    let connection = Connection::open(address, configuration.clone());
    let answer = connection.and_then(|mut connection| connection.ask());
    answer.map_err(|error| error.to_string())
}

/// Asks by HTTP/2 on one connection until it is told to stop; how often, or what failed.
async fn ask_by_http_2(
    address: SocketAddr,
    configuration: Arc<ClientConfig>,
    goes_on: impl Fn() -> bool,
) -> Result<usize, String> {
    let stream = tokio::net::TcpStream::connect(address)
        .await
        .map_err(|error| error.to_string())?;
    let connector = tokio_rustls::TlsConnector::from(configuration);
    let stream = connector
        .connect(ServerName::try_from(HOST).unwrap(), stream)
        .await;
    let stream = stream.map_err(|error| error.to_string())?;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (client, connection) = h2::client::handshake(stream)
        .await
        .map_err(|error| error.to_string())?;
    let driven = tokio::spawn(connection);
    let mut asked = 0;
    while goes_on() {
        let mut client = client.clone().ready().await.map_err(|error| error.to_string())?;
        let request = http::Request::post(format!("https://{HOST}/filter"))
            .header("content-length", BODY.len())
            .body(())
            .unwrap();
        let (response, mut body) = client
            .send_request(request, false)
            .map_err(|error| error.to_string())?;
        body.send_data(BODY.into(), true)
            .map_err(|error| error.to_string())?;
        let response = response.await.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let mut stream = response.into_body();
        let mut text = Vec::new();
        while let Some(chunk) = stream.data().await {
            let chunk = chunk.map_err(|error| error.to_string())?;
            stream
                .flow_control()
                .release_capacity(chunk.len())
                .map_err(|error| error.to_string())?;
            text.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(text).unwrap();
        if (status, text.as_str()) != (200, ANSWER) {
            return Err(format!("{status}: {text}"));
        }
        asked += 1;
    }
    drop(client);
    driven.abort();
    Ok(asked)
}

/// Ends the load, also where the test fails: its threads are waited for.
struct StopWhenDone<'a>(&'a AtomicBool);

impl Drop for StopWhenDone<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn certificates_rotate_under_load_and_no_request_is_lost() {
    const LEAST_ROTATIONS: usize = 40;
    const LEAST_REQUESTS: usize = 4_000;
    let authority = Authority::new("servers");
    let mounted = Mounted::new(&authority.server(), None);
    let mut server = Server::start(mounted.settings(None));
    let address = server.address;
    let http_1 = configuration(authority.roots(), None, BOTH_VERSIONS, "http/1.1");
    let http_2 = configuration(authority.roots(), None, BOTH_VERSIONS, "h2");
    let _watch = server.watch();
    let stop = AtomicBool::new(false);
    let (kept, fresh) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut rotations = 0;

    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut connection = Connection::open(address, http_1.clone()).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let answer = connection.ask().expect("a connection that stands is not closed");
                    assert_eq!(answer, ("http/1.1 200 ok".to_owned(), ANSWER.to_owned()));
                    kept.fetch_add(1, Ordering::Relaxed);
                }
            });
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let goes_on = || {
                    kept.fetch_add(1, Ordering::Relaxed);
                    !stop.load(Ordering::Relaxed)
                };
                let asked = runtime
                    .unwrap()
                    .block_on(ask_by_http_2(address, http_2.clone(), goes_on));
                asked.expect("a connection that stands is not closed");
            });
        }
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let answer = ask_once(address, &http_1).expect("every handshake meets a whole pair");
                assert_eq!(answer.1, ANSWER);
                fresh.fetch_add(1, Ordering::Relaxed);
            }
        });
        {
            let _stop = StopWhenDone(&stop);
            // However slow the machine is: at least so many requests.
            while rotations < LEAST_ROTATIONS || kept.load(Ordering::Relaxed) < LEAST_REQUESTS {
                let rotation = rotations;
                rotations += 1;
                let pair = authority.server();
                match rotation % 4 {
                    // As kubelet swaps a Secret.
                    0 | 1 => mounted.swap(&pair.certificate, &pair.key, None),
                    // One file and a while later the other.
                    2 => {
                        mounted.write("tls.crt", &pair.certificate);
                        std::thread::sleep(Duration::from_millis(150));
                        mounted.write("tls.key", &pair.key);
                    }
                    // Half of a file, then nothing, then all.
                    _ => {
                        let (half, _) = pair.certificate.split_at(pair.certificate.len() / 2);
                        mounted.swap(half, &pair.key, None);
                        std::thread::sleep(Duration::from_millis(60));
                        mounted.write("tls.crt", "");
                        std::thread::sleep(Duration::from_millis(60));
                        mounted.write("tls.crt", &pair.certificate);
                    }
                }
                until(
                    &format!("rotation {rotation} is served to new connections"),
                    || {
                        let connection = Connection::open(address, http_1.clone());
                        connection.is_ok_and(|connection| connection.certificate() == pair.der())
                    },
                );
            }
        }
    });

    let fresh = fresh.into_inner();
    assert!(
        fresh > LEAST_ROTATIONS,
        "only {fresh} requests on connections of their own"
    );
    assert_eq!(
        server.metric("domicile_tls_reloads_total{address=\"extender\"}"),
        i64::try_from(rotations).ok()
    );
    assert!(server.metric("domicile_tls_reload_failures_total{address=\"extender\"}") > Some(0));
    until("the last rotation is the state", || {
        server.metric("domicile_tls_last_known_good{address=\"extender\"}") == Some(0)
    });
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn bad_files_leave_the_last_good_certificate_and_good_ones_replace_it() {
    let authority = Authority::new("servers");
    let (first, second) = (authority.server(), authority.server());
    let mounted = Mounted::new(&first, None);
    let mut server = Server::start(mounted.settings(None));
    let client = configuration(authority.roots(), None, BOTH_VERSIONS, "http/1.1");
    let address = server.address;
    let served = || Connection::open(address, client.clone()).unwrap().certificate();
    let expired = authority.sign(|parameters| {
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    assert_eq!(server.look(), TlsHealth::Current);
    for (certificate, key, expected) in [
        (
            second.certificate.as_str(),
            first.key.as_str(),
            "does not belong to",
        ),
        (
            &expired.certificate,
            &expired.key,
            "expired at 2021-01-01T00:00:00Z",
        ),
        ("", &second.key, "is empty"),
        (&second.certificate, "", "is empty"),
    ] {
        mounted.swap(certificate, key, None);
        let TlsHealth::LastKnownGood { problem } = server.look() else {
            panic!("nobody noticed that it {expected}");
        };
        assert!(problem.contains(expected), "{problem}");
        assert_eq!(served(), first.der());
        assert_eq!(ask_once(address, &client).unwrap().1, ANSWER);
    }
    std::fs::remove_file(mounted.path("tls.key")).unwrap();
    assert!(
        matches!(server.look(), TlsHealth::LastKnownGood { problem } if problem.contains("cannot be read"))
    );
    symlink("..data/tls.key", mounted.path("tls.key")).unwrap();
    assert_eq!(
        server.metric("domicile_tls_last_known_good{address=\"extender\"}"),
        Some(1)
    );
    assert_eq!(
        server.metric("domicile_tls_reload_failures_total{address=\"extender\"}"),
        Some(5)
    );

    mounted.swap(&first.certificate, &first.key, None);
    assert_eq!(
        server.look(),
        TlsHealth::Current,
        "the files say again what is served"
    );
    mounted.swap(&second.certificate, &second.key, None);
    assert_eq!(server.look(), TlsHealth::Current);
    assert_eq!(served(), second.der());
    assert_eq!(
        server.metric("domicile_tls_last_known_good{address=\"extender\"}"),
        Some(0)
    );
    assert_eq!(
        server.metric("domicile_tls_reloads_total{address=\"extender\"}"),
        Some(1)
    );
    let expiry = server.metric("domicile_tls_certificate_expiry_timestamp_seconds{address=\"extender\"}");
    assert!(expiry > Some(Timestamp::now().as_second()), "{expiry:?}");
    assert!(server.metric("domicile_tls_age_seconds{address=\"extender\"}") < Some(30));
}

#[test]
fn nothing_starts_with_bad_files() {
    let authority = Authority::new("servers");
    let pair = authority.server();
    let mounted = Mounted::new(&pair, None);
    let open = |settings| {
        let opened = TlsKeeper::open(
            TlsAddress::Admission,
            settings,
            Metrics::new().tls(),
            Timestamp::now(),
        );
        opened.expect_err("a problem").to_string()
    };
    let missing = open(mounted.settings(Some(&[])));
    assert!(
        missing.starts_with('`') && missing.contains("ca.crt` cannot be read"),
        "{missing}"
    );
    let directory = open(TlsSettings {
        key: mounted.directory.path().to_owned(),
        ..mounted.settings(None)
    });
    assert!(
        directory.ends_with("is a directory, and a file is expected"),
        "{directory}"
    );
    mounted.swap(&authority.server().certificate, &pair.key, None);
    let mismatch = open(mounted.settings(None));
    assert!(
        mismatch.contains("does not belong to the certificate in"),
        "{mismatch}"
    );
}

#[test]
fn only_listed_clients_of_the_authority_are_answered() {
    let (servers, clients, foreign) = (
        Authority::new("servers"),
        Authority::new("clients"),
        Authority::new("foreign"),
    );
    let mounted = Mounted::new(&servers.server(), Some(&clients.pem));
    let listed = [
        "system:kube-scheduler",
        "scheduler.example",
        "spiffe://example/scheduler",
        "scheduler@example.com",
    ];
    let mut server = Server::start(mounted.settings(Some(&listed)));
    let address = server.address;
    let roots = || servers.roots();
    let with = |pair: &Pair, versions: &[&'static SupportedProtocolVersion]| {
        configuration(roots(), Some(pair), versions, "http/1.1")
    };

    let named = |name: &str| clients.client(name, Vec::new());
    let alternative = |name: SanType| clients.client("somebody", vec![name]);
    for (pair, who) in [
        (named("system:kube-scheduler"), "a common name"),
        (
            alternative(SanType::DnsName("scheduler.example".try_into().unwrap())),
            "a DNS name",
        ),
        (
            alternative(SanType::URI("spiffe://example/scheduler".try_into().unwrap())),
            "a URI",
        ),
        (
            alternative(SanType::Rfc822Name("scheduler@example.com".try_into().unwrap())),
            "an address",
        ),
    ] {
        for version in BOTH_VERSIONS {
            let answer = ask_once(address, &with(&pair, &[version]));
            assert_eq!(answer, Ok(("http/1.1 200 ok".into(), ANSWER.into())), "{who}");
        }
    }

    let (status, sentence) = ask_once(address, &with(&named("system:kube-schedule"), BOTH_VERSIONS)).unwrap();
    assert_eq!(status, "http/1.1 403 forbidden");
    assert!(
        sentence.contains("none of the names in the setting `client-names`"),
        "{sentence}"
    );
    let by_http_2 = configuration(roots(), Some(&named("somebody")), BOTH_VERSIONS, "h2");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let refused = runtime
        .block_on(ask_by_http_2(address, by_http_2, || true))
        .expect_err("a refusal");
    assert!(refused.starts_with("403: "), "{refused}");

    let scheduler_of_others = foreign.client("system:kube-scheduler", Vec::new());
    let as_server = clients.sign(|parameters| {
        parameters
            .distinguished_name
            .push(DnType::CommonName, "system:kube-scheduler");
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let expired = clients.sign(|parameters| {
        parameters
            .distinguished_name
            .push(DnType::CommonName, "system:kube-scheduler");
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    for version in BOTH_VERSIONS {
        for pair in [&scheduler_of_others, &as_server, &expired] {
            ask_once(address, &with(pair, &[version])).expect_err("an alert");
        }
        let nobody = configuration(roots(), None, &[version], "http/1.1");
        let alert = ask_once(address, &nobody).expect_err("an alert");
        assert!(alert.contains("CertificateRequired"), "{alert}");
    }
    for (reason, expected) in [("untrusted", 6), ("missing", 2), ("not-listed", 2)] {
        let line = format!("domicile_tls_refused_clients_total{{address=\"extender\",reason=\"{reason}\"}}");
        assert_eq!(server.metric(&line), Some(expected), "{reason}");
    }

    // Another authority takes over, and a connection that stands stays.
    let scheduler = named("system:kube-scheduler");
    let mut standing = Connection::open(address, with(&scheduler, BOTH_VERSIONS)).unwrap();
    assert_eq!(standing.ask().unwrap().1, ANSWER);
    let pair = servers.server();
    mounted.swap(&pair.certificate, &pair.key, Some(&foreign.pem));
    assert_eq!(server.look(), TlsHealth::Current);
    assert_eq!(
        ask_once(address, &with(&scheduler_of_others, BOTH_VERSIONS))
            .unwrap()
            .1,
        ANSWER
    );
    ask_once(address, &with(&scheduler, BOTH_VERSIONS)).expect_err("no longer trusted");
    assert_eq!(standing.ask().unwrap().1, ANSWER);
}

#[test]
fn without_a_list_every_client_of_the_authority_is_answered() {
    let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
    let mounted = Mounted::new(&servers.server(), Some(&clients.pem));
    let server = Server::start(mounted.settings(Some(&[])));
    let anybody = clients.client("anybody", Vec::new());
    let client = configuration(servers.roots(), Some(&anybody), BOTH_VERSIONS, "http/1.1");
    assert_eq!(ask_once(server.address, &client).unwrap().1, ANSWER);
    let nobody = configuration(servers.roots(), None, BOTH_VERSIONS, "http/1.1");
    ask_once(server.address, &nobody).expect_err("an alert");
}

#[test]
fn an_encrypted_address_does_not_answer_what_is_not() {
    let authority = Authority::new("servers");
    let mounted = Mounted::new(&authority.server(), None);
    let server = Server::start(mounted.settings(None));
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    // A connection that is cut is an answer too.
    let _ = stream.read_to_end(&mut answer);
    assert!(
        !answer.starts_with(b"HTTP/"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

/// cert-manager itself cannot run in our tests; that its objects fit each other, the script and the manifests can be held.
#[test]
fn both_ways_to_the_certificate_of_the_webhook_agree() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap();
    let script = read("tls/webhook-certificate");
    let of_script = |variable: &str| {
        let line = script.lines().find_map(|line| line.strip_prefix(variable));
        line.and_then(|line| line.strip_prefix('='))
            .map(|value| value.trim_matches('"').to_owned())
            .unwrap_or_else(|| panic!("the script does not set {variable}"))
    };
    let (namespace, service, secret) = (of_script("namespace"), of_script("service"), of_script("secret"));

    let text = read("components/admission-cert-manager/certificates.yaml");
    let objects: Vec<Value> = text
        .split("\n---\n")
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .collect();
    let named = |kind: &str, name: &Value| {
        let found = objects
            .iter()
            .find(|object| object["kind"] == kind && object["metadata"]["name"] == *name);
        found.unwrap_or_else(|| panic!("no {kind} {name}"))
    };
    assert_eq!(objects.len(), 4);
    for object in &objects {
        assert_eq!(object["apiVersion"], "cert-manager.io/v1");
        assert_eq!(object["metadata"]["namespace"], namespace.as_str());
    }

    let kustomization: Value =
        serde_saphyr::from_str(&read("components/admission-cert-manager/kustomization.yaml")).unwrap();
    let patches = kustomization["patches"].as_array().unwrap();
    let mut targets: Vec<String> = patches
        .iter()
        .map(|patch| {
            let target = &patch["target"];
            let kind = target["kind"].as_str().unwrap().to_lowercase();
            format!("{kind}/{}", target["name"].as_str().unwrap())
        })
        .collect();
    targets.sort();
    assert_eq!(targets.join(" "), of_script("configurations"));
    let injected: Vec<Value> = serde_saphyr::from_str(patches[0]["patch"].as_str().unwrap()).unwrap();
    let certificate = injected[0]["value"]["cert-manager.io/inject-ca-from"]
        .as_str()
        .unwrap();
    let (of_namespace, certificate) = certificate.split_once('/').unwrap();
    assert_eq!(of_namespace, namespace);

    let served = named("Certificate", &json!(certificate));
    assert_eq!(served["spec"]["secretName"], secret.as_str());
    assert_eq!(
        served["spec"]["dnsNames"][0],
        format!("{service}.{namespace}.svc")
    );
    let issuer = named("Issuer", &served["spec"]["issuerRef"]["name"]);
    let authority = objects
        .iter()
        .find(|object| object["spec"]["secretName"] == issuer["spec"]["ca"]["secretName"])
        .expect("a certificate for the authority");
    assert_eq!(authority["spec"]["isCA"], true);
    let signed_by = named("Issuer", &authority["spec"]["issuerRef"]["name"]);
    assert!(signed_by["spec"]["selfSigned"].is_object());
}
