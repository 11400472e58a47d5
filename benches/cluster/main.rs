//! A large cluster through the real watches into snapshots: how much memory it takes, how soon a change is published, and
//! that a heartbeat is none. Run: `cargo bench --bench cluster`.
//!
//! An API server that is made up serves 15,000 nodes and 100,000 pods of the size that kubectl shows (`objects.rs`), a
//! tenth of which carry volumes and data annotations, in pages and then as watches. It is a process of its own (this
//! program, started again), so that the memory that is measured is that of the serving side alone. The floors: 300 MiB
//! at most, lists and a second list of everything included; from a pod event to the snapshot that has it 5 ms at the
//! 99th percentile beyond the 10 ms for which events of pods are gathered, at 500 events a second; and no snapshot for 5,000
//! heartbeats. Figures: what is sent is stamped by the server before it is written, and read by the same clock here.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod api_server;
mod client;
mod objects;
mod scan;

use std::sync::Arc;
use std::time::{Duration, Instant};

use domicile::assembly::SourceText;
use domicile::cluster::{self, ClusterState, EveryPod, PODS_COALESCE};
use domicile::embedded;
use domicile::model::{LabelSelector, NamespaceName, PeerUse, RequestsPerCall};
use domicile::policy::{PolicySet, read_data_sets};
use domicile::publish::Publisher;
use tokio::sync::watch;

use client::ApiServer;

/// A build without optimisation only shows that it works.
const IS_SMALL: bool = cfg!(debug_assertions);

/// How many there are.
const NODES: usize = if IS_SMALL { 300 } else { 15_000 };
const PODS: usize = if IS_SMALL { 2_000 } else { 100_000 };
/// How many pod events a second, and how many in all.
const EVENTS_PER_SECOND: usize = 500;
const EVENTS: usize = if IS_SMALL { 1_000 } else { 10_000 };
const HEARTBEATS: usize = if IS_SMALL { 500 } else { 5_000 };

const MOST_MEMORY_MIB: f64 = 300.0;
const MOST_AT_P99: Duration = Duration::from_millis(5);

fn main() {
    if std::env::var_os(client::IS_SERVER).is_some() {
        return api_server::run();
    }
    let server = ApiServer::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let held = runtime.block_on(measure(&server));
    println!();
    // Figures of a build without optimisation are none.
    if !held && !IS_SMALL {
        println!("a floor is missed");
        std::process::exit(1);
    }
}

