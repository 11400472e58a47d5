//! Nodes and pods as tests write them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A node with 4 CPUs, 16 GiB and room for 110 pods, ready and without taints.
#[derive(Clone, Debug)]
pub struct Node {
    name: String,
    labels: BTreeMap<String, String>,
    provider_id: Option<String>,
    taints: Vec<Value>,
    cpu: String,
}

impl Node {
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            labels: BTreeMap::from([("kubernetes.io/hostname".to_owned(), name.clone())]),
            name,
            provider_id: None,
            taints: Vec::new(),
            cpu: "4".to_owned(),
        }
    }

    /// Region and zone in the well-known topology labels.
    pub fn in_zone(self, region: &str, zone: &str) -> Self {
        self.label("topology.kubernetes.io/region", region)
            .label("topology.kubernetes.io/zone", zone)
    }

    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key.to_owned(), value.to_owned());
        self
    }

    /// `spec.providerID`, for example `aws:///eu-central-1a/i-0123`.
    pub fn provider_id(mut self, provider_id: &str) -> Self {
        self.provider_id = Some(provider_id.to_owned());
        self
    }

    /// An effect is `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub fn taint(mut self, key: &str, value: &str, effect: &str) -> Self {
        self.taints
            .push(json!({ "key": key, "value": value, "effect": effect }));
        self
    }

    /// Allocatable CPU as a quantity, for example `1` or `500m`.
    pub fn cpu(mut self, quantity: &str) -> Self {
        self.cpu = quantity.to_owned();
        self
    }

    pub fn object(&self) -> k8s_openapi::api::core::v1::Node {
        let resources =
            json!({ "cpu": self.cpu, "memory": "16Gi", "pods": "110", "ephemeral-storage": "100Gi" });
        from(json!({
            "metadata": { "name": self.name, "labels": self.labels },
            "spec": { "providerID": self.provider_id, "taints": self.taints },
            "status": {
                "capacity": resources,
                "allocatable": resources,
                "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady" }],
            },
        }))
    }
}

/// A pod of one container that asks for 100m CPU, in the namespace `default`, and goes away at once when deleted.
#[derive(Clone, Debug)]
pub struct Pod {
    pub(crate) namespace: String,
    pub(crate) priority: Option<i32>,
    name: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    scheduler_name: Option<String>,
    cpu: String,
    on_node: Option<String>,
    spec: serde_json::Map<String, Value>,
}

impl Pod {
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            namespace: "default".to_owned(),
            priority: None,
            name: name.into(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            scheduler_name: None,
            cpu: "100m".to_owned(),
            on_node: None,
            spec: serde_json::Map::new(),
        }
    }

    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.namespace = namespace.to_owned();
        self
    }

    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key.to_owned(), value.to_owned());
        self
    }

    pub fn annotate(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// A priority; the priority class that carries it is made on the way.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Requested CPU as a quantity.
    pub fn cpu(mut self, quantity: &str) -> Self {
        self.cpu = quantity.to_owned();
        self
    }

    pub fn scheduled_by(mut self, scheduler: &str) -> Self {
        self.scheduler_name = Some(scheduler.to_owned());
        self
    }

    /// Bound from the start, without any scheduler.
    pub fn on_node(mut self, node: &str) -> Self {
        self.on_node = Some(node.to_owned());
        self
    }

    /// One more field of the specification, by its name in JSON.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.spec.insert(field.to_owned(), value);
        self
    }

    /// Required node affinity: a node must satisfy one of these terms.
    pub fn requires(self, terms: Value) -> Self {
        let required =
            json!({ "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": terms } });
        self.with("affinity", json!({ "nodeAffinity": required }))
    }

    pub fn object(&self) -> k8s_openapi::api::core::v1::Pod {
        let mut pod = json!({
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": self.labels,
                "annotations": self.annotations,
            },
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "schedulerName": self.scheduler_name,
                "nodeName": self.on_node,
                "priorityClassName": self.priority.map(priority_class_name),
                "containers": [{
                    "name": "main",
                    "image": "registry.example/nothing:1",
                    "resources": { "requests": { "cpu": self.cpu } },
                }],
            },
        });
        for (field, value) in &self.spec {
            pod["spec"][field] = value.clone();
        }
        from(pod)
    }
}

/// The class that stands for a priority.
pub fn priority_class_name(priority: i32) -> String {
    if priority < 0 {
        format!("priority-minus-{}", priority.unsigned_abs())
    } else {
        format!("priority-{priority}")
    }
}

fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object of this file has the shape of its kind")
}
