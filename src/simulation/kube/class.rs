//! Pods that are placed alike, compiled once.
//!
//! Inputs: the specification of a pod. Outputs: a class, and what other classes and this one mean to each other.
//! Invariants: two pods are of one class exactly where they differ in their names alone; each class has met each
//! counter once.
#![expect(
    clippy::indexing_slicing,
    reason = "classes and counters are handed out here and in `near`"
)]

use super::cluster::Cluster;
use super::near::compile::NearRules;
use super::selection::NodeRules;
use super::spec::{Labels, PodSpec};

/// What is known of pods of one kind.
#[derive(Debug, Clone)]
pub(super) struct PodClass {
    /// One of them, without its name.
    pub spec: PodSpec,
    /// What it asks for, in [`super::resources::Shapes`].
    pub shape: usize,
    /// Its rules about nodes, in [`super::node_verdicts::NodeVerdicts`].
    pub rules: usize,
    /// The only nodes that its rules name, where they do, by name.
    pub named_nodes: Option<Vec<String>>,
    /// Its rules about other pods, and theirs about it.
    pub near: NearRules,
}

impl Cluster {
    /// The class of a pod, compiled where it is the first.
    pub(super) fn class(&mut self, pod: &PodSpec) -> u32 {
        // The name tells pods of one class apart and nothing else.
        let nameless = PodSpec {
            name: String::new(),
            ..pod.clone()
        };
        if let Some(found) = self.by_spec.get(&nameless) {
            return *found;
        }
        let known_counters = self.counters.all.len();
        let rules = NodeRules::of(&nameless);
        let named_nodes = rules.named_nodes();
        let named_nodes = named_nodes.map(|names| names.into_iter().map(str::to_owned).collect());
        let request = self.nodes.request(&nameless.requests);
        let class = PodClass {
            shape: self.shapes.intern(request),
            rules: self.verdicts.intern(rules),
            named_nodes,
            near: NearRules::compile(&nameless, &self.profile, &mut self.counters, &self.nodes),
            spec: nameless.clone(),
        };
        let index = self.classes.len();
        self.classes.push(class);
        for counter in 0..known_counters {
            self.meet(index, counter);
        }
        for counter in known_counters..self.counters.all.len() {
            (0..=index).for_each(|class| self.meet(class, counter));
        }
        self.count_again_from(known_counters);
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        self.by_spec.insert(nameless, index);
        index
    }

    fn meet(&mut self, class: usize, counter: usize) {
        let PodClass { spec, near, .. } = &mut self.classes[class];
        near.meet(spec, counter, &self.counters, &self.profile);
    }

    /// Sets the labels of a namespace, which terms of pods may select.
    pub fn set_namespace(&mut self, name: &str, labels: Labels) {
        self.counters.namespaces.set(name.to_owned(), labels);
        for class in 0..self.classes.len() {
            let PodClass { spec, near, .. } = &mut self.classes[class];
            // All its counters are there already.
            *near = NearRules::compile(spec, &self.profile, &mut self.counters, &self.nodes);
            (0..self.counters.all.len()).for_each(|counter| self.meet(class, counter));
        }
        self.counters.is_stale = true;
    }

    /// Counts the pods that are there for counters from one on, which counted none.
    fn count_again_from(&mut self, first: usize) {
        if first == self.counters.all.len() {
            return;
        }
        let of_class = |class: &PodClass| -> Vec<usize> {
            let counted_by = class.near.counted_by.iter().copied();
            counted_by.filter(|counter| *counter >= first).collect()
        };
        let counted_by: Vec<Vec<usize>> = self.classes.iter().map(of_class).collect();
        for (slot, pods) in self.on_node.iter().enumerate() {
            for pod in pods {
                let class = self.pods[pod.get()].class as usize;
                self.counters.count(&counted_by[class], slot, 1);
            }
        }
    }

    /// Counts all nodes and pods again where nodes changed so that it is due.
    pub(super) fn recount(&mut self) {
        if self.counters.is_stale {
            self.counters.start_again(&self.nodes);
            self.count_again_from(0);
        }
    }
}
