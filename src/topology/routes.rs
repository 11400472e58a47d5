//! Which way is left between two regions where rules take links away, and how long it is.
//!
//! Inputs: a table, declared links, and what each set of rules forbids. Output: [`Routes`] for each set.
//!
//! A *way* between two regions is direct. It is declared where some link joins the two, whatever zones of
//! them, and otherwise its path is unknown. Rules take a way away that begins or ends in a forbidden region,
//! a declared one whose links are all forbidden, and with [`Undeclared::Taken`] every other one. Then:
//!
//! - a way that stays keeps its own latency: a measured pair is never replaced by a shorter sum;
//! - else the least sum of remaining links that join the two counts, and is an estimate; no link that is
//!   forbidden and no region that is forbidden lies on it;
//! - else, where links remain but the time of one is unknown, the latency is unknown;
//! - else the way is closed.
//!
//! A link counts with the latency of its ends in the table, in either direction. Sums are in whole
//! microseconds. Ways inside one region are never touched.
//! Invariants: equal inputs give equal routes; fewer links never make a route shorter, unless a direct way is
//! taken of which a sum is shorter. Deliberately absent: countries, rules and their dates, and what a closed
//! way means for a data set.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::unionfind::UnionFind;
use petgraph::visit::EdgeRef;

use super::measurement::MeasuredPlace;
use super::table::{Estimate, LatencyPoint, LatencyTable};
use crate::model::{Provenance, RegionKey};

/// Microseconds in a millisecond.
const US_PER_MS: f64 = 1000.0;

/// A declared link between two places, both ways.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// One end.
    pub from: MeasuredPlace,
    /// The other end.
    pub to: MeasuredPlace,
}

/// What becomes of a way that no link declares, so that nobody knows what it crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Undeclared {
    /// It is taken away.
    Taken,
    /// It stays.
    Kept,
}

/// What one set of rules takes away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteRules {
    /// Whether each link is forbidden, in the order of the links; one that is not in the list is.
    pub forbidden_links: Vec<bool>,
    /// The regions that no data may pass.
    pub forbidden_regions: BTreeSet<RegionKey>,
    /// What becomes of ways that no link declares.
    pub undeclared: Undeclared,
}

/// The way between two places under rules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Route {
    /// The direct way, with its own latency.
    Direct(Estimate),
    /// The direct way is taken; the least sum of links that remain.
    Detour(Estimate),
    /// There is a way, and nobody knows how long it is.
    Unknown,
    /// None is left.
    Closed,
}

/// The ways that are left under one set of rules, for one table.
#[derive(Debug, Clone)]
pub struct Routes {
    ways: Arc<Ways>,
}

#[derive(Debug, Default)]
struct Ways {
    /// Of each region, where its row begins; `None` where every way from it stays.
    rows: Vec<Option<usize>>,
    cells: Vec<Way>,
}

/// What is left from one region to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Direct,
    Detour { us: u32 },
    Unknown,
    Closed,
}

impl Routes {
    /// Finds the ways for each set of rules, in their order. Equal sets share theirs.
    #[must_use]
    pub fn build(table: &LatencyTable, links: &[Link], rules: &[RouteRules]) -> Vec<Self> {
        let network = Network::build(table, links);
        let mut built: BTreeMap<&RouteRules, Self> = BTreeMap::new();
        rules
            .iter()
            .map(|rules| {
                let routes = built.entry(rules).or_insert_with(|| Self {
                    ways: Arc::new(network.ways(table, rules)),
                });
                routes.clone()
            })
            .collect()
    }

    /// The way between two places of the table that these routes were built for, in constant time.
    #[must_use]
    pub fn between(&self, table: &LatencyTable, from: LatencyPoint, to: LatencyPoint) -> Route {
        match self.way(from.spot().region(), to.spot().region()) {
            Way::Direct => table.between(from, to).map_or(Route::Unknown, Route::Direct),
            Way::Detour { us } => Estimate::new(f64::from(us) / US_PER_MS, Provenance::EstimatedByPath)
                .map_or(Route::Unknown, Route::Detour),
            Way::Unknown => Route::Unknown,
            Way::Closed => Route::Closed,
        }
    }

    fn way(&self, from: usize, to: usize) -> Way {
        if from == to {
            return Way::Direct;
        }
        let Some(Some(start)) = self.ways.rows.get(from) else {
            return Way::Direct;
        };
        self.ways.cells.get(start + to).copied().unwrap_or(Way::Closed)
    }
}

