//! Declared links between the regions of a table as a graph, and least sums over those that remain.
//!
//! Inputs: a table, links, and which of them sets of rules take. Outputs: the least sums from a region to every
//! region for many sets at once, or from one region to another for one set.
//! Many at once: a search carries the sums of [`LANES`] sets side by side, which the processor adds and compares at
//! once. It begins with what is known from neighbours: a link to one, and the sums from there. No link makes these
//! sums less, so only what is nearer another way remains to be found. For that it passes over the regions in the
//! order in which a search over all links reaches them, which is nearly the order of any set, and again over those
//! whose sums became less, until none does.
//! One pair: the sum over all links from a region onwards is never more than what remains from there, so it leads
//! the search (A*), which looks at little more than the path that it finds.
//! Invariant: the sums are those that a search for one set alone would find. They are whole microseconds; in
//! `f32` they are exact up to 16 seconds, beyond that they are rounded, the same way each time.
//! Deliberately absent: what rules mean.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::unionfind::UnionFind;
use petgraph::visit::EdgeRef;

use super::routes::Link;
use super::table::LatencyTable;

/// How many sets of rules one search carries.
pub(super) const LANES: usize = 16;

/// Sums by set, in microseconds; infinite where no path leads.
pub(super) type Sums = [f32; LANES];

/// Microseconds in a millisecond.
const US_PER_MS: f64 = 1000.0;

/// The declared links between the regions of a table.
pub(super) struct Network {
    /// Regions by number; an edge is a link in one direction.
    graph: DiGraph<(), Edge>,
    /// Whether the time of every link is known.
    is_timed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    link: usize,
    /// How long it takes, in microseconds, where that is known.
    us: Option<f32>,
}

/// What several sets of rules leave of a network.
pub(super) struct Remaining {
    /// From each region: to where, and how long that takes in each set.
    ways: Vec<Vec<(usize, Sums)>>,
}

/// What a search over all links finds.
pub(super) struct AllLinks {
    /// From each region, those that it reaches, nearer ones first.
    orders: Vec<Vec<usize>>,
    /// From each region, the least sum to each in microseconds; `u64::MAX` where no path leads.
    sums_us: Vec<Vec<u64>>,
}

/// The sums that were found so far for the same sets.
#[derive(Default)]
pub(super) struct Search {
    /// From each region; empty where nobody asked.
    found: Vec<Vec<Sums>>,
    /// Whether the sums of a region became less since it was passed.
    is_due: Vec<bool>,
}

impl Network {
    /// Joins the regions of a table by links. A link within a region, or to no place of the table, is none.
    pub(super) fn build(table: &LatencyTable, links: &[Link]) -> Self {
        let mut graph = DiGraph::with_capacity(table.regions(), links.len() * 2);
        for _ in 0..table.regions() {
            graph.add_node(());
        }
        let mut is_timed = true;
        for (link, Link { from, to }) in links.iter().enumerate() {
            let (Some(from), Some(to)) = (table.spot(from), table.spot(to)) else {
                continue;
            };
            if from.region() == to.region() {
                continue;
            }
            for (from, to) in [(from, to), (to, from)] {
                let us = table
                    .cell(from, to)
                    .map(|estimate| microseconds(estimate.latency.as_ms()));
                is_timed &= us.is_some();
                let [from, to] = [from, to].map(|spot| NodeIndex::new(spot.region()));
                graph.add_edge(from, to, Edge { link, us });
            }
        }
        Self { graph, is_timed }
    }

    /// Every link in either direction: its number and the regions that it joins.
    pub(super) fn links(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.graph
            .edge_references()
            .map(|edge| (edge.weight().link, edge.source().index(), edge.target().index()))
    }

    /// Which regions remaining links join, whether or not their times are known. `None` where all times are
    /// known: then what is joined has a sum.
    pub(super) fn joined(&self, is_taken: impl Fn(usize, usize, usize) -> bool) -> Option<UnionFind<usize>> {
        if self.is_timed {
            return None;
        }
        let mut joined = UnionFind::new(self.graph.node_count());
        for (link, from, to) in self
            .links()
            .filter(|(link, from, to)| !is_taken(*link, *from, *to))
        {
            let _ = link;
            joined.union(from, to);
        }
        Some(joined)
    }

    /// What up to [`LANES`] sets of rules leave.
    pub(super) fn remaining(&self, sets: &[impl Fn(usize, usize, usize) -> bool]) -> Remaining {
        let nodes = self.graph.node_indices();
        let ways_from = |node: NodeIndex| {
            let edges = self.graph.edges(node);
            let ways = edges.filter_map(|edge| {
                let Edge { link, us } = *edge.weight();
                let (us, to) = (us?, edge.target().index());
                let mut sums = [f32::INFINITY; LANES];
                for (sum, is_taken) in sums.iter_mut().zip(sets) {
                    if !is_taken(link, node.index(), to) {
                        *sum = us;
                    }
                }
                Some((to, sums))
            });
            ways.collect()
        };
        Remaining {
            ways: nodes.map(ways_from).collect(),
        }
    }

