//! How many pods the model of kube-scheduler places in a second: one thread, the full model, every node looked at. And
//! how long `domicile simulate` takes for a real trace, as a user runs it.
//! Run: `cargo bench --bench simulation`, with `DOMICILE_OPENB` set to a folder with the two openb CSV files for the trace.
//!
//! The floors: 50,000, 10,000 and 4,000 a second on 1,000, 5,000 and 15,000 nodes for plain pods; a fifth of
//! that with 30% soft and 10% hard zone spread and 5% (anti-)affinity over 50 groups; openb within a second for each
//! comparator.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use domicile::simulation::kube::spec::{NodeSpec, PodSpec};
use domicile::simulation::kube::{Attempt, Cluster, PodIndex, Profile, Quantity};
use rand::{Rng, RngExt as _};
use rand_pcg::Pcg64;

const ZONES: usize = 30;
const GROUPS: usize = 50;

/// Placements that are timed, after as many that are not.
const TIMED: usize = 4_000;

fn whole() -> Profile {
    Profile {
        percentage_of_nodes_to_score: Some(100),
        ..Profile::default()
    }
}

fn amounts(cpu_millis: u32, mebibytes: u32) -> Vec<(String, Quantity)> {
    vec![
        ("cpu".to_owned(), Quantity::millis(cpu_millis)),
        ("memory".to_owned(), Quantity::mebibytes(mebibytes)),
    ]
}

fn node(index: usize) -> NodeSpec {
    let name = format!("node-{index}");
    let zone = index % ZONES;
    let pair = |key: &str, value: String| (key.to_owned(), value);
    let mut allocatable = amounts(16_000 << (index % 3), 65_536 << (index % 3));
    allocatable.push(("pods".to_owned(), Quantity::whole(110)));
    NodeSpec {
        labels: [
            pair("kubernetes.io/hostname", name.clone()),
            pair("topology.kubernetes.io/zone", format!("zone-{zone}")),
            pair("topology.kubernetes.io/region", format!("region-{}", zone / 3)),
        ]
        .into(),
        name,
        allocatable: allocatable.into_iter().collect(),
        taints: Vec::new(),
        unschedulable: false,
    }
}

fn cluster(nodes: usize, profile: Profile) -> Cluster {
    let mut cluster = Cluster::new(profile, 1);
    for index in 0..nodes {
        cluster.add_node(node(index)).expect("names differ");
    }
    cluster
}

/// What a pod says of other pods, per hundred pods; the rest says nothing.
#[derive(Clone, Copy)]
struct Mix {
    soft: u32,
    hard: u32,
    affinity: u32,
    of_services: bool,
}

const PLAIN: Mix = Mix {
    soft: 0,
    hard: 0,
    affinity: 0,
    of_services: false,
};

fn pod(random: &mut impl Rng, mix: Mix) -> PodSpec {
    let group = random.random_range(0..GROUPS);
    let selector = format!("{{matchLabels: {{app: g{group}}}}}");
    let spread = |action: &str| {
        format!(
            ", topologySpreadConstraints: [{{maxSkew: 5, topologyKey: topology.kubernetes.io/zone, \
             whenUnsatisfiable: {action}, labelSelector: {selector}}}]"
        )
    };
    let dice = random.random_range(0..100);
    let extra = if dice < mix.soft {
        spread("ScheduleAnyway")
    } else if dice < mix.soft + mix.hard {
        spread("DoNotSchedule")
    } else if dice < mix.soft + mix.hard + mix.affinity {
        let kind = ["podAffinity", "podAntiAffinity"][dice as usize % 2];
        format!(
            ", affinity: {{{kind}: {{preferredDuringSchedulingIgnoredDuringExecution: [{{weight: 10, \
             podAffinityTerm: {{labelSelector: {selector}, topologyKey: topology.kubernetes.io/zone}}}}], \
             requiredDuringSchedulingIgnoredDuringExecution: [{{labelSelector: \
             {{matchLabels: {{app: g{group}, part: '{}'}}}}, topologyKey: {}}}]}}}}",
            group % 3,
            ["topology.kubernetes.io/region", "kubernetes.io/hostname"][dice as usize % 2],
        )
    } else if mix.of_services {
        format!(", defaultSpreadSelector: {selector}")
    } else {
        String::new()
    };
    let text = format!("{{namespace: a, name: p, labels: {{app: g{group}}}{extra}}}");
    let mut pod: PodSpec = serde_saphyr::from_str(&text).expect("a pod");
    let size = 1 << random.random_range(0..4);
    pod.requests = amounts(250 * size, 700 * size).into_iter().collect();
    pod
}

/// Places pods, and takes the oldest away so that the cluster stays as full as it is.
struct Run {
    cluster: Cluster,
    there: VecDeque<PodIndex>,
    placed: usize,
}

impl Run {
    fn place(&mut self, spec: &PodSpec) {
        let pod = self.cluster.add_pod(spec);
        let Attempt::Chosen(chosen) = self.cluster.attempt(pod, None) else {
            return;
        };
        self.cluster.bind(pod, chosen.node, 0);
        self.there.push_back(pod);
        self.placed += 1;
    }

    fn steady(&mut self, spec: &PodSpec) {
        self.place(spec);
        if let Some(oldest) = self.there.pop_front() {
            self.cluster.remove_pod(oldest);
        }
    }
}

