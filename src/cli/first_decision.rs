//! A ready-made call for a first decision, printed by `serve` on the embedded fleet.
//!
//! It is what kube-scheduler would ask: a pod of a namespace with personal data, and one node of each
//! region of the fleet.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::json;

use crate::model::{Category, Dimension, Namespace};
use crate::snapshot::Snapshot;

/// The most nodes that the call names: it is to be read by a person.
const MOST_NODES: usize = 4;

/// A `curl` command; `None` where the snapshot has no node or no namespace with personal data.
#[must_use]
pub fn first_decision(snapshot: &Snapshot, address: SocketAddr) -> Option<String> {
    let namespaces = snapshot.fleet().namespaces.as_ref()?;
    let (namespace, _) = namespaces
        .iter()
        .find(|(_, namespace)| holds_personal_data(namespace))?;
    // One node of each country, so that the policies have something to choose between.
    let mut by_country: BTreeMap<&str, &str> = BTreeMap::new();
    for node in snapshot.fleet().nodes.keys() {
        let class = snapshot
            .class_of(node.as_str().as_bytes())
            .and_then(|class| snapshot.class(class));
        let region = class.and_then(|class| class.region.as_ref());
        let region = region.and_then(|region| snapshot.policies().catalogue().region(region));
        if let Some(region) = region {
            by_country.entry(region.country.code()).or_insert(node.as_str());
        }
    }
    let nodes: Vec<&str> = by_country.into_values().take(MOST_NODES).collect();
    if nodes.is_empty() {
        return None;
    }
    let pod = json!({
        "metadata": {
            "name": "web",
            "namespace": namespace.as_str(),
            "annotations": { "domicile.dev/data-sets": "orders: reads=4 writes=1" },
        },
        "spec": { "containers": [] },
    });
    let body = json!({ "Pod": pod, "NodeNames": nodes });
    Some(format!(
        "curl -s http://{address}/filter -H 'Content-Type: application/json' -d '{body}'"
    ))
}

fn holds_personal_data(namespace: &Namespace) -> bool {
    let categories = namespace.annotations.profile.categories.iter().flatten();
    categories
        .into_iter()
        .any(|category| *category == Dimension::Is(Category::Personal))
}
