//! What an import reads of the objects that kubectl prints. All else is skipped; a Go `null` is nothing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::simulation::kube::spec::{LabelSelector, ResourceList};

/// `metadata` of any object.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub name: Option<String>,
    pub namespace: Option<String>,
    pub uid: Option<String>,
    pub labels: Option<BTreeMap<String, String>>,
    pub annotations: Option<BTreeMap<String, String>>,
    pub creation_timestamp: Option<String>,
    pub owner_references: Option<Vec<OwnerReference>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OwnerReference {
    pub kind: Option<String>,
    pub name: Option<String>,
    pub controller: Option<bool>,
}

/// An object of which only `metadata` matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnyView {
    pub metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeView {
    pub metadata: Metadata,
    pub spec: NodeSpecView,
    pub status: NodeStatusView,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeSpecView {
    #[serde(rename = "providerID")]
    pub provider_id: Option<String>,
    pub taints: Option<Vec<Value>>,
    pub unschedulable: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeStatusView {
    pub allocatable: Option<ResourceList>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PodView {
    pub metadata: Metadata,
    pub spec: PodSpecView,
    pub status: PodStatusView,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodSpecView {
    pub node_name: Option<String>,
    pub containers: Option<Vec<Container>>,
    pub init_containers: Option<Vec<Container>>,
    pub resources: Option<Resources>,
    pub overhead: Option<ResourceList>,
    pub node_selector: Option<BTreeMap<String, String>>,
    pub affinity: Option<Value>,
    pub tolerations: Option<Vec<Value>>,
    pub topology_spread_constraints: Option<Vec<Value>>,
    pub priority: Option<i32>,
    pub preemption_policy: Option<String>,
    pub volumes: Option<Vec<VolumeView>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container {
    pub restart_policy: Option<String>,
    pub resources: Option<Resources>,
    pub ports: Option<Vec<Port>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Port {
    pub host_port: Option<u32>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Resources {
    pub requests: Option<ResourceList>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeView {
    pub persistent_volume_claim: Option<Value>,
    pub ephemeral: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PodStatusView {
    pub phase: Option<String>,
}

/// A Service: its selector is a map.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ServiceView {
    pub metadata: Metadata,
    pub spec: ServiceSpecView,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ServiceSpecView {
    pub selector: Option<BTreeMap<String, String>>,
}

/// A ReplicaSet or a StatefulSet: its selector has requirements too.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ControllerView {
    pub metadata: Metadata,
    pub spec: ControllerSpecView,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ControllerSpecView {
    pub selector: Option<LabelSelector>,
}
