//! Nodes that are being made free for pods by evicting others.
//!
//! Inputs: nominations and their ends. Outputs: who is to come where. Source: `backend/queue/nominator.go` of kubernetes
//! 1.36.3. Invariant: a pod is nominated to one node at most.

use super::{NodeIndex, PodIndex};

/// Nominations, in the order in which they were made. There are few.
#[derive(Debug, Clone, Default)]
pub(super) struct Nominations(Vec<(PodIndex, NodeIndex)>);

impl Nominations {
    /// Nominates a pod to a node.
    pub fn nominate(&mut self, pod: PodIndex, node: NodeIndex) {
        self.withdraw(pod);
        self.0.push((pod, node));
    }

    /// Ends the nomination of a pod.
    pub fn withdraw(&mut self, pod: PodIndex) {
        self.0.retain(|(nominated, _)| *nominated != pod);
    }

    /// Ends all nominations to a node.
    pub fn forget_node(&mut self, node: NodeIndex) {
        self.0.retain(|(_, nominated)| *nominated != node);
    }

    /// Where a pod is nominated to.
    pub fn node_of(&self, pod: PodIndex) -> Option<NodeIndex> {
        let found = self.0.iter().find(|(nominated, _)| *nominated == pod);
        found.map(|(_, node)| *node)
    }

    /// All nominations.
    pub fn all(&self) -> &[(PodIndex, NodeIndex)] {
        &self.0
    }
}
