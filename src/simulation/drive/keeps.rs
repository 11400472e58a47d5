//! What keeps a pod from a node.
//!
//! Inputs: what Domicile says of a kind of pods, what the plugins say of the nodes that are open to it, its last attempt.
//! Outputs: one cause. Invariants: what policies refuse goes before what is full, and what is full before what was not
//! looked at: a blind sample is a cause only where a permitted node would have taken the pod.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::judge::Judge;
use super::lives::Keeps;
use super::roster::KindIndex;
use crate::placement::{Assessment, ObstacleKind};
use crate::simulation::kube::{Causes, Rejector};
use crate::snapshot::{ClassIndex, Snapshot};

impl Judge<'_> {
    /// What keeps a pod of a kind from a node: what the plugins say of the nodes that are open to it by policy, all looked
    /// at, and what its last attempt said, and whether that was blind.
    pub fn keeps(
        &mut self,
        kind: KindIndex,
        open: Option<Causes>,
        last: Option<(Causes, bool)>,
        obeys_policies: bool,
        at: Timestamp,
    ) -> Keeps {
        let snapshot = self.snapshot();
        if obeys_policies {
            let assessment = self.assessment(kind, at);
            if !assessment.observes() && assessment.permitted_nodes() == 0 {
                return refused_everywhere(snapshot, assessment);
            }
        }
        let was_blind = last.is_some_and(|(_, was_blind)| was_blind);
        match open {
            // A sample without a permitted node hides nothing where none of them would take the pod.
            Some(open) if open.feasible == 0 => short_of(&open),
            _ if was_blind && obeys_policies => Keeps::SamplingBlind,
            _ => last.map_or(Keeps::Capacity, |(causes, _)| short_of(&causes)),
        }
    }
}

/// Room, unless rules alone turn the pod away.
fn short_of(causes: &Causes) -> Keeps {
    match causes.of(Rejector::NodeResourcesFit) == 0 && is_ruled_out(causes) {
        true => Keeps::SchedulingRules,
        false => Keeps::Capacity,
    }
}

/// Everything but room and the extender: the filters that look at labels and at other pods.
fn is_ruled_out(causes: &Causes) -> bool {
    let rules = [
        Rejector::NodeUnschedulable,
        Rejector::NodeName,
        Rejector::TaintToleration,
        Rejector::NodeAffinity,
        Rejector::PodTopologySpread,
        Rejector::InterPodAffinity,
    ];
    rules.iter().any(|rule| causes.of(*rule) > 0)
}

/// Why no node of the fleet is permitted.
fn refused_everywhere(snapshot: &Snapshot, assessment: &Assessment<'_>) -> Keeps {
    let by_policy = |place, is_confirmed| assessment.verdict.permits(place, is_confirmed);
    let classes = snapshot.classes();
    let left: Vec<ClassIndex> = classes
        .filter(|(_, class)| by_policy(class.place, class.region_is_confirmed))
        .map(|(class, _)| class)
        .collect();
    if left.is_empty() {
        let nobody_knows =
            snapshot.node_count() > 0 && snapshot.classes().all(|(_, class)| class.region.is_none());
        return if nobody_knows {
            Keeps::UnknownPlace
        } else {
            Keeps::Residency
        };
    }
    let obstacles = left.iter().flat_map(|class| assessment.obstacles(Some(*class)));
    let kinds: BTreeSet<ObstacleKind> = obstacles.map(|obstacle| obstacle.kind).collect();
    if kinds.contains(&ObstacleKind::Unreachable) {
        Keeps::Partition
    } else if kinds.contains(&ObstacleKind::OverLimit) || kinds.contains(&ObstacleKind::Unmeasured) {
        Keeps::LatencyLimit
    } else {
        Keeps::Residency
    }
}
