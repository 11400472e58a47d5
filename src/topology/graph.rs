//! Measured places as a graph, to find the least sum of measured pairs that joins two of them.
//!
//! Nodes are regions and zones; a measured pair is an edge, and so is its way back where only one way
//! was measured. A zone and its region are joined by the assumed time across zones, so that measured
//! zones make paths for their regions. Invariant: a sum is raw, without the margin of an estimate, and
//! never stands in for a measured pair: that is up to the table.

use std::collections::BTreeMap;

use petgraph::algo::dijkstra;
use petgraph::graph::{DiGraph, NodeIndex};

use super::estimate::CROSS_ZONE_MS;
use super::measurement::{MeasuredPlace, Measurements};

/// Measured places and the pairs between them.
#[derive(Debug, Clone, Default)]
pub struct LatencyGraph {
    graph: DiGraph<MeasuredPlace, f64>,
    nodes: BTreeMap<MeasuredPlace, NodeIndex>,
}

impl LatencyGraph {
    /// Builds the graph of all measured pairs.
    #[must_use]
    pub fn build(measurements: &Measurements) -> Self {
        let mut built = Self::default();
        for (from, to, measurement) in measurements.iter() {
            let (start, end) = (built.node(from), built.node(to));
            let ms = measurement.rtt.as_ms();
            built.graph.add_edge(start, end, ms);
            if measurements.get(to, from).is_none() {
                built.graph.add_edge(end, start, ms);
            }
        }
        built
    }

    fn node(&mut self, place: &MeasuredPlace) -> NodeIndex {
        if let Some(node) = self.nodes.get(place) {
            return *node;
        }
        let node = self.graph.add_node(place.clone());
        self.nodes.insert(place.clone(), node);
        if place.zone.is_some() {
            let region = self.node(&MeasuredPlace::region(place.region.clone()));
            self.graph.add_edge(node, region, CROSS_ZONE_MS);
            self.graph.add_edge(region, node, CROSS_ZONE_MS);
        }
        node
    }

    /// Every place that a measured pair touches, and the regions of measured zones, in order.
    pub fn places(&self) -> impl Iterator<Item = &MeasuredPlace> {
        self.nodes.keys()
    }

    /// Whether some measured pair touches the place.
    #[must_use]
    pub fn contains(&self, place: &MeasuredPlace) -> bool {
        self.nodes.contains_key(place)
    }

    /// The least sums in milliseconds from one place to all that measured pairs join with it.
    #[must_use]
    pub fn least_sums_from(&self, from: &MeasuredPlace) -> BTreeMap<&MeasuredPlace, f64> {
        let Some(start) = self.nodes.get(from) else {
            return BTreeMap::new();
        };
        let sums = dijkstra(&self.graph, *start, None, |edge| *edge.weight());
        self.nodes
            .iter()
            .filter_map(|(place, node)| Some((place, *sums.get(node)?)))
            .collect()
    }
}
