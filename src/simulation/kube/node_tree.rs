//! In which order kube-scheduler looks at nodes: one of each zone in turn.
//!
//! Inputs: nodes with the labels of their zone, as they come and go. Outputs: their order. Source:
//! `pkg/scheduler/backend/cache/node_tree.go` and `GetZoneKey` of kubernetes 1.36. Invariant: zones stand in the order
//! in which their first node came, nodes of a zone in the order in which they came; a zone that ran empty comes
//! again at the end.

use super::spec::Labels;

/// The labels that name zone and region, the older of each first, which wins.
const ZONE_LABELS: [&str; 2] = [
    "failure-domain.beta.kubernetes.io/zone",
    "topology.kubernetes.io/zone",
];
const REGION_LABELS: [&str; 2] = [
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/region",
];

/// Nodes by zone.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeTree {
    zones: Vec<Zone>,
    order: Vec<u32>,
    is_stale: bool,
}

#[derive(Debug, Clone)]
struct Zone {
    region: String,
    zone: String,
    nodes: Vec<u32>,
}

/// Region and zone of a node; empty where it names none.
fn zone_key(labels: &Labels) -> (&str, &str) {
    let named = |keys: [&str; 2]| keys.iter().find_map(|key| labels.get(*key));
    (
        named(REGION_LABELS).map_or("", String::as_str),
        named(ZONE_LABELS).map_or("", String::as_str),
    )
}

impl NodeTree {
    /// A node comes.
    pub fn add(&mut self, slot: u32, labels: &Labels) {
        let (region, zone) = zone_key(labels);
        self.is_stale = true;
        match self.position(region, zone) {
            Some(found) => found.nodes.push(slot),
            None => self.zones.push(Zone {
                region: region.to_owned(),
                zone: zone.to_owned(),
                nodes: vec![slot],
            }),
        }
    }

    /// A node goes.
    pub fn remove(&mut self, slot: u32, labels: &Labels) {
        let (region, zone) = zone_key(labels);
        self.is_stale = true;
        if let Some(found) = self.position(region, zone) {
            found.nodes.retain(|node| *node != slot);
        }
        self.zones.retain(|zone| !zone.nodes.is_empty());
    }

    /// The labels of a node change: it moves where its zone does.
    pub fn relabel(&mut self, slot: u32, before: &Labels, after: &Labels) {
        if zone_key(before) != zone_key(after) {
            self.remove(slot, before);
            self.add(slot, after);
        }
    }

    fn position(&mut self, region: &str, zone: &str) -> Option<&mut Zone> {
        self.zones
            .iter_mut()
            .find(|found| found.zone == zone && found.region == region)
    }

    /// Brings the order up to date (`nodeTree.list`).
    pub fn refresh(&mut self) {
        if !self.is_stale {
            return;
        }
        self.is_stale = false;
        self.order.clear();
        let longest = self.zones.iter().map(|zone| zone.nodes.len()).max().unwrap_or(0);
        for round in 0..longest {
            let of_round = self.zones.iter().filter_map(|zone| zone.nodes.get(round));
            self.order.extend(of_round);
        }
    }

    /// The order, as of the last [`Self::refresh`].
    pub fn order(&self) -> &[u32] {
        &self.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(zone: &str) -> Labels {
        Labels::from([("topology.kubernetes.io/zone".to_owned(), zone.to_owned())])
    }

    fn order(tree: &mut NodeTree) -> Vec<u32> {
        tree.refresh();
        tree.order().to_vec()
    }

    #[test]
    fn zones_take_turns_and_small_ones_are_exhausted_early() {
        let mut tree = NodeTree::default();
        for (slot, zone) in [(0, "b"), (1, "b"), (2, "a"), (3, "b"), (4, "a"), (5, "c")] {
            tree.add(slot, &labels(zone));
        }
        // Rounds: b0 a2 c5 | b1 a4 | b3.
        assert_eq!(order(&mut tree), [0, 2, 5, 1, 4, 3]);
        tree.remove(2, &labels("a"));
        tree.remove(4, &labels("a"));
        tree.add(6, &labels("a"));
        assert_eq!(
            order(&mut tree),
            [0, 5, 6, 1, 3],
            "the zone comes again at the end"
        );
        tree.relabel(5, &labels("c"), &labels("b"));
        assert_eq!(order(&mut tree), [0, 6, 1, 3, 5]);
        tree.relabel(5, &labels("b"), &labels("b"));
        assert_eq!(order(&mut tree), [0, 6, 1, 3, 5], "nothing moves");
    }

    #[test]
    fn a_zone_is_region_and_zone_and_the_old_labels_win() {
        let mut tree = NodeTree::default();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let east = Labels::from([pair(REGION_LABELS[1], "east"), pair(ZONE_LABELS[1], "1")]);
        let west = Labels::from([pair(REGION_LABELS[1], "west"), pair(ZONE_LABELS[1], "1")]);
        let old = Labels::from([
            pair(REGION_LABELS[0], "east"),
            pair(REGION_LABELS[1], "west"),
            pair(ZONE_LABELS[1], "1"),
        ]);
        tree.add(0, &east);
        tree.add(1, &west);
        tree.add(2, &old);
        tree.add(3, &Labels::new());
        assert_eq!(order(&mut tree), [0, 1, 3, 2]);
    }
}
