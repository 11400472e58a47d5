//! From what a pod says about other pods to counters.
//!
//! Inputs: the specification of a class, the profile. Outputs: which counters its rules read, and which counters count its pods.
//! Source: `getConstraints`, `filterTopologySpreadConstraints` and `buildDefaultConstraints` of PodTopologySpread,
//! `newAffinityTerm` and the state of InterPodAffinity, kubernetes 1.36.3.

use super::super::nodes::Nodes;
use super::super::profile::{DefaultSpread, Profile};
use super::super::selection::{NodeRules, Selection};
use super::super::spec::{
    NodeInclusionPolicy, PodAffinity, PodAffinityTerm, PodSpec, TopologySpreadConstraint,
    UnsatisfiableConstraintAction,
};
use super::counters::{Asks, Counted, Counters, Limit, Term};
use super::topology::EACH_NODE;

/// The label by which each node is a domain (`LabelHostname`).
const HOSTNAME: &str = "kubernetes.io/hostname";

/// The label of zones (`LabelTopologyZone`).
const ZONE: &str = "topology.kubernetes.io/zone";

/// A spread constraint.
#[derive(Debug, Clone)]
pub(in super::super) struct Spread {
    pub counter: usize,
    /// The label that a node must have; the counter of a wish by hostname counts per node.
    pub key: usize,
    pub is_per_node: bool,
    pub max_skew: i32,
    pub min_domains: i32,
    /// Whether the pod counts itself.
    pub counts_itself: bool,
}

/// The rules of a class about other pods, and theirs about it.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct NearRules {
    /// Rules of spread.
    pub hard: Vec<Spread>,
    /// Wishes of spread.
    pub soft: Vec<Spread>,
    /// Whether nodes that lack a label of a wish score nothing at all.
    pub soft_needs_all_keys: bool,
    /// Required affinity: pods that meet all terms, by the key of each.
    pub affinity: Vec<usize>,
    /// Whether the pod meets its own terms.
    pub meets_itself: bool,
    /// Required anti-affinity, a counter for each term.
    pub anti_affinity: Vec<usize>,
    /// Preferred terms with their weights, negative for anti-affinity.
    pub wishes: Vec<(usize, i64)>,
    /// What running pods require of such pods.
    pub kept_away_by: Vec<usize>,
    /// What running pods are promised or prefer, with the weight.
    pub wished_by: Vec<(usize, i64)>,
    /// The counters that count such pods, one entry for each time.
    pub counted_by: Vec<usize>,
}

impl NearRules {
    /// Whether other pods can turn nodes away from such pods.
    pub fn minds_company(&self) -> bool {
        let terms = [&self.affinity, &self.anti_affinity, &self.kept_away_by];
        !self.hard.is_empty() || terms.into_iter().any(|terms| !terms.is_empty())
    }

    /// Compiles a class. What others ask of it, and who counts it, is added by [`Self::meet`].
    pub fn compile(pod: &PodSpec, profile: &Profile, counters: &mut Counters, nodes: &Nodes) -> Self {
        let mut rules = Self::default();
        rules.compile_spread(pod, profile, counters, nodes);
        let affinity = pod.affinity.as_ref();
        if let Some(near) = affinity.and_then(|affinity| affinity.pod_affinity.as_ref()) {
            rules.compile_affinity(pod, near, counters, nodes);
        }
        if let Some(away) = affinity.and_then(|affinity| affinity.pod_anti_affinity.as_ref()) {
            rules.compile_anti_affinity(pod, away, counters, nodes);
        }
        rules
    }

