//! A thousand pods of all sorts as fast as the API server takes them, every one of which the webhook must answer in time.

use serde_json::json;

use super::{is_confined, required_terms};
use crate::cases::fleet::{EEA_PERSONAL, HOMELESS_PERSONAL, aws};
use crate::cases::stand::{Plan, admitted_by};
use crate::creations::create_all;
use crate::objects::Pod;
use crate::webhook::FailurePolicy;

const COUNT: usize = 1_000;
/// Enough to keep two cores busy; more only wait for each other.
const AT_ONCE: usize = 24;

/// Of each five: governed, governed with affinity of its own, outside control, homeless, in an exempt namespace.
fn mixed(run: &str, number: usize) -> Pod {
    let pod = Pod::named(format!("{run}-{number}"));
    match number % 5 {
        0 => pod.in_namespace("shop"),
        1 => pod.in_namespace("shop").requires(json!([
            { "matchExpressions": [{ "key": "disk", "operator": "In", "values": ["ssd"] }] },
            { "matchExpressions": [{ "key": "gpu", "operator": "Exists" }] },
        ])),
        2 => pod.in_namespace("plain"),
        3 => pod.in_namespace("homeless"),
        _ => pod.in_namespace("kube-system"),
    }
}

/// The webhook is registered with `Fail`, so that a call which is not answered within its two seconds is a pod that is
/// not created.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_mixed_pods_is_admitted_without_a_timeout() {
    let stand = Plan::begin("admission-load")
        .await
        .admission()
        .nodes([aws("frankfurt", "eu-central-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .namespace("homeless", &HOMELESS_PERSONAL)
        .await
        .namespace("plain", &[])
        .await
        .start()
        .await;
    // Nobody schedules in this case.
    let (cluster, pods) = (stand.cluster(), |run: &'static str| {
        (0..COUNT).map(move |number| mixed(run, number).scheduled_by("nobody"))
    });
    let without = create_all(cluster, pods("without").collect(), AT_ONCE, false).await;
    assert_eq!(without.failures, [""; 0]);
    stand.register(FailurePolicy::Fail).await;
    let with = create_all(cluster, pods("with").collect(), AT_ONCE, false).await;
    for (name, creations) in [("without", &without), ("with", &with)] {
        println!(
            "{name} the webhook: {:.0} creations/s, P50 {:?}, P99 {:?}",
            creations.per_second(),
            creations.quantile(0.5),
            creations.quantile(0.99),
        );
    }

    assert_eq!(with.failures, [""; 0]);
    assert_eq!(with.created.len(), COUNT);
    for pod in &with.created {
        let namespace = pod.metadata.namespace.as_deref();
        let terms = required_terms(pod);
        match namespace {
            Some("shop") => assert!(!terms.is_empty() && terms.iter().all(is_confined), "{terms:?}"),
            Some("plain" | "kube-system") => assert!(terms.is_empty() && admitted_by(pod).is_none()),
            _ => assert!(admitted_by(pod).is_some(), "{:?}", pod.metadata.annotations),
        }
    }
}
