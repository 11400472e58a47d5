//! What a decision costs without HTTP: from a body in memory to an answer in memory, and the decision
//! alone; and what running pods cost whoever publishes them and whoever asks for peers.
//! Run: `cargo bench --bench engine`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod world;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domicile::extender::read_arguments;
use domicile::model::{LabelPool, LabelSet, NamespaceName, NodeName, RunningPod, RunningPods};
use domicile::objects::{ObjectKind, read_annotations};
use domicile::placement::{self, BlindSample, assess};
use domicile::server::{AnswerSettings, filter, prioritize};
use domicile::snapshot::RunningFacts;

/// The median time of a call, over so many batches that each takes about a millisecond or one call.
fn median(mut call: impl FnMut()) -> Duration {
    let started = Instant::now();
    call();
    let once = started.elapsed().max(Duration::from_nanos(50));
    let batch = (Duration::from_millis(1).as_nanos() / once.as_nanos()).max(1) as u32;
    let mut samples: Vec<Duration> = (0..400)
        .map(|_| {
            let started = Instant::now();
            for _ in 0..batch {
                call();
            }
            started.elapsed() / batch
        })
        .collect();
    samples.sort_unstable();
    samples[samples.len() / 2]
}

fn main() {
    let now = world::NOW.parse().expect("an instant");
    println!(
        "{:>7} {:>9} {:<28} {:>10} {:>14} {:>12}",
        "names", "permitted", "what", "P50 µs", "per second", "ns per name"
    );
    for count in [500, 5_000, 15_000] {
        let nodes = world::nodes(count);
        let snapshot = world::snapshot(&nodes);
        for (permitted, namespace) in [("10%", "eea"), ("100%", "anywhere")] {
            let body = world::body(namespace, &nodes);
            let arguments = read_arguments(&body, |names| snapshot.classes_of(names)).expect("a request");
            let (pod, candidates) = (&arguments.pod, &arguments.candidates);
            let report = |what: &str, took: Duration| {
                println!(
                    "{count:>7} {permitted:>9} {what:<28} {:>10.1} {:>14.0} {:>12.1}",
                    took.as_nanos() as f64 / 1e3,
                    1.0 / took.as_secs_f64(),
                    took.as_nanos() as f64 / count as f64,
                );
            };
            report(
                "assess the pod",
                median(|| drop(black_box(assess(&snapshot, pod, now)))),
            );
            report(
                "decide filter",
                median(|| {
                    let assessment = assess(&snapshot, pod, now);
                    black_box(placement::filter(
                        &assessment,
                        candidates.classes(),
                        BlindSample::Error,
                    ));
                }),
            );
            report(
                "decide prioritize",
                median(|| {
                    let assessment = assess(&snapshot, pod, now);
                    black_box(placement::prioritize(&assessment, candidates.classes()));
                }),
            );
            report(
                "read the body",
                median(|| {
                    drop(black_box(read_arguments(&body, |names| {
                        snapshot.classes_of(names)
                    })))
                }),
            );
            report(
                "filter, body to answer",
                median(|| {
                    drop(black_box(filter(
                        &snapshot,
                        &body,
                        now,
                        AnswerSettings::default(),
                    )))
                }),
            );
            report(
                "prioritize, body to answer",
                median(|| drop(black_box(prioritize(&snapshot, &body, now)))),
            );
        }
    }
    peers(15_000, 100_000);
}

/// So many pods on these nodes: nine of ten are of Deployments, 300 pods each in namespaces of their teams; the
/// others are of StatefulSets in one namespace, so that no two have the same labels.
fn running_pods(nodes: &[world::Node], count: usize) -> Vec<(NamespaceName, RunningPod)> {
    let mut pool = LabelPool::default();
    let pod = |number: usize| {
        let (namespace, labels) = if number.is_multiple_of(10) {
            let name = format!("db-{number}");
            let labels = [("app", "db"), ("statefulset.kubernetes.io/pod-name", &name)];
            ("databases".to_owned(), LabelSet::new(labels.into_iter()))
        } else {
            let workload = number / 300;
            let (app, hash) = (format!("app-{workload}"), format!("{:010x}", workload * 104_729));
            let labels = [
                ("app", app.as_str()),
                ("app.kubernetes.io/part-of", "shop"),
                ("pod-template-hash", &hash),
            ];
            (
                format!("team-{}", workload % 40),
                LabelSet::new(labels.into_iter()),
            )
        };
        let node = &nodes[number * 7_919 % nodes.len()];
        let pod = RunningPod {
            labels: pool.share(&labels),
            node: NodeName::new(&node.name).expect("a name"),
            held: None,
        };
        (NamespaceName::new(&namespace).expect("a name"), pod)
    };
    (0..count).map(pod).collect()
}

/// Peers among so many pods on so many nodes.
fn peers(nodes: usize, pods: usize) {
    let now = world::NOW.parse().expect("an instant");
    let nodes = world::nodes(nodes);
    let snapshot = world::snapshot(&nodes);
    let pods = running_pods(&nodes, pods);
    let gather = || RunningPods::gather(pods.iter().map(|(namespace, pod)| (namespace, pod)));
    let running = RunningFacts {
        pods: Some(Arc::new(gather())),
        generation: 1,
    };
    println!("\n{:>7} pods run on {} nodes", pods.len(), nodes.len());
    let report =
        |what: &str, took: Duration| println!("{what:<45} {:>10.1} µs", took.as_nanos() as f64 / 1e3);
    report("gather the pods", median(|| drop(black_box(gather()))));
    report(
        "make the snapshot that has them",
        median(|| drop(black_box(snapshot.with_running(&running)))),
    );
    let snapshot = snapshot.with_running(&running);
    let body = world::body("anywhere", &nodes);
    let arguments = read_arguments(&body, |names| snapshot.classes_of(names)).expect("a request");
    for (what, peers) in [
        ("decide prioritize without peers", ""),
        (
            "decide prioritize with peers of one workload",
            "app=app-7: namespace=team-7",
        ),
        (
            "the same in the namespace of all StatefulSets",
            "app=db: namespace=databases",
        ),
    ] {
        let mut pod = arguments.pod.clone();
        let annotations = [("domicile.dev/peers", peers)]
            .into_iter()
            .filter(|(_, peers)| !peers.is_empty());
        pod.annotations.access.peers = read_annotations(ObjectKind::Pod, annotations).access.peers;
        report(
            what,
            median(|| {
                let assessment = assess(&snapshot, &pod, now);
                black_box(placement::prioritize(&assessment, arguments.candidates.classes()));
            }),
        );
    }
}
