//! What the plugins say of single nodes, asked without an attempt.
//!
//! Inputs: a cluster, a pod that waits, nodes. Outputs: who turns the pod away from each node first, and of each hard
//! spread constraint its domains with the pods in them. Invariant: the judgement is that of an attempt, by the same rules and
//! counters. Deliberately absent: resources, which change by the minute, and the extender.
#![expect(
    clippy::indexing_slicing,
    reason = "slots and classes are handed out by the cluster"
)]

use std::collections::BTreeMap;

use super::causes::Rejector;
use super::cluster::Cluster;
use super::spec::{Taint, TopologySpreadConstraint, UnsatisfiableConstraintAction};
use super::spread::SpreadScratch;
use super::verdict::TurnedAway;
use super::{NodeIndex, PodIndex};

/// Why a node is turned away before resources are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hindrance {
    /// The first plugin that turns it away.
    pub by: Rejector,
    /// The taint, where that is what does.
    pub taint: Option<Taint>,
}

/// A rule of spread, and how pods are spread by it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HardSpread {
    /// The constraint as the pod states it.
    pub constraint: TopologySpreadConstraint,
    /// Whether the pod is one of those that are counted.
    pub counts_itself: bool,
    /// The domains that count, by their label value.
    pub domains: BTreeMap<String, SpreadDomain>,
}

/// One domain of a rule of spread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpreadDomain {
    /// The pods that count.
    pub pods: i64,
    /// The nodes that count, in the order in which they came.
    pub nodes: Vec<NodeIndex>,
}

impl Cluster {
    /// Who turns a pod away from each of these nodes; `None` where nobody does.
    pub fn hindrances(&mut self, pod: PodIndex, nodes: &[NodeIndex]) -> Vec<Option<Hindrance>> {
        let class = self.class_of(pod);
        self.recount();
        let rules = self.classes[class].rules;
        self.verdicts.refresh(rules, &self.nodes);
        let (near, verdicts) = (&self.classes[class].near, self.verdicts.of(rules));
        let mut spread = SpreadScratch::default();
        spread.prepare(near, &self.counters);
        let of_node = |node: &NodeIndex| {
            let slot = node.get();
            let turned_away = TurnedAway::by_node(verdicts.rejector[slot])
                .or_else(|| TurnedAway::by_pods(near, &self.counters, &spread, slot))?;
            let taint = (turned_away.by == Rejector::TaintToleration)
                .then(|| verdicts.rules.untolerated_taint(&self.nodes.specs[slot]));
            Some(Hindrance {
                by: turned_away.by,
                taint: taint.flatten().cloned(),
            })
        };
        nodes.iter().map(of_node).collect()
    }

    /// The hard spread constraints that a pod states, in its order.
    pub fn hard_spread(&mut self, pod: PodIndex) -> Vec<HardSpread> {
        let class = self.class_of(pod);
        self.recount();
        let class = &self.classes[class];
        let stated = class
            .spec
            .topology_spread_constraints
            .iter()
            .filter(|constraint| {
                constraint.when_unsatisfiable == UnsatisfiableConstraintAction::DoNotSchedule
            });
        let of_constraint =
            |(constraint, spread): (&TopologySpreadConstraint, &super::near::compile::Spread)| {
                let mut domains: BTreeMap<String, SpreadDomain> = BTreeMap::new();
                for slot in 0..self.nodes.len() {
                    let value = self.nodes.specs[slot].labels.get(&constraint.topology_key);
                    let count = self.counters.at(spread.counter, slot);
                    let (Some(value), Some(count)) = (value, count) else {
                        continue;
                    };
                    if self.counters.counts_on(spread.counter, slot) {
                        let domain = domains.entry(value.clone()).or_default();
                        domain.pods = i64::from(count);
                        domain
                            .nodes
                            .push(NodeIndex(u32::try_from(slot).unwrap_or(u32::MAX)));
                    }
                }
                HardSpread {
                    constraint: constraint.clone(),
                    counts_itself: spread.counts_itself,
                    domains,
                }
            };
        // Where a pod states constraints, its rules are made from them one by one.
        stated.zip(&class.near.hard).map(of_constraint).collect()
    }
}
