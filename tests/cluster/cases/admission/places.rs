//! Places that change after a pod was admitted: what it requires of nodes is of then, what the extender says of now.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::{is_confined, required_terms};
use crate::cases::fleet::{EEA_PERSONAL, aws};
use crate::cases::stand::{LIMIT, Plan, Stand};
use crate::webhook::FailurePolicy;
use crate::{http, waiting};

const NARROWED: &str = "domicile: `eea-personal-data/place` permits only FR";

/// What domicile answers to kube-scheduler about a pod of the namespace `shop`.
async fn filter(stand: &Stand) -> String {
    let body = json!({
        "Pod": { "metadata": { "name": "web", "namespace": "shop" }, "spec": {} },
        "Nodes": null,
        "NodeNames": ["frankfurt"],
    });
    let body = body.to_string();
    let answer = http::exchange(stand.domicile.address(), "POST", "/filter", body.as_bytes()).await;
    answer.expect("domicile answers").text()
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the copy can be written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_whose_places_were_narrowed_since_is_refused_by_the_extender() {
    let mut plan = Plan::begin("narrowed").await.admission();
    let policies = plan.own_policies();
    let stand = plan
        .nodes([aws("frankfurt", "eu-central-1"), aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    stand.register(FailurePolicy::Fail).await;
    // A gate holds the pods back, as a queue would.
    let mut pods = Vec::new();
    for lane in &stand.lanes {
        let pod = lane.pod("web").in_namespace("shop");
        let pod = pod.with("schedulingGates", json!([{ "name": "example.org/quota" }]));
        let pod = cluster.create_pod(&pod).await;
        let terms = required_terms(&pod);
        assert!(!terms.is_empty() && terms.iter().all(is_confined), "{terms:?}");
        pods.push(pod);
    }

    let file = policies.join("eea-personal-data.yaml");
    let text = std::fs::read_to_string(&file).expect("the copy can be read");
    write(&file, &text.replace("allowed: [group/EEA]", "allowed: [FR]"));
    waiting::until("the narrower policy decides", LIMIT, async || {
        let answer = filter(&stand).await;
        if answer.contains(NARROWED) {
            Ok(())
        } else {
            Err(answer)
        }
    })
    .await;
    for pod in &pods {
        cluster.lift_gates(pod).await;
    }
    for pod in &pods {
        cluster.until_refused(pod, NARROWED, LIMIT).await;
    }
    // The refusal is about now, and so is what wakes the pod again.
    write(&file, &text);
    for pod in &pods {
        assert_eq!(cluster.until_bound(pod, LIMIT).await, "frankfurt");
    }
}

/// What a pod requires of nodes cannot be widened: it stays where it is, and an event says why and what to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_pod_whose_places_were_widened_since_is_told_so() {
    let mut plan = Plan::begin("widened").await.admission();
    let policies = plan.own_policies();
    std::fs::remove_file(policies.join("guarantees/eea-personal-data.yaml"))
        .expect("the copy can be removed");
    let stand = plan
        .nodes([aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    stand.register(FailurePolicy::Fail).await;
    let mut pods = Vec::new();
    for lane in &stand.lanes {
        let pod = cluster.create_pod(&lane.pod("web").in_namespace("shop")).await;
        cluster
            .until_refused(&pod, "didn't match Pod's node affinity", LIMIT)
            .await;
        pods.push(pod);
    }

    let file = policies.join("eea-personal-data.yaml");
    let text = std::fs::read_to_string(&file).expect("the copy can be read");
    write(
        &file,
        &text.replace("allowed: [group/EEA]", "allowed: [group/EEA, \"US\"]"),
    );
    for pod in &pods {
        let told = cluster.until_told(pod, "StaleNodeAffinity", LIMIT).await;
        assert!(told[0].starts_with("domicile: "), "{told:?}");
        cluster.expect_pending_for(pod, Duration::from_secs(1)).await;
    }
    // What the event says to do: make it anew.
    for lane in &stand.lanes {
        let pod = cluster.create_pod(&lane.pod("anew").in_namespace("shop")).await;
        assert_eq!(cluster.until_bound(&pod, LIMIT).await, "virginia");
    }
}
