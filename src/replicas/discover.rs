//! The copies of data sets that are in a cluster: bound volumes, and the pods that hold them.
//!
//! Inputs: the objects of the cluster, the pods that mount claims, which label tells a role. Output: for each data set
//! the copies of it. A bound volume is a copy of the data sets that its claim, itself or its storage class names; where
//! none of these names any, of those that the StatefulSet pod which mounts it names.
//!
//! Invariants: a copy is where its volume is, and where nobody knows that, where the pod is that holds it; a volume of
//! which neither is known is nowhere, and no copy. A copy is ready where some pod that holds it is, and where nobody says
//! which pods run. What volumes and classes name is believed by rules, for whoever writes them answers for data; what
//! claims and pods name is believed where the data set names their namespace. The order of pods changes nothing.
//! Deliberately absent: copies that are only declared, and what the cluster does not show.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::volume_places::{ZoneRegions, only_node};
use crate::model::{
    ClaimKey, CopyHealth, DataSet, DataSetName, Fleet, FoundCopy, Holder, Locality, NodeName, ReplicaRole,
    RoleLabels, RunningPods, SourceAnnotations, Volume,
};

/// More copies than this of one data set are told apart by place, role and health alone.
const MOST_COPIES: usize = 100;

/// Bound volumes that name data sets, whatever pods run.
#[derive(Debug, Clone, Default)]
pub struct BoundVolumes {
    zones: ZoneRegions,
    by_claim: BTreeMap<ClaimKey, NamingVolume>,
}

/// A bound volume that some object of storage names data sets for.
#[derive(Debug, Clone)]
struct NamingVolume {
    bound: Bound,
    /// By the volume or its class.
    by_storage: BTreeSet<DataSetName>,
    /// By the claim.
    by_claim: BTreeSet<DataSetName>,
}

/// A bound volume.
#[derive(Debug, Clone)]
struct Bound {
    volume: Arc<str>,
    node: Option<NodeName>,
    localities: Vec<Locality>,
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

impl BoundVolumes {
    /// Gathers the bound volumes of a fleet. `of_node` tells where a node is.
    #[must_use]
    pub fn gather(fleet: &Fleet, of_node: impl Fn(&NodeName) -> Option<Locality>) -> Self {
        let nodes: Vec<Locality> = fleet.nodes.keys().filter_map(&of_node).collect();
        let zones = ZoneRegions::gather(nodes.iter());
        let mut by_claim = BTreeMap::new();
        for (key, claim) in fleet.claims.iter().flatten() {
            let Some((name, volume)) = bound_volume(fleet, claim.volume.as_ref()) else {
                continue;
            };
            let class = claim.storage_class.as_ref().or(volume.storage_class.as_ref());
            let class = class.and_then(|class| fleet.storage_classes.as_ref()?.get(class));
            let by_storage: BTreeSet<DataSetName> = named(&volume.annotations)
                .chain(class.into_iter().flat_map(|class| named(&class.annotations)))
                .collect();
            let of_claim: BTreeSet<DataSetName> = named(&claim.annotations).collect();
            if by_storage.is_empty() && of_claim.is_empty() {
                continue;
            }
            let naming = NamingVolume {
                bound: Bound::new(name, volume, &zones, &of_node),
                by_storage,
                by_claim: of_claim,
            };
            by_claim.insert(key.clone(), naming);
        }
        Self { zones, by_claim }
    }

    /// Where a volume is: one locality for each region; none where nobody knows.
    #[must_use]
    pub fn localities(
        &self,
        volume: &Volume,
        of_node: impl Fn(&NodeName) -> Option<Locality>,
    ) -> Vec<Locality> {
        self.zones.localities(volume, of_node)
    }

