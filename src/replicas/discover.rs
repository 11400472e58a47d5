//! The copies of data sets that one claim of a cluster comes to: its bound volume, and the pods that hold it.
//!
//! Inputs: the objects of the cluster, the pods that mount claims, which label tells a role. Output: of each data set the
//! copies that the volume of a claim is. A bound volume is a copy of the data sets that its claim, itself or its storage
//! class names; where none of these names any, of those that the StatefulSet pod which mounts it names.
//!
//! Invariants: a copy is where its volume is, and where nobody knows that, where the pod is that holds it; a volume of
//! which neither is known is nowhere, and no copy. A copy is ready where some pod that holds it is, and where nobody says
//! which pods run. What volumes and classes name is believed by rules, for whoever writes them answers for data; what
//! claims and pods name is believed where the data set names their namespace. The order of pods changes nothing.
//! Deliberately absent: copies that are only declared, what the cluster does not show, and which claims are to be asked
//! about again when something changed (`changes`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::changes::BoundClaims;
use super::volume_places::{ZoneRegions, only_node};
use crate::model::{
    Claim, ClaimKey, CopyHealth, DataSetName, DataSets, Fleet, FoundCopy, Holder, Locality, NodeName,
    ReplicaRole, RoleLabels, RunningPods, SourceAnnotations, StorageClass, Volume,
};

/// The world in which copies are looked for.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// The data sets as declared.
    pub data_sets: &'a DataSets,
    /// The objects of the cluster.
    pub fleet: &'a Fleet,
    /// The pods that run; `None` where nobody says which.
    pub running: Option<&'a RunningPods>,
    /// Which labels tell the role of a copy.
    pub roles: &'a RoleLabels,
    /// The claims of the fleet that name each volume.
    pub bound: &'a BoundClaims,
    /// The regions of zones, by the nodes of the fleet.
    pub zones: &'a ZoneRegions,
}

/// A copy, with what its labels say of its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// Where it is.
    pub locality: Locality,
    /// What a label says that it does.
    pub role: Option<ReplicaRole>,
    /// What was found of it.
    pub copy: FoundCopy,
}

/// A claim that is bound, and what it is bound to.
struct BoundClaim<'f> {
    claim: &'f Claim,
    volume_name: &'f Arc<str>,
    volume: &'f Volume,
    class: Option<&'f StorageClass>,
}

impl Sight<'_> {
    /// The copies that the volume of a claim is, in the order of data sets. `of_node` tells where a node is.
    #[must_use]
    pub fn copies(
        &self,
        key: &ClaimKey,
        of_node: &impl Fn(&NodeName) -> Option<Locality>,
    ) -> Vec<(DataSetName, Discovered)> {
        let Some(bound) = BoundClaim::find(self.fleet, key) else {
            return Vec::new();
        };
        let holders = self.running.map_or(&[][..], |running| running.holders(key));
        // For each whether an object of storage names it.
        let mut names: BTreeMap<DataSetName, bool> = BTreeMap::new();
        if bound.names_any() {
            names.extend(named(&bound.claim.annotations).map(|name| (name.clone(), false)));
            names.extend(bound.named_by_storage().map(|name| (name.clone(), true)));
        } else {
            let speakers = holders.iter().filter(|pod| self.speaks(pod));
            let spoken = speakers.flat_map(|pod| &pod.held.data_sets);
            names.extend(spoken.map(|name| (name.clone(), false)));
        }
        if names.is_empty() {
            return Vec::new();
        }
        let of_pods = OfPods::new(holders, self.running.is_some(), self.roles);
        let localities = match self.zones.localities(bound.volume, of_node) {
            // A volume of the network says no place: its data are where they are served.
            unknown if unknown.is_empty() => holders
                .first()
                .and_then(|pod| of_node(&pod.node))
                .into_iter()
                .collect(),
            localities => localities,
        };
        let mut found = Vec::new();
        for (name, by_storage) in names {
            let Some(data_set) = self.data_sets.get(&name) else {
                continue;
            };
            if !by_storage && !data_set.members.admit(&key.namespace) {
                continue;
            }
            let is_believed = by_storage || data_set.members.are_believed(&key.namespace);
            found.extend(localities.iter().map(|locality| {
                let copy = of_pods.copy(key, &bound, is_believed);
                (name.clone(), of_pods.at(locality.clone(), copy))
            }));
        }
        found
    }

    /// Whether the annotation of a pod names what its claims hold: a pod of a StatefulSet, where no object of its storage
    /// names a data set.
    fn speaks(&self, pod: &Holder) -> bool {
        let names_any = |claim: &Arc<str>| {
            let key = ClaimKey {
                namespace: pod.namespace.clone(),
                name: claim.clone(),
            };
            BoundClaim::find(self.fleet, &key).is_some_and(|bound| bound.names_any())
        };
        pod.speaks() && !pod.held.claims.iter().any(names_any)
    }
}

