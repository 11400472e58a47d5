//! What it costs a pod to be at a place: expected milliseconds of access for each request it serves.
//!
//! `clients + sum over data sets (reads x read + writes x write)`, where *clients* is the weighted mean
//! round trip from where the requests come from, *read* the round trip to the nearest readable replica
//! (to the leader where the data set demands strict consistency; never to a witness) and *write* the
//! round trip to the leader; of several leaders the nearest.
//!
//! Inputs: a latency table and a demand whose places are located in that table. Outputs: a total, or
//! how it comes about. Invariants: a demanded leg that is unknown makes the total unknown, so nothing
//! is cheaper for what is not known about it (a replica at an unknown place only takes a choice away);
//! [`total`] and [`access_cost`] say the same. Deliberately absent: quorums, what a commit costs
//! between replicas, leaderless writes and peers, which come with a later stage; P95; which limit on
//! latency refuses a place (none does yet: `score.rs`).

use super::demand::{AccessDemand, DataSetDemand};
use crate::model::{Consistency, DataSetName, Provenance, ReplicaRole};
use crate::topology::{LatencyPoint, LatencyTable};

/// Something that is only there where the pod demands it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Demanded<T> {
    /// The pod does not ask for it: it costs nothing.
    NotDemanded,
    /// The pod asks for it and nobody knows.
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

/// One leg of an access.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    /// The round trip in milliseconds.
    pub ms: f64,
    /// How it is known; of a mean, the least certain part.
    pub provenance: Provenance,
}

/// The leg to a chosen replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReplicaLeg {
    /// Which one of the replicas of the demand.
    pub replica: usize,
    /// The way to it.
    pub leg: Leg,
}

/// The cost of all that a pod demands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Total {
    /// Expected milliseconds for each request.
    pub ms: f64,
    /// Whether some read or write takes longer than the pod allows.
    pub over_limit: bool,
}

/// What one data set costs.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSetCost {
    /// Which data set.
    pub name: DataSetName,
    /// One read.
    pub read: Demanded<ReplicaLeg>,
    /// One write.
    pub write: Demanded<ReplicaLeg>,
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
    /// The least certain source of any known leg.
    pub least_certain: Option<Provenance>,
}

/// The total of [`access_cost`], without allocating: for the hot path.
#[must_use]
pub fn total(table: &LatencyTable, demand: &AccessDemand, node: Option<LatencyPoint>) -> Demanded<Total> {
    demand
        .data_sets
        .iter()
        .fold(client_total(client(table, demand, node)), |sum, data_set| {
            let (read, write) = (read(table, data_set, node), write(table, data_set, node));
            add(sum, data_set_total(demand, data_set, read, write))
        })
}

/// What it costs a pod to be at a place, and why.
#[must_use]
pub fn access_cost(table: &LatencyTable, demand: &AccessDemand, node: Option<LatencyPoint>) -> AccessCost {
    let client = client(table, demand, node);
    let mut sum = client_total(client);
    let mut least_certain = client.known().map(|leg| leg.provenance);
    let mut data_sets = Vec::with_capacity(demand.data_sets.len());
    for data_set in &demand.data_sets {
        let (read, write) = (read(table, data_set, node), write(table, data_set, node));
        sum = add(sum, data_set_total(demand, data_set, read, write));
        for chosen in [read, write].into_iter().filter_map(Demanded::known) {
            let provenance = chosen.leg.provenance;
            least_certain = Some(least_certain.map_or(provenance, |other| less_certain(other, provenance)));
        }
        data_sets.push(DataSetCost {
            name: data_set.name.clone(),
            read,
            write,
        });
    }
    AccessCost {
        total: sum,
        client,
        data_sets,
        least_certain,
    }
}

