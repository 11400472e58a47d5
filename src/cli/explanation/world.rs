//! What every explanation begins with: which world, which instant, which pod.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::PodRequirements;
use crate::snapshot::Snapshot;

/// The world and the instant of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct World {
    /// The id of the snapshot.
    pub snapshot: String,
    /// The hash of the policy files.
    pub policy_set: String,
    /// The instant.
    pub at: String,
    /// Whether the settings only observe, so that nothing is refused.
    pub observes: bool,
}

/// Which pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PodName {
    /// Its namespace.
    pub namespace: String,
    /// Its name; empty where it has none yet.
    pub name: String,
}

impl World {
    /// Describes a snapshot at an instant.
    #[must_use]
    pub fn new(snapshot: &Snapshot, at: Timestamp) -> Self {
        Self {
            snapshot: snapshot.id().to_owned(),
            policy_set: snapshot.policies().digest().to_owned(),
            at: at.to_string(),
            observes: snapshot.policies().settings().observe,
        }
    }
}

impl PodName {
    /// Names a pod.
    #[must_use]
    pub fn new(pod: &PodRequirements) -> Self {
        Self {
            namespace: pod.namespace.as_str().to_owned(),
            name: pod.name.clone(),
        }
    }
}

impl std::fmt::Display for PodName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = if self.name.is_empty() {
            "(unnamed)"
        } else {
            &self.name
        };
        write!(formatter, "{}/{name}", self.namespace)
    }
}
