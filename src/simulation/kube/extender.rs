//! What the model asks an extender, and what it may answer.
//!
//! Inputs and outputs: positions in a list of candidates. Invariants: the filter is asked after sampling, with the
//! nodes that the plugins passed; scores are asked for only where two nodes or more are left; a candidate of
//! which nothing is said is refused, or scores nothing. Source: EXTENDER/v1 of kubernetes 1.36 (`extender.go`,
//! `findNodesThatPassExtenders`, `prioritizeNodes`, `callExtenders`).

use super::{NodeIndex, PodIndex};

/// What an extender says of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Opinion {
    /// The pod may go there.
    Pass,
    /// Not now (`FailedNodes`): evicting pods may help.
    Refused,
    /// Not at all (`FailedAndUnresolvableNodes`, or left out of the answer).
    #[default]
    RefusedForGood,
}

/// A node that would take the pod if these others were evicted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The node.
    pub node: NodeIndex,
    /// Whom to evict, the most important first; never empty.
    pub victims: Vec<PodIndex>,
}

/// What is asked. The answer goes into the lists, which have one entry per candidate.
#[derive(Debug)]
pub enum Question<'a> {
    /// Which of these nodes the pod may go to.
    Filter {
        /// The sample.
        candidates: &'a [NodeIndex],
        /// [`Opinion::RefusedForGood`] before the answer.
        opinions: &'a mut [Opinion],
    },
    /// What these nodes are worth, 0 to 10.
    Prioritize {
        /// The survivors, two or more.
        candidates: &'a [NodeIndex],
        /// 0 before the answer.
        scores: &'a mut [u8],
    },
    /// Which of these nodes may be kept as places to preempt.
    Preempt {
        /// The nodes and their victims.
        candidates: &'a [Candidate],
        /// False before the answer.
        kept: &'a mut [bool],
    },
}

/// Whether the extender answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The lists hold its answer.
    Answered,
    /// It failed, or said `Error`.
    Failed,
}

/// An extender: asked about a pod, it fills in the answer.
pub type Extender<'a> = dyn FnMut(PodIndex, Question<'_>) -> Reply + 'a;
