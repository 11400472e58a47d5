//! What was run, how far it came, and what the model is worth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::trace::Generator;

/// What was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunFacts {
    /// A hash of all that decides the run: the program, the run file and every file that it names.
    pub id: String,
    /// Which program.
    pub engine: String,
    /// What the run file says it is.
    pub title: String,
    /// The seed.
    pub seed: u64,
    /// The instant of `t` 0, at which policies are judged first.
    pub at: String,
    /// The id of the first snapshot.
    pub snapshot: String,
    /// The hash of the policy files.
    pub policy_set: String,
    /// The hash of the policy files of `policy-b`.
    pub policy_set_b: Option<String>,
    /// Whether the settings only observe, so that nothing is refused.
    pub observes: bool,
    /// Nodes that ever came.
    pub nodes: u64,
    /// Regions that they are in.
    pub regions: u64,
    /// Pods that ever came.
    pub pods: u64,
    /// Kinds of pods: equal in namespace, controller, labels and annotations.
    pub workloads: u64,
    /// Where the events come from.
    pub trace: TraceFacts,
    /// How kube-scheduler is configured.
    pub scheduler: SchedulerFacts,
    /// What happened to the world and not to single pods, in its order: marks for a time line.
    pub marks: Vec<Mark>,
    /// What a reader should know of this run, in sentences.
    pub notes: Vec<String>,
}

/// Where the events come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TraceFacts {
    /// In words.
    pub source: String,
    /// How many there are.
    pub events: u64,
    /// The time of the last.
    pub last_ms: u64,
    /// What made events up, where something did, with each of its rules in words.
    pub generator: Option<Generator>,
}

/// How kube-scheduler is configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SchedulerFacts {
    /// After how many feasible nodes a search ends, in percent; `null` is kube-scheduler's own choice by cluster size.
    pub percentage_of_nodes_to_score: Option<u8>,
    /// The weight of the extender.
    pub extender_weight: u32,
    /// The spread constraints of pods that state none: `system`, `list` or `nothing`.
    pub default_spread: String,
    /// Whether pods of greater priority evict others.
    pub preemption: bool,
}

/// Something that happened to the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mark {
    /// When.
    pub t_ms: u64,
    /// In words, such as `region.down aws/eu-west-1`.
    pub what: String,
}

/// How far a run came that was stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stopped {
    /// Why, in a sentence.
    pub why: String,
    /// Runs of one comparator and one seed that came to their end.
    pub runs_done: u64,
    /// How many there were to be.
    pub runs: u64,
}

/// What the model of kube-scheduler is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fidelity {
    /// What it does as kube-scheduler does it.
    pub modelled: Vec<String>,
    /// What it leaves out.
    pub not_modelled: Vec<String>,
    /// How often it and a real kube-scheduler did the same, as last measured; `null` where nobody did.
    pub agreement: Option<Agreement>,
}

/// How often the model and a real kube-scheduler did the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Agreement {
    /// The version of kube-scheduler.
    pub kubernetes: String,
    /// The day of the measurement.
    pub measured: String,
    /// The command that measures it again.
    pub command: String,
    /// Each workload that both placed.
    pub workloads: Vec<AgreementOfWorkload>,
}

/// One workload that both placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgreementOfWorkload {
    /// Its name.
    pub name: String,
    /// Its pods.
    pub pods: u64,
    /// What became of the attempts of the real kube-scheduler; `null` in figures of before they were kept.
    #[serde(default)]
    pub attempts: Option<ComparedAttempts>,
    /// On how many attempts both found the same nodes feasible, in percent.
    pub feasible_percent: f64,
    /// For how many pods where ties do not decide both chose the same node, in percent.
    pub chosen_percent: f64,
    /// What the others come from, in sentences.
    pub disagreements: Vec<String>,
}

/// The attempts that were compared, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComparedAttempts {
    /// All of them.
    pub total: u64,
    /// One node had the greatest score, or was the only one.
    pub chosen: u64,
    /// A draw decided among several nodes, of which the model has all.
    pub drawn: u64,
    /// Others were evicted.
    pub evicting: u64,
    /// No node was found.
    pub refused: u64,
    /// The extender could not tell.
    pub failed: u64,
}
