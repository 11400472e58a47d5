//! Where pods with which labels run, as points of the latency table.
//!
//! Inputs: the running pods, and the point of each node. Outputs: for a selector, how many pods it finds
//! at which points. Invariants: a question costs the groups of one namespace, never its pods; the answer
//! depends on the pods that run alone, never on what ran before; a pod that comes or goes costs its own group.
//! Deliberately absent: nodes that run no pod, and what a call between two points costs.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use imbl::ordmap::DiffItem;

use crate::model::{
    ByName, LabelSelector, LabelSet, NamespaceName, NodeName, PodGroup, PodGroups, RunningPods,
};
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
    /// How many are at which point, each point once; from a snapshot in the order of points.
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
    /// The groups of [`RunningPods::namespaces`], each with where its pods are.
    placed: ByName<NamespaceName, PlacedGroups>,
}

type PlacedGroups = ByName<LabelSet, Arc<PlacedGroup>>;

/// Where the pods of a group are.
#[derive(Debug)]
struct PlacedGroup {
    /// Each point once.
    at: Box<[(LatencyPoint, u32)]>,
    at_unknown: u32,
}

impl PlacedGroup {
    fn new(group: &PodGroup, point: &impl Fn(&NodeName) -> Option<LatencyPoint>) -> Arc<Self> {
        let mut at_unknown = 0;
        let mut places = Vec::with_capacity(group.on.len());
        for (node, pods) in &group.on {
            match point(node) {
                Some(point) => places.push((point, *pods)),
                None => at_unknown += pods,
            }
        }
        places.sort_unstable();
        let runs = places.chunk_by(|(one, _), (other, _)| one == other);
        let counted = runs.filter_map(|run| {
            let (point, _) = run.first()?;
            Some((*point, run.iter().map(|(_, pods)| pods).sum()))
        });
        Arc::new(Self {
            at: counted.collect(),
            at_unknown,
        })
    }

    /// Where the pods of a group are that was `old` and is `new`: only nodes with more or fewer pods than before are looked up.
    fn followed_by(
        &self,
        old: &PodGroup,
        new: &PodGroup,
        point: &impl Fn(&NodeName) -> Option<LatencyPoint>,
    ) -> Arc<Self> {
        let (mut at, mut at_unknown) = (self.at.to_vec(), self.at_unknown);
        for (node, before, after) in old.changed_on(new) {
            let Some(point) = point(node) else {
                at_unknown = (at_unknown + after).saturating_sub(before);
                continue;
            };
            match at.binary_search_by_key(&point, |(other, _)| *other) {
                Ok(found) => {
                    if let Some((_, pods)) = at.get_mut(found) {
                        *pods = (*pods + after).saturating_sub(before);
                    }
                }
                Err(place) => at.insert(place, (point, after)),
            }
        }
        at.retain(|(_, pods)| *pods > 0);
        Arc::new(Self {
            at: at.into(),
            at_unknown,
        })
    }
}

impl PlacedPods {
    /// Places these pods, in time that grows with their number.
    #[must_use]
    pub fn new(running: Arc<RunningPods>, point: impl Fn(&NodeName) -> Option<LatencyPoint>) -> Self {
        Self::default().followed_by(running, point)
    }

    /// Places pods that follow upon these, where every node is where it was: in time that grows with the groups that
    /// changed. All else is shared.
    #[must_use]
    pub fn followed_by(
        &self,
        running: Arc<RunningPods>,
        point: impl Fn(&NodeName) -> Option<LatencyPoint>,
    ) -> Self {
        let mut placed = self.placed.clone();
        for change in self.running.namespaces().diff(running.namespaces()) {
            match change {
                DiffItem::Add(namespace, groups) => {
                    let mut placed_groups = PlacedGroups::new();
                    place_groups(&mut placed_groups, &PodGroups::new(), groups, &point);
                    placed.insert(namespace.clone(), placed_groups);
                }
                DiffItem::Update { old, new } => {
                    if let Some(placed_groups) = placed.get_mut(new.0) {
                        place_groups(placed_groups, old.1, new.1, &point);
                    }
                }
                DiffItem::Remove(namespace, _) => drop(placed.remove(namespace)),
            }
        }
        Self { running, placed }
    }

    /// The pods of a namespace that a selector finds, but for the one that asks. `point` must be the function that the
    /// pods were placed by.
    #[must_use]
    pub fn find(
        &self,
        namespace: &NamespaceName,
        selector: &LabelSelector,
        asking: Option<&AskingPod>,
        point: impl Fn(&NodeName) -> Option<LatencyPoint>,
    ) -> PeerPlaces {
        let (Some(groups), Some(placed)) = (self.running.groups(namespace), self.placed.get(namespace))
        else {
            return PeerPlaces::default();
        };
        let asking = asking.filter(|asking| asking.namespace == *namespace);
        let mut pods_at: HashMap<LatencyPoint, u32, RandomState> = HashMap::default();
        let mut at_unknown = 0;
        // Both have the same keys, in the same order.
        let groups = groups.iter().zip(placed.values());
        for ((labels, group), placed) in groups.filter(|((labels, _), _)| selector.selects(labels)) {
            at_unknown += placed.at_unknown;
            for (point, pods) in &placed.at {
                *pods_at.entry(*point).or_default() += pods;
            }
            // One of its own kind on its node is taken for itself: whoever reads its manifest out of the
            // cluster asks about a pod that is there.
            if let Some(asking) = asking.filter(|asking| asking.labels == *labels)
                && group.on_node(&asking.node) > 0
            {
                match point(&asking.node).and_then(|point| pods_at.get_mut(&point)) {
                    Some(count) => *count = count.saturating_sub(1),
                    None => at_unknown = at_unknown.saturating_sub(1),
                }
            }
        }
        let mut at: Vec<(LatencyPoint, u32)> = pods_at.into_iter().filter(|(_, pods)| *pods > 0).collect();
        at.sort_unstable();
        PeerPlaces { at, at_unknown }
    }
}

/// Makes the places of `old` groups those of `new` ones.
fn place_groups(
    placed: &mut PlacedGroups,
    old: &PodGroups,
    new: &PodGroups,
    point: &impl Fn(&NodeName) -> Option<LatencyPoint>,
) {
    for change in old.diff(new) {
        match change {
            DiffItem::Add(labels, group) => {
                placed.insert(labels.clone(), PlacedGroup::new(group, point));
            }
            DiffItem::Update { old, new } => {
                if let Some(group) = placed.get_mut(new.0) {
                    *group = group.followed_by(old.1, new.1, point);
                }
            }
            DiffItem::Remove(labels, _) => drop(placed.remove(labels)),
        }
    }
}

#[cfg(test)]
#[path = "peers_tests.rs"]
mod tests;
