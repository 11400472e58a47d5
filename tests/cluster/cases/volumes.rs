//! Where data really is, by the volumes of a live cluster: copies that are found, members that are not ready, pods that
//! create data where they land. Nothing binds volumes here, so claims are made bound, or bound by hand.

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::storage::v1 as storage;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::fleet::aws;
use super::stand::{LIMIT, Plan, Stand};
use crate::{http, waiting};

/// A data set of which nothing is declared but what it is.
const STREAM: &str = "
apiVersion: domicile.dev/v1alpha1
kind: DataSet
metadata: {name: stream}
spec:
  profile: {classification: public, categories: [none], subjects: [none]}
  consistency: strict
  members: {namespaces: [shop]}
  replicas: []
";

/// Health records of Australia, whose copies stay there.
const RECORDS: &str = r#"
apiVersion: domicile.dev/v1alpha1
kind: DataSet
metadata: {name: records}
spec:
  profile: {classification: public, categories: [none], subjects: [none]}
  consistency: available
  replicas: [{region: aws/ap-southeast-2, role: leader}]
---
apiVersion: domicile.dev/v1alpha1
kind: PlacementPolicy
metadata: {name: copies-stay}
spec:
  title: Copies of the records stay in Australia
  owner: {team: clinical-compliance, contact: clinical@corp.example}
  legalBasis: [{cite: a contract}]
  mode: enforce
  appliesTo: {dataSets: [records]}
  rules: [{id: copies, replica: {noneOutside: ["AU"]}}]
"#;

/// Nodes of Frankfurt, Virginia and Sydney, and the data sets above among the policies.
async fn plan(name: &str) -> Plan {
    let mut plan = Plan::begin(name)
        .await
        .nodes([
            aws("frankfurt", "eu-central-1"),
            aws("virginia", "us-east-1"),
            aws("sydney", "ap-southeast-2"),
        ])
        .await
        .namespace("shop", &[("domicile.dev/data", "none")])
        .await;
    let folder = plan.own_policies();
    std::fs::write(folder.join("stream.yaml"), STREAM).expect("the folder can be written");
    std::fs::write(folder.join("records.yaml"), RECORDS).expect("the folder can be written");
    plan
}

/// A volume in a zone of AWS and a claim of `shop` that is bound to it, as a static provisioner leaves them.
async fn bound(stand: &Stand, claim: &str, zone: &str, annotations: &[(&str, &str)]) {
    let client = stand.cluster().pods("shop").into_client();
    let volume = format!("pv-{}-{claim}", stand.scenario.plane.process_number());
    let terms = json!([{"matchExpressions": [
        {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]},
    ]}]);
    let volumes: Api<core::PersistentVolume> = Api::all(client.clone());
    let of_zone = object::<core::PersistentVolume>(json!({
        "metadata": {"name": volume},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "",
            "hostPath": {"path": "/nothing"},
            "claimRef": {"namespace": "shop", "name": claim},
            "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
        },
    }));
    volumes.create(&PostParams::default(), &of_zone).await.expect("the volume is made");
    let claims: Api<core::PersistentVolumeClaim> = Api::namespaced(client, "shop");
    let annotations: std::collections::BTreeMap<&str, &str> = annotations.iter().copied().collect();
    let of_volume = object::<core::PersistentVolumeClaim>(json!({
        "metadata": {"name": claim, "annotations": annotations},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "", "volumeName": volume,
        },
    }));
    claims.create(&PostParams::default(), &of_volume).await.expect("the claim is made");
    let status = json!({"metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}});
    claims.patch(claim, &PatchParams::default(), &Patch::Merge(&status)).await.expect("the claim is bound");
    let phase = json!({"status": {"phase": "Bound"}});
    claims.patch_status(claim, &PatchParams::default(), &Patch::Merge(&phase)).await.expect("the claim says so");
}

fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the object has the shape of its kind")
}
