//! The settings of a set.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::PlaceTerm;
use crate::model::{Classification, NamespaceName, RoleLabels, Statistic};

/// The least age that a fact with a date can have.
const LEAST_AGE_OF_A_REGION: SignedDuration = SignedDuration::from_hours(24);

/// Which statement of a node is its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionKeyTrust {
    /// Its topology label.
    Topology,
    /// Its providerID, which a label must not contradict.
    ProviderId,
    /// Its topology label; for data of this classification and above only where a label that kubelets
    /// cannot set says the same.
    NodeRestriction {
        /// The least classification that asks for it.
        from: Classification,
    },
}

/// What becomes of a pod about whose data nobody says anything.
#[derive(Debug, Clone)]
pub enum Unlabelled {
    /// It runs anywhere.
    Allow,
    /// It runs nowhere.
    Deny,
    /// It runs in these places.
    ConfineTo(Vec<PlaceTerm>),
}

/// What latency has to be to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LatencySettings {
    /// Which round trip of all that were timed decides.
    pub statistic: Statistic,
    /// Whether a place is refused from which an access of a pod is not measured.
    pub require_measured: bool,
}

/// The settings of a set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether anything at all is refused.
    pub observe: bool,
    /// Whether data that no policy covers may run.
    pub uncovered_is_allowed: bool,
    /// What becomes of a pod about whose data nobody says anything.
    pub unlabelled: Unlabelled,
    /// Namespaces that assert nothing.
    pub exempt_namespaces: BTreeSet<NamespaceName>,
    /// Who belongs to which team.
    pub teams: BTreeMap<String, Vec<String>>,
    /// Which statement of a node is its region.
    pub region_key: RegionKeyTrust,
    /// How old facts may be, by the least classification that asks for it. An age of less than a day is for
    /// what the cluster confirms alone: the catalogue dates its facts by the day.
    pub max_fact_age: BTreeMap<Classification, SignedDuration>,
    /// What latency has to be to count.
    pub latency: LatencySettings,
    /// Which labels of pods tell the role of the copies that they hold.
    pub role_labels: RoleLabels,
}

impl Settings {
    /// How old the facts of a region may be for data of a classification: an age applies to its classification
    /// and above, and data of which nobody says how sensitive it is takes the strictest (docs/policies.md, 3).
    #[must_use]
    pub fn max_fact_age(&self, classification: Option<Classification>) -> Option<SignedDuration> {
        let ages = self.ages_for(classification);
        ages.filter(|age| *age >= LEAST_AGE_OF_A_REGION).min()
    }

    /// How long ago the cluster may have confirmed its objects, for data of a classification.
    #[must_use]
    pub fn max_cluster_age(&self, classification: Option<Classification>) -> Option<SignedDuration> {
        self.ages_for(classification).min()
    }

    /// The ages that apply to the facts of regions, whatever the data.
    pub fn ages_of_regions(&self) -> impl Iterator<Item = SignedDuration> {
        let ages = self.max_fact_age.values().copied();
        ages.filter(|age| *age >= LEAST_AGE_OF_A_REGION)
    }

    fn ages_for(&self, classification: Option<Classification>) -> impl Iterator<Item = SignedDuration> {
        let ages = self.max_fact_age.iter();
        let applies = ages.filter(move |(from, _)| classification.is_none_or(|of_data| of_data >= **from));
        applies.map(|(_, age)| *age)
    }

    /// Whether data of a classification may only be where the region of a node is confirmed.
    #[must_use]
    pub fn needs_confirmed_region(&self, classification: Option<Classification>) -> bool {
        match self.region_key {
            RegionKeyTrust::NodeRestriction { from } => classification.is_none_or(|of_data| of_data >= from),
            RegionKeyTrust::Topology | RegionKeyTrust::ProviderId => false,
        }
    }
}
