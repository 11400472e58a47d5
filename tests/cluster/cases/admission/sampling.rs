//! One compliant node of 5,000, and kube-scheduler offers an extender 500 of them.

use crate::cases::fleet::{EEA_PERSONAL, aws_nodes};
use crate::cases::sampling::BLIND;
use crate::cases::stand::{LIMIT, Plan};
use crate::scheduler::Mode;
use crate::waiting;
use crate::webhook::FailurePolicy;

const COMPLIANT: &str = "eu-west-3-0";

#[tokio::test(flavor = "multi_thread")]
async fn one_compliant_node_of_5000_is_found_at_once() {
    let stand = Plan::begin("one-of-5000")
        .await
        .default_sampling()
        .determined()
        .one_mode(Mode::NamesOnly)
        .admission()
        .nodes(
            aws_nodes("us-east-1", 2_500)
                .chain(aws_nodes("eu-west-3", 1))
                .chain(aws_nodes("ap-south-1", 2_499)),
        )
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    stand.until_nodes(5_000).await;
    let (cluster, lane) = (stand.cluster(), &stand.lanes[0]);

    // Each attempt looks at the next tenth of the fleet, so that of three in a row two see it nowhere.
    for number in 0..3 {
        let pod = lane.pod(&format!("extender-alone-{number}"));
        cluster.create_pod(&pod.in_namespace("shop")).await;
    }
    waiting::until("two samples were blind", LIMIT, async || {
        let calls = lane.recorder.calls("filter");
        let blind = calls
            .iter()
            .filter(|call| call.answer().is_some_and(|answer| answer["Error"] == BLIND));
        match blind.count() {
            0 | 1 => Err(format!("{} calls", calls.len())),
            _ => Ok(()),
        }
    })
    .await;

    stand.register(FailurePolicy::Fail).await;
    for number in 0..5 {
        let pod = lane.pod(&format!("admitted-{number}")).in_namespace("shop");
        let pod = cluster.create_pod(&pod).await;
        assert_eq!(cluster.until_bound(&pod, LIMIT).await, COMPLIANT);
        assert_eq!(
            cluster.scheduling_failures(&pod).await,
            [""; 0],
            "it was found at the first attempt"
        );
        let calls = lane
            .recorder
            .calls_about("filter", pod.metadata.name.as_deref().unwrap_or_default());
        assert_eq!(calls.len(), 1, "the extender is still the guard");
        assert_eq!(calls[0].offered(), [COMPLIANT]);
    }
}
