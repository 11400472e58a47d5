//! How the scheduler is configured: what of `KubeSchedulerConfiguration` the model reads.
//!
//! Inputs: a run file. Outputs: one profile. Invariant: the defaults are those of kubernetes 1.36
//! (`apis/config/v1/default_plugins.go`, `defaults.go`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spec::TopologySpreadConstraint;

/// A profile, and the extender that goes with all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Profile {
    /// After how many feasible nodes, in percent of all, the search ends; 0 or left out: by the number of nodes
    /// (50% less 1% per 125 nodes, 5% at least).
    pub percentage_of_nodes_to_score: Option<u8>,
    /// The weights of the plugins that score.
    pub weights: Weights,
    /// The spread constraints of pods that state none.
    pub default_spread: DefaultSpread,
    /// What a required term of a running pod that matches is worth (`hardPodAffinityWeight`), 0 to 100.
    pub hard_pod_affinity_weight: u8,
    /// Whether wishes of running pods count only for pods that have wishes of their own
    /// (`ignorePreferredTermsOfExistingPods`).
    pub ignore_preferred_terms_of_existing_pods: bool,
    /// The weight of the extender.
    pub extender_weight: u32,
    /// Whether the extender is passed over when it fails.
    pub extender_ignorable: bool,
    /// Whether a rejected pod may have others evicted.
    pub preemption: bool,
}

/// The weights of the plugins that score, 0 for off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(missing_docs, reason = "each is the name of a plugin")]
pub struct Weights {
    pub taint_toleration: u16,
    pub node_affinity: u16,
    pub pod_topology_spread: u16,
    pub inter_pod_affinity: u16,
    pub node_resources_fit: u16,
    pub balanced_allocation: u16,
}

/// The spread constraints of pods that state none and belong to a service or a controller.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum DefaultSpread {
    /// By node with skew 3 and by zone with skew 5, as wishes (`defaultingType: System`).
    #[default]
    System,
    /// These (`defaultingType: List`); their selectors are left out.
    List(Vec<TopologySpreadConstraint>),
    /// None.
    Nothing,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            percentage_of_nodes_to_score: None,
            weights: Weights::default(),
            default_spread: DefaultSpread::System,
            hard_pod_affinity_weight: 1,
            ignore_preferred_terms_of_existing_pods: false,
            extender_weight: 1,
            extender_ignorable: false,
            preemption: true,
        }
    }
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            taint_toleration: 3,
            node_affinity: 2,
            pod_topology_spread: 2,
            inter_pod_affinity: 2,
            node_resources_fit: 1,
            balanced_allocation: 1,
        }
    }
}

/// Below so many nodes all are looked at, and at least so many feasible ones are sought
/// (`minFeasibleNodesToFind`).
const LEAST_FEASIBLE: usize = 100;

/// The least adaptive percentage (`minFeasibleNodesPercentageToFind`).
const LEAST_PERCENTAGE: usize = 5;

impl Profile {
    /// After how many feasible nodes the search ends (`numFeasibleNodesToFind`).
    #[must_use]
    pub fn feasible_nodes_to_find(&self, nodes: usize) -> usize {
        if nodes < LEAST_FEASIBLE {
            return nodes;
        }
        let percentage = match self.percentage_of_nodes_to_score {
            None | Some(0) => 50_usize.saturating_sub(nodes / 125).max(LEAST_PERCENTAGE),
            Some(percentage) => usize::from(percentage),
        };
        (nodes * percentage / 100).max(LEAST_FEASIBLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_shrinks_with_the_cluster() {
        let adaptive = Profile::default();
        // `numFeasibleNodesToFind`: 50 - N/125 percent, 5 at least, 100 nodes at least.
        for (nodes, sought) in [
            (1, 1),
            (99, 99),
            (100, 100),
            (125, 100),
            (1_000, 420),
            (1_006, 422),
            (5_000, 500),
            (5_474, 383),
            (5_625, 281),
            (15_000, 750),
        ] {
            assert_eq!(adaptive.feasible_nodes_to_find(nodes), sought, "{nodes}");
        }
        let of = |percentage| Profile {
            percentage_of_nodes_to_score: Some(percentage),
            ..Profile::default()
        };
        assert_eq!(of(0).feasible_nodes_to_find(1_000), 420);
        assert_eq!(of(100).feasible_nodes_to_find(5_000), 5_000);
        assert_eq!(of(1).feasible_nodes_to_find(5_000), 100);
        assert_eq!(of(30).feasible_nodes_to_find(99), 99);
    }
}
