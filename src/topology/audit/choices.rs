//! What a change of latencies does to choices: of three replicas, which is nearest?
//!
//! Inputs: for every region, what each other region took before and takes after. Outputs: for how many
//! choices (a region and three others) the nearest is another one, and what staying with the old one costs.
//! Invariant: every choice is counted, none is sampled. Three replicas in all ways are many (100 million for
//! 160 regions), so they are counted by pairs: who is first before, who is first after, and how many thirds
//! come later in both orders, which is one intersection of two sets of bits.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::model::RegionKey;

/// A region with the milliseconds before and after.
pub(super) type Candidate<'a> = (&'a RegionKey, f64, f64);

/// How many of the choices among three replicas change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReplicaChoices {
    /// How many choices there are: a region, and three others whose latencies are known before and after.
    pub choices: u64,
    /// For how many of them another replica is nearest after than before, and nearer than that one.
    pub changed: u64,
    /// What those cost on average, in milliseconds, where the choice stays what it was.
    pub mean_loss_ms: f64,
    /// The dearest of them.
    pub worst: Option<LostChoice>,
}

/// A choice that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct LostChoice {
    /// The region that reads.
    pub at: RegionKey,
    /// The replica that was nearest.
    pub chosen: RegionKey,
    /// The replica that is.
    pub nearest: RegionKey,
    /// By how many milliseconds it is nearer.
    pub loss_ms: f64,
}

/// The order of the others as one region sees them, before and after.
#[derive(Debug)]
pub(super) struct Orders<'a> {
    candidates: Vec<Candidate<'a>>,
    /// For each candidate, those that come after it, before and after.
    later_before: Vec<Members>,
    later_after: Vec<Members>,
    /// Whether some candidate has another place in the order after than before.
    pub(super) differ: bool,
}

impl<'a> Orders<'a> {
    /// Orders candidates, which come in the order of their keys: by milliseconds, then by key.
    pub(super) fn new(candidates: Vec<Candidate<'a>>) -> Self {
        let before = order(&candidates, |(_, before, _)| *before);
        let after = order(&candidates, |(_, _, after)| *after);
        Self {
            later_before: later(&before),
            later_after: later(&after),
            differ: before != after,
            candidates,
        }
    }

    /// The nearest before and the nearest after, where the one after is nearer than the one before.
    pub(super) fn nearest(&self) -> Option<(Candidate<'a>, Candidate<'a>)> {
        let first = |ms: fn(&Candidate<'a>) -> f64| {
            let least = |one: &&Candidate<'a>, other: &&Candidate<'a>| ms(one).total_cmp(&ms(other));
            self.candidates.iter().min_by(least)
        };
        let (before, after) = (first(|it| it.1)?, first(|it| it.2)?);
        (after.2 < before.2).then_some((*before, *after))
    }
}

/// Counts the choices of all regions.
pub(super) fn replica_choices(regions: &BTreeMap<&RegionKey, Orders<'_>>) -> ReplicaChoices {
    let mut found = ReplicaChoices::default();
    let mut lost_ms = 0.0;
    for (at, orders) in regions {
        found.choices += threes(orders.candidates.len());
        for (chosen, later_before) in orders.candidates.iter().zip(&orders.later_before) {
            for (nearest, later_after) in orders.candidates.iter().zip(&orders.later_after) {
                let loss_ms = chosen.2 - nearest.2;
                // Who is chosen comes first before, and another one is strictly nearer after.
                if loss_ms <= 0.0 || !is_before(chosen, nearest) {
                    continue;
                }
                let thirds = later_before.count_common(later_after);
                if thirds == 0 {
                    continue;
                }
                found.changed += thirds;
                lost_ms += loss_ms * thirds as f64;
                if found.worst.as_ref().is_none_or(|worst| loss_ms > worst.loss_ms) {
                    found.worst = Some(LostChoice {
                        at: (*at).clone(),
                        chosen: chosen.0.clone(),
                        nearest: nearest.0.clone(),
                        loss_ms,
                    });
                }
            }
        }
    }
    if found.changed > 0 {
        found.mean_loss_ms = lost_ms / found.changed as f64;
    }
    found
}

