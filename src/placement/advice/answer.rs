//! The answer: the best places for the copies of a data set, and what everything else costs beside them.
//!
//! Inputs: a snapshot, the demand, the regions that are considered, how many copies. Output: [`Advice`] as data.
//! Invariants: what the policies cost is the price of the places that they refuse, which is never negative, since
//! what is best under them is also tried without them, and of the ways that they take away, which is negative only
//! where links that remain are sooner than the direct way; places are regions, with one copy in each; of equally good
//! placements the one that keeps today's regions, then the first by keys; a placement that leaves demand unserved
//! which another one serves is none, nor is one with a copy that cannot be kept like the others. Deliberately absent: words, and any change of anything.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::demand::DemandRow;
use super::footing::{Footing, Loss, losses};
use super::places::{Going, Places};
use super::problem::{PlannedCopy, Problem};
use super::roles::{declared_copies, roles_of};
use super::search::{Found, Freedom, Method, best, with_one_more};
use super::standing::rules_on_sets;
use crate::model::{AccessPaths, DataSet, DataSetName, RegionKey, ReplicaRole, Statistic};
use crate::policy::Cause;
use crate::snapshot::Snapshot;

/// Advice is given for up to so many copies, and for the number that is asked for.
pub const MOST_COPIES_TOLD: usize = 5;

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
    /// The best at places that the policies permit, if rules on transit took no way away; `None` also where no such
    /// rule binds anything.
    pub by_every_way: Option<Choice>,
    /// The best if there were no policies.
    pub unrestricted: Option<Choice>,
}

impl ByCopies {
    /// What the policies cost, in milliseconds for each request.
    #[must_use]
    pub fn policy_cost_ms(&self) -> Option<f64> {
        Some(self.permitted.as_ref()?.cost_ms - self.unrestricted.as_ref()?.cost_ms)
    }

    /// What of it the places cost that are refused; `None` also where no rule on transit binds anything.
    #[must_use]
    pub fn residency_cost_ms(&self) -> Option<f64> {
        Some(self.by_every_way.as_ref()?.cost_ms - self.unrestricted.as_ref()?.cost_ms)
    }

    /// What of it the ways cost that are taken away; `None` also where no rule on transit binds anything.
    #[must_use]
    pub fn transit_cost_ms(&self) -> Option<f64> {
        Some(self.permitted.as_ref()?.cost_ms - self.by_every_way.as_ref()?.cost_ms)
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
    /// Demand that these copies would serve by every way, and do not by those that rules on transit leave.
    pub cut_off: Vec<DemandRow>,
    /// The regions of copies to which rules on transit leave no way by which they are kept like the others.
    pub apart: Vec<RegionKey>,
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
    /// Demand from which rules on transit leave no way to any region where a copy may be. No cost counts it, unless
    /// it is all that there is.
    pub cut_off: Vec<DemandRow>,
    /// The rules on transit that bind some demand, or the copies, in order.
    pub ways_ruled_by: Vec<Cause>,
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
    let places = Places::new(snapshot, question, &footing)?;
    let problem = places.problem(snapshot, data_set, Going::ByWaysThatRemain);
    let by_every_way = places
        .has_way_rules()
        .then(|| places.problem(snapshot, data_set, Going::ByEveryWay));
    let copies = question.copies.unwrap_or_else(|| declared_copies(data_set));
    let answering = Answering {
        places: &places,
        problem: &problem,
        by_every_way: by_every_way.as_ref(),
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
        ways_ruled_by: places.ways_ruled_by(),
        demand: places.demand,
        demand_left_out: places.demand_left_out,
        cut_off: places.cut_off,
        unknown_to_demand: places.unknown_to_demand,
    })
}

struct Answering<'a> {
    places: &'a Places,
    problem: &'a Problem,
    /// The problem if every way remained; `None` where every way does.
    by_every_way: Option<&'a Problem>,
    data_set: &'a DataSet,
}

/// What was best for one copy less, which is one more place to begin from.
#[derive(Default)]
struct Before {
    permitted: Option<Found>,
    by_every_way: Option<Found>,
    unrestricted: Option<Found>,
}

