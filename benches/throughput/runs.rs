//! One measurement: pods are there before kube-scheduler is, and the time between bindings is taken.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use kube::api::{ListParams, WatchEvent, WatchParams};
use serde_json::json;

use crate::api::Cluster;
use crate::creations::create_all;
use crate::domicile::{Domicile, DomicileSettings, Facts};
use crate::fleet::{self, Share};
use crate::no_op;
use crate::objects::Pod;
use crate::rows::{Affinity, Beside, Row};
use crate::scenario::Scenario;
use crate::scheduler::{Extender, Mode, SchedulerSettings};
use crate::waiting;
use crate::webhook::{FailurePolicy, Webhook};

/// Longer than the slowest row takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(600);
/// The share of bindings that are not timed: caches, connections and the first collection of garbage.
const WARM_UP: f64 = 0.1;
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
        let settings = DomicileSettings {
            policies: Some(shipped("policies")),
            data_sets: shipped("defaults/data-sets.yaml"),
            latency: shipped("defaults/latency.csv"),
            facts: Facts::Cluster(scenario.plane.administrator()),
            admission: Some(authority.server(&scenario.directory, "domicile-admission")),
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
        self.cluster().remove_pods(row.share.namespace()).await;
        run
    }

    pub async fn begin_domicile(&mut self) {
        self.domicile.restart();
        self.domicile.until_ready().await;
        self.until_domicile_knows_all().await;
    }

    pub fn cluster(&self) -> &Cluster {
        &self.scenario.cluster
    }

    async fn measure(&self, row: &Row, count: usize) -> Run {
        let cluster = &self.scenario.cluster;
        let namespace = row.share.namespace();
        if row.affinity == Affinity::Injected {
            self.register().await;
        }
        let pods = (0..count).map(|number| pod(row, number));
        let creations = create_all(cluster, pods.collect(), AT_ONCE, false).await;
        assert!(creations.failures.is_empty(), "{:?}", creations.failures);
        if row.affinity == Affinity::Injected {
            for pod in &creations.created {
                let affinity = pod.spec.as_ref().and_then(|spec| spec.affinity.as_ref());
                assert!(
                    affinity.is_some() || row.share == Share::All,
                    "it was not injected"
                );
            }
            cluster.sweep_webhooks().await;
        }

        let begin = cluster
            .pods(namespace)
            .list(&ListParams::default().limit(1))
            .await;
        let version = begin.expect("pods can be read").metadata.resource_version;
        let version = version.expect("a list has a version");
        let bindings = self.bindings(namespace, &version, count);
        let scheduler = async {
            let settings = self.scheduler(row);
            self.scenario.start_scheduler("kube-scheduler", &settings).await
        };
        let (at, _scheduler) = tokio::join!(bindings, scheduler);
        let warm_up = (count as f64 * WARM_UP) as usize;
        let timed = at[count - 1].duration_since(at[warm_up]);
        Run {
            pods_per_second: (count - 1 - warm_up) as f64 / timed.as_secs_f64(),
            creations_per_second: creations.per_second(),
            creation_p99: creations.quantile(0.99),
        }
    }

    /// When each binding was seen.
    async fn bindings(&self, namespace: &str, version: &str, count: usize) -> Vec<Instant> {
        let bound = WatchParams::default().fields("spec.nodeName!=").timeout(290);
        let api = self.scenario.cluster.pods(namespace);
        let events = api.watch(&bound, version).await.expect("pods can be watched");
        let mut events = pin!(events);
        let mut at = Vec::with_capacity(count);
        let all = async {
            while at.len() < count {
                match events.try_next().await.expect("the watch goes on") {
                    Some(WatchEvent::Added(_)) => at.push(Instant::now()),
                    Some(WatchEvent::Error(error)) => panic!("{error:?}"),
                    Some(_) => {}
                    None => panic!("the watch ended after {} bindings", at.len()),
                }
            }
        };
        let in_time = tokio::time::timeout(LIMIT, all).await;
        assert!(in_time.is_ok(), "{} of {count} pods were bound", at.len());
        at
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
        let webhook = Webhook::shipped("admission/mutating-webhook.yaml")
            .at(&self.domicile.webhook("/mutate"))
            .trusting(&[authority])
            .failing(FailurePolicy::Fail);
        self.scenario.cluster.register(&webhook).await;
        // Of a namespace where something is injected for certain.
        let canary = Pod::named("canary").in_namespace(Share::Tenth.namespace());
        self.scenario
            .cluster
            .until_admission("the webhook is asked", &canary, |tried| {
                let spec = tried.as_ref().ok().and_then(|pod| pod.spec.as_ref());
                spec.is_some_and(|spec| spec.affinity.is_some())
            })
            .await;
    }

    async fn until_domicile_knows_all(&self) {
        waiting::until("domicile knows all nodes", LIMIT, async || {
            let (_, text) = self.domicile.get("/metrics").await;
            let mut lines = text.lines();
            match lines.find_map(|line| line.strip_prefix("domicile_nodes ")) {
                Some(nodes) if nodes.parse() == Ok(fleet::NODES) => Ok(()),
                other => Err(format!("it knows {other:?}")),
            }
        })
        .await;
    }
}

fn pod(row: &Row, number: usize) -> Pod {
    let pod = Pod::named(format!("web-{number}"))
        .in_namespace(row.share.namespace())
        .label("app", "web");
    if row.affinity != Affinity::ByHand {
        return pod;
    }
    pod.requires(json!([{ "matchExpressions": [{
        "key": "topology.kubernetes.io/region", "operator": "In", "values": row.share.regions(),
    }] }]))
}

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
