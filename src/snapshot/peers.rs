//! Where pods with which labels run, as points of the latency table.
//!
//! Inputs: the running pods, and the point of each node. Outputs: for a selector, how many pods it finds
//! at which points. Invariants: a question costs the groups of one namespace, never its pods; the answer
//! does not depend on the order of groups. Deliberately absent: nodes that run no pod, and what a call
//! between two points costs.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::model::{LabelSelector, LabelSet, NamespaceName, NodeName, PodGroup, RunningPods};
use crate::topology::LatencyPoint;

/// The pods that run, and what tells this state of them from any other.
#[derive(Debug, Clone, Default)]
pub struct RunningFacts {
    /// The pods; `None` where the source of facts does not speak of pods, or not yet.
    pub pods: Option<Arc<RunningPods>>,
    /// Counts their states, from 1; 0 where the version of the fleet tells them apart too.
    pub generation: u64,
}

/// Pods that a selector finds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PeerPlaces {
    /// How many are at which point, each point once.
    pub at: Vec<(LatencyPoint, u32)>,
    /// How many are on nodes whose point is not known.
    pub at_unknown: u32,
}

impl PeerPlaces {
    /// How many pods there are.
    #[must_use]
    pub fn pods(&self) -> u64 {
        let known = self.at.iter().map(|(_, pods)| u64::from(*pods));
        known.sum::<u64>() + u64::from(self.at_unknown)
    }

    /// Counts one more pod; `None` is a place that nobody knows.
    pub fn add(&mut self, point: Option<LatencyPoint>) {
        let Some(point) = point else {
            self.at_unknown = self.at_unknown.saturating_add(1);
            return;
        };
        match self.at.iter_mut().find(|(other, _)| *other == point) {
            Some((_, pods)) => *pods = pods.saturating_add(1),
            None => self.at.push((point, 1)),
        }
    }

    /// Counts one pod less, where there is one.
    pub fn take(&mut self, point: Option<LatencyPoint>) {
        let Some(point) = point else {
            self.at_unknown = self.at_unknown.saturating_sub(1);
            return;
        };
        if let Some((_, pods)) = self.at.iter_mut().find(|(other, _)| *other == point) {
            *pods = pods.saturating_sub(1);
        }
        self.at.retain(|(_, pods)| *pods > 0);
    }
}

/// A pod that runs and asks for its peers, of which it is none itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskingPod {
    /// Its namespace.
    pub namespace: NamespaceName,
    /// Its labels.
    pub labels: LabelSet,
    /// Where it runs.
    pub node: NodeName,
}

/// The running pods with the points of their nodes.
#[derive(Debug, Default)]
pub struct PlacedPods {
    running: Arc<RunningPods>,
    /// Each point where a pod is, once.
    points: Vec<LatencyPoint>,
    /// For each of the nodes its place among the points; `None` is unknown.
    of_node: Vec<Option<u32>>,
    /// For each group, in the order of [`RunningPods::groups`], where its pods are.
    groups: BTreeMap<NamespaceName, Vec<PlacedGroup>>,
    /// Positions of points with how many pods are there; a group has a range of these.
    counts: Vec<(u32, u32)>,
}

/// Where the pods of a group are.
#[derive(Debug)]
struct PlacedGroup {
    counts: Range<usize>,
    at_unknown: u32,
}

impl PlacedPods {
    /// Places these pods, in time that grows with their number; each node is asked for once.
    #[must_use]
    pub fn new(running: Arc<RunningPods>, point: impl Fn(&NodeName) -> Option<LatencyPoint>) -> Self {
        let mut points = Vec::new();
        let mut numbers: HashMap<LatencyPoint, u32, RandomState> = HashMap::default();
        let of_node: Vec<Option<u32>> = running
            .nodes()
            .iter()
            .map(|node| {
                let point = point(node)?;
                let number = numbers.entry(point).or_insert_with(|| {
                    points.push(point);
                    u32::try_from(points.len() - 1).unwrap_or(u32::MAX)
                });
                Some(*number)
            })
            .collect();
        let mut counts = Vec::new();
        let mut places = Vec::new();
        let mut place = |group: &PodGroup| {
            let start = counts.len();
            let mut at_unknown = 0;
            places.clear();
            for (node, pods) in &group.on {
                match of_node.get(*node as usize).copied().flatten() {
                    Some(point) => places.push((point, *pods)),
                    None => at_unknown += pods,
                }
            }
            places.sort_unstable();
            let runs = places.chunk_by(|(one, _), (other, _)| one == other);
            counts.extend(runs.filter_map(|run| {
                let (point, _) = run.first()?;
                Some((*point, run.iter().map(|(_, pods)| pods).sum()))
            }));
            PlacedGroup {
                counts: start..counts.len(),
                at_unknown,
            }
        };
        let groups = running
            .namespaces()
            .map(|(namespace, groups)| (namespace.clone(), groups.iter().map(&mut place).collect()))
            .collect();
        Self {
            points,
            of_node,
            groups,
            counts,
            running,
        }
    }

    /// The pods of a namespace that a selector finds, but for the one that asks.
    #[must_use]
    pub fn find(
        &self,
        namespace: &NamespaceName,
        selector: &LabelSelector,
        asking: Option<&AskingPod>,
    ) -> PeerPlaces {
        let asking = asking.filter(|asking| asking.namespace == *namespace);
        let mut pods_at = vec![0_u32; self.points.len()];
        let mut at_unknown = 0;
        let placed = self.groups.get(namespace).map_or(&[][..], Vec::as_slice);
        let groups = self.running.groups(namespace).iter().zip(placed);
        for (group, placed) in groups.filter(|(group, _)| selector.selects(&group.labels)) {
            at_unknown += placed.at_unknown;
            for (point, pods) in self.counts.get(placed.counts.clone()).unwrap_or_default() {
                if let Some(count) = pods_at.get_mut(*point as usize) {
                    *count += pods;
                }
            }
            // One of its own kind on its node is taken for itself: whoever reads its manifest out of the
            // cluster asks about a pod that is there.
            if let Some(asking) = asking.filter(|asking| asking.labels == group.labels)
                && let Some(point) = self.point_within(group, &asking.node)
            {
                match point.and_then(|point| pods_at.get_mut(point as usize)) {
                    Some(count) => *count = count.saturating_sub(1),
                    None => at_unknown = at_unknown.saturating_sub(1),
                }
            }
        }
        let at = self.points.iter().copied().zip(pods_at);
        PeerPlaces {
            at: at.filter(|(_, pods)| *pods > 0).collect(),
            at_unknown,
        }
    }

    /// The position of a node's point, itself `None` where that is unknown, if the group has a pod there.
    fn point_within(&self, group: &PodGroup, node: &NodeName) -> Option<Option<u32>> {
        let nodes = self.running.nodes();
        let is_node = |number: &&(u32, u32)| nodes.get(number.0 as usize) == Some(node);
        let (number, _) = group.on.iter().find(is_node)?;
        self.of_node.get(*number as usize).copied()
    }
}

#[cfg(test)]
#[path = "peers_tests.rs"]
mod tests;
