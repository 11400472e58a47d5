//! One etcd and one kube-apiserver for the whole test binary, on loopback.
//!
//! Start-up costs seconds, so all tests share them; `scenario` makes tests take
//! turns and sweeps away what the last one left. There is no kubelet and no
//! controller manager: nodes are objects that a test creates, a bound pod stays
//! `Pending`, and nothing acts on taints, deployments or volumes.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::core::Request;
use tokio::sync::{Mutex, OnceCell};

use crate::certificates::Certificates;
use crate::process::{Process, Program};
use crate::{components, waiting};

const ADMINISTRATOR_TOKEN: &str = "administrator-token";
const SCHEDULER_TOKEN: &str = "scheduler-token";

pub struct ControlPlane {
    /// Logs, certificates and kubeconfigs of the whole run; each scenario has a folder in it.
    pub directory: PathBuf,
    /// The folder with the three programs.
    pub programs: PathBuf,
    pub certificates: Certificates,
    url: String,
    etcd: Mutex<Process>,
    api_server: Mutex<Process>,
}

static CONTROL_PLANE: OnceCell<ControlPlane> = OnceCell::const_new();

/// The control plane, started by the first test that asks.
pub async fn shared() -> &'static ControlPlane {
    CONTROL_PLANE.get_or_init(ControlPlane::start).await
}

impl ControlPlane {
    async fn start() -> Self {
        let programs = components::folder();
        let directory = fresh_directory();
        let certificates = Certificates::write(&directory);
        let [etcd_port, peer_port, api_port] = waiting::free_ports();
        let plane = Self {
            url: format!("https://127.0.0.1:{api_port}"),
            etcd: Mutex::new(Process::start(etcd(&programs, &directory, etcd_port, peer_port))),
            api_server: Mutex::new(Process::start(api_server(
                &programs,
                &directory,
                &certificates,
                etcd_port,
                api_port,
            ))),
            directory,
            programs,
            certificates,
        };
        plane.until_ready().await;
        plane
    }

    /// Kills the API server and starts it again on the same port; etcd keeps all objects. Every watch breaks.
    pub async fn restart_api_server(&self) {
        let mut process = self.api_server.lock().await;
        let program = process.program().clone();
        process.kill();
        *process = Process::start(program);
        drop(process);
        self.until_ready().await;
    }

    /// Kills the API server; etcd keeps all objects. Whoever stops it starts it again.
    pub async fn stop_api_server(&self) {
        self.api_server.lock().await.kill();
    }

    /// Kills etcd. Whoever stops it starts it again.
    pub async fn stop_etcd(&self) {
        self.etcd.lock().await.kill();
    }

    /// Starts etcd again on the same port and with the same objects, after [`Self::stop_etcd`].
    pub async fn start_etcd(&self) {
        let mut process = self.etcd.lock().await;
        let program = process.program().clone();
        *process = Process::start(program);
    }

    /// Starts the API server again on the same port, after [`Self::stop_api_server`].
    pub async fn start_api_server(&self) {
        let mut process = self.api_server.lock().await;
        let program = process.program().clone();
        *process = Process::start(program);
        drop(process);
        self.until_ready().await;
    }

    async fn until_ready(&self) {
        let client = self.client(&self.administrator()).await;
        waiting::until("the API server is ready", Duration::from_secs(90), async || {
            self.etcd.lock().await.expect_running();
            self.api_server.lock().await.expect_running();
            get(&client, "readyz").await?;
            get(&client, "api/v1/namespaces/default").await
        })
        .await;
    }

    /// A kubeconfig that may do everything.
    pub fn administrator(&self) -> PathBuf {
        self.kubeconfig("administrator", ADMINISTRATOR_TOKEN)
    }

    /// A kubeconfig of the user `system:kube-scheduler`, bound by the API server itself to the role of that name.
    pub fn scheduler(&self) -> PathBuf {
        self.kubeconfig("scheduler", SCHEDULER_TOKEN)
    }

    /// Writes a kubeconfig for the bearer of `token`.
    pub fn kubeconfig(&self, name: &str, token: &str) -> PathBuf {
        let path = self.directory.join(format!("{name}.kubeconfig"));
        let text = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": {"server": self.url, "certificate-authority": self.certificates.authority.file}}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": name}}],
            "current-context": "tests",
        });
        std::fs::write(&path, text.to_string()).expect("the temporary folder can be written");
        path
    }

    /// A client for a kubeconfig. Clients belong to the runtime of one test, so each test makes its own.
    pub async fn client(&self, kubeconfig: &Path) -> Client {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("our kubeconfig can be read");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .expect("our kubeconfig is complete");
        Client::try_from(config).expect("our kubeconfig makes a client")
    }
}

/// The text at a path of a server, or a reason.
pub async fn get(client: &Client, path: &str) -> Result<String, String> {
    let request = Request::new("")
        .get(path, &kube::api::GetParams::default())
        .map_err(|error| error.to_string())?;
    client
        .request_text(request)
        .await
        .map_err(|error| error.to_string())
}

/// `target/tmp/cluster-PID`; folders of runs that began more than an hour ago are removed.
fn fresh_directory() -> PathBuf {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let old = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|at| at < an_hour_ago);
        if old && entry.file_name().to_string_lossy().starts_with("cluster-") {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let directory = parent.join(format!("cluster-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("the folder for temporary files can be written");
    directory
}

fn etcd(programs: &Path, directory: &Path, port: u16, peer_port: u16) -> Program {
    let (client, peer) = (
        format!("http://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{peer_port}"),
    );
    Program {
        name: "etcd".to_owned(),
        path: programs.join("etcd"),
        arguments: vec![
            format!("--data-dir={}", directory.join("etcd").display()),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--unsafe-no-fsync".to_owned(),
            "--log-level=warn".to_owned(),
        ],
        environment: Vec::new(),
        directory: directory.to_owned(),
    }
}

fn api_server(
    programs: &Path,
    directory: &Path,
    certificates: &Certificates,
    etcd_port: u16,
    port: u16,
) -> Program {
    let tokens = directory.join("tokens.csv");
    let rows = format!(
        "{ADMINISTRATOR_TOKEN},administrator,1,\"system:masters\"\n{SCHEDULER_TOKEN},system:kube-scheduler,2\n"
    );
    std::fs::write(&tokens, rows).expect("the temporary folder can be written");
    Program {
        name: "kube-apiserver".to_owned(),
        path: programs.join("kube-apiserver"),
        arguments: vec![
            format!("--etcd-servers=http://127.0.0.1:{etcd_port}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            format!("--tls-cert-file={}", certificates.server.certificate.display()),
            format!("--tls-private-key-file={}", certificates.server.key.display()),
            // Nobody has a client certificate, but what says how to verify one is published for others.
            format!("--client-ca-file={}", certificates.authority.file.display()),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!(
                "--service-account-key-file={}",
                certificates.service_account_public_key.display()
            ),
            format!(
                "--service-account-signing-key-file={}",
                certificates.service_account_key.display()
            ),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            format!("--token-auth-file={}", tokens.display()),
            // By itself it deletes a collection one object after the other.
            "--delete-collection-workers=8".to_owned(),
            // ServiceAccount: no controller makes the `default` account that it asks for.
            // TaintNodesByCondition: no controller would ever lift its not-ready taint from a new node.
            "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition".to_owned(),
        ],
        environment: Vec::new(),
        directory: directory.to_owned(),
    }
}
