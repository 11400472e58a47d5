//! What happens while Domicile is away, or has no policies yet: nothing that is governed binds.

use std::time::Duration;

use super::fleet::{EEA_PERSONAL, aws};
use super::stand::{LIMIT, Plan};

#[tokio::test(flavor = "multi_thread")]
async fn while_the_extender_is_dead_pods_wait_and_then_they_bind() {
    let mut stand = Plan::begin("killed")
        .await
        .nodes([aws("frankfurt", "eu-central-1"), aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    stand.domicile.kill();
    let mut pods = Vec::new();
    for lane in &stand.lanes {
        let pod = lane.pod("web").in_namespace("shop");
        pods.push(stand.cluster().create_pod(&pod).await);
    }
    for pod in &pods {
        stand.cluster().until_refused(pod, "EOF", LIMIT).await;
        stand
            .cluster()
            .expect_pending_for(pod, Duration::from_secs(1))
            .await;
    }
    stand.domicile.restart();
    stand.domicile.until_ready().await;
    for pod in &pods {
        assert_eq!(stand.cluster().until_bound(pod, LIMIT).await, "frankfurt");
    }
}

/// An installation must not stop the cluster that it is installed in (docs/policies.md, 5).
#[tokio::test(flavor = "multi_thread")]
async fn an_exempt_namespace_schedules_before_there_are_policies() {
    let mut plan = Plan::begin("not-ready").await;
    let policies = plan.own_policies();
    let settings = policies.join("settings.yaml");
    let good = std::fs::read_to_string(&settings).expect("the copy can be read");
    std::fs::write(&settings, "kind: [").expect("the copy can be written");
    let mut stand = plan
        .nodes([aws("frankfurt", "eu-central-1"), aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start_unready()
        .await;
    let (status, text) = stand.domicile.get("/readyz").await;
    assert_eq!(status, 503, "{text}");
    assert!(text.contains("policies"), "{text}");

    let mut waiting = Vec::new();
    for lane in &stand.lanes {
        for namespace in ["shop", "default"] {
            let pod = lane.pod("web").in_namespace(namespace);
            waiting.push(stand.cluster().create_pod(&pod).await);
        }
        let exempt = lane.pod("dns").in_namespace("kube-system");
        let exempt = stand.cluster().create_pod(&exempt).await;
        stand.cluster().until_bound(&exempt, LIMIT).await;
    }
    for pod in &waiting {
        stand.cluster().until_refused(pod, "503", LIMIT).await;
    }

    std::fs::write(&settings, good).expect("the copy can be written");
    stand.domicile.until_ready().await;
    for pod in &waiting {
        let node = stand.cluster().until_bound(pod, LIMIT).await;
        let governed = pod.metadata.namespace.as_deref() == Some("shop");
        assert!(!governed || node == "frankfurt", "bound to `{node}`");
    }
}

/// SIGTERM: what was asked is answered, what was decided is written, and the process ends well.
#[tokio::test(flavor = "multi_thread")]
async fn asked_to_stop_it_ends_well_and_its_records_are_written() {
    let mut stand = Plan::begin("terminated")
        .await
        .nodes([aws("frankfurt", "eu-central-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let mut pods = Vec::new();
    for lane in &stand.lanes {
        let pod = lane.pod("web").in_namespace("shop");
        pods.push(stand.cluster().create_pod(&pod).await);
    }
    for pod in &pods {
        stand.cluster().until_bound(pod, LIMIT).await;
    }
    let status = stand.domicile.terminate(Duration::from_secs(10));
    assert!(status.is_some_and(|status| status.success()), "{status:?}");
    let records = stand.domicile.decisions();
    for pod in &pods {
        let uid = pod.metadata.uid.as_deref();
        let verbs = records
            .iter()
            .filter(|record| record["pod"]["uid"].as_str() == uid)
            .map(|record| &record["verb"]);
        // One candidate is not scored: kube-scheduler takes it at once.
        assert_eq!(verbs.collect::<Vec<_>>(), ["filter"]);
    }
}
