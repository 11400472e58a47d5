//! The nodes of a run: what they say, which are there, and in which region they count.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::affinity::region_labels;
use super::judge::Judge;
use super::{Drive, Name};
use crate::model::NodeName;
use crate::simulation::kube::{ClusterEvent, NodeIndex};
use crate::simulation::trace::TraceNode;
use crate::snapshot::ClassIndex;

/// What reports call the region of a node of which nobody knows it.
pub const UNKNOWN_PLACE: &str = "unknown place";

/// A node that came, by the index of the model.
#[derive(Debug)]
pub struct KnownNode {
    /// Its own index.
    pub index: NodeIndex,
    pub name: Name,
    pub is_there: bool,
    /// The place that it says it is at, as the checker numbers them.
    pub place: usize,
    /// The region in which it counts.
    pub region: Name,
}

/// Every node.
#[derive(Debug, Default)]
pub struct NodeTable<'a> {
    /// What each says, there or lost.
    said: BTreeMap<NodeName, Cow<'a, TraceNode>>,
    /// Those that came, by the index of the model; one that is lost and comes back is there twice.
    nodes: Vec<KnownNode>,
}

/// A class, and the labels by which its nodes say their region: provider, where they say it, and region.
pub type LabelledClass = (ClassIndex, (Option<String>, String));

impl<'a> NodeTable<'a> {
    /// Remembers what a node says; it does not come by that.
    pub fn know(&mut self, node: Cow<'a, TraceNode>) {
        if let Ok(name) = NodeName::new(&node.spec.name) {
            self.said.insert(name, node);
        }
    }

    /// What a node says.
    pub fn said(&self, name: &NodeName) -> Option<&Cow<'a, TraceNode>> {
        self.said.get(name)
    }

    /// The names by index.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| &*node.name)
    }

    /// Whether none ever came.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A node by its index.
    pub fn get(&self, node: NodeIndex) -> Option<&KnownNode> {
        self.nodes.get(node.get())
    }

    /// Every node by index.
    pub fn all(&self) -> &[KnownNode] {
        &self.nodes
    }

    /// Sets the region of each node that is there.
    pub fn locate(&mut self, judge: &Judge<'_>) {
        let mut names: BTreeMap<String, Name> = BTreeMap::new();
        for (class, node) in judge.classes().iter().zip(&mut self.nodes) {
            if node.is_there {
                let region = judge.region_of_class(*class);
                let region = region.map_or_else(|| UNKNOWN_PLACE.to_owned(), ToString::to_string);
                node.region = names
                    .entry(region)
                    .or_insert_with_key(|region| Arc::from(&**region))
                    .clone();
            }
        }
    }

    /// The labels of regions by class, of the nodes that are there.
    pub fn labels_of_classes(&self, judge: &Judge<'_>) -> Vec<LabelledClass> {
        let mut found = Vec::new();
        for (class, node) in judge.classes().iter().zip(&self.nodes) {
            let said = self.said.get(&*node.name).filter(|_| node.is_there);
            let labels = said.and_then(|said| region_labels(&said.spec.labels));
            if let (Some(class), Some(labels)) = (*class, labels) {
                found.push((class, labels));
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

impl Drive<'_> {
    /// A node comes, or comes back as it was.
    pub(super) fn gain_node(&mut self, name: &NodeName) {
        let Some(said) = self.nodes.said.get(name) else {
            return;
        };
        // The world holds one node of a name.
        if let Ok(node) = self.cluster.add_node(said.spec.clone()) {
            let place = self.watcher.place(said);
            self.nodes.nodes.push(KnownNode {
                index: node,
                name: Arc::from(name.as_str()),
                is_there: true,
                place,
                region: Arc::from(UNKNOWN_PLACE),
            });
            self.wake(ClusterEvent::NodeAdded(node));
        }
    }

    /// A node goes; its pods come again.
    pub(super) fn lose_node(&mut self, name: &NodeName, arrivals: &mut Vec<usize>) {
        let Some(node) = self.cluster.node(name.as_str()) else {
            return;
        };
        for pod in self.cluster.remove_node(node) {
            let life = self.life_of[pod.get()];
            self.unsettle(life, node);
            self.lives[life].evicted += 1;
            arrivals.push(life);
        }
        if let Some(node) = self.nodes.nodes.get_mut(node.get()) {
            node.is_there = false;
        }
        self.wake(ClusterEvent::NodeRemoved(node));
    }

    /// Cordons a node, there or lost, or ends that.
    pub(super) fn cordon(&mut self, name: &NodeName, cordoned: bool) {
        if let Some(said) = self.nodes.said.get_mut(name) {
            said.to_mut().spec.unschedulable = cordoned;
        }
        if let Some(node) = self.cluster.node(name.as_str()) {
            self.cluster.set_unschedulable(node, cordoned);
            let event = match cordoned {
                true => ClusterEvent::NodeCordoned,
                false => ClusterEvent::NodeUncordoned,
            };
            self.wake(event);
        }
    }
}
