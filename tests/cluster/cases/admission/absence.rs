//! The webhook is down, not ready, or not meant for a namespace.

use std::time::Duration;

use super::required_terms;
use crate::cases::fleet::{EEA_PERSONAL, EEA_SENTENCE, aws};
use crate::cases::stand::{LIMIT, Plan, admitted_by};
use crate::objects::Pod;
use crate::webhook::FailurePolicy;

/// `Ignore`: the pod comes without affinity, waits while there is no extender either, and goes where it may once
/// there is one. `Fail`: nobody comes.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_webhook_is_down_ignore_leaves_the_guard_to_the_extender_and_fail_refuses() {
    let mut stand = Plan::begin("webhook-down")
        .await
        .admission()
        .nodes([aws("frankfurt", "eu-central-1"), aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    stand.register(FailurePolicy::Ignore).await;
    stand.domicile.kill();
    let mut pods = Vec::new();
    for lane in &stand.lanes {
        let pod = lane.pod("web").in_namespace("shop");
        let pod = stand.cluster().create_pod(&pod).await;
        assert!(required_terms(&pod).is_empty() && admitted_by(&pod).is_none());
        pods.push(pod);
    }
    for pod in &pods {
        stand.cluster().until_refused(pod, "EOF", LIMIT).await;
    }

    stand
        .cluster()
        .register(&stand.webhook(FailurePolicy::Fail))
        .await;
    let pod = Pod::named("web").in_namespace("shop");
    stand
        .cluster()
        .until_admission("creations are refused", &pod, |tried| {
            (tried.as_ref()).is_err_and(|complaint| complaint.contains("failed calling webhook"))
        })
        .await;
    let complaint = stand.cluster().try_create(&pod).await.expect_err("nobody comes");
    assert!(complaint.contains("mutate.domicile.dev"), "{complaint}");
    // The namespaces of the system stay out of it, or nobody could repair the cluster.
    let repair = Pod::named("repair").in_namespace("kube-system");
    stand
        .cluster()
        .try_create(&repair)
        .await
        .expect("the system can be repaired");

    stand.domicile.restart();
    stand.domicile.until_ready().await;
    for pod in &pods {
        assert_eq!(stand.cluster().until_bound(pod, LIMIT).await, "frankfurt");
    }
    let again = |tried: &Result<_, String>| tried.as_ref().is_ok_and(|pod| admitted_by(pod).is_some());
    stand
        .cluster()
        .until_admission("the webhook is asked again", &pod, again)
        .await;
}

/// A webhook that is there and does not know the policies yet is like one that is not there.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_not_ready_leaves_it_to_the_failure_policy() {
    let mut plan = Plan::begin("webhook-not-ready").await.admission();
    let policies = plan.own_policies();
    let settings = policies.join("settings.yaml");
    let good = std::fs::read_to_string(&settings).expect("the copy can be read");
    std::fs::write(&settings, "kind: [").expect("the copy can be written");
    let mut stand = plan
        .nodes([aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start_unready()
        .await;
    let cluster = stand.cluster();
    let (status, text) = stand.domicile.get("/readyz").await;
    assert_eq!(status, 503, "{text}");

    cluster.register(&stand.webhook(FailurePolicy::Fail)).await;
    let web = Pod::named("web").in_namespace("shop");
    cluster
        .until_admission("creations are refused", &web, |tried| {
            (tried.as_ref()).is_err_and(|complaint| complaint.contains("failed calling webhook"))
        })
        .await;
    let complaint = cluster.try_create(&web).await.expect_err("nobody comes");
    assert!(complaint.contains("domicile"), "{complaint}");

    cluster.register(&stand.webhook(FailurePolicy::Ignore)).await;
    cluster
        .until_admission("creations pass", &web, |tried| tried.is_ok())
        .await;
    let mut pods = Vec::new();
    for lane in &stand.lanes {
        let pod = cluster.create_pod(&lane.pod("web").in_namespace("shop")).await;
        assert!(required_terms(&pod).is_empty() && admitted_by(&pod).is_none());
        pods.push(pod);
    }
    std::fs::write(&settings, good).expect("the copy can be written");
    stand.domicile.until_ready().await;
    // Nothing but the extender stands between these pods and Virginia.
    for pod in &pods {
        stand.cluster().until_refused(pod, EEA_SENTENCE, LIMIT).await;
        stand
            .cluster()
            .expect_pending_for(pod, Duration::from_millis(500))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exempt_namespaces_and_pods_that_nothing_governs_are_left_as_they_are() {
    let stand = Plan::begin("webhook-exempt")
        .await
        .admission()
        .nodes([aws("frankfurt", "eu-central-1")])
        .await
        .namespace("domicile-system", &EEA_PERSONAL)
        .await
        .namespace("plain", &[])
        .await
        .start()
        .await;
    stand.register(FailurePolicy::Fail).await;
    for namespace in ["kube-system", "domicile-system", "plain"] {
        // In the system's namespaces a pod may even say that it is about EEA data.
        let pod = Pod::named("web").in_namespace(namespace);
        let pod = match namespace {
            "plain" => pod,
            _ => pod.annotate("domicile.dev/data-sets", "orders"),
        };
        let written = pod.object();
        let stored = stand.cluster().create_pod(&pod).await;
        assert_eq!(
            stored.metadata.annotations.unwrap_or_default(),
            written.metadata.annotations.unwrap_or_default(),
            "{namespace}"
        );
        let affinity = stored.spec.and_then(|spec| spec.affinity);
        assert!(affinity.is_none(), "{namespace}: {affinity:?}");
    }
}
