//! What a run answers beyond one comparator: cost, who moves, failures, seeds.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::comparator::{Distribution, Unschedulable};

/// What the policies cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComplianceCost {
    /// The comparator with the policies.
    pub with: String,
    /// The one without.
    pub without: String,
    /// For each pod that both placed, how much more an access costs with the policies; less is negative.
    pub added: Distribution,
    /// Pods that have no node with the policies and have one without.
    pub unplaceable: u64,
    /// Each policy that takes a node of the fleet from some pod, the dearest alone first, then by name.
    pub by_policy: Vec<PolicyCost>,
    /// Each data set that some pod uses, by name.
    pub by_data_set: Vec<DataSetCost>,
}

/// What one policy costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyCost {
    /// Its name.
    pub policy: String,
    /// Pods from which it takes a node of the fleet.
    pub pods: u64,
    /// What all policies together add to these.
    pub added: Distribution,
    /// What it adds by itself: the run with all policies against one in which this one is only recorded; `null`
    /// where the run file does not ask for that.
    pub alone: Option<PolicyAlone>,
}

/// What one policy adds while all others stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyAlone {
    /// For each pod that has a node either way, how much more an access costs with the policy.
    pub added: Distribution,
    /// Pods that have no node with it and have one without.
    pub unplaceable: u64,
}

/// What the policies cost the users of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataSetCost {
    /// Its name.
    pub data_set: String,
    /// For each pod that uses it and that both placed.
    pub added: Distribution,
    /// Pods that use it and have no node with the policies and have one without.
    pub unplaceable: u64,
}

/// Who moves from one set of policies to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Moved {
    /// The comparator with the one.
    pub from: String,
    /// The one with the other.
    pub to: String,
    /// Pods that both knew.
    pub pods: u64,
    /// In the same region under both.
    pub same_region: u64,
    /// In another.
    pub other_region: u64,
    /// Without a node before, with one after.
    pub gained_a_node: u64,
    /// With a node before, without one after.
    pub lost_their_node: u64,
    /// Without a node under both.
    pub without_a_node: u64,
    /// For each pod that has a node under both, how much more an access costs after; less is negative.
    pub added: Distribution,
    /// Pods that change their region, or gain or lose a node, most first; `diff.csv` has each of them.
    pub groups: Vec<MovedPods>,
}

/// Pods that move alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MovedPods {
    /// `namespace/workload`.
    pub workload: String,
    /// The region before; `null` is none.
    pub from: Option<String>,
    /// The region after; `null` is none.
    pub to: Option<String>,
    /// How many.
    pub pods: u64,
    /// Why, in a sentence.
    pub why: String,
    /// What an access costs them more, on average, where that is known.
    pub mean_added_us: Option<i64>,
}

/// Pods that residency leaves nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefusedPods {
    /// What they are told.
    pub sentence: String,
    /// How many.
    pub pods: u64,
    /// Of which workloads, as `namespace/workload`.
    pub workloads: Vec<String>,
}

/// What the loss of a region would do at the end of the run, under `domicile`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegionFailure {
    /// The region.
    pub region: String,
    /// Pods that run there.
    pub pods: u64,
    /// Those of them that find a node elsewhere.
    pub placed_elsewhere: u64,
    /// Those that do not, by what keeps them from one.
    pub stranded: Unschedulable,
    /// The workloads of these, as `namespace/workload`.
    pub stranded_workloads: Vec<String>,
    /// How much more an access costs those that find one.
    pub added: Distribution,
    /// Pods that run elsewhere and whose accesses are cut off from where they are.
    pub cut_off: u64,
    /// Data sets that are used and have a permitted region with nodes now, and would have none.
    pub data_sets_without_region: Vec<String>,
    /// Data sets that are used and have every copy there.
    pub data_sets_lost: Vec<String>,
}

/// Figures over several seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedIntervals {
    /// The seeds.
    pub seeds: Vec<u64>,
    /// How sure the intervals are, in percent: 95.
    pub confidence_percent: u32,
    /// Each comparator, in the order of the run file.
    pub comparators: Vec<SeedFigures>,
    /// Figures of the cost of the policies by name, such as `added.p95Us`.
    pub cost: BTreeMap<String, Interval>,
}

/// One comparator over several seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedFigures {
    /// Its name.
    pub id: String,
    /// Figures by name, such as `latency.known.p95Us`.
    pub figures: BTreeMap<String, Interval>,
}

/// A mean with the interval of Student's t in which the mean of all seeds lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Interval {
    /// How many seeds have the figure.
    pub seeds: u64,
    /// The mean, to a hundredth.
    pub mean: f64,
    /// The lower end, to a hundredth.
    pub low: f64,
    /// The upper end, to a hundredth.
    pub high: f64,
}
