//! Prometheus with a blackbox exporter for each region that probes, and `domicile serve` that asks it.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::process::{Process, Program, log_tail};
use crate::{http, waiting};

const START: Duration = Duration::from_secs(30);

/// The path of a program, or a failure that says how to get it.
fn program(name: &str) -> PathBuf {
    let found = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    });
    found.unwrap_or_else(|| {
        panic!("`{name}` is missing: install the package `{name}` (Debian, Ubuntu), or put it into PATH")
    })
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A program that answers HTTP on loopback.
pub struct Served {
    process: Process,
    pub address: SocketAddr,
}

impl Served {
    async fn start(
        directory: &Path,
        (name, path): (&str, PathBuf),
        port: u16,
        arguments: Vec<String>,
        ready: &str,
    ) -> Self {
        let mut process = Process::start(Program {
            name: name.to_owned(),
            path,
            arguments,
            environment: Vec::new(),
            directory: directory.to_owned(),
        });
        let address = loopback(port);
        waiting::until(&format!("{name} answers 200 on {ready}"), START, async || {
            process.expect_running();
            match http::exchange(address, "GET", ready, b"").await {
                Ok(response) if response.status == 200 => Ok(()),
                Ok(response) => Err(format!("{}: {}", response.status, response.text())),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
        Self { process, address }
    }

    pub fn kill(&mut self) {
        self.process.kill();
    }

    pub fn log(&self) -> String {
        log_tail(&self.process.program().log(), usize::MAX)
    }

    pub async fn get(&self, path: &str) -> String {
        self.exchange("GET", path, "").await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let text = self.exchange("POST", path, &body.to_string()).await;
        serde_json::from_str(&text).expect("an answer in JSON")
    }

    async fn exchange(&self, method: &str, path: &str, body: &str) -> String {
        let response = http::exchange(self.address, method, path, body.as_bytes()).await;
        let response = response.expect("it answers");
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        response.text()
    }
}

/// One probe: from which region which service stands for which place.
pub struct Probe {
    pub from: &'static str,
    pub to: &'static str,
    pub port: u16,
}

pub struct Monitoring {
    pub prometheus: Served,
    _exporters: Vec<Served>,
}

/// Starts an exporter for each region that probes, and a Prometheus that scrapes them every second.
pub async fn monitoring(directory: &Path, probes: &[Probe]) -> Monitoring {
    let mut jobs = String::new();
    let mut exporters = Vec::new();
    std::fs::write(
        directory.join("blackbox.yml"),
        "modules: {answers: {prober: http, timeout: 900ms, http: {preferred_ip_protocol: ip4}}}\n",
    )
    .expect("a file");
    for (number, probe) in probes.iter().enumerate() {
        let [port] = waiting::free_ports();
        let name = format!("exporter-{number}");
        let arguments = vec![
            "--config.file=blackbox.yml".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        let path = program("prometheus-blackbox-exporter");
        exporters.push(Served::start(directory, (&name, path), port, arguments, "/-/healthy").await);
        let Probe {
            from,
            to,
            port: target,
        } = probe;
        let _ = write!(
            jobs,
            r#"
- job_name: probe-{number}
  metrics_path: /probe
  params: {{module: [answers]}}
  static_configs: [{{targets: ["127.0.0.1:{target}"], labels: {{from: {from}, to: {to}}}}}]
  relabel_configs:
  - {{source_labels: [__address__], target_label: __param_target}}
  - {{source_labels: [__param_target], target_label: instance}}
  - {{target_label: __address__, replacement: "127.0.0.1:{port}"}}"#
        );
    }
    let config = format!("global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:{jobs}\n");
    std::fs::write(directory.join("prometheus.yml"), config).expect("a file");
    let [port] = waiting::free_ports();
    let arguments = vec![
        "--config.file=prometheus.yml".to_owned(),
        "--storage.tsdb.path=data".to_owned(),
        "--log.level=warn".to_owned(),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    let path = program("prometheus");
    Monitoring {
        prometheus: Served::start(directory, ("prometheus", path), port, arguments, "/-/ready").await,
        _exporters: exporters,
    }
}

/// Starts `domicile serve` with these settings and the files beside them.
pub async fn domicile(directory: &Path, settings: &str) -> Served {
    std::fs::write(directory.join("domicile.yaml"), settings).expect("a file");
    let [port] = waiting::free_ports();
    let arguments = [
        "serve",
        "--config",
        "domicile.yaml",
        "--listen",
        &loopback(port).to_string(),
        "--fleet",
        "fleet.yaml",
        "--data-sets",
        "data-sets.yaml",
        "--latency",
        "latency.csv",
    ];
    let path = PathBuf::from(env!("CARGO_BIN_EXE_domicile"));
    let arguments = arguments.map(str::to_owned).to_vec();
    Served::start(directory, ("domicile", path), port, arguments, "/readyz").await
}
