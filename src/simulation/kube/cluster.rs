//! The cluster as kube-scheduler's cache knows it, and the pods that wait.
//!
//! Inputs: nodes and pods that come, change and go; where pods are bound. Outputs: look-ups, and the state that
//! [`Cluster::attempt`] reads. Invariants: a pod is on one node at most; indices are never used again; a node that goes
//! takes no pod with it silently (they are handed back).
#![expect(
    clippy::indexing_slicing,
    reason = "indices are handed out here, and each has an entry in every list"
)]

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use rand_pcg::Pcg64;

use super::class::PodClass;
use super::near::counters::Counters;
use super::node_tree::NodeTree;
use super::node_verdicts::NodeVerdicts;
use super::nodes::Nodes;
use super::nominations::Nominations;
use super::profile::Profile;
use super::resources::Shapes;
use super::spec::{Labels, NodeSpec, PodSpec, PreemptionPolicy, Taint};
use super::standing::Remembered;
use super::{NodeIndex, PodIndex};

/// The stream of random numbers that break ties.
const TIE_STREAM: u64 = 0x6b75_6265;

/// A node of this name is there already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a node `{0}` is there already")]
pub struct NodeExists(pub String);

/// A pod.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    pub class: u32,
    pub node: Option<NodeIndex>,
    pub bound_at_ms: u64,
}

/// Nodes, pods, and how the scheduler looks at them.
#[derive(Debug)]
pub struct Cluster {
    pub(super) profile: Profile,
    pub(super) random: Pcg64,
    /// Where the next search begins, in the order of the tree (`nextStartNodeIndex`).
    pub(super) next_start: usize,
    pub(super) nodes: Nodes,
    pub(super) tree: NodeTree,
    by_name: HashMap<String, NodeIndex, FixedState>,
    pub(super) classes: Vec<PodClass>,
    pub(super) by_spec: HashMap<PodSpec, u32, FixedState>,
    pub(super) shapes: Shapes,
    pub(super) verdicts: NodeVerdicts,
    pub(super) pods: Vec<Pod>,
    /// The pods of each node, in the order in which they were bound.
    pub(super) on_node: Vec<Vec<PodIndex>>,
    pub(super) counters: Counters,
    pub(super) nominations: Nominations,
    /// How many bound pods have each priority.
    priorities: BTreeMap<i32, u32>,
    /// By class; looked up, never walked through.
    pub(super) standings: HashMap<usize, Remembered, FixedState>,
    pub(super) scratch: super::attempt::Scratch,
}

impl Cluster {
    /// An empty cluster. The seed decides ties alone.
    #[must_use]
    pub fn new(profile: Profile, seed: u64) -> Self {
        Self {
            profile,
            random: Pcg64::new(u128::from(seed), u128::from(TIE_STREAM)),
            next_start: 0,
            nodes: Nodes::default(),
            tree: NodeTree::default(),
            by_name: HashMap::default(),
            classes: Vec::new(),
            by_spec: HashMap::default(),
            shapes: Shapes::default(),
            verdicts: NodeVerdicts::default(),
            pods: Vec::new(),
            on_node: Vec::new(),
            counters: Counters::default(),
            nominations: Nominations::default(),
            priorities: BTreeMap::new(),
            standings: HashMap::default(),
            scratch: super::attempt::Scratch::default(),
        }
    }

