//! Where governed pods end up: inside what the policies permit, and there nearest to their data.

use k8s_openapi::api::core::v1::Pod;

use super::fleet::{EEA_PERSONAL, EEA_SENTENCE, aws, aws_nodes, azure, gcp};
use super::stand::{LIMIT, Plan, Stand};
use crate::{http, waiting};

/// The leader of the shipped data set `orders` is in aws/eu-central-1. By the shipped figures London is
/// nearer to it (17.8 ms) than Stockholm (22.8 ms) and Dublin (26.9 ms), and it is outside the EEA.
#[tokio::test(flavor = "multi_thread")]
async fn an_eea_pod_binds_in_the_eea_nearest_to_its_leader_replica() {
    let stand = Plan::begin("nearest-to-the-leader")
        .await
        .nodes([
            aws("dublin", "eu-west-1"),
            aws("london", "eu-west-2"),
            aws("stockholm", "eu-north-1"),
            aws("virginia", "us-east-1"),
            aws("mumbai", "ap-south-1"),
            gcp("iowa", "us-central1"),
            azure("pune", "centralindia"),
            aws("atlantis", "no-region-1"),
        ])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    let orders = |name: &str, lane: usize| {
        stand.lanes[lane]
            .pod(name)
            .in_namespace("shop")
            .annotate("domicile.dev/data-sets", "orders: reads=4 writes=1")
    };

    let mut pods: Vec<Pod> = Vec::new();
    for lane in 0..stand.lanes.len() {
        pods.push(cluster.create_pod(&orders("without-frankfurt", lane)).await);
    }
    for pod in &pods {
        assert_eq!(cluster.until_bound(pod, LIMIT).await, "stockholm");
    }

    // Frankfurt is busy, which kube-scheduler by itself would avoid.
    cluster.create_nodes([aws("frankfurt", "eu-central-1")]).await;
    stand.until_nodes(9).await;
    for number in 0..5 {
        let busy = crate::objects::Pod::named(format!("busy-{number}"))
            .cpu("500m")
            .on_node("frankfurt");
        cluster.create_pod(&busy).await;
    }
    for lane in 0..stand.lanes.len() {
        let pod = cluster.create_pod(&orders("with-frankfurt", lane)).await;
        assert_eq!(cluster.until_bound(&pod, LIMIT).await, "frankfurt");
    }
}

/// A pod that calls others goes where these run at present, and follows them once they have moved.
#[tokio::test(flavor = "multi_thread")]
async fn a_pod_is_drawn_to_the_peers_that_it_calls() {
    let plan = Plan::begin("peers").await.nodes([
        aws("virginia", "us-east-1"),
        aws("mumbai", "ap-south-1"),
        aws("frankfurt", "eu-central-1"),
    ]);
    let plan = plan.await.namespace("backend", &[]).await;
    let cart = |name: &str, node: &str| {
        crate::objects::Pod::named(name)
            .in_namespace("backend")
            .label("app", "cart")
            .label("statefulset.kubernetes.io/pod-name", name)
            .on_node(node)
    };
    let mut before = Vec::new();
    for number in 0..3 {
        let name = format!("cart-{number}");
        before.push(plan.scenario.cluster.create_pod(&cart(&name, "mumbai")).await);
    }
    let stand = plan.start().await;
    let cluster = stand.cluster();
    let calls = ("domicile.dev/peers", "app=cart: calls=2 namespace=backend");
    for lane in &stand.lanes {
        let pod = lane.pod("web").annotate(calls.0, calls.1);
        let pod = cluster.create_pod(&pod).await;
        assert_eq!(cluster.until_bound(&pod, LIMIT).await, "mumbai");
    }

    for pod in &before {
        let name = pod.metadata.name.as_deref().expect("a name");
        let pods = cluster.pods("backend");
        pods.delete(name, &Default::default())
            .await
            .expect("it goes away");
    }
    for number in 3..6 {
        cluster
            .create_pod(&cart(&format!("cart-{number}"), "virginia"))
            .await;
    }
    until_first(&stand, calls, "virginia").await;
    for lane in &stand.lanes {
        let pod = lane.pod("later").annotate(calls.0, calls.1);
        let pod = cluster.create_pod(&pod).await;
        assert_eq!(cluster.until_bound(&pod, LIMIT).await, "virginia");
    }
}

