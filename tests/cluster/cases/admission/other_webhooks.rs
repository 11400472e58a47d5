//! Another mutating webhook that changes pods after ours.

use serde_json::{Value, json};

use super::{is_confined, required_terms};
use crate::cases::fleet::{EEA_PERSONAL, aws};
use crate::cases::stand::{LIMIT, Plan, admitted_by};
use crate::mutator;
use crate::webhook::{FailurePolicy, Webhook};

const TERMS: &str =
    "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/-";

/// Adds a way out: nodes with a fast disk, wherever they are. A forged note of our own comes with it.
fn adds_a_way_out(pod: &Value) -> Value {
    let is_there = pod["spec"]["affinity"].is_object();
    let has_it = pod.to_string().contains("\"disk\"");
    if !is_there || has_it {
        return json!([]);
    }
    json!([
        { "op": "add", "path": TERMS, "value": { "matchExpressions": [{ "key": "disk", "operator": "In", "values": ["ssd"] }] } },
        { "op": "add", "path": "/metadata/annotations/domicile.dev~1admitted-by", "value": "somebody else" },
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_webhook_adds_after_ours_is_confined_too() {
    let stand = Plan::begin("reinvocation")
        .await
        .admission()
        .nodes([
            aws("frankfurt", "eu-central-1").cpu("1"),
            aws("virginia", "us-east-1").label("disk", "ssd"),
        ])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    let authority = &stand.scenario.plane.certificates.authority;
    let issued = authority.server(&stand.scenario.directory, "mutator");
    let url = mutator::start(&issued, adds_a_way_out);
    let other = Webhook::of_a_test("zz-later", &url, &authority.file);
    cluster.register(&other).await;
    stand.register(FailurePolicy::Fail).await;
    let lane = &stand.lanes[0];
    let has_both = |pod: &k8s_openapi::api::core::v1::Pod| {
        let terms = required_terms(pod);
        terms.iter().any(|term| term.to_string().contains("\"disk\""))
    };
    let canary = lane.pod("canary").in_namespace("shop");
    cluster
        .until_admission("both webhooks are asked", &canary, |tried| {
            tried.as_ref().is_ok_and(has_both)
        })
        .await;

    let pod = cluster.create_pod(&lane.pod("web").in_namespace("shop")).await;
    let terms = required_terms(&pod);
    assert!(terms.len() >= 2 && has_both(&pod), "{terms:?}");
    assert!(terms.iter().all(is_confined), "{terms:?}");
    let note = admitted_by(&pod).unwrap_or_default();
    assert!(note.starts_with("policies="), "{note}");
    assert_eq!(cluster.until_bound(&pod, LIMIT).await, "frankfurt");
}
