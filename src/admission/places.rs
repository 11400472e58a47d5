//! The places that the policies permit to a pod now, and what of them labels of nodes can say.
//!
//! Inputs: an [`Assessment`], which is the verdict of the filter; from which providers nodes may still come. Output:
//! [`PermittedPlaces`]. Invariants: places of the catalogue count whether or not the fleet has a node there, so that
//! an autoscaler can grow there; settings that only observe change nothing here, whoever writes affinity asks them.
//! Deliberately absent: limits, partitions and ways to data: these pass, and the affinity of a pod stays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::labels::{LabelUse, is_label_value, terms};
use super::term::Term;
use crate::model::RegionKey;
use crate::objects::PROVIDERS_THAT_NAME_REGIONS;
use crate::placement::Assessment;
use crate::policy::{Catalogue, PlaceIndex, RegionKeyTrust, Verdict};
use crate::snapshot::Snapshot;

/// From which providers nodes may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Growth {
    /// From those that nodes of the fleet have, where the place of every node is known; else from any. It keeps lists
    /// of regions short.
    #[default]
    ProvidersOfFleet,
    /// From any of the catalogue.
    Catalogue,
}

/// The zones of a region that are permitted. A zone without facts of its own is like its region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PermittedZones {
    /// The whole region.
    All,
    /// All but these.
    AllBut(BTreeSet<Arc<str>>),
    /// Only these.
    Only(BTreeSet<Arc<str>>),
}

/// Where the policies permit a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PermittedPlaces {
    /// Everywhere, wherever that is.
    Everywhere,
    /// Nowhere that could be.
    Nowhere,
    /// In some places.
    Only(ConfinedPlaces),
}

/// Some places, and the labels that nodes there have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfinedPlaces {
    regions: BTreeMap<RegionKey, PermittedZones>,
    terms: Vec<Term>,
}

impl ConfinedPlaces {
    /// The regions, in the order of their keys, each with its zones.
    #[must_use]
    pub fn regions(&self) -> &BTreeMap<RegionKey, PermittedZones> {
        &self.regions
    }

    /// What the labels of a node there satisfy: one of these, and there is at least one.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }
}

/// Where the policies permit a pod now, by their verdict alone.
#[must_use]
pub fn permitted(assessment: &Assessment<'_>, growth: Growth) -> PermittedPlaces {
    let (snapshot, verdict) = (assessment.snapshot, &assessment.verdict);
    // The place of which nothing is known satisfies no rule, so where it is left nothing was taken away.
    if verdict.permits(PlaceIndex::UNKNOWN, false) {
        return PermittedPlaces::Everywhere;
    }
    let settings = snapshot.policies().settings();
    let labels = LabelUse {
        is_provider_id_trusted: settings.region_key == RegionKeyTrust::ProviderId,
        is_confirmed: verdict.needs_confirmed_region,
        are_legacy_labels_in_use: snapshot
            .classes()
            .any(|(_, class)| class.record.has_legacy_labels),
    };
    let catalogue = snapshot.policies().catalogue();
    let all = regions(catalogue, verdict, labels);
    let near = match growth {
        Growth::ProvidersOfFleet => within_fleet(&all, snapshot),
        Growth::Catalogue => None,
    };
    let regions = near.unwrap_or(all);
    if regions.is_empty() {
        return PermittedPlaces::Nowhere;
    }
    let terms = terms(&regions, catalogue, labels);
    PermittedPlaces::Only(ConfinedPlaces { regions, terms })
}

/// The regions of the catalogue where a node may be that is permitted.
fn regions(
    catalogue: &Catalogue,
    verdict: &Verdict,
    labels: LabelUse,
) -> BTreeMap<RegionKey, PermittedZones> {
    let mut found: BTreeMap<RegionKey, PermittedZones> = BTreeMap::new();
    for region in catalogue.regions() {
        let key = &region.key;
        let can_be_known = match labels.is_provider_id_trusted {
            true => PROVIDERS_THAT_NAME_REGIONS.contains(&key.provider()),
            false => is_label_value(key.region()),
        };
        if !can_be_known {
            continue;
        }
        let Some((whole, of_zones)) = catalogue.places_of(key) else {
            continue;
        };
        let permits = |place: PlaceIndex| verdict.permits(place, true);
        let apart =
            of_zones.filter(|(zone, place)| permits(*place) != permits(whole) && is_label_value(zone));
        let apart: BTreeSet<Arc<str>> = apart.map(|(zone, _)| zone.clone()).collect();
        let zones = match (permits(whole), apart.is_empty()) {
            (true, true) => PermittedZones::All,
            (true, false) => PermittedZones::AllBut(apart),
            (false, false) => PermittedZones::Only(apart),
            (false, true) => continue,
        };
        found.insert(key.clone(), zones);
    }
    found
}

/// Those regions of which a provider of the fleet has one of the name; `None` where some node may be of any
/// provider, or nothing would be left.
fn within_fleet(
    all: &BTreeMap<RegionKey, PermittedZones>,
    snapshot: &Snapshot,
) -> Option<BTreeMap<RegionKey, PermittedZones>> {
    let classes = snapshot.classes();
    let providers = classes.map(|(_, class)| class.region.as_ref().map(RegionKey::provider));
    let providers: BTreeSet<&str> = providers.collect::<Option<_>>()?;
    let near = all.keys().filter(|key| providers.contains(key.provider()));
    // Labels tell regions by name, so a name brings every provider along that is permitted there.
    let names: BTreeSet<&str> = near.map(RegionKey::region).collect();
    let kept = all.iter().filter(|(key, _)| names.contains(key.region()));
    let kept: BTreeMap<_, _> = kept.map(|(key, zones)| (key.clone(), zones.clone())).collect();
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
