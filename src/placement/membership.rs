//! What draws a new member of a data set to a place beyond its accesses: the copy that it clones from, and the failure
//! domains in which no other copy is yet.
//!
//! Inputs: a snapshot and a pod that creates data. Outputs: the way to what it clones from, and for each place how much a
//! place counts less for the copies that are in its failure domain. Of the pods of a controller that numbers them
//! (`db-3`), one whose claim is not bound yet clones from its predecessor: the copy of the greatest number below its own.
//!
//! Invariants: only a pod that creates data and names a data set is a new member, so nothing is moved that is there; the
//! failure domain of a place is its zone, and its region where either zone is not known; both sway the order of permitted
//! places and refuse none. Deliberately absent: pods that hold no copy yet; hard constraints, which kube-scheduler has.

use std::sync::Arc;

use super::cost::{Demanded, Total};
use super::ways::{Leg, Way, Ways};
use crate::model::{DataSetName, Locality, PodRequirements, RegionKey, Replica, ordinal};
use crate::policy::Profile;
use crate::snapshot::{NodeClass, Snapshot};
use crate::topology::{LatencyPoint, LatencyTable};

/// What each copy in the failure domain of a place counts against the place, in milliseconds of access: one step of the
/// logarithm of the score (`score.rs`), 3 of 10 where the permitted places are up to 50 ms apart. So a member goes to
/// another zone of the region, and to another region where that is less than 5 ms farther for each copy that it leaves.
pub const SPREAD_MS: f64 = 5.0;

/// The controllers of which a pod speaks for its volumes.
const STATEFUL_SET: &str = "StatefulSet";

/// The copy that a new member clones from.
#[derive(Debug, Clone, PartialEq)]
pub struct CloneDemand {
    /// Which data set.
    pub data_set: DataSetName,
    /// The pod that holds the copy.
    pub pod: Arc<str>,
    /// Where the copy is.
    pub locality: Locality,
    /// The same as a point of the latency table; `None` is unknown.
    pub point: Option<LatencyPoint>,
}

/// A failure domain; without a zone all of the region may be it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Domain {
    region: RegionKey,
    zone: Option<Arc<str>>,
}

/// The copies of the data sets that a pod becomes a member of.
#[derive(Debug, Clone, PartialEq)]
pub struct Membership {
    /// For each data set where its copies are.
    copies: Vec<(DataSetName, Vec<Domain>)>,
    /// What the pod clones from.
    pub clones: Vec<CloneDemand>,
}

/// How many copies share the failure domain of a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crowding<'m> {
    /// Of which data set.
    pub data_set: &'m DataSetName,
    /// How many: at least 1.
    pub copies: usize,
}

impl Crowding<'_> {
    /// What they count against the place together, in milliseconds of access.
    #[must_use]
    pub fn ms(&self) -> f64 {
        SPREAD_MS * self.copies as f64
    }
}

impl Membership {
    /// What a pod becomes a member of; `None` where it creates no copy of a data set, or nobody knows of another copy.
    #[must_use]
    pub fn of(snapshot: &Snapshot, pod: &PodRequirements, profile: &Profile) -> Option<Self> {
        let replicas = |name: &DataSetName| {
            let placed = snapshot.replicas().get(name);
            placed.map_or(&[][..], |placed| placed.data_set.replicas.as_slice())
        };
        let mut names = created(pod, profile);
        names.retain(|name| !replicas(name).is_empty());
        if names.is_empty() {
            return None;
        }
        let set = pod.owner.as_ref().map(|controller| &*controller.name);
        let number = set.and_then(|set| ordinal(&pod.name, set));
        let clones = names.iter().filter_map(|name| {
            let source = predecessor(replicas(name), (pod, set?, number?))?;
            Some(CloneDemand {
                data_set: name.clone(),
                pod: source.found.as_ref()?.pod.clone()?,
                point: snapshot.locate(&source.locality),
                locality: source.locality.clone(),
            })
        });
        let domains = |name: &DataSetName| {
            let domains = replicas(name)
                .iter()
                .filter_map(|replica| domain(snapshot, &replica.locality));
            (name.clone(), domains.collect())
        };
        Some(Self {
            clones: clones.collect(),
            copies: names.iter().map(domains).collect(),
        })
    }

