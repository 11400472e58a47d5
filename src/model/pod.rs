//! A pod that wants a node, reduced to what decides its placement.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::fleet::SourceAnnotations;
use super::names::{NamespaceName, NodeName};

/// An annotation that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The key, such as `domicile.dev/data-categories`; where it is none of ours, as somebody wrote it.
    pub annotation: Cow<'static, str>,
    /// What is wrong and how to mend it: a lowercase sentence with user input in backticks, and
    /// without ", ", by which kube-scheduler joins reasons.
    pub problem: String,
}

/// The object that a pod names as its controller. Pods write it themselves: it explains, and decides nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Such as `ReplicaSet`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// The label by which a Deployment tells its ReplicaSets apart.
const TEMPLATE_HASH_LABEL: &str = "pod-template-hash";

impl Owner {
    /// What people call the workload of a pod of this controller with these labels: the controller, or the
    /// Deployment whose ReplicaSet that is.
    #[must_use]
    pub fn workload(&self, labels: &BTreeMap<String, String>) -> Self {
        let deployment = labels
            .get(TEMPLATE_HASH_LABEL)
            .filter(|_| self.kind == "ReplicaSet")
            .and_then(|hash| self.name.strip_suffix(hash.as_str()))
            .and_then(|name| name.strip_suffix('-'));
        match deployment {
            Some(name) => Self {
                kind: "Deployment".to_owned(),
                name: name.to_owned(),
            },
            None => self.clone(),
        }
    }
}

/// A volume of a pod that is backed by a claim.
#[derive(Debug, Clone, PartialEq)]
pub enum VolumeMount {
    /// A claim that exists by itself.
    Claim(Arc<str>),
    /// A claim that is made for the pod from a template, and what the template says.
    Ephemeral {
        /// The name that the claim will have: `pod-volume`.
        claim: Arc<str>,
        /// The storage class that the template asks for.
        storage_class: Option<Arc<str>>,
        /// What the annotations of the template say.
        annotations: Box<SourceAnnotations>,
    },
}

/// A pod that wants a node.
#[derive(Debug, Clone, PartialEq)]
pub struct PodRequirements {
    /// Its namespace.
    pub namespace: NamespaceName,
    /// Its name; a pod that is not yet created may have none.
    pub name: String,
    /// Its UID; a pod that is not yet created may have none.
    pub uid: String,
    /// Its controller, as it says itself.
    pub owner: Option<Owner>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What its annotations say.
    pub annotations: SourceAnnotations,
    /// Its volumes that are backed by claims.
    pub volumes: Vec<VolumeMount>,
    /// The node that it is bound to already; what wants a node has none.
    pub node: Option<NodeName>,
    /// The scheduler that is asked to place it; unstated is `default-scheduler`, as the API server has it.
    pub scheduler: Arc<str>,
    /// Where it was permitted when it was admitted, as the webhook wrote it on the pod. It tells what became stale,
    /// and decides nothing.
    pub admitted_places: Option<Arc<str>>,
}

impl PodRequirements {
    /// What people call the pod's workload: its controller, or the Deployment whose ReplicaSet that is. It
    /// groups pods in reports, and decides nothing.
    #[must_use]
    pub fn workload(&self) -> Option<Owner> {
        self.owner.as_ref().map(|owner| owner.workload(&self.labels))
    }

    /// A pod of a namespace that nobody has written: it says nothing and mounts nothing.
    #[must_use]
    pub fn imagined(namespace: NamespaceName) -> Self {
        Self {
            namespace,
            name: String::new(),
            uid: String::new(),
            owner: None,
            labels: BTreeMap::new(),
            annotations: SourceAnnotations::default(),
            volumes: Vec::new(),
            node: None,
            scheduler: Arc::from(""),
            admitted_places: None,
        }
    }
}
