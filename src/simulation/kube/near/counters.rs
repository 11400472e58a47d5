//! Counters: how many pods of a kind are in each domain.
//!
//! Inputs: what is counted, by which key, over which nodes; pods that come and go. Outputs: counts per domain, and of
//! which domains there are nodes. Invariants: as of `near`; a counter without a limit on nodes counts on all.
#![expect(
    clippy::indexing_slicing,
    reason = "counters and limits are handed out here, and counts grow with the domains of their key"
)]

use std::collections::HashMap;

use super::super::nodes::Nodes;
use super::super::selection::{NodeRules, Selection};
use super::super::spec::{Labels, PodSpec};
use super::topology::{NOWHERE, Topology};

/// The label that the API server puts on each namespace.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Pods of some namespaces, by their labels (`AffinityTerm`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in super::super) struct Term {
    pub namespaces: Vec<String>,
    pub namespace_selection: Selection,
    pub selection: Selection,
}

impl Term {
    /// Whether it takes a pod (`AffinityTerm.Matches`).
    pub fn takes(&self, pod: &PodSpec, namespaces: &Namespaces) -> bool {
        (self.namespaces.contains(&pod.namespace)
            || self.namespace_selection.takes(&namespaces.labels(&pod.namespace)))
            && self.selection.takes(&pod.labels)
    }
}

/// The labels of namespaces.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Namespaces(HashMap<String, Labels>);

impl Namespaces {
    /// Sets the labels of a namespace.
    pub fn set(&mut self, name: String, labels: Labels) {
        self.0.insert(name, labels);
    }

    fn labels(&self, name: &str) -> Labels {
        let mut labels = self.0.get(name).cloned().unwrap_or_default();
        labels.insert(NAMESPACE_NAME.to_owned(), name.to_owned());
        labels
    }
}

/// What a running pod asks of pods that come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in super::super) enum Asks {
    /// That they be far.
    AwayRequired,
    /// That it be near them, which it was promised (`hardPodAffinityWeight`).
    NearRequired,
    /// That they be near, or with a negative weight far.
    Preferred(i32),
}

/// Which pods are counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in super::super) enum Counted {
    /// Those of a namespace that are selected.
    Selected(String, Selection),
    /// Those that all of these take, of which there is one at least.
    TakenByAll(Vec<Term>),
    /// Those that ask this of pods that the term takes.
    Asking(Asks, Term),
}

/// The nodes on which a spread constraint counts (`matchNodeInclusionPolicies`, and that all keys are there).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in super::super) struct Limit {
    /// With those parts only that matter.
    pub rules: NodeRules,
    pub honors_affinity: bool,
    pub honors_taints: bool,
    pub keys: Vec<usize>,
}

/// A limit, and whether each slot is within.
#[derive(Debug, Clone)]
struct Limited {
    limit: Limit,
    is_within: Vec<bool>,
}

/// What makes two counters one.
pub(in super::super) type CounterKey = (Counted, usize, Option<usize>);

/// A counter.
#[derive(Debug, Clone)]
pub(in super::super) struct Counter {
    pub counted: Counted,
    pub key: usize,
    limit: Option<usize>,
    /// Per domain.
    pub counts: Vec<i32>,
    /// Nodes within the limit, per domain; empty without a limit.
    nodes: Vec<u32>,
    /// Domains with such a node.
    pub domains: usize,
    /// Over all domains.
    pub total: i64,
}

/// All counters.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Counters {
    pub topology: Topology,
    pub namespaces: Namespaces,
    limits: Vec<Limited>,
    pub all: Vec<Counter>,
    by_key: HashMap<CounterKey, usize>,
    /// Whether nodes changed so that all is to be counted again.
    pub is_stale: bool,
}

impl Counters {
    /// A limit, made where there is none.
    pub fn limit(&mut self, limit: Limit, nodes: &Nodes) -> usize {
        if let Some(found) = self.limits.iter().position(|known| known.limit == limit) {
            return found;
        }
        let within = |slot: usize| is_within(&limit, slot, nodes, &self.topology);
        let is_within = (0..nodes.len()).map(within).collect();
        self.limits.push(Limited { limit, is_within });
        self.limits.len() - 1
    }

    /// A counter, made where there is none; a new one is at the end and has counted nothing.
    pub fn counter(&mut self, counted: Counted, key: usize, limit: Option<usize>) -> usize {
        let next = self.all.len();
        let Self {
            by_key,
            all,
            topology,
            limits,
            ..
        } = self;
        *by_key
            .entry((counted, key, limit))
            .or_insert_with_key(|(counted, ..)| {
                let mut counter = Counter {
                    counted: counted.clone(),
                    key,
                    limit,
                    counts: Vec::new(),
                    nodes: Vec::new(),
                    domains: 0,
                    total: 0,
                };
                counter.survey(topology, limits);
                all.push(counter);
                next
            })
    }

