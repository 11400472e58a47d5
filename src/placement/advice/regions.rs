//! Which regions are considered for copies.
//!
//! Inputs: a snapshot. Outputs: regions of its catalogue, in the order of keys. Deliberately absent: policies.

use std::collections::BTreeSet;

use crate::model::RegionKey;
use crate::snapshot::Snapshot;

/// The catalogued regions of which somebody measured a round trip to another region.
#[must_use]
pub fn measured_regions(snapshot: &Snapshot) -> BTreeSet<RegionKey> {
    let table = snapshot.latency();
    let catalogued = snapshot.policies().catalogue().regions();
    let located: Vec<_> = catalogued
        .filter_map(|region| Some((&region.key, table.locate(&region.key, None)?)))
        .collect();
    let is_measured = |(key, from): &(&RegionKey, _)| {
        let mut others = located.iter().filter(|(other, _)| other != key);
        others.any(|(_, to)| {
            let estimate = table.between(*from, *to);
            estimate.is_some_and(|estimate| estimate.provenance.is_measured())
        })
    };
    let measured = located.iter().filter(|located| is_measured(located));
    measured.map(|(key, _)| (*key).clone()).collect()
}

/// The regions where the fleet has nodes.
#[must_use]
pub fn fleet_regions(snapshot: &Snapshot) -> BTreeSet<RegionKey> {
    let classes = snapshot.classes();
    classes.filter_map(|(_, class)| class.region.clone()).collect()
}
