//! One attempt to place one pod: search, sample, ask the extender, score, choose.
//!
//! Inputs: a cluster, a pod, an extender. Outputs: the node, or why there is none. Source: `schedule_one.go` of
//! kubernetes 1.36.3 (`schedulePod`, `findNodesThatPassFilters`, `findNodesThatPassExtenders`, `prioritizeNodes`).
//! Invariants: the search takes nodes in the order of the tree from where the last one ended, and ends when it
//! finds one feasible node more than it seeks; an attempt binds nothing.
#![expect(
    clippy::indexing_slicing,
    reason = "slots come from the tree, and every column has an entry for each"
)]

use rand::RngExt as _;

use super::causes::{Causes, Rejector};
use super::class::PodClass;
use super::cluster::Cluster;
use super::extender::{Extender, Opinion, Question, Reply};
use super::spread::SpreadScratch;
use super::verdict::TurnedAway;
use super::{NodeIndex, PodIndex, node_scores, pod_affinity};

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// A node was chosen; the caller binds.
    Chosen(Chosen),
    /// No node will have the pod.
    Unschedulable(Unschedulable),
    /// The extender failed and may not be passed over: the pod is retried after a back-off.
    Failed(Causes),
}

/// A choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// The node.
    pub node: NodeIndex,
    /// Nodes looked at before the search ended.
    pub looked_at: u32,
    /// Nodes on which the plugins let the pod.
    pub feasible: u32,
    /// Those of them on which the extender did.
    pub survivors: u32,
    /// Nodes with the greatest score, of which one was drawn.
    pub ties: u32,
    /// The greatest score; 0 where a single survivor needed none.
    pub score: i64,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unschedulable {
    /// Who turned the pod away from how many nodes.
    pub causes: Causes,
    /// Where the pod could go if others were evicted.
    pub nominated: Option<Nomination>,
}

/// A place that is to be made by evicting pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nomination {
    /// The node.
    pub node: NodeIndex,
    /// Whom to evict, the most important first.
    pub victims: Vec<PodIndex>,
}

/// Lists that are used again from attempt to attempt.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    feasible: Vec<NodeIndex>,
    opinions: Vec<Opinion>,
    extender_scores: Vec<u8>,
    pub(super) scores: Vec<i64>,
    raw_scores: Vec<i64>,
    pub(super) spread: SpreadScratch,
    /// Nodes where evicting may help.
    evictable: Vec<NodeIndex>,
    /// Nodes that others are to come to, and what the plugins say of them then.
    second_looks: Vec<(u32, Option<TurnedAway>)>,
}

impl Cluster {
    /// Tries to place a pod. Nothing is bound; a pod that is turned away may be nominated.
    pub fn attempt(&mut self, pod: PodIndex, mut extender: Option<&mut Extender<'_>>) -> Attempt {
        let class = self.prepare(pod);
        let mut scratch = std::mem::take(&mut self.scratch);
        let attempt = self.attempt_prepared(pod, class, &mut scratch, &mut extender);
        self.scratch = scratch;
        attempt
    }

    /// Brings what is kept from attempt to attempt up to date for a pod: its class.
    pub(super) fn prepare(&mut self, pod: PodIndex) -> usize {
        let class = self.class_of(pod);
        self.tree.refresh();
        self.recount();
        let PodClass { shape, rules, .. } = self.classes[class];
        self.shapes.refresh(shape, &self.nodes, &self.profile.weights);
        self.verdicts.refresh(rules, &self.nodes);
        class
    }

    /// What each survivor of the last attempt was worth, in the order of the search; nothing where fewer than two
    /// survived, and so none was scored.
    pub fn last_scores(&self) -> impl Iterator<Item = (NodeIndex, i64)> {
        let Scratch { feasible, scores, .. } = &self.scratch;
        feasible.iter().copied().zip(scores.iter().copied())
    }

    fn attempt_prepared(
        &mut self,
        pod: PodIndex,
        class: usize,
        scratch: &mut Scratch,
        extender: &mut Option<&mut Extender<'_>>,
    ) -> Attempt {
        scratch.scores.clear();
        if let Some(chosen) = self.try_nominated(pod, scratch, extender) {
            return Attempt::Chosen(chosen);
        }
        self.look_twice(pod, scratch);
        let mut causes = self.search(class, scratch);
        if self.ask_filter(pod, extender, scratch, &mut causes) == Reply::Failed {
            return Attempt::Failed(causes);
        }
        match scratch.feasible.as_slice() {
            [] => {
                let potential = std::mem::take(&mut scratch.evictable);
                let nominated = self.preempt(pod, &potential, &mut scratch.spread, extender);
                scratch.evictable = potential;
                Attempt::Unschedulable(Unschedulable { causes, nominated })
            }
            [only] => Attempt::Chosen(chosen(&causes, *only, 1, (0, 1))),
            _ => {
                let (node, best) = self.best(pod, class, scratch, extender);
                Attempt::Chosen(chosen(&causes, node, scratch.feasible.len(), best))
            }
        }
    }

