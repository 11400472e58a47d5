//! Under default sampling kube-scheduler offers 100 of 200 nodes, and not seeing is not refusing.

use std::time::Duration;

use super::fleet::{CN_PERSONAL, CN_SENTENCE, EEA_PERSONAL, aws_nodes};
use super::stand::Plan;
use crate::scheduler::Mode;

pub const BLIND: &str = "permitted nodes exist outside the offered sample";

/// kube-scheduler pauses 1, 2, 4 seconds after failures, and looks at the other half each time.
const LIMIT: Duration = Duration::from_secs(45);

#[tokio::test(flavor = "multi_thread")]
async fn a_blind_sample_is_an_error_that_is_retried_and_not_a_refusal() {
    let stand = Plan::begin("blind-sample")
        .await
        .default_sampling()
        .nodes(aws_nodes("us-east-1", 197).chain(aws_nodes("eu-west-3", 3)))
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .namespace("shop-cn", &CN_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    for lane in &stand.lanes {
        let mut pods = Vec::new();
        for number in 0..4 {
            let pod = lane.pod(&format!("web-{number}")).in_namespace("shop");
            pods.push(cluster.create_pod(&pod).await);
        }
        for pod in &pods {
            let node = cluster.until_bound(pod, LIMIT).await;
            assert!(node.starts_with("eu-west-3-"), "bound to `{node}`");
        }
        let calls = lane.recorder.calls("filter");
        let blind = calls
            .iter()
            .filter(|call| call.answer().is_some_and(|answer| answer["Error"] == BLIND));
        assert!(blind.count() > 0, "no sample of {} was blind", calls.len());
        // What the pods were told: never that they may not run.
        let mut told = Vec::new();
        for pod in &pods {
            told.extend(cluster.scheduling_failures(pod).await);
        }
        assert!(told.iter().any(|message| message.contains(BLIND)), "{told:?}");
        assert!(
            told.iter().all(|message| !message.contains("domicile: ")),
            "{told:?}"
        );
        assert!(
            calls.iter().all(|call| call.offered().len() < 200),
            "{:?}: kube-scheduler did not sample",
            lane.mode
        );
    }
}

/// Where no node of the whole fleet is permitted, a sample is as good as everything: a refusal.
#[tokio::test(flavor = "multi_thread")]
async fn a_sample_without_permitted_nodes_anywhere_is_a_refusal() {
    let stand = Plan::begin("refused-sample")
        .await
        .default_sampling()
        .one_mode(Mode::NamesOnly)
        .nodes(aws_nodes("us-east-1", 197).chain(aws_nodes("eu-west-3", 3)))
        .await
        .namespace("shop-cn", &CN_PERSONAL)
        .await
        .start()
        .await;
    let (cluster, lane) = (stand.cluster(), &stand.lanes[0]);
    let pod = cluster
        .create_pod(&lane.pod("homeless").in_namespace("shop-cn"))
        .await;
    cluster.until_refused(&pod, CN_SENTENCE, LIMIT).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let calls = lane.recorder.calls("filter").len();
    assert!((1..=3).contains(&calls), "{calls} filter calls");
}
