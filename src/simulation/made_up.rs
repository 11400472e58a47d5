//! What a run file describes in short, as the events of a trace: its nodes, namespaces and workloads.
//!
//! Inputs: a checked run file, a seed. Outputs: events. Invariants: what is made up is read by nobody in another
//! way than what a trace says; pods that come at one time come in an order that the seed decides alone.

use std::collections::BTreeMap;

use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64;

use super::kube::Quantity;
use super::kube::spec::{NodeSpec, ResourceList};
use super::run_file::{NodeGroupSpec, RunFile, WorkloadSpec};
use super::trace::{Event, TraceNamespace, TraceNode, TracePod, What};
use crate::model::{NamespaceName, Owner, RegionKey};

/// The stream of random numbers that orders pods.
const ORDER_STREAM: u128 = 0;

/// The namespaces and nodes that a run file makes up, at `t` 0.
pub fn fleet_events(run: &RunFile) -> Vec<Event> {
    let namespaces = run.fleet.namespaces.iter().filter_map(|namespace| {
        // The run file has been checked, here and below.
        Some(What::NamespaceSet(TraceNamespace {
            namespace: NamespaceName::new(&namespace.name).ok()?,
            labels: namespace.labels.clone(),
            annotations: namespace.annotations.clone(),
        }))
    });
    let nodes = run.fleet.nodes.iter().flat_map(nodes);
    namespaces
        .chain(nodes)
        .map(|what| Event { t_ms: 0, what })
        .collect()
}

fn nodes(group: &NodeGroupSpec) -> Vec<What> {
    let Ok(region) = RegionKey::parse(&group.region) else {
        return Vec::new();
    };
    let mut nodes = Vec::new();
    for zone in &group.zones {
        for number in 1..=group.nodes_per_zone {
            let spec = NodeSpec {
                name: format!("{}-{zone}-{number:03}", region.provider()),
                labels: BTreeMap::new(),
                allocatable: ResourceList::from([
                    ("cpu".to_owned(), group.cpu),
                    ("memory".to_owned(), group.memory),
                    ("pods".to_owned(), Quantity::whole(group.pods)),
                ]),
                taints: Vec::new(),
                unschedulable: false,
            };
            let node = TraceNode::in_region(spec, &region, Some(zone));
            nodes.push(What::NodeAdd(Box::new(node)));
        }
    }
    nodes
}

/// The pods of the workloads of a run file.
pub fn pod_events(run: &RunFile, seed: u64) -> Vec<Event> {
    let pods = run.workloads.iter().flat_map(|workload| {
        (0..workload.pods).map(move |ordinal| Event {
            t_ms: workload.at_ms,
            what: What::PodCreate(Box::new(pod(workload, ordinal))),
        })
    });
    let mut pods: Vec<Event> = pods.collect();
    pods.shuffle(&mut Pcg64::new(u128::from(seed), ORDER_STREAM));
    // The sort is stable.
    pods.sort_by_key(|event| event.t_ms);
    pods
}

fn pod(workload: &WorkloadSpec, ordinal: usize) -> TracePod {
    let name = format!("{}-{ordinal}", workload.name);
    TracePod {
        uid: format!("{}/{name}", workload.namespace),
        owner: Some(Owner {
            kind: "Deployment".to_owned(),
            name: workload.name.clone(),
        }),
        annotations: workload.annotations.clone(),
        spec: workload.pod(name),
    }
}
