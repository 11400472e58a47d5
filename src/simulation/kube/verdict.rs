//! What all plugins together say of one node.
//!
//! Inputs: a cluster, a class, a node. Outputs: who turns the pod away first, and whether evicting could help. Source:
//! `RunFilterPluginsWithNominatedPods` of kubernetes 1.36.3: where pods of equal or greater priority are to come to the node, it
//! must do with and without them. Invariant: the order of plugins is that of `default_plugins.go`.
#![expect(
    clippy::indexing_slicing,
    reason = "slots, classes and pods are handed out by the cluster"
)]

use super::causes::{Causes, Rejector};
use super::class::PodClass;
use super::cluster::Cluster;
use super::near::compile::NearRules;
use super::near::counters::Counters;
use super::pod_affinity::{self, WrongCompany};
use super::resources::{self, TOO_LITTLE_LEFT};
use super::spread::{SpreadScratch, TooSkewed};
use super::{NodeIndex, PodIndex};

/// A node is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TurnedAway {
    pub by: Rejector,
    /// Whether evicting pods of the node could help (`Unschedulable`, not `UnschedulableAndUnresolvable`).
    pub eviction_may_help: bool,
}

impl TurnedAway {
    /// By what the resources say.
    pub fn by_resources(points: i32) -> Option<Self> {
        (points < 0).then_some(Self {
            by: Rejector::NodeResourcesFit,
            eviction_may_help: points == TOO_LITTLE_LEFT,
        })
    }

    /// By a plugin that looks at the node alone.
    pub fn by_node(rejector: Option<Rejector>) -> Option<Self> {
        rejector.map(|by| Self {
            by,
            eviction_may_help: false,
        })
    }

    /// By what other pods there are.
    pub fn by_pods(
        near: &NearRules,
        counters: &Counters,
        spread: &SpreadScratch,
        slot: usize,
    ) -> Option<Self> {
        if let Some(skewed) = spread.turns_away(near, counters, slot) {
            return Some(Self {
                by: Rejector::PodTopologySpread,
                eviction_may_help: skewed == TooSkewed::Skew,
            });
        }
        let company = pod_affinity::turns_away(near, counters, slot)?;
        Some(Self {
            by: Rejector::InterPodAffinity,
            eviction_may_help: company == WrongCompany::Unwanted,
        })
    }
}

impl Cluster {
    /// What the plugins say of a node as it is, the pods that are to come included.
    pub(super) fn judge(
        &mut self,
        pod: PodIndex,
        node: NodeIndex,
        spread: &mut SpreadScratch,
    ) -> Option<TurnedAway> {
        let priority = self.priority(pod);
        let to_come: Vec<PodIndex> = (self.nominations.all().iter())
            .filter(|(other, at)| *at == node && *other != pod && self.priority(*other) >= priority)
            .map(|(other, _)| *other)
            .collect();
        let class = self.class_of(pod);
        if !to_come.is_empty() {
            to_come.iter().for_each(|other| self.load(*other, node, 1));
            let turned_away = self.judge_now(class, node, spread);
            to_come.iter().for_each(|other| self.load(*other, node, -1));
            if turned_away.is_some() {
                return turned_away;
            }
        }
        self.judge_now(class, node, spread)
    }

    /// What the plugins say of some nodes as they are, every one of them looked at: no sample, no extender, no choice.
    pub fn look_at(&mut self, pod: PodIndex, is_meant: impl Fn(NodeIndex) -> bool) -> Causes {
        let class = self.prepare(pod);
        let mut spread = std::mem::take(&mut self.scratch.spread);
        let PodClass {
            shape, rules, near, ..
        } = &self.classes[class];
        spread.prepare(near, &self.counters);
        let points = self.shapes.points(*shape);
        let rejectors = &self.verdicts.of(*rules).rejector;
        let mut causes = Causes::default();
        for slot in self
            .tree
            .order()
            .iter()
            .filter(|slot| is_meant(NodeIndex(**slot)))
        {
            let slot = *slot as usize;
            let turned_away = TurnedAway::by_node(rejectors[slot])
                .or_else(|| TurnedAway::by_resources(points[slot]))
                .or_else(|| TurnedAway::by_pods(near, &self.counters, &spread, slot));
            causes.nodes += 1;
            causes.looked_at += 1;
            match turned_away {
                Some(turned_away) => causes.count(turned_away.by),
                None => causes.feasible += 1,
            }
        }
        self.scratch.spread = spread;
        causes
    }

    fn judge_now(&self, class: usize, node: NodeIndex, spread: &mut SpreadScratch) -> Option<TurnedAway> {
        let slot = node.get();
        let PodClass {
            shape, rules, near, ..
        } = &self.classes[class];
        let request = self.shapes.request(*shape);
        let points = || resources::points(&self.nodes, slot, request, &self.profile.weights);
        spread.prepare(near, &self.counters);
        TurnedAway::by_node(self.verdicts.of(*rules).rejector[slot])
            .or_else(|| TurnedAway::by_resources(points()))
            .or_else(|| TurnedAway::by_pods(near, &self.counters, spread, slot))
    }

    /// The priority of a pod.
    pub(super) fn priority(&self, pod: PodIndex) -> i32 {
        self.classes[self.class_of(pod)].spec.priority
    }
}
