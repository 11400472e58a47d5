//! Everything that decides, listed once: a cluster as the text of a fleet file.
//!
//! Inputs: a client. Outputs: typed lists as `kubectl get -o json` prints them, one after the other, so that whoever reads a
//! fleet file reads a cluster by the same code. Invariants: each kind is there, even where there is no object of it; what a
//! heartbeat changes is left out, and so is what may hold secrets. Deliberately absent: what changes later, which is for the watches.

use k8s_openapi::api::core::v1;
use k8s_openapi::api::storage::v1 as storage;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use serde_json::{Map, Value, json};

/// Objects of one list page: a full node is about 17 kB, so a page stays under ten megabytes.
const PAGE_SIZE: u32 = 500;

/// Of `status`, what can be allocated, whether a pod has ended and whether it is ready; the rest tells what happens.
const KEPT_OF_STATUS: [&str; 2] = ["allocatable", "phase"];

/// Of containers, what may hold secrets and decides nothing.
const LEFT_OUT_OF_CONTAINERS: [&str; 8] = [
    "env",
    "envFrom",
    "args",
    "command",
    "lifecycle",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
];

/// Where kubectl keeps the whole of an object again, secrets included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The condition that is kept of pods: whether they can serve the data that they hold.
const READY: &str = "Ready";

/// Lists the nodes, namespaces, claims, volumes, storage classes and pods of a cluster.
///
/// # Errors
/// Where the API server cannot be asked, or may not tell.
pub async fn list_fleet(client: &Client) -> Result<String, kube::Error> {
    let mut text = String::new();
    for resource in [
        ApiResource::erase::<v1::Node>(&()),
        ApiResource::erase::<v1::Namespace>(&()),
        ApiResource::erase::<v1::PersistentVolumeClaim>(&()),
        ApiResource::erase::<v1::PersistentVolume>(&()),
        ApiResource::erase::<storage::StorageClass>(&()),
        ApiResource::erase::<v1::Pod>(&()),
    ] {
        let items = list(client, &resource).await?;
        let list = json!({
            "apiVersion": resource.api_version,
            "kind": format!("{}List", resource.kind),
            "items": items,
        });
        text.push_str(&list.to_string());
        text.push('\n');
    }
    Ok(text)
}

async fn list(client: &Client, resource: &ApiResource) -> Result<Vec<Value>, kube::Error> {
    let objects: Api<DynamicObject> = Api::all_with(client.clone(), resource);
    let mut parameters = ListParams::default().limit(PAGE_SIZE);
    let mut items = Vec::new();
    loop {
        let page = objects.list(&parameters).await?;
        for object in page.items {
            let item = serde_json::to_value(&object).map_err(kube::Error::SerdeError)?;
            items.push(reduced(item, resource.kind == "Pod"));
        }
        parameters.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
        if parameters.continue_token.is_none() {
            return Ok(items);
        }
    }
}

/// The object without what is large, restless or secret and decides nothing.
fn reduced(mut object: Value, is_pod: bool) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        metadata.remove("resourceVersion");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
        }
    }
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        let containers = object.get_mut("spec").and_then(|spec| spec.get_mut(list));
        let containers = containers.and_then(Value::as_array_mut).into_iter().flatten();
        for container in containers.filter_map(Value::as_object_mut) {
            for field in LEFT_OUT_OF_CONTAINERS {
                container.remove(field);
            }
        }
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        let ready = ready_condition(status);
        *status = std::mem::take(status)
            .into_iter()
            .filter(|(field, _)| KEPT_OF_STATUS.contains(&field.as_str()))
            .collect::<Map<_, _>>();
        // A node has one too, and loses it with its heartbeat.
        if let Some(ready) = ready.filter(|_| is_pod) {
            status.insert("conditions".to_owned(), json!([ready]));
        }
    }
    // The kind is that of the list, as kubectl has it within typed lists.
    if let Some(fields) = object.as_object_mut() {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    object
}

/// Whether a pod is ready, without since when.
fn ready_condition(status: &Map<String, Value>) -> Option<Value> {
    let mut conditions = status.get("conditions")?.as_array()?.iter();
    let ready = conditions.find(|condition| condition.get("type").and_then(Value::as_str) == Some(READY))?;
    Some(json!({"type": READY, "status": ready.get("status")?}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hold_secrets_is_left_out() {
        let pod = json!({
            "metadata": {"name": "p", "annotations": {LAST_APPLIED: "{\"password\"}", "a": "b"}},
            "spec": {
                "nodeName": "n",
                "initContainers": [{"name": "i", "args": ["--password=x"]}],
                "containers": [{"name": "c", "env": [{"name": "PASSWORD", "value": "x"}], "resources": {"requests": {"cpu": "1"}}}],
            },
        });
        assert_eq!(
            reduced(pod, true),
            json!({
                "metadata": {"name": "p", "annotations": {"a": "b"}},
                "spec": {
                    "nodeName": "n",
                    "initContainers": [{"name": "i"}],
                    "containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}],
                },
            })
        );
    }

    #[test]
    fn what_is_restless_is_left_out_and_what_decides_is_not() {
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "n", "resourceVersion": "7", "managedFields": [{}], "labels": {"a": "b"}},
            "spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]},
            "status": {"allocatable": {"cpu": "4"}, "conditions": [{}], "images": [{}]},
        });
        assert_eq!(
            reduced(node, false),
            json!({
                "metadata": {"name": "n", "labels": {"a": "b"}},
                "spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]},
                "status": {"allocatable": {"cpu": "4"}},
            })
        );
    }

    #[test]
    fn of_a_pod_it_stays_whether_it_is_ready_and_not_since_when() {
        let pod = json!({
            "metadata": {"name": "p"},
            "status": {"phase": "Running", "conditions": [
                {"type": "PodScheduled", "status": "True"},
                {"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-22T00:00:00Z"},
            ]},
        });
        assert_eq!(
            reduced(pod, true),
            json!({
                "metadata": {"name": "p"},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]},
            })
        );
    }
}
