//! What one scheduler made of the pods.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One comparator in figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComparatorSummary {
    /// Its name, such as `domicile`.
    pub id: String,
    /// What it is, in a sentence.
    pub is: String,
    /// Pods that wanted a node.
    pub pods: u64,
    /// Those of them that got one, though some may have lost it again (`evicted`).
    pub placed: u64,
    /// Those that run when the run ends.
    pub running: u64,
    /// Those that ended, placed or not.
    pub ended: u64,
    /// Pods that ran where the trace says, without being placed; they are in no other figure but those of regions.
    pub already_there: u64,
    /// Pods that have no node when the run ends or when they are taken back, by what keeps them from one.
    pub unschedulable: Unschedulable,
    /// Placements that the policies of the moment forbid, as the independent checker says.
    pub violations: u64,
    /// The same by rule or other cause; a placement that several forbid is counted by each.
    pub violations_by: BTreeMap<String, u64>,
    /// Pods that run, when the run ends, where the policies of then forbid it: nobody moves a pod that runs.
    pub forbidden_at_end: u64,
    /// How often pods were tried.
    pub attempts: Attempts,
    /// How long pods waited for their first node, in milliseconds.
    pub waits: Waits,
    /// What an access costs the pods, each where it ended.
    pub latency: LatencyFigures,
    /// The distribution of that latency: points of rising latency, for a curve.
    pub cdf: Vec<CdfPoint>,
    /// How much more it is than at the best place that the policies permit, room or not.
    pub gap: Distribution,
    /// What no placement that obeys the policies could better, the room of regions considered; `null` for a scheduler that
    /// the policies have no say in, and where nobody knows what an access costs.
    pub lower_bound: Option<LowerBound>,
    /// Each region, in the order of names.
    pub regions: Vec<RegionUse>,
    /// The state at instants of equal distance, the last of them the end.
    pub timeline: Vec<Sample>,
}

/// A lower bound on the mean cost of an access, over the pods that run at the end, know their cost and call no others. The
/// latter stay where they are; a region counts as one node, pods may be split, and of CPU and memory the scarcer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LowerBound {
    /// The pods.
    pub pods: u64,
    /// What an access costs them on average.
    pub mean_us: i64,
    /// What it costs them on average at the least, wherever they are.
    pub bound_mean_us: i64,
    /// How much more the former is, in thousandths of the bound; `null` where the bound is 0.
    pub gap_permille: Option<u64>,
    /// What makes the bound what it is.
    pub by: BoundedBy,
}

/// What makes a lower bound what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BoundedBy {
    /// Distance alone: every pod is counted at its best permitted region.
    Distance,
    /// The CPU of regions too.
    Cpu,
    /// The memory of regions too.
    Memory,
}

/// Pods without a node, by cause; each is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unschedulable {
    /// All of them.
    pub total: u64,
    /// Nodes are permitted, and none of them has room.
    pub capacity: u64,
    /// Nodes are permitted, and taints, selectors, affinity or spread exclude them.
    pub scheduling_rules: u64,
    /// The policies permit no node of the fleet.
    pub residency: u64,
    /// Permitted nodes with room may exist outside the sample that the extender was shown.
    pub sampling_blind: u64,
    /// What the pod accesses is cut off from every place that the policies permit.
    pub partition: u64,
    /// From every place that the policies permit an access surely takes longer than the pod allows, or is not
    /// measured where the settings demand that.
    pub latency_limit: u64,
    /// Nodes would have taken the pod and nobody knows where they are.
    pub unknown_place: u64,
}

/// How often pods were tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attempts {
    /// All attempts.
    pub total: u64,
    /// The most for one pod.
    pub most: u64,
    /// Attempts that showed the extender no permitted node though some exist in the fleet.
    pub blind: u64,
    /// Pods that had such an attempt.
    pub blind_pods: u64,
    /// Pods that lost their node to one of greater priority.
    pub preempted: u64,
    /// Pods that lost their node with it.
    pub evicted: u64,
}

/// How long pods waited for their first node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Waits {
    /// Pods that got one.
    pub pods: u64,
    /// What half of them waited at most.
    pub p50_ms: Option<u64>,
    /// What 95 of 100 did.
    pub p95_ms: Option<u64>,
    /// What 99 of 100 did.
    pub p99_ms: Option<u64>,
    /// The longest.
    pub most_ms: Option<u64>,
}

/// Latencies, or differences of them, of pods. Percentiles are by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Distribution {
    /// How many pods.
    pub pods: u64,
    /// Their mean, rounded to whole microseconds; `null` where there is none.
    pub mean_us: Option<i64>,
    /// What half of them do not exceed.
    pub p50_us: Option<i64>,
    /// What 95 of 100 do not exceed.
    pub p95_us: Option<i64>,
    /// What 99 of 100 do not exceed.
    pub p99_us: Option<i64>,
    /// The greatest.
    pub most_us: Option<i64>,
}

/// What an access costs pods: expected microseconds for each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LatencyFigures {
    /// Of the pods of which it is known.
    pub known: Distribution,
    /// The share of these where some leg is a guess over a distance, in thousandths.
    pub estimated_permille: u64,
    /// Pods of which nobody knows it.
    pub unknown: u64,
    /// Pods that name neither clients nor data sets, nor peers that run.
    pub without_access: u64,
}

/// A point of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CdfPoint {
    /// A latency.
    pub us: i64,
    /// The share of pods that do not exceed it, in thousandths.
    pub permille: u64,
}

/// What a region carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegionUse {
    /// `provider/region`, or `unknown place`.
    pub region: String,
    /// Its nodes at the end; 0 where it is down.
    pub nodes: u64,
    /// The pods that run there at the end.
    pub pods: u64,
    /// What they ask for, in thousandths of a CPU.
    pub cpu_asked_milli: u64,
    /// What its nodes can allocate, in thousandths of a CPU.
    pub cpu_milli: u64,
    /// What they ask for, in mebibytes of memory.
    pub memory_asked_mebi: u64,
    /// What its nodes can allocate, in mebibytes of memory.
    pub memory_mebi: u64,
    /// The greatest share of its CPU that was asked for at any sample, in thousandths.
    pub most_cpu_permille: u64,
}

/// The state at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sample {
    /// When.
    pub t_ms: u64,
    /// Pods that run.
    pub running: u64,
    /// Pods that wait.
    pub waiting: u64,
    /// Pods that lost a node so far, by preemption or with it.
    pub lost_nodes: u64,
    /// The share of all CPU that running pods ask for, in thousandths.
    pub cpu_permille: u64,
    /// What an access costs half of the running pods at most.
    pub p50_us: Option<i64>,
    /// What it costs 95 of 100.
    pub p95_us: Option<i64>,
}
