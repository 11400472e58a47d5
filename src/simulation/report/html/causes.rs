//! What keeps pods from a node, in words.

use super::figures::count;
use crate::simulation::summary::Unschedulable;

/// A cause with its pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// For the heading of a column.
    pub short: &'static str,
    /// After a number of pods.
    pub long: &'static str,
    /// Pods.
    pub pods: u64,
}

/// All causes, those of the policies first.
#[must_use]
pub fn causes(of: &Unschedulable) -> [Cause; 7] {
    let cause = |short, long, pods| Cause { short, long, pods };
    [
        cause("residency", "are permitted on no node of the fleet", of.residency),
        cause(
            "latency limit",
            "are too far from what they access wherever they are permitted",
            of.latency_limit,
        ),
        cause("partition", "are cut off from what they access", of.partition),
        cause(
            "unknown place",
            "would go to nodes whose place nobody knows",
            of.unknown_place,
        ),
        cause(
            "sampling-blind",
            "may have room on permitted nodes that kube-scheduler never showed the extender",
            of.sampling_blind,
        ),
        cause("no room", "find no room on permitted nodes", of.capacity),
        cause(
            "scheduling rules",
            "are kept from permitted nodes by taints, selectors, affinity or spread",
            of.scheduling_rules,
        ),
    ]
}

/// The causes that there are, with their pods, in a few words.
#[must_use]
pub fn in_short(of: &Unschedulable) -> String {
    let there = causes(of).into_iter().filter(|cause| cause.pods > 0);
    let words: Vec<String> = there
        .map(|cause| format!("{} {}", count(cause.pods), cause.short))
        .collect();
    words.join(", ")
}
