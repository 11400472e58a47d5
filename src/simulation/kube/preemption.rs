//! Whom to evict so that a pod that was turned away can come.
//!
//! Inputs: a cluster, a pod, the nodes that turned it away where evicting may help, an extender. Outputs: a node and its
//! victims. Source: `plugins/defaultpreemption` and `framework/preemption` of kubernetes 1.36.3 (`findCandidates`,
//! `SelectVictimsOnNode`, `callExtenders`, `pickOneNodeForPreemption`). Invariants: victims have a lower priority; no victim
//! could stay; the cluster is as it was before. Deliberately absent: disruption budgets, terminating pods, and trying
//! nodes in parallel (a search of candidates ends with as many as it seeks).
#![expect(clippy::indexing_slicing, reason = "pods are handed out by the cluster")]

use std::cmp::Reverse;

use rand::RngExt as _;

use super::attempt::Nomination;
use super::cluster::Cluster;
use super::extender::{Candidate, Extender, Question, Reply};
use super::spread::SpreadScratch;
use super::{NodeIndex, PodIndex};

/// Candidates that are sought: this share of the nodes, in percent, and so many at least
/// (`minCandidateNodesPercentage`, `minCandidateNodesAbsolute`).
const CANDIDATES_PERCENT: usize = 10;
const LEAST_CANDIDATES: usize = 100;

impl Cluster {
    /// Finds a place by evicting others, and nominates the pod to it (`Evaluator.Preempt`).
    pub(super) fn preempt(
        &mut self,
        pod: PodIndex,
        potential: &[NodeIndex],
        spread: &mut SpreadScratch,
        extender: &mut Option<&mut Extender<'_>>,
    ) -> Option<Nomination> {
        let mut candidates = match self.has_victims(pod) {
            true => self.candidates(pod, potential, spread),
            false => Vec::new(),
        };
        if candidates.is_empty() {
            self.nominations.withdraw(pod);
            return None;
        }
        if let Some(ask) = extender {
            let mut kept = vec![false; candidates.len()];
            let question = Question::Preempt {
                candidates: &candidates,
                kept: &mut kept,
            };
            match ask(pod, question) {
                Reply::Answered => {
                    let mut kept = kept.into_iter();
                    candidates.retain(|_| kept.next() == Some(true));
                }
                Reply::Failed if self.profile.extender_ignorable => {}
                Reply::Failed => return None,
            }
        }
        let Candidate { node, victims } = self.cheapest(candidates)?;
        let priority = self.priority(pod);
        let lower: Vec<PodIndex> = (self.nominations.all().iter())
            .filter(|(other, at)| *at == node && self.priority(*other) < priority)
            .map(|(other, _)| *other)
            .collect();
        lower
            .into_iter()
            .for_each(|other| self.nominations.withdraw(other));
        self.nominations.nominate(pod, node);
        Some(Nomination { node, victims })
    }

    /// Nodes that would take the pod without some of their pods (`DryRunPreemption`), from a random one on.
    fn candidates(
        &mut self,
        pod: PodIndex,
        potential: &[NodeIndex],
        spread: &mut SpreadScratch,
    ) -> Vec<Candidate> {
        if potential.is_empty() {
            return Vec::new();
        }
        let sought = (potential.len() * CANDIDATES_PERCENT / 100)
            .max(LEAST_CANDIDATES)
            .min(potential.len());
        let offset = self.random.random_range(0..potential.len());
        let (head, tail) = potential.split_at(offset);
        let mut found = Vec::new();
        for node in tail.iter().chain(head) {
            let victims = self.victims(pod, *node, spread);
            if !victims.is_empty() {
                found.push(Candidate { node: *node, victims });
            }
            if found.len() == sought {
                break;
            }
        }
        found
    }

    /// Whom to evict from a node, the most important first; nobody where that does not help or is not needed
    /// (`SelectVictimsOnNode`).
    fn victims(&mut self, pod: PodIndex, node: NodeIndex, spread: &mut SpreadScratch) -> Vec<PodIndex> {
        let priority = self.priority(pod);
        let on_node = self.on_node[node.get()].iter().copied();
        let mut lower: Vec<PodIndex> = on_node.filter(|other| self.priority(*other) < priority).collect();
        if lower.is_empty() {
            return lower;
        }
        lower.iter().for_each(|other| self.load(*other, node, -1));
        let mut victims = Vec::new();
        if self.judge(pod, node, spread).is_some() {
            lower.iter().for_each(|other| self.load(*other, node, 1));
            return victims;
        }
        // The most important is the first that may stay (`MoreImportantPod`).
        lower.sort_by_key(|other| (Reverse(self.priority(*other)), self.pods[other.get()].bound_at_ms));
        for other in lower {
            self.load(other, node, 1);
            if self.judge(pod, node, spread).is_some() {
                self.load(other, node, -1);
                victims.push(other);
            }
        }
        victims.iter().for_each(|other| self.load(*other, node, 1));
        victims
    }

    /// The candidate whose victims matter least; of equals one at random (`pickOneNodeForPreemption`).
    fn cheapest(&mut self, mut candidates: Vec<Candidate>) -> Option<Candidate> {
        let cost = |candidate: &Candidate| {
            let priorities = || {
                candidate
                    .victims
                    .iter()
                    .map(|victim| i64::from(self.priority(*victim)))
            };
            let greatest = priorities().max().unwrap_or(i64::MIN);
            // Lifted above 0, so that fewer victims of a negative priority are less.
            let sum: i64 = priorities().map(|priority| priority + (1 << 31)).sum();
            let of_greatest = candidate
                .victims
                .iter()
                .filter(|victim| i64::from(self.priority(**victim)) == greatest);
            let earliest_ms = of_greatest
                .map(|victim| self.pods[victim.get()].bound_at_ms)
                .min();
            (greatest, sum, candidate.victims.len(), Reverse(earliest_ms))
        };
        let least = candidates.iter().map(cost).min()?;
        candidates.retain(|candidate| cost(candidate) == least);
        let drawn = self.random.random_range(0..candidates.len().max(1));
        candidates.into_iter().nth(drawn)
    }
}

#[cfg(test)]
#[path = "preemption_tests.rs"]
mod tests;
