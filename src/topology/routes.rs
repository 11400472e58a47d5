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
//! A link counts with the latency of its ends in the table, in either direction. Ways inside one region are never touched.
//! Invariants: equal inputs give equal routes; fewer links never make a route shorter, unless a direct way is
//! taken of which a sum is shorter. Deliberately absent: countries, rules and their dates, and what a closed
//! way means for a data set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::unionfind::UnionFind;

use super::measurement::MeasuredPlace;
use super::network::{AllLinks, LANES, Network, Search, milliseconds};
use super::table::{Estimate, LatencyPoint, LatencyTable};
use crate::model::{Provenance, RegionKey};

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

/// What is left from one region to another: the microseconds of a detour, or one of the values below. Half of
/// what it costs to find ways is to write them down, so one takes four bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Way(f32);

impl Way {
    const DIRECT: Self = Self(-1.0);
    const UNKNOWN: Self = Self(-2.0);
    /// What a sum is where no path leads.
    const CLOSED: Self = Self(f32::INFINITY);
}

impl Routes {
    /// Finds the ways for each set of rules, in their order. Equal sets share theirs.
    #[must_use]
    pub fn build(table: &LatencyTable, links: &[Link], rules: &[RouteRules]) -> Vec<Self> {
        let network = Network::build(table, links);
        let distinct: BTreeSet<&RouteRules> = rules.iter().collect();
        let all_links = network.over_all_links();
        // What takes undeclared ways takes most; what keeps them takes a few, which are sought one by one.
        let (kept, taken): (Vec<&RouteRules>, Vec<_>) = distinct
            .into_iter()
            .partition(|rules| rules.undeclared == Undeclared::Kept);
        let mut built: BTreeMap<&RouteRules, Arc<Ways>> = BTreeMap::new();
        for rules in kept {
            let set = RuleSet::read(table, &network, rules);
            let ways = Ways::find_few(&network, &all_links, &set);
            built.insert(rules, Arc::new(ways));
        }
        for rules in taken.chunks(LANES) {
            let sets: Vec<RuleSet<'_>> = rules
                .iter()
                .map(|rules| RuleSet::read(table, &network, rules))
                .collect();
            let ways = Ways::find_all(&network, &all_links, &sets);
            built.extend(rules.iter().copied().zip(ways.into_iter().map(Arc::new)));
        }
        rules
            .iter()
            .map(|rules| Self {
                ways: built.get(rules).map(Arc::clone).unwrap_or_default(),
            })
            .collect()
    }

    /// The way between two places of the table that these routes were built for, in constant time.
    #[must_use]
    pub fn between(&self, table: &LatencyTable, from: LatencyPoint, to: LatencyPoint) -> Route {
        match self.way(from.spot().region(), to.spot().region()) {
            Way::DIRECT => table.between(from, to).map_or(Route::Unknown, Route::Direct),
            Way::UNKNOWN => Route::Unknown,
            Way::CLOSED => Route::Closed,
            Way(us) => Estimate::new(milliseconds(us), Provenance::EstimatedByPath)
                .map_or(Route::Unknown, Route::Detour),
        }
    }

    fn way(&self, from: usize, to: usize) -> Way {
        if from == to {
            return Way::DIRECT;
        }
        let Some(Some(start)) = self.ways.rows.get(from) else {
            return Way::DIRECT;
        };
        self.ways.cells.get(start + to).copied().unwrap_or(Way::CLOSED)
    }
}

