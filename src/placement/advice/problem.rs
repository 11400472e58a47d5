//! What a plan of copies costs, given where requests come from.
//!
//! The cost is that of docs/advise.md: over the places of demand the mean, weighted by their share of the
//! requests, of `reads x read + writes x write`, where a write by a leader takes its commit too. The formulas are
//! those of [`replication`](crate::placement::replication); there are no others here.
//!
//! Inputs: round trips, what each place of demand wants, what the data set says of its accesses. Outputs:
//! milliseconds for each request, [`NEVER`] where some demanded access cannot be served or is not known.
//! Invariants: a cost depends on nothing but the plan; a leader to which no way is open from a majority serves no
//! read that must see the latest write, as for pods. Deliberately absent: which plans are allowed, and why a
//! way is closed.

use super::round_trips::RoundTrips;
use crate::model::{AccessPaths, Consistency, ReadPath, ReplicaRole, StatedAccess, WritePath};
use crate::placement::replication::{NEVER, commit_ms, read_ms, write_ms};

/// A copy of a plan: what it does, and at which place, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlannedCopy {
    /// What it does.
    pub role: ReplicaRole,
    /// Where.
    pub place: usize,
}

/// What one place of demand wants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Its share of all requests; shares sum up to 1.
    pub share: f64,
    /// Reads for each request.
    pub reads: f64,
    /// Writes for each request.
    pub writes: f64,
}

/// Everything that a cost depends on but the plan.
#[derive(Debug, Clone)]
pub struct Problem {
    /// From each place of demand to each place of copies.
    pub from_demand: RoundTrips,
    /// Between places of copies.
    pub between: RoundTrips,
    /// What each place of demand wants.
    pub wanted: Vec<Wanted>,
    /// What the data set says of its accesses.
    pub access: StatedAccess,
    /// What its readers demand.
    pub consistency: Consistency,
}

/// A problem for plans of certain roles.
#[derive(Debug, Clone, Copy)]
pub struct Objective<'p> {
    problem: &'p Problem,
    paths: AccessPaths,
    voters: usize,
}

/// What an access to each copy of a plan waits for beyond the way to it; empty where that is nothing for any.
#[derive(Debug, Default)]
struct Commits {
    of_writes: Vec<f64>,
    /// Nothing, or [`NEVER`].
    of_reads: Vec<f64>,
}

impl Problem {
    /// The costs of plans with these roles.
    #[must_use]
    pub fn objective(&self, roles: impl Iterator<Item = ReplicaRole> + Clone) -> Objective<'_> {
        Objective {
            problem: self,
            paths: self.access.paths(self.consistency, roles.clone()),
            voters: roles.filter(|role| role.votes()).count(),
        }
    }

    /// The copies of a plan that cannot be kept like the others: no way is open to them from another leader, nor
    /// where there is none from another copy that holds data.
    pub fn apart<'p>(&'p self, plan: &'p [PlannedCopy]) -> impl Iterator<Item = &'p PlannedCopy> {
        let has_leader = plan.iter().any(|copy| copy.role == ReplicaRole::Leader);
        let is_source = move |copy: &PlannedCopy| match has_leader {
            true => copy.role == ReplicaRole::Leader,
            false => copy.role.is_readable(),
        };
        // Nothing is looked at where every way is open.
        let looked_at = if self.between.has_closed() { plan } else { &[] };
        looked_at.iter().filter(move |copy| {
            let sources = plan
                .iter()
                .filter(|other| is_source(other) && other.place != copy.place);
            let mut ways = sources
                .map(|other| self.between.open_ms(other.place, copy.place))
                .peekable();
            ways.peek().is_some() && ways.all(|open_ms| open_ms > 0.0)
        })
    }

    /// The cost of a plan.
    #[must_use]
    pub fn cost_ms(&self, plan: &[PlannedCopy]) -> f64 {
        self.objective_of(plan).cost_below_ms(plan, NEVER)
    }

    /// The costs of plans with the roles of this one.
    #[must_use]
    pub fn objective_of(&self, plan: &[PlannedCopy]) -> Objective<'_> {
        self.objective(plan.iter().map(|copy| copy.role))
    }
}

