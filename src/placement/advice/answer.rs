//! The answer: the best places for the copies of a data set, and what everything else costs beside them.
//!
//! Inputs: a snapshot, the demand, the regions that are considered, how many copies. Output: [`Advice`] as data.
//! Invariants: what the policies cost is never negative, since what is best under them is also tried without them;
//! a region from which some demand is an unknown time away takes no part and is told; places are regions, with one
//! copy in each; of equally good placements the one that keeps today's regions, then the first by keys. Deliberately absent: words, and any change of anything.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::demand::DemandRow;
use super::footing::{Footing, Loss, losses};
use super::problem::{PlannedCopy, Problem, Wanted};
use super::roles::{declared_copies, roles_of};
use super::round_trips::{RoundTrip, RoundTrips};
use super::search::{Found, Freedom, Method, best, with_one_more};
use super::standing::rules_on_sets;
use crate::model::{AccessPaths, DataSet, DataSetName, RegionKey, ReplicaRole, Statistic};
use crate::policy::Cause;
use crate::snapshot::Snapshot;
use crate::topology::LatencyPoint;

/// Advice is given for up to so many copies, and for the number that is asked for.
pub const MOST_COPIES_TOLD: usize = 5;

/// The number of a place that nobody knows, which no matrix has.
const UNKNOWN_PLACE: usize = usize::MAX;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// About which data set.
    pub data_set: &'a DataSetName,
    /// Who reads and writes it; a row for each region.
    pub demand: &'a [DemandRow],
    /// The regions that are considered.
    pub candidates: &'a BTreeSet<RegionKey>,
    /// How many copies; `None` is as many as there are.
    pub copies: Option<usize>,
    /// The instant at which policies are judged.
    pub at: Timestamp,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// Nobody declared the data set.
    #[error("no data set is called `{0}`")]
    NoDataSet(DataSetName),
    /// Nothing is demanded, or nothing from a place that is known.
    #[error(
        "no demand for `{0}` comes from a place to which the latency from any considered region is known"
    )]
    NoDemand(DataSetName),
    /// No region is left.
    #[error(
        "of none of the considered regions is the latency to all places of demand known; name others with `--regions`"
    )]
    NoCandidate,
}

/// Copies at regions, and what they cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Region and role of each, leaders first.
    pub copies: Vec<(RegionKey, ReplicaRole)>,
    /// Milliseconds for each request.
    pub cost_ms: f64,
    /// The share of the requests that wait for a round trip that nobody measured.
    pub estimated_share: f64,
    /// How it was found.
    pub method: Method,
    /// What the loss of each of its regions leaves.
    pub losses: Vec<Loss>,
}

/// The best choices for a number of copies.
#[derive(Debug, Clone, PartialEq)]
pub struct ByCopies {
    /// How many copies.
    pub copies: usize,
    /// The best that the policies permit.
    pub permitted: Option<Choice>,
    /// The best if there were no policies.
    pub unrestricted: Option<Choice>,
}

impl ByCopies {
    /// What the policies cost, in milliseconds for each request.
    #[must_use]
    pub fn policy_cost_ms(&self) -> Option<f64> {
        Some(self.permitted.as_ref()?.cost_ms - self.unrestricted.as_ref()?.cost_ms)
    }
}

/// The best leader among the voters of today.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaderAdvice {
    /// Where the leader is.
    pub present: RegionKey,
    /// Where it were best: the present one, where no other is better.
    pub best: RegionKey,
    /// What that costs, in milliseconds for each request.
    pub cost_ms: f64,
    /// How much less that is than today.
    pub saves_ms: f64,
}

/// What today's copies cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Today {
    /// Milliseconds for each request; `None` where that is not known.
    pub cost_ms: Option<f64>,
    /// The share of the requests that wait for a round trip that nobody measured.
    pub estimated_share: f64,
    /// The best leader; `None` where there is not one leader, or no cost is known.
    pub leader: Option<LeaderAdvice>,
}

