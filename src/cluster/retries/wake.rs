//! The one write that wakes a pod.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::queue::Retry;
use crate::model::PodKey;

/// The type of our condition.
pub const CONDITION: &str = "domicile.dev/PlacementChanged";

/// What became of waking a pod.
#[derive(Debug)]
pub enum Waken {
    /// kube-scheduler looks at it again.
    Woken,
    /// It is gone, or another one by now.
    Gone,
    /// The API server did not take it.
    Failed(kube::Error),
}

/// Sets our condition on a pod, which makes kube-scheduler look at it again, and at no other.
pub async fn wake(client: Client, key: &PodKey, retry: &Retry, now: Timestamp) -> Waken {
    let condition = json!({
        "type": CONDITION,
        "status": "True",
        "reason": "FactsChanged",
        // A condition that is equal to the last one would be no change and wake nobody.
        "message": format!("snapshot {} at {now:.3}", retry.reason.snapshot),
        "lastTransitionTime": now.round(jiff::Unit::Second).unwrap_or(now).to_string(),
    });
    let pods: Api<Pod> = Api::namespaced(client, key.namespace.as_str());
    // The UID keeps the condition from a pod that was made anew under this name.
    let body = Patch::Strategic(json!({
        "metadata": { "uid": &*retry.uid },
        "status": { "conditions": [condition] },
    }));
    match pods.patch_status(&key.name, &PatchParams::default(), &body).await {
        Ok(_) => Waken::Woken,
        // Another UID is a conflict, or invalid, as the API server has it.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409 | 422) => Waken::Gone,
        Err(error) => Waken::Failed(error),
    }
}
