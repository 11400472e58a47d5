//! The regions of a question and the demand for it as numbers, and the round trips between them.
//!
//! Inputs: a snapshot, demand, the regions that are considered, the footing of the data set. Outputs: places, which
//! of them are free for copies, and a [`Problem`] by every way or by those that rules on transit leave.
//! Invariants: a region from which some demand is an unknown time away takes no part and is told, and so is demand
//! from which no way is left to any place where a copy may be; whatever is cut off now is not cut off for long.
//! Deliberately absent: how the best plan is found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::{Question, Unanswerable};
use super::demand::DemandRow;
use super::footing::Footing;
use super::problem::{Problem, Wanted};
use super::round_trips::RoundTrips;
use super::search::Freedom;
use super::standing::rules_on_sets;
use super::way_rules::WayRules;
use crate::model::{DataSet, RegionKey};
use crate::placement::ways::{Way, Ways};
use crate::policy::{Cause, RuleIndex};
use crate::snapshot::{PermittedWays, Snapshot};
use crate::topology::LatencyPoint;

/// The number of a place that nobody knows, which no matrix has.
const UNKNOWN_PLACE: usize = usize::MAX;

/// Which ways accesses go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Going {
    /// By every way, as if there were no rules on transit.
    ByEveryWay,
    /// By those that enforced rules leave.
    ByWaysThatRemain,
}

/// The places of a question as numbers.
#[derive(Debug)]
pub(super) struct Places {
    /// Every region that takes part: today's first, so that of equally good plans the one that moves least is found
    /// first, and then in the order of keys. Their positions are the places of plans.
    pub regions: Vec<RegionKey>,
    points: Vec<Option<LatencyPoint>>,
    /// The places that are candidates; the others are today's alone.
    candidates: Vec<usize>,
    /// The demand that is weighed, each row with the rules on transit that bind it.
    pub demand: Vec<DemandRow>,
    demand_points: Vec<LatencyPoint>,
    /// Demand from places that no candidate has a known latency to.
    pub demand_left_out: Vec<DemandRow>,
    /// Demand that no place serves where a copy may be, since rules on transit leave no way there.
    pub cut_off: Vec<DemandRow>,
    /// Regions left out because the latency to some demand is not known.
    pub unknown_to_demand: Vec<RegionKey>,
    /// The rules on transit between copies.
    ways_of_copies: WayRules,
}

impl Places {
    /// Numbers the places of a question.
    ///
    /// # Errors
    /// Where nothing is demanded from a known place, or no region is left.
    pub fn new(
        snapshot: &Snapshot,
        question: &Question<'_>,
        footing: &Footing,
    ) -> Result<Self, Unanswerable> {
        let table = snapshot.latency();
        let point = |region: &RegionKey| table.locate(region, None);
        let is_known = |from: LatencyPoint, to: &RegionKey| {
            point(to).is_some_and(|to| table.between(from, to).is_some())
        };
        let mut demand = Vec::new();
        let mut demand_points = Vec::new();
        let mut demand_left_out = Vec::new();
        for row in question.demand {
            let mut candidates = question.candidates.iter();
            match point(&row.region).filter(|from| candidates.any(|to| is_known(*from, to))) {
                Some(from) => {
                    let mut row = row.clone();
                    row.ways.get_or_insert_with(|| footing.ways_of_readers.clone());
                    demand.push(row);
                    demand_points.push(from);
                }
                None => demand_left_out.push(row.clone()),
            }
        }
        if demand.iter().all(|row| row.reads + row.writes <= 0.0) {
            return Err(Unanswerable::NoDemand(question.data_set.clone()));
        }
        let (known, unknown): (BTreeSet<RegionKey>, BTreeSet<RegionKey>) = question
            .candidates
            .iter()
            .cloned()
            .partition(|region| demand_points.iter().all(|from| is_known(*from, region)));
        if known.is_empty() {
            return Err(Unanswerable::NoCandidate);
        }
        let todays = footing.today.iter().filter_map(|copy| copy.region.clone());
        let todays: BTreeSet<RegionKey> = todays.collect();
        let others = known.difference(&todays).cloned();
        let regions: Vec<RegionKey> = todays.iter().cloned().chain(others).collect();
        let numbered = regions.iter().enumerate();
        let candidates = numbered.filter(|(_, region)| known.contains(*region));
        let mut places = Self {
            candidates: candidates.map(|(place, _)| place).collect(),
            points: regions.iter().map(point).collect(),
            regions,
            demand,
            demand_points,
            demand_left_out,
            cut_off: Vec::new(),
            unknown_to_demand: unknown.into_iter().collect(),
            ways_of_copies: footing.ways_of_copies.clone(),
        };
        places.leave_out_what_is_cut_off(snapshot, &places.permitted(footing));
        Ok(places)
    }

    /// Whether some rule on transit binds a demand or the copies.
    pub fn has_way_rules(&self) -> bool {
        self.way_rules().next().is_some()
    }

    /// The rules on transit that bind some demand, or the copies; each once, in order.
    pub fn ways_ruled_by(&self) -> Vec<Cause> {
        let rules: BTreeSet<RuleIndex> = self.way_rules().collect();
        rules.into_iter().map(Cause::Rule).collect()
    }

