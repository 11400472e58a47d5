//! A cluster with `domicile serve --cluster` and one kube-scheduler for each mode.
//!
//! Both schedulers look at the same nodes and ask the same extender, each through a recorder, so a case
//! makes the same pod once for each and both run at the same time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use serde_json::{Value, json};

use crate::api::Cluster;
use crate::certificates::Issued;
use crate::domicile::{Domicile, DomicileSettings, Facts, shipped};
use crate::objects::{Node, Pod};
use crate::recorder::Recorder;
use crate::scenario::Scenario;
use crate::scheduler::{Extender, Mode, Scheduler, SchedulerSettings};
use crate::waiting;
use crate::webhook::{FailurePolicy, Webhook};

/// Enough for a decision, a retry after kube-scheduler's longest pause (10 s), and a slow machine.
pub const LIMIT: Duration = Duration::from_secs(30);

/// What a case chooses before anything runs.
pub struct Plan {
    pub scenario: Scenario,
    facts: Facts,
    modes: Vec<Mode>,
    policies: Option<PathBuf>,
    admission: Option<Issued>,
    settings: Vec<(String, String)>,
    percentage_of_nodes_to_score: Option<u8>,
    is_determined: bool,
    weight: i64,
    behind: Vec<Extender>,
}

/// All of it, running.
pub struct Stand {
    pub domicile: Domicile,
    pub lanes: Vec<Lane>,
    /// The files of its webhook's certificate, when it has a webhook.
    pub admission: Option<Issued>,
    settings: DomicileSettings,
    pub scenario: Scenario,
}

/// One kube-scheduler, and what it asked.
pub struct Lane {
    pub mode: Mode,
    /// Between kube-scheduler and domicile.
    pub recorder: Recorder,
    pub scheduler: Scheduler,
}

impl Plan {
    /// An empty cluster, the shipped policies, both modes, every node looked at.
    pub async fn begin(name: &str) -> Self {
        let scenario = Scenario::begin(name).await;
        Self {
            facts: Facts::Cluster(scenario.plane.administrator()),
            scenario,
            modes: vec![Mode::NamesOnly, Mode::FullNodes],
            policies: Some(shipped("policies")),
            admission: None,
            settings: Vec::new(),
            percentage_of_nodes_to_score: Some(100),
            is_determined: false,
            weight: 5,
            behind: Vec::new(),
        }
    }

    pub async fn nodes(self, nodes: impl IntoIterator<Item = Node>) -> Self {
        self.scenario.cluster.create_nodes(nodes).await;
        self
    }

    pub async fn namespace(self, name: &str, annotations: &[(&str, &str)]) -> Self {
        self.scenario.cluster.create_namespace(name, annotations).await;
        self
    }

    /// A copy of the shipped policies that the case may change; the folder.
    pub fn own_policies(&mut self) -> PathBuf {
        let folder = self.scenario.directory.join("policies");
        copy_folder(&shipped("policies"), &folder);
        self.policies = Some(folder.clone());
        folder
    }

    /// These policies and no others.
    pub fn policies(mut self, folder: PathBuf) -> Self {
        self.policies = Some(folder);
        self
    }

    /// The objects of the cluster are the policies, and no file is.
    pub fn policies_from_objects(mut self) -> Self {
        self.policies = None;
        self.setting("policies-from", "custom-resources")
    }

    /// Domicile has the rights of this kubeconfig.
    pub fn with_rights_of(mut self, kubeconfig: PathBuf) -> Self {
        self.facts = Facts::Cluster(kubeconfig);
        self
    }

    /// Domicile knows these nodes from a file, and of namespaces nothing.
    pub fn fleet_file(mut self, nodes: &[Node]) -> Self {
        let items: Vec<Value> = nodes
            .iter()
            .map(|node| serde_json::to_value(node.object()).expect("a node is JSON"))
            .collect();
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
        let file = self.scenario.directory.join("fleet.json");
        std::fs::write(&file, list.to_string()).expect("the temporary folder can be written");
        self.facts = Facts::Fleet(file);
        self
    }

    pub fn one_mode(mut self, mode: Mode) -> Self {
        self.modes = vec![mode];
        self
    }

    /// Leaves out `percentageOfNodesToScore`.
    pub fn default_sampling(mut self) -> Self {
        self.percentage_of_nodes_to_score = None;
        self
    }

    /// Domicile answers admission reviews too; nothing is registered yet.
    pub fn admission(mut self) -> Self {
        let authority = &self.scenario.plane.certificates.authority;
        self.admission = Some(authority.server(&self.scenario.directory, "domicile-admission"));
        self
    }

