//! A kube-scheduler with a configuration of our own.

use std::path::PathBuf;
use std::time::Duration;

use kube::Client;
use kube::config::{AuthInfo, Config};
use serde_json::{Value, json};

use crate::control_plane::{ControlPlane, get};
use crate::process::{Process, Program};
use crate::waiting;

/// What an extender is sent and sends back: names of nodes, or whole nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    NamesOnly,
    FullNodes,
}

/// One entry of `extenders`.
#[derive(Clone, Debug)]
pub struct Extender {
    pub url_prefix: String,
    pub mode: Mode,
    pub weight: i64,
    pub timeout_ms: u64,
    pub ignorable: bool,
    /// Whether the preempt verb is configured.
    pub preempts: bool,
    /// How `https` is verified, and what is shown.
    pub tls: Option<ClientTls>,
}

/// The `tlsConfig` of an extender.
#[derive(Clone, Debug)]
pub struct ClientTls {
    /// Who signs the extender's certificate.
    pub authority: PathBuf,
    /// A certificate of kube-scheduler's own and its key.
    pub client: Option<(PathBuf, PathBuf)>,
    /// The name in the extender's certificate, where it is another than that of the URL.
    pub server_name: Option<String>,
}

impl ClientTls {
    fn entry(&self) -> Value {
        let mut entry = json!({ "caFile": self.authority });
        if let Some((certificate, key)) = &self.client {
            entry["certFile"] = json!(certificate);
            entry["keyFile"] = json!(key);
        }
        if let Some(name) = &self.server_name {
            entry["serverName"] = json!(name);
        }
        entry
    }
}

impl Extender {
    /// All three verbs, weight 1, not ignorable, one second.
    pub fn at(url_prefix: impl Into<String>, mode: Mode) -> Self {
        Self {
            url_prefix: url_prefix.into(),
            mode,
            weight: 1,
            timeout_ms: 1_000,
            ignorable: false,
            preempts: true,
            tls: None,
        }
    }

    fn entry(&self) -> Value {
        let mut entry = json!({
            "urlPrefix": self.url_prefix,
            "filterVerb": "filter",
            "prioritizeVerb": "prioritize",
            "weight": self.weight,
            "httpTimeout": format!("{}ms", self.timeout_ms),
            "nodeCacheCapable": self.mode == Mode::NamesOnly,
            "ignorable": self.ignorable,
        });
        if self.preempts {
            entry["preemptVerb"] = json!("preempt");
        }
        if let Some(tls) = &self.tls {
            entry["enableHTTPS"] = json!(true);
            entry["tlsConfig"] = tls.entry();
        }
        entry
    }
}

/// The parts of a KubeSchedulerConfiguration that cases vary.
#[derive(Clone, Debug)]
pub struct SchedulerSettings {
    /// One profile per scheduler name; extenders serve all of them.
    pub scheduler_names: Vec<String>,
    /// `None` leaves the default sampling.
    pub percentage_of_nodes_to_score: Option<u8>,
    /// How many threads filter nodes; `None` is 16. Of one thread the order, and so the sample, is determined.
    pub parallelism: Option<u8>,
    pub extenders: Vec<Extender>,
    /// What it may ask of the API server at most.
    pub requests_per_second: u32,
    /// `None` runs as `system:kube-scheduler`.
    pub kubeconfig: Option<PathBuf>,
}

impl SchedulerSettings {
    /// The profile `default-scheduler`, every node looked at.
    pub fn with_extenders(extenders: impl IntoIterator<Item = Extender>) -> Self {
        Self {
            scheduler_names: vec!["default-scheduler".to_owned()],
            percentage_of_nodes_to_score: Some(100),
            parallelism: None,
            extenders: extenders.into_iter().collect(),
            requests_per_second: 200,
            kubeconfig: None,
        }
    }

    fn configuration(&self, kubeconfig: &PathBuf) -> Value {
        let profiles: Vec<Value> = self
            .scheduler_names
            .iter()
            .map(|name| json!({"schedulerName": name}))
            .collect();
        let mut configuration = json!({
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "clientConnection": {"kubeconfig": kubeconfig, "qps": self.requests_per_second, "burst": 2 * self.requests_per_second},
            "leaderElection": {"leaderElect": false},
            "profiles": profiles,
            "extenders": self.extenders.iter().map(Extender::entry).collect::<Vec<_>>(),
        });
        if let Some(percentage) = self.percentage_of_nodes_to_score {
            configuration["percentageOfNodesToScore"] = json!(percentage);
        }
        if let Some(parallelism) = self.parallelism {
            configuration["parallelism"] = json!(parallelism);
        }
        configuration
    }
}

/// A running kube-scheduler; it is killed when this is dropped.
pub struct Scheduler {
    process: Process,
    client: Client,
}

impl Scheduler {
    /// Starts it and waits until its informers have seen the cluster.
    pub async fn start(
        plane: &ControlPlane,
        directory: PathBuf,
        name: &str,
        settings: &SchedulerSettings,
    ) -> Self {
        let kubeconfig = settings.kubeconfig.clone().unwrap_or_else(|| plane.scheduler());
        let [port] = waiting::free_ports();
        let file = directory.join(format!("{name}.json"));
        let text = settings.configuration(&kubeconfig).to_string();
        std::fs::write(&file, text).expect("the temporary folder can be written");
        let process = Process::start(Program {
            name: name.to_owned(),
            path: plane.programs.join("kube-scheduler"),
            arguments: vec![
                format!("--config={}", file.display()),
                "--bind-address=127.0.0.1".to_owned(),
                format!("--secure-port={port}"),
                "--authorization-always-allow-paths=/healthz,/livez,/readyz,/metrics".to_owned(),
                "--v=3".to_owned(),
            ],
            // Its log tells local time.
            environment: vec![("TZ".to_owned(), "UTC".into())],
            directory,
        });
        let client = unverified_client(port);
        let mut scheduler = Self { process, client };
        waiting::until("kube-scheduler is ready", Duration::from_secs(60), async || {
            scheduler.process.expect_running();
            get(&scheduler.client, "readyz").await
        })
        .await;
        scheduler
    }

    /// Where it logs.
    pub fn log(&self) -> PathBuf {
        self.process.program().log()
    }

    /// Its metrics in text form.
    pub async fn metrics(&self) -> String {
        get(&self.client, "metrics")
            .await
            .expect("kube-scheduler serves its metrics")
    }
}

/// kube-scheduler makes its own serving certificate, in memory, so there is nothing to verify it with.
fn unverified_client(port: u16) -> Client {
    let url = format!("https://127.0.0.1:{port}")
        .parse()
        .expect("this is a URL");
    let mut config = Config::new(url);
    config.accept_invalid_certs = true;
    config.auth_info = AuthInfo::default();
    Client::try_from(config).expect("a client needs no more than a URL")
}
