//! PodTopologySpread: which nodes its rules rule out, and what its wishes are worth.
//!
//! Inputs: counters, the spread constraints of a class, nodes. Outputs: verdicts, and what is added to scores. Source:
//! `plugins/podtopologyspread/{filtering,scoring}.go` of kubernetes 1.36.3. Invariant: floating point operations are Go's, in
//! its order.
#![expect(
    clippy::indexing_slicing,
    reason = "scratch lists grow with the domains and the constraints before they are read"
)]

use super::NodeIndex;
use super::logarithm::logarithm;
use super::near::compile::{NearRules, Spread};
use super::near::counters::Counters;
use super::near::topology::NOWHERE;
use super::resources::MAX_NODE_SCORE;

/// Lists that are used again from attempt to attempt.
#[derive(Debug, Default)]
pub(super) struct SpreadScratch {
    /// The greatest count that each rule lets be before the pod comes.
    limits: Vec<i64>,
    /// Which attempt last saw a domain.
    seen: Vec<u64>,
    attempt: u64,
    /// What each wish multiplies counts by.
    weights: Vec<f64>,
    raw: Vec<i64>,
}

/// A node that lacks a label of some wish is out of the running (`IgnoredNodes`).
const IGNORED: i64 = -1;

/// Why a rule of spread turns a node away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooSkewed {
    /// The node lacks the label: nothing helps.
    NoLabel,
    /// Its domain has too many already.
    Skew,
}

impl SpreadScratch {
    /// Computes the limits of an attempt (`calPreFilterState`, `minMatchNum`).
    pub fn prepare(&mut self, rules: &NearRules, counters: &Counters) {
        self.limits.clear();
        let limits = rules.hard.iter().map(|spread| limit(spread, counters));
        self.limits.extend(limits);
    }

    /// Whether some rule turns a node away (`PodTopologySpread.Filter`).
    pub fn turns_away(&self, rules: &NearRules, counters: &Counters, slot: usize) -> Option<TooSkewed> {
        for (spread, limit) in rules.hard.iter().zip(&self.limits) {
            match counters.at(spread.counter, slot) {
                None => return Some(TooSkewed::NoLabel),
                Some(count) if i64::from(count) > *limit => return Some(TooSkewed::Skew),
                Some(_) => {}
            }
        }
        None
    }

    /// Adds the score of wishes, with the weight of the plugin (`PreScore`, `Score`, `NormalizeScore`).
    pub fn add(
        &mut self,
        scores: &mut [i64],
        feasible: &[NodeIndex],
        rules: &NearRules,
        counters: &Counters,
        plugin_weight: i64,
    ) {
        if rules.soft.is_empty() || plugin_weight == 0 {
            return;
        }
        let is_ignored = |node: &NodeIndex| {
            let lacks = |spread: &Spread| counters.topology.domain(spread.key, node.get()) == NOWHERE;
            rules.soft_needs_all_keys && rules.soft.iter().any(lacks)
        };
        self.raw.clear();
        let marks = feasible
            .iter()
            .map(|node| if is_ignored(node) { IGNORED } else { 0 });
        self.raw.extend(marks);
        self.weigh(feasible, rules, counters);
        let (mut least, mut most) = (i64::MAX, 0);
        for (raw, node) in self
            .raw
            .iter_mut()
            .zip(feasible)
            .filter(|(raw, _)| **raw != IGNORED)
        {
            let mut sum = 0.0;
            for (spread, weight) in rules.soft.iter().zip(&self.weights) {
                if counters.topology.domain(spread.key, node.get()) != NOWHERE {
                    let count = counters.at(spread.counter, node.get()).unwrap_or(0);
                    // Each operation rounds, as in `scoreForCount`.
                    let weighted = f64::from(count) * weight;
                    sum += weighted + f64::from(spread.max_skew - 1);
                }
            }
            *raw = sum.round() as i64;
            least = least.min(*raw);
            most = most.max(*raw);
        }
        for (score, raw) in scores.iter_mut().zip(&self.raw) {
            let normalized = match (*raw, most) {
                (IGNORED, _) => 0,
                (_, 0) => MAX_NODE_SCORE,
                (raw, most) => MAX_NODE_SCORE * (most + least - raw) / most,
            };
            *score += normalized * plugin_weight;
        }
    }

    /// The weight of each wish: the logarithm of its number of domains and two (`initPreScoreState`).
    fn weigh(&mut self, feasible: &[NodeIndex], rules: &NearRules, counters: &Counters) {
        self.weights.clear();
        let scored = self.raw.iter().filter(|raw| **raw != IGNORED).count();
        for spread in &rules.soft {
            let domains = if spread.is_per_node {
                scored
            } else {
                let key = counters.topology.key(spread.key);
                self.attempt += 1;
                self.seen.resize(self.seen.len().max(key.domains + 1), 0);
                let mut domains = 0;
                for (node, _) in feasible.iter().zip(&self.raw).filter(|(_, raw)| **raw != IGNORED) {
                    // Nodes without the label are one domain more, without a name.
                    let domain = (key.domain[node.get()] as usize).min(key.domains);
                    domains += usize::from(self.seen[domain] != self.attempt);
                    self.seen[domain] = self.attempt;
                }
                domains
            };
            self.weights
                .push(logarithm(u32::try_from(domains + 2).unwrap_or(u32::MAX)));
        }
    }
}

/// `matchNum + selfMatchNum - minMatchNum <= maxSkew`, turned around.
fn limit(spread: &Spread, counters: &Counters) -> i64 {
    let (least, domains) = counters.least(spread.counter);
    let has_too_few = i64::try_from(domains).is_ok_and(|domains| domains < i64::from(spread.min_domains));
    let least = if has_too_few { 0 } else { least };
    i64::from(spread.max_skew) + i64::from(least) - i64::from(spread.counts_itself)
}

#[cfg(test)]
#[path = "spread_tests.rs"]
mod tests;