/// Waits until a node scores 10, and no other does, for a pod with an annotation.
async fn until_first(stand: &Stand, (key, value): (&str, &str), wanted: &str) {
    let body = serde_json::json!({
        "Pod": {"metadata": {"name": "web", "namespace": "default", "annotations": {key: value}}, "spec": {}},
        "Nodes": null,
        "NodeNames": ["virginia", "mumbai", "frankfurt"],
    })
    .to_string();
    waiting::until(&format!("`{wanted}` is first"), LIMIT, async || {
        let asked = http::exchange(stand.domicile.address(), "POST", "/prioritize", body.as_bytes());
        let answer = asked.await.expect("domicile answers").text();
        let scores: Vec<serde_json::Value> = serde_json::from_str(&answer).map_err(|_| answer.clone())?;
        let first: Vec<&str> = scores
            .iter()
            .filter(|score| score["Score"] == 10)
            .filter_map(|score| score["Host"].as_str())
            .collect();
        if first == [wanted] { Ok(()) } else { Err(answer) }
    })
    .await;
}

/// Where nobody asks for anything, nothing is decided: the pod is outside control and binds.
#[tokio::test(flavor = "multi_thread")]
async fn a_pod_of_an_unlabelled_namespace_binds_anywhere() {
    let stand = Plan::begin("unlabelled")
        .await
        .nodes([aws("mumbai", "ap-south-1")])
        .await
        .start()
        .await;
    for lane in &stand.lanes {
        let pod = stand.cluster().create_pod(&lane.pod("anything")).await;
        assert_eq!(stand.cluster().until_bound(&pod, LIMIT).await, "mumbai");
    }
}

/// Three nodes of 200 are permitted; with `percentageOfNodesToScore: 100` each attempt sees them.
#[tokio::test(flavor = "multi_thread")]
async fn three_compliant_nodes_of_200_are_always_found() {
    let stand = Plan::begin("three-of-200")
        .await
        .nodes(
            aws_nodes("us-east-1", 120)
                .chain(aws_nodes("ap-south-1", 77))
                .chain(aws_nodes("eu-west-3", 3)),
        )
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    for lane in &stand.lanes {
        for number in 0..6 {
            let pod = lane.pod(&format!("web-{number}")).in_namespace("shop");
            let pod = cluster.create_pod(&pod).await;
            let node = cluster.until_bound(&pod, LIMIT).await;
            assert!(node.starts_with("eu-west-3-"), "bound to `{node}`");
            assert_eq!(
                cluster.scheduling_failures(&pod).await,
                [""; 0],
                "it was found at the first attempt"
            );
        }
        for call in lane.recorder.calls("filter") {
            assert_eq!(call.offered().len(), 200, "every node is offered");
        }
    }
}

/// Domicile knows its nodes from a file; one that is not in it is unknown, and unknown helps nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_not_in_the_fleet_file_takes_no_governed_pod() {
    let known = [aws("frankfurt", "eu-central-1"), aws("virginia", "us-east-1")];
    let stand = Plan::begin("fleet-file")
        .await
        .fleet_file(&known)
        .nodes(known)
        .await
        .nodes([aws("paris", "eu-west-3")])
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    for lane in &stand.lanes {
        let ungoverned = cluster.create_pod(&lane.pod("anything")).await;
        cluster.until_bound(&ungoverned, LIMIT).await;
        let governed = lane.pod("web").annotate("domicile.dev/data-sets", "orders");
        let governed = cluster.create_pod(&governed).await;
        assert_eq!(cluster.until_bound(&governed, LIMIT).await, "frankfurt");
    }
    cluster.delete_node("frankfurt").await;
    for lane in &stand.lanes {
        let governed = lane.pod("too-late").annotate("domicile.dev/data-sets", "orders");
        let governed = cluster.create_pod(&governed).await;
        cluster.until_refused(&governed, EEA_SENTENCE, LIMIT).await;
    }
}
