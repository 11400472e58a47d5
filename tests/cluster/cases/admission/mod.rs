//! The webhook beside the real API server, and what kube-scheduler makes of the pods that passed it.
//!
//! Domicile is extender and webhook in one process. `sampling` and `spread` are what an extender alone cannot do;
//! each shows that too, before the webhook is registered.

mod absence;
mod affinity;
mod load;
mod nowhere;
mod other_webhooks;
mod places;
mod rotation;
mod sampling;
mod spread;
mod templates;
mod validation;

use k8s_openapi::api::core::v1 as core;
use serde_json::Value;

/// The terms of a pod's required node affinity, as JSON; none when it has none.
fn required_terms(pod: &core::Pod) -> Vec<Value> {
    let affinity = pod.spec.as_ref().and_then(|spec| spec.affinity.as_ref());
    let of_nodes = affinity.and_then(|affinity| affinity.node_affinity.as_ref());
    let required = of_nodes.and_then(|of_nodes| {
        of_nodes
            .required_during_scheduling_ignored_during_execution
            .as_ref()
    });
    let terms = required.map_or(&[][..], |required| &required.node_selector_terms[..]);
    let terms = terms.iter();
    terms
        .map(|term| serde_json::to_value(term).expect("a term is JSON"))
        .collect()
}

/// Whether a term asks for one of some regions, all of them in the EEA as far as these fleets go.
fn is_confined(term: &Value) -> bool {
    let expressions = term["matchExpressions"].as_array().into_iter().flatten();
    let mut regions = expressions.filter(|expression| {
        expression["key"] == "topology.kubernetes.io/region" && expression["operator"] == "In"
    });
    regions.any(|expression| {
        let values: Vec<&str> = (expression["values"].as_array().into_iter().flatten())
            .filter_map(Value::as_str)
            .collect();
        values.contains(&"eu-central-1") && !values.contains(&"us-east-1") && !values.contains(&"eu-west-2")
    })
}
