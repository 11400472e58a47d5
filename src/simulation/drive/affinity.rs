//! The permitted regions written into a pod, as a careful team or an admission webhook does.
//!
//! Inputs: which node classes are permitted, what a pod says. Outputs: the same pod with a required node affinity.
//! Invariants: what the pod required stays required; a pod to which nothing is permitted matches no node; regions are
//! named by the labels that nodes have. Deliberately absent: zones, and facts that no label of a region tells.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::PROVIDER_LABEL;
use crate::simulation::kube::spec::{
    Affinity, Labels, NodeAffinity, NodeSelector, NodeSelectorOperator, NodeSelectorRequirement,
    NodeSelectorTerm, PodSpec,
};
use crate::simulation::trace::REGION_LABEL;

/// The regions of a fleet by their labels: provider, where nodes say it, and region.
pub type RegionLabels = BTreeSet<(Option<String>, String)>;

/// The labels by which a node says its region; `None` where it does not.
pub fn region_labels(labels: &Labels) -> Option<(Option<String>, String)> {
    let region = labels.get(REGION_LABEL)?.clone();
    Some((labels.get(PROVIDER_LABEL).cloned(), region))
}

/// The pod, confined to these regions.
pub fn confined(spec: &PodSpec, permitted: &RegionLabels) -> PodSpec {
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
    let affinity = confined.affinity.get_or_insert_with(Affinity::default);
    let of_nodes = affinity.node_affinity.get_or_insert_with(NodeAffinity::default);
    let own = of_nodes.required.take();
    let node_selector_terms = match own {
        None => terms,
        Some(own) => both(&own.node_selector_terms, &terms),
    };
    of_nodes.required = Some(NodeSelector { node_selector_terms });
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
}