    /// Tries the node that is being made free for the pod before all others (`evaluateNominatedNode`).
    fn try_nominated(
        &mut self,
        pod: PodIndex,
        scratch: &mut Scratch,
        extender: &mut Option<&mut Extender<'_>>,
    ) -> Option<Chosen> {
        let node = self.nominations.node_of(pod)?;
        if self.judge(pod, node, &mut scratch.spread).is_some() {
            return None;
        }
        let mut causes = Causes::of_nodes(self.tree.order().len());
        (causes.looked_at, causes.feasible) = (1, 1);
        scratch.feasible.clear();
        scratch.feasible.push(node);
        // A failure here leads to the search, and to its failure.
        let reply = self.ask_filter(pod, extender, scratch, &mut causes);
        let survives = reply == Reply::Answered && scratch.feasible.as_slice() == [node];
        survives.then(|| chosen(&causes, node, 1, (0, 1)))
    }

    /// Judges the nodes that others are to come to, with those others there.
    fn look_twice(&mut self, pod: PodIndex, scratch: &mut Scratch) {
        scratch.second_looks.clear();
        for at in 0..self.nominations.all().len() {
            let (_, node) = self.nominations.all()[at];
            let turned_away = self.judge(pod, node, &mut scratch.spread);
            scratch.second_looks.push((node.0, turned_away));
        }
    }

    /// Looks at nodes until enough are feasible (`findNodesThatPassFilters`).
    fn search(&mut self, class: usize, scratch: &mut Scratch) -> Causes {
        let Scratch {
            feasible,
            evictable,
            spread,
            second_looks,
            ..
        } = scratch;
        feasible.clear();
        evictable.clear();
        let class = &self.classes[class];
        let order = self.tree.order();
        let mut causes = Causes::of_nodes(order.len());
        let named = class.named_nodes.as_ref().map(|names| self.slots_of(names));
        let nodes = named.as_deref().unwrap_or(order);
        let points = self.shapes.points(class.shape);
        let verdicts = self.verdicts.of(class.rules);
        let rejectors = verdicts.any_rejected.then_some(verdicts.rejector.as_slice());
        spread.prepare(&class.near, &self.counters);
        let minds_company = class.near.minds_company();
        let sought = self.profile.feasible_nodes_to_find(nodes.len());
        let start = self.next_start.checked_rem(nodes.len()).unwrap_or(0);
        let (head, tail) = nodes.split_at(start);
        let mut looked_at = 0;
        for slot in tail.iter().chain(head) {
            let index = *slot as usize;
            let mut turned_away = TurnedAway::by_node(rejectors.and_then(|of_nodes| of_nodes[index]));
            if turned_away.is_none() && points[index] < 0 {
                turned_away = TurnedAway::by_resources(points[index]);
            }
            if minds_company && turned_away.is_none() {
                turned_away = TurnedAway::by_pods(&class.near, &self.counters, spread, index);
            }
            if !second_looks.is_empty()
                && let Some((_, second)) = second_looks.iter().find(|(node, _)| node == slot)
            {
                turned_away = *second;
            }
            match turned_away {
                Some(turned_away) => {
                    causes.count(turned_away.by);
                    if turned_away.eviction_may_help {
                        evictable.push(NodeIndex(*slot));
                    }
                }
                // One more than is sought: here the next search begins.
                None if feasible.len() == sought => break,
                None => feasible.push(NodeIndex(*slot)),
            }
            looked_at += 1;
        }
        if !order.is_empty() {
            self.next_start = (self.next_start + looked_at) % order.len();
        }
        if named.is_some() {
            // Those that are not named need no look.
            (nodes.len()..order.len()).for_each(|_| causes.count(Rejector::NodeAffinity));
            looked_at = order.len();
        }
        causes.looked_at = count(looked_at);
        causes.feasible = count(feasible.len());
        causes
    }

