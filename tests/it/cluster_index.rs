//! The index of a cluster against an API server that breaks, forgets, repeats itself and tells nonsense: in the end what
//! is known is what a fresh list says, and while it is away that is said.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use domicile::cluster::roster::Roster;
use domicile::cluster::{ClusterState, EveryPod, follow};
use domicile::model::{LabelSet, NamespaceName, NodeName};
use futures::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::{Request, Response, StatusCode};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::sleep;

/// Kinds that hold objects here; every other one is empty.
const KINDS: [&str; 6] = [
    "/api/v1/nodes",
    "/api/v1/namespaces",
    "/api/v1/pods",
    "/api/v1/persistentvolumeclaims",
    "/api/v1/persistentvolumes",
    "/apis/storage.k8s.io/v1/storageclasses",
];

/// Pages are small, so that lists have several.
const PAGE: usize = 2;

type Body = UnsyncBoxBody<Bytes, io::Error>;
type Line = Result<String, io::Error>;

/// What the API server knows of a kind.
#[derive(Default)]
struct Kind {
    objects: BTreeMap<String, Value>,
    /// Every event since it began, with its place in the history.
    history: Vec<(u64, String)>,
    /// The least place that a watch may be taken up from.
    remembered: u64,
    watchers: Vec<UnboundedSender<Line>>,
    /// Lists that somebody is in the middle of, by the place in the history at which they began.
    lists: BTreeMap<u64, VecDeque<Value>>,
}

#[derive(Default)]
struct Server {
    version: u64,
    is_down: bool,
    kinds: BTreeMap<String, Kind>,
}

impl Server {
    fn kind(&mut self, path: &str) -> &mut Kind {
        self.kinds.entry(path.to_owned()).or_default()
    }

    fn event(&mut self, path: &str, word: &str, name: &str, object: &Value) {
        self.version += 1;
        let version = self.version;
        let mut object = object.clone();
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        // As API servers write it: the word first.
        let line = format!(r#"{{"type":"{word}","object":{object}}}"#);
        let kind = self.kind(path);
        match word {
            "DELETED" => drop(kind.objects.remove(name)),
            _ => drop(kind.objects.insert(name.to_owned(), object)),
        }
        kind.history.push((version, line.clone()));
        kind.watchers
            .retain(|watcher| watcher.send(Ok(line.clone())).is_ok());
    }

    fn breaks(&mut self, path: &str) {
        for watcher in self.kind(path).watchers.drain(..) {
            drop(watcher.send(Err(io::Error::other("the connection broke"))));
        }
    }

    fn answer(&mut self, request: &Request<kube::client::Body>) -> Response<Body> {
        let full = |status: StatusCode, body: Value| {
            let body = Full::new(Bytes::from(body.to_string())).map_err(|never: Infallible| match never {});
            let mut response = Response::new(body.boxed_unsync());
            *response.status_mut() = status;
            response
        };
        if self.is_down {
            let status = json!({"kind": "Status", "status": "Failure", "message": "away", "reason": "Unavailable", "code": 503});
            return full(StatusCode::SERVICE_UNAVAILABLE, status);
        }
        let now = self.version;
        let asked: BTreeMap<&str, &str> = request
            .uri()
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        let path = request.uri().path().to_owned();
        let kind = self.kind(&path);
        if asked.contains_key("watch") {
            let from: u64 = asked["resourceVersion"].parse().expect("a place in the history");
            let (sender, receiver) = unbounded_channel::<Line>();
            if from < kind.remembered {
                let gone = r#"{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"too old","reason":"Expired","code":410}}"#;
                drop(sender.send(Ok(gone.to_owned())));
            } else {
                for (_, line) in kind.history.iter().filter(|(version, _)| *version > from) {
                    drop(sender.send(Ok(line.clone())));
                }
                kind.watchers.push(sender);
            }
            let lines = futures::stream::unfold(receiver, |mut receiver| async move {
                let line = receiver.recv().await?;
                let frame = line.map(|line| Frame::data(Bytes::from(format!("{line}\n"))));
                Some((frame, receiver))
            });
            return Response::new(StreamBody::new(lines.boxed()).boxed_unsync());
        }
        let token = asked.get("continue").map(|token| token.parse().expect("a token"));
        if token.is_none() {
            let objects = kind.objects.values().cloned().collect();
            kind.lists.insert(now, objects);
        }
        let began: u64 = token.unwrap_or(now);
        let rest = kind.lists.entry(began).or_default();
        let items: Vec<Value> = rest.drain(..rest.len().min(PAGE)).collect();
        let mut metadata = json!({"resourceVersion": began.to_string()});
        match rest.is_empty() {
            true => drop(kind.lists.remove(&began)),
            false => metadata["continue"] = json!(began.to_string()),
        }
        let list = json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items});
        full(StatusCode::OK, list)
    }
}

