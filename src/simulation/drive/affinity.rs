//! Where a pod may go, written into it when it is made: by a careful team, or by an admission webhook.
//!
//! Inputs: which regions of the fleet are permitted, or what admission asks of the labels of nodes; what a pod says. Outputs:
//! the same pod with a required node affinity. Invariants: what the pod required stays required; a pod to which no region
//! is permitted matches no node; what a webhook writes is merged by `admission`, as the served one does.
//! Deliberately absent: zones in what a team writes by hand, and facts that no label of a region tells.

use std::collections::{BTreeMap, BTreeSet};

use crate::admission::{Expression, Operator, OwnTerm, Term, merge};
use crate::model::PROVIDER_LABEL;
use crate::simulation::kube::spec::{
    Affinity, Labels, NodeAffinity, NodeSelector, NodeSelectorOperator, NodeSelectorRequirement,
    NodeSelectorTerm, PodSpec,
};
use crate::simulation::trace::REGION_LABEL;

/// The regions of a fleet by their labels: provider, where nodes say it, and region.
pub type RegionLabels = BTreeSet<(Option<String>, String)>;

/// Where a pod may go, as it is written into pods.
#[derive(Debug, Clone)]
pub enum Confinement {
    /// By a team, which knows the regions of its fleet.
    Regions(RegionLabels),
    /// By the webhook.
    Terms(Vec<Term>),
}

impl Confinement {
    /// The pod, confined.
    pub fn of(&self, spec: &PodSpec) -> PodSpec {
        match self {
            Self::Regions(permitted) => confined(spec, permitted),
            Self::Terms(terms) => admitted(spec, terms),
        }
    }
}

/// The labels by which a node says its region; `None` where it does not.
pub fn region_labels(labels: &Labels) -> Option<(Option<String>, String)> {
    let region = labels.get(REGION_LABEL)?.clone();
    Some((labels.get(PROVIDER_LABEL).cloned(), region))
}

/// The pod as the webhook leaves it.
fn admitted(spec: &PodSpec, terms: &[Term]) -> PodSpec {
    let mut admitted = spec.clone();
    let required = required_of(&mut admitted);
    let before = required.take().map(|own| own.node_selector_terms);
    let own: Option<Vec<OwnTerm>> = before.as_ref().map(|terms| terms.iter().map(own_term).collect());
    let merged = merge(own.as_deref(), terms).into_iter().map(|term| {
        let own = term.own.and_then(|number| before.as_ref()?.get(number)).cloned();
        let mut whole = own.unwrap_or_default();
        let added = term.added.into_iter().map(requirement);
        whole.match_expressions.extend(added);
        whole
    });
    *required = Some(NodeSelector {
        node_selector_terms: merged.collect(),
    });
    admitted
}

fn own_term(term: &NodeSelectorTerm) -> OwnTerm {
    let expressions = term.match_expressions.iter().map(|stated| Expression {
        key: stated.key.clone(),
        operator: match stated.operator {
            NodeSelectorOperator::In => Operator::In,
            NodeSelectorOperator::NotIn => Operator::NotIn,
            NodeSelectorOperator::Exists => Operator::Exists,
            NodeSelectorOperator::DoesNotExist => Operator::DoesNotExist,
            NodeSelectorOperator::Gt => Operator::Gt,
            NodeSelectorOperator::Lt => Operator::Lt,
        },
        values: stated.values.clone(),
    });
    OwnTerm {
        expressions: expressions.collect(),
        is_empty: term.match_expressions.is_empty() && term.match_fields.is_empty(),
    }
}

fn requirement(asked: &Expression) -> NodeSelectorRequirement {
    NodeSelectorRequirement {
        key: asked.key.clone(),
        operator: match asked.operator {
            Operator::In => NodeSelectorOperator::In,
            Operator::NotIn => NodeSelectorOperator::NotIn,
            Operator::Exists => NodeSelectorOperator::Exists,
            Operator::DoesNotExist => NodeSelectorOperator::DoesNotExist,
            Operator::Gt => NodeSelectorOperator::Gt,
            Operator::Lt => NodeSelectorOperator::Lt,
        },
        values: asked.values.clone(),
    }
}

/// The required node affinity of a pod.
fn required_of(spec: &mut PodSpec) -> &mut Option<NodeSelector> {
    let affinity = spec.affinity.get_or_insert_with(Affinity::default);
    let of_nodes = affinity.node_affinity.get_or_insert_with(NodeAffinity::default);
    &mut of_nodes.required
}

