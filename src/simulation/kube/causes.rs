//! Why a pod was turned away from nodes, in numbers of nodes.
//!
//! Inputs: what the plugins and the extender said of each node looked at. Outputs: counts that add up to the nodes
//! looked at. Invariant: each node counts for the first that turned it away, as in kube-scheduler.

use serde::{Deserialize, Serialize};

/// Who turns nodes away, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the name of a plugin")]
#[repr(u8)]
pub enum Rejector {
    NodeUnschedulable,
    NodeName,
    TaintToleration,
    NodeAffinity,
    NodeResourcesFit,
    PodTopologySpread,
    InterPodAffinity,
    /// The extender.
    Extender,
}

impl Rejector {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::NodeUnschedulable,
        Self::NodeName,
        Self::TaintToleration,
        Self::NodeAffinity,
        Self::NodeResourcesFit,
        Self::PodTopologySpread,
        Self::InterPodAffinity,
        Self::Extender,
    ];

    /// Its name, as in the `plugin` label of kube-scheduler's metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NodeUnschedulable => "NodeUnschedulable",
            Self::NodeName => "NodeName",
            Self::TaintToleration => "TaintToleration",
            Self::NodeAffinity => "NodeAffinity",
            Self::NodeResourcesFit => "NodeResourcesFit",
            Self::PodTopologySpread => "PodTopologySpread",
            Self::InterPodAffinity => "InterPodAffinity",
            Self::Extender => "Extender",
        }
    }
}

/// How many nodes each turned away in one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Causes {
    /// Nodes of the cluster.
    pub nodes: u32,
    /// Nodes that were looked at before the search ended.
    pub looked_at: u32,
    /// Nodes on which the plugins let the pod: the sample that the extender was given.
    pub feasible: u32,
    counts: [u32; Rejector::ALL.len()],
}

impl Causes {
    /// Nobody asked yet, of so many nodes.
    pub(super) fn of_nodes(nodes: usize) -> Self {
        Self {
            nodes: u32::try_from(nodes).unwrap_or(u32::MAX),
            ..Self::default()
        }
    }

    /// One node was turned away.
    pub(super) fn count(&mut self, rejector: Rejector) {
        if let Some(count) = self.counts.get_mut(rejector as usize) {
            *count += 1;
        }
    }

    /// Nodes that one turned away.
    #[must_use]
    pub fn of(&self, rejector: Rejector) -> u32 {
        self.counts.get(rejector as usize).copied().unwrap_or(0)
    }

    /// Who turned nodes away, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (Rejector, u32)> {
        let all = Rejector::ALL.into_iter().zip(self.counts);
        all.filter(|(_, count)| *count > 0)
    }

    /// Whether the extender removed the whole sample while nodes were left that nobody looked at: what it
    /// permits may be among them.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.feasible > 0 && self.of(Rejector::Extender) == self.feasible && self.looked_at < self.nodes
    }
}
