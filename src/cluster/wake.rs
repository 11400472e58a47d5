//! Waking pods that a change may have made schedulable.
//!
//! kube-scheduler retries a pod that an extender refused only when something that *it* watches changes,
//! or after five minutes; a policy file, a namespace or our own late sight of a node is nothing to it.
//! Patching a condition of our own on `pods/status` wakes that pod alone (docs/kube-scheduler.md).
//!
//! Inputs: the snapshots before a change, and the one after it. Effects: patches, at most
//! [`MOST_PATCHES`] for one change. Invariants: a pod is woken only when a node is permitted that one of
//! the snapshots before refused; at the start, when nobody knows what decided before, every pod that might
//! be refused and is permitted somewhere is woken. Pods whose node affinity became stale by the change are told so by an
//! Event: nobody can widen it, and kube-scheduler need not ask us about them at all. Deliberately absent: election among
//! replicas; two that wake the same pod cost one needless attempt.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::model::PodRequirements;
use crate::objects;
use crate::objects::annotations::ADMITTED_PLACES;
use crate::placement::assess;
use crate::pod_events::PodEvents;
use crate::publish::Publication;
use crate::snapshot::Snapshot;

/// Pods that are woken for one change: kube-scheduler works through a queue, and a pod that was not
/// woken is retried by its own flush within minutes.
pub const MOST_PATCHES: usize = 500;

/// Pods that are read for one list page.
const PAGE_SIZE: u32 = 500;

/// The type of our condition.
pub const CONDITION: &str = "domicile.dev/PlacementChanged";

/// Wakes the pending pods that the change concerns, and tells how many; pods with a stale node affinity are told so.
/// `before` holds every snapshot that may have refused a pod since pods were woken last; empty where that is not
/// known.
///
/// # Errors
/// Where the API server cannot be asked; the pods are then retried when kube-scheduler does so itself.
pub async fn wake(
    client: &Client,
    before: &[Arc<Snapshot>],
    after: &Snapshot,
    events: &PodEvents,
    now: Timestamp,
) -> Result<usize, kube::Error> {
    let pods: Api<Pod> = Api::all(client.clone());
    let unbound = "spec.nodeName=,status.phase=Pending";
    let mut parameters = ListParams::default().fields(unbound).limit(PAGE_SIZE);
    let mut woken = 0;
    loop {
        let page = pods.list(&parameters).await?;
        for pod in &page.items {
            let asked = refused_once(pod) && woken < MOST_PATCHES;
            if !asked && !was_confined(pod) {
                continue;
            }
            let Some(read) = read(pod) else { continue };
            if was_confined(pod) {
                events.tell_if_stale(&assess(after, &read, now), &read);
            }
            if asked && is_widened(&read, before, after, now) {
                patch(client, pod, after, now).await?;
                woken += 1;
            }
        }
        parameters.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
        if parameters.continue_token.is_none() {
            return Ok(woken);
        }
    }
}

/// Whether kube-scheduler looked for a node in vain.
fn refused_once(pod: &Pod) -> bool {
    pod.status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
}

/// Whether admission wrote places on it.
fn was_confined(pod: &Pod) -> bool {
    let annotations = pod.metadata.annotations.as_ref();
    annotations.is_some_and(|annotations| annotations.contains_key(ADMITTED_PLACES))
}

fn read(pod: &Pod) -> Option<PodRequirements> {
    let json = serde_json::to_vec(pod).ok()?;
    objects::pod_from_json(&json).ok()
}

/// Whether some node passes after a change that a snapshot before it did not let pass, be it that it is
/// permitted now or that the settings only observe now.
#[must_use]
pub fn is_widened(pod: &PodRequirements, before: &[Arc<Snapshot>], after: &Snapshot, now: Timestamp) -> bool {
    let is = assess(after, pod, now);
    let newly_passes = |was: &dyn Fn(&[u8]) -> bool| {
        after.fleet().nodes.keys().any(|node| {
            let name = node.as_str().as_bytes();
            is.passes(after.class_of(name)) && !was(name)
        })
    };
    if before.is_empty() {
        // Any other pod was never refused by us.
        return is.may_be_refused() && newly_passes(&|_| false);
    }
    before.iter().any(|before| {
        let was = assess(before, pod, now);
        newly_passes(&|name| was.passes(before.class_of(name)))
    })
}

async fn patch(client: &Client, pod: &Pod, after: &Snapshot, now: Timestamp) -> Result<(), kube::Error> {
    let (Some(name), Some(namespace)) = (pod.metadata.name.as_deref(), pod.metadata.namespace.as_deref())
    else {
        return Ok(());
    };
    let condition = json!({
        "type": CONDITION,
        "status": "True",
        "reason": "FactsChanged",
        // A condition that is equal to the last one would be no change and wake nobody.
        "message": format!("snapshot {}", after.id()),
        "lastTransitionTime": now.round(jiff::Unit::Second).unwrap_or(now).to_string(),
    });
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let body = Patch::Strategic(json!({ "status": { "conditions": [condition] } }));
    match api.patch_status(name, &PatchParams::default(), &body).await {
        // It was bound or deleted meanwhile.
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        other => other.map(|_| ()),
    }
}

/// How long publications are gathered before pods are woken for them together.
const GATHER: Duration = Duration::from_millis(500);

/// Wakes pods after each publication, for as long as somebody publishes.
///
/// Each snapshot that decided, however shortly, may have refused a pod, so all that are seen while
/// publications are gathered count as before. One that comes and goes while pods are being patched is
/// not seen; whom it refused waits for kube-scheduler's own flush.
pub async fn wake_after_publications(
    client: Client,
    mut publications: watch::Receiver<Publication>,
    events: PodEvents,
    clock: fn() -> Timestamp,
) {
    let mut before: Vec<Arc<Snapshot>> = Vec::new();
    while publications.changed().await.is_ok() {
        let Some(after) = gather(&mut publications, &mut before).await else {
            continue;
        };
        // Running pods never keep a node from anybody.
        let same_nodes = |before: &Arc<Snapshot>| before.shares_all_but_running(&after);
        if !before.is_empty() && before.iter().all(same_nodes) {
            before = vec![after];
            continue;
        }
        match wake(&client, &before, &after, &events, clock()).await {
            Ok(0) => {}
            Ok(woken) => tracing::info!(woken, snapshot = after.id(), "pods are woken for a change"),
            Err(problem) => {
                tracing::warn!(%problem, "pods cannot be woken; kube-scheduler retries them within minutes");
            }
        }
        before = vec![after];
    }
}

/// The snapshot that decides once the publications of the moment are gathered; those that it replaced
/// are added to `before`, which stays empty where there was none.
async fn gather(
    publications: &mut watch::Receiver<Publication>,
    before: &mut Vec<Arc<Snapshot>>,
) -> Option<Arc<Snapshot>> {
    let end = Instant::now() + GATHER;
    let is_start = before.is_empty();
    let mut after = publications.borrow_and_update().current.clone()?;
    while let Ok(Ok(())) = timeout_at(end, publications.changed()).await {
        let next = publications.borrow_and_update().current.clone()?;
        let replaced = std::mem::replace(&mut after, next);
        if !is_start {
            before.push(replaced);
        }
    }
    Some(after)
}
