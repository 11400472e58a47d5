//! Who places the pods: the schedulers that one run compares.
//!
//! Invariants: each has a name that run files and reports use, and a stream of random numbers, so that none
//! disturbs another; those that are the product with other policies share one stream, so that equal policies
//! place equally. Deliberately absent: how they place (`drive`).

use super::kube::{Profile, Weights};
use crate::model::nearest_word;
use crate::policy::Relaxation;

/// A scheduler of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparator {
    /// kube-scheduler alone.
    KubeDefault,
    /// kube-scheduler with what a careful team writes by hand into its pods.
    HandAffinity,
    /// Any node that fits and is permitted, by chance.
    RandomCompliant,
    /// The nearest node that fits and is permitted.
    NearestFirst,
    /// kube-scheduler with the extender.
    Domicile,
    /// The same, with the permitted regions written into each pod.
    DomicileAffinity,
    /// kube-scheduler with the extender, under the other policies.
    PolicyB,
    /// kube-scheduler with the extender, which refuses nothing.
    ResidencyOff,
    /// kube-scheduler with the extender, which does not refuse by this policy.
    WithoutPolicy(String),
}

/// What the extender does in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extends {
    /// It is not there.
    Nothing,
    /// It filters.
    Filter,
    /// It filters, and of what is left the nearest gets all points.
    Nearest,
    /// It filters and scores as it does in a cluster.
    FilterAndScore,
}

/// Who writes into a pod where it may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AffinityBy {
    /// A careful team: the permitted regions of the fleet, by hand.
    Team,
    /// The admission webhook: what the labels of any permitted node say.
    Webhook,
}

impl Comparator {
    /// Those that a run file may name, in the order of reports.
    pub const NAMED: [Self; 8] = [
        Self::KubeDefault,
        Self::HandAffinity,
        Self::RandomCompliant,
        Self::NearestFirst,
        Self::Domicile,
        Self::DomicileAffinity,
        Self::PolicyB,
        Self::ResidencyOff,
    ];

    /// The name in run files and reports.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::KubeDefault => "kube-default".to_owned(),
            Self::HandAffinity => "hand-affinity".to_owned(),
            Self::RandomCompliant => "random-compliant".to_owned(),
            Self::NearestFirst => "nearest-first".to_owned(),
            Self::Domicile => "domicile".to_owned(),
            Self::DomicileAffinity => "domicile-affinity".to_owned(),
            Self::PolicyB => "policy-b".to_owned(),
            Self::ResidencyOff => "residency-off".to_owned(),
            Self::WithoutPolicy(policy) => format!("without:{policy}"),
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// Where there is no such comparator: a sentence.
    pub fn parse(name: &str) -> Result<Self, String> {
        if let Some(known) = Self::NAMED.into_iter().find(|known| known.id() == name) {
            return Ok(known);
        }
        let names = Self::NAMED.map(|known| known.id());
        Err(match nearest_word(name, names.iter().map(String::as_str)) {
            Some(near) => format!("unknown comparator `{name}`; did you mean `{near}`?"),
            None => format!("unknown comparator `{name}`; there are {}", names.join(", ")),
        })
    }

    /// What it is, in a sentence for a report.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::KubeDefault => "kube-scheduler alone".to_owned(),
            Self::HandAffinity => {
                "kube-scheduler alone; each pod requires the regions that the policies permit \
                when it is made, as a careful team writes by hand"
                    .to_owned()
            }
            Self::RandomCompliant => "any node that fits and is permitted, by chance".to_owned(),
            Self::NearestFirst => "the nearest node that fits and is permitted, however full".to_owned(),
            Self::Domicile => "kube-scheduler with the extender".to_owned(),
            Self::DomicileAffinity => {
                "kube-scheduler with the extender; each pod carries the node affinity that \
                the admission webhook writes when it is made"
                    .to_owned()
            }
            Self::PolicyB => "kube-scheduler with the extender, under policies B".to_owned(),
            Self::ResidencyOff => {
                "kube-scheduler with the extender, which refuses nothing and scores latency".to_owned()
            }
            Self::WithoutPolicy(policy) => {
                format!("kube-scheduler with the extender, where `{policy}` is only recorded")
            }
        }
    }

    /// What the extender does.
    #[must_use]
    pub fn extends(&self) -> Extends {
        match self {
            Self::KubeDefault | Self::HandAffinity => Extends::Nothing,
            Self::RandomCompliant => Extends::Filter,
            Self::NearestFirst => Extends::Nearest,
            Self::Domicile
            | Self::DomicileAffinity
            | Self::PolicyB
            | Self::ResidencyOff
            | Self::WithoutPolicy(_) => Extends::FilterAndScore,
        }
    }

    /// Who writes into each pod, when it is made, where it may go.
    #[must_use]
    pub fn writes_affinity(&self) -> Option<AffinityBy> {
        match self {
            Self::HandAffinity => Some(AffinityBy::Team),
            Self::DomicileAffinity => Some(AffinityBy::Webhook),
            _ => None,
        }
    }

    /// What the policies only record, of which violations are counted all the same.
    #[must_use]
    pub fn relaxation(&self) -> Option<Relaxation> {
        match self {
            Self::ResidencyOff => Some(Relaxation::Everything),
            Self::WithoutPolicy(policy) => Some(Relaxation::Policy(policy.clone())),
            _ => None,
        }
    }

    /// How kube-scheduler is configured, from what the run file says.
    #[must_use]
    pub fn profile(&self, configured: &Profile) -> Profile {
        let extender_weight = match self.extends() {
            Extends::Filter => 0,
            Extends::Nearest => 1,
            Extends::Nothing | Extends::FilterAndScore => return configured.clone(),
        };
        Profile {
            // Nothing but the extender decides, of all nodes.
            percentage_of_nodes_to_score: Some(100),
            weights: Weights {
                taint_toleration: 0,
                node_affinity: 0,
                pod_topology_spread: 0,
                inter_pod_affinity: 0,
                node_resources_fit: 0,
                balanced_allocation: 0,
            },
            extender_weight,
            ..configured.clone()
        }
    }

    /// The seed of its random choices.
    #[must_use]
    pub fn seed(&self, seed: u64) -> u64 {
        let stream: u64 = match self {
            Self::KubeDefault => 1,
            Self::HandAffinity => 2,
            Self::RandomCompliant => 3,
            Self::NearestFirst => 4,
            Self::DomicileAffinity => 5,
            Self::Domicile | Self::PolicyB | Self::ResidencyOff | Self::WithoutPolicy(_) => 6,
        };
        // The step of SplitMix64 (Steele et al. 2014) keeps neighbouring seeds and streams apart.
        let mixed = (seed ^ stream.rotate_left(48)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_read_back_and_a_wrong_one_is_answered() {
        for comparator in Comparator::NAMED {
            assert_eq!(Comparator::parse(&comparator.id()), Ok(comparator));
        }
        let near = Comparator::parse("kube-defualt").expect_err("no such name");
        assert!(near.contains("did you mean `kube-default`"), "{near}");
    }

    #[test]
    fn comparators_do_not_share_random_numbers_unless_they_are_the_product() {
        let seeds: BTreeSet<u64> = Comparator::NAMED
            .iter()
            .map(|comparator| comparator.seed(42))
            .collect();
        assert_eq!(seeds.len(), 6);
        assert_eq!(Comparator::PolicyB.seed(42), Comparator::Domicile.seed(42));
        assert_ne!(Comparator::Domicile.seed(42), Comparator::Domicile.seed(43));
    }
}
