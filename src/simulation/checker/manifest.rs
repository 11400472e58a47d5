//! Objects of Kubernetes as the API server prints them, for a checker.
//!
//! Inputs: JSON values. Outputs: what is known of a cluster, pods and nodes to ask about. Invariants: what is `null` is
//! absent; text is taken as it stands. Deliberately absent: Deployments and their like: pods are asked about, and not
//! what makes them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{CheckedMount, CheckedNode, CheckedOwner, CheckedPod, CheckedStorage, Checker};

impl Checker {
    /// Makes an object known, or every item of a list: namespaces, claims, volumes and storage classes. Others say
    /// nothing about data.
    pub fn know(&mut self, object: &Value) {
        for item in object
            .get("items")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            self.know(item);
        }
        let name = text(object, "/metadata/name").unwrap_or_default();
        let annotations = strings(object, "/metadata/annotations");
        match text(object, "/kind").as_deref() {
            Some("Namespace") => {
                let labels = strings(object, "/metadata/labels");
                self.namespace(&name, labels, annotations);
            }
            Some("PersistentVolumeClaim") => {
                let namespace = text(object, "/metadata/namespace").unwrap_or_default();
                self.claim(&namespace, &name, storage(object));
            }
            Some("PersistentVolume") => self.volume(&name, storage(object)),
            Some("StorageClass") => {
                self.storage_class(&name, annotations);
                if text(object, "/volumeBindingMode").as_deref() == Some("WaitForFirstConsumer") {
                    self.waiting_class(&name);
                }
            }
            _ => {}
        }
    }
}

impl CheckedPod {
    /// A pod as it is printed.
    #[must_use]
    pub fn of_manifest(pod: &Value) -> Self {
        let list = |path: &str| pod.pointer(path).and_then(Value::as_array).into_iter().flatten();
        let controls = |owner: &&Value| owner.get("controller").and_then(Value::as_bool) == Some(true);
        let owner = list("/metadata/ownerReferences").find(controls);
        let pod_name = text(pod, "/metadata/name").unwrap_or_default();
        let mounts = list("/spec/volumes").filter_map(|volume| {
            if let Some(claim) = text(volume, "/persistentVolumeClaim/claimName") {
                return Some(CheckedMount {
                    claim,
                    template: None,
                });
            }
            let template = volume.pointer("/ephemeral/volumeClaimTemplate")?;
            let name = text(volume, "/name").unwrap_or_default();
            Some(CheckedMount {
                claim: format!("{pod_name}-{name}"),
                template: Some(storage(template)),
            })
        });
        Self {
            namespace: text(pod, "/metadata/namespace").unwrap_or_default(),
            annotations: strings(pod, "/metadata/annotations"),
            owner: owner.map(|owner| CheckedOwner {
                kind: text(owner, "/kind").unwrap_or_default(),
                name: text(owner, "/name").unwrap_or_default(),
            }),
            mounts: mounts.collect(),
            replicates: false,
        }
    }
}

impl CheckedNode {
    /// A node as it is printed.
    #[must_use]
    pub fn of_manifest(node: &Value) -> Self {
        Self {
            labels: strings(node, "/metadata/labels"),
            provider_id: text(node, "/spec/providerID"),
        }
    }
}

fn storage(object: &Value) -> CheckedStorage {
    CheckedStorage {
        storage_class: text(object, "/spec/storageClassName"),
        volume: text(object, "/spec/volumeName"),
        annotations: strings(object, "/metadata/annotations"),
    }
}

fn text(object: &Value, path: &str) -> Option<String> {
    object.pointer(path).and_then(Value::as_str).map(str::to_owned)
}

fn strings(object: &Value, path: &str) -> BTreeMap<String, String> {
    let map = object.pointer(path).and_then(Value::as_object);
    let pairs = map.into_iter().flatten();
    let texts = pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    texts.collect()
}
