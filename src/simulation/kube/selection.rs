//! What a selector selects: pods and namespaces by labels, nodes by labels and name, taints by tolerations.
//!
//! Inputs: selectors and what they are held against. Outputs: whether they match. Source: kubernetes 1.36.3,
//! `labels.Requirement.Matches`, `component-helpers/scheduling/corev1/nodeaffinity`, `Toleration.ToleratesTaint`.
//! Invariants: an absent selector takes nothing, an empty one everything; a term of nodes that cannot be
//! parsed matches no node.

use super::spec::{
    LabelSelector, LabelSelectorOperator, LabelSelectorRequirement, Labels, NodeSelector,
    NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm, NodeSpec, PodSpec, Taint, TaintEffect,
    Toleration,
};

/// The field of a node that can be selected.
pub(super) const NAME_FIELD: &str = "metadata.name";

/// The taint that tolerating lets a pod onto cordoned nodes.
const UNSCHEDULABLE_TAINT: &str = "node.kubernetes.io/unschedulable";

/// A selector of labels in one form, so that equal ones are equal: what it requires, in order; `None` takes
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Selection(Option<Vec<LabelSelectorRequirement>>);

impl Selection {
    /// From a selector (`LabelSelectorAsSelector`).
    pub fn of(selector: Option<&LabelSelector>) -> Self {
        let requirements = selector.map(|selector| {
            let mut all: Vec<_> = (selector.match_labels.iter())
                .map(|(key, value)| requires(key, LabelSelectorOperator::In, value))
                .collect();
            all.extend(selector.match_expressions.iter().cloned().map(|mut requirement| {
                requirement.values.sort_unstable();
                requirement.values.dedup();
                requirement
            }));
            all
        });
        Self(requirements).in_order()
    }

    /// With what the pod's own labels add (`matchLabelKeys`, `mismatchLabelKeys`). Takes nothing still where it did.
    pub fn with_keys(mut self, labels: &Labels, same: &[String], other: &[String]) -> Self {
        let of_pod = |keys: &[String], operator| {
            let found = keys.iter().filter_map(|key| Some((key, labels.get(key)?)));
            found
                .map(|(key, value)| requires(key, operator, value))
                .collect::<Vec<_>>()
        };
        if let Some(all) = &mut self.0 {
            all.extend(of_pod(same, LabelSelectorOperator::In));
            all.extend(of_pod(other, LabelSelectorOperator::NotIn));
        }
        self.in_order()
    }

    fn in_order(mut self) -> Self {
        if let Some(all) = &mut self.0 {
            all.sort_by(|a, b| {
                (&a.key, a.operator as u8, &a.values).cmp(&(&b.key, b.operator as u8, &b.values))
            });
            all.dedup();
        }
        self
    }

    /// Whether it has no requirement and so takes everything.
    pub fn is_everything(&self) -> bool {
        self.0.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether it takes something with these labels.
    pub fn takes(&self, labels: &Labels) -> bool {
        let Some(all) = &self.0 else { return false };
        all.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            let is_listed = value.is_some_and(|value| requirement.values.contains(value));
            match requirement.operator {
                LabelSelectorOperator::In => is_listed,
                LabelSelectorOperator::NotIn => !is_listed,
                LabelSelectorOperator::Exists => value.is_some(),
                LabelSelectorOperator::DoesNotExist => value.is_none(),
            }
        })
    }
}

fn requires(key: &str, operator: LabelSelectorOperator, value: &str) -> LabelSelectorRequirement {
    LabelSelectorRequirement {
        key: key.to_owned(),
        operator,
        values: vec![value.to_owned()],
    }
}

/// What decides about a node without looking at other pods: equal ones are computed once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct NodeRules {
    pub node_name: Option<String>,
    pub node_selector: Labels,
    pub required: Option<NodeSelector>,
    pub tolerations: Vec<Toleration>,
    pub preferred: Vec<(i32, NodeSelectorTerm)>,
}

impl NodeRules {
    /// The rules of a pod.
    pub fn of(pod: &PodSpec) -> Self {
        let affinity = pod.affinity.as_ref().and_then(|all| all.node_affinity.as_ref());
        let preferred = affinity.map_or(&[][..], |affinity| &affinity.preferred);
        Self {
            node_name: pod.node_name.clone(),
            node_selector: pod.node_selector.clone(),
            required: affinity.and_then(|affinity| affinity.required.clone()),
            tolerations: pod.tolerations.clone(),
            preferred: preferred
                .iter()
                .map(|term| (term.weight, term.preference.clone()))
                .collect(),
        }
    }

    /// Whether the node's selector and required affinity match (`RequiredNodeAffinity.Match`).
    pub fn required_match(&self, node: &NodeSpec) -> bool {
        let selected = |(key, value): (&String, &String)| node.labels.get(key) == Some(value);
        self.node_selector.iter().all(selected)
            && self.required.as_ref().is_none_or(|required| {
                let terms = &required.node_selector_terms;
                terms.iter().any(|term| term_matches(term, node))
            })
    }

