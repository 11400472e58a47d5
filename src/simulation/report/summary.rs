//! The summary: `summary.json`, version 1.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::latency::latency;
use crate::placement::{AccessCost, Refusal};
use crate::policy::{Cause, Mode};
use crate::simulation::run::{Comparator, Placement, Simulated, SimulatedWorkload};
use crate::simulation::run_file::RunFile;
use crate::snapshot::{ClassIndex, Snapshot};

/// The version of the summary.
const VERSION: u32 = 1;

/// What the model leaves out, in every report.
const NOT_MODELLED: [&str; 5] = [
    "node sampling: every node is looked at, as in clusters of fewer than 100 nodes",
    "taints, node selectors and affinity, topology spread, inter-pod affinity",
    "priorities, preemption and requeueing",
    "pods that end, and the room that pods take which run before the first one comes",
    "requests in flight, bandwidth and load: a latency is a round trip",
];

/// A run in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The version of this schema.
    pub v: u32,
    /// A hash of all that decides the run.
    pub run_id: String,
    /// Which program.
    pub engine: String,
    /// What the run file says it is.
    pub title: String,
    /// The seed.
    pub seed: u64,
    /// The instant at which policies are judged.
    pub at: String,
    /// The id of the snapshot.
    pub snapshot: String,
    /// The hash of the policy files.
    pub policy_set: String,
    /// Whether the settings only observe, so that nothing is refused.
    pub observes: bool,
    /// How many nodes take pods.
    pub nodes: usize,
    /// In how many regions.
    pub regions: usize,
    /// How many workloads.
    pub workloads: usize,
    /// How many pods want a node.
    pub pods: usize,
    /// The weight of the extender.
    pub extender_weight: u32,
    /// With the extender.
    pub domicile: ComparatorSummary,
    /// The same pods in the same order without it.
    pub extender_off: ComparatorSummary,
    /// Pods that residency leaves nowhere, by what they are told, most first.
    pub refused: Vec<RefusedPods>,
    /// What the model leaves out.
    pub not_modelled: Vec<&'static str>,
}

/// One comparator in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComparatorSummary {
    /// Pods that got a node.
    pub placed: usize,
    /// Pods that no node of the fleet may host.
    pub refused: usize,
    /// Pods that fit on no node.
    pub no_room: usize,
    /// Pods that fit on some node and on none that is permitted.
    pub no_room_where_permitted: usize,
    /// Pods on a node where the policies do not permit them.
    pub violations: usize,
    /// The same by rule or other cause; a pod that several forbid is counted by each.
    pub violations_by: BTreeMap<String, usize>,
    /// Access latency of all pods that were placed.
    pub latency: LatencySummary,
    /// Access latency of the pods that both comparators placed.
    pub latency_where_both_placed: LatencySummary,
    /// How many pods each region got.
    pub pods_by_region: BTreeMap<String, usize>,
}

/// Access latency in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LatencySummary {
    /// Pods whose latency is known.
    pub pods: usize,
    /// Their mean, in milliseconds for each request.
    pub mean_ms: Option<f64>,
    /// Their 95th percentile.
    pub p95_ms: Option<f64>,
    /// The share of them where some leg is a guess over a distance.
    pub estimated_share: f64,
    /// Pods whose latency nobody knows.
    pub unknown: usize,
    /// Pods that name neither clients nor data sets, nor peers that run.
    pub without_access: usize,
}

/// Pods that are told the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedPods {
    /// What they are told.
    pub sentence: String,
    /// How many.
    pub pods: usize,
    /// Of which workloads.
    pub workloads: Vec<String>,
}

/// Sums up a run.
pub fn summary(run: &RunFile, run_id: String, snapshot: &Snapshot, simulated: &Simulated<'_>) -> Summary {
    let regions: BTreeSet<String> = simulated
        .nodes
        .iter()
        .map(|node| region_of(snapshot, node.class))
        .collect();
    Summary {
        v: VERSION,
        run_id,
        engine: concat!("domicile ", env!("CARGO_PKG_VERSION")).to_owned(),
        title: run.title.clone(),
        seed: run.seed,
        at: run.at.to_string(),
        snapshot: snapshot.id().to_owned(),
        policy_set: snapshot.policies().digest().to_owned(),
        observes: snapshot.policies().settings().observe,
        nodes: simulated.nodes.len(),
        regions: regions.len(),
        workloads: simulated.workloads.len(),
        pods: simulated.pods.len(),
        extender_weight: run.scheduler.extender_weight,
        domicile: comparator(snapshot, simulated, Comparator::Domicile),
        extender_off: comparator(snapshot, simulated, Comparator::KubeDefault),
        refused: refused(simulated),
        not_modelled: NOT_MODELLED.to_vec(),
    }
}

