//! What a policy set, a fleet and what runs on it have to say about each other: L09, L12 and L15
//! (docs/policies.md, 4).
//!
//! Inputs: a snapshot, the pods of the fleet file, an instant. Outputs: findings, at the policy or data set
//! where they have one, else at the fleet file as a whole. Invariants: every verdict is one of
//! [`evaluate`](crate::policy::evaluate); pods that fare alike are one finding. Deliberately absent: pods
//! that nothing governs, and what kube-scheduler looks at (capacity, taints).

mod coverage;
mod reach;
mod rules;
mod workloads;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{ContradictingProviders, DataSetName, NodeName, PodRequirements};
use crate::policy::{Finding, Level, Position, lint_nodes};
use crate::snapshot::Snapshot;

/// A fleet that is to be linted.
#[derive(Debug, Clone, Copy)]
pub struct LintedFleet<'a> {
    /// The fleet with its policies and data sets.
    pub snapshot: &'a Snapshot,
    /// What runs on it, or wants to.
    pub pods: &'a [PodRequirements],
    /// Nodes that name two providers.
    pub contradicting_providers: &'a BTreeMap<NodeName, ContradictingProviders>,
    /// Where data sets are written.
    pub data_sets_written_at: &'a BTreeMap<DataSetName, Position>,
    /// The name of the fleet file.
    pub file: &'a str,
    /// The instant.
    pub at: Timestamp,
}

/// Lints a fleet.
#[must_use]
pub fn lint_fleet(fleet: &LintedFleet<'_>) -> Vec<Finding> {
    let snapshot = fleet.snapshot;
    let mut findings = lint_nodes(
        snapshot.policies(),
        &snapshot.fleet().nodes,
        fleet.contradicting_providers,
        fleet.file,
    );
    findings.extend(fleet.uncovered_data());
    // Without nodes nothing is permitted anywhere, which is no news of any policy.
    if snapshot.node_count() > 0 {
        findings.extend(fleet.policies_without_places());
        findings.extend(fleet.data_sets_without_places());
        findings.extend(fleet.workloads_without_places());
    }
    findings.sort();
    findings
}

impl LintedFleet<'_> {
    /// A finding about the fleet file as a whole.
    fn finding(&self, code: &'static str, level: Level, sentence: String, fix: Option<String>) -> Finding {
        let position = Position {
            file: self.file.to_owned(),
            ..Position::default()
        };
        Finding {
            level,
            ..Finding::error(code, position, sentence).with_fix(fix)
        }
    }
}

/// The name of a pod for people.
fn pod_name(pod: &PodRequirements) -> &str {
    if pod.name.is_empty() {
        "(unnamed)"
    } else {
        &pod.name
    }
}
