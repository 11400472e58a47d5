//! The built `domicile serve`, beside the control plane.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use crate::certificates::Issued;
use crate::process::{Process, Program};
use crate::{http, waiting};

/// The arguments of `domicile serve` that cases vary; `--listen`, `--state-dir` and `--decisions` are ours.
#[derive(Clone, Debug)]
pub struct DomicileSettings {
    /// `None` where the objects of the cluster are the policies.
    pub policies: Option<PathBuf>,
    pub data_sets: PathBuf,
    pub latency: PathBuf,
    pub facts: Facts,
    /// The serving certificate of the admission webhook; `None` leaves the webhook out.
    pub admission: Option<Issued>,
    /// Settings that have no flag, by their keys.
    pub settings: Vec<(String, String)>,
    pub further_arguments: Vec<String>,
}

/// A file or folder of this repository.
pub fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Where nodes and namespaces come from.
#[derive(Clone, Debug)]
pub enum Facts {
    /// `--fleet FILE`.
    Fleet(PathBuf),
    /// `--cluster`, with the rights of this kubeconfig.
    Cluster(PathBuf),
}

/// A `domicile serve` on one address over all its restarts; it is killed when this is dropped.
pub struct Domicile {
    process: Process,
    address: SocketAddr,
    admission_port: u16,
    decisions: PathBuf,
}

impl Domicile {
    pub fn start(directory: PathBuf, settings: DomicileSettings) -> Self {
        let [port, admission_port] = waiting::free_ports();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let decisions = directory.join("decisions.jsonl");
        let mut arguments = vec!["serve".to_owned(), "--listen".to_owned(), address.to_string()];
        let mut path_argument = |flag: &str, path: &PathBuf| {
            arguments.extend([flag.to_owned(), path.display().to_string()]);
        };
        if let Some(policies) = &settings.policies {
            path_argument("--policies", policies);
        }
        path_argument("--data-sets", &settings.data_sets);
        path_argument("--latency", &settings.latency);
        path_argument("--state-dir", &directory.join("state"));
        path_argument("--decisions", &decisions);
        if let Some(Issued { certificate, key }) = &settings.admission {
            path_argument("--admission-tls-certificate", certificate);
            path_argument("--admission-tls-key", key);
        }
        let variable = |key: &str| {
            format!(
                "DOMICILE__{}",
                key.to_uppercase().replace('.', "__").replace('-', "_")
            )
        };
        let mut environment: Vec<(String, OsString)> = (settings.settings.into_iter())
            .map(|(key, value)| (variable(&key), OsString::from(value)))
            .collect();
        match settings.facts {
            Facts::Fleet(file) => path_argument("--fleet", &file),
            Facts::Cluster(kubeconfig) => {
                arguments.push("--cluster".to_owned());
                environment.push(("KUBECONFIG".to_owned(), OsString::from(kubeconfig)));
            }
        }
        if settings.admission.is_some() {
            arguments.push(format!("--admission-listen=127.0.0.1:{admission_port}"));
        }
        arguments.extend(settings.further_arguments);
        let process = Process::start(Program {
            name: "domicile".to_owned(),
            path: PathBuf::from(env!("CARGO_BIN_EXE_domicile")),
            arguments,
            environment,
            directory,
        });
        Self {
            process,
            address,
            admission_port,
            decisions,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its webhooks are, when it has them.
    pub fn webhook(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.admission_port)
    }

    /// The port of its webhooks.
    pub fn webhook_port(&self) -> u16 {
        self.admission_port
    }

    /// Waits until `/readyz` says yes.
    pub async fn until_ready(&mut self) {
        self.until_ok("/readyz").await;
    }

    /// Waits until `/livez` says yes; readiness may be far away.
    pub async fn until_live(&mut self) {
        self.until_ok("/livez").await;
    }

    async fn until_ok(&mut self, path: &str) {
        let address = self.address;
        waiting::until(
            &format!("domicile answers 200 on {path}"),
            Duration::from_secs(20),
            async || {
                self.process.expect_running();
                match http::exchange(address, "GET", path, b"").await {
                    Ok(response) if response.status == 200 => Ok(()),
                    Ok(response) => Err(format!("{}: {}", response.status, response.text())),
                    Err(error) => Err(error.to_string()),
                }
            },
        )
        .await;
    }

    /// Status and text of any path.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let response = http::exchange(self.address, "GET", path, b"")
            .await
            .expect("domicile answers");
        (response.status, response.text())
    }

    /// The sum of all series of a metric; `None` where there is none.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let (status, text) = self.get("/metrics").await;
        assert_eq!(status, 200, "{text}");
        let values = text.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            (series.split('{').next() == Some(name)).then(|| value.parse::<f64>().ok())?
        });
        values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }

    /// Waits until a metric satisfies `wanted`; its value then.
    pub async fn until_metric(&self, name: &str, limit: Duration, wanted: impl Fn(f64) -> bool) -> f64 {
        waiting::until(
            &format!("`{name}` has the wanted value"),
            limit,
            async || match self.metric(name).await {
                Some(value) if wanted(value) => Ok(value),
                other => Err(format!("it is {other:?}")),
            },
        )
        .await
    }

    /// Waits until it decides with so many nodes.
    pub async fn until_it_knows_nodes(&self, count: usize, limit: Duration) {
        self.until_metric("domicile_nodes", limit, |nodes| nodes == count as f64)
            .await;
    }

    /// Kills it as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to stop; how it ended, when it did within `limit`.
    pub fn terminate(&mut self, limit: Duration) -> Option<ExitStatus> {
        self.process.signal("TERM");
        self.process.exit_within(limit)
    }

    /// Starts it again after `kill` or `terminate`: same address, same arguments, same state.
    pub fn restart(&mut self) {
        self.process.kill();
        self.process = Process::start(self.process.program().clone());
    }

    /// Starts it again, with these variables too from now on.
    pub fn restart_within(&mut self, environment: Vec<(String, OsString)>) {
        self.process.kill();
        let mut program = self.process.program().clone();
        program.environment.extend(environment);
        self.process = Process::start(program);
    }

    /// The decision records written so far, one JSON value per line.
    pub fn decisions(&self) -> Vec<serde_json::Value> {
        self.decision_lines()
            .iter()
            .map(|line| serde_json::from_str(line).expect("a decision record is one line of JSON"))
            .collect()
    }

    /// The same as they were written.
    pub fn decision_lines(&self) -> Vec<String> {
        // What stands for a full disk is a device, and has no end.
        if !std::fs::metadata(&self.decisions).is_ok_and(|log| log.is_file()) {
            return Vec::new();
        }
        // What was decided just now is written within ten milliseconds.
        std::thread::sleep(Duration::from_millis(20));
        let text = std::fs::read_to_string(&self.decisions).unwrap_or_default();
        // The last line may be half written.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        text[..whole].lines().map(str::to_owned).collect()
    }
}
