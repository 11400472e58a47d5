//! How pods come, settle, lose their node and end.

use super::affinity::Confinement;
use super::judge::Judge;
use super::{Drive, KindIndex, remember};
use crate::simulation::comparator::AffinityBy;
use crate::simulation::kube::spec::PodSpec;
use crate::simulation::kube::{ClusterEvent, NodeIndex};

impl Drive<'_> {
    /// A pod comes, or comes again: it waits, or runs where the trace says.
    pub(super) fn admit(&mut self, life: usize, judge: &mut Judge<'_>) {
        let made = self.setting.roster.pods[life];
        let comes_first = !self.lives[life].began;
        if comes_first {
            self.lives[life].began = true;
            self.lives[life].began_ms = self.now_ms;
        }
        let named = made.pod.spec.node_name.as_deref().filter(|_| comes_first);
        let mut spec = PodSpec {
            node_name: None,
            ..made.pod.spec.clone()
        };
        if let Some(node) = named.and_then(|name| self.cluster.node(name)) {
            let pod = self.cluster.add_pod(&spec);
            remember(&mut self.life_of, pod, life);
            self.lives[life].pod = Some(pod);
            self.lives[life].already_there = true;
            self.settle(life, node);
            self.wake(ClusterEvent::PodBound(pod));
            return;
        }
        self.lives[life].already_there = false;
        if let Some(confinement) = self.confinement(made.kind, judge) {
            spec = confinement.of(&spec);
        }
        let pod = self.cluster.add_pod(&spec);
        remember(&mut self.life_of, pod, life);
        self.lives[life].pod = Some(pod);
        self.queue.push(pod, spec.priority, self.now_ms);
    }

    /// What is written into pods of a kind now; nothing where nothing is refused to them.
    fn confinement(&mut self, kind: KindIndex, judge: &mut Judge<'_>) -> Option<&Confinement> {
        let written_by = self.setting.comparator.writes_affinity()?;
        let at = self.at();
        let (nodes, region_labels) = (&self.nodes, &mut self.region_labels);
        let known = self.confined_to.entry(kind).or_insert_with(|| match written_by {
            AffinityBy::Team => {
                let permitted = judge.permitted(kind, at)?;
                let labels = region_labels.get_or_insert_with(|| nodes.labels_of_classes(judge));
                let is_permitted = |class: usize| permitted.get(class).copied().unwrap_or(false);
                let labels = labels.iter().filter(|(class, _)| is_permitted(class.as_usize()));
                let labels = labels.map(|(_, labels)| labels.clone());
                Some(Confinement::Regions(labels.collect()))
            }
            AffinityBy::Webhook => judge.admission_terms(kind, at).map(Confinement::Terms),
        });
        known.as_ref()
    }

    /// A pod runs on a node from now on.
    pub(super) fn settle(&mut self, life: usize, node: NodeIndex) {
        let kind = self.kind(life);
        let now_ms = self.now_ms;
        let record = &mut self.lives[life];
        if let Some(pod) = record.pod {
            self.cluster.bind(pod, node, now_ms);
        }
        record.node = Some(node);
        record.last = None;
        *self.running[kind].entry(node).or_insert(0) += 1;
        self.samples.running += 1;
    }

    /// A pod runs on its node no more; the model knows already.
    pub(super) fn unsettle(&mut self, life: usize, node: NodeIndex) {
        let kind = self.kind(life);
        let record = &mut self.lives[life];
        record.node = None;
        record.pod = None;
        if let Some(pods) = self.running[kind].get_mut(&node) {
            *pods -= 1;
            if *pods == 0 {
                self.running[kind].remove(&node);
            }
        }
        self.samples.running -= 1;
    }

    /// A pod is evicted for one of greater priority, and comes again.
    pub(super) fn preempt(&mut self, life: usize, judge: &mut Judge<'_>) {
        let (Some(pod), Some(node)) = (self.lives[life].pod, self.lives[life].node) else {
            return;
        };
        self.cluster.remove_pod(pod);
        self.unsettle(life, node);
        self.lives[life].preempted += 1;
        self.samples.lost_nodes += 1;
        self.wake(ClusterEvent::PodGone(pod));
        self.admit(life, judge);
    }

    /// A pod is taken back.
    pub(super) fn end(&mut self, life: usize, judge: &mut Judge<'_>) {
        self.lives[life].ended_ms = Some(self.now_ms);
        self.weigh(life, judge);
        let Some(pod) = self.lives[life].pod else {
            return;
        };
        match self.lives[life].node {
            Some(node) => {
                self.cluster.remove_pod(pod);
                self.unsettle(life, node);
                // Where it ended.
                self.lives[life].node = Some(node);
                self.wake(ClusterEvent::PodGone(pod));
            }
            None => {
                self.leave_queue(pod);
                self.cluster.remove_pod(pod);
            }
        }
    }

    /// Writes down what a pod's place costs, or what keeps it from one.
    pub(super) fn weigh(&mut self, life: usize, judge: &mut Judge<'_>) {
        let (kind, at) = (self.kind(life), self.at());
        let obeys = self.obeys_policies();
        let record = &mut self.lives[life];
        match record.node {
            Some(node) => {
                record.cost = judge.cost(kind, node, &self.running, at);
                record.best_us = judge.best_us(kind, node, &self.running, at);
            }
            None => {
                let open = record.pod.map(|pod| {
                    let passes = judge.passing(kind, at);
                    self.cluster.look_at(pod, |node| !obeys || passes(node))
                });
                record.keeps = Some(judge.keeps(kind, open, record.last, obeys, at));
            }
        }
    }
}