    fn compile_spread(&mut self, pod: &PodSpec, profile: &Profile, counters: &mut Counters, nodes: &Nodes) {
        let own = &pod.topology_spread_constraints;
        let system = [system_default(HOSTNAME, 3), system_default(ZONE, 5)];
        let (constraints, is_system) = match &profile.default_spread {
            _ if !own.is_empty() => (own.as_slice(), false),
            DefaultSpread::System => (system.as_slice(), true),
            DefaultSpread::List(list) => (list.as_slice(), false),
            DefaultSpread::Nothing => return,
        };
        let of_services = Selection::of(pod.default_spread_selector.as_ref());
        if own.is_empty() && (pod.default_spread_selector.is_none() || of_services.is_everything()) {
            return;
        }
        self.soft_needs_all_keys = !is_system;
        for action in [
            UnsatisfiableConstraintAction::DoNotSchedule,
            UnsatisfiableConstraintAction::ScheduleAnyway,
        ] {
            let is_hard = action == UnsatisfiableConstraintAction::DoNotSchedule;
            let those: Vec<_> = constraints
                .iter()
                .filter(|constraint| constraint.when_unsatisfiable == action)
                .collect();
            let keys: Vec<usize> = those
                .iter()
                .map(|constraint| key_of(&constraint.topology_key, counters, nodes))
                .collect();
            for (constraint, key) in those.into_iter().zip(&keys) {
                let selection = if own.is_empty() {
                    of_services.clone()
                } else {
                    Selection::of(constraint.label_selector.as_ref()).with_keys(
                        &pod.labels,
                        &constraint.match_label_keys,
                        &[],
                    )
                };
                let counts_itself = selection.takes(&pod.labels);
                let is_per_node = !is_hard && constraint.topology_key == HOSTNAME;
                let needs_all = is_hard || self.soft_needs_all_keys;
                let limit = (!is_per_node).then(|| {
                    let required = if needs_all { keys.clone() } else { Vec::new() };
                    counters.limit(limit_of(pod, constraint, required), nodes)
                });
                let counted = Counted::Selected(pod.namespace.clone(), selection);
                let counted_by_key = if is_per_node { EACH_NODE } else { *key };
                let spread = Spread {
                    counter: counters.counter(counted, counted_by_key, limit),
                    key: *key,
                    is_per_node,
                    max_skew: constraint.max_skew,
                    min_domains: constraint.min_domains.unwrap_or(1),
                    counts_itself,
                };
                if is_hard { &mut self.hard } else { &mut self.soft }.push(spread);
            }
        }
    }

    fn compile_affinity(
        &mut self,
        pod: &PodSpec,
        near: &PodAffinity,
        counters: &mut Counters,
        nodes: &Nodes,
    ) {
        let terms: Vec<Term> = near.required.iter().map(|term| term_of(pod, term)).collect();
        self.meets_itself = terms.iter().all(|term| term.takes(pod, &counters.namespaces));
        for (stated, term) in near.required.iter().zip(&terms) {
            let key = key_of(&stated.topology_key, counters, nodes);
            self.affinity
                .push(counters.counter(Counted::TakenByAll(terms.clone()), key, None));
            self.asks(Asks::NearRequired, term.clone(), key, counters);
        }
        self.compile_wishes(pod, near, 1, counters, nodes);
    }

    fn compile_anti_affinity(
        &mut self,
        pod: &PodSpec,
        away: &PodAffinity,
        counters: &mut Counters,
        nodes: &Nodes,
    ) {
        for stated in &away.required {
            let term = term_of(pod, stated);
            let key = key_of(&stated.topology_key, counters, nodes);
            let counter = counters.counter(Counted::TakenByAll(vec![term.clone()]), key, None);
            self.anti_affinity.push(counter);
            self.asks(Asks::AwayRequired, term, key, counters);
        }
        self.compile_wishes(pod, away, -1, counters, nodes);
    }

    fn compile_wishes(
        &mut self,
        pod: &PodSpec,
        stated: &PodAffinity,
        sign: i32,
        counters: &mut Counters,
        nodes: &Nodes,
    ) {
        for wish in &stated.preferred {
            let term = term_of(pod, &wish.pod_affinity_term);
            let key = key_of(&wish.pod_affinity_term.topology_key, counters, nodes);
            let weight = sign * wish.weight;
            let counter = counters.counter(Counted::TakenByAll(vec![term.clone()]), key, None);
            self.wishes.push((counter, i64::from(weight)));
            self.asks(Asks::Preferred(weight), term, key, counters);
        }
    }

