//! Volumes and claims as a provisioner leaves them: nothing here binds volumes, so tests do what the absent controllers
//! would.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use crate::api::Cluster;
use crate::waiting;

/// What kube-scheduler writes on a claim of a class that waits: where it wants the volume.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// A volume that is there: its name, where it can be used from, what it says of data.
#[derive(Debug, Clone, Default)]
pub struct MadeVolume<'a> {
    pub name: &'a str,
    /// A label of nodes and its value, such as a zone.
    pub on: (&'a str, &'a str),
    pub annotations: &'a [(&'a str, &'a str)],
    pub class: &'a str,
}

impl Cluster {
    pub async fn create_storage_class(&self, name: &str, mode: &str, annotations: &[(&str, &str)]) {
        let class: StorageClass = object(json!({
            "metadata": {"name": name, "annotations": map(annotations)},
            "provisioner": "volumes.example", "volumeBindingMode": mode,
        }));
        let classes: Api<StorageClass> = Api::all(self.client.clone());
        let made = classes.create(&PostParams::default(), &class).await;
        made.expect("the API server takes the storage class");
    }

    /// A claim that asks for a class and has no volume yet.
    pub async fn create_claim(&self, namespace: &str, name: &str, class: &str, annotations: &[(&str, &str)]) {
        let claim: core::PersistentVolumeClaim = object(json!({
            "metadata": {"name": name, "annotations": map(annotations)},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": class,
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }));
        let made = self
            .claims(namespace)
            .create(&PostParams::default(), &claim)
            .await;
        made.expect("the API server takes the claim");
    }

    /// Makes the volume of a claim and binds the two, as a provisioner and the controller of volumes do together.
    pub async fn provision(&self, namespace: &str, claim: &str, volume: &MadeVolume<'_>) {
        let claims = self.claims(namespace);
        let known = claims.get(claim).await.expect("the claim can be read");
        let (key, value) = volume.on;
        let made: core::PersistentVolume = object(json!({
            "metadata": {"name": volume.name, "annotations": map(volume.annotations)},
            "spec": {
                "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                "storageClassName": volume.class, "persistentVolumeReclaimPolicy": "Retain",
                "csi": {"driver": "volumes.example", "volumeHandle": volume.name},
                "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                    "namespace": namespace, "name": claim, "uid": known.uid()},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [
                    {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]},
                ]}},
            },
        }));
        let volumes = self.volumes().create(&PostParams::default(), &made).await;
        volumes.expect("the API server takes the volume");
        let bound = json!({
            "metadata": {"annotations": {
                "pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes",
            }},
            "spec": {"volumeName": volume.name},
        });
        let patched = claims
            .patch(claim, &PatchParams::default(), &Patch::Merge(&bound))
            .await;
        patched.expect("the claim can be bound");
        let phase = json!({"status": {"phase": "Bound"}});
        let patched = claims
            .patch_status(claim, &PatchParams::default(), &Patch::Merge(&phase))
            .await;
        patched.expect("the claim can say that it is bound");
        let patched = self
            .volumes()
            .patch_status(volume.name, &PatchParams::default(), &Patch::Merge(&phase))
            .await;
        patched.expect("the volume can say that it is bound");
    }

    /// A claim that is bound to a volume which is made for it, of no class.
    pub async fn create_bound_claim(
        &self,
        (namespace, claim): (&str, &str),
        annotations: &[(&str, &str)],
        volume: &MadeVolume<'_>,
    ) {
        self.create_claim(namespace, claim, volume.class, annotations)
            .await;
        self.provision(namespace, claim, volume).await;
    }

    /// Waits until kube-scheduler asks for the volume of a claim; for which node.
    pub async fn until_volume_wanted(&self, namespace: &str, claim: &str, limit: Duration) -> String {
        let claims = self.claims(namespace);
        let what = format!("kube-scheduler asks for the volume of `{claim}`");
        waiting::until(&what, limit, async || {
            let now = claims.get(claim).await.map_err(|error| error.to_string())?;
            let selected = now.annotations().get(SELECTED_NODE).cloned();
            selected.ok_or_else(|| format!("its annotations are {:?}", now.annotations()))
        })
        .await
    }

    /// Sets annotations of a volume.
    pub async fn annotate_volume(&self, name: &str, annotations: &[(&str, &str)]) {
        let patch = json!({"metadata": {"annotations": map(annotations)}});
        let patched = self
            .volumes()
            .patch(name, &PatchParams::default(), &Patch::Merge(&patch))
            .await;
        patched.expect("the volume can be annotated");
    }

    /// Says what a kubelet says of a pod that runs: whether it is ready.
    pub async fn report_ready(&self, pod: &core::Pod, is_ready: bool) {
        let status = if is_ready { "True" } else { "False" };
        let patch =
            json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": status}]}});
        let namespace = pod.namespace().unwrap_or_else(|| "default".to_owned());
        let pods = self.pods(&namespace);
        let patched = pods
            .patch_status(
                &pod.name_any(),
                &PatchParams::default(),
                &Patch::Strategic(&patch),
            )
            .await;
        patched.expect("the status of the pod can be patched");
    }

    fn claims(&self, namespace: &str) -> Api<core::PersistentVolumeClaim> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn volumes(&self) -> Api<core::PersistentVolume> {
        Api::all(self.client.clone())
    }
}

fn map<'a>(pairs: &[(&'a str, &'a str)]) -> BTreeMap<&'a str, &'a str> {
    pairs.iter().copied().collect()
}

fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object of this file has the shape of its kind")
}
