//! The same workload through the model, in lockstep: before each attempt the model's nodes carry the pods that the real
//! ones carried, whatever the model itself would have done before.
//!
//! Two things are compared. *Feasible*: the nodes that the plugins let the pod to, in the order in which they were found
//! (which is what the extender was offered, sample and all), and the nodes that evicting would open, with the victims.
//! *Chosen*: the node, where the model says that one alone has the greatest score, or where and whom to evict; where
//! several share the greatest score both draw, and the node must be one of them.

use std::collections::{BTreeMap, BTreeSet};

use domicile::simulation::kube::{
    Attempt as Modelled, Candidate, Cluster, NodeIndex, Opinion, PodIndex, Question, Reply,
};

use super::recording::{Attempt, Event, Recording};
use super::workload::Workload;

/// How often both did the same.
#[derive(Debug, Default)]
pub struct Tally {
    pub attempts: u64,
    pub feasible_alike: u64,
    /// Choices that no draw decides.
    pub choices: u64,
    pub choices_alike: u64,
    /// Choices that a draw decided among nodes of which the model has all.
    pub draws: u64,
    /// Attempts in which the extender could not tell.
    pub failures: u64,
    /// Attempts after which others had to go.
    pub evictions: u64,
    /// Attempts without any node.
    pub refusals: u64,
    pub disagreements: Vec<String>,
}

/// What the model asked during one attempt.
#[derive(Default)]
struct Asked {
    filters: Vec<Vec<String>>,
    candidates: Option<BTreeMap<String, BTreeSet<String>>>,
}

struct Replay<'a> {
    workload: &'a Workload,
    cluster: Cluster,
    /// By full name, the model's index of a pod and its number among the pods that came.
    pods: BTreeMap<String, (PodIndex, u64)>,
    /// By the model's index.
    names: Vec<String>,
    tally: Tally,
}

/// Replays a recording.
pub fn replay(workload: &Workload, recording: &Recording) -> Tally {
    let mut cluster = Cluster::new(workload.profile.clone(), 1);
    for node in &workload.nodes {
        cluster.add_node(node.clone()).expect("names of nodes differ");
    }
    let mut replay = Replay {
        workload,
        cluster,
        pods: BTreeMap::new(),
        names: Vec::new(),
        tally: Tally::default(),
    };
    for (pod, number) in workload.pods().zip(0..) {
        let index = replay.cluster.add_pod(&pod.spec);
        replay.pods.insert(pod.full_name(), (index, number));
        replay.names.push(pod.full_name());
    }
    for event in &recording.events {
        match event {
            Event::Attempt(attempt) => replay.attempt(attempt),
            Event::Gone(pod) => {
                replay.cluster.remove_pod(replay.pods[pod].0);
            }
        }
    }
    replay.tally
}