/// A region of the best choice without policies that the policies refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTheWay {
    /// Which region.
    pub region: RegionKey,
    /// The role that it would have had.
    pub role: ReplicaRole,
    /// What refuses it.
    pub causes: Vec<Cause>,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Advice {
    /// Where the policies let copies be, and how firmly today's stand.
    pub footing: Footing,
    /// Which copies serve an access, of as many as are asked for.
    pub paths: AccessPaths,
    /// Which round trip of all that were timed the costs are made of.
    pub statistic: Statistic,
    /// The demand that was considered.
    pub demand: Vec<DemandRow>,
    /// Demand from places that no considered region has a known latency to.
    pub demand_left_out: Vec<DemandRow>,
    /// Regions left out because the latency to some demand is not known.
    pub unknown_to_demand: Vec<RegionKey>,
    /// What today's copies cost; `None` where none is declared.
    pub today: Option<Today>,
    /// The best choices by the number of copies, in its order.
    pub by_copies: Vec<ByCopies>,
    /// For how many copies advice is asked.
    pub copies: usize,
    /// Which regions of the best choice without policies are refused, of that many copies.
    pub in_the_way: Vec<InTheWay>,
    /// Rules that the best choice without policies does not satisfy as a whole.
    pub unmet_without_policies: Vec<Cause>,
}

impl Advice {
    /// The best choices for the number of copies that is asked for.
    #[must_use]
    pub fn asked(&self) -> Option<&ByCopies> {
        self.by_copies
            .iter()
            .find(|choices| choices.copies == self.copies)
    }
}

/// Answers.
///
/// # Errors
/// Where nothing is known that an answer could come from.
pub fn advise(snapshot: &Snapshot, question: &Question<'_>) -> Result<Advice, Unanswerable> {
    let name = question.data_set;
    let footing = Footing::of(snapshot, name, question.candidates, question.at);
    let placed = snapshot.replicas().get(name);
    let (Some(footing), Some(placed)) = (footing, placed) else {
        return Err(Unanswerable::NoDataSet(name.clone()));
    };
    let data_set = &placed.data_set;
    let world = World::new(snapshot, question, &footing)?;
    let problem = world.problem(snapshot, data_set);
    let copies = question.copies.unwrap_or_else(|| declared_copies(data_set));
    let answering = Answering {
        world: &world,
        problem: &problem,
        data_set,
    };
    let by_copies = answering.by_copies(&footing, copies);
    let asked = by_copies.iter().find(|choices| choices.copies == copies);
    let wished = asked.and_then(|choices| choices.unrestricted.as_ref());
    let wished = wished.map_or(&[][..], |choice| &choice.copies);
    Ok(Advice {
        paths: problem.objective(roles_of(data_set, copies).into_iter()).paths(),
        today: answering.today(&footing),
        in_the_way: in_the_way(&footing, wished),
        unmet_without_policies: unmet(&footing, wished),
        by_copies,
        copies,
        footing,
        statistic: snapshot.latency().statistic(),
        demand: world.demand,
        demand_left_out: world.demand_left_out,
        unknown_to_demand: world.unknown_to_demand,
    })
}

/// The places of a question as numbers.
struct World {
    /// Every region that takes part: today's first, so that of equally good plans the one that moves least is found
    /// first, and then in the order of keys. Their positions are the places of plans.
    regions: Vec<RegionKey>,
    points: Vec<Option<LatencyPoint>>,
    /// The places that are candidates; the others are today's alone.
    candidates: Vec<usize>,
    demand: Vec<DemandRow>,
    demand_points: Vec<LatencyPoint>,
    demand_left_out: Vec<DemandRow>,
    unknown_to_demand: Vec<RegionKey>,
}