    /// A node comes.
    ///
    /// # Errors
    /// Where one of its name is there.
    pub fn add_node(&mut self, spec: NodeSpec) -> Result<NodeIndex, NodeExists> {
        if self.by_name.contains_key(&spec.name) {
            return Err(NodeExists(spec.name));
        }
        let index = NodeIndex(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.by_name.insert(spec.name.clone(), index);
        self.tree.add(index.0, &spec.labels);
        let slot = self.nodes.add(spec);
        self.counters.add_node(slot, &self.nodes);
        self.on_node.push(Vec::new());
        Ok(index)
    }

    /// A node goes: the pods that were on it, in the order in which they were bound, bound no more.
    pub fn remove_node(&mut self, node: NodeIndex) -> Vec<PodIndex> {
        if !self.nodes.is_there[node.get()] {
            return Vec::new();
        }
        let stranded = self.on_node[node.get()].clone();
        for pod in &stranded {
            self.unbind(*pod);
        }
        let spec = &self.nodes.specs[node.get()];
        self.by_name.remove(&spec.name);
        self.tree.remove(node.0, &spec.labels);
        self.nodes.remove(node.get());
        self.counters.remove_node(node.get());
        self.nominations.forget_node(node);
        stranded
    }

    /// Cordons a node, or ends that. As the scheduler sees `spec.unschedulable`: the taint that a node controller adds is
    /// added by [`Self::set_taints`].
    pub fn set_unschedulable(&mut self, node: NodeIndex, unschedulable: bool) {
        self.nodes.set_unschedulable(node.get(), unschedulable);
    }

    /// Changes the taints of a node.
    pub fn set_taints(&mut self, node: NodeIndex, taints: Vec<Taint>) {
        self.nodes.set_taints(node.get(), taints);
        self.counters.taints_changed();
    }

    /// Changes the labels of a node.
    pub fn set_labels(&mut self, node: NodeIndex, labels: Labels) {
        let before = self.nodes.set_labels(node.get(), labels);
        let after = &self.nodes.specs[node.get()].labels;
        self.tree.relabel(node.0, &before, after);
        self.counters.labels_changed(node.get(), after);
    }

    /// A pod comes, to wait.
    pub fn add_pod(&mut self, spec: &PodSpec) -> PodIndex {
        let class = self.class(spec);
        self.pods.push(Pod {
            class,
            node: None,
            bound_at_ms: 0,
        });
        PodIndex(u32::try_from(self.pods.len() - 1).unwrap_or(u32::MAX))
    }

    /// A pod goes, wherever it is: the node that it was on.
    pub fn remove_pod(&mut self, pod: PodIndex) -> Option<NodeIndex> {
        self.nominations.withdraw(pod);
        self.unbind(pod)
    }

    /// Binds a pod to a node at a time; one that was elsewhere moves.
    pub fn bind(&mut self, pod: PodIndex, node: NodeIndex, now_ms: u64) {
        self.unbind(pod);
        self.nominations.withdraw(pod);
        self.pods[pod.get()].node = Some(node);
        self.pods[pod.get()].bound_at_ms = now_ms;
        self.on_node[node.get()].push(pod);
        *self.priorities.entry(self.priority(pod)).or_insert(0) += 1;
        self.load(pod, node, 1);
    }

    /// Takes a pod off its node, if it is on one: that node.
    pub fn unbind(&mut self, pod: PodIndex) -> Option<NodeIndex> {
        let node = self.pods[pod.get()].node.take()?;
        self.on_node[node.get()].retain(|other| *other != pod);
        let priority = self.priority(pod);
        if let Some(pods) = self.priorities.get_mut(&priority) {
            *pods -= 1;
            if *pods == 0 {
                self.priorities.remove(&priority);
            }
        }
        self.load(pod, node, -1);
        Some(node)
    }

    /// Whether a pod may evict others, and there are some of lower priority.
    pub(super) fn has_victims(&self, pod: PodIndex) -> bool {
        let policy = self.pod_spec(pod).preemption_policy;
        let least = self.priorities.first_key_value().map(|(priority, _)| *priority);
        self.profile.preemption
            && policy != PreemptionPolicy::Never
            && least.is_some_and(|least| least < self.priority(pod))
    }

    /// Counts a pod on a node, or no more.
    pub(super) fn load(&mut self, pod: PodIndex, node: NodeIndex, sign: i32) {
        let class = &self.classes[self.pods[pod.get()].class as usize];
        let request = self.shapes.request(class.shape);
        self.nodes.load(node.get(), request, sign.into());
        self.counters.count(&class.near.counted_by, node.get(), sign);
    }

    /// The class of a pod.
    pub(super) fn class_of(&self, pod: PodIndex) -> usize {
        self.pods[pod.get()].class as usize
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The node of a name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<NodeIndex> {
        self.by_name.get(name).copied()
    }

    /// What a node says; of one that is gone, what it said last.
    #[must_use]
    pub fn node_spec(&self, node: NodeIndex) -> &NodeSpec {
        &self.nodes.specs[node.get()]
    }

    /// What a pod says, but for its name.
    #[must_use]
    pub fn pod_spec(&self, pod: PodIndex) -> &PodSpec {
        &self.classes[self.class_of(pod)].spec
    }

    /// The node that is being made free for a pod.
    #[must_use]
    pub fn nominated_node(&self, pod: PodIndex) -> Option<NodeIndex> {
        self.nominations.node_of(pod)
    }

    /// The node that a pod is on.
    #[must_use]
    pub fn node_of(&self, pod: PodIndex) -> Option<NodeIndex> {
        self.pods[pod.get()].node
    }

    /// The pods on a node, in the order in which they were bound.
    #[must_use]
    pub fn pods_on(&self, node: NodeIndex) -> &[PodIndex] {
        &self.on_node[node.get()]
    }

    /// How many nodes there are.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.by_name.len()
    }

    /// CPU in thousandths and memory in bytes: what the pods of a node ask for, and what it can allocate.
    #[must_use]
    pub fn load_of(&self, node: NodeIndex) -> [(i64, i64); 2] {
        let slot = node.get();
        [
            (self.nodes.used_cpu[slot], self.nodes.cpu[slot]),
            (self.nodes.used_memory[slot], self.nodes.memory[slot]),
        ]
    }
}
