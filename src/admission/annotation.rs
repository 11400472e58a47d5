//! What is written on a pod about its admission, and read again to tell what has changed since.
//!
//! Inputs: permitted places, or the annotation of a pod. Outputs: text; how places then stand to places now.
//! Invariants: the same places are the same text; what is written is read again as it was.
//!
//! The text is `everywhere`, `nowhere`, or regions with commas between them: `aws/eu-central-1`, one zone of a region
//! `aws/eu-central-1/eu-central-1a`, a region without some of its zones `aws/eu-central-1 but eu-central-1b`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::places::{PermittedPlaces, PermittedZones};
use crate::model::RegionKey;

const EVERYWHERE: &str = "everywhere";
const NOWHERE: &str = "nowhere";
const BUT: &str = " but ";

/// Places, as an annotation tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdmittedPlaces {
    /// Every place.
    Everywhere,
    /// These regions, each with its zones; none where the pod could run nowhere.
    Only(BTreeMap<RegionKey, PermittedZones>),
}

/// How places of now stand to those of an admission. Both may be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlacesChange {
    /// Some place is permitted now and was not.
    pub is_wider: bool,
    /// Some place was permitted and is not any more.
    pub is_narrower: bool,
}

impl AdmittedPlaces {
    /// The permitted places, as an annotation tells them.
    #[must_use]
    pub fn of(places: &PermittedPlaces) -> Self {
        match places {
            PermittedPlaces::Everywhere => Self::Everywhere,
            PermittedPlaces::Nowhere => Self::Only(BTreeMap::new()),
            PermittedPlaces::Only(confined) => Self::Only(confined.regions().clone()),
        }
    }

    /// Reads an annotation; `None` where it cannot be one of ours.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut regions: BTreeMap<RegionKey, PermittedZones> = BTreeMap::new();
        match text {
            EVERYWHERE => return Some(Self::Everywhere),
            NOWHERE => return Some(Self::Only(regions)),
            _ => {}
        }
        for item in text.split(", ") {
            let (place, without) = match item.split_once(BUT) {
                Some((place, zones)) => (place, Some(zones)),
                None => (item, None),
            };
            let mut parts = place.splitn(3, '/');
            let region = RegionKey::new(parts.next()?, parts.next()?).ok()?;
            let zones = match (parts.next(), without) {
                (None, None) => PermittedZones::All,
                (None, Some(zones)) => PermittedZones::AllBut(zones.split(' ').map(Arc::from).collect()),
                (Some(zone), None) => {
                    let mut zones = BTreeSet::from([Arc::from(zone)]);
                    if let Some(PermittedZones::Only(known)) = regions.get(&region) {
                        zones.extend(known.iter().cloned());
                    }
                    PermittedZones::Only(zones)
                }
                (Some(_), Some(_)) => return None,
            };
            regions.insert(region, zones);
        }
        Some(Self::Only(regions))
    }

    /// The text of the annotation.
    #[must_use]
    pub fn text(&self) -> String {
        let Self::Only(regions) = self else {
            return EVERYWHERE.to_owned();
        };
        if regions.is_empty() {
            return NOWHERE.to_owned();
        }
        let mut said: Vec<String> = Vec::with_capacity(regions.len());
        for (region, zones) in regions {
            match zones {
                PermittedZones::All => said.push(region.to_string()),
                PermittedZones::AllBut(zones) => {
                    let zones: Vec<&str> = zones.iter().map(|zone| &**zone).collect();
                    said.push(format!("{region}{BUT}{}", zones.join(" ")));
                }
                PermittedZones::Only(zones) => {
                    said.extend(zones.iter().map(|zone| format!("{region}/{zone}")))
                }
            }
        }
        said.join(", ")
    }

    /// What changed from these places to those of now.
    #[must_use]
    pub fn until(&self, now: &Self) -> PlacesChange {
        PlacesChange {
            is_wider: !now.is_within(self),
            is_narrower: !self.is_within(now),
        }
    }

    fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Everywhere) => true,
            (Self::Everywhere, Self::Only(_)) => false,
            (Self::Only(regions), Self::Only(others)) => regions.iter().all(|(region, zones)| {
                let of_other = others.get(region);
                of_other.is_some_and(|of_other| zones.is_within(of_other))
            }),
        }
    }
}

impl PermittedZones {
    /// Whether all of these are among the others, of the same region.
    fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::All) => true,
            (Self::All | Self::AllBut(_), Self::Only(_)) | (Self::All, Self::AllBut(_)) => false,
            (Self::AllBut(out), Self::AllBut(of_other)) => of_other.is_subset(out),
            (Self::Only(zones), Self::AllBut(out)) => zones.is_disjoint(out),
            (Self::Only(zones), Self::Only(of_other)) => zones.is_subset(of_other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "everywhere",
            "nowhere",
            "aws/eu-central-1",
            "aws/eu-central-1, azure/westeurope",
            "aws/eu-central-1/eu-central-1a, aws/eu-central-1/eu-central-1b, azure/westeurope but westeurope-1 westeurope-2",
        ] {
            let read = AdmittedPlaces::read(text).expect(text);
            assert_eq!(read.text(), text);
        }
        for other in ["", "aws", "Frankfurt, Berlin", "a/b/c but d", "a/b,c/d"] {
            assert_eq!(AdmittedPlaces::read(other), None, "{other}");
        }
    }

    #[test]
    fn places_widen_and_narrow() {
        for (then, now, is_wider, is_narrower) in [
            ("everywhere", "everywhere", false, false),
            ("everywhere", "a/x", false, true),
            ("a/x", "everywhere", true, false),
            ("nowhere", "a/x", true, false),
            ("a/x", "nowhere", false, true),
            ("a/x", "a/x, a/y", true, false),
            ("a/x, a/y", "a/y, a/z", true, true),
            ("a/x/1", "a/x", true, false),
            ("a/x", "a/x but 1", false, true),
            ("a/x but 1", "a/x/2", false, true),
            ("a/x/2", "a/x but 1", true, false),
            ("a/x/1", "a/x but 1", true, true),
            ("a/x but 1", "a/x but 1 2", false, true),
            ("a/x/1, a/x/2", "a/x/2", false, true),
            ("a/x/1, a/x/2", "a/x/1, a/x/2", false, false),
        ] {
            let [read_then, read_now] = [then, now].map(|text| AdmittedPlaces::read(text).expect(text));
            let change = PlacesChange {
                is_wider,
                is_narrower,
            };
            assert_eq!(read_then.until(&read_now), change, "{then} to {now}");
        }
    }
}
