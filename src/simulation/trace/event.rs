//! What happens in a trace, and when.
//!
//! Invariants: a node says its place by labels alone, as a real one does (the shorthand of the file is
//! resolved when it is read); what a pod says about its data stands in its annotations, as on a real pod;
//! a data set is one that the reader of policy files accepts.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::data_set::TraceDataSet;
use super::names;
use super::node::TraceNode;
use crate::model::{
    DataSetName, InvalidName, Namespace, NamespaceName, NodeName, Owner, PodRequirements, RegionKey,
};
use crate::objects::{ObjectKind, read_annotations};
use crate::simulation::kube::spec::PodSpec;
use crate::topology::MeasuredPlace;

/// Something that happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When: milliseconds from the beginning of the trace.
    pub t_ms: u64,
    /// What.
    pub what: What,
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A node joins.
    NodeAdd(Box<TraceNode>),
    /// A node is gone, and what ran on it.
    NodeRemove(NamedNode),
    /// A node takes no more pods.
    NodeCordon(NamedNode),
    /// A node takes pods again.
    NodeUncordon(NamedNode),
    /// A pod wants a node, or runs on one already.
    PodCreate(Box<TracePod>),
    /// A pod is gone.
    PodDelete(NamedPod),
    /// A namespace is made or changed.
    NamespaceSet(TraceNamespace),
    /// A data set is made or changed.
    DataSetSet(Box<TraceDataSet>),
    /// Another copy of a data set leads.
    DataSetLeader(LeaderMove),
    /// The latency between two places is another one.
    LatencySet(LatencyChange),
    /// A region is lost.
    RegionDown(NamedRegion),
    /// A region is back.
    RegionUp(NamedRegion),
    /// Regions no longer reach each other.
    LinkCut(RegionLink),
    /// Regions reach each other again.
    LinkHeal(RegionLink),
    /// Other policies hold.
    PolicyLoad(PolicyLoad),
}

impl What {
    /// The word of the event.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NodeAdd(_) => "node.add",
            Self::NodeRemove(_) => "node.remove",
            Self::NodeCordon(_) => "node.cordon",
            Self::NodeUncordon(_) => "node.uncordon",
            Self::PodCreate(_) => "pod.create",
            Self::PodDelete(_) => "pod.delete",
            Self::NamespaceSet(_) => "namespace.set",
            Self::DataSetSet(_) => "dataset.set",
            Self::DataSetLeader(_) => "dataset.leader",
            Self::LatencySet(_) => "latency.set",
            Self::RegionDown(_) => "region.down",
            Self::RegionUp(_) => "region.up",
            Self::LinkCut(_) => "link.cut",
            Self::LinkHeal(_) => "link.heal",
            Self::PolicyLoad(_) => "policy.load",
        }
    }
}

/// A node by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedNode {
    /// The name of a node that is there.
    pub node: NodeName,
}

/// A pod.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TracePod {
    /// What tells it from every other pod that is there.
    pub uid: String,
    /// Its controller, such as `ReplicaSet/web-5d8f`. It groups pods in reports, and decides nothing.
    #[serde(default, with = "names::owner", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub owner: Option<Owner>,
    /// Its annotations; those under `domicile.dev/` say what data it carries and uses, and who calls it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What kube-scheduler looks at, in the words of Kubernetes.
    pub spec: PodSpec,
}

impl TracePod {
    /// What the pod requires, as the server reads it of a real one.
    ///
    /// # Errors
    /// Where the name of its namespace or node is none.
    pub fn requirements(&self) -> Result<PodRequirements, InvalidName> {
        let pairs = self
            .annotations
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        let node = self.spec.node_name.as_deref().map(NodeName::new);
        Ok(PodRequirements {
            name: self.spec.name.clone(),
            uid: self.uid.clone(),
            owner: self.owner.clone(),
            labels: self.spec.labels.clone(),
            annotations: read_annotations(ObjectKind::Pod, pairs),
            node: node.transpose()?,
            ..PodRequirements::imagined(NamespaceName::new(&self.spec.namespace)?)
        })
    }

    /// What people call its workload; `None` where it has no controller.
    #[must_use]
    pub fn workload(&self) -> Option<Owner> {
        self.owner.as_ref().map(|owner| owner.workload(&self.spec.labels))
    }
}

/// A pod by its UID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedPod {
    /// The UID of a pod that is there.
    pub uid: String,
}

impl TraceNamespace {
    /// What the server reads of a real one.
    #[must_use]
    pub fn record(&self) -> Namespace {
        let pairs = self
            .annotations
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        let labels = self
            .labels
            .iter()
            .map(|(key, value)| (Arc::from(key.as_str()), Arc::from(value.as_str())));
        Namespace {
            labels: labels.collect(),
            annotations: read_annotations(ObjectKind::Namespace, pairs),
        }
    }
}

/// A namespace. What an earlier event said of it no longer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceNamespace {
    /// Its name.
    pub namespace: NamespaceName,
    /// Its labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Its annotations; those under `domicile.dev/` say what data its pods carry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A copy of a data set becomes its leader, and the one that led a voter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaderMove {
    /// The name of a data set that is there.
    pub id: DataSetName,
    /// Where the copy is.
    pub region: RegionKey,
    /// In which zone, where the region has several copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub zone: Option<String>,
}

/// What a round trip takes from now on. A direction is a pair of its own; where only one is ever stated it holds
/// for both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatencyChange {
    /// Who asks.
    pub from: MeasuredPlace,
    /// Who answers.
    pub to: MeasuredPlace,
    /// The round trip that half exceed, in microseconds.
    pub p50_us: u64,
    /// The round trip that one in twenty exceeds, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub p95_us: Option<u64>,
}

/// A region by its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedRegion {
    /// The region.
    pub region: RegionKey,
}

/// Every pair of one region of `a` and one of `b`, both ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionLink {
    /// Regions on the one side.
    #[schemars(length(min = 1))]
    pub a: Vec<RegionKey>,
    /// Regions on the other.
    #[schemars(length(min = 1))]
    pub b: Vec<RegionKey>,
}

/// Policies that hold from now on, instead of those before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyLoad {
    /// Their folder, relative to the trace.
    #[schemars(length(min = 1))]
    pub path: String,
}
