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
use super::cluster::Cluster;
use super::extender::{Extender, Opinion, Question, Reply};
use super::{NodeIndex, PodIndex, node_scores};

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
    pub feasible: Vec<NodeIndex>,
    pub opinions: Vec<Opinion>,
    pub extender_scores: Vec<u8>,
    pub scores: Vec<i64>,
}

impl Cluster {
    /// Tries to place a pod. Nothing is bound.
    pub fn attempt(&mut self, pod: PodIndex, mut extender: Option<&mut Extender<'_>>) -> Attempt {
        let class = self.class_of(pod);
        self.prepare(class);
        let mut scratch = std::mem::take(&mut self.scratch);
        let attempt = self.attempt_prepared(pod, class, &mut scratch, &mut extender);
        self.scratch = scratch;
        attempt
    }

    /// Brings all that is kept per class up to date.
    fn prepare(&mut self, class: usize) {
        self.tree.refresh();
        let class = &self.classes[class];
        self.shapes
            .refresh(class.shape, &self.nodes, &self.profile.weights);
        self.verdicts.refresh(class.rules, &self.nodes);
    }

    fn attempt_prepared(
        &mut self,
        pod: PodIndex,
        class: usize,
        scratch: &mut Scratch,
        extender: &mut Option<&mut Extender<'_>>,
    ) -> Attempt {
        let mut causes = self.search(class, &mut scratch.feasible);
        if let Some(ask) = extender.as_mut().filter(|_| !scratch.feasible.is_empty())
            && self.ask_filter(pod, ask, scratch, &mut causes) == Reply::Failed
        {
            return Attempt::Failed(causes);
        }
        match scratch.feasible.as_slice() {
            [] => Attempt::Unschedulable(Unschedulable {
                causes,
                nominated: None,
            }),
            [only] => Attempt::Chosen(chosen(&causes, *only, 1, (0, 1))),
            _ => {
                let (node, best) = self.best(pod, class, scratch, extender);
                Attempt::Chosen(chosen(&causes, node, scratch.feasible.len(), best))
            }
        }
    }

    /// Looks at nodes until enough are feasible (`findNodesThatPassFilters`).
    fn search(&mut self, class: usize, feasible: &mut Vec<NodeIndex>) -> Causes {
        feasible.clear();
        let class = &self.classes[class];
        let order = self.tree.order();
        let mut causes = Causes::of_nodes(order.len());
        let named = class.named_nodes.as_ref().map(|names| self.slots_of(names));
        let nodes = named.as_deref().unwrap_or(order);
        let points = self.shapes.points(class.shape);
        let rejectors = &self.verdicts.of(class.rules).rejector;
        let sought = self.profile.feasible_nodes_to_find(nodes.len());
        let start = self.next_start.checked_rem(nodes.len()).unwrap_or(0);
        let (head, tail) = nodes.split_at(start);
        let mut looked_at = 0;
        for slot in tail.iter().chain(head) {
            let index = *slot as usize;
            let rejector = rejectors[index].or((points[index] < 0).then_some(Rejector::NodeResourcesFit));
            match rejector {
                Some(rejector) => causes.count(rejector),
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
        ask: &mut Extender<'_>,
        scratch: &mut Scratch,
        causes: &mut Causes,
    ) -> Reply {
        let Scratch {
            feasible, opinions, ..
        } = scratch;
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
        feasible.retain(|_| {
            let passes = said.next() == Some(&Opinion::Pass);
            if !passes {
                causes.count(Rejector::Extender);
            }
            passes
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
        let best = scores.iter().copied().max().unwrap_or(0);
        let ties = scores.iter().filter(|score| **score == best).count();
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
        let class = &self.classes[class];
        let points = self.shapes.points(class.shape);
        let Scratch { feasible, scores, .. } = scratch;
        scores.clear();
        scores.extend(feasible.iter().map(|node| i64::from(points[node.get()])));
        node_scores::add(
            scores,
            feasible,
            self.verdicts.of(class.rules),
            &self.profile.weights,
        );
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
