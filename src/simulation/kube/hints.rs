//! Whether something that happened could help a pod that waits: the closer look that each plugin takes at an event.
//!
//! Inputs: an event, a pod that waits, one of those who turned it away. Outputs: whether it is worth another attempt.
//! Source: the queueing hints of kubernetes 1.36.3 (`isSchedulableAfter...` of each plugin; the extender, registered for
//! every event, always says yes). Invariants: nothing is changed; the subject of an event is as it is right after it.

#![expect(clippy::indexing_slicing, reason = "classes are handed out by the cluster")]

use super::causes::Rejector;
use super::class::PodClass;
use super::cluster::Cluster;
use super::near::compile::NearRules;
use super::near::counters::{Asks, Counted};
use super::near::topology::NOWHERE;
use super::queue::ClusterEvent;
use super::resources::fits;
use super::{NodeIndex, PodIndex};

impl Cluster {
    /// Whether an event could help a pod that one of the filters, or the extender, turned away.
    #[must_use]
    pub fn could_help(&self, event: ClusterEvent, waiting: PodIndex, rejector: Rejector) -> bool {
        use ClusterEvent as Event;
        let class = &self.classes[self.class_of(waiting)];
        match event {
            Event::NodeAdded(node) => self.new_node_helps(node, class, rejector),
            Event::NodeRemoved(node) => match rejector {
                Rejector::PodTopologySpread => self.is_spread_over(&class.near, node),
                _ => true,
            },
            Event::PodBound(pod) | Event::PodGone(pod) => match rejector {
                Rejector::PodTopologySpread => {
                    let counted_by = &self.near_of(pod).counted_by;
                    class
                        .near
                        .hard
                        .iter()
                        .any(|spread| counted_by.contains(&spread.counter))
                }
                Rejector::InterPodAffinity => {
                    let came = matches!(event, Event::PodBound(_));
                    self.company_helps(&class.near, pod, came)
                }
                _ => true,
            },
            Event::NodeCordoned | Event::NodeUncordoned => true,
        }
    }

    fn new_node_helps(&self, node: NodeIndex, class: &PodClass, rejector: Rejector) -> bool {
        let spec = self.node_spec(node);
        let rules = &self.verdicts.of(class.rules).rules;
        match rejector {
            Rejector::NodeUnschedulable => !spec.unschedulable,
            Rejector::TaintToleration => !rules.is_kept_away_by_taints(spec),
            Rejector::NodeAffinity => rules.required_match(spec),
            Rejector::NodeResourcesFit => fits(&self.nodes, node.get(), self.shapes.request(class.shape)),
            Rejector::PodTopologySpread => self.is_spread_over(&class.near, node),
            // A node may take a pod that shuns others whatever its labels, for it may be empty.
            Rejector::InterPodAffinity => {
                let has_label = |counter: &usize| {
                    let counter = self.counters.all.get(*counter);
                    counter.is_some_and(|counter| self.has_domain(counter.key, node))
                };
                class.near.affinity.iter().any(has_label) || !class.near.anti_affinity.is_empty()
            }
            Rejector::NodeName | Rejector::Extender => true,
        }
    }

    /// Whether a node has the label of every rule of spread (`nodeLabelsMatchSpreadConstraints`).
    fn is_spread_over(&self, near: &NearRules, node: NodeIndex) -> bool {
        near.hard.iter().all(|spread| self.has_domain(spread.key, node))
    }

    fn has_domain(&self, key: usize, node: NodeIndex) -> bool {
        self.counters.topology.domain(key, node.get()) != NOWHERE
    }

    /// A pod that comes helps who must be near it; one that goes helps who must not be, and whom it kept away. Of several
    /// rules against others the hint asks for a pod that all of them are about.
    fn company_helps(&self, near: &NearRules, changed: PodIndex, came: bool) -> bool {
        let counted_by = &self.near_of(changed).counted_by;
        let all_in = |of: &[usize], list: &[usize]| !of.is_empty() && of.iter().all(|one| list.contains(one));
        if came {
            return all_in(&near.affinity, counted_by);
        }
        let keeps_away = |counter: &&usize| {
            let counter = self.counters.all.get(**counter);
            counter.is_some_and(|counter| matches!(counter.counted, Counted::Asking(Asks::AwayRequired, _)))
        };
        let shunned: Vec<usize> = counted_by.iter().filter(keeps_away).copied().collect();
        all_in(&near.anti_affinity, counted_by) || all_in(&shunned, &near.kept_away_by)
    }

    fn near_of(&self, pod: PodIndex) -> &NearRules {
        &self.classes[self.class_of(pod)].near
    }
}

#[cfg(test)]
#[path = "hints_tests.rs"]
mod tests;