/// The region of a node in reports.
pub fn region_of(snapshot: &Snapshot, class: Option<ClassIndex>) -> String {
    let class = class.and_then(|class| snapshot.class(class));
    match class.and_then(|class| class.region.as_ref()) {
        Some(region) => region.to_string(),
        None => "unknown place".to_owned(),
    }
}

fn comparator(snapshot: &Snapshot, simulated: &Simulated<'_>, comparator: Comparator) -> ComparatorSummary {
    let mut summary = ComparatorSummary {
        placed: 0,
        refused: 0,
        no_room: 0,
        no_room_where_permitted: 0,
        violations: 0,
        violations_by: BTreeMap::new(),
        latency: latency(std::iter::empty()),
        latency_where_both_placed: latency(std::iter::empty()),
        pods_by_region: BTreeMap::new(),
    };
    let costs = costs(simulated, comparator);
    let (mut all, mut of_both) = (Vec::new(), Vec::new());
    for (position, pod) in simulated.pods.iter().enumerate() {
        let placement = simulated.placement(comparator, position);
        match placement {
            Placement::Placed(_) => summary.placed += 1,
            Placement::Refused => summary.refused += 1,
            Placement::NoRoom => summary.no_room += 1,
            Placement::NoRoomWherePermitted => summary.no_room_where_permitted += 1,
        }
        let (Placement::Placed(node), Some(workload)) = (placement, simulated.workloads.get(pod.workload))
        else {
            continue;
        };
        let class = simulated.nodes.get(node).and_then(|node| node.class);
        *summary
            .pods_by_region
            .entry(region_of(snapshot, class))
            .or_default() += 1;
        if !workload.assessment.permits(class) {
            summary.violations += 1;
            for cause in violated(workload, class) {
                *summary.violations_by.entry(cause).or_default() += 1;
            }
        }
        if let Some(cost) = class.and_then(|class| costs.get(&(pod.workload, class))) {
            all.push(cost);
            let in_both = Comparator::ALL
                .iter()
                .all(|each| matches!(simulated.placement(*each, position), Placement::Placed(_)));
            if in_both {
                of_both.push(cost);
            }
        }
    }
    summary.latency = latency(all.into_iter());
    summary.latency_where_both_placed = latency(of_both.into_iter());
    summary
}

/// The cost of each workload in each class, once every pod has its place.
fn costs(simulated: &Simulated<'_>, comparator: Comparator) -> BTreeMap<(usize, ClassIndex), AccessCost> {
    let mut costs = BTreeMap::new();
    for (index, workload) in simulated.workloads.iter().enumerate() {
        for (class, _) in workload.assessment.snapshot.classes() {
            if let Some(cost) = simulated.cost(comparator, index, class) {
                costs.insert((index, class), cost);
            }
        }
    }
    costs
}

/// What forbids a workload to be in a class, by name.
fn violated(workload: &SimulatedWorkload<'_>, class: Option<ClassIndex>) -> BTreeSet<String> {
    let policies = workload.assessment.snapshot.policies();
    let refusals = workload.assessment.refusals(class);
    refusals
        .filter(|(_, mode)| *mode == Mode::Enforce)
        .map(|(refusal, _)| match refusal {
            Refusal::Policy(Cause::Rule(index)) => policies.rule_name(index).unwrap_or_default(),
            other => other.code().word().to_owned(),
        })
        .collect()
}

fn refused(simulated: &Simulated<'_>) -> Vec<RefusedPods> {
    let mut by_sentence: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
    for (position, pod) in simulated.pods.iter().enumerate() {
        if simulated.placement(Comparator::Domicile, position) != Placement::Refused {
            continue;
        }
        if let Some(workload) = simulated.workloads.get(pod.workload) {
            let (pods, workloads) = by_sentence.entry(workload.assessment.sentence()).or_default();
            *pods += 1;
            workloads.insert(format!("{}/{}", workload.namespace, workload.name));
        }
    }
    let mut refused: Vec<RefusedPods> = by_sentence
        .into_iter()
        .map(|(sentence, (pods, workloads))| RefusedPods {
            sentence,
            pods,
            workloads: workloads.into_iter().collect(),
        })
        .collect();
    // The sort is stable: equals stay in the order of their sentences.
    refused.sort_by_key(|group| std::cmp::Reverse(group.pods));
    refused
}