/// An API server in memory.
#[derive(Clone, Default)]
struct ApiServer(Arc<Mutex<Server>>);

impl ApiServer {
    fn server(&self) -> MutexGuard<'_, Server> {
        self.0.lock().expect("no panic")
    }

    fn client(&self) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let answer = server.server().answer(&request);
            std::future::ready(Ok::<_, Infallible>(answer))
        });
        kube::Client::new(service, "default")
    }

    /// Follows it from nothing.
    fn follow(&self) -> (watch::Receiver<ClusterState>, EveryPod) {
        let (sender, states) = watch::channel(ClusterState::default());
        let (every_pod, listeners) = EveryPod::channel();
        tokio::spawn(follow(self.client(), sender, listeners));
        (states, every_pod)
    }
}

/// Every pod as somebody was told who asked.
#[derive(Default)]
struct Told(Arc<Mutex<Roster>>);

impl Told {
    /// Asks, and listens until another asks.
    async fn ask(every_pod: &EveryPod) -> Self {
        let mut changes = every_pod.listed_anew().await;
        let told = Self::default();
        let roster = told.0.clone();
        tokio::spawn(async move {
            while let Some(change) = changes.recv().await {
                roster.lock().expect("no panic").take(change);
            }
        });
        told
    }

    /// The pods with what decides, and how many cannot be read; `None` before they were listed whole.
    fn pods(&self) -> Option<(Vec<String>, usize)> {
        let roster = self.0.lock().expect("no panic");
        let pods = roster.after(None);
        let pods = pods.map(|(key, pod)| format!("{key:?} on {:?}: {:?}", pod.node, pod.subject));
        roster
            .is_whole()
            .then(|| (pods.collect(), roster.unreadable_count()))
    }
}

/// An object of a kind; what it says depends on a number.
fn object(path: &str, name: &str, value: u8) -> Value {
    let mut object = json!({"metadata": {"name": name}, "spec": {}});
    let subjects = ["DE", "FR", "SE"][usize::from(value % 3)];
    let says = json!({"domicile.dev/data-subjects": subjects});
    match path {
        "/api/v1/nodes" => {
            object["metadata"]["labels"] = json!({"topology.kubernetes.io/region": format!("r{value}")});
        }
        "/api/v1/namespaces" => object["metadata"]["labels"] = json!({"value": value.to_string()}),
        "/api/v1/pods" => {
            object["metadata"]["namespace"] = json!("shop");
            object["metadata"]["labels"] = json!({"app": format!("a{}", value % 2)});
            object["spec"]["nodeName"] = json!(format!("n{value}"));
        }
        "/api/v1/persistentvolumeclaims" => {
            object["metadata"]["namespace"] = json!("shop");
            object["spec"]["volumeName"] = json!(format!("v{value}"));
        }
        _ => object["metadata"]["annotations"] = says,
    }
    object
}

