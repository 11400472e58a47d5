//! Which of the nodes where preemption would help may be kept as candidates.
//!
//! kube-scheduler dry-runs preemption with its own plugins alone, so without this call it evicts pods on
//! nodes that the filter then refuses (docs/kube-scheduler.md).

use super::assessment::Assessment;
use crate::snapshot::ClassIndex;

/// Whether a candidate stays: the policies let the pod run there, and there is somebody to evict. A
/// candidate without victims failed only by the extender, and evicting nobody would cure nothing.
#[must_use]
pub fn keeps_candidate(assessment: &Assessment<'_>, class: Option<ClassIndex>, victims: usize) -> bool {
    victims > 0 && assessment.passes(class)
}