    /// The nodes of some names, in the order of the names.
    fn slots_of(&self, names: &[String]) -> Vec<u32> {
        names
            .iter()
            .filter_map(|name| self.node(name))
            .map(|node| node.0)
            .collect()
    }

    /// Asks the extender which nodes survive; what it refuses leaves the list.
    fn ask_filter(
        &self,
        pod: PodIndex,
        extender: &mut Option<&mut Extender<'_>>,
        scratch: &mut Scratch,
        causes: &mut Causes,
    ) -> Reply {
        let Scratch {
            feasible,
            opinions,
            evictable,
            ..
        } = scratch;
        let Some(ask) = extender.as_mut().filter(|_| !feasible.is_empty()) else {
            return Reply::Answered;
        };
        opinions.clear();
        opinions.resize(feasible.len(), Opinion::RefusedForGood);
        let question = Question::Filter {
            candidates: feasible,
            opinions,
        };
        if ask(pod, question) == Reply::Failed {
            return if self.profile.extender_ignorable {
                Reply::Answered
            } else {
                Reply::Failed
            };
        }
        let mut said = opinions.iter();
        feasible.retain(|node| {
            let opinion = said.next().copied().unwrap_or_default();
            if opinion != Opinion::Pass {
                causes.count(Rejector::Extender);
            }
            if opinion == Opinion::Refused {
                evictable.push(*node);
            }
            opinion == Opinion::Pass
        });
        Reply::Answered
    }

    /// The node with the greatest score, of several one at random; the score, and how many have it.
    fn best(
        &mut self,
        pod: PodIndex,
        class: usize,
        scratch: &mut Scratch,
        extender: &mut Option<&mut Extender<'_>>,
    ) -> (NodeIndex, (i64, u32)) {
        self.score(class, scratch);
        let Scratch {
            feasible,
            extender_scores,
            scores,
            ..
        } = scratch;
        if let Some(ask) = extender {
            extender_scores.clear();
            extender_scores.resize(feasible.len(), 0);
            let question = Question::Prioritize {
                candidates: feasible,
                scores: extender_scores,
            };
            // A failure is passed over in silence, and then nothing counts of the answer.
            if ask(pod, question) == Reply::Answered {
                for (score, points) in scores.iter_mut().zip(extender_scores.iter()) {
                    *score += extender_points(*points, self.profile.extender_weight);
                }
            }
        }
        let (mut best, mut ties) = (i64::MIN, 0);
        for score in scores.iter() {
            if *score > best {
                (best, ties) = (*score, 1);
            } else if *score == best {
                ties += 1;
            }
        }
        let drawn = self.random.random_range(0..ties.max(1));
        let mut winners = scores
            .iter()
            .zip(feasible.iter())
            .filter(|(score, _)| **score == best);
        let node = winners.nth(drawn).map_or(feasible[0], |(_, node)| *node);
        (node, (best, count(ties)))
    }

    /// What all plugins together give each feasible node (`RunScorePlugins`).
    fn score(&mut self, class: usize, scratch: &mut Scratch) {
        let PodClass {
            shape, rules, near, ..
        } = &self.classes[class];
        let Scratch {
            feasible,
            scores,
            raw_scores,
            spread,
            ..
        } = scratch;
        let weights = &self.profile.weights;
        let points = self.shapes.points(*shape);
        let verdicts = self.verdicts.of(*rules);
        let of_all = node_scores::of_all(verdicts, weights);
        scores.clear();
        scores.extend(feasible.iter().map(|node| i64::from(points[node.get()]) + of_all));
        node_scores::add(scores, feasible, verdicts, weights);
        let spread_weight = i64::from(weights.pod_topology_spread);
        spread.add(scores, feasible, near, &self.counters, spread_weight);
        pod_affinity::add(raw_scores, scores, feasible, near, &self.counters, &self.profile);
    }
}

/// What the extender adds to the score of a node: `score * weight * (MaxNodeScore / MaxExtenderPriority)`.
fn extender_points(score: u8, weight: u32) -> i64 {
    i64::from(score) * i64::from(weight) * 10
}

fn count(nodes: usize) -> u32 {
    u32::try_from(nodes).unwrap_or(u32::MAX)
}

fn chosen(causes: &Causes, node: NodeIndex, survivors: usize, (score, ties): (i64, u32)) -> Chosen {
    Chosen {
        node,
        looked_at: causes.looked_at,
        feasible: causes.feasible,
        survivors: count(survivors),
        ties,
        score,
    }
}

#[cfg(test)]
#[path = "attempt_tests.rs"]
mod tests;
