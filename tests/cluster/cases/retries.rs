//! Refused pods that a change admits: who is woken, by whom, and how soon they are bound.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1 as core;
use kube::{Api, ResourceExt};

use super::fleet::{CN_PERSONAL, CN_SENTENCE, EEA_PERSONAL, EEA_SENTENCE, aws};
use super::stand::{LIMIT, Plan, Stand};
use crate::scheduler::Mode;
use crate::waiting;

/// kube-scheduler by itself would come back after five minutes.
const SOON: Duration = Duration::from_secs(15);
/// Far beyond any election: a Lease that is not given back is free after 15 s.
const ELECTED: Duration = Duration::from_secs(40);

/// What domicile writes on a pod to wake it.
const CONDITION: &str = "domicile.dev/PlacementChanged";

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the copy can be written");
}

/// A namespace may run in the United States for an hour.
fn exception(namespace: &str, from: Timestamp) -> String {
    let until = from + SignedDuration::from_hours(1);
    format!(
        "apiVersion: domicile.dev/v1alpha1\nkind: PlacementException\nmetadata: {{name: ex-{namespace}}}\nspec:\n  \
         relaxes: {{policy: eea-personal-data, rule: place}}\n  \
         scope: {{namespace: {namespace}, locations: [\"US\"], data: {{categories: [personal], subjects: [group/EEA]}}}}\n  \
         category: waiver\n  reason: a move\n  requestedBy: somebody@corp.example\n  approvedBy: dpo@corp.example\n  \
         ticket: T-1\n  notBefore: \"{from}\"\n  expires: \"{until}\"\n"
    )
}

const INVOICES: &str = "apiVersion: domicile.dev/v1alpha1
kind: DataSet
metadata: {name: invoices}
spec:
  profile: {classification: public, categories: [none], subjects: [none]}
  consistency: available
  replicas: [{region: aws/us-east-1, role: leader}]
";

/// Waits until a pod is bound to `virginia` because of a change, and prints how long that took.
async fn expect_bound(stand: &Stand, pod: &core::Pod, change: &str, since: Instant) {
    assert_eq!(
        stand.cluster().until_bound(pod, SOON).await,
        "virginia",
        "{change}"
    );
    println!("{change}: bound {:.2} s after it", since.elapsed().as_secs_f64());
}

