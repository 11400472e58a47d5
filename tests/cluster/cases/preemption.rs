//! Who is evicted for a governed pod: nobody where it may not run, somebody where it may.

use std::time::Duration;

use super::fleet::{CN_PERSONAL, EEA_PERSONAL, aws};
use super::stand::{LIMIT, Plan};
use crate::objects::Pod;
use crate::scheduler::Mode;

#[tokio::test(flavor = "multi_thread")]
async fn names_only_evicts_only_on_permitted_nodes() {
    evicts_only_on_permitted_nodes(Mode::NamesOnly).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_nodes_evicts_only_on_permitted_nodes() {
    evicts_only_on_permitted_nodes(Mode::FullNodes).await;
}

async fn evicts_only_on_permitted_nodes(mode: Mode) {
    let stand = Plan::begin(&format!("preemption-{mode:?}"))
        .await
        .one_mode(mode)
        .nodes([
            aws("frankfurt", "eu-central-1").cpu("1"),
            aws("virginia", "us-east-1").cpu("1"),
            aws("mumbai", "ap-south-1").cpu("1"),
            // Room, and no permission: here kube-scheduler asks the filter, above only preemption.
            aws("ohio", "us-east-2"),
        ])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .namespace("shop-cn", &CN_PERSONAL)
        .await
        .start()
        .await;
    let (cluster, lane) = (stand.cluster(), &stand.lanes[0]);
    let mut low = Vec::new();
    for node in ["frankfurt", "virginia", "mumbai"] {
        let pod = Pod::named(format!("low-{node}")).cpu("800m").on_node(node);
        low.push(cluster.create_pod(&pod).await);
    }
    let important =
        |name: &str, namespace: &str| lane.pod(name).in_namespace(namespace).cpu("800m").priority(1_000);

    let homeless = cluster.create_pod(&important("homeless", "shop-cn")).await;
    cluster
        .until_refused(&homeless, "0/4 nodes are available", LIMIT)
        .await;
    cluster
        .expect_pending_for(&homeless, Duration::from_secs(2))
        .await;
    for pod in &low {
        assert!(cluster.node_of(pod).await.is_ok(), "nobody is evicted in vain");
    }
    assert!(
        !lane.recorder.calls("preempt").is_empty(),
        "it was our answer to preemption that saved them"
    );

    let web = cluster.create_pod(&important("web", "shop")).await;
    assert_eq!(cluster.until_bound(&web, LIMIT).await, "frankfurt");
    cluster.until_gone(&low[0], LIMIT).await;
    for pod in &low[1..] {
        assert!(cluster.node_of(pod).await.is_ok(), "and nobody else");
    }
    assert_eq!(cluster.node_of(&homeless).await, Ok(None));
}
