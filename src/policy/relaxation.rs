//! The same set refusing less, for whoever asks what its refusals cost.
//!
//! Inputs: a compiled set, and what is only to be recorded. Outputs: another set with a digest of its own. Invariants:
//! nothing else differs, so data that was covered stays covered; what is only recorded restricts no place.
//! Deliberately absent: a set that says something new.

use sha2::{Digest as _, Sha256};

use super::definition::Mode;
use super::{PolicySet, epoch};

/// What is only recorded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relaxation {
    /// Everything, as under `mode: observe` of the settings.
    Everything,
    /// One policy, by its name, as under its `mode: audit`.
    Policy(String),
}

impl PolicySet {
    /// The set with this only recorded; `None` where no policy has the name.
    #[must_use]
    pub fn relaxed(&self, relaxation: &Relaxation) -> Option<Self> {
        let mut definitions = self.definitions.clone();
        let told = match relaxation {
            Relaxation::Everything => {
                definitions.settings.observe = true;
                "*"
            }
            Relaxation::Policy(name) => {
                let mut policies = definitions.policies.iter_mut();
                policies.find(|policy| *policy.name == **name)?.mode = Mode::Audit;
                name
            }
        };
        // The same rules and dates, which were not too many.
        let timeline = epoch::epochs(&definitions, &self.catalogue)?;
        let mut hasher = Sha256::new();
        for part in [self.digest.as_str(), told] {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        }
        let digest = hasher.finalize();
        Some(Self {
            digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            definitions,
            catalogue: self.catalogue.clone(),
            data_sets: self.data_sets.clone(),
            epochs: timeline.epochs,
            transit_profiles: timeline.transit_profiles,
            written_at: self.written_at.clone(),
        })
    }
}
