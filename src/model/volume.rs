//! Where a volume can be used, and who uses it.
//!
//! Inputs: an edge has read a persistent volume, a storage class or a running pod into these. Invariant: what is not
//! said is absent, and absent means unknown, never anywhere. Deliberately absent: which region a zone belongs to; that
//! takes the nodes of the fleet, or the name that a cloud gives the zone.

use std::sync::Arc;

use super::labels::LabelSet;
use super::locality::RegionReference;
use super::names::{DataSetName, NamespaceName, NodeName};

/// One place from which a volume can be used; what is not said is unknown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct VolumeSpot {
    /// The region.
    pub region: Option<RegionReference>,
    /// The zone.
    pub zone: Option<Arc<str>>,
    /// The only node, of a local volume.
    pub node: Option<NodeName>,
}

impl VolumeSpot {
    /// Whether nothing is said of the place.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.region.is_none() && self.zone.is_none() && self.node.is_none()
    }
}

/// When a storage class makes and binds volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum VolumeBinding {
    /// As soon as somebody claims one, wherever the pod will be. What a class without a word has.
    #[default]
    Immediate,
    /// Where the first pod that uses it is placed (`WaitForFirstConsumer`).
    FirstConsumer,
}

/// What a running pod that mounts claims says of them. Pods that mount none are as a rule the most, and have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldClaims {
    /// The name of the pod.
    pub pod: Arc<str>,
    /// Its UID.
    pub uid: Arc<str>,
    /// The name of the StatefulSet that controls it; `None` is another controller, or none.
    pub stateful_set: Option<Arc<str>>,
    /// Its number among the pods of its controller, for controllers that count them (`db-0`).
    pub ordinal: Option<u32>,
    /// Whether it says that it can serve: its condition `Ready`, while it is not being deleted.
    pub is_ready: bool,
    /// The names of the claims that it mounts.
    pub claims: Vec<Arc<str>>,
    /// The data sets that its own annotation names.
    pub data_sets: Vec<DataSetName>,
}

/// A running pod that mounts claims, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its namespace.
    pub namespace: NamespaceName,
    /// Its node.
    pub node: NodeName,
    /// Its labels.
    pub labels: LabelSet,
    /// What it says of the claims.
    pub held: Arc<HeldClaims>,
}

impl Holder {
    /// Whether its own annotation may name the data sets of its volumes: a pod of a StatefulSet that names any.
    #[must_use]
    pub fn speaks(&self) -> bool {
        self.held.stateful_set.is_some() && !self.held.data_sets.is_empty()
    }
}

/// The number of a pod among those of its controller: what stands after the name of the controller and a dash, as
/// StatefulSets and most operators name their pods.
#[must_use]
pub fn ordinal(pod: &str, controller: &str) -> Option<u32> {
    let number = pod.strip_prefix(controller)?.strip_prefix('-')?;
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinal_is_what_the_controller_counts() {
        for (pod, controller, expected) in [
            ("db-0", "db", Some(0)),
            ("db-12", "db", Some(12)),
            ("pg-cluster-1", "pg-cluster", Some(1)),
            ("db-", "db", None),
            ("db-+1", "db", None),
            ("db-1-2", "db", None),
            ("db-7f9c-x2", "db-7f9c", None),
            ("other-0", "db", None),
            ("db0", "db", None),
            ("db-99999999999", "db", None),
        ] {
            assert_eq!(ordinal(pod, controller), expected, "{pod} of {controller}");
        }
    }
}