/// How often domicile asked kube-scheduler to look at a pod again: it is there or it is not.
async fn is_woken(stand: &Stand, pod: &core::Pod) -> bool {
    let namespace = pod.namespace().expect("a pod has a namespace");
    let now = stand.cluster().pods(&namespace).get(&pod.name_any()).await;
    let status = now.expect("the pod can be read").status.unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    conditions.iter().any(|condition| condition.type_ == CONDITION)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_wakes_the_pods_that_it_admits_and_no_other() {
    let mut plan = Plan::begin("retries").await.one_mode(Mode::NamesOnly);
    let policies = plan.own_policies();
    let mut plan = plan.nodes([aws("virginia", "us-east-1")]).await;
    for namespace in ["excepted", "dated", "grouped"] {
        plan = plan.namespace(namespace, &EEA_PERSONAL).await;
    }
    let stand = plan
        .namespace("plain", &[])
        .await
        .namespace("staying", &CN_PERSONAL)
        .await
        .start()
        .await;
    let (cluster, lane) = (stand.cluster(), &stand.lanes[0]);
    let web = |namespace: &str| lane.pod("web").in_namespace(namespace);
    let excepted = cluster.create_pod(&web("excepted")).await;
    let dated = cluster.create_pod(&web("dated")).await;
    let grouped = cluster.create_pod(&web("grouped")).await;
    let undeclared = web("plain").annotate("domicile.dev/data-sets", "invoices");
    let undeclared = cluster.create_pod(&undeclared).await;
    let staying = cluster.create_pod(&web("staying")).await;
    for pod in [&excepted, &dated, &grouped] {
        cluster.until_refused(pod, EEA_SENTENCE, LIMIT).await;
    }
    cluster.until_refused(&undeclared, "domicile: ", LIMIT).await;
    cluster.until_refused(&staying, CN_SENTENCE, LIMIT).await;

    let since = Instant::now();
    let hour_ago = Timestamp::now() - SignedDuration::from_hours(1) / 2;
    write(
        &policies.join("ex-excepted.yaml"),
        &exception("excepted", hour_ago),
    );
    expect_bound(&stand, &excepted, "an exception", since).await;
    for pod in [&dated, &grouped, &undeclared, &staying] {
        assert!(
            !is_woken(&stand, pod).await,
            "{} is not concerned",
            pod.name_any()
        );
    }

    let since = Instant::now();
    write(&policies.join("invoices.yaml"), INVOICES);
    expect_bound(&stand, &undeclared, "a data set", since).await;

    // The file is a publication that admits nobody; the date is what does.
    let from = Timestamp::now() + SignedDuration::from_secs(6);
    write(&policies.join("ex-dated.yaml"), &exception("dated", from));
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!is_woken(&stand, &dated).await, "the date has not passed");
    let rest = Duration::try_from(from.duration_since(Timestamp::now())).unwrap_or_default();
    tokio::time::sleep(rest).await;
    expect_bound(&stand, &dated, "a date that passed", Instant::now()).await;
    assert!(!is_woken(&stand, &grouped).await, "it is not concerned");

    let since = Instant::now();
    let groups = policies.join("groups.yaml");
    let text = std::fs::read_to_string(&groups).expect("the copy can be read");
    let wider = text.replacen(
        "    - {country: \"AT\"}\n",
        "    - {country: \"AT\"}\n    - {country: \"US\"}\n",
        1,
    );
    assert_ne!(text, wider);
    write(&groups, &wider);
    expect_bound(&stand, &grouped, "a group", since).await;

    assert_eq!(cluster.node_of(&staying).await, Ok(None));
    assert!(!is_woken(&stand, &staying).await, "no change concerned it");
    let count = "domicile_retries_change_to_binding_seconds_count";
    stand.until_metric(count, |bound| bound == 4.0).await;
    let sum = stand
        .metric("domicile_retries_change_to_binding_seconds_sum")
        .await;
    println!(
        "4 pods were bound {:.2} s after their change on average",
        sum.unwrap_or(0.0) / 4.0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_one_wakes_and_the_other_takes_over() {
    let mut plan = Plan::begin("retries-elected")
        .await
        .one_mode(Mode::NamesOnly)
        .setting("lease.namespace", "default");
    let policies = plan.own_policies();
    let mut stand = plan
        .nodes([aws("virginia", "us-east-1")])
        .await
        .namespace("first", &EEA_PERSONAL)
        .await
        .namespace("second", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let leases: Api<Lease> = Api::namespaced(stand.cluster().client.clone(), "default");
    stand
        .until_metric("domicile_lease_held", |held| held == 1.0)
        .await;
    let mut other = stand.another_domicile("other");
    other.until_ready().await;
    let pod = |name: &str| stand.lanes[0].pod("web").in_namespace(name);
    let (first, second) = (pod("first"), pod("second"));
    let first = stand.cluster().create_pod(&first).await;
    let second = stand.cluster().create_pod(&second).await;
    for pod in [&first, &second] {
        stand.cluster().until_refused(pod, EEA_SENTENCE, LIMIT).await;
    }
    let hour_ago = Timestamp::now() - SignedDuration::from_hours(1) / 2;
    write(&policies.join("ex-first.yaml"), &exception("first", hour_ago));
    expect_bound(&stand, &first, "an exception, with two replicas", Instant::now()).await;
    // The other has the files too, and by the next look at them would have acted.
    stand
        .until_metric("domicile_retries_total", |woken| woken == 1.0)
        .await;
    let (_, of_other) = other.get("/metrics").await;
    assert!(of_other.contains("\ndomicile_lease_held 0\n"), "{of_other}");
    assert!(!of_other.contains("domicile_retries_total{"), "{of_other}");

    let stopped = stand.domicile.terminate(LIMIT).expect("it stops in time");
    assert!(stopped.success(), "{stopped}");
    let freed = Instant::now();
    waiting::until("the other replica acts", ELECTED, async || {
        let (_, metrics) = other.get("/metrics").await;
        match metrics.contains("\ndomicile_lease_held 1\n") {
            true => Ok(()),
            false => Err("it does not hold the Lease".to_owned()),
        }
    })
    .await;
    println!(
        "a Lease that was given back is held again after {:.2} s",
        freed.elapsed().as_secs_f64()
    );
    let lease = leases.get("domicile").await.expect("the Lease can be read");
    let spec = lease.spec.expect("a Lease has a specification");
    assert!(spec.lease_transitions >= Some(1), "{spec:?}");
    write(&policies.join("ex-second.yaml"), &exception("second", hour_ago));
    waiting::until(
        "the other replica wakes the pod",
        LIMIT,
        async || match is_woken(&stand, &second).await {
            true => Ok(()),
            false => Err("it has no condition of ours".to_owned()),
        },
    )
    .await;
}