    /// The data set of which the most copies share the failure domain of a class; `None` where none does.
    #[must_use]
    pub fn crowding(&self, class: &NodeClass) -> Option<Crowding<'_>> {
        let region = class.region.as_ref()?;
        let zone = class.record.locality.zone.as_ref();
        let shares = |domain: &&Domain| {
            let is_zone = domain.zone.is_none() || zone.is_none() || domain.zone.as_ref() == zone;
            domain.region == *region && is_zone
        };
        let crowds = self.copies.iter().map(|(data_set, copies)| Crowding {
            data_set,
            copies: copies.iter().filter(shares).count(),
        });
        // Of equals the first, so that the answer is one.
        let most = crowds.reduce(|most, other| if other.copies > most.copies { other } else { most })?;
        (most.copies > 0).then_some(most)
    }

    /// A cost with what members of data sets prefer, which is no access: it counts in the score alone. What nobody knows
    /// stays unknown, as does who shares a place of which nobody knows the region; a pod that accesses nothing prefers all
    /// the same.
    pub(super) fn preferring(&self, cost: Demanded<Total>, class: &NodeClass) -> Demanded<Total> {
        if class.region.is_none() {
            return Demanded::Unknown;
        }
        let apart_ms = self.crowding(class).map_or(0.0, |crowding| crowding.ms());
        let accessed = match cost {
            Demanded::NotDemanded => Demanded::Known(Total {
                ms: 0.0,
                over_limit: false,
                lacks_commit: false,
            }),
            demanded => demanded,
        };
        accessed.map(|total| Total {
            ms: total.ms + apart_ms,
            ..total
        })
    }
}

/// The data sets of which the pod creates a copy: those that its unbound claims name, and where no claim of it names any,
/// those that a pod of a StatefulSet names itself.
fn created(pod: &PodRequirements, profile: &Profile) -> Vec<DataSetName> {
    let mut names: Vec<DataSetName> = Vec::new();
    let creating = profile.claims.iter().filter(|claim| claim.creates);
    names.extend(creating.flat_map(|claim| claim.data_sets.iter().cloned()));
    let speaks = pod.owner.as_ref().is_some_and(|owner| owner.kind == STATEFUL_SET);
    let is_silent = profile.claims.iter().all(|claim| claim.data_sets.is_empty());
    if profile.creates_data() && speaks && is_silent {
        names.extend(
            pod.annotations
                .access
                .data_sets
                .iter()
                .map(|used| used.name.clone()),
        );
    }
    names.sort();
    names.dedup();
    names
}

/// The copy of the greatest number below that of a pod, among those of its controller.
fn predecessor<'r>(
    replicas: &'r [Replica],
    (pod, set, number): (&PodRequirements, &str, u32),
) -> Option<&'r Replica> {
    let numbered = replicas.iter().filter_map(|replica| {
        let found = replica.found.as_ref()?;
        let holder = found.pod.as_deref()?;
        let is_sibling = found.claim.namespace == pod.namespace && ordinal(holder, set) == found.ordinal;
        let before = found.ordinal.filter(|other| is_sibling && *other < number)?;
        Some((before, replica))
    });
    numbered
        .max_by_key(|(before, _)| *before)
        .map(|(_, replica)| replica)
}

fn domain(snapshot: &Snapshot, locality: &Locality) -> Option<Domain> {
    let region = snapshot
        .policies()
        .catalogue()
        .resolve(locality.region.as_ref()?)?;
    Some(Domain {
        region: region.clone(),
        zone: locality.zone.clone(),
    })
}

impl CloneDemand {
    /// The way to the copy from a place.
    #[must_use]
    pub fn leg(&self, table: &LatencyTable, node: Option<LatencyPoint>) -> Demanded<Leg> {
        match Ways::of(table).between(node, self.point) {
            Way::Known(leg) => Demanded::Known(leg),
            // Where the copy is is the same at every place, so it draws nowhere.
            Way::Unknown | Way::Unreachable if self.point.is_none() => Demanded::NotDemanded,
            Way::Unknown | Way::Unreachable => Demanded::Unknown,
        }
    }
}

#[cfg(test)]
#[path = "membership_tests.rs"]
mod tests;
