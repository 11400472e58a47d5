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
use super::network::{AllLinks, LANES, Network, PairSearch, Sums, milliseconds};
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
    regions: usize,
    ways: Ways,
}

/// The ways, kept as they were found.
#[derive(Debug, Clone)]
enum Ways {
    /// Every way stays but these, and those to and from regions that are forbidden.
    AllBut(Arc<FewWays>),
    /// Those of many sets, side by side.
    Lane(Arc<WaysBySet>, usize),
}

#[derive(Debug, Default)]
struct FewWays {
    is_forbidden: Vec<bool>,
    /// By the number of the pair, in order.
    others: Vec<(usize, Way)>,
}

/// For each pair of regions the ways under up to [`LANES`] sets of rules.
#[derive(Debug)]
struct WaysBySet(Vec<Sums>);

/// What is left from one region to another: the microseconds of a detour, or one of the values below. Half of
/// what it costs to find ways is to write them down, so one takes four bytes and stays where its sum was found.
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
        let mut built: BTreeMap<&RouteRules, Ways> = BTreeMap::new();
        for rules in kept {
            let set = RuleSet::read(table, &network, rules);
            let ways = FewWays::find(&network, &all_links, set);
            built.insert(rules, Ways::AllBut(Arc::new(ways)));
        }
        for rules in taken.chunks(LANES) {
            let sets: Vec<RuleSet<'_>> = rules
                .iter()
                .map(|rules| RuleSet::read(table, &network, rules))
                .collect();
            let ways = Arc::new(WaysBySet::find(&network, &all_links, &sets));
            let lanes = (0..).map(|lane| Ways::Lane(Arc::clone(&ways), lane));
            built.extend(rules.iter().copied().zip(lanes));
        }
        let ways = rules.iter().filter_map(|rules| built.get(rules).cloned());
        ways.map(|ways| Self {
            regions: table.regions(),
            ways,
        })
        .collect()
    }

    /// The way between two places of the table that these routes were built for: a look-up, or a search among
    /// the few ways that such rules took.
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
        let pair = from * self.regions + to;
        match &self.ways {
            Ways::AllBut(few) => few.way(from, to, pair),
            Ways::Lane(ways, lane) => ways.way(pair, *lane),
        }
    }
}

impl FewWays {
    /// The ways for a set of rules that takes few: each is sought by itself.
    fn find(network: &Network, all_links: &AllLinks, set: RuleSet<'_>) -> Self {
        let (taken, left): (Vec<_>, Vec<_>) =
            network.links().partition(|(link, _, _)| set.rules.takes(*link));
        // Of several links between two regions one is enough.
        let left: BTreeSet<(usize, usize)> = left.into_iter().map(|(_, from, to)| (from, to)).collect();
        let pairs: BTreeSet<(usize, usize)> = taken
            .into_iter()
            .map(|(_, from, to)| (from, to))
            .filter(|(from, to)| !left.contains(&(*from, *to)) && !set.forbids(*from) && !set.forbids(*to))
            .collect();
        let regions = set.is_forbidden.len();
        let mut search = PairSearch::default();
        let mut sum_us = |pair| {
            search.least_sum_us(network, all_links, pair, |link, from, to| {
                set.takes(link, from, to)
            })
        };
        let mut sums: BTreeMap<(usize, usize), Option<u64>> = BTreeMap::new();
        for (from, to) in pairs {
            let back = sums.get(&(to, from)).copied().filter(|_| network.is_symmetric());
            sums.insert((from, to), back.unwrap_or_else(|| sum_us((from, to))));
        }
        let others = sums.into_iter().map(|((from, to), sum_us)| {
            let way = match sum_us {
                Some(us) => Way(us as f32),
                None if set.joins(from, to) => Way::UNKNOWN,
                None => Way::CLOSED,
            };
            (from * regions + to, way)
        });
        Self {
            others: others.collect(),
            is_forbidden: set.is_forbidden,
        }
    }

    fn way(&self, from: usize, to: usize, pair: usize) -> Way {
        let forbids = |region: usize| self.is_forbidden.get(region).copied().unwrap_or(true);
        if forbids(from) || forbids(to) {
            return Way::CLOSED;
        }
        match self.others.binary_search_by_key(&pair, |(pair, _)| *pair) {
            Ok(found) => self.others.get(found).map_or(Way::DIRECT, |(_, way)| *way),
            Err(_) => Way::DIRECT,
        }
    }
}

impl WaysBySet {
    /// The ways for up to [`LANES`] sets of rules, which take every way that no link declares.
    fn find(network: &Network, all_links: &AllLinks, sets: &[RuleSet<'_>]) -> Self {
        let taken: Vec<_> = sets
            .iter()
            .map(|set| move |link, from, to| set.takes(link, from, to))
            .collect();
        let remaining = network.remaining(&taken);
        let mut ways = Self(remaining.least_sums(all_links));
        let regions = sets.first().map_or(0, |set| set.is_forbidden.len());
        for (lane, set) in sets.iter().enumerate() {
            for (link, from, to) in network.links() {
                if !set.takes(link, from, to) {
                    ways.set(from * regions + to, lane, Way::DIRECT);
                }
            }
            if set.joined.is_some() {
                ways.tell_unknown(lane, set);
            }
        }
        ways
    }

    /// Where links lead and no sum is known, the way is open and nobody knows how long it is.
    fn tell_unknown(&mut self, lane: usize, set: &RuleSet<'_>) {
        let regions = set.is_forbidden.len();
        for from in 0..regions {
            for to in 0..regions {
                let pair = from * regions + to;
                if self.way(pair, lane) == Way::CLOSED && set.joins(from, to) {
                    self.set(pair, lane, Way::UNKNOWN);
                }
            }
        }
    }

    fn set(&mut self, pair: usize, lane: usize, way: Way) {
        let sums = self.0.get_mut(pair);
        if let Some(sum) = sums.and_then(|sums| sums.get_mut(lane)) {
            *sum = way.0;
        }
    }

    fn way(&self, pair: usize, lane: usize) -> Way {
        let sums = self.0.get(pair);
        sums.and_then(|sums| sums.get(lane))
            .map_or(Way::CLOSED, |us| Way(*us))
    }
}

/// One set of rules, by the numbers of a table.
struct RuleSet<'a> {
    rules: &'a RouteRules,
    is_forbidden: Vec<bool>,
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
        let mut set = Self {
            rules,
            is_forbidden,
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

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
