//! What it costs a pod to be at a place: expected milliseconds of access for each request it serves.
//!
//! `clients + sum over data sets (reads x read + writes x write) + sum over peers (calls x call) + sum over volumes
//! + sum over clones`, where *clients* is the weighted mean round trip from where the requests come from, and *read* and
//! *write* are what `serving.rs` says of the data set: the nearest replica, the leader, or a quorum; a write by a leader
//! with its commit; and *call* the mean round trip to the pods that are called (`peers.rs`); a bound volume counts the way
//! to it (`volumes.rs`), and so does the copy that a new member of a data set clones (`membership.rs`).
//!
//! Inputs: a latency table, of one statistic (P50 or P95), and a demand whose places are located in that
//! table. Outputs: a total, or how it comes about. Invariants: a demanded leg that is unknown makes the total
//! unknown, so nothing is cheaper for what is not known about it (a replica at an unknown place only takes
//! a choice away); what is unknown at every place alike, which a commit alone is, is left out and told
//! ([`Total::lacks_commit`]), since it ranks no place; [`total`] and [`access_cost`] say the same. Deliberately
//! absent: what refuses a place (`obstacles.rs`).

use super::demand::{AccessDemand, DataSetDemand};
use super::peers::PeerDemand;
use super::serving::Served;
use super::ways::{Leg, View, Way, Ways, less_certain};
use crate::model::{DataSetName, Provenance};
use crate::topology::{LatencyPoint, LatencyTable};

/// Something that is only there where the pod demands it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Demanded<T> {
    /// The pod does not ask for it: it costs nothing.
    NotDemanded,
    /// The pod asks for it and nobody knows, or nothing serves it.
    Unknown,
    /// What it is.
    Known(T),
}

impl<T> Demanded<T> {
    /// What it is, where it is known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::NotDemanded | Self::Unknown => None,
        }
    }

    /// The same about another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Demanded<U> {
        match self {
            Self::NotDemanded => Demanded::NotDemanded,
            Self::Unknown => Demanded::Unknown,
            Self::Known(value) => Demanded::Known(change(value)),
        }
    }

    /// Both together: unknown where either is.
    fn and(self, other: Self, join: impl FnOnce(T, T) -> T) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::NotDemanded, only) | (only, Self::NotDemanded) => only,
            (Self::Known(one), Self::Known(two)) => Self::Known(join(one, two)),
        }
    }
}

/// The cost of all that a pod demands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Total {
    /// Expected milliseconds for each request.
    pub ms: f64,
    /// Whether some read or write, as far as anybody knows, takes longer than the pod allows.
    pub over_limit: bool,
    /// Whether it is more by what a commit takes, which nobody knows: the same at every place.
    pub lacks_commit: bool,
}

/// What one data set costs.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSetCost {
    /// Which data set.
    pub name: DataSetName,
    /// One read.
    pub read: Demanded<Served>,
    /// One write.
    pub write: Demanded<Served>,
}

/// How a cost comes about.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessCost {
    /// The sum.
    pub total: Demanded<Total>,
    /// The mean way from the clients.
    pub client: Demanded<Leg>,
    /// Each data set, in the order of the demand.
    pub data_sets: Vec<DataSetCost>,
    /// The mean way to each of the peers, in the order of the demand; not demanded where none runs.
    pub peers: Vec<Demanded<Leg>>,
    /// The way to each of the bound volumes, in the order of the demand; not demanded where nobody knows where one is.
    pub volumes: Vec<Demanded<Leg>>,
    /// The way to each copy that is cloned from, in the order of the demand.
    pub clones: Vec<Demanded<Leg>>,
    /// The least certain source of any known leg.
    pub least_certain: Option<Provenance>,
}

/// The total of [`access_cost`], without allocating: for the hot path.
#[must_use]
pub fn total(table: &LatencyTable, demand: &AccessDemand, node: Option<LatencyPoint>) -> Demanded<Total> {
    let client = leg_total(client(table, demand, node), 1.0);
    let with_data_sets = demand.data_sets.iter().fold(client, |sum, data_set| {
        add(sum, data_set_total(table, demand, data_set, node))
    });
    let with_peers = demand.peers.iter().fold(with_data_sets, |sum, peers| {
        add(sum, leg_total(peers.leg(table, node), peers.peer.calls.get()))
    });
    let with_volumes = demand.volumes.iter().fold(with_peers, |sum, volume| {
        add(sum, leg_total(volume.leg(table, node), 1.0))
    });
    demand.clones.iter().fold(with_volumes, |sum, clone| {
        add(sum, leg_total(clone.leg(table, node), 1.0))
    })
}