impl<'f> BoundClaim<'f> {
    fn find(fleet: &'f Fleet, key: &ClaimKey) -> Option<Self> {
        let claim = fleet.claims.as_ref()?.get(key)?;
        let volume_name = claim.volume.as_ref()?;
        let volume = fleet.volumes.as_ref()?.get(volume_name)?;
        let class = class_name(claim, volume);
        Some(Self {
            claim,
            volume_name,
            volume,
            class: class.and_then(|class| fleet.storage_classes.as_ref()?.get(class)),
        })
    }

    /// The data sets that the volume or its class names.
    fn named_by_storage(&self) -> impl Iterator<Item = &'f DataSetName> {
        let of_class = self.class.into_iter().flat_map(|class| named(&class.annotations));
        named(&self.volume.annotations).chain(of_class)
    }

    /// Whether any object of storage names a data set.
    fn names_any(&self) -> bool {
        named(&self.claim.annotations)
            .chain(self.named_by_storage())
            .next()
            .is_some()
    }
}

/// The class of the volume of a claim.
pub(super) fn class_name<'f>(claim: &'f Claim, volume: &'f Volume) -> Option<&'f Arc<str>> {
    claim.storage_class.as_ref().or(volume.storage_class.as_ref())
}

fn named(annotations: &SourceAnnotations) -> impl Iterator<Item = &DataSetName> {
    annotations.access.data_sets.iter().map(|used| &used.name)
}

/// What the pods that hold a volume say of it.
struct OfPods<'h> {
    pods: &'h [Arc<Holder>],
    health: CopyHealth,
    role: Option<ReplicaRole>,
}

impl<'h> OfPods<'h> {
    fn new(pods: &'h [Arc<Holder>], is_known: bool, roles: &RoleLabels) -> Self {
        Self {
            pods,
            health: match pods {
                _ if !is_known || pods.iter().any(|pod| pod.held.is_ready) => CopyHealth::Ready,
                [] => CopyHealth::Unheld,
                _ => CopyHealth::Unready,
            },
            role: pods.iter().find_map(|pod| roles.role(&pod.labels)),
        }
    }

    fn at(&self, locality: Locality, copy: FoundCopy) -> Discovered {
        Discovered {
            locality,
            role: self.role,
            copy,
        }
    }

    fn copy(&self, key: &ClaimKey, bound: &BoundClaim<'_>, is_believed: bool) -> FoundCopy {
        let first = self.pods.first().map(|pod| &pod.held);
        FoundCopy {
            claim: key.clone(),
            volume: bound.volume_name.clone(),
            node: only_node(bound.volume).cloned(),
            pod: first.map(|held| held.pod.clone()),
            held_by: self.pods.iter().map(|pod| pod.held.uid.clone()).collect(),
            stateful_set: first.and_then(|held| held.stateful_set.clone()),
            ordinal: first.and_then(|held| held.ordinal),
            health: self.health,
            is_declared: false,
            is_believed,
        }
    }
}

#[cfg(test)]
#[path = "discover_tests.rs"]
mod tests;
