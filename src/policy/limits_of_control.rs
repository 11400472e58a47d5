//! What a decision about placement does not decide, in words for people.
//!
//! Every proof and report prints it (docs/policies.md, 3), so that nobody reads more into one than it says.
//! Deliberately absent: what a single report leaves out besides; each says that itself.

/// What no answer of ours speaks of, a phrase each.
pub const LIMITS_OF_CONTROL: [&str; 8] = [
    "pods that no scheduler with Domicile places: `spec.nodeName`, another scheduler, static pods, a direct Binding",
    "pods that already run when a policy changes: nothing evicts them",
    "nodes whose labels change after a pod was bound to them",
    "copies that storage makes by itself, backups, snapshots and images outside Kubernetes, logs",
    "the routes that traffic really takes: what a NetworkLink declares is believed and nothing is measured of it",
    "what the code of a pod sends elsewhere",
    "where the people are who have remote access",
    "whether the catalogue and the labels of the data are true",
];
