//! The best plan: by trying every one where they are few, else greedily and then by swaps.
//!
//! Choosing places for copies is the k-median problem, which is hard in general and small here. Over the regions of
//! four clouds greedy was up to 5.4% above the optimum, and with swaps up to 0.7% (one to four copies, reads alone,
//! on the published matrices of AWS, Google Cloud, Azure and IBM, 2026-11); so a plan says how it was found.
//!
//! Inputs: a problem, the roles of the copies, which places are free. Output: a plan of one copy a place, or
//! none where no allowed plan serves the demand and keeps its copies alike. Invariants: the same inputs give the same plan; of equally good
//! ones the first in the order of leaders, then of places; a plan that is given as a start is never better than
//! the result. Deliberately absent: policies and regions, which are numbers here.

use super::problem::{Objective, PlannedCopy, Problem};
use crate::model::ReplicaRole;

/// Up to how many plans every one is tried.
pub const MOST_PLANS: u64 = 200_000;

/// Where copies may be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Freedom {
    /// Places that may have a copy, in order.
    pub places: Vec<usize>,
    /// Those of them that may have a leader, in order.
    pub leaders: Vec<usize>,
    /// Lists of places: of each, one must have a copy that can be read.
    pub one_in: Vec<Vec<usize>>,
}

/// How a plan was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Every plan was tried: there is no better one.
    Exact {
        /// How many plans there are.
        plans: u64,
    },
    /// Copy by copy, then by swaps until no swap helps: there may be a better one.
    GreedyAndSwap {
        /// How many plans there are.
        plans: u64,
    },
}

impl Method {
    /// The words that reports use.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Exact { .. } => "exact",
            Self::GreedyAndSwap { .. } => "greedy and swap",
        }
    }
}

/// A plan that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The copies, leaders first, those of one role in the order of places.
    pub plan: Vec<PlannedCopy>,
    /// What it costs, in milliseconds for each request.
    pub cost_ms: f64,
    /// How it was found.
    pub method: Method,
}

/// The best plan that was found. `starts` are plans to begin from too, where not every plan is tried.
#[must_use]
pub fn best(
    problem: &Problem,
    roles: &[ReplicaRole],
    freedom: &Freedom,
    starts: &[Vec<PlannedCopy>],
) -> Option<Found> {
    if plans(roles, freedom) <= MOST_PLANS {
        exact(problem, roles, freedom)
    } else {
        greedy_and_swap(problem, roles, freedom, starts)
    }
}

/// How many plans there are; the rules that ask for one in a list are not looked at.
#[must_use]
pub fn plans(roles: &[ReplicaRole], freedom: &Freedom) -> u64 {
    let mut used = 0;
    let mut plans: u64 = 1;
    for same in roles.chunk_by(|one, other| one == other) {
        let free = match same.first() {
            Some(ReplicaRole::Leader) => freedom.leaders.len(),
            _ => freedom.places.len().saturating_sub(used),
        };
        plans = plans.saturating_mul(combinations(free, same.len()));
        used += same.len();
    }
    plans
}

/// In how many ways so many of so many can be chosen.
fn combinations(of: usize, chosen: usize) -> u64 {
    if chosen > of {
        return 0;
    }
    let mut ways: u128 = 1;
    for step in 0..chosen {
        ways = ways.saturating_mul((of - step) as u128) / (step as u128 + 1);
    }
    u64::try_from(ways).unwrap_or(u64::MAX)
}

/// The best plan of all.
#[must_use]
pub fn exact(problem: &Problem, roles: &[ReplicaRole], freedom: &Freedom) -> Option<Found> {
    let mut enumeration = Enumeration {
        problem,
        objective: problem.objective(roles.iter().copied()),
        roles,
        freedom,
        plan: Vec::with_capacity(roles.len()),
        best: None,
    };
    enumeration.extend();
    let plans = plans(roles, freedom);
    enumeration.best.map(|(cost_ms, plan)| Found {
        plan,
        cost_ms,
        method: Method::Exact { plans },
    })
}

