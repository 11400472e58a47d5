//! Pods that are placed alike, compiled once.
//!
//! Inputs: the specification of a pod. Outputs: a class. Invariant: two pods are of one class exactly where they
//! differ in their names alone.

use super::spec::PodSpec;

/// What is known of pods of one kind.
#[derive(Debug, Clone)]
pub(super) struct PodClass {
    /// One of them, without its name.
    pub spec: PodSpec,
    /// What it asks for, in [`super::resources::Shapes`].
    pub shape: usize,
    /// Its rules about nodes, in [`super::node_verdicts::NodeVerdicts`].
    pub rules: usize,
    /// The only nodes that its rules name, where they do, by name.
    pub named_nodes: Option<Vec<String>>,
}
