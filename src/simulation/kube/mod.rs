//! A model of kube-scheduler 1.36: one pod at a time, on nodes that are columns of numbers.
//!
//! Inputs: nodes and pods in Kubernetes' own words ([`spec`]), a [`Profile`], an [`Extender`] that is asked after
//! sampling, and the time as a number. Outputs: an [`Attempt`] per pod: the node, or who turned the pod away from how many
//! nodes and whom to evict. Invariants: the Go source of kubernetes 1.36.3 is the authority, and each file names the
//! functions that it follows; integers and floating point operations are Go's, in Go's order; the same calls give the
//! same answers on any machine (one seed, no clock, no order of a hash map); nothing is allocated per
//! node. What is modelled and what is deliberately absent: [`MODELLED`] and [`NOT_MODELLED`], which reports quote.
//!
//! How it is fast: equal pods share a class; what plugins say of a node alone is kept per set of rules, what its resources
//! are worth per request, and both are computed again only for nodes that changed; pods near each other are
//! counted per selector and label when they come and go, never when a pod is placed.

mod attempt;
mod beside;
mod causes;
mod change_log;
mod class;
mod cluster;
mod extender;
mod fidelity;
mod flushes;
mod hints;
mod logarithm;
mod near;
mod node_scores;
mod node_tree;
mod node_verdicts;
mod nodes;
mod nominations;
mod parked;
mod pod_affinity;
mod preemption;
mod profile;
mod quantity;
mod queue;
mod resources;
mod selection;
pub mod spec;
mod spread;
mod standing;
mod verdict;
mod waiting;

pub use attempt::{Attempt, Chosen, Nomination, Unschedulable};
pub use beside::{HardSpread, Hindrance, SpreadDomain};
pub use causes::{Causes, Rejector};
pub use cluster::{Cluster, NodeExists};
pub use extender::{Candidate, Extender, Opinion, Question, Reply};
pub use fidelity::{MODELLED, NOT_MODELLED};
pub use parked::Alike;
pub use profile::{DefaultSpread, Profile, Weights};
pub use quantity::{InvalidQuantity, Quantity};
pub use queue::{ClusterEvent, Crowd, Queue, QueueSettings, Recurring};
pub use standing::Standing;

/// A node of a cluster, by the order in which it came; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(u32);

/// A pod of a cluster, by the order in which it came; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodIndex(u32);

impl NodeIndex {
    /// Its place in a list of all nodes that ever came.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl PodIndex {
    /// Its place in a list of all pods that ever came.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}
