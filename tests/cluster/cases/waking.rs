//! A refused pod is looked at again when a change permits it, though kube-scheduler sees no reason to.

use std::time::Duration;

use super::fleet::{CN_PERSONAL, CN_SENTENCE, EEA_PERSONAL, EEA_SENTENCE, aws};
use super::stand::{LIMIT, Plan};

/// kube-scheduler by itself would come back after five minutes.
const SOON: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_annotated_anew_wakes_its_refused_pods() {
    let stand = Plan::begin("woken-by-a-namespace")
        .await
        .nodes([aws("frankfurt", "eu-central-1")])
        .await
        .namespace("moving", &CN_PERSONAL)
        .await
        .namespace("staying", &CN_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    let (mut moving, mut staying) = (Vec::new(), Vec::new());
    for lane in &stand.lanes {
        moving.push(cluster.create_pod(&lane.pod("web").in_namespace("moving")).await);
        staying.push(cluster.create_pod(&lane.pod("web").in_namespace("staying")).await);
    }
    for pod in moving.iter().chain(&staying) {
        cluster.until_refused(pod, CN_SENTENCE, LIMIT).await;
    }
    cluster
        .annotate_namespace("moving", &[("domicile.dev/data-subjects", "DE")])
        .await;
    for pod in &moving {
        assert_eq!(cluster.until_bound(pod, SOON).await, "frankfurt");
    }
    for pod in &staying {
        assert_eq!(cluster.node_of(pod).await, Ok(None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_permits_more_wakes_the_pods_that_it_concerns() {
    let mut plan = Plan::begin("woken-by-a-policy").await;
    let policies = plan.own_policies();
    let stand = plan
        .nodes([aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    let mut pods = Vec::new();
    for lane in &stand.lanes {
        pods.push(cluster.create_pod(&lane.pod("web").in_namespace("shop")).await);
    }
    for pod in &pods {
        cluster.until_refused(pod, EEA_SENTENCE, LIMIT).await;
    }
    let file = policies.join("eea-personal-data.yaml");
    let text = std::fs::read_to_string(&file).expect("the copy can be read");
    let wider = text.replace("allowed: [group/EEA]", "allowed: [group/EEA, \"US\"]");
    assert_ne!(text, wider);
    // A set that guarantees the contrary would not be taken.
    std::fs::remove_file(policies.join("guarantees/eea-personal-data.yaml"))
        .expect("the copy can be removed");
    std::fs::write(&file, wider).expect("the copy can be written");
    for pod in &pods {
        assert_eq!(cluster.until_bound(pod, SOON).await, "virginia");
    }
}

/// Nobody saw what changed while domicile was away, so at its start it wakes whom it now permits.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_while_domicile_was_away_wakes_pods_when_it_is_back() {
    let mut stand = Plan::begin("woken-at-the-start")
        .await
        .nodes([aws("frankfurt", "eu-central-1")])
        .await
        .namespace("moving", &CN_PERSONAL)
        .await
        .start()
        .await;
    let mut pods = Vec::new();
    for lane in &stand.lanes {
        let pod = lane.pod("web").in_namespace("moving");
        pods.push(stand.cluster().create_pod(&pod).await);
    }
    for pod in &pods {
        stand.cluster().until_refused(pod, CN_SENTENCE, LIMIT).await;
    }
    stand.domicile.kill();
    let subjects = [("domicile.dev/data-subjects", "DE")];
    stand.cluster().annotate_namespace("moving", &subjects).await;
    stand.domicile.restart();
    for pod in &pods {
        assert_eq!(stand.cluster().until_bound(pod, SOON).await, "frankfurt");
    }
}
