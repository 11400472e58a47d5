//! What an operator chooses about admission.

use std::collections::BTreeSet;

use super::places::Growth;

/// What becomes of a pod that may run nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nowhere {
    /// It is admitted with a warning, and waits until the extender permits it a node.
    #[default]
    Warn,
    /// It is rejected.
    Reject,
}

/// What an operator chooses about admission.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdmissionSettings {
    /// From which providers nodes may still come.
    pub growth: Growth,
    /// What becomes of a pod that may run nowhere.
    pub nowhere: Nowhere,
    /// The scheduler that a governed pod is given which names the default one; `None` leaves it.
    pub scheduler_name: Option<String>,
    /// The schedulers that ask us, which governed pods may name.
    pub schedulers: BTreeSet<String>,
}