fn is_before(one: &Candidate<'_>, other: &Candidate<'_>) -> bool {
    one.1.total_cmp(&other.1).then_with(|| one.0.cmp(other.0)) == Ordering::Less
}

/// In how many ways three of so many can be taken.
fn threes(of: usize) -> u64 {
    let of = of as u64;
    if of < 3 { 0 } else { of * (of - 1) * (of - 2) / 6 }
}

/// The numbers of candidates, the nearest first.
fn order(candidates: &[Candidate<'_>], ms: impl Fn(&Candidate<'_>) -> f64) -> Vec<usize> {
    let mut order: Vec<(f64, usize)> = candidates.iter().map(ms).zip(0..).collect();
    order.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    order.into_iter().map(|(_, candidate)| candidate).collect()
}

/// For each candidate, those that come after it in an order.
fn later(order: &[usize]) -> Vec<Members> {
    let mut later = vec![Members::none(order.len()); order.len()];
    let mut seen = Members::none(order.len());
    for candidate in order.iter().rev() {
        if let Some(members) = later.get_mut(*candidate) {
            *members = seen.clone();
        }
        seen.insert(*candidate);
    }
    later
}

/// A set of small numbers, a bit for each.
#[derive(Debug, Clone)]
struct Members(Vec<u64>);

impl Members {
    fn none(limit: usize) -> Self {
        Self(vec![0; limit.div_ceil(64)])
    }

    fn insert(&mut self, member: usize) {
        if let Some(word) = self.0.get_mut(member / 64) {
            *word |= 1 << (member % 64);
        }
    }

    fn count_common(&self, other: &Self) -> u64 {
        let common = self.0.iter().zip(&other.0);
        common
            .map(|(one, other)| u64::from((one & other).count_ones()))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same figures by trying every three.
    fn by_trying(regions: &BTreeMap<&RegionKey, Vec<Candidate<'_>>>) -> (u64, u64, f64) {
        let (mut choices, mut changed, mut lost_ms) = (0, 0, 0.0);
        for candidates in regions.values() {
            for first in 0..candidates.len() {
                for second in first + 1..candidates.len() {
                    for third in second + 1..candidates.len() {
                        let three = [first, second, third].map(|it| candidates[it]);
                        let least = |ms: fn(&Candidate<'_>) -> f64| {
                            *three
                                .iter()
                                .min_by(|one, other| ms(one).total_cmp(&ms(other)))
                                .expect("three")
                        };
                        let loss_ms = least(|it| it.1).2 - least(|it| it.2).2;
                        choices += 1;
                        changed += u64::from(loss_ms > 0.0);
                        lost_ms += loss_ms;
                    }
                }
            }
        }
        (choices, changed, lost_ms)
    }

    proptest! {
        #[test]
        fn counting_by_pairs_is_trying_every_three(
            // Few different times, so that there are ties.
            times in prop::collection::vec((0_u8..6, 0_u8..6), 0..12),
            more in prop::collection::vec((0_u8..6, 0_u8..6), 0..5),
        ) {
            let keys: Vec<RegionKey> = (0..20)
                .map(|number| RegionKey::parse(&format!("p/r{number:02}")).expect("a key"))
                .collect();
            let candidates = |times: &[(u8, u8)]| -> Vec<Candidate<'_>> {
                let named = keys.iter().zip(times);
                named.map(|(key, (before, after))| (key, f64::from(*before), f64::from(*after))).collect()
            };
            let plain: BTreeMap<&RegionKey, Vec<Candidate<'_>>> =
                [(&keys[18], candidates(&times)), (&keys[19], candidates(&more))].into();
            let orders = plain.iter().map(|(key, list)| (*key, Orders::new(list.clone()))).collect();
            let found = replica_choices(&orders);
            let (choices, changed, lost_ms) = by_trying(&plain);
            prop_assert_eq!((found.choices, found.changed), (choices, changed));
            prop_assert!((found.mean_loss_ms * changed as f64 - lost_ms).abs() < 1e-9);
            prop_assert_eq!(found.worst.is_some(), changed > 0);
        }
    }
}
