//! Requests with whole `Nodes`, as a kube-scheduler sends them that was not told of our cache: bytes a second, and memory.
//!
//! The server is a process of its own with one worker, so that its memory is what answering took. `/prioritize` reads the
//! whole body and sends no node back; `/filter` sends the permitted ones back as they came. Memory is the most that was
//! resident, beyond what was resident before the first body. Run: `cargo bench --bench bodies`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod serving;
mod world;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domicile::server::configure;
use serving::Client;

const NODES: usize = 5_000;
const CALLS: usize = 15;
const WARM_UP: usize = 3;
/// The child is started with it.
const SERVE: &str = "--serve";

/// A node as an API server keeps it and kube-scheduler passes it on: labels, images, conditions, `managedFields`.
fn node(node: &world::Node, number: usize) -> String {
    let world::Node { name, region, zone } = node;
    let (provider, region) = region.split_once('/').expect("a provider and a region");
    let provider_id = match provider {
        "aws" => format!("aws:///{zone}/i-{number:017x}"),
        _ => format!("gce://project/{zone}/{name}"),
    };
    let mut images = String::new();
    for image in 0..40 {
        let comma = if image == 0 { "" } else { "," };
        write!(
            images,
            r#"{comma}{{"names":["registry.example/team-{}/service-{image}@sha256:{:064x}","registry.example/team-{}/service-{image}:v1.{image}.{number}"],"sizeBytes":{}}}"#,
            image % 7,
            (number * 40 + image) as u128 * 0x9e37_79b9_7f4a_7c15,
            image % 7,
            30_000_000 + image * 1_234_567,
        )
        .expect("a string grows");
    }
    let mut conditions = String::new();
    for (condition, status, reason) in [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID"),
        ("Ready", "True", "KubeletReady"),
    ] {
        let comma = if conditions.is_empty() { "" } else { "," };
        write!(
            conditions,
            r#"{comma}{{"type":"{condition}","status":"{status}","lastHeartbeatTime":"2026-11-21T11:59:30Z","lastTransitionTime":"2026-11-01T08:00:00Z","reason":"{reason}","message":"kubelet says \"{reason}\""}}"#
        )
        .expect("a string grows");
    }
    let resources = r#"{"cpu":"15890m","ephemeral-storage":"95551679124","hugepages-1Gi":"0","hugepages-2Mi":"0","memory":"60372584Ki","pods":"110"}"#;
    format!(
        r#"{{"metadata":{{"name":"{name}","uid":"0b0d3205-4d82-4f63-a24a-{number:012}","resourceVersion":"{number}","creationTimestamp":"2026-11-01T08:00:00Z","labels":{{"beta.kubernetes.io/arch":"amd64","beta.kubernetes.io/instance-type":"m6i.4xlarge","beta.kubernetes.io/os":"linux","kubernetes.io/arch":"amd64","kubernetes.io/hostname":"{name}","kubernetes.io/os":"linux","node.kubernetes.io/instance-type":"m6i.4xlarge","topology.kubernetes.io/region":"{region}","topology.kubernetes.io/zone":"{zone}"}},"annotations":{{"alpha.kubernetes.io/provided-node-ip":"10.20.1.21","csi.volume.kubernetes.io/nodeid":"{{\"ebs.csi.aws.com\":\"i-{number:017x}\"}}","node.alpha.kubernetes.io/ttl":"0","volumes.kubernetes.io/controller-managed-attach-detach":"true"}},"managedFields":[{{"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"2026-11-21T11:59:30Z","fieldsType":"FieldsV1","fieldsV1":{{"f:metadata":{{"f:annotations":{{".":{{}},"f:volumes.kubernetes.io/controller-managed-attach-detach":{{}}}},"f:labels":{{".":{{}},"f:kubernetes.io/arch":{{}},"f:kubernetes.io/hostname":{{}},"f:kubernetes.io/os":{{}}}}}},"f:status":{{"f:allocatable":{{"f:cpu":{{}},"f:memory":{{}}}},"f:conditions":{{"k:{{\"type\":\"Ready\"}}":{{"f:lastHeartbeatTime":{{}},"f:message":{{}},"f:reason":{{}},"f:status":{{}}}}}},"f:images":{{}}}}}},"subresource":"status"}}]}},"spec":{{"providerID":"{provider_id}"}},"status":{{"capacity":{resources},"allocatable":{resources},"conditions":[{conditions}],"addresses":[{{"type":"InternalIP","address":"10.20.1.21"}},{{"type":"Hostname","address":"{name}"}}],"daemonEndpoints":{{"kubeletEndpoint":{{"Port":10250}}}},"nodeInfo":{{"machineID":"ec2{number:029}","systemUUID":"ec2{number:029}","bootID":"8f14e45f-ceea-467a-{number:012}","kernelVersion":"6.1.112","osImage":"Linux 2023","containerRuntimeVersion":"containerd://1.7.22","kubeletVersion":"v1.36.3","kubeProxyVersion":"","operatingSystem":"linux","architecture":"amd64"}},"images":[{images}]}}}}"#
    )
}

