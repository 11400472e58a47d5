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

/// Adds both.
pub(super) fn add(scores: &mut [i64], feasible: &[NodeIndex], verdicts: &Verdicts, weights: &Weights) {
    let taint_weight = i64::from(weights.taint_toleration);
    let unwanted = |node: &NodeIndex| verdicts.unwanted_taints[node.get()];
    let most_unwanted = greatest(verdicts.any_unwanted, feasible, unwanted);
    if most_unwanted == 0 {
        // Where no node has such a taint all are worth the most.
        scores
            .iter_mut()
            .for_each(|score| *score += MAX_NODE_SCORE * taint_weight);
    } else {
        for (score, node) in scores.iter_mut().zip(feasible) {
            let normalized = MAX_NODE_SCORE - MAX_NODE_SCORE * unwanted(node) / most_unwanted;
            *score += normalized * taint_weight;
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