impl Answering<'_> {
    /// The best for each number of copies.
    fn by_copies(&self, footing: &Footing, asked: usize) -> Vec<ByCopies> {
        let (permitted, unrestricted) = (self.places.permitted(footing), self.places.unrestricted());
        let free = self.by_every_way.unwrap_or(self.problem);
        let mut told: BTreeSet<usize> = (1..=MOST_COPIES_TOLD).collect();
        told.insert(asked);
        let mut before = Before::default();
        let mut rows = Vec::with_capacity(told.len());
        for copies in told {
            let roles = roles_of(self.data_set, copies);
            // What is best under more rules is a plan under fewer too.
            let found =
                |problem: &Problem, freedom: &Freedom, before: &Option<Found>, narrower: &Option<Found>| {
                    let longer = before.as_ref().and_then(|before| {
                        let role = one_more_role(&before.plan, &roles)?;
                        with_one_more(problem, freedom, &before.plan, role)
                    });
                    let narrower = narrower.iter().map(|found| found.plan.clone());
                    let starts: Vec<_> = longer.into_iter().chain(narrower).collect();
                    best(problem, &roles, freedom, &starts)
                };
            let of_permitted = found(self.problem, &permitted, &before.permitted, &None);
            let of_every_way = self
                .by_every_way
                .and_then(|problem| found(problem, &permitted, &before.by_every_way, &of_permitted));
            let narrower = match self.by_every_way {
                Some(_) => &of_every_way,
                None => &of_permitted,
            };
            let of_unrestricted = found(free, &unrestricted, &before.unrestricted, narrower);
            let choice = |problem, found: &Option<Found>| {
                let found = found.as_ref()?;
                Some(self.choice(problem, found))
            };
            rows.push(ByCopies {
                copies,
                permitted: choice(self.problem, &of_permitted),
                by_every_way: choice(free, &of_every_way),
                unrestricted: choice(free, &of_unrestricted),
            });
            before = Before {
                permitted: of_permitted,
                by_every_way: of_every_way,
                unrestricted: of_unrestricted,
            };
        }
        rows
    }

    fn choice(&self, problem: &Problem, found: &Found) -> Choice {
        let objective = problem.objective_of(&found.plan);
        let copies = found.plan.iter().filter_map(|copy| {
            let region = self.places.regions.get(copy.place)?;
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
                place: self.places.place(copy.region.as_ref()),
            })
            .collect();
        if plan.is_empty() {
            return None;
        }
        let cost_ms = Some(self.problem.cost_ms(&plan)).filter(|cost| cost.is_finite());
        let apart = self.problem.apart(&plan);
        let apart = apart.filter_map(|copy| self.places.regions.get(copy.place).cloned());
        Some(Today {
            cost_ms,
            estimated_share: self.problem.objective_of(&plan).estimated_share(&plan),
            leader: cost_ms.and_then(|cost_ms| self.best_leader(footing, &plan, cost_ms)),
            cut_off: self.cut_off(&plan),
            apart: apart.collect(),
        })
    }

    /// The demand that a plan does not serve because of the ways that are taken away.
    fn cut_off(&self, plan: &[PlannedCopy]) -> Vec<DemandRow> {
        let Some(by_every_way) = self.by_every_way else {
            return Vec::new();
        };
        let served = |problem: &Problem| problem.objective_of(plan).served(plan);
        let (now, by_every_way) = (served(self.problem), served(by_every_way));
        let rows = self.places.demand.iter().zip(now).zip(by_every_way);
        let cut_off = rows.filter(|((_, now), by_every_way)| *by_every_way && !now);
        cut_off.map(|((row, _), _)| row.clone()).collect()
    }

    /// The best leader among today's voters. One that the policies refuse is none, but for the present one.
    fn best_leader(&self, footing: &Footing, plan: &[PlannedCopy], cost_ms: f64) -> Option<LeaderAdvice> {
        let copies = plan.iter().enumerate();
        let mut leaders = copies.filter(|(_, copy)| copy.role == ReplicaRole::Leader);
        let (Some((present, leader)), None) = (leaders.next(), leaders.next()) else {
            return None;
        };
        let region = |place: usize| self.places.regions.get(place).cloned();
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

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