struct Enumeration<'a> {
    problem: &'a Problem,
    objective: Objective<'a>,
    roles: &'a [ReplicaRole],
    freedom: &'a Freedom,
    plan: Vec<PlannedCopy>,
    best: Option<(f64, Vec<PlannedCopy>)>,
}

impl Enumeration<'_> {
    fn extend(&mut self) {
        let Some(role) = self.roles.get(self.plan.len()).copied() else {
            return self.weigh();
        };
        // Copies of one role come in order, so that every plan comes once.
        let before = self.plan.last().filter(|last| last.role == role);
        let before = before.map(|last| last.place);
        let freedom = self.freedom;
        for place in freedom.of(role) {
            let is_past = before.is_none_or(|before| *place > before);
            if is_past && self.plan.iter().all(|copy| copy.place != *place) {
                self.plan.push(PlannedCopy { role, place: *place });
                self.extend();
                self.plan.pop();
            }
        }
    }

    fn weigh(&mut self) {
        if self.freedom.unmet(&self.plan) > 0 || self.problem.apart(&self.plan).next().is_some() {
            return;
        }
        let least = self.best.as_ref().map_or(f64::INFINITY, |(least, _)| *least);
        let cost_ms = self.objective.cost_below_ms(&self.plan, least);
        if cost_ms < least {
            self.best = Some((cost_ms, self.plan.clone()));
        }
    }
}

impl Freedom {
    /// The places that may have a copy of a role.
    #[must_use]
    pub fn of(&self, role: ReplicaRole) -> &[usize] {
        match role {
            ReplicaRole::Leader => &self.leaders,
            _ => &self.places,
        }
    }

    /// Of how many lists no place has a copy that can be read.
    fn unmet(&self, plan: &[PlannedCopy]) -> usize {
        let readable = |list: &Vec<usize>| {
            let mut readable = plan.iter().filter(|copy| copy.role.is_readable());
            readable.any(|copy| list.contains(&copy.place))
        };
        self.one_in.iter().filter(|list| !readable(list)).count()
    }

    /// Whether a plan is one of these roles, at different places that are free.
    fn admits(&self, roles: &[ReplicaRole], plan: &[PlannedCopy]) -> bool {
        let is_free = |(index, copy): (usize, &PlannedCopy)| {
            self.of(copy.role).contains(&copy.place)
                && plan.iter().skip(index + 1).all(|other| other.place != copy.place)
        };
        plan.iter().map(|copy| copy.role).eq(roles.iter().copied()) && plan.iter().enumerate().all(is_free)
    }
}

/// How bad a plan is while it grows: rules first, copies apart among them, then demand that nobody serves, then
/// milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Badness {
    unmet: usize,
    unserved: usize,
    ms: f64,
}

impl Badness {
    fn of(problem: &Problem, freedom: &Freedom, plan: &[PlannedCopy]) -> Self {
        let (unserved, ms) = problem.objective_of(plan).unserved_and_cost_ms(plan);
        Self {
            unmet: freedom.unmet(plan) + problem.apart(plan).count(),
            unserved,
            ms,
        }
    }

    fn is_less(self, other: Self) -> bool {
        (self.unmet, self.unserved)
            .cmp(&(other.unmet, other.unserved))
            .then(self.ms.total_cmp(&other.ms))
            .is_lt()
    }
}