impl Ways {
    /// The ways for up to [`LANES`] sets of rules, in their order.
    fn find_all(network: &Network, all_links: &AllLinks, sets: &[RuleSet<'_>]) -> Vec<Self> {
        let mut search = Search::default();
        let taken: Vec<_> = sets
            .iter()
            .map(|set| move |link, from, to| set.takes(link, from, to))
            .collect();
        let remaining = network.remaining(&taken);
        let regions = sets.first().map_or(0, |set| set.stays.regions);
        let mut found: Vec<Self> = sets.iter().map(Self::with_room_for).collect();
        for from in 0..regions {
            if sets.iter().all(|set| set.stays.is_whole(from)) {
                found.iter_mut().for_each(|ways| ways.rows.push(None));
                continue;
            }
            let sums = search.sums_from(from, all_links, &remaining);
            for (lane, (ways, set)) in found.iter_mut().zip(sets).enumerate() {
                let sums = sums
                    .iter()
                    .map(|sums| sums.get(lane).map_or(Way::CLOSED, |us| Way(*us)));
                ways.push_row(set, from, sums);
            }
        }
        found
    }

    /// The ways for a set of rules that takes few.
    fn find_few(network: &Network, all_links: &AllLinks, set: &RuleSet<'_>) -> Self {
        let mut found = Self::with_room_for(set);
        for from in 0..set.stays.regions {
            let row = set.stays.row(from).iter().enumerate();
            let ways = row.map(|(to, stays)| {
                // Nothing leads to or from a region that is forbidden.
                if *stays || set.forbids(from) || set.forbids(to) {
                    return Way::CLOSED;
                }
                let taken = |link, from, to| set.takes(link, from, to);
                let sum = network.least_sum_us((from, to), all_links, taken);
                sum.map_or(Way::CLOSED, |us| Way(us as f32))
            });
            found.push_row(set, from, ways);
        }
        found
    }

    fn with_room_for(set: &RuleSet<'_>) -> Self {
        let regions = set.stays.regions;
        let rows = (0..regions).filter(|from| !set.stays.is_whole(*from)).count();
        Self {
            rows: Vec::with_capacity(regions),
            cells: Vec::with_capacity(rows * regions),
        }
    }

    /// Writes down the ways from the next region: the direct ones that stay, and what there is beside them.
    fn push_row(&mut self, set: &RuleSet<'_>, from: usize, beside: impl Iterator<Item = Way>) {
        if set.stays.is_whole(from) {
            self.rows.push(None);
            return;
        }
        let start = self.cells.len();
        self.rows.push(Some(start));
        let cells = set.stays.row(from).iter().zip(beside);
        self.cells
            .extend(cells.map(|(stays, way)| if *stays { Way::DIRECT } else { way }));
        if set.joined.is_some() {
            for (to, way) in self.cells.iter_mut().skip(start).enumerate() {
                if *way == Way::CLOSED && set.joins(from, to) {
                    *way = Way::UNKNOWN;
                }
            }
        }
    }
}

/// One set of rules, by the numbers of a table.
struct RuleSet<'a> {
    rules: &'a RouteRules,
    is_forbidden: Vec<bool>,
    stays: DirectWays,
    joined: Option<UnionFind<usize>>,
}

impl<'a> RuleSet<'a> {
    fn read(table: &LatencyTable, network: &Network, rules: &'a RouteRules) -> Self {
        let mut is_forbidden = vec![false; table.regions()];
        for region in &rules.forbidden_regions {
            let spot = table.spot(&MeasuredPlace::region(region.clone()));
            if let Some(forbidden) = spot.and_then(|spot| is_forbidden.get_mut(spot.region())) {
                *forbidden = true;
            }
        }
        let stays = DirectWays::find(network, rules, &is_forbidden);
        let mut set = Self {
            rules,
            is_forbidden,
            stays,
            joined: None,
        };
        set.joined = network.joined(|link, from, to| set.takes(link, from, to));
        set
    }

    /// Whether a link between two regions is taken.
    fn takes(&self, link: usize, from: usize, to: usize) -> bool {
        self.rules.takes(link) || self.forbids(from) || self.forbids(to)
    }

    /// Whether a region is forbidden.
    fn forbids(&self, region: usize) -> bool {
        self.is_forbidden.get(region).copied().unwrap_or(true)
    }

    /// Whether remaining links join two regions, however long that takes.
    fn joins(&self, from: usize, to: usize) -> bool {
        self.joined.as_ref().is_some_and(|joined| joined.equiv(from, to))
    }
}

impl RouteRules {
    fn takes(&self, link: usize) -> bool {
        self.forbidden_links.get(link).copied().unwrap_or(true)
    }
}

/// Which direct ways stay, by pair of regions.
struct DirectWays {
    stays: Vec<bool>,
    regions: usize,
    /// Of each region, whether every way from it stays.
    is_whole: Vec<bool>,
}

impl DirectWays {
    fn find(network: &Network, rules: &RouteRules, is_forbidden: &[bool]) -> Self {
        let regions = is_forbidden.len();
        let mut stays = vec![rules.undeclared == Undeclared::Kept; regions * regions];
        let mut set = |from: usize, to: usize, value: bool| {
            if let Some(stays) = stays.get_mut(from * regions + to) {
                *stays = value;
            }
        };
        // First what is taken, then what remains: of several links one is enough.
        for remains in [false, true] {
            for (link, from, to) in network.links() {
                if remains != rules.takes(link) {
                    set(from, to, remains);
                }
            }
        }
        for (region, is_forbidden) in is_forbidden.iter().enumerate() {
            if *is_forbidden {
                for other in 0..regions {
                    set(region, other, false);
                    set(other, region, false);
                }
            }
            set(region, region, true);
        }
        let rows = stays.chunks(regions.max(1));
        let is_whole = rows.map(|row| row.iter().all(|stays| *stays)).collect();
        Self {
            stays,
            regions,
            is_whole,
        }
    }

    /// From one region to each.
    fn row(&self, from: usize) -> &[bool] {
        let start = from * self.regions;
        self.stays.get(start..start + self.regions).unwrap_or_default()
    }

    /// Whether every way from a region stays.
    fn is_whole(&self, from: usize) -> bool {
        self.is_whole.get(from).copied().unwrap_or(true)
    }
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
