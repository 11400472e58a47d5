//! Objects of the API server for what a workload describes.

use std::collections::BTreeSet;

use domicile::simulation::kube::spec::{NodeSpec, ResourceList};
use k8s_openapi::api::core::v1 as core;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::workload::{Pod, Workload, ZONE};
use crate::objects::priority_class_name;

pub fn node(spec: &NodeSpec) -> core::Node {
    let zone = spec.labels.get(ZONE).map_or("nowhere", String::as_str);
    from(json!({
        "metadata": { "name": spec.name, "labels": spec.labels },
        "spec": {
            "providerID": format!("aws:///{zone}/i-{}", spec.name),
            "taints": spec.taints,
            "unschedulable": spec.unschedulable,
        },
        "status": {
            "capacity": spec.allocatable,
            "allocatable": spec.allocatable,
            "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady" }],
        },
    }))
}

/// A pod of one container, which goes away at once when deleted.
pub fn pod(pod: &Pod, scheduler: &str) -> core::Pod {
    let spec = &pod.spec;
    // Of extended resources a limit must be stated too.
    let extended = spec.requests.iter().filter(|(name, _)| name.contains('/'));
    let limits: ResourceList = extended.map(|(name, amount)| (name.clone(), *amount)).collect();
    let annotations = pod.annotations.iter().cloned();
    from(json!({
        "metadata": {
            "name": spec.name,
            "namespace": spec.namespace,
            "labels": spec.labels,
            "annotations": annotations.map(|(key, value)| (key.to_owned(), Value::from(value))).collect::<serde_json::Map<_, _>>(),
        },
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "schedulerName": scheduler,
            "priorityClassName": (spec.priority != 0).then(|| priority_class_name(spec.priority)),
            "nodeSelector": unless_empty(&spec.node_selector, spec.node_selector.is_empty()),
            "affinity": spec.affinity,
            "tolerations": unless_empty(&spec.tolerations, spec.tolerations.is_empty()),
            "topologySpreadConstraints":
                unless_empty(&spec.topology_spread_constraints, spec.topology_spread_constraints.is_empty()),
            "containers": [{
                "name": "main",
                "image": "registry.example/nothing:1",
                "resources": { "requests": spec.requests, "limits": limits },
            }],
        },
    }))
}

/// A service for each selector that pods say their services have: kube-scheduler looks them up.
pub fn services(workload: &Workload) -> Vec<(String, core::Service)> {
    let selected = workload.pods().filter_map(|pod| {
        let selector = pod.spec.default_spread_selector.as_ref()?;
        Some((pod.spec.namespace.clone(), selector.match_labels.clone()))
    });
    let selected: BTreeSet<_> = selected.collect();
    let services = selected
        .into_iter()
        .enumerate()
        .map(|(number, (namespace, selector))| {
            let service = from(json!({
                "metadata": { "name": format!("service-{number}"), "namespace": namespace },
                "spec": { "selector": selector, "ports": [{ "port": 80 }] },
            }));
            (namespace, service)
        });
    services.collect()
}

fn unless_empty<T: Serialize>(value: &T, is_empty: bool) -> Option<&T> {
    (!is_empty).then_some(value)
}

fn from<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a workload has the shape of Kubernetes' objects")
}