    /// Pods of this class ask something of others: they are counted where they do.
    fn asks(&mut self, asks: Asks, term: Term, key: usize, counters: &mut Counters) {
        let counter = counters.counter(Counted::Asking(asks, term), key, None);
        self.counted_by.push(counter);
    }

    /// Holds a class against a counter: whether its pods are counted, and what those who are counted ask of them.
    pub fn meet(&mut self, pod: &PodSpec, counter: usize, counters: &Counters, profile: &Profile) {
        let Some(known) = counters.all.get(counter) else {
            return;
        };
        match &known.counted {
            Counted::Selected(namespace, selection) => {
                // A selector that takes all counts none (`countPodsMatchSelector`).
                let is_counted = !selection.is_everything() && selection.takes(&pod.labels);
                if is_counted && *namespace == pod.namespace {
                    self.counted_by.push(counter);
                }
            }
            Counted::TakenByAll(terms) => {
                if terms.iter().all(|term| term.takes(pod, &counters.namespaces)) {
                    self.counted_by.push(counter);
                }
            }
            Counted::Asking(asks, term) if term.takes(pod, &counters.namespaces) => match asks {
                Asks::AwayRequired => self.kept_away_by.push(counter),
                Asks::NearRequired if profile.hard_pod_affinity_weight > 0 => {
                    let weight = i64::from(profile.hard_pod_affinity_weight);
                    self.wished_by.push((counter, weight));
                }
                Asks::NearRequired => {}
                Asks::Preferred(weight) => self.wished_by.push((counter, i64::from(*weight))),
            },
            Counted::Asking(..) => {}
        }
    }
}

fn system_default(label: &str, max_skew: i32) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        max_skew,
        topology_key: label.to_owned(),
        when_unsatisfiable: UnsatisfiableConstraintAction::ScheduleAnyway,
        label_selector: None,
        min_domains: None,
        node_affinity_policy: None,
        node_taints_policy: None,
        match_label_keys: Vec::new(),
    }
}

fn key_of(label: &str, counters: &mut Counters, nodes: &Nodes) -> usize {
    counters.topology.intern(label, &nodes.specs, &nodes.is_there)
}

/// With the parts of the rules alone that matter, so that equal limits are equal.
fn limit_of(pod: &PodSpec, constraint: &TopologySpreadConstraint, mut keys: Vec<usize>) -> Limit {
    let honors = |policy: Option<NodeInclusionPolicy>, default| {
        policy.unwrap_or(default) == NodeInclusionPolicy::Honor
    };
    let honors_affinity = honors(constraint.node_affinity_policy, NodeInclusionPolicy::Honor);
    let honors_taints = honors(constraint.node_taints_policy, NodeInclusionPolicy::Ignore);
    let all = NodeRules::of(pod);
    let mut rules = NodeRules::default();
    if honors_affinity {
        rules.node_selector = all.node_selector;
        rules.required = all.required;
    }
    if honors_taints {
        rules.tolerations = all.tolerations;
    }
    keys.sort_unstable();
    keys.dedup();
    Limit {
        rules,
        honors_affinity,
        honors_taints,
        keys,
    }
}

/// A term of a pod (`newAffinityTerm`, and what the API server merges for the keys of labels).
fn term_of(pod: &PodSpec, stated: &PodAffinityTerm) -> Term {
    let mut namespaces = stated.namespaces.clone();
    if namespaces.is_empty() && stated.namespace_selector.is_none() {
        namespaces.push(pod.namespace.clone());
    }
    namespaces.sort_unstable();
    namespaces.dedup();
    Term {
        namespaces,
        namespace_selection: Selection::of(stated.namespace_selector.as_ref()),
        selection: Selection::of(stated.label_selector.as_ref()).with_keys(
            &pod.labels,
            &stated.match_label_keys,
            &stated.mismatch_label_keys,
        ),
    }
}