/// The pod, confined to these regions.
fn confined(spec: &PodSpec, permitted: &RegionLabels) -> PodSpec {
    let mut by_provider: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
    for (provider, region) in permitted {
        by_provider
            .entry(provider.as_deref())
            .or_default()
            .push(region.clone());
    }
    let terms: Vec<NodeSelectorTerm> = by_provider
        .into_iter()
        .map(|(provider, regions)| {
            let of_provider = provider.map(|provider| is_in(PROVIDER_LABEL, vec![provider.to_owned()]));
            let match_expressions = of_provider.into_iter().chain([is_in(REGION_LABEL, regions)]);
            NodeSelectorTerm {
                match_expressions: match_expressions.collect(),
                match_fields: Vec::new(),
            }
        })
        .collect();
    let mut confined = spec.clone();
    let required = required_of(&mut confined);
    let own = required.take();
    let node_selector_terms = match own {
        None => terms,
        Some(own) => both(&own.node_selector_terms, &terms),
    };
    *required = Some(NodeSelector { node_selector_terms });
    confined
}

fn is_in(key: &str, values: Vec<String>) -> NodeSelectorRequirement {
    NodeSelectorRequirement {
        key: key.to_owned(),
        operator: NodeSelectorOperator::In,
        values,
    }
}

/// One term of each: terms are joined by or, and what is in one by and.
fn both(own: &[NodeSelectorTerm], ours: &[NodeSelectorTerm]) -> Vec<NodeSelectorTerm> {
    let pairs = own
        .iter()
        .flat_map(|own| ours.iter().map(move |ours| (own, ours)));
    pairs
        .map(|(own, ours)| NodeSelectorTerm {
            match_expressions: [own.match_expressions.clone(), ours.match_expressions.clone()].concat(),
            match_fields: [own.match_fields.clone(), ours.match_fields.clone()].concat(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_terms_stay_and_nothing_permitted_matches_nothing() {
        let spec: PodSpec = serde_saphyr::from_str(
            "{namespace: a, name: p, affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: \
             {nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: Exists}]}]}}}}",
        )
        .expect("a pod");
        let regions = RegionLabels::from([
            (Some("aws".to_owned()), "eu-west-1".to_owned()),
            (Some("aws".to_owned()), "eu-central-1".to_owned()),
            (None, "europe-west3".to_owned()),
        ]);
        let terms = |spec: &PodSpec| {
            let affinity = spec.affinity.as_ref()?.node_affinity.as_ref()?;
            Some(affinity.required.as_ref()?.node_selector_terms.clone())
        };
        let confined_terms = terms(&confined(&spec, &regions)).expect("terms");
        assert_eq!(confined_terms.len(), 2, "one for each provider");
        let keys: Vec<&str> = confined_terms[1]
            .match_expressions
            .iter()
            .map(|of| of.key.as_str())
            .collect();
        assert_eq!(keys, ["disk", PROVIDER_LABEL, REGION_LABEL]);
        assert_eq!(
            confined_terms[1].match_expressions[2].values,
            ["eu-central-1", "eu-west-1"]
        );
        assert_eq!(terms(&confined(&spec, &RegionLabels::new())), Some(Vec::new()));
    }

    #[test]
    fn what_the_webhook_writes_joins_each_term_and_is_not_said_twice() {
        let spec: PodSpec = serde_saphyr::from_str(
            "{namespace: a, name: p, affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: \
             {nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: Exists}]}, \
             {matchFields: [{key: metadata.name, operator: In, values: [n1]}]}]}}}}",
        )
        .expect("a pod");
        let term = |values: &[&str]| Term {
            expressions: vec![Expression::new(
                REGION_LABEL,
                Operator::In,
                values.iter().copied(),
            )],
        };
        let ours = Confinement::Terms(vec![term(&["eu-central-1", "eu-west-1"])]);
        let once = ours.of(&spec);
        let terms = &once.affinity.as_ref().expect("affinity").node_affinity;
        let terms = &terms
            .as_ref()
            .expect("of nodes")
            .required
            .as_ref()
            .expect("required")
            .node_selector_terms;
        let keys = |term: &NodeSelectorTerm| -> Vec<String> {
            term.match_expressions.iter().map(|of| of.key.clone()).collect()
        };
        assert_eq!(keys(&terms[0]), ["disk", REGION_LABEL]);
        assert_eq!(keys(&terms[1]), [REGION_LABEL]);
        assert_eq!(terms[1].match_fields.len(), 1, "what the pod asks of names stays");
        assert_eq!(ours.of(&once), once, "merging twice is merging once");
    }
}