impl World {
    fn new(snapshot: &Snapshot, question: &Question<'_>, footing: &Footing) -> Result<Self, Unanswerable> {
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
                    demand.push(row.clone());
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
        Ok(Self {
            candidates: candidates.map(|(place, _)| place).collect(),
            points: regions.iter().map(point).collect(),
            regions,
            demand,
            demand_points,
            demand_left_out,
            unknown_to_demand: unknown.into_iter().collect(),
        })
    }

    fn problem(&self, snapshot: &Snapshot, data_set: &DataSet) -> Problem {
        let table = snapshot.latency();
        let places = self.points.len();
        let to = |place: usize| self.points.get(place).copied().flatten();
        let from = |row: usize| self.demand_points.get(row).copied();
        let requests: f64 = self.demand.iter().map(|row| row.requests).sum();
        let wanted = self.demand.iter().map(|row| Wanted {
            share: row.requests / requests,
            reads: row.reads,
            writes: row.writes,
        });
        Problem {
            from_demand: RoundTrips::new(self.demand_points.len(), places, |row, place| {
                RoundTrip::between(table, from(row), to(place))
            }),
            between: RoundTrips::new(places, places, |one, other| {
                RoundTrip::between(table, to(one), to(other))
            }),
            wanted: wanted.collect(),
            access: data_set.access,
            consistency: data_set.consistency,
        }
    }

    fn place(&self, region: Option<&RegionKey>) -> usize {
        let place = region.and_then(|region| self.regions.iter().position(|known| known == region));
        place.unwrap_or(UNKNOWN_PLACE)
    }

    fn places_where(&self, holds: impl Fn(&RegionKey) -> bool) -> Vec<usize> {
        let candidates = self.candidates.iter().copied();
        let of_region = |place: &usize| self.regions.get(*place).is_some_and(&holds);
        candidates.filter(of_region).collect()
    }

    /// Where copies may be by the policies.
    fn permitted(&self, footing: &Footing) -> Freedom {
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

    fn unrestricted(&self) -> Freedom {
        Freedom {
            places: self.candidates.clone(),
            leaders: self.candidates.clone(),
            one_in: Vec::new(),
        }
    }
}

struct Answering<'a> {
    world: &'a World,
    problem: &'a Problem,
    data_set: &'a DataSet,
}

