//! What the plugins that look at a node alone say of all nodes, kept per set of rules.
//!
//! Inputs: the rules of pods, the nodes. Outputs: per slot the first plugin that turns the pod away
//! (NodeUnschedulable, NodeName, TaintToleration, NodeAffinity, in the order of `default_plugins.go`), the taints that the pod
//! would rather avoid, and the weight of its preferences. Invariant: nodes that changed are judged again before use.
#![expect(
    clippy::indexing_slicing,
    reason = "vectors have one entry per slot, and slots come from the nodes"
)]

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::causes::Rejector;
use super::nodes::Nodes;
use super::selection::NodeRules;
use super::spec::NodeSpec;

/// Verdicts of one set of rules.
#[derive(Debug, Clone)]
pub(super) struct Verdicts {
    pub rules: NodeRules,
    seen: u64,
    /// The plugin that turns the pod away, if one does.
    pub rejector: Vec<Option<Rejector>>,
    /// Taints that the pod would rather avoid.
    pub unwanted_taints: Vec<i64>,
    /// The weight of preferences that the node meets.
    pub preference: Vec<i64>,
    /// Whether some plugin turned the pod away from some node, some node has such taints, or meets preferences.
    pub any_rejected: bool,
    pub any_unwanted: bool,
    pub any_preference: bool,
}

/// Verdicts of all sets of rules.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeVerdicts {
    all: Vec<Verdicts>,
    by_rules: HashMap<NodeRules, usize, FixedState>,
}

impl NodeVerdicts {
    /// The set of rules, made where there is none.
    pub fn intern(&mut self, rules: NodeRules) -> usize {
        let next = self.all.len();
        *self.by_rules.entry(rules).or_insert_with_key(|rules| {
            self.all.push(Verdicts {
                rules: rules.clone(),
                seen: 0,
                rejector: Vec::new(),
                unwanted_taints: Vec::new(),
                preference: Vec::new(),
                any_rejected: false,
                any_unwanted: false,
                any_preference: false,
            });
            next
        })
    }

    /// The verdicts of a set of rules, as of the last [`Self::refresh`].
    pub fn of(&self, set: usize) -> &Verdicts {
        &self.all[set]
    }

    /// Brings the verdicts of a set of rules up to date.
    pub fn refresh(&mut self, set: usize, nodes: &Nodes) {
        let one = &mut self.all[set];
        let log = &nodes.fact_changes;
        if one.seen == log.position() {
            return;
        }
        one.rejector.resize(nodes.len(), None);
        one.unwanted_taints.resize(nodes.len(), 0);
        one.preference.resize(nodes.len(), 0);
        match log.since(one.seen, nodes.len()) {
            Some(changed) => changed.iter().for_each(|slot| one.judge(*slot as usize, nodes)),
            None => (0..nodes.len()).for_each(|slot| one.judge(slot, nodes)),
        }
        one.seen = log.position();
    }
}

impl Verdicts {
    fn judge(&mut self, slot: usize, nodes: &Nodes) {
        let node = &nodes.specs[slot];
        self.rejector[slot] = rejector(&self.rules, node);
        self.unwanted_taints[slot] = self.rules.unwanted_taints(node);
        self.preference[slot] = self.rules.preference(node);
        self.any_rejected |= self.rejector[slot].is_some();
        self.any_unwanted |= self.unwanted_taints[slot] != 0;
        self.any_preference |= self.preference[slot] != 0;
    }
}

fn rejector(rules: &NodeRules, node: &NodeSpec) -> Option<Rejector> {
    if node.unschedulable && !rules.tolerates_cordons() {
        return Some(Rejector::NodeUnschedulable);
    }
    if rules.node_name.as_ref().is_some_and(|name| *name != node.name) {
        return Some(Rejector::NodeName);
    }
    if rules.is_kept_away_by_taints(node) {
        return Some(Rejector::TaintToleration);
    }
    (!rules.required_match(node)).then_some(Rejector::NodeAffinity)
}
