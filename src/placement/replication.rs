//! What replication makes of round trips: how long a read and a write take, given how far replicas are.
//!
//! With `t` the round trips, `q` a quorum and `n` voters (a leader counts as one of them):
//! - read: the least `t` to a readable replica, the least to a leader, or the `q`-th least to a voter that
//!   holds data;
//! - write by a leader: `t` to it and its commit; of several leaders the best;
//! - commit: the `floor(n/2)`-th least `t` from the leader to another voter, since its own vote is free: of
//!   three voters the nearest other, of five the second nearest;
//! - write without a leader: the `q`-th least `t` to a voter.
//!
//! The formulas are those of majority quorums as Raft and Dynamo have them; no time is spent on anything but
//! the network.
//!
//! Inputs: roles and milliseconds; [`NEVER`] stands for a replica that does not answer, or of which nobody
//! knows when. Outputs: milliseconds, [`NEVER`] where too few answer. Invariants: no result falls when an
//! input rises, so whoever asks what is *known* puts [`NEVER`] for unknown ways, and whoever asks what is
//! *sure* puts 0 for them. Nothing is allocated for up to [`MOST_WITHOUT_ALLOCATION`] answers. Deliberately
//! absent: places, tables and pods; percentiles of sums (with P95 in, a sum of two is an upper guess).

use crate::model::{ReadPath, ReplicaRole, WritePath};

/// The round trip to what does not answer.
pub const NEVER: f64 = f64::INFINITY;

/// Up to how many answers are waited for without allocating.
pub const MOST_WITHOUT_ALLOCATION: usize = 8;

/// How long it takes until `needed` of several answered: the `needed`-th least. Nothing needed takes no time.
#[must_use]
pub fn nth_least(round_trips: impl Iterator<Item = f64>, needed: usize) -> f64 {
    let mut few = [NEVER; MOST_WITHOUT_ALLOCATION];
    if let Some(least) = few.get_mut(..needed) {
        return greatest_of_least(round_trips, least);
    }
    let mut all: Vec<f64> = round_trips.collect();
    all.sort_unstable_by(f64::total_cmp);
    all.get(needed - 1).copied().unwrap_or(NEVER)
}

/// Keeps the least in `least`, sorted, and gives back the greatest of them.
fn greatest_of_least(round_trips: impl Iterator<Item = f64>, least: &mut [f64]) -> f64 {
    for mut round_trip in round_trips {
        for kept in least.iter_mut() {
            if round_trip < *kept {
                std::mem::swap(kept, &mut round_trip);
            }
        }
    }
    least.last().copied().unwrap_or(0.0)
}

/// One read, given each replica's role and what tells the round trip to it. Only replicas that serve are asked.
#[must_use]
pub fn read_ms<R>(
    path: ReadPath,
    replicas: impl Iterator<Item = (ReplicaRole, R)>,
    round_trip_ms: impl Fn(R) -> f64,
) -> f64 {
    let serving = replicas.filter(|(role, _)| path.is_served_by(*role));
    nth_least(serving.map(|(_, replica)| round_trip_ms(replica)), path.needed())
}

/// One write, given each replica's role and what tells the round trip to it: for a leader that commits, with
/// its commit ([`commit_ms`]). Only replicas that serve are asked.
#[must_use]
pub fn write_ms<R>(
    path: WritePath,
    replicas: impl Iterator<Item = (ReplicaRole, R)>,
    round_trip_ms: impl Fn(R) -> f64,
) -> f64 {
    let serving = replicas.filter(|(role, _)| path.is_served_by(*role));
    nth_least(serving.map(|(_, replica)| round_trip_ms(replica)), path.needed())
}

/// How long a leader waits for its majority, given how many voters there are with it and the round trips from
/// it to every *other* voter, witnesses included. A leader that is the only voter waits for nobody.
#[must_use]
pub fn commit_ms(voters: usize, to_other_voters: impl Iterator<Item = f64>) -> f64 {
    nth_least(to_other_voters, voters / 2)
}

#[cfg(test)]
#[path = "replication_tests.rs"]
mod tests;
