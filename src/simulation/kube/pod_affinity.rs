//! InterPodAffinity: which nodes required terms rule out, and what preferred ones are worth.
//!
//! Inputs: counters, the rules of a class about other pods and theirs about it, nodes. Outputs: verdicts, and what is added to
//! scores. Source: `plugins/interpodaffinity/{filtering,scoring}.go` of kubernetes 1.36.3. Invariant: the arithmetic of
//! the normalization is Go's.

use super::NodeIndex;
use super::near::compile::NearRules;
use super::near::counters::Counters;
use super::profile::Profile;
use super::resources::MAX_NODE_SCORE;

/// Why other pods turn a node away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrongCompany {
    /// None is there that must be: evicting does not help.
    Missed,
    /// Some are there that must not be, or that will not have the pod.
    Unwanted,
}

/// Whether required terms turn a node away (`InterPodAffinity.Filter`).
pub(super) fn turns_away(rules: &NearRules, counters: &Counters, slot: usize) -> Option<WrongCompany> {
    let is_anyone_there = |counter: &usize| counters.at(*counter, slot).is_some_and(|count| count > 0);
    if !meets_affinity(rules, counters, slot) {
        return Some(WrongCompany::Missed);
    }
    let is_unwanted =
        rules.anti_affinity.iter().any(is_anyone_there) || rules.kept_away_by.iter().any(is_anyone_there);
    is_unwanted.then_some(WrongCompany::Unwanted)
}

/// `satisfyPodAffinity`: pods that meet all terms are there by each key; or there are none anywhere, and the pod, the
/// first of its kind, meets its own terms.
fn meets_affinity(rules: &NearRules, counters: &Counters, slot: usize) -> bool {
    let mut are_there = true;
    for counter in &rules.affinity {
        match counters.at(*counter, slot) {
            None => return false,
            Some(count) => are_there &= count > 0,
        }
    }
    are_there
        || (rules.meets_itself
            && rules
                .affinity
                .iter()
                .all(|counter| total(counters, *counter) == 0))
}

fn total(counters: &Counters, counter: usize) -> i64 {
    counters.all.get(counter).map_or(0, |counter| counter.total)
}

/// Adds the score of preferred terms, its own and those of running pods, with the weight of the plugin
/// (`PreScore`, `Score`, `NormalizeScore`). `raw` is a list that is used again.
pub(super) fn add(
    raw: &mut Vec<i64>,
    scores: &mut [i64],
    feasible: &[NodeIndex],
    rules: &NearRules,
    counters: &Counters,
    profile: &Profile,
) {
    let weight = i64::from(profile.weights.inter_pod_affinity);
    let of_others = if profile.ignore_preferred_terms_of_existing_pods && rules.wishes.is_empty() {
        &[][..]
    } else {
        &rules.wished_by
    };
    let terms = || rules.wishes.iter().chain(of_others);
    let matter = |(counter, _): &&(usize, i64)| total(counters, *counter) > 0;
    if weight == 0 || !terms().any(|term| matter(&term)) {
        return;
    }
    raw.clear();
    raw.resize(feasible.len(), 0);
    for (counter, weight) in terms().filter(matter) {
        for (raw, node) in raw.iter_mut().zip(feasible) {
            *raw += weight * i64::from(counters.at(*counter, node.get()).unwrap_or(0));
        }
    }
    let least = raw.iter().copied().min().unwrap_or(0);
    let difference = raw.iter().copied().max().unwrap_or(0) - least;
    if difference == 0 {
        return;
    }
    for (score, raw) in scores.iter_mut().zip(raw) {
        let share = (*raw - least) as f64 / difference as f64;
        *score += (MAX_NODE_SCORE as f64 * share) as i64 * weight;
    }
}
