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
use std::collections::{BTreeSet, BinaryHeap};

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
    /// From each region, the links of which the time is known, side by side for searches.
    timed: Vec<Vec<TimedLink>>,
    /// Whether the time of every link is known.
    is_timed: bool,
    /// Whether every link takes as long one way as the other, so that every sum does.
    is_symmetric: bool,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    link: usize,
    /// How long it takes, in microseconds, where that is known.
    us: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct TimedLink {
    link: usize,
    to: usize,
    us: u64,
}

/// What several sets of rules leave of a network.
pub(super) struct Remaining {
    /// How many sets there are; the lanes behind them hold nothing.
    sets: usize,
    /// From each region: to where, and how long that takes in each set.
    ways: Vec<Vec<(usize, Sums)>>,
}

/// What a search over all links finds.
pub(super) struct AllLinks {
    /// From each region the least sum to each, in microseconds; infinite where no path leads.
    sums_us: Vec<Vec<f32>>,
    /// From each region, those that it reaches, nearer ones first.
    orders: Vec<Vec<usize>>,
}

/// Searches for one pair after another; the memory of one serves the next.
#[derive(Default)]
pub(super) struct PairSearch {
    /// What to look at next: the sum with what remains at least, the sum so far, the region.
    open: BinaryHeap<Reverse<(u64, u64, usize)>>,
    /// Few, so looking through them is cheaper than a place for each region.
    passed: Vec<usize>,
}

impl Network {
    /// Joins the regions of a table by links. A link within a region, or to no place of the table, is none.
    pub(super) fn build(table: &LatencyTable, links: &[Link]) -> Self {
        let mut graph = DiGraph::with_capacity(table.regions(), links.len() * 2);
        for _ in 0..table.regions() {
            graph.add_node(());
        }
        let (mut is_timed, mut is_symmetric) = (true, true);
        for (link, Link { from, to }) in links.iter().enumerate() {
            let (Some(from), Some(to)) = (table.spot(from), table.spot(to)) else {
                continue;
            };
            if from.region() == to.region() {
                continue;
            }
            let us = [(from, to), (to, from)].map(|(from, to)| {
                let estimate = table.cell(from, to)?;
                Some(microseconds(estimate.latency.as_ms()))
            });
            let [there, back] = us;
            is_timed &= there.is_some() && back.is_some();
            is_symmetric &= there == back;
            let [from, to] = [from, to].map(|spot| NodeIndex::new(spot.region()));
            graph.add_edge(from, to, Edge { link, us: there });
            graph.add_edge(to, from, Edge { link, us: back });
        }
        let timed_from = |from: NodeIndex| {
            let edges = graph.edges(from);
            let timed = edges.filter_map(|edge| {
                Some(TimedLink {
                    link: edge.weight().link,
                    to: edge.target().index(),
                    us: edge.weight().us?,
                })
            });
            timed.collect()
        };
        Self {
            timed: graph.node_indices().map(timed_from).collect(),
            graph,
            is_timed,
            is_symmetric,
        }
    }

    /// Whether every link takes as long one way as the other, so that every sum does.
    pub(super) fn is_symmetric(&self) -> bool {
        self.is_symmetric
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
        for (link, from, to) in self.links() {
            if !is_taken(link, from, to) {
                joined.union(from, to);
            }
        }
        Some(joined)
    }

    /// What up to [`LANES`] sets of rules leave.
    pub(super) fn remaining(&self, sets: &[impl Fn(usize, usize, usize) -> bool]) -> Remaining {
        let ways_from = |(from, links): (usize, &Vec<TimedLink>)| {
            let ways = links.iter().map(|&TimedLink { link, to, us }| {
                let mut sums = [f32::INFINITY; LANES];
                for (sum, is_taken) in sums.iter_mut().zip(sets) {
                    if !is_taken(link, from, to) {
                        *sum = us as f32;
                    }
                }
                (to, sums)
            });
            ways.collect()
        };
        Remaining {
            sets: sets.len(),
            ways: self.timed.iter().enumerate().map(ways_from).collect(),
        }
    }

    /// The least sums over all links from every region to every other: each region in turn is passed on the way
    /// (Floyd and Warshall). For some hundred regions that is the quickest, because the innermost loop adds and
    /// compares whole rows.
    pub(super) fn over_all_links(&self) -> AllLinks {
        let regions = self.graph.node_count();
        let mut sums_us = vec![vec![f32::INFINITY; regions]; regions];
        for (from, row) in sums_us.iter_mut().enumerate() {
            for TimedLink { to, us, .. } in self.timed_links(from) {
                if let Some(sum) = row.get_mut(*to) {
                    *sum = sum.min(*us as f32);
                }
            }
            if let Some(own) = row.get_mut(from) {
                *own = 0.0;
            }
        }
        for passed in 0..regions {
            let Some(onwards) = sums_us.get(passed).cloned() else {
                continue;
            };
            for row in &mut sums_us {
                let Some(us) = row.get(passed).copied().filter(|us| us.is_finite()) else {
                    continue;
                };
                lower_row(row, &onwards, us);
            }
        }
        AllLinks {
            orders: sums_us.iter().map(|row| nearer_first(row)).collect(),
            sums_us,
        }
    }