    /// The copies of each of these data sets, in the order of claims; `running` is `None` where nobody says which pods
    /// run.
    #[must_use]
    pub fn discover(
        &self,
        data_sets: &BTreeMap<DataSetName, DataSet>,
        fleet: &Fleet,
        running: Option<&RunningPods>,
        roles: &RoleLabels,
        of_node: impl Fn(&NodeName) -> Option<Locality>,
    ) -> BTreeMap<DataSetName, Vec<Discovered>> {
        let mut found: BTreeMap<DataSetName, Vec<Discovered>> = BTreeMap::new();
        let holders = |key: &ClaimKey| running.map_or(&[][..], |running| running.holders(key));
        for (key, naming) in &self.by_claim {
            for name in naming.by_storage.union(&naming.by_claim) {
                let Some(data_set) = data_sets.get(name) else {
                    continue;
                };
                let by_storage = naming.by_storage.contains(name);
                if !by_storage && !data_set.members.admit(&key.namespace) {
                    continue;
                }
                let is_believed = by_storage || data_set.members.are_believed(&key.namespace);
                let of_pods = OfPods::new(holders(key), running.is_some(), roles);
                let copies = of_pods.copies(key, &naming.bound, is_believed, &of_node);
                found.entry(name.clone()).or_default().extend(copies);
            }
        }
        for (key, names) in self.named_by_pods(running) {
            let claim = fleet.claims.as_ref().and_then(|claims| claims.get(&key));
            let Some((volume_name, volume)) =
                bound_volume(fleet, claim.and_then(|claim| claim.volume.as_ref()))
            else {
                continue;
            };
            let bound = Bound::new(volume_name, volume, &self.zones, &of_node);
            for name in names {
                let data_set = data_sets.get(&name);
                let Some(data_set) = data_set.filter(|data_set| data_set.members.admit(&key.namespace))
                else {
                    continue;
                };
                let is_believed = data_set.members.are_believed(&key.namespace);
                let of_pods = OfPods::new(holders(&key), true, roles);
                let copies = of_pods.copies(&key, &bound, is_believed, &of_node);
                found.entry(name).or_default().extend(copies);
            }
        }
        for copies in found.values_mut() {
            copies.sort_by(|one, other| one.copy.claim.cmp(&other.copy.claim));
            few(copies);
        }
        found
    }

    /// The claims of which the pods that mount them say what they hold: pods of StatefulSets, where no object of their
    /// storage names a data set.
    fn named_by_pods(&self, running: Option<&RunningPods>) -> BTreeMap<ClaimKey, BTreeSet<DataSetName>> {
        let mut named: BTreeMap<ClaimKey, BTreeSet<DataSetName>> = BTreeMap::new();
        for pod in running.into_iter().flat_map(RunningPods::speakers) {
            let claims = pod.held.claims.iter().map(|claim| ClaimKey {
                namespace: pod.namespace.clone(),
                name: claim.clone(),
            });
            let claims: Vec<ClaimKey> = claims.collect();
            if claims.iter().any(|claim| self.by_claim.contains_key(claim)) {
                continue;
            }
            for claim in claims {
                named
                    .entry(claim)
                    .or_default()
                    .extend(pod.held.data_sets.iter().cloned());
            }
        }
        named
    }
}

impl Bound {
    fn new(
        name: &Arc<str>,
        volume: &Volume,
        zones: &ZoneRegions,
        of_node: impl Fn(&NodeName) -> Option<Locality>,
    ) -> Self {
        Self {
            volume: name.clone(),
            node: only_node(volume).cloned(),
            localities: zones.localities(volume, of_node),
        }
    }
}

fn bound_volume<'f>(fleet: &'f Fleet, name: Option<&'f Arc<str>>) -> Option<(&'f Arc<str>, &'f Volume)> {
    let name = name?;
    Some((name, fleet.volumes.as_ref()?.get(name)?))
}

fn named(annotations: &SourceAnnotations) -> impl Iterator<Item = DataSetName> {
    annotations.access.data_sets.iter().map(|used| used.name.clone())
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

    fn copies(
        &self,
        key: &ClaimKey,
        bound: &Bound,
        is_believed: bool,
        of_node: impl Fn(&NodeName) -> Option<Locality>,
    ) -> Vec<Discovered> {
        let first = self.pods.first();
        let localities = match bound.localities.as_slice() {
            // A volume of the network says no place: its data are where they are served.
            [] => first.and_then(|pod| of_node(&pod.node)).into_iter().collect(),
            localities => localities.to_vec(),
        };
        let discovered = localities.into_iter().map(|locality| Discovered {
            locality,
            role: self.role,
            copy: FoundCopy {
                claim: key.clone(),
                volume: bound.volume.clone(),
                node: bound.node.clone(),
                pod: first.map(|pod| pod.held.pod.clone()),
                held_by: self.pods.iter().map(|pod| pod.held.uid.clone()).collect(),
                stateful_set: first.and_then(|pod| pod.held.stateful_set.clone()),
                ordinal: first.and_then(|pod| pod.held.ordinal),
                health: self.health,
                is_declared: false,
                is_believed,
            },
        });
        discovered.collect()
    }
}

/// Of very many copies one of each place, role and health is as near as all of them.
fn few(copies: &mut Vec<Discovered>) {
    if copies.len() <= MOST_COPIES {
        return;
    }
    let mut seen = BTreeSet::new();
    copies.retain(|found| {
        let copy = &found.copy;
        seen.insert((found.locality.clone(), found.role, copy.health, copy.is_believed))
    });
}

#[cfg(test)]
#[path = "discover_tests.rs"]
mod tests;
