//! Whether a thousand equal pods spread over a thousand equal nodes in thirty zones as they do without us.
//!
//! The nodes are in ten regions of the EEA, three zones each. kube-scheduler samples as it does by default and draws
//! among the best; of each row one starts anew with the pods already there, and which zones they get is counted when
//! half of them are bound and when all are. A zone must get what it gets without an extender, within 10%. At half time
//! kube-scheduler by itself gives some zones ten times what others have, unless a service selects the pods; so there the
//! sum of all deviations is compared. Print the table with
//! `cargo test --test cluster -- cases::spreading --nocapture`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Service;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use super::fleet::EEA_PERSONAL;
use super::spreading_fleet::{FARTHER_NODES, NODES, data_sets, farther_nodes, nodes, zones};
use crate::bindings::{Binding, Bindings};
use crate::creations::create_all;
use crate::domicile::{Domicile, DomicileSettings, Facts, shipped};
use crate::objects::Pod;
use crate::scenario::Scenario;
use crate::scheduler::{Extender, Mode, SchedulerSettings};

const PODS: usize = 1_000;
/// By what share a zone may differ from what it has without us.
const MOST_OF_A_ZONE: f64 = 0.1;
/// How many times what zones deviate by without us they may deviate by when half of the pods are bound, and a pod for each
/// zone beyond that. Repeats without us differ from each other by a fifth.
const MOST_AT_HALF_TIME: f64 = 1.5;
const LIMIT: Duration = Duration::from_secs(280);

/// What the pods are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pods {
    Ungoverned,
    /// Permitted in the EEA.
    Governed,
    /// The same, and the webhook confined them.
    Injected,
    /// They read what has a copy in each region of the EEA.
    Reading,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    name: &'static str,
    asks: bool,
    pods: Pods,
    /// Whether a service selects them, whose pods kube-scheduler by itself spreads over zones.
    of_a_service: bool,
    /// Whether there are nodes besides the thousand.
    farther: bool,
}

const fn row(name: &'static str, asks: bool, pods: Pods, of_a_service: bool, farther: bool) -> Row {
    Row {
        name,
        asks,
        pods,
        of_a_service,
        farther,
    }
}

const ROWS: [Row; 7] = [
    row("no extender", false, Pods::Ungoverned, false, false),
    row("no extender, again", false, Pods::Ungoverned, false, false),
    row(
        "Domicile, permitted everywhere",
        true,
        Pods::Governed,
        false,
        false,
    ),
    row("of a service: no extender", false, Pods::Ungoverned, true, false),
    row(
        "of a service: Domicile, ungoverned",
        true,
        Pods::Ungoverned,
        true,
        false,
    ),
    row(
        "of a service: behind injected affinity",
        true,
        Pods::Injected,
        true,
        true,
    ),
    row("Domicile, scores that tie", true, Pods::Reading, false, true),
];

/// How many pods each zone of the thousand nodes has, in order of the zones' names.
#[derive(Debug, Clone)]
struct Spread {
    half: Vec<usize>,
    whole: Vec<usize>,
    pods_per_second: f64,
}

struct Bench {
    scenario: Scenario,
    domicile: Domicile,
    /// By the name of a node.
    zones: BTreeMap<String, String>,
}

impl Bench {
    async fn begin() -> Self {
        let scenario = Scenario::begin("spreading").await;
        for (name, annotations) in [("plain", &[] as &[_]), ("shop", &EEA_PERSONAL)] {
            scenario.cluster.create_namespace(name, annotations).await;
        }
        scenario.cluster.create_nodes(nodes()).await;
        let data_sets_file = scenario.directory.join("data-sets.yaml");
        std::fs::write(&data_sets_file, data_sets()).expect("the temporary folder can be written");
        let authority = &scenario.plane.certificates.authority;
        let mut domicile = scenario.start_domicile(DomicileSettings {
            policies: Some(shipped("policies")),
            data_sets: data_sets_file,
            latency: shipped("defaults/latency.csv"),
            facts: Facts::Cluster(scenario.plane.administrator()),
            admission: Some(authority.server(&scenario.directory, "domicile-admission")),
            settings: Vec::new(),
            further_arguments: Vec::new(),
        });
        domicile.until_ready().await;
        Self {
            scenario,
            domicile,
            zones: zones(),
        }
    }

    async fn run(&self, row: &Row) -> Spread {
        let cluster = &self.scenario.cluster;
        let namespace = if matches!(row.pods, Pods::Governed | Pods::Injected) {
            "shop"
        } else {
            "plain"
        };
        let services: Api<Service> = Api::namespaced(cluster.client.clone(), namespace);
        if row.of_a_service {
            let service = json!({
                "metadata": { "name": "web" },
                "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80 }] },
            });
            let service: Service = serde_json::from_value(service).expect("this is a service");
            let created = services.create(&PostParams::default(), &service).await;
            created.expect("the API server takes the service");
        }
        if row.pods == Pods::Injected {
            let (url, authority) = (
                self.domicile.webhook("/mutate"),
                &self.scenario.plane.certificates.authority,
            );
            cluster.register_injection(&url, &authority.file, "shop").await;
        }
        let pod = |number| {
            let pod = Pod::named(format!("web-{number}")).in_namespace(namespace);
            let pod = pod.label("app", "web").cpu("500m");
            match row.pods {
                Pods::Reading => pod.annotate("domicile.dev/data-sets", "everywhere: reads=1"),
                _ => pod,
            }
        };
        let created = create_all(cluster, (0..PODS).map(pod).collect(), 24, false).await;
        assert_eq!(created.failures, [""; 0]);
        for pod in &created.created {
            let affinity = pod.spec.as_ref().and_then(|spec| spec.affinity.as_ref());
            assert_eq!(affinity.is_some(), row.pods == Pods::Injected, "{}", row.name);
        }
        cluster.sweep_webhooks().await;

        let bindings = Bindings::from_now(cluster.pods(namespace)).await;
        let extender = row.asks.then(|| Extender {
            weight: 5,
            timeout_ms: 20_000,
            ..Extender::at(format!("http://{}", self.domicile.address()), Mode::NamesOnly)
        });
        let settings = SchedulerSettings {
            percentage_of_nodes_to_score: None,
            requests_per_second: 5_000,
            ..SchedulerSettings::with_extenders(extender)
        };
        let begun = Instant::now();
        let (bound, _scheduler) = tokio::join!(
            bindings.first(PODS, LIMIT),
            self.scenario.start_scheduler("kube-scheduler", &settings)
        );
        let took = bound[PODS - 1].at.duration_since(begun);
        let pods_per_second = PODS as f64 / took.as_secs_f64();
        if row.of_a_service {
            let deleted = services.delete("web", &DeleteParams::default()).await;
            deleted.expect("the service can be deleted");
        }
        cluster.remove_pods(namespace).await;
        Spread {
            half: self.count(&bound[..PODS / 2]),
            whole: self.count(&bound),
            pods_per_second,
        }
    }

