//! How many pods the model of kube-scheduler places in a second: one thread, the full model, every node looked at.
//! Run: `cargo bench --bench simulation`, with `DOMICILE_OPENB` set to a folder with the two openb CSV files for their row.
//!
//! The floors: 50,000, 10,000 and 4,000 a second on 1,000, 5,000 and 15,000 nodes for plain pods; a fifth of
//! that with 30% soft and 10% hard zone spread and 5% (anti-)affinity over 50 groups; openb within a second.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

use domicile::simulation::kube::spec::{NodeSpec, PodSpec};
use domicile::simulation::kube::{
    Attempt, Cluster, Extender, Opinion, PodIndex, Profile, Quantity, Question, Reply,
};
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
    fn place(&mut self, spec: &PodSpec, extender: Option<&mut Extender<'_>>) -> bool {
        let pod = self.cluster.add_pod(spec);
        let Attempt::Chosen(chosen) = self.cluster.attempt(pod, extender) else {
            return false;
        };
        self.cluster.bind(pod, chosen.node, 0);
        self.there.push_back(pod);
        self.placed += 1;
        true
    }

    fn steady(&mut self, spec: &PodSpec) {
        self.place(spec, None);
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

/// The most memory that this process had, in mebibytes, where the system tells.
fn peak_mebibytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes / 1_024)
}

fn column(record: &csv::StringRecord, headers: &csv::StringRecord, name: &str) -> u32 {
    let at = headers
        .iter()
        .position(|header| header == name)
        .expect("a column");
    record
        .get(at)
        .and_then(|text| text.parse::<f64>().ok())
        .unwrap_or(0.0) as u32
}

/// The pods of the openb trace in the order of the file, with none that goes: seconds, and how many found a node.
fn openb(folder: &Path) -> (f64, usize, usize) {
    let rows = |file: &str| {
        let mut reader = csv::Reader::from_path(folder.join(file)).expect("a file of openb");
        let headers = reader.headers().expect("a header").clone();
        let records: Vec<_> = reader
            .into_records()
            .map(|record| record.expect("a record"))
            .collect();
        (headers, records)
    };
    let mut cluster = Cluster::new(Profile::default(), 1);
    let (headers, records) = rows("openb_node_list_all_node.csv");
    for (index, record) in records.iter().enumerate() {
        let of = |name: &str| column(record, &headers, name);
        let mut spec = node(index);
        spec.allocatable = amounts(of("cpu_milli"), of("memory_mib")).into_iter().collect();
        spec.allocatable.insert("pods".to_owned(), Quantity::whole(110));
        spec.allocatable
            .insert("nvidia.com/gpu".to_owned(), Quantity::whole(of("gpu")));
        cluster.add_node(spec).expect("names differ");
    }
    let (headers, records) = rows("openb_pod_list_default.csv");
    let specs: Vec<PodSpec> = records
        .iter()
        .map(|record| {
            let of = |name: &str| column(record, &headers, name);
            let mut requests = amounts(of("cpu_milli"), of("memory_mib"));
            requests.push(("nvidia.com/gpu".to_owned(), Quantity::whole(of("num_gpu"))));
            PodSpec {
                namespace: "openb".to_owned(),
                requests: requests.into_iter().collect(),
                ..PodSpec::default()
            }
        })
        .collect();
    let mut run = Run {
        cluster,
        there: VecDeque::new(),
        placed: 0,
    };
    let mut accept = |_: PodIndex, question: Question<'_>| {
        if let Question::Filter { opinions, .. } = question {
            opinions.fill(Opinion::Pass);
        }
        Reply::Answered
    };
    let started = Instant::now();
    for spec in &specs {
        run.place(spec, Some(&mut accept));
    }
    (started.elapsed().as_secs_f64(), run.placed, specs.len())
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
    println!("\nwith more pods, 5,000 nodes, constrained:");
    println!("pods      rate  peak MiB");
    for pods in [5_000, 20_000, 50_000] {
        let rate = rate(5_000, pods, constrained, whole());
        println!("{pods:>6} {rate:>7.0} {:>9}", peak_mebibytes().unwrap_or(0));
    }
    if let Some(folder) = std::env::var_os("DOMICILE_OPENB") {
        let (seconds, placed, pods) = openb(Path::new(&folder));
        println!("\nopenb: {placed} of {pods} pods in {seconds:.3} s");
    }
}
