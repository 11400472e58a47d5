//! Pods that slip past a scheduler, or that a change leaves where they may not be: found, and told.

use std::process::Command;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::fleet::{EEA_PERSONAL, EEA_SENTENCE, aws};
use super::stand::{LIMIT, Plan, Stand};
use crate::objects::Pod;
use crate::scheduler::Mode;
use crate::webhook::FailurePolicy;

const REASON: &str = "BoundWhereRefused";
const RULE: &str = "`eea-personal-data/place` permits only group EEA";

/// An object that controls another.
fn owner(kind: &str, name: &str, uid: &str) -> OwnerReference {
    OwnerReference {
        api_version: "apps/v1".to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
        controller: Some(true),
        ..OwnerReference::default()
    }
}

/// A ReplicaSet that is not there.
fn unknown() -> OwnerReference {
    owner("ReplicaSet", "web", "11111111-2222-3333-4444-555555555555")
}

/// A Deployment that nobody looks for, and a ReplicaSet of it that is there.
async fn rolled(stand: &Stand) -> (OwnerReference, OwnerReference) {
    let deployment = owner("Deployment", "desk", "66666666-7777-8888-9999-000000000000");
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "desk-5f", "namespace": "shop", "ownerReferences": [deployment]},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": "desk"}},
            "template": {
                "metadata": {"labels": {"app": "desk"}},
                "spec": {"containers": [{"name": "main", "image": "registry.example/desk"}]},
            },
        },
    });
    let sets: Api<ReplicaSet> = Api::namespaced(stand.cluster().client.clone(), "shop");
    let set = sets
        .create(
            &PostParams::default(),
            &serde_json::from_value(set).expect("a ReplicaSet"),
        )
        .await
        .expect("the API server takes the ReplicaSet");
    let uid = set.metadata.uid.expect("a UID");
    (deployment, owner("ReplicaSet", "desk-5f", &uid))
}

/// A pod that names its node itself, and whose controller is this.
async fn create_owned(stand: &Stand, name: &str, node: &str, by: OwnerReference) -> core::Pod {
    let mut pod = Pod::named(name).in_namespace("shop").on_node(node).object();
    pod.metadata.owner_references = Some(vec![by]);
    let pods = stand.cluster().pods("shop");
    pods.create(&PostParams::default(), &pod)
        .await
        .expect("the API server takes the pod")
}