impl Answering<'_> {
    /// The best for each number of copies. What is best for one copy less is one more place to begin from.
    fn by_copies(&self, footing: &Footing, asked: usize) -> Vec<ByCopies> {
        let (permitted, unrestricted) = (self.world.permitted(footing), self.world.unrestricted());
        let mut told: BTreeSet<usize> = (1..=MOST_COPIES_TOLD).collect();
        told.insert(asked);
        let mut before: [Option<Found>; 2] = [None, None];
        let mut rows = Vec::with_capacity(told.len());
        for copies in told {
            let roles = roles_of(self.data_set, copies);
            let longer = |freedom: &Freedom, before: &Option<Found>| {
                let before = before.as_ref()?;
                let role = one_more_role(&before.plan, &roles)?;
                with_one_more(self.problem, freedom, &before.plan, role)
            };
            let [permitted_before, unrestricted_before] = &before;
            let starts: Vec<_> = longer(&permitted, permitted_before).into_iter().collect();
            let best_permitted = best(self.problem, &roles, &permitted, &starts);
            // What is best under the policies is a plan without them too.
            let of_permitted = best_permitted.iter().map(|found| found.plan.clone());
            let starts = longer(&unrestricted, unrestricted_before);
            let starts: Vec<_> = starts.into_iter().chain(of_permitted).collect();
            let best_unrestricted = best(self.problem, &roles, &unrestricted, &starts);
            rows.push(ByCopies {
                copies,
                permitted: best_permitted.as_ref().map(|found| self.choice(found)),
                unrestricted: best_unrestricted.as_ref().map(|found| self.choice(found)),
            });
            before = [best_permitted, best_unrestricted];
        }
        rows
    }

    fn choice(&self, found: &Found) -> Choice {
        let objective = self.problem.objective_of(&found.plan);
        let copies = found.plan.iter().filter_map(|copy| {
            let region = self.world.regions.get(copy.place)?;
            Some((region.clone(), copy.role))
        });
        let copies: Vec<(RegionKey, ReplicaRole)> = copies.collect();
        let placed = copies.iter().map(|(region, role)| (Some(region.clone()), *role));
        Choice {
            losses: losses(&placed.collect::<Vec<_>>(), objective.paths()),
            copies,
            cost_ms: found.cost_ms,
            estimated_share: objective.estimated_share(&found.plan),
            method: found.method,
        }
    }

    fn today(&self, footing: &Footing) -> Option<Today> {
        let plan: Vec<PlannedCopy> = footing
            .today
            .iter()
            .map(|copy| PlannedCopy {
                role: copy.role,
                place: self.world.place(copy.region.as_ref()),
            })
            .collect();
        if plan.is_empty() {
            return None;
        }
        let cost_ms = Some(self.problem.cost_ms(&plan)).filter(|cost| cost.is_finite());
        Some(Today {
            cost_ms,
            estimated_share: self.problem.objective_of(&plan).estimated_share(&plan),
            leader: cost_ms.and_then(|cost_ms| self.best_leader(footing, &plan, cost_ms)),
        })
    }

    /// The best leader among today's voters. One that the policies refuse is none, but for the present one.
    fn best_leader(&self, footing: &Footing, plan: &[PlannedCopy], cost_ms: f64) -> Option<LeaderAdvice> {
        let copies = plan.iter().enumerate();
        let mut leaders = copies.filter(|(_, copy)| copy.role == ReplicaRole::Leader);
        let (Some((present, leader)), None) = (leaders.next(), leaders.next()) else {
            return None;
        };
        let region = |place: usize| self.world.regions.get(place).cloned();
        let mut best = (leader.place, cost_ms);
        for (position, (copy, today)) in plan.iter().zip(&footing.today).enumerate() {
            if copy.role != ReplicaRole::Voter || !today.may_lead {
                continue;
            }
            let mut led = plan.to_vec();
            for (copy, role) in [(present, ReplicaRole::Voter), (position, ReplicaRole::Leader)] {
                if let Some(copy) = led.get_mut(copy) {
                    copy.role = role;
                }
            }
            let cost_ms = self.problem.cost_ms(&led);
            if cost_ms < best.1 {
                best = (copy.place, cost_ms);
            }
        }
        Some(LeaderAdvice {
            present: region(leader.place)?,
            best: region(best.0)?,
            cost_ms: best.1,
            saves_ms: cost_ms - best.1,
        })
    }
}

/// The role that the longer list has once more; `None` where they differ otherwise.
fn one_more_role(plan: &[PlannedCopy], roles: &[ReplicaRole]) -> Option<ReplicaRole> {
    let mut more = roles.to_vec();
    for copy in plan {
        let known = more.iter().position(|role| *role == copy.role)?;
        more.remove(known);
    }
    match more.as_slice() {
        [role] => Some(*role),
        _ => None,
    }
}

fn in_the_way(footing: &Footing, wished: &[(RegionKey, ReplicaRole)]) -> Vec<InTheWay> {
    let refused = wished.iter().filter_map(|(region, role)| {
        let causes = footing.regions.get(region)?.refusing(*role);
        (!causes.is_empty()).then(|| InTheWay {
            region: region.clone(),
            role: *role,
            causes,
        })
    });
    refused.collect()
}

fn unmet(footing: &Footing, wished: &[(RegionKey, ReplicaRole)]) -> Vec<Cause> {
    let readable = || {
        let readable = wished.iter().filter(|(_, role)| role.is_readable());
        readable.filter_map(|(region, _)| footing.regions.get(region))
    };
    let rules = rules_on_sets(readable()).into_iter();
    rules
        .filter(|cause| readable().all(|standing| standing.unmet.contains(cause)))
        .collect()
}
