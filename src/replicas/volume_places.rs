//! Where volumes are: the spots that they name, as localities of the nodes that there are.
//!
//! Inputs: where nodes are, and the spots of a volume. Outputs: one locality for each region from which the volume can be
//! used; several zones of one region are the region as a whole, as of a regional disk. Invariants: a local volume is
//! where its node is; the region of a zone is that of the nodes in it, where they agree, and else what the volume says;
//! what neither tells is unknown. Deliberately absent: the catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Locality, NodeName, RegionReference, Volume, VolumeSpot};

/// The regions in which some node says that it is in a zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ZoneRegions(BTreeMap<Arc<str>, BTreeSet<RegionReference>>);

impl ZoneRegions {
    /// Gathers the zones of nodes.
    pub fn gather(localities: impl Iterator<Item = Locality>) -> Self {
        let mut zones: BTreeMap<Arc<str>, BTreeSet<RegionReference>> = BTreeMap::new();
        for locality in localities {
            let (Some(zone), Some(region)) = (locality.zone, locality.region) else {
                continue;
            };
            zones.entry(zone).or_default().insert(region);
        }
        Self(zones)
    }

    /// The region of a zone, where the nodes in it agree.
    fn region(&self, zone: &str, stated: Option<&RegionReference>) -> Option<RegionReference> {
        let regions = self.0.get(zone).into_iter().flatten();
        let mut fitting = regions.filter(|region| stated.is_none_or(|stated| same_name(region, stated)));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Some(only.clone()),
            _ => stated.cloned(),
        }
    }

    /// Where a volume is: one locality for each region; none where nobody knows.
    #[must_use]
    pub fn localities(
        &self,
        volume: &Volume,
        of_node: impl Fn(&NodeName) -> Option<Locality>,
    ) -> Vec<Locality> {
        let mut by_region: BTreeMap<RegionReference, BTreeSet<Option<Arc<str>>>> = BTreeMap::new();
        for spot in &volume.spots {
            let locality = self.locality(spot, &of_node);
            let Some(region) = locality.region else {
                // It may be anywhere.
                return Vec::new();
            };
            by_region.entry(region).or_default().insert(locality.zone);
        }
        let localities = by_region.into_iter().map(|(region, zones)| Locality {
            cluster: None,
            region: Some(region),
            zone: only(zones).flatten(),
        });
        localities.collect()
    }

    fn locality(&self, spot: &VolumeSpot, of_node: &impl Fn(&NodeName) -> Option<Locality>) -> Locality {
        if let Some(locality) = spot.node.as_ref().and_then(of_node) {
            return locality;
        }
        let region = match &spot.zone {
            Some(zone) => self.region(zone, spot.region.as_ref()),
            None => spot.region.clone(),
        };
        Locality {
            cluster: None,
            region,
            zone: spot.zone.clone(),
        }
    }
}

/// The only node from which a volume can be used, of a local volume.
#[must_use]
pub fn only_node(volume: &Volume) -> Option<&NodeName> {
    match volume.spots.as_slice() {
        [VolumeSpot { node: Some(node), .. }] => Some(node),
        _ => None,
    }
}

fn only<T>(values: BTreeSet<T>) -> Option<T> {
    let mut values = values.into_iter();
    match (values.next(), values.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// Whether two references may mean one region: that of a label has no provider.
fn same_name(one: &RegionReference, other: &RegionReference) -> bool {
    match (one, other) {
        (RegionReference::Key(one), RegionReference::Key(other)) => one == other,
        (RegionReference::Key(key), RegionReference::Bare(bare))
        | (RegionReference::Bare(bare), RegionReference::Key(key)) => key.region() == &**bare,
        (RegionReference::Bare(one), RegionReference::Bare(other)) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(text: &str) -> RegionReference {
        RegionReference::parse(text).expect("a region")
    }

    fn locality(of: &str, zone: &str) -> Locality {
        Locality {
            cluster: None,
            region: Some(region(of)),
            zone: (!zone.is_empty()).then(|| Arc::from(zone)),
        }
    }

    fn spot(region: &str, zone: &str, node: &str) -> VolumeSpot {
        VolumeSpot {
            region: RegionReference::parse(region).ok(),
            zone: (!zone.is_empty()).then(|| Arc::from(zone)),
            node: NodeName::new(node).ok(),
        }
    }

    #[test]
    fn a_volume_is_where_the_nodes_of_its_zone_are() {
        let nodes = [
            locality("aws/eu-central-1", "eu-central-1a"),
            locality("aws/eu-central-1", "eu-central-1b"),
            locality("a/r1", "1"),
            locality("b/r2", "1"),
        ];
        let zones = ZoneRegions::gather(nodes.into_iter());
        let of_node = |name: &NodeName| (name.as_str() == "n1").then(|| locality("a/r1", "1"));
        for (spots, expected) in [
            (
                vec![spot("", "eu-central-1a", "")],
                vec![locality("aws/eu-central-1", "eu-central-1a")],
            ),
            (
                vec![spot("eu-central-1", "eu-central-1b", "")],
                vec![locality("aws/eu-central-1", "eu-central-1b")],
            ),
            // Two zones of one region are a regional disk.
            (
                vec![spot("", "eu-central-1a", ""), spot("", "eu-central-1b", "")],
                vec![locality("aws/eu-central-1", "")],
            ),
            // A zone of which no node is there is where the volume says.
            (vec![spot("gcp/x", "x-a", "")], vec![locality("gcp/x", "x-a")]),
            // Two regions have such a zone.
            (vec![spot("", "1", "")], vec![]),
            (vec![spot("b/r2", "1", "")], vec![locality("b/r2", "1")]),
            (vec![spot("r1", "1", "")], vec![locality("a/r1", "1")]),
            (vec![spot("", "", "n1")], vec![locality("a/r1", "1")]),
            (vec![spot("", "", "n2")], vec![]),
            (vec![spot("", "", "n1"), spot("", "", "n2")], vec![]),
            (vec![], vec![]),
        ] {
            let volume = Volume {
                spots: spots.clone(),
                ..Volume::default()
            };
            assert_eq!(zones.localities(&volume, of_node), expected, "{spots:?}");
        }
    }
}
