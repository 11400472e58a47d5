//! What owns pods stays as its author wrote it; the pods made from it are confined.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use kube::api::PostParams;
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{is_confined, required_terms};
use crate::cases::fleet::{EEA_PERSONAL, aws};
use crate::cases::stand::{LIMIT, Plan, admitted_by};
use crate::webhook::FailurePolicy;

/// The template of the object as the API server stores it.
async fn stored_template<K>(api: Api<K>, name: &str, object: Value) -> Value
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let object: K = serde_json::from_value(object).expect("it has the shape of its kind");
    api.create(&PostParams::default(), &object)
        .await
        .expect("the API server takes it");
    let stored = api.get(name).await.expect("it can be read");
    let template = serde_json::to_value(stored).expect("an object is JSON")["spec"]["template"].clone();
    // The API server writes it out as null in one of the kinds.
    let mut template = template;
    if let Some(metadata) = template["metadata"].as_object_mut() {
        metadata.remove("creationTimestamp");
    }
    template
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_stay_clean_and_the_pods_made_from_them_are_confined() {
    let stand = Plan::begin("templates")
        .await
        .admission()
        .nodes([aws("frankfurt", "eu-central-1"), aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    let cluster = stand.cluster();
    let lane = &stand.lanes[0];
    let written = serde_json::to_value(lane.pod("web").label("app", "web").object()).expect("a pod is JSON");
    let object = |kind: &str, name: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": kind,
            "metadata": { "name": name, "namespace": "shop" },
            "spec": {
                "replicas": 1,
                "selector": { "matchLabels": { "app": "web" } },
                "template": {
                    "metadata": { "labels": { "app": "web" }, "annotations": { "domicile.dev/data-sets": "orders" } },
                    "spec": { "schedulerName": written["spec"]["schedulerName"], "containers": written["spec"]["containers"] },
                },
            },
        })
    };
    let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), "shop");
    let replica_sets: Api<ReplicaSet> = Api::namespaced(cluster.client.clone(), "shop");
    let before = [
        stored_template(deployments.clone(), "before", object("Deployment", "before")).await,
        stored_template(replica_sets.clone(), "before", object("ReplicaSet", "before")).await,
    ];
    stand.register(FailurePolicy::Fail).await;
    let after = [
        stored_template(deployments.clone(), "web", object("Deployment", "web")).await,
        stored_template(replica_sets.clone(), "web", object("ReplicaSet", "web")).await,
    ];
    assert_eq!(before, after);

    // As the controller of a replica set makes pods.
    let owner = replica_sets.get("web").await.expect("it can be read");
    let mut pod = after[1].clone();
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["generateName"] = json!("web-");
    pod["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": owner.metadata.uid,
        "controller": true, "blockOwnerDeletion": true,
    }]);
    let pod = serde_json::from_value(pod).expect("a pod");
    let pod = cluster.pods("shop").create(&PostParams::default(), &pod).await;
    let pod = pod.expect("the API server takes the pod");
    let terms = required_terms(&pod);
    assert!(!terms.is_empty() && terms.iter().all(is_confined), "{terms:?}");
    assert!(admitted_by(&pod).is_some(), "{:?}", pod.metadata.annotations);
    assert_eq!(cluster.until_bound(&pod, LIMIT).await, "frankfurt");

    for name in ["before", "web"] {
        let now = kube::api::DeleteParams::default().grace_period(0);
        deployments.delete(name, &now).await.expect("it can be deleted");
        replica_sets.delete(name, &now).await.expect("it can be deleted");
    }
}