/// Takes every figure, and tells whether all are within their floors.
async fn measure(server: &ApiServer) -> bool {
    let publisher = Arc::new(publisher());
    let (sender, mut states) = watch::channel(ClusterState::default());
    let began = Instant::now();
    let alone_mib = peak_memory_mib();
    let (every_pod, listeners) = EveryPod::channel();
    tokio::spawn(cluster::follow(server.kube_client(), sender, listeners));
    tokio::spawn(cluster::hand_over(states.clone(), publisher.clone(), |_| ()));
    let whole = |state: &ClusterState| {
        let pods = state.running_pods.as_ref().map_or(0, |pods| pods.len());
        pods >= PODS && state.is_current()
    };
    states.wait_for(whole).await.expect("a state");
    let mut publications = publisher.publications();
    let has_nodes = |publication: &domicile::publish::Publication| {
        let snapshot = publication.current.as_ref();
        snapshot.is_some_and(|snapshot| snapshot.node_count() == NODES)
    };
    publications.wait_for(has_nodes).await.expect("a snapshot");
    println!("{NODES} nodes, {PODS} pods; before the first list {alone_mib:.0} MiB\n");
    let mut held = true;
    let mut told = |what: &str, figure: String, floor: &str, holds: bool| {
        println!(
            "{what:<58} {figure:>12}   {floor}{}",
            if holds { "" } else { "   MISSED" }
        );
        held &= holds;
    };
    told(
        "listed and published",
        format!("{:.1} s", began.elapsed().as_secs_f64()),
        "",
        true,
    );
    let memory = |most: f64| most <= MOST_MEMORY_MIB;
    let listed_mib = peak_memory_mib();
    told(
        "peak memory, listed",
        format!("{listed_mib:.0} MiB"),
        "at most 300 MiB",
        memory(listed_mib),
    );

    let before = publications.borrow_and_update().number;
    let latencies = events(server, &publisher).await;
    let made = publications.borrow_and_update().number - before;
    let beyond = |share: f64| {
        let at = ((latencies.len() - 1) as f64 * share) as usize;
        latencies[at].saturating_sub(PODS_COALESCE)
    };
    let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
    told(
        &format!("snapshots for {EVENTS} pod events"),
        made.to_string(),
        "",
        true,
    );
    told("event to snapshot beyond 10 ms, P50", ms(beyond(0.5)), "", true);
    told(
        "event to snapshot beyond 10 ms, P99",
        ms(beyond(0.99)),
        "at most 5 ms",
        beyond(0.99) <= MOST_AT_P99,
    );
    told(
        "event to snapshot beyond 10 ms, the latest",
        ms(beyond(1.0)),
        "",
        true,
    );

    let before = publications.borrow_and_update().number;
    server.post(&format!("/control/heartbeats?count={HEARTBEATS}"));
    // What was sent after them to the same watch has been read when it is seen.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = one_event(server, &publisher).await;
    let made = after - before - 1;
    told(
        &format!("snapshots for {HEARTBEATS} heartbeats of nodes and pods"),
        made.to_string(),
        "none",
        made == 0,
    );

    server.post("/control/expire");
    // The pods that came since are not in the new list.
    while seen(&publisher) > 0 {
        publications.changed().await.expect("a publication");
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let relisted_mib = peak_memory_mib();
    told(
        "peak memory, everything listed again",
        format!("{relisted_mib:.0} MiB"),
        "at most 300 MiB",
        memory(relisted_mib),
    );

    let scan = scan::scan(server, &publisher, every_pod).await;
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    let rows = [
        (
            "roster of every pod, resident",
            format!("{:.0} MiB", scan.more_mib),
        ),
        ("listed and scanned for the first time", seconds(scan.first)),
        ("a scan of every pod, rests included", seconds(scan.again)),
        (
            "processor time from one scan to the next",
            seconds(scan.processor),
        ),
        ("pods that it judged", scan.pods.to_string()),
    ];
    for (what, figure) in rows {
        told(what, figure, "", true);
    }
    held
}

/// A publisher that has everything but a fleet.
fn publisher() -> Publisher {
    let texts = |(name, text): (&str, &str)| vec![SourceText::new(name, text)];
    let publisher = Publisher::default();
    publisher.latency(Arc::new(texts(embedded::latency())));
    let declared = read_data_sets([embedded::data_sets()]).expect("data sets");
    publisher.data_sets(Arc::new(declared), &texts(embedded::data_sets()));
    let policies = PolicySet::load(embedded::policies().iter().copied()).expect("policies");
    publisher.policies(Arc::new(policies.set));
    publisher
}

/// How many pods of events a snapshot has.
fn seen(publisher: &Publisher) -> usize {
    let snapshot = publisher.snapshots().load_full().expect("a snapshot");
    let peers = PeerUse {
        namespace: Some(NamespaceName::new(objects::EVENTS).expect("a name")),
        selector: LabelSelector::new(&[("app", objects::EVENT)]).expect("a selector"),
        calls: RequestsPerCall::new(1.0).expect("a number"),
    };
    let found = snapshot.peers(&peers, None).expect("running pods");
    usize::try_from(found.pods()).expect("a number")
}

/// Has pod events sent, and gives how long each took to be in a snapshot, the shortest first.
async fn events(server: &ApiServer, publisher: &Publisher) -> Vec<Duration> {
    let mut publications = publisher.publications();
    let first = seen(publisher);
    server.post(&format!(
        "/control/events?count={EVENTS}&per_second={EVENTS_PER_SECOND}"
    ));
    let mut published_us = Vec::with_capacity(EVENTS);
    while published_us.len() < EVENTS {
        publications.changed().await.expect("a publication");
        publications.borrow_and_update();
        let now = objects::now_us();
        published_us.resize(seen(publisher) - first, now);
    }
    let sent_us = server.sent_us();
    let sent_us = &sent_us[sent_us.len() - EVENTS..];
    let took = published_us.iter().zip(sent_us);
    let mut took: Vec<Duration> = took
        .map(|(published, sent)| Duration::from_micros(published.saturating_sub(*sent)))
        .collect();
    took.sort_unstable();
    took
}

/// Has one pod event sent, waits for it, and gives the number of the publication that had it.
async fn one_event(server: &ApiServer, publisher: &Publisher) -> u64 {
    let mut publications = publisher.publications();
    let first = seen(publisher);
    server.post("/control/events?count=1&per_second=1000");
    loop {
        let number = publications.borrow_and_update().number;
        if seen(publisher) > first {
            return number;
        }
        publications.changed().await.expect("a publication");
    }
}

/// The most memory that this process ever had resident.
fn peak_memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.trim().parse::<f64>().ok())
        .expect("a size")
        / 1024.0
}