    fn timed_links(&self, region: usize) -> &[TimedLink] {
        self.timed.get(region).map(Vec::as_slice).unwrap_or_default()
    }
}

impl PairSearch {
    /// The least sum from one region to another over the links that are not taken, in microseconds.
    pub(super) fn least_sum_us(
        &mut self,
        network: &Network,
        all_links: &AllLinks,
        (from, to): (usize, usize),
        is_taken: impl Fn(usize, usize, usize) -> bool,
    ) -> Option<u64> {
        let onwards_us = |region: usize| {
            let us = all_links
                .sums_us
                .get(region)?
                .get(to)
                .filter(|us| us.is_finite())?;
            Some(*us as u64)
        };
        let Self { open, passed } = self;
        open.clear();
        passed.clear();
        open.push(Reverse((onwards_us(from)?, 0, from)));
        while let Some(Reverse((_, sum, region))) = open.pop() {
            if region == to {
                return Some(sum);
            }
            if passed.contains(&region) {
                continue;
            }
            passed.push(region);
            for &TimedLink { link, to: next, us } in network.timed_links(region) {
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

impl Remaining {
    /// The least sums from each region to each, row by row. Where every way from a region is one link that all
    /// sets leave, nothing is looked for and its row stays without sums.
    pub(super) fn least_sums(&self, all_links: &AllLinks) -> Vec<Sums> {
        let regions = self.ways.len();
        let mut found = Vec::with_capacity(regions * regions);
        let mut row = vec![[f32::INFINITY; LANES]; regions];
        let mut is_due = vec![false; regions];
        for (from, order) in all_links.orders.iter().enumerate() {
            row.fill([f32::INFINITY; LANES]);
            if !self.leads_everywhere(from) {
                self.lower_by_neighbours(from, &found, &mut row);
                self.pass_on(from, order, &mut row, &mut is_due);
            }
            found.extend_from_slice(&row);
        }
        found
    }

    /// Whether a link leads from a region to each other in every set.
    fn leads_everywhere(&self, from: usize) -> bool {
        let ways = self.ways.get(from).map_or(&[][..], Vec::as_slice);
        if ways.len() + 1 < self.ways.len() {
            return false;
        }
        let whole = ways
            .iter()
            .filter(|(_, us)| us.iter().take(self.sets).all(|us| us.is_finite()));
        let reached: BTreeSet<usize> = whole.map(|(to, _)| *to).collect();
        reached.len() + 1 == self.ways.len()
    }

    /// Begins with what is known from neighbours.
    fn lower_by_neighbours(&self, from: usize, found: &[Sums], row: &mut [Sums]) {
        let regions = self.ways.len();
        for (neighbour, us) in self.ways.get(from).into_iter().flatten() {
            // Rows are found in order: of neighbours behind this one nothing is known yet.
            let start = neighbour * regions;
            let beyond = found.get(start..start + regions).unwrap_or_default();
            for (sums, beyond) in row.iter_mut().zip(beyond) {
                lower(sums, beyond, us);
            }
        }
    }

    /// Passes over regions whose sums became less until none does.
    fn pass_on(&self, from: usize, order: &[usize], sums: &mut [Sums], is_due: &mut [bool]) {
        is_due.fill(false);
        if let (Some(sums), Some(is_due)) = (sums.get_mut(from), is_due.get_mut(from)) {
            *sums = [0.0; LANES];
            *is_due = true;
        }
        let mut some_due = true;
        while some_due {
            some_due = false;
            for region in order {
                let Some(due) = is_due.get_mut(*region).filter(|due| **due) else {
                    continue;
                };
                *due = false;
                let (Some(own), Some(ways)) = (sums.get(*region).copied(), self.ways.get(*region)) else {
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

/// The regions to which a sum is known, nearer ones first.
fn nearer_first(sums_us: &[f32]) -> Vec<usize> {
    let mut order: Vec<(f32, usize)> = sums_us.iter().copied().zip(0..).collect();
    order.retain(|(us, _)| us.is_finite());
    order.sort_unstable_by(|(one, one_region), (other, other_region)| {
        one.total_cmp(other).then(one_region.cmp(other_region))
    });
    order.into_iter().map(|(_, region)| region).collect()
}

/// Lowers a row of sums to those over another region, so many microseconds away. Not inlined: as above.
#[inline(never)]
fn lower_row(sums: &mut [f32], onwards: &[f32], us: f32) {
    for (sum, onwards) in sums.iter_mut().zip(onwards) {
        let other = us + onwards;
        *sum = if other < *sum { other } else { *sum };
    }
}

/// Milliseconds as whole microseconds.
fn microseconds(ms: f64) -> u64 {
    (ms * US_PER_MS).round() as u64
}

/// Whole microseconds as milliseconds.
pub(super) fn milliseconds(us: f32) -> f64 {
    f64::from(us) / US_PER_MS
}
