//! What the policies cost: each pod with them against the same pod without.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::comparators::{distribution, rising, whole};
use crate::simulation::comparator::Comparator;
use crate::simulation::drive::{Outcome, PodLife, Roster};
use crate::simulation::summary::{ComplianceCost, DataSetCost, Distribution, PolicyAlone, PolicyCost};

/// Pods of two outcomes, pair by pair, of some kinds.
struct Pairs<'a> {
    with: &'a Outcome,
    without: &'a Outcome,
    roster: &'a Roster<'a>,
}

impl Pairs<'_> {
    /// How much more an access costs each pod, and how many have no node only with the policies.
    fn added(&self, of_kind: impl Fn(usize) -> bool) -> (Distribution, u64, u64) {
        let (mut added, mut unplaceable, mut pods) = (Vec::new(), 0, 0);
        let lives = self
            .with
            .lives
            .iter()
            .zip(&self.without.lives)
            .zip(&self.roster.pods);
        for ((with, without), _) in lives.filter(|((with, _), made)| with.counts() && of_kind(made.kind)) {
            pods += 1;
            unplaceable += u64::from(is_without_node(with) && !is_without_node(without));
            added.extend(added_us(without, with));
        }
        (distribution(&rising(added.into_iter())), unplaceable, pods)
    }
}

/// Whether a pod has no node when it ends, or the run does.
pub fn is_without_node(life: &PodLife) -> bool {
    life.node.is_none()
}

/// How much more an access costs a pod after than before, where both are known.
pub fn added_us(before: &PodLife, after: &PodLife) -> Option<i64> {
    let of = |life: &PodLife| life.node.and(life.cost.us()).and_then(whole);
    Some(of(after)? - of(before)?)
}

/// What the policies cost.
pub fn compliance_cost(
    roster: &Roster<'_>,
    with: &Outcome,
    without: &Outcome,
    without_policy: &[(String, Option<Outcome>)],
) -> ComplianceCost {
    let pairs = Pairs {
        with,
        without,
        roster,
    };
    let (added, unplaceable, _) = pairs.added(|_| true);
    let kind = |kind: usize| with.kinds.get(kind);
    let policies: BTreeSet<&String> = with
        .kinds
        .iter()
        .flat_map(|kind| &kind.binding_policies)
        .collect();
    let mut by_policy: Vec<PolicyCost> = policies
        .into_iter()
        .map(|policy| {
            let is_bound = |index| kind(index).is_some_and(|kind| kind.binding_policies.contains(policy));
            let (added, _, pods) = pairs.added(is_bound);
            let driven = without_policy.iter().find(|(left_out, _)| left_out == policy);
            let alone = driven.and_then(|(_, outcome)| outcome.as_ref()).map(|without| {
                let (added, unplaceable, _) = Pairs {
                    with,
                    without,
                    roster,
                }
                .added(|_| true);
                PolicyAlone { added, unplaceable }
            });
            PolicyCost {
                policy: policy.clone(),
                pods,
                added,
                alone,
            }
        })
        .collect();
    // The sort is stable: equals stay in the order of names.
    by_policy.sort_by_key(|policy| {
        let alone = policy.alone.map(|alone| (alone.unplaceable, alone.added.mean_us));
        Reverse(alone)
    });
    let data_sets: BTreeSet<&String> = with.kinds.iter().flat_map(|kind| &kind.data_sets).collect();
    let by_data_set = data_sets.into_iter().map(|data_set| {
        let uses = |index| kind(index).is_some_and(|kind| kind.data_sets.contains(data_set));
        let (added, unplaceable, _) = pairs.added(uses);
        DataSetCost {
            data_set: data_set.clone(),
            added,
            unplaceable,
        }
    });
    ComplianceCost {
        with: Comparator::Domicile.id(),
        without: Comparator::ResidencyOff.id(),
        added,
        unplaceable,
        by_policy,
        by_data_set: by_data_set.collect(),
    }
}