impl Objective<'_> {
    /// Which copies serve.
    #[must_use]
    pub fn paths(&self) -> AccessPaths {
        self.paths
    }

    /// The cost of a plan; once it is at least `bound_ms`, whatever part of it has been added up.
    #[must_use]
    pub fn cost_below_ms(&self, plan: &[PlannedCopy], bound_ms: f64) -> f64 {
        let commits = self.commits(plan);
        let mut sum = 0.0;
        for (row, wanted) in self.problem.wanted.iter().enumerate() {
            sum += wanted.share * self.row_ms(row, wanted, plan, &commits);
            if sum >= bound_ms {
                return sum;
            }
        }
        sum
    }

    /// How many places of demand are not served, and what the others cost.
    #[must_use]
    pub fn unserved_and_cost_ms(&self, plan: &[PlannedCopy]) -> (usize, f64) {
        let commits = self.commits(plan);
        let rows = self.problem.wanted.iter().enumerate();
        let costs = rows.map(|(row, wanted)| wanted.share * self.row_ms(row, wanted, plan, &commits));
        costs.fold((0, 0.0), |(unserved, sum), cost| match cost.is_finite() {
            true => (unserved, sum + cost),
            false => (unserved + 1, sum),
        })
    }

    /// For each place of demand whether it is served.
    #[must_use]
    pub fn served(&self, plan: &[PlannedCopy]) -> Vec<bool> {
        let commits = self.commits(plan);
        let rows = self.problem.wanted.iter().enumerate();
        let served = rows.map(|(row, wanted)| self.row_ms(row, wanted, plan, &commits).is_finite());
        served.collect()
    }

    /// The share of the requests that wait for a round trip that nobody measured.
    #[must_use]
    pub fn estimated_share(&self, plan: &[PlannedCopy]) -> f64 {
        let commits = self.commits(plan);
        let rows = self.problem.wanted.iter().enumerate();
        let estimated = rows.filter(|(row, wanted)| self.waits_for_estimate(*row, wanted, plan, &commits));
        // Beginning from 0 and not from the empty sum, which is -0.
        estimated.fold(0.0, |sum, (_, wanted)| sum + wanted.share)
    }

    fn row_ms(&self, row: usize, wanted: &Wanted, plan: &[PlannedCopy], commits: &Commits) -> f64 {
        let mut ms = 0.0;
        // What is not demanded costs nothing, even where it cannot be served.
        if wanted.reads > 0.0 {
            ms += wanted.reads * self.read_ms(row, plan, commits);
        }
        if wanted.writes > 0.0 {
            ms += wanted.writes * self.write_ms(row, plan, commits);
        }
        ms
    }

    fn read_ms(&self, row: usize, plan: &[PlannedCopy], commits: &Commits) -> f64 {
        let trips = self.problem.from_demand.row(row);
        let ms = |copy: &PlannedCopy| trips.get(copy.place).copied().unwrap_or(NEVER);
        let replicas = with_waits(plan, &commits.of_reads);
        read_ms(self.paths.reads, replicas, |(copy, wait)| ms(copy) + wait)
    }

    fn write_ms(&self, row: usize, plan: &[PlannedCopy], commits: &Commits) -> f64 {
        let trips = self.problem.from_demand.row(row);
        let ms = |copy: &PlannedCopy| trips.get(copy.place).copied().unwrap_or(NEVER);
        let replicas = with_waits(plan, &commits.of_writes);
        write_ms(self.paths.writes, replicas, |(copy, commit)| ms(copy) + commit)
    }

    /// For each copy what an access to it waits for other voters.
    fn commits(&self, plan: &[PlannedCopy]) -> Commits {
        let between = &self.problem.between;
        let mut commits = Commits::default();
        if self.paths.writes == WritePath::Leader {
            commits.of_writes = self.of_leaders(plan, |from, to| between.ms(from, to));
        }
        let must_see_latest =
            self.problem.consistency == Consistency::Strict && self.paths.reads == ReadPath::Leader;
        if must_see_latest && between.has_closed() {
            commits.of_reads = self.of_leaders(plan, |from, to| between.open_ms(from, to));
        }
        commits
    }

    /// For each copy that is a leader how long a majority takes, given the ways to the other voters.
    fn of_leaders(&self, plan: &[PlannedCopy], way_ms: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let commit = |(index, copy): (usize, &PlannedCopy)| {
            if copy.role != ReplicaRole::Leader {
                return 0.0;
            }
            let others = other_voters(plan, index).map(|other| way_ms(copy.place, other.place));
            commit_ms(self.voters, others)
        };
        plan.iter().enumerate().map(commit).collect()
    }

    fn waits_for_estimate(
        &self,
        row: usize,
        wanted: &Wanted,
        plan: &[PlannedCopy],
        commits: &Commits,
    ) -> bool {
        let (trips, between) = (&self.problem.from_demand, &self.problem.between);
        let is_guess = |copy: &PlannedCopy| trips.is_estimate(row, copy.place);
        if wanted.reads > 0.0 {
            let read_ms = self.read_ms(row, plan, commits);
            let serving = plan
                .iter()
                .filter(|copy| self.paths.reads.is_served_by(copy.role));
            if serving
                .clone()
                .any(|copy| is_guess(copy) && trips.ms(row, copy.place) <= read_ms)
            {
                return true;
            }
        }
        if wanted.writes <= 0.0 {
            return false;
        }
        let write_ms = self.write_ms(row, plan, commits);
        with_waits(plan, &commits.of_writes)
            .enumerate()
            .any(|(index, (_, (copy, commit)))| {
                let answers = self.paths.writes.is_served_by(copy.role)
                    && trips.ms(row, copy.place) + commit <= write_ms;
                let mut awaited = other_voters(plan, index)
                    .filter(|other| commit > 0.0 && between.ms(copy.place, other.place) <= commit);
                answers
                    && (is_guess(copy) || awaited.any(|other| between.is_estimate(copy.place, other.place)))
            })
    }
}

/// The copies of a plan, each with what an access to it waits for; nothing where no wait is given.
fn with_waits<'p>(
    plan: &'p [PlannedCopy],
    waits: &'p [f64],
) -> impl Iterator<Item = (ReplicaRole, (&'p PlannedCopy, f64))> {
    let waits = waits.iter().copied().chain(std::iter::repeat(0.0));
    plan.iter()
        .zip(waits)
        .map(|(copy, wait)| (copy.role, (copy, wait)))
}

/// The voters of a plan beside the copy at a position.
fn other_voters(plan: &[PlannedCopy], position: usize) -> impl Iterator<Item = &PlannedCopy> {
    let others = plan
        .iter()
        .enumerate()
        .filter(move |(index, _)| *index != position);
    others.map(|(_, copy)| copy).filter(|copy| copy.role.votes())
}
