//! A fleet that a run file describes, as the text of a fleet file: it is read back by the one reader of
//! fleet files, so a simulated node is labelled and judged as a real one.

use serde_json::{Value, json};

use super::run_file::{FleetSpec, NodeGroupSpec};
use crate::model::RegionKey;

/// Writes a List of the nodes and namespaces.
#[must_use]
pub fn fleet_text(spec: &FleetSpec) -> String {
    let namespaces = spec.namespaces.iter().map(|namespace| {
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": namespace.name,
                "labels": namespace.labels,
                "annotations": namespace.annotations,
            },
        })
    });
    let nodes = spec.nodes.iter().flat_map(nodes);
    let items: Vec<Value> = namespaces.chain(nodes).collect();
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

fn nodes(group: &NodeGroupSpec) -> Vec<Value> {
    let Ok(region) = RegionKey::parse(&group.region) else {
        // The run file has been checked.
        return Vec::new();
    };
    let mut nodes = Vec::new();
    for zone in &group.zones {
        for number in 1..=group.nodes_per_zone {
            let name = format!("{}-{zone}-{number:03}", region.provider());
            nodes.push(json!({
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": name,
                    "labels": {
                        "domicile.dev/provider": region.provider(),
                        "topology.kubernetes.io/region": region.region(),
                        "topology.kubernetes.io/zone": zone,
                    },
                },
                "status": {"allocatable": {
                    "cpu": group.cpu,
                    "memory": group.memory,
                    "pods": group.pods.to_string(),
                }},
            }));
        }
    }
    nodes
}