    fn way_rules(&self) -> impl Iterator<Item = RuleIndex> {
        let of_demand = self.demand.iter().chain(&self.cut_off);
        let of_demand = of_demand.flat_map(|row| &row.ways);
        let all = of_demand.chain([&self.ways_of_copies]);
        all.flat_map(WayRules::rules)
    }

    /// Leaves demand out that no free place serves. Where that is all of it, nothing is left out, and no plan
    /// serves it.
    fn leave_out_what_is_cut_off(&mut self, snapshot: &Snapshot, free: &Freedom) {
        if free.places.is_empty() || !self.has_way_rules() {
            return;
        }
        let trips = self.trips_to_places(snapshot, Going::ByWaysThatRemain);
        let is_cut_off = |row: usize, wanted: &DemandRow| {
            let mut ways = free.places.iter().map(|place| trips.ms(row, *place));
            wanted.reads + wanted.writes > 0.0 && ways.all(f64::is_infinite)
        };
        let demand = self.demand.iter().enumerate();
        let cut_off: Vec<bool> = demand.map(|(row, wanted)| is_cut_off(row, wanted)).collect();
        let rows = || self.demand.iter().zip(&self.demand_points).zip(&cut_off);
        let told = rows().filter(|(_, is_cut_off)| **is_cut_off);
        let told: Vec<DemandRow> = told.map(|((row, _), _)| row.clone()).collect();
        let left = rows().filter(|(_, is_cut_off)| !**is_cut_off);
        let (demand, points): (Vec<DemandRow>, Vec<LatencyPoint>) =
            left.map(|((row, point), _)| (row.clone(), *point)).unzip();
        self.cut_off = told;
        if demand.iter().any(|row| row.reads + row.writes > 0.0) {
            (self.demand, self.demand_points) = (demand, points);
        }
    }

    /// What a cost depends on but the plan.
    pub fn problem(&self, snapshot: &Snapshot, data_set: &DataSet, going: Going) -> Problem {
        let requests: f64 = self.demand.iter().map(|row| row.requests).sum();
        let wanted = self.demand.iter().map(|row| Wanted {
            share: row.requests / requests,
            reads: row.reads,
            writes: row.writes,
        });
        let places = self.points.len();
        let to = |place: usize| self.points.get(place).copied().flatten();
        let permitted = self.ways_of_copies.ways(snapshot).filter(|_| going.heeds_rules());
        let ways = Ways::of(snapshot.latency()).that_remain(permitted.as_deref());
        Problem {
            from_demand: self.trips_to_places(snapshot, going),
            between: RoundTrips::new(places, places, |one, other| {
                ways.in_the_long_run(to(one), to(other))
            }),
            wanted: wanted.collect(),
            access: data_set.access,
            consistency: data_set.consistency,
        }
    }

    fn trips_to_places(&self, snapshot: &Snapshot, going: Going) -> RoundTrips {
        // Many rows have the same rules, and the ways of many rules together are found when they are asked for.
        let rules = self.demand.iter().filter_map(|row| row.ways.as_ref());
        let rules: BTreeSet<&WayRules> = rules.filter(|_| going.heeds_rules()).collect();
        let found: BTreeMap<&WayRules, Option<Arc<PermittedWays>>> = rules
            .into_iter()
            .map(|rules| (rules, rules.ways(snapshot)))
            .collect();
        let rows = self.demand.iter().zip(&self.demand_points).map(|(row, from)| {
            let permitted = row.ways.as_ref().and_then(|rules| found.get(rules)?.as_deref());
            (Ways::of(snapshot.latency()).that_remain(permitted), *from)
        });
        let rows: Vec<(Ways<'_>, LatencyPoint)> = rows.collect();
        RoundTrips::new(rows.len(), self.points.len(), |row, place| {
            let to = self.points.get(place).copied().flatten();
            let row = rows.get(row).copied();
            row.map_or(Way::Unknown, |(ways, from)| ways.in_the_long_run(Some(from), to))
        })
    }

    /// The number of a region.
    pub fn place(&self, region: Option<&RegionKey>) -> usize {
        let place = region.and_then(|region| self.regions.iter().position(|known| known == region));
        place.unwrap_or(UNKNOWN_PLACE)
    }

    fn places_where(&self, holds: impl Fn(&RegionKey) -> bool) -> Vec<usize> {
        let candidates = self.candidates.iter().copied();
        let of_region = |place: &usize| self.regions.get(*place).is_some_and(&holds);
        candidates.filter(of_region).collect()
    }

    /// Where copies may be by the policies.
    pub fn permitted(&self, footing: &Footing) -> Freedom {
        let standing = |region: &RegionKey| footing.regions.get(region);
        let rules = rules_on_sets(footing.regions.values()).into_iter();
        let satisfying = |cause: Cause| {
            self.places_where(|region| standing(region).is_some_and(|it| !it.unmet.contains(&cause)))
        };
        Freedom {
            places: self.places_where(|region| standing(region).is_some_and(|it| it.permits())),
            leaders: self.places_where(|region| standing(region).is_some_and(|it| it.permits_leader())),
            one_in: rules.map(satisfying).collect(),
        }
    }

    /// Where copies could be without policies.
    pub fn unrestricted(&self) -> Freedom {
        Freedom {
            places: self.candidates.clone(),
            leaders: self.candidates.clone(),
            one_in: Vec::new(),
        }
    }
}

impl Going {
    fn heeds_rules(self) -> bool {
        self == Self::ByWaysThatRemain
    }
}
