//! Measured places as a graph, to find the least sum of measured pairs that joins two of them.
//!
//! Nodes are regions and zones; a measured pair is an edge, and so is its way back where only one way
//! was measured. A zone and its region are joined by the assumed time across zones, so that measured
//! zones make paths for their regions. Invariant: a sum is raw, without the margin of an estimate, and
//! never stands in for a measured pair: that is up to the table.

use petgraph::algo::dijkstra;
use petgraph::graph::{DiGraph, NodeIndex};

use super::estimate::CROSS_ZONE_MS;
use super::places::Places;
use super::readings::Readings;

/// Measured places and the pairs between them.
#[derive(Debug)]
pub(super) struct LatencyGraph {
    graph: DiGraph<(), f64>,
    /// The node of each region.
    regions: Vec<NodeIndex>,
}

impl LatencyGraph {
    /// Builds the graph of all measured pairs.
    pub(super) fn build(places: &Places, readings: &Readings) -> Self {
        let mut graph = DiGraph::new();
        let mut nodes: Vec<Vec<NodeIndex>> = Vec::new();
        for region in 0..places.regions() {
            let rows: Vec<NodeIndex> = (0..places.rows(region)).map(|_| graph.add_node(())).collect();
            if let Some((whole, zones)) = rows.split_first() {
                for zone in zones {
                    graph.add_edge(*zone, *whole, CROSS_ZONE_MS);
                    graph.add_edge(*whole, *zone, CROSS_ZONE_MS);
                }
            }
            nodes.push(rows);
        }
        for (from, to, reading) in readings.measured() {
            let node = |spot: super::places::Spot| nodes.get(spot.region())?.get(spot.row()).copied();
            let (Some(start), Some(end)) = (node(from), node(to)) else {
                continue;
            };
            let ms = reading.latency.as_ms();
            graph.add_edge(start, end, ms);
            if readings.at(to, from).is_none() {
                graph.add_edge(end, start, ms);
            }
        }
        Self {
            graph,
            regions: nodes.iter().filter_map(|rows| rows.first().copied()).collect(),
        }
    }

    /// The least sums in milliseconds from a region to each region, by their numbers.
    pub(super) fn least_sums_from(&self, region: usize) -> Vec<Option<f64>> {
        let Some(start) = self.regions.get(region) else {
            return Vec::new();
        };
        let sums = dijkstra(&self.graph, *start, None, |edge| *edge.weight());
        self.regions.iter().map(|node| sums.get(node).copied()).collect()
    }
}