    /// A node comes, in the next slot.
    pub fn add_node(&mut self, slot: usize, nodes: &Nodes) {
        self.topology.add(slot, &nodes.specs[slot].labels);
        for limited in &mut self.limits {
            limited
                .is_within
                .push(is_within(&limited.limit, slot, nodes, &self.topology));
        }
        for counter in &mut self.all {
            counter.grow(&self.topology);
            counter.count_node(slot, &self.topology, &self.limits, 1);
        }
    }

    /// A node goes; its pods went before.
    pub fn remove_node(&mut self, slot: usize) {
        for counter in &mut self.all {
            counter.count_node(slot, &self.topology, &self.limits, -1);
        }
        for limited in &mut self.limits {
            limited.is_within[slot] = false;
        }
    }

    /// The taints of a node changed.
    pub fn taints_changed(&mut self) {
        self.is_stale |= self.limits.iter().any(|limited| limited.limit.honors_taints);
    }

    /// The labels of a node changed.
    pub fn labels_changed(&mut self, slot: usize, labels: &Labels) {
        self.topology.relabel(slot, labels);
        self.is_stale |= !self.all.is_empty();
    }

    /// Forgets all counts and looks at all nodes again; whoever calls counts the pods again.
    pub fn start_again(&mut self, nodes: &Nodes) {
        self.is_stale = false;
        for limited in &mut self.limits {
            for slot in 0..nodes.len() {
                limited.is_within[slot] = is_within(&limited.limit, slot, nodes, &self.topology);
            }
        }
        for counter in &mut self.all {
            counter.survey(&self.topology, &self.limits);
        }
    }

    /// Counts a pod on a node, or no more.
    pub fn count(&mut self, counters: &[usize], slot: usize, sign: i32) {
        for counter in counters {
            let counter = &mut self.all[*counter];
            let domain = self.topology.domain(counter.key, slot);
            let is_within = counter
                .limit
                .is_none_or(|limit| self.limits[limit].is_within[slot]);
            if domain != NOWHERE && is_within {
                counter.counts[domain as usize] += sign;
                counter.total += i64::from(sign);
            }
        }
    }

    /// What a counter says of the domain of a node; `None` where the node lacks the label.
    pub fn at(&self, counter: usize, slot: usize) -> Option<i32> {
        let counter = &self.all[counter];
        let domain = self.topology.domain(counter.key, slot);
        counter.counts.get(domain as usize).copied()
    }

    /// Whether pods on a node count: it has the label and is within the limit.
    pub fn counts_on(&self, counter: usize, slot: usize) -> bool {
        let counter = &self.all[counter];
        let is_within = |limit: usize| self.limits[limit].is_within[slot];
        self.topology.domain(counter.key, slot) != NOWHERE && counter.limit.is_none_or(is_within)
    }

    /// The least count over the domains with a node within the limit, and how many there are.
    pub fn least(&self, counter: usize) -> (i32, usize) {
        let counter = &self.all[counter];
        let mut least = i32::MAX;
        for (count, nodes) in counter.counts.iter().zip(&counter.nodes) {
            if *nodes > 0 {
                least = least.min(*count);
            }
        }
        (least, counter.domains)
    }
}

impl Counter {
    fn grow(&mut self, topology: &Topology) {
        let domains = topology.key(self.key).domains;
        self.counts.resize(domains, 0);
        if self.limit.is_some() {
            self.nodes.resize(domains, 0);
        }
    }

    /// Counts nodes again and forgets pods.
    fn survey(&mut self, topology: &Topology, limits: &[Limited]) {
        self.counts.clear();
        self.nodes.clear();
        self.domains = 0;
        self.total = 0;
        self.grow(topology);
        for slot in 0..topology.key(self.key).domain.len() {
            self.count_node(slot, topology, limits, 1);
        }
    }

    fn count_node(&mut self, slot: usize, topology: &Topology, limits: &[Limited], sign: i32) {
        let domain = topology.domain(self.key, slot);
        let is_within = self.limit.is_some_and(|limit| limits[limit].is_within[slot]);
        if domain == NOWHERE || !is_within {
            return;
        }
        let nodes = &mut self.nodes[domain as usize];
        let was_empty = *nodes == 0;
        *nodes = nodes.saturating_add_signed(sign);
        match (was_empty, *nodes == 0) {
            (true, false) => self.domains += 1,
            (false, true) => self.domains -= 1,
            _ => {}
        }
    }
}

fn is_within(limit: &Limit, slot: usize, nodes: &Nodes, topology: &Topology) -> bool {
    let node = &nodes.specs[slot];
    nodes.is_there[slot]
        && limit
            .keys
            .iter()
            .all(|key| topology.domain(*key, slot) != NOWHERE)
        && (!limit.honors_affinity || limit.rules.required_match(node))
        && (!limit.honors_taints || !limit.rules.is_kept_away_by_taints(node))
}
