//! The parts of a run file.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::RegionKey;
use crate::placement::BlindSample;
use crate::simulation::kube::spec::{
    Affinity, LabelSelector, Labels, PodSpec, ResourceList, Toleration, TopologySpreadConstraint,
};
use crate::simulation::kube::{DefaultSpread, Profile, Quantity, Weights};

/// The weight of the extender where the file does not state one, as Domicile is installed.
const DEFAULT_WEIGHT: u32 = 5;

/// Where the nodes come from.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FleetSpec {
    /// A fleet file.
    pub file: Option<String>,
    /// Nodes to make up.
    #[serde(default)]
    pub nodes: Vec<NodeGroupSpec>,
    /// Namespaces beside the nodes that are made up.
    #[serde(default)]
    pub namespaces: Vec<NamespaceSpec>,
}

/// Equal nodes of one region.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NodeGroupSpec {
    /// `provider/region`.
    pub region: String,
    /// The names of its zones, as the provider writes them.
    pub zones: Vec<String>,
    /// How many nodes in each zone.
    pub nodes_per_zone: usize,
    /// What a node can allocate: CPUs.
    pub cpu: Quantity,
    /// Memory.
    pub memory: Quantity,
    /// Pods.
    pub pods: u32,
}

impl NodeGroupSpec {
    /// Its region, where it is one.
    pub(super) fn key(&self) -> Result<RegionKey, String> {
        RegionKey::parse(&self.region).map_err(|problem| problem.to_string())
    }
}

/// A namespace.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NamespaceSpec {
    /// Its name.
    pub name: String,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// Where the policies of `policy-b` are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PoliciesB {
    /// A folder that has all of them.
    Folder(String),
    /// A folder of files that replace files of the same name in the folder of the others, or are added.
    Variant(String),
}

/// What is made up that the trace lacks: where nodes are, data sets, and what pods do with them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SynthesisSpec {
    /// The file of rules; absent are the built-in ones.
    pub rules: Option<String>,
}

/// What of kube-scheduler and of how it asks the extender can be set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct SchedulerSpec {
    /// The weight of the extender.
    pub extender_weight: u32,
    /// After how many feasible nodes a search ends, in percent of all; absent is kube-scheduler's own choice.
    pub percentage_of_nodes_to_score: Option<u8>,
    /// The weights of the plugins that score.
    pub weights: Weights,
    /// The spread constraints of pods that state none.
    pub default_spread: DefaultSpread,
    /// Whether a pod may have others of lower priority evicted.
    pub preemption: bool,
    /// What the extender answers to a sample without a permitted node: `error` or `refuse`.
    pub on_blind_sample: OnBlindSample,
}

/// What the extender answers to a sample without a permitted node, where permitted nodes exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnBlindSample {
    /// An error, so that the pod is tried again soon; as `domicile serve` answers unless it is told otherwise.
    #[default]
    Error,
    /// A refusal.
    Refuse,
}

impl From<OnBlindSample> for BlindSample {
    fn from(answer: OnBlindSample) -> Self {
        match answer {
            OnBlindSample::Error => Self::Error,
            OnBlindSample::Refuse => Self::Refuse,
        }
    }
}

impl Default for SchedulerSpec {
    fn default() -> Self {
        Self {
            extender_weight: DEFAULT_WEIGHT,
            percentage_of_nodes_to_score: None,
            weights: Weights::default(),
            default_spread: DefaultSpread::default(),
            preemption: true,
            on_blind_sample: OnBlindSample::default(),
        }
    }
}

impl SchedulerSpec {
    /// As the model takes it.
    #[must_use]
    pub fn profile(&self) -> Profile {
        Profile {
            percentage_of_nodes_to_score: self.percentage_of_nodes_to_score,
            weights: self.weights,
            default_spread: self.default_spread.clone(),
            extender_weight: self.extender_weight,
            preemption: self.preemption,
            ..Profile::default()
        }
    }
}

/// Equal pods of one Deployment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WorkloadSpec {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// How many pods.
    pub pods: usize,
    /// What a pod asks for: CPUs.
    pub cpu: Quantity,
    /// Memory.
    pub memory: Quantity,
    /// The labels of its pods; without any they have `app: NAME`, since a Deployment finds its pods by a label.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The annotations of its pods: their data, data sets and clients.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// The greater, the sooner they are placed.
    #[serde(default)]
    pub priority: i32,
    /// Labels that their nodes must have.
    #[serde(default)]
    pub node_selector: Labels,
    /// Rules about nodes and other pods.
    #[serde(default)]
    pub affinity: Option<Affinity>,
    /// Taints that they tolerate.
    #[serde(default)]
    pub tolerations: Vec<Toleration>,
    /// How evenly they want to be spread.
    #[serde(default)]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
    /// When they come, in milliseconds from the beginning.
    #[serde(default)]
    pub at_ms: u64,
}

impl WorkloadSpec {
    /// One of its pods, which differ in their names.
    #[must_use]
    pub fn pod(&self, name: String) -> PodSpec {
        let mut labels = self.labels.clone();
        if labels.is_empty() {
            labels.insert("app".to_owned(), self.name.clone());
        }
        PodSpec {
            namespace: self.namespace.clone(),
            name,
            default_spread_selector: Some(LabelSelector {
                match_labels: labels.clone(),
                ..LabelSelector::default()
            }),
            labels,
            requests: ResourceList::from([("cpu".to_owned(), self.cpu), ("memory".to_owned(), self.memory)]),
            node_selector: self.node_selector.clone(),
            affinity: self.affinity.clone(),
            tolerations: self.tolerations.clone(),
            topology_spread_constraints: self.topology_spread_constraints.clone(),
            priority: self.priority,
            ..PodSpec::default()
        }
    }
}
