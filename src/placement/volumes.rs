//! What it costs a pod to be away from the volumes that it mounts.
//!
//! Inputs: where the bound volumes of a pod are. Output: for each volume a leg, which counts once for each request.
//! Invariants: of the places from which a volume can be used the nearest counts; a volume of which nobody knows the place
//! (one of the network, as a rule) demands nothing, since it is the same everywhere; an unknown way to a known place makes
//! the leg unknown. It refuses no place: kube-scheduler does, for only it knows which node reaches a volume.
//! Deliberately absent: volumes that are not bound; these are made where the pod lands.

use std::sync::Arc;

use super::cost::Demanded;
use super::ways::{Leg, Way, Ways};
use crate::model::{Locality, NodeName};
use crate::policy::Profile;
use crate::replicas::only_node;
use crate::snapshot::Snapshot;
use crate::topology::{LatencyPoint, LatencyTable};

/// A bound volume that a pod mounts.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeDemand {
    /// The claim.
    pub claim: Arc<str>,
    /// The volume.
    pub volume: Arc<str>,
    /// The only node that can use it, of a local volume.
    pub node: Option<NodeName>,
    /// From where it can be used: one for each region.
    pub localities: Vec<Locality>,
    /// The same as points of the latency table, as far as it has them.
    pub points: Vec<LatencyPoint>,
}

/// The bound volumes of a pod, in the order in which it mounts them.
#[must_use]
pub fn volume_demands(snapshot: &Snapshot, profile: &Profile) -> Vec<VolumeDemand> {
    let volumes = snapshot.fleet().volumes.as_ref();
    let bound = profile.claims.iter().filter_map(|claim| {
        let name = claim.volume.as_ref()?;
        let volume = volumes?.get(name)?;
        let localities = snapshot.volume_localities(volume);
        Some(VolumeDemand {
            claim: claim.claim.clone(),
            volume: name.clone(),
            node: only_node(volume).cloned(),
            points: localities
                .iter()
                .filter_map(|locality| snapshot.locate(locality))
                .collect(),
            localities,
        })
    });
    bound.collect()
}

impl VolumeDemand {
    /// The way to the volume from a place.
    #[must_use]
    pub fn leg(&self, table: &LatencyTable, node: Option<LatencyPoint>) -> Demanded<Leg> {
        if self.points.is_empty() {
            return Demanded::NotDemanded;
        }
        let ways = Ways::of(table);
        let known = self
            .points
            .iter()
            .filter_map(|point| match ways.between(node, Some(*point)) {
                Way::Known(leg) => Some(leg),
                Way::Unknown | Way::Unreachable => None,
            });
        let nearest = known.reduce(|nearest, leg| if leg.ms < nearest.ms { leg } else { nearest });
        nearest.map_or(Demanded::Unknown, Demanded::Known)
    }
}

#[cfg(test)]
#[path = "volumes_tests.rs"]
mod tests;
