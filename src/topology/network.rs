//! Declared links between the regions of a table as a graph, and least sums over those that remain.
//!
//! Inputs: a table and links. Output: for a region and the links that are taken, the least sum to every region.
//! The sums over all links are found once, with the tree of links that they use. Taking links away changes
//! only what hangs on a taken link, so only that part of a tree is found anew, from its rim (the
//! decremental half of Ramalingam and Reps): that is what makes many sets of rules cheap.
//! Invariant: a repaired tree has the sums that a new search would find. Sums are whole microseconds, so they
//! add up without error and do not depend on the order. Deliberately absent: what rules mean.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use petgraph::graph::{DiGraph, EdgeIndex, EdgeReference, NodeIndex};
use petgraph::unionfind::UnionFind;
use petgraph::visit::EdgeRef;
use petgraph::{Incoming, Outgoing};

use super::routes::Link;
use super::table::LatencyTable;

/// The sum to what no path leads to.
pub(super) const NO_PATH: u32 = u32::MAX;

/// Microseconds in a millisecond.
const US_PER_MS: f64 = 1000.0;

/// The declared links between the regions of a table.
pub(super) struct Network {
    /// Regions by number; an edge is a link in one direction.
    graph: DiGraph<(), Edge>,
    /// From each region, over all links.
    trees: Vec<Tree>,
    /// Whether the time of every link is known.
    is_timed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    link: usize,
    /// How long it takes, in microseconds, where that is known.
    us: Option<u32>,
}

/// The least sums from one region, and by which links they come about.
struct Tree {
    sums: Vec<u32>,
    /// Every region that has a sum but the first, with the link that leads to it; nearer ones first.
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    from: usize,
    to: usize,
    edge: EdgeIndex,
}

/// The links that rules take, by the edges of a network.
pub(super) struct Taken {
    edges: Vec<bool>,
}

impl Taken {
    fn has(&self, edge: EdgeIndex) -> bool {
        self.edges.get(edge.index()).copied().unwrap_or(true)
    }
}

/// Memory for one search after another.
#[derive(Default)]
pub(super) struct Search {
    sums: Vec<u32>,
    /// Whether a region hangs on a link that is taken.
    is_cut: Vec<bool>,
    open: BinaryHeap<Reverse<(u32, usize)>>,
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
                let ends = [from, to].map(|spot| NodeIndex::new(spot.region()));
                let [from, to] = ends;
                graph.add_edge(from, to, Edge { link, us });
            }
        }
        let trees = (0..table.regions())
            .map(|from| Tree::grow(&graph, from))
            .collect();
        Self {
            graph,
            trees,
            is_timed,
        }
    }

    /// Every link in either direction: its number and the regions that it joins.
    pub(super) fn links(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.graph
            .edge_references()
            .map(|edge| (edge.weight().link, edge.source().index(), edge.target().index()))
    }

    /// Takes links away by number and ends.
    pub(super) fn take(&self, is_taken: impl Fn(usize, usize, usize) -> bool) -> Taken {
        Taken {
            edges: self
                .links()
                .map(|(link, from, to)| is_taken(link, from, to))
                .collect(),
        }
    }

    /// Which regions remaining links join, whether or not their times are known. `None` where all times are
    /// known: then what is joined has a sum.
    pub(super) fn joined(&self, taken: &Taken) -> Option<UnionFind<usize>> {
        if self.is_timed {
            return None;
        }
        let mut joined = UnionFind::new(self.graph.node_count());
        for edge in self.graph.edge_references().filter(|edge| !taken.has(edge.id())) {
            joined.union(edge.source().index(), edge.target().index());
        }
        Some(joined)
    }

    /// The least sums of remaining links from one region to each, in microseconds, or [`NO_PATH`].
    pub(super) fn sums_from<'s>(&'s self, from: usize, taken: &Taken, search: &'s mut Search) -> &'s [u32] {
        let Some(tree) = self.trees.get(from) else {
            return &[];
        };
        search.is_cut.clear();
        search.is_cut.resize(tree.sums.len(), false);
        let mut some_cut = false;
        for step in &tree.steps {
            let is_cut = taken.has(step.edge) || search.is_cut.get(step.from).copied().unwrap_or(false);
            if is_cut && let Some(cut) = search.is_cut.get_mut(step.to) {
                *cut = true;
                some_cut = true;
            }
        }
        if !some_cut {
            return &tree.sums;
        }
        search.repair(&self.graph, tree, taken);
        &search.sums
    }
}

impl Tree {
    fn grow(graph: &DiGraph<(), Edge>, from: usize) -> Self {
        let mut tree = Self {
            sums: vec![NO_PATH; graph.node_count()],
            steps: Vec::new(),
        };
        let mut open = BinaryHeap::from([Reverse((0, from, None))]);
        while let Some(Reverse((sum, region, step))) = open.pop() {
            let Some(least) = tree.sums.get_mut(region).filter(|least| **least == NO_PATH) else {
                continue;
            };
            *least = sum;
            if let Some((from, edge)) = step {
                tree.steps.push(Step {
                    from,
                    to: region,
                    edge,
                });
            }
            for edge in graph.edges(NodeIndex::new(region)) {
                if let Some(sum) = longer(sum, edge) {
                    open.push(Reverse((sum, edge.target().index(), Some((region, edge.id())))));
                }
            }
        }
        tree
    }
}

impl Search {
    /// Finds the sums of all that is cut off, from what is not.
    fn repair(&mut self, graph: &DiGraph<(), Edge>, tree: &Tree, taken: &Taken) {
        let Self { sums, is_cut, open } = self;
        sums.clear();
        sums.extend_from_slice(&tree.sums);
        open.clear();
        let is_cut = |region: usize| is_cut.get(region).copied().unwrap_or(false);
        for step in tree.steps.iter().filter(|step| is_cut(step.to)) {
            let least = graph
                .edges_directed(NodeIndex::new(step.to), Incoming)
                .filter(|edge| !taken.has(edge.id()) && !is_cut(edge.source().index()))
                .filter_map(|edge| longer(*tree.sums.get(edge.source().index())?, edge))
                .min();
            if let Some(sum) = sums.get_mut(step.to) {
                *sum = NO_PATH;
            }
            open.extend(least.map(|least| Reverse((least, step.to))));
        }
        while let Some(Reverse((sum, region))) = open.pop() {
            let Some(least) = sums.get_mut(region).filter(|least| sum < **least) else {
                continue;
            };
            *least = sum;
            for edge in graph.edges_directed(NodeIndex::new(region), Outgoing) {
                let to = edge.target().index();
                if is_cut(to)
                    && !taken.has(edge.id())
                    && let Some(sum) = longer(sum, edge)
                    && sums.get(to).is_some_and(|least| sum < *least)
                {
                    open.push(Reverse((sum, to)));
                }
            }
        }
    }
}

/// A path with one more link.
fn longer(sum: u32, edge: EdgeReference<'_, Edge>) -> Option<u32> {
    let us = edge.weight().us?;
    // No path takes more than an hour, and none looks like no path.
    (sum != NO_PATH).then(|| sum.saturating_add(us).min(NO_PATH - 1))
}

/// Milliseconds as whole microseconds.
fn microseconds(ms: f64) -> u32 {
    // `as` saturates: what takes more than an hour takes an hour.
    (ms * US_PER_MS).round() as u32
}

/// Whole microseconds as milliseconds.
pub(super) fn milliseconds(us: u32) -> f64 {
    f64::from(us) / US_PER_MS
}