/// A good plan: copy by copy and from each start, then by swaps until no swap helps.
#[must_use]
pub fn greedy_and_swap(
    problem: &Problem,
    roles: &[ReplicaRole],
    freedom: &Freedom,
    starts: &[Vec<PlannedCopy>],
) -> Option<Found> {
    let starts = starts.iter().filter(|start| freedom.admits(roles, start));
    let greedy = grown(problem, roles, freedom);
    let mut best: Option<(Badness, Vec<PlannedCopy>)> = None;
    for start in greedy.into_iter().chain(starts.cloned()) {
        let (badness, plan) = swapped(problem, freedom, start);
        if best.as_ref().is_none_or(|(least, _)| badness.is_less(*least)) {
            best = Some((badness, plan));
        }
    }
    let (badness, plan) = best?;
    (badness.unmet == 0 && badness.unserved == 0).then(|| Found {
        cost_ms: problem.cost_ms(&plan),
        plan,
        method: Method::GreedyAndSwap {
            plans: plans(roles, freedom),
        },
    })
}

/// A plan that grows by the copy that helps most; `None` where there are too few places.
fn grown(problem: &Problem, roles: &[ReplicaRole], freedom: &Freedom) -> Option<Vec<PlannedCopy>> {
    let mut plan: Vec<PlannedCopy> = Vec::with_capacity(roles.len());
    for role in roles {
        plan = with_one_more(problem, freedom, &plan, *role)?;
    }
    Some(plan)
}

/// A plan and one more copy, where it helps most; `None` where no place is left.
#[must_use]
pub fn with_one_more(
    problem: &Problem,
    freedom: &Freedom,
    plan: &[PlannedCopy],
    role: ReplicaRole,
) -> Option<Vec<PlannedCopy>> {
    let free = freedom.of(role).iter();
    let free = free.filter(|place| plan.iter().all(|copy| copy.place != **place));
    let longer = free.map(|place| {
        let mut longer = plan.to_vec();
        longer.push(PlannedCopy { role, place: *place });
        longer.sort();
        longer
    });
    least_bad(problem, freedom, longer).map(|(_, plan)| plan)
}

/// Moves one copy, or lets two exchange their roles, as long as that helps: each time the swap that helps most.
fn swapped(problem: &Problem, freedom: &Freedom, start: Vec<PlannedCopy>) -> (Badness, Vec<PlannedCopy>) {
    let mut badness = Badness::of(problem, freedom, &start);
    let mut plan = start;
    while let Some((less, better)) = least_bad(problem, freedom, neighbours(freedom, &plan))
        && less.is_less(badness)
    {
        (badness, plan) = (less, better);
    }
    (badness, plan)
}

fn neighbours<'a>(freedom: &'a Freedom, plan: &'a [PlannedCopy]) -> impl Iterator<Item = Vec<PlannedCopy>> {
    let with = move |changes: &[(usize, usize)]| {
        let mut changed = plan.to_vec();
        for (position, place) in changes {
            if let Some(copy) = changed.get_mut(*position) {
                copy.place = *place;
            }
        }
        changed.sort();
        changed
    };
    let moves = plan.iter().enumerate().flat_map(move |(position, copy)| {
        let free = freedom.of(copy.role).iter();
        let free = free.filter(|place| plan.iter().all(|copy| copy.place != **place));
        free.map(move |place| with(&[(position, *place)]))
    });
    let exchanges = plan.iter().enumerate().flat_map(move |(position, copy)| {
        let later = plan.iter().enumerate().skip(position + 1);
        let allowed = later.filter(|(_, other)| {
            copy.role != other.role
                && freedom.of(copy.role).contains(&other.place)
                && freedom.of(other.role).contains(&copy.place)
        });
        allowed.map(move |(later, other)| with(&[(position, other.place), (later, copy.place)]))
    });
    moves.chain(exchanges)
}

/// The least bad of several plans; of equally bad ones the first.
fn least_bad(
    problem: &Problem,
    freedom: &Freedom,
    plans: impl Iterator<Item = Vec<PlannedCopy>>,
) -> Option<(Badness, Vec<PlannedCopy>)> {
    let mut least: Option<(Badness, Vec<PlannedCopy>)> = None;
    for plan in plans {
        let badness = Badness::of(problem, freedom, &plan);
        if least.as_ref().is_none_or(|(least, _)| badness.is_less(*least)) {
            least = Some((badness, plan));
        }
    }
    least
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