/// What happens, to the kind of a number where there is one.
#[derive(Debug, Clone)]
enum Happening {
    Write(usize, u8, u8),
    /// An object that nobody can read.
    Nonsense(usize, u8),
    Delete(usize, u8),
    /// The last event of the kind comes again.
    Repeat(usize),
    /// The connection of the watch breaks.
    Break(usize),
    /// What a watch could be taken up from is forgotten.
    Forget(usize),
    Down,
    Up,
    /// Somebody asks for every pod.
    Ask,
    /// Time passes, in milliseconds.
    Pass(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    let kind = || 0..KINDS.len();
    prop_oneof![
        8 => (kind(), 0..4_u8, 0..4_u8).prop_map(|(kind, key, value)| Happening::Write(kind, key, value)),
        2 => (kind(), 0..4_u8).prop_map(|(kind, key)| Happening::Nonsense(kind, key)),
        3 => (kind(), 0..4_u8).prop_map(|(kind, key)| Happening::Delete(kind, key)),
        2 => kind().prop_map(Happening::Repeat),
        2 => kind().prop_map(Happening::Break),
        2 => kind().prop_map(Happening::Forget),
        1 => Just(Happening::Down),
        1 => Just(Happening::Up),
        1 => Just(Happening::Ask),
        6 => (0..3_000_u64).prop_map(Happening::Pass),
    ]
}

async fn happen(api: &ApiServer, happening: &Happening) {
    if let Happening::Pass(ms) = happening {
        sleep(Duration::from_millis(*ms)).await;
        return;
    }
    let mut server = api.server();
    match happening {
        Happening::Write(kind, key, value) => {
            let (path, name) = (KINDS[*kind], format!("o{key}"));
            let object = object(path, &name, *value);
            let is_there = server.kind(path).objects.contains_key(&name);
            server.event(path, if is_there { "MODIFIED" } else { "ADDED" }, &name, &object);
        }
        Happening::Nonsense(kind, key) => {
            let (path, name) = (KINDS[*kind], format!("o{key}"));
            let mut object = object(path, &name, 0);
            object["metadata"]["labels"] = json!(["no", "map"]);
            object["metadata"]["annotations"] = json!("nor this");
            let is_there = server.kind(path).objects.contains_key(&name);
            server.event(path, if is_there { "MODIFIED" } else { "ADDED" }, &name, &object);
        }
        Happening::Delete(kind, key) => {
            let (path, name) = (KINDS[*kind], format!("o{key}"));
            if let Some(object) = server.kind(path).objects.get(&name).cloned() {
                server.event(path, "DELETED", &name, &object);
            }
        }
        Happening::Repeat(kind) => {
            let kind = server.kind(KINDS[*kind]);
            if let Some((_, line)) = kind.history.last().cloned() {
                kind.watchers
                    .retain(|watcher| watcher.send(Ok(line.clone())).is_ok());
            }
        }
        Happening::Break(kind) => server.breaks(KINDS[*kind]),
        Happening::Forget(kind) => {
            // Other kinds have moved on since the last list of this one.
            server.version += 1;
            let version = server.version;
            server.kind(KINDS[*kind]).remembered = version;
            server.breaks(KINDS[*kind]);
        }
        Happening::Down => {
            server.is_down = true;
            let paths: Vec<String> = server.kinds.keys().cloned().collect();
            paths.iter().for_each(|path| server.breaks(path));
        }
        Happening::Up => server.is_down = false,
        Happening::Ask | Happening::Pass(_) => {}
    }
}

/// Whether a state has what was written last to every kind.
fn has_the_last(state: &ClusterState) -> bool {
    let Some(fleet) = &state.fleet else { return false };
    let named = |name: &str| NodeName::new(name).expect("a name");
    let key = domicile::model::ClaimKey {
        namespace: NamespaceName::new("shop").expect("a name"),
        name: Arc::from("last"),
    };
    let pods = state.running_pods.as_ref();
    let labels = LabelSet::new([("app", "last")].into_iter());
    let groups = pods.and_then(|pods| pods.groups(&key.namespace));
    state.is_current()
        && fleet.nodes.contains_key(&named("last"))
        && fleet
            .namespaces
            .as_ref()
            .is_some_and(|all| all.contains_key("last"))
        && fleet.claims.as_ref().is_some_and(|all| all.contains_key(&key))
        && fleet.volumes.as_ref().is_some_and(|all| all.contains_key("last"))
        && fleet
            .storage_classes
            .as_ref()
            .is_some_and(|all| all.contains_key("last"))
        && groups.is_some_and(|groups| groups.contains_key(&labels))
}

async fn in_the_end_it_is_a_fresh_list(happenings: Vec<Happening>) -> Result<(), TestCaseError> {
    let api = ApiServer::default();
    let (mut states, every_pod) = api.follow();
    let mut told = Told::default();
    for happening in &happenings {
        match happening {
            Happening::Ask => told = Told::ask(&every_pod).await,
            other => happen(&api, other).await,
        }
    }
    {
        let mut server = api.server();
        server.is_down = false;
        for path in KINDS {
            let mut last = object(path, "last", 0);
            if path == "/api/v1/pods" {
                last["metadata"]["labels"] = json!({"app": "last"});
            }
            server.event(path, "ADDED", "last", &last);
        }
    }
    // Nothing waits in truth: time jumps to the next thing that is due.
    let within = Duration::from_secs(600);
    let followed = tokio::time::timeout(within, states.wait_for(has_the_last)).await;
    let followed = followed
        .expect("it comes back by itself")
        .expect("it goes on")
        .clone();
    let (mut fresh, fresh_pods) = api.follow();
    let fresh_told = Told::ask(&fresh_pods).await;
    let fresh = tokio::time::timeout(within, fresh.wait_for(has_the_last)).await;
    let fresh = fresh.expect("it is listed").expect("it goes on").clone();
    sleep(Duration::from_secs(1)).await;
    if let Some(pods) = told.pods() {
        prop_assert_eq!(Some(pods), fresh_told.pods());
    } else {
        let has_asked = happenings
            .iter()
            .any(|happening| matches!(happening, Happening::Ask));
        prop_assert!(!has_asked, "who asked was told nothing");
    }
    prop_assert_eq!(&followed.fleet, &fresh.fleet);
    prop_assert_eq!(&followed.running_pods, &fresh.running_pods);
    prop_assert_eq!(followed.unreadable, fresh.unreadable);
    prop_assert_eq!(followed.confirmed_until(), None);
    Ok(())
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

/// Like other properties, as many cases as are asked for; each is a cluster of its own.
fn cases() -> u32 {
    let asked = std::env::var("DOMICILE_PROPERTY_CASES").ok();
    asked
        .and_then(|asked| asked.parse::<u32>().ok())
        .map_or(64, |asked| asked / 20)
}

#[test]
fn properties_whatever_happens_the_index_is_a_fresh_list_in_the_end() {
    let mut runner = TestRunner::new(Config::with_cases(cases()));
    let happenings = proptest::collection::vec(happening(), 0..40);
    let ran = runner.run(&happenings, |happenings| {
        runtime().block_on(in_the_end_it_is_a_fresh_list(happenings))
    });
    ran.expect("the property");
}

#[test]
fn pods_are_watched_once_for_those_that_run_and_for_whoever_asks_for_all() {
    runtime().block_on(async {
        let api = ApiServer::default();
        let pods = "/api/v1/pods";
        let waiting =
            json!({"metadata": {"name": "waiting", "namespace": "shop", "labels": {"app": "a"}}, "spec": {}});
        api.server().event(pods, "ADDED", "waiting", &waiting);
        api.server().event(pods, "ADDED", "o1", &object(pods, "o1", 1));
        let (mut states, every_pod) = api.follow();
        let runs = |count| {
            move |state: &ClusterState| {
                state
                    .running_pods
                    .as_ref()
                    .is_some_and(|pods| pods.len() == count)
            }
        };
        states.wait_for(runs(1)).await.expect("it goes on");
        for asked in 1..=2 {
            let told = Told::ask(&every_pod).await;
            sleep(Duration::from_secs(1)).await;
            assert_eq!(
                told.pods().map(|(pods, _)| pods.len()),
                Some(asked + 1),
                "listed anew"
            );
            let name = format!("later{asked}");
            api.server().event(pods, "ADDED", &name, &object(pods, &name, 2));
            states.wait_for(runs(1 + asked)).await.expect("it goes on");
            sleep(Duration::from_secs(1)).await;
            assert_eq!(
                told.pods().map(|(pods, _)| pods.len()),
                Some(asked + 2),
                "and then watched"
            );
            let open = |watcher: &&UnboundedSender<Line>| !watcher.is_closed();
            assert_eq!(api.server().kind(pods).watchers.iter().filter(open).count(), 1);
        }
    });
}

#[test]
fn while_it_is_away_the_last_state_stays_and_says_since_when() {
    runtime().block_on(async {
        let api = ApiServer::default();
        for path in KINDS {
            let object = object(path, "o1", 1);
            api.server().event(path, "ADDED", "o1", &object);
        }
        let (mut states, _) = api.follow();
        let current = |state: &ClusterState| state.is_current() && state.running_pods.is_some();
        let known = states.wait_for(current).await.expect("it goes on").clone();
        assert_eq!((known.confirmed_until(), known.generation), (None, 1));
        happen(&api, &Happening::Down).await;
        sleep(Duration::from_secs(60)).await;
        let away = states.wait_for(|state| state.away.len() >= KINDS.len()).await;
        let away = away.expect("it goes on").clone();
        assert!(!away.is_current());
        assert!(away.confirmed_until().is_some());
        assert_eq!(
            (&away.fleet, away.generation),
            (&known.fleet, 1),
            "the last state stays"
        );
        sleep(Duration::from_secs(60)).await;
        let still = states.borrow().confirmed_until();
        assert_eq!(still, away.confirmed_until(), "it was heard no later");
        happen(&api, &Happening::Up).await;
        let back = states.wait_for(current).await.expect("it goes on").clone();
        assert_eq!(
            (back.confirmed_until(), back.generation),
            (None, 1),
            "and nothing changed"
        );
    });
}