    /// Searches from every region over all links.
    pub(super) fn over_all_links(&self) -> AllLinks {
        let regions = self.graph.node_count();
        let (orders, sums_us) = (0..regions).map(|from| self.over_all_links_from(from)).unzip();
        AllLinks { orders, sums_us }
    }

    fn over_all_links_from(&self, from: usize) -> (Vec<usize>, Vec<u64>) {
        let mut sums = vec![u64::MAX; self.graph.node_count()];
        if let Some(sum) = sums.get_mut(from) {
            *sum = 0;
        }
        let mut order = Vec::with_capacity(sums.len());
        let mut open = BinaryHeap::from([Reverse((0, from))]);
        while let Some(Reverse((sum, region))) = open.pop() {
            if sums.get(region).is_some_and(|least| *least < sum) {
                continue;
            }
            order.push(region);
            for (_, to, us) in self.timed_links(region) {
                if let Some(least) = sums.get_mut(to)
                    && sum + us < *least
                {
                    *least = sum + us;
                    open.push(Reverse((sum + us, to)));
                }
            }
        }
        (order, sums)
    }

    /// The links from a region of which the time is known: the number, where to, and the time in microseconds.
    fn timed_links(&self, region: usize) -> impl Iterator<Item = (usize, usize, u64)> {
        self.graph.edges(NodeIndex::new(region)).filter_map(|edge| {
            let Edge { link, us } = *edge.weight();
            Some((link, edge.target().index(), us? as u64))
        })
    }

    /// The least sum from one region to another over the links that are not taken, in microseconds.
    pub(super) fn least_sum_us(
        &self,
        (from, to): (usize, usize),
        all_links: &AllLinks,
        is_taken: impl Fn(usize, usize, usize) -> bool,
    ) -> Option<u64> {
        let onwards_us = |region: usize| {
            let sum = all_links.sums_us.get(region).and_then(|sums| sums.get(to));
            sum.copied().filter(|sum| *sum != u64::MAX)
        };
        let mut open = BinaryHeap::from([Reverse((onwards_us(from)?, 0, from))]);
        // Few, so looking through them is cheaper than a place for each region.
        let mut passed: Vec<usize> = Vec::new();
        while let Some(Reverse((_, sum, region))) = open.pop() {
            if region == to {
                return Some(sum);
            }
            if passed.contains(&region) {
                continue;
            }
            passed.push(region);
            for (link, next, us) in self.timed_links(region) {
                if let Some(onwards) = onwards_us(next)
                    && !is_taken(link, region, next)
                    && !passed.contains(&next)
                {
                    open.push(Reverse((sum + us + onwards, sum + us, next)));
                }
            }
        }
        None
    }
}

impl Search {
    /// The least sums from a region to each, by number.
    pub(super) fn sums_from(&mut self, from: usize, all_links: &AllLinks, remaining: &Remaining) -> &[Sums] {
        let regions = remaining.ways.len();
        self.found.resize_with(regions, Vec::new);
        let mut sums = vec![[f32::INFINITY; LANES]; regions];
        for (neighbour, us) in remaining.ways.get(from).into_iter().flatten() {
            for (sums, beyond) in sums
                .iter_mut()
                .zip(self.found.get(*neighbour).into_iter().flatten())
            {
                lower(sums, beyond, us);
            }
        }
        let is_due = &mut self.is_due;
        is_due.clear();
        is_due.resize(regions, false);
        if let (Some(sums), Some(is_due)) = (sums.get_mut(from), is_due.get_mut(from)) {
            *sums = [0.0; LANES];
            *is_due = true;
        }
        let order = all_links.orders.get(from).map_or(&[][..], Vec::as_slice);
        let mut some_due = true;
        while some_due {
            some_due = false;
            for region in order {
                let Some(due) = is_due.get_mut(*region).filter(|due| **due) else {
                    continue;
                };
                *due = false;
                let (Some(own), Some(ways)) = (sums.get(*region).copied(), remaining.ways.get(*region))
                else {
                    continue;
                };
                for (to, us) in ways {
                    let Some(sums) = sums.get_mut(*to) else { continue };
                    if lower(sums, &own, us)
                        && let Some(due) = is_due.get_mut(*to)
                    {
                        *due = true;
                        some_due = true;
                    }
                }
            }
        }
        let Some(found) = self.found.get_mut(from) else {
            return &[];
        };
        *found = sums;
        found
    }
}

/// Lowers sums to those over another region, lane by lane; whether any became less.
///
/// Not inlined: by itself the compiler makes vector instructions of it, within a loop it does not (rustc 1.95).
#[inline(never)]
fn lower(sums: &mut Sums, own: &Sums, us: &Sums) -> bool {
    let mut is_less = false;
    for ((sum, own), us) in sums.iter_mut().zip(own).zip(us) {
        let other = own + us;
        is_less |= other < *sum;
        // Neither is ever not a number, so this is the least of the two, in one instruction.
        *sum = if other < *sum { other } else { *sum };
    }
    is_less
}

/// Milliseconds as whole microseconds.
fn microseconds(ms: f64) -> f32 {
    (ms * US_PER_MS).round() as f32
}

/// Whole microseconds as milliseconds.
pub(super) fn milliseconds(us: f32) -> f64 {
    f64::from(us) / US_PER_MS
}