/// Something whose Events can be asked for as those of a pod: a controller.
fn controller(owner: OwnerReference) -> core::Pod {
    let mut object = core::Pod::default();
    object.metadata.namespace = Some("shop".to_owned());
    object.metadata.name = Some(owner.name);
    object.metadata.uid = Some(owner.uid);
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_names_its_node_is_found_and_told_with_its_owner() {
    let stand = Plan::begin("scan-node-name")
        .await
        .one_mode(Mode::NamesOnly)
        .nodes([aws("virginia", "us-east-1"), aws("frankfurt", "eu-central-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    let strayed = create_owned(&stand, "strayed", "virginia", unknown()).await;
    let home = create_owned(&stand, "home", "frankfurt", unknown()).await;
    let told = cluster.until_told(&strayed, REASON, LIMIT).await;
    assert!(
        told[0].contains(RULE) && told[0].contains("delete the pod"),
        "{told:?}"
    );
    let on_owner = cluster.until_told(&controller(unknown()), REASON, LIMIT).await;
    assert!(on_owner[0].contains(RULE), "{on_owner:?}");
    // Where the ReplicaSet is of a Deployment, that is told in its place.
    let (deployment, set) = rolled(&stand).await;
    let desk = create_owned(&stand, "desk", "virginia", set.clone()).await;
    cluster.until_told(&desk, REASON, LIMIT).await;
    let on_deployment = cluster.until_told(&controller(deployment), REASON, LIMIT).await;
    assert!(on_deployment[0].contains(RULE), "{on_deployment:?}");
    assert!(cluster.events_of(&controller(set), REASON).await.is_empty());
    let now = kube::api::DeleteParams::default().grace_period(0);
    let deleted = cluster.pods("shop").delete("desk", &now).await;
    deleted.expect("a pod can be deleted");
    assert!(cluster.events_of(&home, REASON).await.is_empty());
    stand
        .until_metric("domicile_scan_findings", |found| found == 1.0)
        .await;

    // The same in a table, with the pods that pass.
    let output = Command::new(env!("CARGO_BIN_EXE_domicile"))
        .args(["scan", "--cluster", "--output", "csv"])
        .env("KUBECONFIG", stand.scenario.plane.administrator())
        .output()
        .expect("domicile can be started");
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{table}");
    let row = |pod: &str| {
        table
            .lines()
            .find(|line| line.starts_with(&format!("shop,{pod},")))
            .map(str::to_owned)
    };
    let strayed_row = row("strayed").expect("a row");
    assert!(
        strayed_row.contains(",bound-where-refused,") && strayed_row.contains("ReplicaSet/web"),
        "{table}"
    );
    assert!(row("home").is_some_and(|row| row.contains(",passes,")), "{table}");

    // What is deleted is found no more.
    cluster
        .pods("shop")
        .delete("strayed", &now)
        .await
        .expect("a pod can be deleted");
    stand
        .until_metric("domicile_scan_findings", |found| found == 0.0)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_were_placed_well_are_found_when_their_node_or_the_policies_change() {
    let mut plan = Plan::begin("scan-changes").await.one_mode(Mode::NamesOnly);
    let policies = plan.own_policies();
    let ends = Timestamp::now() + SignedDuration::from_secs(25);
    let begins = Timestamp::now() - SignedDuration::from_hours(1);
    let exception = format!(
        "apiVersion: domicile.dev/v1alpha1\nkind: PlacementException\nmetadata: {{name: ex-lent}}\nspec:\n  \
         relaxes: {{policy: eea-personal-data, rule: place}}\n  \
         scope: {{namespace: lent, locations: [\"US\"], data: {{categories: [personal], subjects: [group/EEA]}}}}\n  \
         category: waiver\n  reason: a move\n  requestedBy: somebody@corp.example\n  approvedBy: dpo@corp.example\n  \
         ticket: T-1\n  notBefore: \"{begins}\"\n  expires: \"{ends}\"\n"
    );
    std::fs::write(policies.join("ex-lent.yaml"), exception).expect("the copy can be written");
    let stand = plan
        .nodes([
            aws("virginia", "us-east-1"),
            aws("frankfurt", "eu-central-1"),
            aws("paris", "eu-west-3"),
        ])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .namespace("lent", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let (cluster, lane) = (stand.cluster(), &stand.lanes[0]);
    let only = |node: &str| json!([{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}]);
    let pod =
        |name: &str, namespace: &str, node: &str| lane.pod(name).in_namespace(namespace).requires(only(node));
    let relabelled = cluster.create_pod(&pod("relabelled", "shop", "frankfurt")).await;
    let narrowed = cluster.create_pod(&pod("narrowed", "shop", "paris")).await;
    let lent = cluster.create_pod(&pod("lent", "lent", "virginia")).await;
    for pod in [&relabelled, &narrowed, &lent] {
        cluster.until_bound(pod, LIMIT).await;
    }
    // An exception that expires: found by the date alone.
    let told = cluster
        .until_told(&lent, REASON, LIMIT + Duration::from_secs(30))
        .await;
    assert!(told[0].contains("the exception `ex-lent` expired"), "{told:?}");
    assert!(Timestamp::now() >= ends, "not before it did");
    for pod in [&relabelled, &narrowed] {
        assert!(cluster.events_of(pod, REASON).await.is_empty());
    }

    // A node that says that it is elsewhere.
    let nodes: Api<core::Node> = Api::all(cluster.client.clone());
    let region = json!({"metadata": {"labels": {"topology.kubernetes.io/region": "us-east-1", "topology.kubernetes.io/zone": "us-east-1a"}}});
    nodes
        .patch("frankfurt", &PatchParams::default(), &Patch::Merge(region))
        .await
        .expect("a node can be labelled");
    let told = cluster.until_told(&relabelled, REASON, LIMIT).await;
    assert!(told[0].contains(RULE), "{told:?}");
    assert!(cluster.events_of(&narrowed, REASON).await.is_empty());

    // A policy that permits less than when the pod was bound.
    let file = policies.join("eea-personal-data.yaml");
    let text = std::fs::read_to_string(&file).expect("the copy can be read");
    std::fs::write(&file, text.replace("allowed: [group/EEA]", "allowed: [DE]"))
        .expect("the copy can be written");
    let told = cluster.until_told(&narrowed, REASON, LIMIT).await;
    assert!(told[0].contains("permits only DE"), "{told:?}");
    // And the copy of the data set `orders` in the Netherlands.
    stand
        .until_metric("domicile_scan_findings", |found| found == 4.0)
        .await;
    assert!(
        stand
            .metric("domicile_scan_age_seconds")
            .await
            .is_some_and(|age| age < 60.0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_admission_confines_to_where_no_node_is_is_told_so() {
    let stand = Plan::begin("scan-confined")
        .await
        .one_mode(Mode::NamesOnly)
        .admission()
        .nodes([aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    stand.register(FailurePolicy::Fail).await;
    let cluster = stand.cluster();
    let pod = cluster
        .create_pod(&stand.lanes[0].pod("web").in_namespace("shop"))
        .await;
    let affinity = pod.spec.as_ref().and_then(|spec| spec.affinity.as_ref());
    assert!(affinity.is_some(), "it is confined");
    let told = cluster.until_told(&pod, "NoPermittedNode", LIMIT).await;
    assert_eq!(told, [EEA_SENTENCE]);
    // kube-scheduler found no node by the affinity alone, and asked nobody.
    let uid = pod.metadata.uid.as_deref();
    let asked = |record: &Value| record["pod"]["uid"].as_str() == uid && record["verb"] == "filter";
    assert!(!stand.domicile.decisions().iter().any(asked));
}