    /// The first taint that keeps pods away and is not tolerated (`FindMatchingUntoleratedTaint` with
    /// `DoNotScheduleTaintsFilterFunc`).
    pub fn untolerated_taint<'n>(&self, node: &'n NodeSpec) -> Option<&'n Taint> {
        let keeps_away = |taint: &&Taint| taint.effect != TaintEffect::PreferNoSchedule;
        let mut taints = node.taints.iter().filter(keeps_away);
        taints.find(|taint| !self.tolerates(taint))
    }

    /// Whether there is such a taint.
    pub fn is_kept_away_by_taints(&self, node: &NodeSpec) -> bool {
        self.untolerated_taint(node).is_some()
    }

    /// Whether the pod may go to cordoned nodes (`NodeUnschedulable.Filter`).
    pub fn tolerates_cordons(&self) -> bool {
        self.tolerates(&Taint {
            key: UNSCHEDULABLE_TAINT.to_owned(),
            value: String::new(),
            effect: TaintEffect::NoSchedule,
        })
    }

    /// How many `PreferNoSchedule` taints are not tolerated (`countIntolerableTaintsPreferNoSchedule`).
    pub fn unwanted_taints(&self, node: &NodeSpec) -> i64 {
        let discourages = |taint: &&Taint| taint.effect == TaintEffect::PreferNoSchedule;
        let unwanted = node
            .taints
            .iter()
            .filter(discourages)
            .filter(|taint| !self.tolerates(taint));
        unwanted.count() as i64
    }

    /// The weights of the preferred terms that match (`PreferredSchedulingTerms.Score`).
    pub fn preference(&self, node: &NodeSpec) -> i64 {
        let matching = self.preferred.iter().filter(|(_, term)| term_matches(term, node));
        matching.map(|(weight, _)| i64::from(*weight)).sum()
    }

    fn tolerates(&self, taint: &Taint) -> bool {
        use super::spec::TolerationOperator::{Equal, Exists};
        self.tolerations.iter().any(|toleration| {
            toleration.effect.is_none_or(|effect| effect == taint.effect)
                && (toleration.key.is_empty() || toleration.key == taint.key)
                && match toleration.operator {
                    Exists => true,
                    Equal => toleration.value == taint.value,
                }
        })
    }

    /// The nodes that the required terms name, where every term names some (`NodeAffinity.PreFilter`): an empty
    /// list where they exclude each other.
    pub fn named_nodes(&self) -> Option<Vec<&str>> {
        let terms = &self.required.as_ref()?.node_selector_terms;
        if terms.is_empty() {
            return None;
        }
        let mut all = Vec::new();
        for term in terms {
            let names_of = |requirement: &&NodeSelectorRequirement| {
                requirement.key == NAME_FIELD && requirement.operator == NodeSelectorOperator::In
            };
            let mut lists = term.match_fields.iter().filter(names_of);
            let first = lists.next()?;
            let rest: Vec<_> = lists.collect();
            let in_all = |name: &&String| rest.iter().all(|list| list.values.contains(name));
            all.extend(first.values.iter().filter(in_all).map(String::as_str));
        }
        all.sort_unstable();
        all.dedup();
        Some(all)
    }
}

/// Whether a term matches a node (`nodeSelectorTerm.match`).
fn term_matches(term: &NodeSelectorTerm, node: &NodeSpec) -> bool {
    let is_empty = term.match_expressions.is_empty() && term.match_fields.is_empty();
    !is_empty
        && (term.match_expressions.iter()).all(|requirement| label_matches(requirement, &node.labels))
        && (term.match_fields.iter()).all(|requirement| field_matches(requirement, &node.name))
}

fn label_matches(requirement: &NodeSelectorRequirement, labels: &Labels) -> bool {
    let value = labels.get(&requirement.key);
    let is_listed = || value.is_some_and(|value| requirement.values.contains(value));
    let bounds = || {
        let [bound] = requirement.values.as_slice() else {
            return None;
        };
        Some((value?.parse::<i64>().ok()?, bound.parse::<i64>().ok()?))
    };
    match requirement.operator {
        NodeSelectorOperator::In => is_listed(),
        NodeSelectorOperator::NotIn => !requirement.values.is_empty() && !is_listed(),
        NodeSelectorOperator::Exists => value.is_some(),
        NodeSelectorOperator::DoesNotExist => value.is_none(),
        NodeSelectorOperator::Gt => bounds().is_some_and(|(value, bound)| value > bound),
        NodeSelectorOperator::Lt => bounds().is_some_and(|(value, bound)| value < bound),
    }
}

/// About the name: one value, in or not in (`nodeSelectorRequirementsAsFieldSelector`).
fn field_matches(requirement: &NodeSelectorRequirement, name: &str) -> bool {
    let [value] = requirement.values.as_slice() else {
        return false;
    };
    // Of another field nodes have no value.
    let is_it = match requirement.key.as_str() {
        NAME_FIELD => value == name,
        _ => value.is_empty(),
    };
    match requirement.operator {
        NodeSelectorOperator::In => is_it,
        NodeSelectorOperator::NotIn => !is_it,
        _ => false,
    }
}

#[cfg(test)]
#[path = "selection_tests.rs"]
mod tests;
