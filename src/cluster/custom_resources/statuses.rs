//! What became of each object, written into its status.
//!
//! Inputs: the objects, what judges them, whether this replica leads. Effects: server-side apply on `/status`, for an
//! object whose status says something else. Invariants: only a replica that leads writes; what was judged is what the
//! object says; at most [`ROUNDS_APART`] a round, so that two writers that disagree do not chase each other. A status that cannot be
//! written is tried again with the next round.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::follow::{CustomState, resource_of};
use crate::custom_resources::{CustomResource, Judgement, Status, status_of};
use crate::policy::{DATA_SET, GROUP, VERSION};

/// The least time between two rounds of writing.
pub const ROUNDS_APART: Duration = Duration::from_secs(1);

/// Who writes, as `managedFields` has it.
const MANAGER: &str = "domicile";

/// What judges, and when.
pub struct StatusSettings {
    /// Judges the policies and the data sets as they are now; slow, so it is not called where it would block others.
    pub judge: Arc<dyn Fn(Timestamp) -> Judgements + Send + Sync>,
    /// Whether this replica writes at present.
    pub leads: Arc<dyn Fn() -> bool + Send + Sync>,
    /// How often sources are looked at that announce nothing here, such as files, and dates that pass.
    pub every: Duration,
    /// The clock.
    pub clock: fn() -> Timestamp,
}

/// The judgements of the policies and of the data sets; `None` where the cluster has no say in them.
pub type Judgements = (Option<Arc<Judgement>>, Option<Arc<Judgement>>);

/// Keeps the statuses of objects for as long as somebody tells of them.
pub async fn keep_statuses(
    client: Client,
    mut states: watch::Receiver<CustomState>,
    settings: StatusSettings,
) {
    loop {
        // Nobody tells any more.
        if let Ok(Err(_)) = timeout(settings.every, states.changed()).await {
            return;
        }
        sleep(ROUNDS_APART).await;
        let state = states.borrow_and_update().clone();
        let Some(objects) = state
            .objects
            .filter(|_| state.problem.is_none() && (settings.leads)())
        else {
            continue;
        };
        let now = (settings.clock)();
        let judge = settings.judge.clone();
        let Ok((policies, data_sets)) = tokio::task::spawn_blocking(move || judge(now)).await else {
            continue;
        };
        for object in objects.iter() {
            let judgement = match object.kind == DATA_SET {
                true => &data_sets,
                false => &policies,
            };
            let wanted = judgement
                .as_ref()
                .and_then(|judgement| status_of(object, judgement, now));
            if let Some(wanted) = wanted
                && let Err(problem) = write(&client, object, &wanted).await
            {
                tracing::warn!(object = object.text.name, %problem, "a status cannot be written and is tried again");
            }
        }
    }
}

async fn write(client: &Client, object: &CustomResource, status: &Status) -> Result<(), kube::Error> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource_of(object.kind));
    let patch = json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": object.kind.kind,
        // Another object that has taken its name is none of this one's business.
        "metadata": {"name": object.name.as_ref(), "uid": object.uid},
        "status": status,
    });
    let parameters = PatchParams::apply(MANAGER).force();
    match api
        .patch_status(&object.name, &parameters, &Patch::Apply(patch))
        .await
    {
        // It is gone, or another: whoever watches hears of it.
        Err(kube::Error::Api(answer)) if answer.code == 404 || answer.code == 409 => Ok(()),
        other => other.map(|_| ()),
    }
}
