//! The fleet in three states: nodes come and go, some change their region, namespaces change what they say of their
//! data, and pods that others call move.
//!
//! Output: one file as `kubectl get nodes,namespaces,pods -o json` prints it. Invariant: equal states are equal texts.

use serde_json::{Value, json};

/// How many states there are.
pub const STATES: usize = 3;
/// Nodes that are there in the first state.
const NODES: usize = 400;
/// Nodes that come in the second.
const NEW_NODES: usize = 40;
/// Pods that others call.
const CALLED_PODS: usize = 30;

/// Provider, region, and its zones.
const REGIONS: [(&str, &str, [&str; 3]); 10] = [
    (
        "aws",
        "eu-central-1",
        ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
    ),
    ("aws", "us-east-1", ["us-east-1a", "us-east-1b", "us-east-1c"]),
    (
        "gcp",
        "europe-west3",
        ["europe-west3-a", "europe-west3-b", "europe-west3-c"],
    ),
    (
        "gcp",
        "us-central1",
        ["us-central1-a", "us-central1-b", "us-central1-c"],
    ),
    ("aws", "eu-west-1", ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
    (
        "azure",
        "westeurope",
        ["westeurope-1", "westeurope-2", "westeurope-3"],
    ),
    (
        "gcp",
        "europe-west2",
        ["europe-west2-a", "europe-west2-b", "europe-west2-c"],
    ),
    ("aws", "ap-south-1", ["ap-south-1a", "ap-south-1b", "ap-south-1c"]),
    (
        "azure",
        "norwayeast",
        ["norwayeast-1", "norwayeast-2", "norwayeast-3"],
    ),
    ("azure", "eastus", ["eastus-1", "eastus-2", "eastus-3"]),
];

/// The name of a node; its state may put it elsewhere later.
pub fn node_name(number: usize) -> String {
    let (provider, region, _) = REGIONS[number % REGIONS.len()];
    format!("{provider}-{region}-pool-{number:05}")
}

/// The names of every node of every state.
pub fn node_names() -> impl Iterator<Item = String> {
    (0..NODES + NEW_NODES).map(node_name)
}

/// The names of the nodes that are in the US in the first state.
pub fn us_node_names() -> impl Iterator<Item = String> {
    let is_in_us = |number: &usize| {
        matches!(
            REGIONS[number % REGIONS.len()].1,
            "us-east-1" | "us-central1" | "eastus"
        )
    };
    (0..NODES + NEW_NODES).filter(is_in_us).map(node_name)
}

/// The fleet in a state.
pub fn text(state: usize) -> String {
    let mut items = namespaces(state);
    items.extend(
        (0..NODES + NEW_NODES)
            .filter(|number| is_there(*number, state))
            .map(|number| node(number, state)),
    );
    items.extend((0..CALLED_PODS).map(|number| called_pod(number, state)));
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    serde_json::to_string(&list).expect("JSON")
}

fn is_there(number: usize, state: usize) -> bool {
    match state {
        0 => number < NODES,
        1 => !number.is_multiple_of(7),
        _ => number < NODES && number % 11 != 3,
    }
}

fn node(number: usize, state: usize) -> Value {
    // In the last state every fifth node is where its neighbour was: a pool was made anew under the same names.
    let place = if state == 2 && number.is_multiple_of(5) {
        number + 1
    } else {
        number
    };
    let (provider, region, zones) = REGIONS[place % REGIONS.len()];
    let zone = zones[number / REGIONS.len() % zones.len()];
    let provider_id = match provider {
        "aws" => format!("aws:///{zone}/i-{number:017x}"),
        "gcp" => format!("gce://soak/{zone}/{}", node_name(number)),
        _ => format!(
            "azure:///subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/soak/providers/Microsoft.Compute/virtualMachineScaleSets/pool/virtualMachines/{number}"
        ),
    };
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": node_name(number), "labels": {
            "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux",
            "topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zone,
        }},
        "spec": {"providerID": provider_id},
        "status": {
            "capacity": {"cpu": "8", "memory": "32000000Ki", "pods": "58"},
            "allocatable": {"cpu": "7910m", "memory": "30900000Ki", "pods": "58"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        },
    })
}

fn namespaces(state: usize) -> Vec<Value> {
    let stated = |classification: &str, categories: &str, subjects: &str| {
        json!({
            "domicile.dev/data-classification": classification,
            "domicile.dev/data-categories": categories,
            "domicile.dev/data-subjects": subjects,
        })
    };
    let shop = match state {
        0 => stated("confidential", "personal", "DE,FR,NL"),
        1 => stated("confidential", "personal", "DE,FR,NL,GB"),
        _ => stated("confidential", "personal", "DE,US"),
    };
    let public_site = match state {
        0 => json!({"domicile.dev/data": "none"}),
        1 => stated("confidential", "personal", "US"),
        _ => json!({}),
    };
    let namespaces = [
        ("kube-system", json!({})),
        ("default", json!({})),
        ("shop", shop),
        ("shop-us", stated("confidential", "personal", "US")),
        ("payments", stated("restricted", "payment", "DE,FR,NL,US")),
        ("back-office", stated("internal", "none", "none")),
        ("analytics", json!({"domicile.dev/data": "by-workload"})),
        ("public-site", public_site),
    ];
    let object = |(name, annotations): (&str, Value)| {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": name, "labels": {"kubernetes.io/metadata.name": name}, "annotations": annotations,
        }})
    };
    namespaces.into_iter().map(object).collect()
}

fn called_pod(number: usize, state: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("cart-{number:02}"), "namespace": "shop", "uid": format!("cart-{number:02}"),
            "labels": {"app": "cart"},
        },
        "spec": {"nodeName": node_name(number * (state + 1)), "containers": [{"name": "cart", "image": "cart"}]},
        "status": {"phase": "Running"},
    })
}