impl Replay<'_> {
    fn attempt(&mut self, real: &Attempt) {
        let (pod, number) = self.pods[&real.pod];
        let mut asked = Asked::default();
        let (nodes, names) = (&self.workload.nodes, &self.names);
        let node_name = |node: &NodeIndex| nodes[node.get()].name.clone();
        let mut extender =
            |_: PodIndex, question: Question<'_>| answer(real, &mut asked, &node_name, names, question);
        let modelled = self.cluster.attempt(pod, Some(&mut extender));
        self.tally.attempts += 1;
        self.compare_feasible(real, &asked);
        self.compare_choice(real, &modelled);
        let nominated = self.cluster.nominated_node(pod);
        let nominated = nominated.map(|node| self.cluster.node_spec(node).name.as_str());
        if nominated != real.evicted.as_ref().map(|(node, _)| node.as_str()) {
            // The pod is not where the model would have it go: this ends the nomination.
            self.cluster.remove_pod(pod);
        }
        if let Some(node) = &real.bound {
            let node = self
                .cluster
                .node(node)
                .expect("it is bound to a node that there is");
            self.cluster.bind(pod, node, number * 1_000);
        }
    }

    fn compare_feasible(&mut self, real: &Attempt, asked: &Asked) {
        let offered: Vec<&Vec<String>> = real.filters.iter().map(|filter| &filter.offered).collect();
        let candidates = real.preempt.as_ref().map(|preempt| &preempt.candidates);
        if offered.iter().copied().eq(&asked.filters) && candidates == asked.candidates.as_ref() {
            self.tally.feasible_alike += 1;
            return;
        }
        let difference = match (offered.first(), asked.filters.first()) {
            (Some(real), Some(model)) if *real != model => {
                let (real, model): (BTreeSet<_>, BTreeSet<_>) =
                    (real.iter().collect(), model.iter().collect());
                format!(
                    "kube-scheduler offered {} nodes, the model {}; only the one: {:?}; only the other: {:?}",
                    real.len(),
                    model.len(),
                    real.difference(&model).collect::<Vec<_>>(),
                    model.difference(&real).collect::<Vec<_>>(),
                )
            }
            _ => format!(
                "kube-scheduler asked about {:?} nodes and candidates {candidates:?}, the model about {:?} and {:?}",
                offered.iter().map(|offered| offered.len()).collect::<Vec<_>>(),
                asked.filters.iter().map(Vec::len).collect::<Vec<_>>(),
                asked.candidates,
            ),
        };
        self.disagree(real, &format!("feasible: {difference}"));
    }

    fn compare_choice(&mut self, real: &Attempt, modelled: &Modelled) {
        let is_error = real.filters.last().is_some_and(|filter| filter.answer.is_none());
        self.tally.failures += u64::from(is_error);
        let (is_drawn, is_alike, model) = match modelled {
            Modelled::Chosen(chosen) => {
                let best: Vec<&str> = self.best(chosen.node);
                let is_alike = real.bound.as_deref().is_some_and(|node| best.contains(&node));
                (best.len() > 1, is_alike, format!("{best:?}"))
            }
            Modelled::Unschedulable(refusal) => {
                let nominated = refusal.nominated.as_ref().map(|nomination| {
                    let victims = nomination
                        .victims
                        .iter()
                        .map(|victim| self.names[victim.get()].clone());
                    let node = self.cluster.node_spec(nomination.node).name.clone();
                    (node, victims.collect::<BTreeSet<_>>())
                });
                let is_alike = real.bound.is_none() && !is_error && nominated == real.evicted;
                (false, is_alike, format!("none, evicting {nominated:?}"))
            }
            Modelled::Failed(_) => (
                false,
                is_error && real.bound.is_none(),
                "none: the extender fails".to_owned(),
            ),
        };
        self.tally.evictions += u64::from(real.evicted.is_some());
        let is_choice =
            real.bound.is_some() || real.evicted.is_some() || matches!(modelled, Modelled::Chosen(_));
        self.tally.refusals += u64::from(!is_choice && !is_error);
        if is_drawn && is_alike {
            self.tally.draws += 1;
        } else if is_choice || !is_alike {
            self.tally.choices += 1;
            self.tally.choices_alike += u64::from(is_alike);
        }
        if !is_alike {
            let bound = real.bound.as_deref();
            let evicted = &real.evicted;
            self.disagree(
                real,
                &format!("chosen: kube-scheduler {bound:?}, evicting {evicted:?}; the model {model}"),
            );
        }
    }

    /// The nodes that have the greatest score, of which the model drew one.
    fn best(&self, drawn: NodeIndex) -> Vec<&str> {
        let scores: Vec<(NodeIndex, i64)> = self.cluster.last_scores().collect();
        let best = scores.iter().map(|(_, score)| *score).max();
        let mut nodes: Vec<NodeIndex> = (scores.into_iter())
            .filter(|(_, score)| Some(*score) == best)
            .map(|(node, _)| node)
            .collect();
        if nodes.is_empty() {
            nodes.push(drawn);
        }
        nodes
            .into_iter()
            .map(|node| self.cluster.node_spec(node).name.as_str())
            .collect()
    }

    fn disagree(&mut self, real: &Attempt, how: &str) {
        let attempt = self.tally.attempts;
        self.tally
            .disagreements
            .push(format!("attempt {attempt}, pod `{}`: {how}", real.pod));
    }
}

/// What the real extender said in its place. A node that it was not asked about passes, and scores nothing.
fn answer(
    real: &Attempt,
    asked: &mut Asked,
    node_name: &dyn Fn(&NodeIndex) -> String,
    pod_names: &[String],
    question: Question<'_>,
) -> Reply {
    match question {
        Question::Filter { candidates, opinions } => {
            asked.filters.push(candidates.iter().map(node_name).collect());
            let place = asked.filters.len() - 1;
            let Some(answer) = real.filters.get(place).map(|filter| &filter.answer) else {
                opinions.fill(Opinion::Pass);
                return Reply::Answered;
            };
            let Some(answer) = answer else {
                return Reply::Failed;
            };
            let offered = &real.filters[place].offered;
            for (opinion, node) in opinions.iter_mut().zip(candidates.iter().map(node_name)) {
                *opinion = if answer.passed.contains(&node) || !offered.contains(&node) {
                    Opinion::Pass
                } else if answer.refused.contains(&node) {
                    Opinion::Refused
                } else {
                    Opinion::RefusedForGood
                };
            }
        }
        Question::Prioritize { candidates, scores } => {
            let Some(said) = &real.scores else {
                return Reply::Failed;
            };
            for (score, node) in scores.iter_mut().zip(candidates.iter().map(node_name)) {
                *score = said.get(&node).copied().unwrap_or(0);
            }
        }
        Question::Preempt { candidates, kept } => {
            let of = |candidate: &Candidate| {
                let victims = candidate
                    .victims
                    .iter()
                    .map(|victim| pod_names[victim.get()].clone());
                (node_name(&candidate.node), victims.collect())
            };
            asked.candidates = Some(candidates.iter().map(of).collect());
            for (kept, candidate) in kept.iter_mut().zip(candidates) {
                let keeps =
                    |preempt: &super::recording::Preempt| preempt.kept.contains(&node_name(&candidate.node));
                *kept = real.preempt.as_ref().is_none_or(keeps);
            }
        }
    }
    Reply::Answered
}