    /// A setting of domicile that has no flag, by its key.
    pub fn setting(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    /// One thread filters nodes, so that their order is determined, and waits for answers however busy the machine is.
    pub fn determined(mut self) -> Self {
        self.is_determined = true;
        self
    }

    /// One more extender, which kube-scheduler asks after ours, in the mode of the one lane.
    pub fn behind_ours(mut self, second: &Recorder) -> Self {
        let mode = self.modes[0];
        self.behind.push(Extender::at(second.url(), mode));
        self
    }

    /// Starts everything; domicile answers on `/livez`, and nothing more is waited for.
    pub async fn start_unready(self) -> Stand {
        let settings = DomicileSettings {
            policies: self.policies,
            data_sets: shipped("defaults/data-sets.yaml"),
            latency: shipped("defaults/latency.csv"),
            facts: self.facts,
            admission: self.admission.clone(),
            settings: self.settings,
            further_arguments: Vec::new(),
        };
        let mut domicile = self.scenario.start_domicile(settings.clone());
        domicile.until_live().await;
        let mut lanes = Vec::new();
        for mode in self.modes {
            let recorder = Recorder::in_front_of(domicile.address()).await;
            let ours = Extender {
                weight: self.weight,
                timeout_ms: if self.is_determined { 20_000 } else { 1_000 },
                ..Extender::at(recorder.url(), mode)
            };
            let mut of_scheduler =
                SchedulerSettings::with_extenders([ours].into_iter().chain(self.behind.clone()));
            of_scheduler.scheduler_names = vec![scheduler_name(mode).to_owned()];
            of_scheduler.percentage_of_nodes_to_score = self.percentage_of_nodes_to_score;
            of_scheduler.parallelism = self.is_determined.then_some(1);
            let scheduler = self
                .scenario
                .start_scheduler(scheduler_name(mode), &of_scheduler)
                .await;
            lanes.push(Lane {
                mode,
                recorder,
                scheduler,
            });
        }
        Stand {
            domicile,
            lanes,
            admission: self.admission,
            settings,
            scenario: self.scenario,
        }
    }

    /// Starts everything; domicile is ready.
    pub async fn start(self) -> Stand {
        let mut stand = self.start_unready().await;
        stand.domicile.until_ready().await;
        stand
    }
}

impl Stand {
    pub fn cluster(&self) -> &Cluster {
        &self.scenario.cluster
    }

    /// One more replica with other policies; its files are in a folder of this name.
    pub fn another_domicile_with(&self, name: &str, policies: PathBuf) -> Domicile {
        let directory = self.scenario.directory.join(name);
        std::fs::create_dir_all(&directory).expect("the temporary folder can be written");
        let settings = DomicileSettings {
            policies: Some(policies),
            ..self.settings.clone()
        };
        Domicile::start(directory, settings)
    }

    /// One more replica of its domicile, which nobody asks; its files are in a folder of this name.
    pub fn another_domicile(&self, name: &str) -> Domicile {
        let directory = self.scenario.directory.join(name);
        std::fs::create_dir_all(&directory).expect("the temporary folder can be written");
        Domicile::start(directory, self.settings.clone())
    }

    /// Its webhook as `deploy/` registers it, but for where it is.
    pub fn webhook(&self, failure_policy: FailurePolicy) -> Webhook {
        self.shipped_webhook("admission/mutating-webhook.yaml", "/mutate")
            .failing(failure_policy)
    }

    /// A registration of `deploy/components`, of a route of this domicile.
    pub fn shipped_webhook(&self, file: &str, route: &str) -> Webhook {
        let authority = &self.scenario.plane.certificates.authority.file;
        Webhook::shipped(file)
            .at(&self.domicile.webhook(route))
            .trusting(&[authority])
    }

    /// Registers its webhook and waits until the API server asks it.
    pub async fn register(&self, failure_policy: FailurePolicy) {
        self.cluster().register(&self.webhook(failure_policy)).await;
        let governed = Pod::named("canary").annotate("domicile.dev/data-sets", "orders");
        self.cluster()
            .until_admission("the webhook is asked", &governed, |tried| {
                tried.as_ref().is_ok_and(|pod| admitted_by(pod).is_some())
            })
            .await;
    }

    /// The sum over all series of a metric of domicile; `None` while it has none.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        self.domicile.metric(name).await
    }

    /// Waits until a metric satisfies `wanted`; its value then.
    pub async fn until_metric(&self, name: &str, wanted: impl Fn(f64) -> bool) -> f64 {
        self.domicile.until_metric(name, LIMIT, wanted).await
    }

    /// Waits until there are `count` decision records about a pod; those.
    pub async fn until_records(&self, pod: &core::Pod, count: usize) -> Vec<Value> {
        let uid = pod.metadata.uid.as_deref();
        waiting::until("the decisions are recorded", LIMIT, async || {
            let mut records = self.domicile.decisions();
            records.retain(|record| record["pod"]["uid"].as_str() == uid);
            if records.len() < count {
                return Err(format!("there are {records:?}"));
            }
            Ok(records)
        })
        .await
    }

    /// Waits until domicile knows this many nodes.
    pub async fn until_nodes(&self, count: u32) {
        self.domicile.until_it_knows_nodes(count as usize, LIMIT).await;
    }

    /// How many snapshots were published.
    pub async fn publications(&self) -> f64 {
        self.metric(metrics::PUBLICATIONS)
            .await
            .expect("a ready server has published")
    }
}

/// Which rules and snapshot the webhook went by, when it changed the pod.
pub fn admitted_by(pod: &core::Pod) -> Option<&str> {
    let annotations = pod.metadata.annotations.as_ref()?;
    annotations.get("domicile.dev/admitted-by").map(String::as_str)
}

/// The metrics that cases look at.
pub mod metrics {
    /// Snapshots published since the start.
    pub const PUBLICATIONS: &str = "domicile_snapshot_publications_total";
    /// Sources that are bad while what they said before decides.
    pub const BAD_SOURCES: &str = "domicile_source_last_known_good";
}

impl Lane {
    /// A pod for this scheduler; its name ends with the mode.
    pub fn pod(&self, name: &str) -> Pod {
        let scheduler = scheduler_name(self.mode);
        Pod::named(format!("{name}-{scheduler}")).scheduled_by(scheduler)
    }
}

/// The scheduler that sends what.
pub fn scheduler_name(mode: Mode) -> &'static str {
    match mode {
        Mode::NamesOnly => "names-only",
        Mode::FullNodes => "full-nodes",
    }
}

pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the temporary folder can be written");
    for entry in std::fs::read_dir(from).expect("the shipped policies can be read") {
        let entry = entry.expect("the shipped policies can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("the temporary folder can be written");
        }
    }
}
