//! One measurement: pods are there before kube-scheduler is, and the time between bindings is taken.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Api;
use serde_json::json;

use crate::api::Cluster;
use crate::bindings::Bindings;
use crate::creations::create_all;
use crate::domicile::{Domicile, DomicileSettings, Facts, shipped};
use crate::fleet::{self, Share};
use crate::no_op;
use crate::objects::Pod;
use crate::rows::{Affinity, Beside, Row};
use crate::scenario::Scenario;
use crate::scheduler::{Extender, Mode, SchedulerSettings};

/// Longer than the slowest row takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(600);
/// The share of bindings that are not timed: caches, connections and the first collection of garbage.
const WARM_UP: f64 = 0.1;
/// What creations leave the API server to do is not timed: through a webhook it is twice as much.
const SETTLE: Duration = Duration::from_secs(5);
/// As many creations at once, far below what the API server refuses.
pub const AT_ONCE: usize = 32;

/// Everything that stays from run to run.
pub struct Bench {
    scenario: Scenario,
    domicile: Domicile,
    no_op: String,
}

/// What one run showed.
pub struct Run {
    pub pods_per_second: f64,
    pub creations_per_second: f64,
    pub creation_p99: Duration,
}

impl Bench {
    pub async fn begin() -> Self {
        let scenario = Scenario::begin("throughput").await;
        for share in Share::EVERY {
            let (name, annotations) = (share.namespace(), share.annotations());
            scenario.cluster.create_namespace(name, &annotations).await;
        }
        scenario.cluster.create_nodes(fleet::nodes()).await;
        let authority = &scenario.plane.certificates.authority;
        // Apart from what is logged: Domicile watches the folder of its certificate, as a mounted secret is one of its own.
        let secret = scenario.directory.join("admission-tls");
        std::fs::create_dir_all(&secret).expect("the temporary folder can be written");
        let settings = DomicileSettings {
            policies: Some(shipped("policies")),
            data_sets: shipped("defaults/data-sets.yaml"),
            latency: shipped("defaults/latency.csv"),
            facts: Facts::Cluster(scenario.plane.administrator()),
            admission: Some(authority.server(&secret, "domicile-admission")),
            settings: Vec::new(),
            further_arguments: Vec::new(),
        };
        let mut domicile = scenario.start_domicile(settings);
        domicile.kill();
        Self {
            scenario,
            domicile,
            no_op: no_op::start(),
        }
    }

    pub async fn run(&mut self, row: &Row, count: usize) -> Run {
        // Who is not asked does not run, for it would watch pods and nodes beside the others.
        if row.beside == Beside::Domicile {
            self.begin_domicile().await;
        }
        let run = self.measure(row, count).await;
        self.domicile.kill();
        let namespaces = BTreeSet::from([0, 1].map(|number| row.share_of(number).namespace()));
        for namespace in namespaces {
            self.cluster().remove_pods(namespace).await;
        }
        run
    }

    pub async fn begin_domicile(&mut self) {
        self.domicile.restart();
        self.domicile.until_ready().await;
        self.domicile.until_it_knows_nodes(fleet::NODES, LIMIT).await;
        // It acts as the one replica that does, and its beginning is over.
        self.domicile
            .until_metric("domicile_scans_total", LIMIT, |scans| scans >= 1.0)
            .await;
    }

    pub fn cluster(&self) -> &Cluster {
        &self.scenario.cluster
    }

    async fn measure(&self, row: &Row, count: usize) -> Run {
        let cluster = &self.scenario.cluster;
        if row.affinity == Affinity::Injected {
            self.register().await;
        }
        let pods = (0..count).map(|number| pod(row, number));
        let creations = create_all(cluster, pods.collect(), AT_ONCE, false).await;
        assert!(creations.failures.is_empty(), "{:?}", creations.failures);
        if row.affinity == Affinity::Injected {
            let confined = [Share::Tenth, Share::Half].map(Share::namespace);
            for pod in &creations.created {
                let affinity = pod.spec.as_ref().and_then(|spec| spec.affinity.as_ref());
                let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
                let is_confined = confined.contains(&namespace);
                assert!(affinity.is_some() || !is_confined, "it was not injected");
            }
            cluster.sweep_webhooks().await;
        }
        tokio::time::sleep(SETTLE).await;

        let bindings = Bindings::from_now(Api::all(cluster.client.clone())).await;
        let scheduler = async {
            let settings = self.scheduler(row);
            self.scenario.start_scheduler("kube-scheduler", &settings).await
        };
        let (bound, _scheduler) = tokio::join!(bindings.first(count, LIMIT), scheduler);
        let warm_up = (count as f64 * WARM_UP) as usize;
        let timed = bound[count - 1].at.duration_since(bound[warm_up].at);
        Run {
            pods_per_second: (count - 1 - warm_up) as f64 / timed.as_secs_f64(),
            creations_per_second: creations.per_second(),
            creation_p99: creations.quantile(0.99),
        }
    }

    fn scheduler(&self, row: &Row) -> SchedulerSettings {
        let url = match row.beside {
            Beside::NoExtender => None,
            Beside::NoOp => Some(self.no_op.clone()),
            Beside::Domicile => Some(format!("http://{}", self.domicile.address())),
        };
        let extender = url.map(|url| Extender {
            weight: 5,
            timeout_ms: 20_000,
            preempts: row.beside == Beside::Domicile,
            ..Extender::at(url, Mode::NamesOnly)
        });
        SchedulerSettings {
            percentage_of_nodes_to_score: row.looks_at_all.then_some(100),
            requests_per_second: 5_000,
            ..SchedulerSettings::with_extenders(extender)
        }
    }

    pub async fn register(&self) {
        let authority = &self.scenario.plane.certificates.authority.file;
        let url = self.domicile.webhook("/mutate");
        self.cluster()
            .register_injection(&url, authority, Share::Tenth.namespace())
            .await;
    }
}

fn pod(row: &Row, number: usize) -> Pod {
    let share = row.share_of(number);
    let pod = Pod::named(format!("web-{number}"))
        .in_namespace(share.namespace())
        .label("app", "web");
    if row.affinity != Affinity::ByHand || share == Share::Ungoverned {
        return pod;
    }
    pod.requires(json!([{ "matchExpressions": [{
        "key": "topology.kubernetes.io/region", "operator": "In", "values": share.regions(),
    }] }]))
}