/// Placements a second on so many nodes with so many pods.
fn rate(nodes: usize, pods: usize, mix: Mix, profile: Profile) -> f64 {
    let mut random = Pcg64::new(7, 7);
    let specs: Vec<PodSpec> = (0..2_000).map(|_| pod(&mut random, mix)).collect();
    let mut run = Run {
        cluster: cluster(nodes, profile),
        there: VecDeque::new(),
        placed: 0,
    };
    // Filled by hand, so that filling costs little.
    for at in 0..pods {
        let pod = run.cluster.add_pod(&specs[at % specs.len()]);
        let node = run.cluster.node(&format!("node-{}", at % nodes)).expect("a node");
        run.cluster.bind(pod, node, 0);
        run.there.push_back(pod);
    }
    for at in 0..TIMED {
        run.steady(&specs[at % specs.len()]);
    }
    run.placed = 0;
    let started = Instant::now();
    for at in 0..TIMED {
        run.steady(&specs[at % specs.len()]);
    }
    let elapsed = started.elapsed().as_secs_f64();
    assert!(run.placed > TIMED / 2, "{} of {TIMED} were placed", run.placed);
    TIMED as f64 / elapsed
}

/// The most memory that a process had since [`forget_peak`], in mebibytes, where the system tells.
fn peak_mebibytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes / 1_024)
}

/// Has the system begin anew with the most memory. Where it does not know how, a peak is that of all rows before too.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Runs the program as a user does.
fn domicile(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_domicile"))
        .args(arguments)
        .output()
        .expect("the program was built");
    let said = String::from_utf8_lossy(&output.stderr);
    // 1 is a condition that holds: without the extender policies are broken.
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{arguments:?}: {said}"
    );
    String::from_utf8(output.stdout).expect("its output is UTF-8")
}

/// The openb trace through the program, one comparator after the other: reading, making up what the trace lacks, placing,
/// the checker, the figures, the report.
fn openb(csv: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let file = |name: &str| csv.join(name).display().to_string();
    let (nodes, pods) = (
        file("openb_node_list_all_node.csv"),
        file("openb_pod_list_default.csv"),
    );
    let trace = path("openb.jsonl");
    domicile(&[
        "trace",
        "import",
        "openb",
        "--nodes",
        &nodes,
        "--pods",
        &pods,
        "--keep-pods",
        "--out",
        &trace,
    ]);
    println!("\nopenb as `domicile simulate` runs it, one thread, one comparator a run:");
    println!("comparator          seconds  placed  of pods  attempts");
    let run = path("run.yaml");
    for comparator in [
        "kube-default",
        "hand-affinity",
        "random-compliant",
        "nearest-first",
        "domicile",
        "domicile-affinity",
        "residency-off",
    ] {
        let text = format!(
            "v: 1\ntitle: openb\nseed: 1\nat: 2026-11-21T00:00:00Z\ntrace: openb.jsonl\nsynthesis: {{}}\ncompare: [{comparator}]\n"
        );
        std::fs::write(&run, text).expect("a folder of our own");
        let started = Instant::now();
        let out = path(comparator);
        let summary = domicile(&[
            "simulate",
            &run,
            "--out",
            &out,
            "--threads",
            "1",
            "--output",
            "json",
        ]);
        let seconds = started.elapsed().as_secs_f64();
        let summary: serde_json::Value = serde_json::from_str(&summary).expect("a summary");
        let figures = &summary["comparators"][0];
        println!(
            "{comparator:<18} {seconds:>8.3} {:>7} {:>8} {:>9}",
            figures["placed"], figures["pods"], figures["attempts"]["total"]
        );
    }
}

fn main() {
    let constrained = Mix {
        soft: 30,
        hard: 10,
        affinity: 5,
        of_services: false,
    };
    let of_services = Mix {
        of_services: true,
        ..PLAIN
    };
    println!("placements a second, one thread, every node looked at, 5 pods a node:");
    println!("nodes    plain  constrained  default spread  plain, default sampling  peak MiB");
    for nodes in [1_000, 5_000, 15_000] {
        forget_peak();
        let pods = 5 * nodes;
        println!(
            "{nodes:>6} {:>7.0} {:>12.0} {:>15.0} {:>24.0} {:>9}",
            rate(nodes, pods, PLAIN, whole()),
            rate(nodes, pods, constrained, whole()),
            rate(nodes, pods, of_services, whole()),
            rate(nodes, pods, PLAIN, Profile::default()),
            peak_mebibytes().unwrap_or(0),
        );
    }
    println!("\ngrowth with nodes and pods, constrained:");
    println!("nodes    pods    rate  peak MiB");
    for nodes in [1_000, 5_000, 15_000] {
        for pods_per_node in [1, 5, 10] {
            forget_peak();
            let pods = nodes * pods_per_node;
            let rate = rate(nodes, pods, constrained, whole());
            println!(
                "{nodes:>6} {pods:>7} {rate:>7.0} {:>9}",
                peak_mebibytes().unwrap_or(0)
            );
        }
    }
    if let Some(folder) = std::env::var_os("DOMICILE_OPENB") {
        openb(Path::new(&folder));
    }
}
