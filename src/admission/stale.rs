//! Whether the node affinity that admission wrote into a pod still says what the policies permit.
//!
//! Inputs: what a snapshot says about a pod ([`Assessment`]), the places that the pod was admitted to. Output:
//! what was won and lost since. Invariants: a pod that has no such affinity has none that is stale; what is won is where the
//! fleet has a provider, so that a catalogue that grows elsewhere is no news. Deliberately absent: mending it. Kubernetes lets
//! nobody widen the affinity of a pod, not even of one that is gated.

use std::collections::{BTreeMap, BTreeSet};

use super::annotation::AdmittedPlaces;
use super::places::{Growth, PermittedPlaces, PermittedZones, permitted};
use crate::model::RegionKey;
use crate::placement::Assessment;

/// What changed since a pod was admitted. One of the two is there at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staleness {
    /// Places that are permitted now and that the affinity excludes.
    pub won: Option<AdmittedPlaces>,
    /// Places that the affinity includes and that are permitted no more: the filter refuses them.
    pub lost: Option<AdmittedPlaces>,
}

/// Compares the places of now with those that a pod was admitted to; `None` where nothing is stale, or the pod was
/// given no affinity.
#[must_use]
pub fn staleness(assessment: &Assessment<'_>, admitted: &str) -> Option<Staleness> {
    let AdmittedPlaces::Only(then) = AdmittedPlaces::read(admitted)? else {
        return None;
    };
    // A pod that could run nowhere was given no affinity.
    if then.is_empty() {
        return None;
    }
    let now = permitted(assessment, Growth::Catalogue);
    let staleness = match &now {
        PermittedPlaces::Everywhere => Staleness {
            won: Some(AdmittedPlaces::Everywhere),
            lost: None,
        },
        PermittedPlaces::Nowhere => Staleness {
            won: None,
            lost: Some(AdmittedPlaces::Only(then)),
        },
        PermittedPlaces::Only(confined) => {
            let classes = assessment.snapshot.classes();
            let providers: BTreeSet<&str> = classes
                .filter_map(|(_, class)| class.region.as_ref().map(RegionKey::provider))
                .collect();
            let in_reach = |region: &RegionKey| providers.contains(region.provider());
            Staleness {
                won: beyond(confined.regions(), &then, in_reach),
                lost: beyond(&then, confined.regions(), |_| true),
            }
        }
    };
    (staleness.won.is_some() || staleness.lost.is_some()).then_some(staleness)
}

/// The regions of the first, of which something is not in the second.
fn beyond(
    places: &BTreeMap<RegionKey, PermittedZones>,
    others: &BTreeMap<RegionKey, PermittedZones>,
    counts: impl Fn(&RegionKey) -> bool,
) -> Option<AdmittedPlaces> {
    let others = AdmittedPlaces::Only(others.clone());
    let is_beyond = |(region, zones): &(&RegionKey, &PermittedZones)| {
        let one = AdmittedPlaces::Only(BTreeMap::from([((*region).clone(), (*zones).clone())]));
        counts(region) && others.until(&one).is_wider
    };
    let found = places.iter().filter(is_beyond);
    let found: BTreeMap<_, _> = found
        .map(|(region, zones)| (region.clone(), zones.clone()))
        .collect();
    (!found.is_empty()).then_some(AdmittedPlaces::Only(found))
}
