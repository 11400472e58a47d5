//! A refusal: what the pod shows, and what it costs.

use std::time::{Duration, Instant};

use super::fleet::{CN_PERSONAL, CN_SENTENCE, EEA_PERSONAL, EEA_SENTENCE, aws, aws_nodes};
use super::stand::{LIMIT, Plan};

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_no_node_may_host_stays_pending_and_its_event_says_why() {
    let stand = Plan::begin("no-node")
        .await
        .nodes([
            aws("frankfurt", "eu-central-1"),
            aws("virginia", "us-east-1"),
            aws("mumbai", "ap-south-1"),
        ])
        .await
        .namespace("shop-cn", &CN_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    let mut pods = Vec::new();
    for lane in &stand.lanes {
        pods.push(
            cluster
                .create_pod(&lane.pod("homeless").in_namespace("shop-cn"))
                .await,
        );
    }
    for pod in &pods {
        let message = cluster.until_refused(pod, CN_SENTENCE, LIMIT).await;
        assert!(
            message.starts_with("0/3 nodes are available: 3 domicile: "),
            "one sentence for all nodes: {message}"
        );
        cluster.expect_pending_for(pod, Duration::from_secs(1)).await;
        // Ours says it on the pod too.
        let told = cluster.until_told(pod, "NoPermittedNode", LIMIT).await;
        assert_eq!(told, [CN_SENTENCE], "once, however often it is asked about");
        // It is the reason of a refusal, not of a failure that would be retried.
        let condition = cluster.scheduling_condition(pod).await.expect("it was tried");
        assert_eq!(condition.reason.as_deref(), Some("Unschedulable"));
        assert!(
            condition
                .message
                .is_some_and(|message| message.contains(CN_SENTENCE))
        );
    }
}

/// kube-scheduler requeues a pod at once whose message changes, and counts are part of the message.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_pod_costs_at_most_three_filter_calls_in_ten_seconds() {
    let regions = ["us-east-1", "ap-south-1", "eu-west-2"];
    let nodes = regions.into_iter().flat_map(|region| {
        aws_nodes(region, 100)
            .enumerate()
            .map(|(number, node)| match number % 7 {
                0 => node.taint("reserved", "yes", "NoSchedule"),
                _ => node,
            })
    });
    let stand = Plan::begin("calls-of-a-refusal")
        .await
        .nodes(nodes)
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    let begun = Instant::now();
    let mut pods = Vec::new();
    for lane in &stand.lanes {
        pods.push(cluster.create_pod(&lane.pod("web").in_namespace("shop")).await);
    }
    for pod in &pods {
        cluster.until_refused(pod, EEA_SENTENCE, LIMIT).await;
    }
    tokio::time::sleep(Duration::from_secs(10).saturating_sub(begun.elapsed())).await;
    for lane in &stand.lanes {
        let calls = lane.recorder.calls("filter");
        let after: Vec<Duration> = calls.iter().map(|call| call.at.duration_since(begun)).collect();
        assert!(
            (1..=3).contains(&calls.len()),
            "{:?}: filter calls after {after:?}",
            lane.mode
        );
        // 15 of each 100 are tainted, and kube-scheduler leaves them out itself.
        assert_eq!(calls[0].offered().len(), 255);
    }
}

/// What is malformed refuses, with a sentence that names the annotation; nobody else is concerned.
#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_annotation_refuses_and_is_named() {
    let stand = Plan::begin("malformed")
        .await
        .nodes([aws("frankfurt", "eu-central-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    let typo = [("domicile.dev/data-classification", "confidental")];
    cluster.create_namespace("typo", &typo).await;
    for lane in &stand.lanes {
        let well = cluster.create_pod(&lane.pod("web").in_namespace("shop")).await;
        let of_namespace = cluster.create_pod(&lane.pod("web").in_namespace("typo")).await;
        let own = lane
            .pod("own")
            .in_namespace("shop")
            .annotate("domicile.dev/data-categories", "persnal");
        let own = cluster.create_pod(&own).await;
        assert_eq!(cluster.until_bound(&well, LIMIT).await, "frankfurt");
        for (pod, annotation) in [(of_namespace, "data-classification"), (own, "data-categories")] {
            let named = format!("domicile: annotation `domicile.dev/{annotation}`");
            cluster.until_refused(&pod, &named, LIMIT).await;
        }
    }
}