/// Of two sources the one to trust less. What is assumed inside a region is off by a millisecond or
/// two, so it is surer than a guess over a distance, whatever the order of the words in the model.
fn less_certain(one: Provenance, other: Provenance) -> Provenance {
    let doubt = |provenance| match provenance {
        Provenance::Measured => 0,
        Provenance::MeasuredReverse => 1,
        Provenance::MeasuredStale => 2,
        Provenance::AssumedLocal => 3,
        Provenance::EstimatedByStatistic => 4,
        Provenance::EstimatedByPath => 5,
        Provenance::EstimatedByDistance => 6,
    };
    if doubt(other) > doubt(one) { other } else { one }
}

fn way(table: &LatencyTable, from: Option<LatencyPoint>, to: Option<LatencyPoint>) -> Option<Leg> {
    table.between(from?, to?).map(|estimate| Leg {
        ms: estimate.latency.as_ms(),
        provenance: estimate.provenance,
    })
}

fn client(table: &LatencyTable, demand: &AccessDemand, node: Option<LatencyPoint>) -> Demanded<Leg> {
    let Some((first, others)) = demand.clients.split_first() else {
        return Demanded::NotDemanded;
    };
    let Some(leg) = way(table, first.point, node) else {
        return Demanded::Unknown;
    };
    let (mut weighted_ms, mut weights, mut provenance) =
        (first.weight * leg.ms, first.weight, leg.provenance);
    for client in others {
        let Some(leg) = way(table, client.point, node) else {
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

fn read(table: &LatencyTable, data_set: &DataSetDemand, node: Option<LatencyPoint>) -> Demanded<ReplicaLeg> {
    if data_set.reads <= 0.0 {
        return Demanded::NotDemanded;
    }
    nearest(table, data_set, node, |role| match data_set.consistency {
        Consistency::Strict => role == ReplicaRole::Leader,
        Consistency::Available => role.is_readable(),
    })
}

fn write(table: &LatencyTable, data_set: &DataSetDemand, node: Option<LatencyPoint>) -> Demanded<ReplicaLeg> {
    if data_set.writes <= 0.0 {
        return Demanded::NotDemanded;
    }
    nearest(table, data_set, node, |role| role == ReplicaRole::Leader)
}

/// The nearest replica of a role; of equally near ones the first.
fn nearest(
    table: &LatencyTable,
    data_set: &DataSetDemand,
    node: Option<LatencyPoint>,
    serves: impl Fn(ReplicaRole) -> bool,
) -> Demanded<ReplicaLeg> {
    data_set
        .replicas
        .iter()
        .enumerate()
        .filter(|(_, replica)| serves(replica.role))
        .filter_map(|(index, replica)| {
            way(table, node, replica.point).map(|leg| ReplicaLeg { replica: index, leg })
        })
        .min_by(|one, other| one.leg.ms.total_cmp(&other.leg.ms))
        .map_or(Demanded::Unknown, Demanded::Known)
}

fn client_total(client: Demanded<Leg>) -> Demanded<Total> {
    client.map(|leg| Total {
        ms: leg.ms,
        over_limit: false,
    })
}

fn data_set_total(
    demand: &AccessDemand,
    data_set: &DataSetDemand,
    read: Demanded<ReplicaLeg>,
    write: Demanded<ReplicaLeg>,
) -> Demanded<Total> {
    let times = |access: Demanded<ReplicaLeg>, times: f64, limit_ms: Option<f64>| {
        access.map(|chosen| Total {
            ms: times * chosen.leg.ms,
            over_limit: limit_ms.is_some_and(|limit_ms| chosen.leg.ms > limit_ms),
        })
    };
    add(
        times(read, data_set.reads, demand.max_read_ms),
        times(write, data_set.writes, demand.max_write_ms),
    )
}

fn add(one: Demanded<Total>, other: Demanded<Total>) -> Demanded<Total> {
    one.and(other, |one, other| Total {
        ms: one.ms + other.ms,
        over_limit: one.over_limit || other.over_limit,
    })
}

#[cfg(test)]
#[path = "cost_tests.rs"]
mod tests;