/// The declared links between the regions of a table.
struct Network {
    /// Regions by number; an edge is a link in one direction.
    graph: DiGraph<(), Edge>,
    /// Whether some link joins two regions.
    declared: Vec<bool>,
    regions: usize,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    link: usize,
    /// How long it takes, in microseconds, where that is known.
    us: Option<u32>,
}

impl Network {
    fn build(table: &LatencyTable, links: &[Link]) -> Self {
        let regions = table.regions();
        let mut graph = DiGraph::with_capacity(regions, links.len() * 2);
        for _ in 0..regions {
            graph.add_node(());
        }
        let mut declared = vec![false; regions * regions];
        for (link, Link { from, to }) in links.iter().enumerate() {
            let (Some(from), Some(to)) = (table.spot(from), table.spot(to)) else {
                // No place of the table is there, so no way of it begins or ends there.
                continue;
            };
            if from.region() == to.region() {
                continue;
            }
            for (from, to) in [(from, to), (to, from)] {
                let us = table
                    .cell(from, to)
                    .map(|estimate| microseconds(estimate.latency.as_ms()));
                graph.add_edge(
                    NodeIndex::new(from.region()),
                    NodeIndex::new(to.region()),
                    Edge { link, us },
                );
                if let Some(declared) = declared.get_mut(from.region() * regions + to.region()) {
                    *declared = true;
                }
            }
        }
        Self {
            graph,
            declared,
            regions,
        }
    }

    fn ways(&self, table: &LatencyTable, rules: &RouteRules) -> Ways {
        let regions = self.regions;
        let mut is_forbidden = vec![false; regions];
        for region in &rules.forbidden_regions {
            let spot = table.spot(&MeasuredPlace::region(region.clone()));
            if let Some(forbidden) = spot.and_then(|spot| is_forbidden.get_mut(spot.region())) {
                *forbidden = true;
            }
        }
        let is_forbidden = |region: usize| is_forbidden.get(region).copied().unwrap_or(false);
        let mut direct: Vec<bool> = self
            .declared
            .iter()
            .map(|declared| !declared && rules.undeclared == Undeclared::Kept)
            .collect();
        let mut remains = vec![false; self.graph.edge_count()];
        let mut joined = UnionFind::<usize>::new(regions);
        for edge in self.graph.edge_references() {
            let (from, to) = (edge.source().index(), edge.target().index());
            let is_taken = rules
                .forbidden_links
                .get(edge.weight().link)
                .copied()
                .unwrap_or(true);
            if is_taken || is_forbidden(from) || is_forbidden(to) {
                continue;
            }
            joined.union(from, to);
            if let Some(remains) = remains.get_mut(edge.id().index()) {
                *remains = true;
            }
            if let Some(direct) = direct.get_mut(from * regions + to) {
                *direct = true;
            }
        }
        let mut ways = Ways::default();
        for from in 0..regions {
            let stays = |to: usize| {
                let direct = direct.get(from * regions + to).copied().unwrap_or(false);
                from == to || (direct && !is_forbidden(from) && !is_forbidden(to))
            };
            if (0..regions).all(stays) {
                ways.rows.push(None);
                continue;
            }
            ways.rows.push(Some(ways.cells.len()));
            let sums = self.least_sums_from(from, &remains);
            ways.cells
                .extend((0..regions).zip(sums).map(|(to, sum)| match sum {
                    _ if stays(to) => Way::Direct,
                    Some(us) => Way::Detour { us },
                    None if joined.equiv(from, to) => Way::Unknown,
                    None => Way::Closed,
                }));
        }
        ways
    }

    /// The least sums of remaining links from one region to each.
    fn least_sums_from(&self, from: usize, remains: &[bool]) -> Vec<Option<u32>> {
        let mut sums: Vec<Option<u32>> = vec![None; self.regions];
        let mut open = BinaryHeap::from([Reverse((0_u32, from))]);
        let remains = |edge: EdgeIndex| remains.get(edge.index()).copied().unwrap_or(false);
        while let Some(Reverse((sum, region))) = open.pop() {
            let Some(known @ None) = sums.get_mut(region) else {
                continue;
            };
            *known = Some(sum);
            for edge in self.graph.edges(NodeIndex::new(region)) {
                if let Some(us) = edge.weight().us
                    && remains(edge.id())
                {
                    open.push(Reverse((sum.saturating_add(us), edge.target().index())));
                }
            }
        }
        sums
    }
}

/// Milliseconds as whole microseconds.
fn microseconds(ms: f64) -> u32 {
    // `as` saturates: what takes more than an hour takes an hour.
    (ms * US_PER_MS).round() as u32
}
