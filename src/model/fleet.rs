//! The objects of a cluster, reduced to what decides a placement.
//!
//! Inputs: an edge (a fleet file, a watch) has read labels and annotations into these. Absent: pods
//! that run, capacity, conditions; kube-scheduler looks after those.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;

use super::access::AccessProfile;
use super::data::{Category, Classification, Dimension, Subject};
use super::locality::{Locality, RegionReference};
use super::names::{NamespaceName, NodeName};
use super::pod::Malformed;
use super::volume::{VolumeBinding, VolumeSpot};

/// What the annotation `domicile.dev/data` of a namespace says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatedData {
    /// The namespace has no governed data.
    NoData,
    /// The workloads say it.
    ByWorkload,
}

/// The three lists of a profile, each absent where it is not stated. A list that is present has a member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatedProfile {
    /// Classifications.
    pub classifications: Option<Vec<Classification>>,
    /// Categories.
    pub categories: Option<Vec<Dimension<Category>>>,
    /// Subjects.
    pub subjects: Option<Vec<Dimension<Subject>>>,
}

impl StatedProfile {
    /// Whether nothing is stated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.classifications.is_none() && self.categories.is_none() && self.subjects.is_none()
    }
}

/// Everything that the `domicile.dev/*` annotations of one object say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SourceAnnotations {
    /// `domicile.dev/data`, on namespaces only.
    pub data: Option<StatedData>,
    /// The profile; empty where nothing is stated.
    pub profile: StatedProfile,
    /// Data sets, clients and limits.
    pub access: AccessProfile,
    /// What could not be read. One is enough to refuse the pods that it concerns.
    pub malformed: Vec<Malformed>,
}

/// Names the provider of a node whose providerID does not.
pub const PROVIDER_LABEL: &str = "domicile.dev/provider";
/// The region of a node by a label that NodeRestriction keeps kubelets from setting.
pub const RESTRICTED_REGION_LABEL: &str = "domicile.node-restriction.kubernetes.io/region";

/// A node, as far as residency and latency look at it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NodeRecord {
    /// Where its labels say that it is.
    pub locality: Locality,
    /// The region by the label that kubelets cannot set on themselves
    /// ([`RESTRICTED_REGION_LABEL`]); `None` where it is missing.
    pub restricted_region: Option<RegionReference>,
    /// The region that its providerID names; `None` where it names none.
    pub provider_id_region: Option<RegionReference>,
    /// Whether it says its region or zone by the labels of before Kubernetes 1.17 alone. It decides nothing; whoever
    /// asks nodes by label has to know.
    pub has_legacy_labels: bool,
}

/// A node of which a label and the providerID name different providers, so that its place is unknown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContradictingProviders {
    /// What the label [`PROVIDER_LABEL`] says.
    pub by_label: Arc<str>,
    /// The provider that the scheme of the providerID stands for.
    pub by_provider_id: Arc<str>,
}

/// A namespace.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Namespace {
    /// Its labels, for policies that select by them.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// What it says about its data.
    pub annotations: SourceAnnotations,
}

/// Which persistent volume claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimKey {
    /// Its namespace.
    pub namespace: NamespaceName,
    /// Its name.
    pub name: Arc<str>,
}

/// A persistent volume claim.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Claim {
    /// What it says about its data.
    pub annotations: SourceAnnotations,
    /// The storage class that it asks for.
    pub storage_class: Option<Arc<str>>,
    /// The volume that it is bound to.
    pub volume: Option<Arc<str>>,
}

/// A persistent volume.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Volume {
    /// What it says about its data.
    pub annotations: SourceAnnotations,
    /// The storage class that it came from.
    pub storage_class: Option<Arc<str>>,
    /// From where it can be used: any of these; none where it does not say.
    pub spots: Vec<VolumeSpot>,
}

/// A storage class.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StorageClass {
    /// What it says about the data of its volumes.
    pub annotations: SourceAnnotations,
    /// When it makes and binds volumes.
    pub binding: VolumeBinding,
}

impl StorageClass {
    /// A class that is there and cannot be read. Absence would mean that it says nothing, so it refuses.
    #[must_use]
    pub fn unreadable() -> Self {
        let problem = "the storage class cannot be read; look at the log of domicile".to_owned();
        let malformed = vec![Malformed {
            annotation: "domicile.dev/*".into(),
            problem,
        }];
        Self {
            annotations: SourceAnnotations {
                malformed,
                ..SourceAnnotations::default()
            },
            ..Self::default()
        }
    }
}

/// Objects in the order of their names. A copy costs nothing, and two of which one came from the other share all that did
/// not change in between: that is what lets a cluster of 100,000 objects be published at every change.
pub type ByName<K, V> = OrdMap<K, V>;

/// The objects of one kind, by name; `None` where the source of facts does not speak of that kind at
/// all, so that absence from it means nothing.
pub type Known<K, V> = Option<ByName<K, V>>;

/// The objects of a cluster.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fleet {
    /// Nodes by name.
    pub nodes: ByName<NodeName, NodeRecord>,
    /// Namespaces by name.
    pub namespaces: Known<NamespaceName, Namespace>,
    /// Claims by namespace and name.
    pub claims: Known<ClaimKey, Claim>,
    /// Volumes by name.
    pub volumes: Known<Arc<str>, Volume>,
    /// Storage classes by name.
    pub storage_classes: Known<Arc<str>, StorageClass>,
}
