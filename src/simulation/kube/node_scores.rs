//! What TaintToleration and NodeAffinity add to the scores of feasible nodes.
//!
//! Inputs: verdicts by slot, feasible nodes. Outputs: added to their scores. Source: `DefaultNormalizeScore` of kubernetes
//! 1.36.3 and the plugins that call it: the greatest count becomes 100, turned around for taints.
#![expect(
    clippy::indexing_slicing,
    reason = "verdicts have one entry per slot, and feasible nodes are slots"
)]

use super::NodeIndex;
use super::node_verdicts::Verdicts;
use super::profile::Weights;
use super::resources::MAX_NODE_SCORE;

/// What every node gets: where none has a taint that the pod would rather avoid, all are worth the most.
pub(super) fn of_all(verdicts: &Verdicts, weights: &Weights) -> i64 {
    match verdicts.any_unwanted {
        true => 0,
        false => MAX_NODE_SCORE * i64::from(weights.taint_toleration),
    }
}

/// Adds the rest of both.
pub(super) fn add(scores: &mut [i64], feasible: &[NodeIndex], verdicts: &Verdicts, weights: &Weights) {
    if verdicts.any_unwanted {
        let taint_weight = i64::from(weights.taint_toleration);
        let unwanted = |node: &NodeIndex| verdicts.unwanted_taints[node.get()];
        let most_unwanted = greatest(true, feasible, unwanted);
        for (score, node) in scores.iter_mut().zip(feasible) {
            let avoided = (MAX_NODE_SCORE * unwanted(node)).checked_div(most_unwanted);
            *score += (MAX_NODE_SCORE - avoided.unwrap_or(0)) * taint_weight;
        }
    }
    let preference = |node: &NodeIndex| verdicts.preference[node.get()];
    let most_preferred = greatest(verdicts.any_preference, feasible, preference);
    if most_preferred > 0 {
        for (score, node) in scores.iter_mut().zip(feasible) {
            let normalized = MAX_NODE_SCORE * preference(node) / most_preferred;
            *score += normalized * i64::from(weights.node_affinity);
        }
    }
}

/// The greatest count, which is 0 at least.
fn greatest(any: bool, feasible: &[NodeIndex], count: impl Fn(&NodeIndex) -> i64) -> i64 {
    if !any {
        return 0;
    }
    feasible.iter().map(count).max().unwrap_or(0).max(0)
}
