//! Pods counted by selector and by label of nodes, as they come and go: what spread and affinity read.
//!
//! Inputs: nodes, classes of pods, pods that are bound and unbound. Outputs: counts per domain. Invariants: a count is
//! what a walk over all pods would find; equal selectors share a counter; placing a pod counts nothing.

pub(super) mod compile;
pub(super) mod counters;
pub(super) mod topology;

#[cfg(test)]
#[path = "../near_tests.rs"]
mod tests;
