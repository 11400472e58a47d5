//! A copy that was found in the cluster, as people and programs read it: its volume, the pod that holds it, whether that
//! can answer.

use serde::Serialize;

use crate::model::{CopyHealth, FoundCopy};
use crate::placement::UNREADY_MS;

/// What was found of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundReplica {
    /// The volume that it is on.
    pub volume: String,
    /// `namespace/claim` that the volume is bound to.
    pub claim: String,
    /// The pod that holds it.
    pub pod: Option<String>,
    /// The number of the pod among those of its controller.
    pub ordinal: Option<u32>,
    /// `ready`, `not-ready`, or `unheld` where no pod that runs holds it.
    pub health: &'static str,
    /// Whether it is declared too.
    pub declared: bool,
    /// Whether rules take notice of it: who says that it is there is believed, or it is declared.
    pub counts_for_rules: bool,
}

impl FoundReplica {
    /// Describes a copy.
    #[must_use]
    pub fn new(found: &FoundCopy) -> Self {
        Self {
            volume: found.volume.to_string(),
            claim: format!("{}/{}", found.claim.namespace, found.claim.name),
            pod: found.pod.as_deref().map(str::to_owned),
            ordinal: found.ordinal,
            health: found.health.word(),
            declared: found.is_declared,
            counts_for_rules: found.is_declared || found.is_believed,
        }
    }

    /// What holds it and whether that can answer, as what follows a place.
    #[must_use]
    pub fn in_words(&self) -> String {
        let by = match &self.pod {
            Some(pod) => format!("pod `{pod}`"),
            None => format!("volume `{}`", self.volume),
        };
        match self.health {
            health if health == CopyHealth::Ready.word() => format!(" ({by})"),
            health if health == CopyHealth::Unheld.word() => {
                format!(" ({by} that no pod holds: it counts {UNREADY_MS} ms more)")
            }
            _ => format!(" ({by} that is not ready: it counts {UNREADY_MS} ms more)"),
        }
    }
}