fn body(namespace: &str, nodes: &[world::Node]) -> Vec<u8> {
    let items: Vec<String> = nodes
        .iter()
        .enumerate()
        .map(|(number, named)| node(named, number))
        .collect();
    let (pod, items) = (world::pod(namespace), items.join(","));
    format!(r#"{{"Pod":{pod},"Nodes":{{"metadata":{{}},"items":[{items}]}},"NodeNames":null}}"#).into_bytes()
}

/// The server, in a process of its own.
struct Server {
    process: Child,
    client: Client,
}

impl Server {
    fn start() -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        let mut process = (command.arg(SERVE).stdout(Stdio::piped()).spawn()).expect("it starts");
        let mut address = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output)
            .read_line(&mut address)
            .expect("its address");
        let client = Client::connect(address.trim().parse().expect("an address"));
        Self { process, client }
    }

    /// The most that was resident so far, in bytes.
    fn most_resident(&self) -> usize {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).expect("Linux tells");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<usize>().ok());
        kibibytes.expect("a number") << 10
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve() -> ! {
    let nodes = world::nodes(NODES);
    println!("{}", serving::start(world::snapshot(&nodes), configure));
    loop {
        std::thread::sleep(Duration::from_secs(60));
    }
}

fn main() {
    if std::env::args().any(|argument| argument == SERVE) {
        serve();
    }
    let nodes = world::nodes(NODES);
    println!(
        "{:<12} {:>9} {:>10} {:>12} {:>8} {:>8} {:>14} {:>12}",
        "route", "permitted", "body MB", "answer bytes", "P50 ms", "MB/s", "memory, MB", "of the body"
    );
    for (route, namespace, permitted) in [
        ("/prioritize", "eea", "10%"),
        ("/filter", "eea", "10%"),
        ("/filter", "anywhere", "100%"),
    ] {
        let body = body(namespace, &nodes);
        let mut server = Server::start();
        // What a call takes that has no nodes.
        let small = serving::request(route, "Go-http-client/1.1", &world::body(namespace, &nodes[..8]));
        server.client.call(&small);
        let before = server.most_resident();
        let request = serving::request(route, "Go-http-client/1.1", &body);
        let mut samples = Vec::new();
        let mut answer = 0;
        for call in 0..WARM_UP + CALLS {
            let began = Instant::now();
            answer = server.client.call(&request).len();
            if call >= WARM_UP {
                samples.push(began.elapsed());
            }
        }
        samples.sort_unstable();
        let median = samples[samples.len() / 2];
        let memory = server.most_resident() - before;
        println!(
            "{route:<12} {permitted:>9} {:>10.1} {answer:>12} {:>8.1} {:>8.0} {:>14.1} {:>12.2}",
            body.len() as f64 / 1e6,
            median.as_secs_f64() * 1e3,
            body.len() as f64 / 1e6 / median.as_secs_f64(),
            memory as f64 / 1e6,
            memory as f64 / body.len() as f64,
        );
    }
}