/// What it costs a pod to be at a place, and why.
#[must_use]
pub fn access_cost(table: &LatencyTable, demand: &AccessDemand, node: Option<LatencyPoint>) -> AccessCost {
    let client = client(table, demand, node);
    let mut least = client.known().map(|leg| leg.provenance);
    let mut data_sets = Vec::with_capacity(demand.data_sets.len());
    for data_set in &demand.data_sets {
        let read = demanded(data_set.reads, || data_set.served_read(table, node));
        let write = demanded(data_set.writes, || data_set.served_write(table, node));
        for served in [read, write].into_iter().filter_map(Demanded::known) {
            least = Some(least.map_or(served.provenance, |other| less_certain(other, served.provenance)));
        }
        data_sets.push(DataSetCost {
            name: data_set.name.clone(),
            read,
            write,
        });
    }
    let call = |peers: &PeerDemand| peers.leg(table, node);
    let peers: Vec<Demanded<Leg>> = demand.peers.iter().map(call).collect();
    let volumes: Vec<Demanded<Leg>> = demand
        .volumes
        .iter()
        .map(|volume| volume.leg(table, node))
        .collect();
    let clones: Vec<Demanded<Leg>> = demand.clones.iter().map(|clone| clone.leg(table, node)).collect();
    for leg in peers
        .iter()
        .chain(&volumes)
        .chain(&clones)
        .filter_map(|call| call.known())
    {
        least = Some(least.map_or(leg.provenance, |other| less_certain(other, leg.provenance)));
    }
    AccessCost {
        total: total(table, demand, node),
        client,
        data_sets,
        peers,
        volumes,
        clones,
        least_certain: least,
    }
}

fn demanded<T>(times: f64, known: impl FnOnce() -> Option<T>) -> Demanded<T> {
    if times <= 0.0 {
        return Demanded::NotDemanded;
    }
    known().map_or(Demanded::Unknown, Demanded::Known)
}

/// The mean way from the clients. Clients that are cut off from the place are as good as unknown.
#[must_use]
pub fn client(table: &LatencyTable, demand: &AccessDemand, node: Option<LatencyPoint>) -> Demanded<Leg> {
    let Some((first, others)) = demand.clients.split_first() else {
        return Demanded::NotDemanded;
    };
    let ways = Ways::of(table);
    let Way::Known(leg) = ways.between(first.point, node) else {
        return Demanded::Unknown;
    };
    let (mut weighted_ms, mut weights, mut provenance) =
        (first.weight * leg.ms, first.weight, leg.provenance);
    for client in others {
        let Way::Known(leg) = ways.between(client.point, node) else {
            return Demanded::Unknown;
        };
        weighted_ms += client.weight * leg.ms;
        weights += client.weight;
        provenance = less_certain(provenance, leg.provenance);
    }
    let ms = weighted_ms / weights;
    if ms.is_finite() {
        Demanded::Known(Leg { ms, provenance })
    } else {
        Demanded::Unknown
    }
}

fn leg_total(leg: Demanded<Leg>, times: f64) -> Demanded<Total> {
    leg.map(|leg| Total {
        ms: times * leg.ms,
        over_limit: false,
        lacks_commit: false,
    })
}

fn data_set_total(
    table: &LatencyTable,
    demand: &AccessDemand,
    data_set: &DataSetDemand,
    node: Option<LatencyPoint>,
) -> Demanded<Total> {
    let known = |ms: f64| ms.is_finite().then_some(ms);
    let read = demanded(data_set.reads, || {
        known(data_set.read_ms(table, node, View::Known))
    });
    let write = demanded(data_set.writes, || {
        known(data_set.write_ms(table, node, View::Known))
    });
    let times = |access: Demanded<f64>, times: f64, limit_ms: Option<f64>, lacks_commit: bool| {
        access.map(|ms| Total {
            ms: times * ms,
            over_limit: limit_ms.is_some_and(|limit_ms| ms > limit_ms),
            lacks_commit,
        })
    };
    add(
        times(read, data_set.reads, demand.max_read_ms, false),
        times(
            write,
            data_set.writes,
            demand.max_write_ms,
            data_set.lacks_commit(),
        ),
    )
}

fn add(one: Demanded<Total>, other: Demanded<Total>) -> Demanded<Total> {
    one.and(other, |one, other| Total {
        ms: one.ms + other.ms,
        over_limit: one.over_limit || other.over_limit,
        lacks_commit: one.lacks_commit || other.lacks_commit,
    })
}

#[cfg(test)]
#[path = "cost_tests.rs"]
mod tests;