    fn count(&self, bound: &[Binding]) -> Vec<usize> {
        let mut counts: BTreeMap<&str, usize> = self.zones.values().map(|zone| (zone.as_str(), 0)).collect();
        for Binding { node, .. } in bound {
            let zone = self.zones.get(node);
            let zone = zone.unwrap_or_else(|| panic!("`{node}` is none of the thousand nodes"));
            *counts.entry(zone).or_default() += 1;
        }
        counts.into_values().collect()
    }
}

/// The sum of what zones have more or less than the mean.
fn deviation(counts: &[usize]) -> f64 {
    let mean = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
    counts.iter().map(|count| (*count as f64 - mean).abs()).sum()
}

fn line(name: &str, spread: &Spread) -> String {
    let figures = |counts: &[usize]| {
        let (least, most) = (counts.iter().min(), counts.iter().max());
        let (least, most) = (least.expect("there are zones"), most.expect("there are zones"));
        format!("{least} to {most} | {:.0}", deviation(counts))
    };
    format!(
        "| {name} | {} | {} | {:.0} |",
        figures(&spread.half),
        figures(&spread.whole),
        spread.pods_per_second
    )
}

/// What is seen without us in rows of the same kind, zone by zone, at half time and at the end.
struct Without {
    half_deviation: f64,
    whole: Vec<f64>,
}

impl Without {
    fn of(spreads: &[&Spread]) -> Self {
        let runs = spreads.len() as f64;
        let half = spreads.iter().map(|spread| deviation(&spread.half)).sum::<f64>();
        let zones = spreads.first().map_or(0, |spread| spread.whole.len());
        let of_zone = |zone: usize| {
            spreads
                .iter()
                .map(|spread| spread.whole[zone] as f64)
                .sum::<f64>()
                / runs
        };
        Self {
            half_deviation: half / runs,
            whole: (0..zones).map(of_zone).collect(),
        }
    }

    /// The first thing in which a spread is another.
    fn differs(&self, spread: &Spread) -> Option<String> {
        let zones = spread.whole.iter().zip(&self.whole);
        for (zone, (count, mean)) in zones.enumerate() {
            if (*count as f64 - mean).abs() > mean * MOST_OF_A_ZONE {
                return Some(format!("zone {zone} has {count} pods and {mean} without us"));
            }
        }
        let half = deviation(&spread.half);
        let most = self.half_deviation * MOST_AT_HALF_TIME + spread.half.len() as f64;
        (half > most).then(|| {
            format!(
                "at half time zones deviate by {half:.0} pods, and by {:.0} without us",
                self.half_deviation
            )
        })
    }
}

#[test]
fn herds_differ_from_what_is_spread() {
    let spread = |half: &[usize], whole: &[usize]| Spread {
        half: half.to_vec(),
        whole: whole.to_vec(),
        pods_per_second: 1.0,
    };
    let without = Without::of(&[
        &spread(&[16, 17, 16], &[33, 33, 34]),
        &spread(&[17, 16, 16], &[34, 33, 33]),
    ]);
    assert_eq!(without.differs(&spread(&[17, 16, 17], &[35, 32, 33])), None);
    assert!(without.differs(&spread(&[17, 16, 17], &[37, 31, 32])).is_some());
    assert!(without.differs(&spread(&[17, 16, 17], &[29, 35, 36])).is_some());
    assert!(without.differs(&spread(&[33, 1, 16], &[33, 33, 34])).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_pods_spread_over_thirty_zones_as_without_us() {
    let bench = Bench::begin().await;
    println!(
        "| row | half: a zone has | deviation | all: a zone has | deviation | pods/s |\n|---|---|---|---|---|---|"
    );
    let mut spreads: Vec<(Row, Spread)> = Vec::new();
    let mut known = NODES;
    for row in ROWS {
        if row.farther && known == NODES {
            bench.scenario.cluster.create_nodes(farther_nodes()).await;
            known += FARTHER_NODES;
        }
        bench.domicile.until_it_knows_nodes(known, LIMIT).await;
        let spread = bench.run(&row).await;
        println!("{}", line(row.name, &spread));
        spreads.push((row, spread));
    }
    for (row, spread) in spreads.iter().filter(|(row, _)| row.asks) {
        let alike = spreads
            .iter()
            .filter(|(other, _)| !other.asks && other.of_a_service == row.of_a_service)
            .map(|(_, spread)| spread);
        let without = Without::of(&alike.collect::<Vec<_>>());
        assert_eq!(without.differs(spread), None, "{}: {spread:?}", row.name);
    }
}
