//! What a plan of copies costs, given where requests come from.
//!
//! The cost is that of docs/advise.md: over the places of demand the mean, weighted by their share of the
//! requests, of `reads x read + writes x write`, where a write by a leader takes its commit too. The formulas are
//! those of [`replication`](crate::placement::replication); there are no others here.
//!
//! Inputs: round trips, what each place of demand wants, what the data set says of its accesses. Outputs:
//! milliseconds for each request, [`NEVER`] where some demanded access cannot be served or is not known.
//! Invariant: a cost depends on nothing but the plan. Deliberately absent: which plans are allowed.

use super::round_trips::RoundTrips;
use crate::model::{AccessPaths, Consistency, ReplicaRole, StatedAccess, WritePath};
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

    /// The share of the requests that wait for a round trip that nobody measured.
    #[must_use]
    pub fn estimated_share(&self, plan: &[PlannedCopy]) -> f64 {
        let commits = self.commits(plan);
        let rows = self.problem.wanted.iter().enumerate();
        let estimated = rows.filter(|(row, wanted)| self.waits_for_estimate(*row, wanted, plan, &commits));
        // Beginning from 0 and not from the empty sum, which is -0.
        estimated.fold(0.0, |sum, (_, wanted)| sum + wanted.share)
    }

    fn row_ms(&self, row: usize, wanted: &Wanted, plan: &[PlannedCopy], commits: &[f64]) -> f64 {
        let mut ms = 0.0;
        // What is not demanded costs nothing, even where it cannot be served.
        if wanted.reads > 0.0 {
            ms += wanted.reads * self.read_ms(row, plan);
        }
        if wanted.writes > 0.0 {
            ms += wanted.writes * self.write_ms(row, plan, commits);
        }
        ms
    }

    fn read_ms(&self, row: usize, plan: &[PlannedCopy]) -> f64 {
        let trips = self.problem.from_demand.row(row);
        let ms = |copy: &PlannedCopy| trips.get(copy.place).copied().unwrap_or(NEVER);
        read_ms(self.paths.reads, plan.iter().map(|copy| (copy.role, copy)), ms)
    }

    fn write_ms(&self, row: usize, plan: &[PlannedCopy], commits: &[f64]) -> f64 {
        let trips = self.problem.from_demand.row(row);
        let ms = |copy: &PlannedCopy| trips.get(copy.place).copied().unwrap_or(NEVER);
        let commits = commits.iter().copied().chain(std::iter::repeat(0.0));
        let with_commit = plan.iter().zip(commits);
        let replicas = with_commit.map(|(copy, commit)| (copy.role, (copy, commit)));
        write_ms(self.paths.writes, replicas, |(copy, commit)| ms(copy) + commit)
    }

    /// For each copy what a write to it waits for other voters; nothing where no leader commits.
    fn commits(&self, plan: &[PlannedCopy]) -> Vec<f64> {
        if self.paths.writes != WritePath::Leader {
            return Vec::new();
        }
        let commit = |(index, copy): (usize, &PlannedCopy)| {
            if copy.role != ReplicaRole::Leader {
                return 0.0;
            }
            let trips = self.problem.between.row(copy.place);
            let others = other_voters(plan, index);
            commit_ms(
                self.voters,
                others.map(|other| trips.get(other.place).copied().unwrap_or(NEVER)),
            )
        };
        plan.iter().enumerate().map(commit).collect()
    }

    fn waits_for_estimate(&self, row: usize, wanted: &Wanted, plan: &[PlannedCopy], commits: &[f64]) -> bool {
        let (trips, between) = (&self.problem.from_demand, &self.problem.between);
        let is_guess = |copy: &PlannedCopy| trips.is_estimate(row, copy.place);
        if wanted.reads > 0.0 {
            let read_ms = self.read_ms(row, plan);
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
        let commits = commits.iter().copied().chain(std::iter::repeat(0.0));
        plan.iter()
            .enumerate()
            .zip(commits)
            .any(|((index, copy), commit)| {
                let answers = self.paths.writes.is_served_by(copy.role)
                    && trips.ms(row, copy.place) + commit <= write_ms;
                let mut awaited = other_voters(plan, index)
                    .filter(|other| commit > 0.0 && between.ms(copy.place, other.place) <= commit);
                answers
                    && (is_guess(copy) || awaited.any(|other| between.is_estimate(copy.place, other.place)))
            })
    }
}

/// The voters of a plan beside the copy at a position.
fn other_voters(plan: &[PlannedCopy], position: usize) -> impl Iterator<Item = &PlannedCopy> {
    let others = plan
        .iter()
        .enumerate()
        .filter(move |(index, _)| *index != position);
    others.map(|(_, copy)| copy).filter(|copy| copy.role.votes())
}
