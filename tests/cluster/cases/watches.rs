//! The watches, by what changes in the cluster and what pods do then.

use super::fleet::{CN_PERSONAL, CN_SENTENCE, EEA_PERSONAL, EEA_SENTENCE, aws};
use super::stand::{LIMIT, Plan, metrics};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_later_takes_the_pod_that_was_refused() {
    let stand = Plan::begin("later-node")
        .await
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
    cluster.create_nodes([aws("frankfurt", "eu-central-1")]).await;
    for pod in &pods {
        assert_eq!(cluster.until_bound(pod, LIMIT).await, "frankfurt");
    }
}

/// Stricter later: what was permitted no longer is.
#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_annotated_later_changes_the_verdict() {
    let stand = Plan::begin("later-annotation")
        .await
        .nodes([aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &[])
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    for lane in &stand.lanes {
        let before = cluster.create_pod(&lane.pod("before").in_namespace("shop")).await;
        assert_eq!(cluster.until_bound(&before, LIMIT).await, "virginia");
    }
    let published = stand.publications().await;
    cluster.annotate_namespace("shop", &CN_PERSONAL).await;
    stand
        .until_metric(metrics::PUBLICATIONS, |now| now > published)
        .await;
    for lane in &stand.lanes {
        let after = cluster.create_pod(&lane.pod("after").in_namespace("shop")).await;
        cluster.until_refused(&after, CN_SENTENCE, LIMIT).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serving_goes_on_over_a_restart_of_the_api_server() {
    let stand = Plan::begin("api-server-restart")
        .await
        .nodes([aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    stand.scenario.plane.restart_api_server().await;
    let (status, text) = stand.domicile.get("/readyz").await;
    assert_eq!(status, 200, "a broken watch does not make it unready: {text}");
    let cluster = stand.cluster();
    // Seen only by a watch that was taken up again.
    cluster.create_nodes([aws("frankfurt", "eu-central-1")]).await;
    for lane in &stand.lanes {
        let pod = cluster.create_pod(&lane.pod("web").in_namespace("shop")).await;
        assert_eq!(cluster.until_bound(&pod, 2 * LIMIT).await, "frankfurt");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_publishes_nothing() {
    let stand = Plan::begin("heartbeat")
        .await
        .nodes([aws("virginia", "us-east-1")])
        .await
        .start()
        .await;
    let before = stand.publications().await;
    for minute in 0..10 {
        stand.cluster().heartbeat("virginia", minute).await;
    }
    // A change that decides comes after them in the same watch: once it is there, they were.
    stand
        .cluster()
        .create_nodes([aws("frankfurt", "eu-central-1")])
        .await;
    stand.until_nodes(2).await;
    assert_eq!(stand.publications().await, before + 1.0);
}
