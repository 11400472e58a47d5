//! A hard spread over regions of which two are permitted.

use std::time::Duration;

use serde_json::json;

use crate::cases::fleet::{EEA_PERSONAL, aws_nodes};
use crate::cases::stand::{LIMIT, Lane, Plan};
use crate::objects::Pod;
use crate::waiting;
use crate::webhook::FailurePolicy;

const PERMITTED: [&str; 2] = ["eu-central-1", "eu-west-1"];
const ELSEWHERE: [&str; 8] = [
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "ca-central-1",
    "eu-west-2",
    "ap-south-1",
    "ap-northeast-1",
    "sa-east-1",
];

/// A copy of an application whose copies may differ by one between regions.
fn copy(lane: &Lane, app: &str, number: u32) -> Pod {
    lane.pod(&format!("{app}-{number}"))
        .in_namespace("shop")
        .label("app", app)
        .with(
            "topologySpreadConstraints",
            json!([{
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/region",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": { "matchLabels": { "app": app } },
            }]),
        )
}

/// To an extender's refusal the eight forbidden regions stay empty domains, so that no permitted one may have two;
/// to node affinity they are no domains.
#[tokio::test(flavor = "multi_thread")]
async fn a_hard_spread_over_two_permitted_regions_of_ten_binds_all_and_deadlocks_without_the_webhook() {
    let nodes = PERMITTED.iter().chain(&ELSEWHERE);
    let stand = Plan::begin("hard-spread")
        .await
        .admission()
        .nodes(nodes.flat_map(|region| aws_nodes(region, 2)))
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();

    for lane in &stand.lanes {
        let mut copies = Vec::new();
        for number in 0..4 {
            let app = format!("alone-{:?}", lane.mode).to_lowercase();
            copies.push(cluster.create_pod(&copy(lane, &app, number)).await);
        }
        let waiting = waiting::until("two are bound and two refused", LIMIT, async || {
            let mut waiting = Vec::new();
            for pod in &copies {
                if cluster.node_of(pod).await?.is_some() {
                    continue;
                }
                match cluster.scheduling_failures(pod).await {
                    failures if failures.is_empty() => return Err("one is not tried yet".to_owned()),
                    failures => waiting.push((pod, failures)),
                }
            }
            match waiting.len() {
                2 => Ok(waiting),
                more => Err(format!("{more} wait")),
            }
        })
        .await;
        for (pod, failures) in waiting {
            assert!(
                (failures.iter())
                    .any(|failure| failure.contains("didn't match pod topology spread constraints")),
                "{failures:?}"
            );
            cluster.expect_pending_for(pod, Duration::from_millis(500)).await;
        }
    }

    stand.register(FailurePolicy::Fail).await;
    for lane in &stand.lanes {
        let mut regions = Vec::new();
        for number in 0..4 {
            let app = format!("admitted-{:?}", lane.mode).to_lowercase();
            let pod = cluster.create_pod(&copy(lane, &app, number)).await;
            let node = cluster.until_bound(&pod, LIMIT).await;
            regions.push(node[..node.len() - 2].to_owned());
        }
        regions.sort();
        assert_eq!(
            regions,
            ["eu-central-1", "eu-central-1", "eu-west-1", "eu-west-1"]
        );
    }
}
